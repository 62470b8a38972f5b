"""Two circuits grown in small models: heads that continue a repetition, and a head with nothing to say.

*Induction.* A text is a random order of 8 to 32 different symbols, repeated until 64 symbols are full, and
every next symbol is to be told. In the first round nothing can be known; from the second on, what followed
last time is right. Two layers of attention alone, one head each, rotary positions: Elhage et al. 2021
(https://transformer-circuits.pub/2021/framework/) and Olsson et al. 2022 (https://arxiv.org/abs/2209.11895)
found that the first head looks at the symbol before, and the second at the symbol *after* the last one that
was like the present one. A model of one layer is trained beside it.

*Nothing to say.* A start marker and 16 symbols, each one of 33 fixed vectors of length 1. The answer at a
place is a vector: the symbol's own, which the shortcut around attention carries already; but at a trigger,
one of eight symbols of the 32, it is that of the symbol before. The head sees the place itself and what came
before it. So it has something to say at every fourth
place, and everywhere else it ought to add exactly nothing. It begins with a bias for the place before,
which need not be learned. The loss is the squared distance to the answer. After Guo et al. 2024
(https://arxiv.org/abs/2410.13835), whose triggers copy the symbol before too. The head is plain, has a
learned sink, or a gate (:mod:`attnbook.nn.quiet_attention`); the start marker is there, or one more symbol
stands in its place. As a control every symbol is a trigger, so that there is always something to say.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.experiments.extrapolation import NOTHING, SYMBOLS, Reader, error
from attnbook.experiments.options import at_least
from attnbook.nn.quiet_attention import WAYS, QuietAttention
from attnbook.training.fit import fit

ABOUT = "induction heads that grow, and their ablation; a head with nothing to say, with and without a sink"

LENGTH, PERIODS = 64, (8, 32)
TRIGGERS = 8
MARKER = SYMBOLS  # the start marker's number
WORDS = 16  # symbols of a text behind the marker
CASES = (  # way, triggers, whether the text begins with the marker
    *((way, TRIGGERS, True) for way in WAYS),
    *((way, TRIGGERS, False) for way in WAYS),
    ("softmax", SYMBOLS, True),
)
CUTS = ("whole", "layer 1 off", "layer 2 off", "layer 1 before", "layer 1 two before", "layer 1 itself")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps of both tasks; all models of a task get the same texts."""
    add = parser.add_argument
    add("--steps", type=int, default=300, metavar="N", help="of induction (default 300)")
    add("--every", type=int, default=10, metavar="N", help="steps between two measurements (default 10)")
    add("--quiet-steps", type=int, default=500, metavar="N", help="of the silent head (default 500)")
    add("--batch", type=int, default=32, metavar="N", help="texts a step (default 32)")


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Both circuits of one seed.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "every", "quiet_steps", "batch")
    found: dict[str, dict] = {"induction": {}, "quiet": {}}
    for layers in (2, 1):
        found["induction"][f"{layers} layers"] = induction(options, seed, device, layers)
    for case in CASES:
        found["quiet"][case_name(*case)] = quiet(options, seed, device, *case)
    return found


# ---- induction -------------------------------------------------------------------------------------


def repeated(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Texts (n, 64) of a random order that repeats itself, and the period of each (n,)."""
    low, high = PERIODS
    periods = torch.randint(low, high + 1, (n,), generator=generator)
    orders = torch.rand(n, SYMBOLS, generator=generator).argsort(dim=1)  # all different
    places = torch.arange(LENGTH) % periods.unsqueeze(1)
    return orders.gather(1, places), periods


def next_symbols(text: Tensor, periods: Tensor) -> Tensor:
    """The next symbol, where the present one was there before; else ``NOTHING``."""
    right = torch.full_like(text, NOTHING)
    right[:, :-1] = text[:, 1:]
    return right.masked_fill(torch.arange(text.shape[1]) < periods.unsqueeze(1), NOTHING)


def trained(
    steps: int, seed: int, device: torch.device, layers: int = 2, batch: int = 32, every: int = 10
) -> tuple[Reader, list[dict]]:
    """A reader of repetitions, and what was measured while it grew: one dict of :func:`grown` a row."""
    torch.manual_seed(seed)
    model = Reader("rotary", n_heads=1, n_layers=layers).to(device)
    generator = torch.Generator().manual_seed(seed)
    curve: list[dict] = []

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text, periods = repeated(batch, generator)
        return text.to(device), next_symbols(text, periods).to(device)

    def measure(_: nn.Module) -> float:
        curve.append({"step": every * (len(curve) + 1), **grown(model)})
        return curve[-1]["loss"]

    fit(
        model, batches, steps=steps, learning_rate=2e-3, seed=seed, loss=error, progress=False,
        validate=measure, validate_every=every,
    )  # fmt: skip
    return model, curve


@torch.no_grad()
def grown(model: Reader, n: int = 64) -> dict[str, float]:
    """Loss and accuracy on fresh repetitions, and how much of the circuit is there.

    Returns
    -------
    dict
        "loss", "accuracy"; "previous": the first layer's mean weight on the symbol before; "prefix": the
        last layer's mean weight on the symbols that followed the present one before.
    """
    device = next(model.parameters()).device
    text, periods = repeated(n, torch.Generator().manual_seed(1_000_003))
    right = next_symbols(text, periods)
    asked = right != NOTHING
    logits, looks = model.look(text.to(device))
    logits, weights = logits.cpu(), [each[:, 0].cpu() for each in looks if each is not None]
    before = weights[0][:, 1:].diagonal(offset=0, dim1=1, dim2=2)  # query t, key t - 1
    behind = text[:, :-1].unsqueeze(1) == text.unsqueeze(2)  # (n, t, j): the symbol at j is like that at t
    prefix = (weights[-1][:, :, 1:] * behind).sum(dim=-1)  # weight on j + 1, which followed it
    return {
        "loss": nn.functional.cross_entropy(logits[asked], right[asked]).item(),
        "accuracy": (logits.argmax(dim=-1) == right)[asked].float().mean().item(),
        "previous": before[asked[:, 1:]].mean().item(),
        "prefix": prefix[asked].mean().item(),
    }


@torch.no_grad()
def cut(model: Reader, how: str, n: int = 256) -> dict[str, float]:
    """Loss and accuracy with one head changed; the model stays as it is.

    Parameters
    ----------
    how : one of ``CUTS``
        "off": the head adds nothing. "layer 1 before", "two before", "itself": its weights are replaced by
        ones that stand wholly on the symbol before, on the one before that, or on the present one; what it
        makes of the symbol it attends to stays.

    Raises
    ------
    ValueError
        If the cut is unknown.
    """
    if how not in CUTS:
        raise ValueError(f"how: expected one of {', '.join(CUTS)}, got {how!r}")
    shift = {"layer 1 before": 1, "layer 1 two before": 2, "layer 1 itself": 0}.get(how)
    device = next(model.parameters()).device
    text, periods = repeated(n, torch.Generator().manual_seed(1_000_004))
    right = next_symbols(text, periods)
    asked = right != NOTHING
    x = model.positions(model.embedding(text.to(device)))
    layers: list[Any] = list(model.layers)
    for number, layer in enumerate(layers, start=1):
        if how == f"layer {number} off":
            continue
        if number == 1 and shift is not None:
            value = layer.attention.W_v(layer.norm(x))
            moved = value.roll(shift, dims=1)  # asked places never see what rolls in at the start
            x = x + layer.attention.W_o(moved)
        else:
            x, _ = layer(x)
    logits = model.output(model.norm(x)).cpu()
    return {
        "loss": nn.functional.cross_entropy(logits[asked], right[asked]).item(),
        "accuracy": (logits.argmax(dim=-1) == right)[asked].float().mean().item(),
    }


def induction(options: argparse.Namespace, seed: int, device: torch.device, layers: int) -> dict:
    """The curve of one model, and for two layers what its cuts do."""
    model, curve = trained(options.steps, seed, device, layers, options.batch, options.every)
    found: dict = {name: [row[name] for row in curve] for name in curve[0]}
    found["at the end"] = grown(model, 256)
    if layers == 2:
        found["cuts"] = {how: cut(model, how) for how in CUTS}
    return found


# ---- nothing to say --------------------------------------------------------------------------------


class QuietReader(nn.Module):
    """One layer of attention beside a shortcut: start marker and symbols to vectors.

    Parameters
    ----------
    way : "softmax", "sink" or "gate"
    d_model : int
        At least 33: symbols and marker have vectors at right angles, which do not learn.
    """

    vectors: Tensor

    def __init__(self, way: str, d_model: int = 64):
        super().__init__()
        self.register_buffer("vectors", nn.init.orthogonal_(torch.empty(SYMBOLS + 1, d_model)))
        self.norm = nn.LayerNorm(d_model)
        self.attention = QuietAttention(d_model, 1, way)
        with torch.no_grad():  # it begins by looking at the symbol before: that is not what is to be learned
            self.attention.positions.table[1] = 4.0

    def forward(self, text: Tensor) -> Tensor:
        """(batch, length) → (batch, length, d_model)."""
        return self.look(text)[0]

    def look(self, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors, the head's weights (batch, length, length), and what it added (batch, length, d_model)."""
        x = self.vectors[text]
        said, weights = self.attention(self.norm(x))
        return x + said, weights[:, 0], said


def case_name(way: str, triggers: int, marker: bool) -> str:
    """As it stands in the results: "softmax", "softmax, always", "softmax, no marker"."""
    return way + (", always" if triggers == SYMBOLS else "") + ("" if marker else ", no marker")


def quiet_texts(
    n: int, triggers: int, generator: torch.Generator, marker: bool = True
) -> tuple[Tensor, Tensor]:
    """Texts (n, 17) and the answers, ``NOTHING`` at the first place and the one behind it."""
    text = torch.randint(SYMBOLS, (n, WORDS + 1), generator=generator)
    if marker:
        text[:, 0] = MARKER
    right = torch.where(text < triggers, text.roll(1, dims=1), text)
    right[:, :2] = NOTHING
    return text, right


def distance(model: Any, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean squared distance to the answers, over the places where one is asked for."""
    text, right = batch
    asked = right != NOTHING
    return (model(text)[asked] - model.vectors[right[asked]]).square().sum(dim=-1).mean()


def quiet(
    options: argparse.Namespace, seed: int, device: torch.device, way: str, triggers: int, marker: bool
) -> dict:
    """One reader, trained; where its head looks and how loud it is, at triggers and elsewhere.

    Returns
    -------
    dict
        What :func:`told` measures.
    """
    torch.manual_seed(seed)
    model = QuietReader(way).to(device)
    generator = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text, right = quiet_texts(options.batch, triggers, generator, marker)
        return text.to(device), right.to(device)

    fit(
        model, batches, steps=options.quiet_steps, learning_rate=5e-3, seed=seed, loss=distance,
        progress=False,
    )  # fmt: skip
    return told(model, triggers, marker)


@torch.no_grad()
def told(model: QuietReader, triggers: int, marker: bool = True, n: int = 256) -> dict:
    """Of fresh texts: the loss, the accuracy (is the nearest of all vectors the answer?), and the head.

    Returns
    -------
    dict
        "loss", "accuracy"; for places with a trigger ("speaks") and without ("silent"), where there are any:
        the mean weight on the first place ("first"), on the symbol before ("before") and on the sink (what is
        missing to 1), and the length of what the head added ("length"), where a symbol's vector has 1.
    """
    device = model.vectors.device
    text, right = quiet_texts(n, triggers, torch.Generator().manual_seed(1_000_003), marker)
    asked = right != NOTHING
    made, weights, said = (each.cpu() for each in model.look(text.to(device)))
    nearest = (made @ model.vectors.cpu().T).argmax(dim=-1)  # all vectors are equally long
    before = torch.zeros(text.shape)
    before[:, 1:] = weights[:, 1:].diagonal(dim1=1, dim2=2)
    found: dict = {
        "loss": distance(model, (text.to(device), right.to(device))).item(),
        "accuracy": (nearest == right)[asked].float().mean().item(),
    }
    for name, places in (("speaks", asked & (text < triggers)), ("silent", asked & (text >= triggers))):
        if places.any():
            found[name] = {
                "first": weights[..., 0][places].mean().item(),
                "before": before[places].mean().item(),
                "sink": (1 - weights.sum(dim=-1))[places].mean().item(),
                "length": said.norm(dim=-1)[places].mean().item(),
            }
    return found
