"""Two circuits grown in small models: heads that continue a repetition, and a head with nothing to say.

*Induction.* A text is a random order of 8 to 32 different symbols, repeated until 64 symbols are full, and
every next symbol is to be told. In the first round nothing can be known; from the second on, what followed
last time is right. Two layers of attention alone, one head each, rotary positions: Elhage et al. 2021
(https://transformer-circuits.pub/2021/framework/) and Olsson et al. 2022 (https://arxiv.org/abs/2209.11895)
found that the first head looks at the symbol before, and the second at the symbol *after* the last one that
was like the present one. A model of one layer is trained beside it.

*Nothing to say.* In a text of 32 symbols behind a start marker the answer at a place is the symbol itself,
which the shortcut around attention carries already; but at a trigger, one of three symbols, it is the symbol
before. So the head has something to say at every tenth place. After Guo et al. 2024
(https://arxiv.org/abs/2410.13835), whose triggers copy the symbol before too. As a control, every symbol is a
trigger. The head is plain, has a learned sink, or a gate (:mod:`attnbook.nn.quiet_attention`).
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn

from attnbook.experiments.extrapolation import NOTHING, SYMBOLS, Reader, error
from attnbook.experiments.options import at_least
from attnbook.nn.quiet_attention import WAYS, QuietAttention
from attnbook.training.fit import fit

ABOUT = "induction heads that grow, and their ablation; a head with nothing to say, with and without a sink"

LENGTH, PERIODS = 64, (8, 32)
TRIGGERS = 3
MARKER = SYMBOLS  # the start marker's number
WORDS = 32  # symbols of a text behind the marker
CUTS = ("whole", "layer 1 off", "layer 2 off", "layer 1 before", "layer 1 two before", "layer 1 itself")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps of both tasks; all models of a task get the same texts."""
    add = parser.add_argument
    add("--steps", type=int, default=1000, metavar="N", help="of induction (default 1000)")
    add("--every", type=int, default=25, metavar="N", help="steps between two measurements (default 25)")
    add("--quiet-steps", type=int, default=800, metavar="N", help="of the silent head (default 800)")
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
    for triggers in (TRIGGERS, SYMBOLS):
        for way in WAYS:
            found["quiet"][f"{way}, {triggers} triggers"] = quiet(options, seed, device, way, triggers)
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
    steps: int, seed: int, device: torch.device, layers: int = 2, batch: int = 32, every: int = 25
) -> tuple[Reader, list[dict]]:
    """A reader of repetitions, and what was measured while it grew: one dict of :func:`grown` a row."""
    torch.manual_seed(seed)
    model = Reader("rotary", n_heads=1, n_layers=layers).to(device)
    generator = torch.Generator().manual_seed(seed)
    curve: list[dict] = []

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text, periods = repeated(batch, generator)
        return text.to(device), next_symbols(text, periods).to(device)

    def measure(model: nn.Module) -> float:
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
        last layer's mean weight on the symbol after the last one that was like the present one.
    """
    device = next(model.parameters()).device
    text, periods = repeated(n, torch.Generator().manual_seed(1_000_003))
    right = next_symbols(text, periods)
    asked = right != NOTHING
    logits, weights = model.look(text.to(device))
    logits = logits.cpu()
    before = weights[0][:, 0].cpu()[:, 1:].diagonal(offset=0, dim1=1, dim2=2)  # query t, key t - 1
    source = (torch.arange(LENGTH) - periods.unsqueeze(1) + 1).clamp(min=0)  # after the last like it
    prefix = weights[-1][:, 0].cpu().gather(2, source.unsqueeze(2)).squeeze(2)
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
    for number, layer in enumerate(model.layers, start=1):
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
    """One layer of attention beside a shortcut: start marker and symbols to scores of the answers.

    Parameters
    ----------
    way : "softmax", "sink" or "gate"
    d_model : int
    """

    def __init__(self, way: str, d_model: int = 32):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS + 1, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.attention = QuietAttention(d_model, 1, way)
        self.output = nn.Linear(d_model, SYMBOLS)

    def forward(self, text: Tensor) -> Tensor:
        """(batch, length) → (batch, length, 32)."""
        return self.look(text)[0]

    def look(self, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, the head's weights (batch, length, length), and what it added (batch, length, d_model)."""
        x = self.embedding(text)
        said, weights = self.attention(self.norm(x))
        return self.output(x + said), weights[:, 0], said


def quiet_texts(n: int, triggers: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Texts (n, 33), the marker first, and the answers, ``NOTHING`` at the marker and behind it."""
    symbols = torch.randint(SYMBOLS, (n, WORDS), generator=generator)
    text = torch.cat([torch.full((n, 1), MARKER), symbols], dim=1)
    right = torch.where(text < triggers, text.roll(1, dims=1), text)
    right[:, :2] = NOTHING
    return text, right


def quiet(options: argparse.Namespace, seed: int, device: torch.device, way: str, triggers: int) -> dict:
    """One reader, trained; where its head looks and how loud it is, at triggers and elsewhere.

    Returns
    -------
    dict
        "loss", "accuracy"; for places with a trigger ("speaks") and without ("silent"): the weight on the
        start marker, on the symbol before, on the sink (what is missing to 1), and the length of what the
        head added, in lengths of a symbol's vector. Without a kind of place there is no entry for it.
    """
    torch.manual_seed(seed)
    model = QuietReader(way).to(device)
    generator = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text, right = quiet_texts(options.batch, triggers, generator)
        return text.to(device), right.to(device)

    fit(model, batches, steps=options.quiet_steps, learning_rate=3e-3, seed=seed, loss=error, progress=False)
    return told(model, triggers)


@torch.no_grad()
def told(model: QuietReader, triggers: int, n: int = 256) -> dict:
    """What :func:`quiet` returns of a trained reader, on fresh texts."""
    device = next(model.parameters()).device
    text, right = quiet_texts(n, triggers, torch.Generator().manual_seed(1_000_003))
    asked = right != NOTHING
    logits, weights, said = (each.cpu() for each in model.look(text.to(device)))
    loud = said.norm(dim=-1) / model.embedding.weight.norm(dim=-1).mean().cpu()
    before = torch.zeros_like(loud)
    before[:, 1:] = weights[:, 1:].diagonal(dim1=1, dim2=2)
    found: dict = {
        "loss": nn.functional.cross_entropy(logits[asked], right[asked]).item(),
        "accuracy": (logits.argmax(dim=-1) == right)[asked].float().mean().item(),
    }
    for name, places in (("speaks", asked & (text < triggers)), ("silent", asked & (text >= triggers))):
        if places.any():
            found[name] = {
                "marker": weights[..., 0][places].mean().item(),
                "before": before[places].mean().item(),
                "sink": (1 - weights.sum(dim=-1))[places].mean().item(),
                "length": loud[places].mean().item(),
            }
    return found
