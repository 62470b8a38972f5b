"""Heads that fetch a fact, and whether a fact in the middle of a text is lost.

A text is twelve sentences of three symbols: eight *facts*, which are a name and two values, and four runs of
*filler*, whose symbols follow each other in a fixed order. Behind them stand questions, each a question mark,
a name and the two values, which the model has to copy from the fact of this name. Readers of two layers of
causal self-attention, four heads each, learn that. Their keys are *smeared*, as in Olsson et al. 2022
(https://arxiv.org/abs/2209.11895): each carries a learned share of the one before it, so that a key says
behind which symbol it stands. Otherwise a head of the first layer has to learn that first.

*Retrieval heads.* Wu et al. 2024 (https://arxiv.org/abs/2404.15574) score a head by how often its largest
weight stands on the very symbol that is being copied. Each head is scored, then taken away: the best ones,
every choice of as many others, and as many of those left whose values and outputs are nearest in size, though
they may be much smaller. The next filler is counted too; it can be told from the present symbol without any
head, so it is no control.

*Lost in the middle.* Liu et al. 2023 (https://arxiv.org/abs/2307.03172) found facts at the start and at the
end of a text used best. Each reader is trained with questions about facts anywhere, and again with questions
about the two sentences at either end alone, while the other facts stand anywhere. The one with learned
positions is trained a third time, with odds of 50 to 1 for a sentence at an end. All are tested with the fact
at each of the twelve places, and so is each reader when its question may not attend to the middle, which the
measure has to see.
"""

from __future__ import annotations

import argparse
import math
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.extrapolation import NOTHING
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import ALiBi, LearnedPositions, MultiHeadAttention, RotaryPositions, causal_mask
from attnbook.training.fit import Diverged, fit
from attnbook.training.schedules import warmup_linear

ABOUT = "retrieval heads and their ablation; is a fact in the middle of a text lost?"

NAMES, VALUES, FILLERS = 16, 16, 16  # symbols of each kind, numbered in this order
FIRST_VALUE, FIRST_FILLER = NAMES, NAMES + VALUES
SYMBOLS = NAMES + VALUES + FILLERS
START, ASK = SYMBOLS, SYMBOLS + 1
SENTENCES, WORDS, FACTS, QUESTIONS = 12, 3, 8, 3
CONTEXT = 1 + SENTENCES * WORDS  # the start symbol and the sentences
LENGTH = CONTEXT + QUESTIONS * (WORDS + 1)
ENDS = (0, 1, SENTENCES - 2, SENTENCES - 1)
PERIODS = (8, 24)  # of the texts that repeat themselves

POSITIONS = ("alibi", "rotary", "learned", "none")
# questions in training: about any fact; about the ends with odds of 50 to 1 a sentence; about the ends alone
TRAINED_ON = {"anywhere": 0.0, "mostly ends": math.log(50), "ends alone": math.inf}
D_MODEL, HEADS, LAYERS = 64, 4, 2
TEST = 1200  # texts, the fact at each place in 100 of them
WITH_HEADS = ("rotary", "learned")  # readers whose heads are scored and taken away
TAKEN = (1, 2, 3)  # heads taken away together


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every reader gets the same texts, steps and rates to choose from."""
    add = parser.add_argument
    add("--steps", type=int, default=240, metavar="N", help="of each reader (default 240)")
    add("--batch", type=int, default=32, metavar="N", help="texts a step (default 32)")
    add("--learning-rates", type=float, nargs="+", default=[3e-3, 6e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .003 .006)")  # fmt: skip


# ---- texts -----------------------------------------------------------------------------------------


def texts(
    n: int,
    generator: torch.Generator,
    trained_on: str = "anywhere",
    questions: int = QUESTIONS,
    places: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Texts of facts, fillers and questions.

    Parameters
    ----------
    n : int
    generator : torch.Generator
    trained_on : one of ``TRAINED_ON``
        Which sentences are asked about.
    questions : int
        At the end of each text, about different facts.
    places : (n,) of int, optional
        The sentence that the first question asks about.

    Returns
    -------
    text : (n, CONTEXT + 4 questions) of int
    place : (n,) of int
        The sentence with the fact that the first question asks about.

    Raises
    ------
    ValueError
        If ``trained_on`` is unknown.
    """
    if trained_on not in TRAINED_ON:
        raise ValueError(f"trained_on: expected one of {', '.join(TRAINED_ON)}, got {trained_on!r}")
    odds = torch.zeros(SENTENCES)
    odds[list(ENDS)] = TRAINED_ON[trained_on]
    gumbel = -(-torch.rand(n, SENTENCES, generator=generator).log()).log()
    order = odds + gumbel  # the largest are drawn first, by their odds
    order = torch.where(order == math.inf, 1e6 + gumbel, order)
    if places is not None:
        order = order.scatter(1, places.unsqueeze(1), math.inf)
    asked = order.argsort(dim=1, descending=True)[:, :questions]
    others = torch.rand(n, SENTENCES, generator=generator).scatter(1, asked, -1.0)
    others = others.argsort(dim=1, descending=True)[:, : FACTS - questions]
    where = torch.cat([asked, others], dim=1)  # (n, FACTS): sentences that are facts

    begin = torch.randint(FILLERS, (n, SENTENCES, 1), generator=generator)
    sentences = FIRST_FILLER + (begin + torch.arange(WORDS)) % FILLERS
    names = torch.rand(n, NAMES, generator=generator).argsort(dim=1)[:, :FACTS]  # all different
    # each value once in a text, so that an answer can come from one place alone
    values = FIRST_VALUE + torch.rand(n, VALUES, generator=generator).argsort(dim=1).view(n, FACTS, WORDS - 1)
    facts = torch.cat([names.unsqueeze(2), values], dim=2)
    sentences = sentences.scatter(1, where.unsqueeze(2).expand_as(facts), facts)

    mark = torch.full((n, questions, 1), ASK)
    ends = torch.cat([mark, facts[:, :questions]], dim=2).flatten(1)
    text = torch.cat([torch.full((n, 1), START), sentences.flatten(1), ends], dim=1)
    return text, where[:, 0]


def answers(text: Tensor) -> tuple[Tensor, Tensor]:
    """What comes next, where it can be known, else ``NOTHING``: of the answers, and of the fillers."""
    after = torch.full_like(text, NOTHING)
    after[:, :-1] = text[:, 1:]
    place = torch.arange(text.shape[1])
    value = (after >= FIRST_VALUE) & (after < FIRST_FILLER) & (place >= CONTEXT)
    same_sentence = (text >= FIRST_FILLER) & (text < SYMBOLS) & (place % WORDS != 0)
    return after.masked_fill(~value, NOTHING), after.masked_fill(~same_sentence, NOTHING)


def repeated(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Texts that repeat an order of different symbols, (n, LENGTH), and the next symbol from the second round
    on.
    """
    low, high = PERIODS
    period = torch.randint(low, high + 1, (n, 1), generator=generator)
    orders = torch.rand(n, SYMBOLS, generator=generator).argsort(dim=1)
    place = torch.arange(LENGTH)
    text = orders.gather(1, place % period)
    right = torch.full_like(text, NOTHING)
    right[:, :-1] = text[:, 1:]
    return text, right.masked_fill(place < period, NOTHING)


# ---- the reader ------------------------------------------------------------------------------------


class Reader(nn.Module):
    """Causal self-attention alone, with smeared keys and heads that can be taken away.

    Parameters
    ----------
    positions : one of ``POSITIONS``
    d_model, n_heads, n_layers : int
    """

    def __init__(self, positions: str, d_model: int = D_MODEL, n_heads: int = HEADS, n_layers: int = LAYERS):
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(f"positions: expected one of {', '.join(POSITIONS)}, got {positions!r}")
        self.n_heads = n_heads
        inside = {"rotary": lambda: RotaryPositions(d_model // n_heads), "alibi": lambda: ALiBi(n_heads)}
        self.embedding = nn.Embedding(SYMBOLS + 2, d_model)
        self.positions = LearnedPositions(LENGTH, d_model) if positions == "learned" else nn.Identity()
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(n_layers))
        self.attentions = nn.ModuleList(
            MultiHeadAttention(d_model, n_heads, positions=inside.get(positions, lambda: None)())
            for _ in range(n_layers)
        )
        self.smear = nn.Parameter(torch.zeros(n_layers))  # a sigmoid of it is the share of a key's own symbol
        self.norm = nn.LayerNorm(d_model)
        self.output = nn.Linear(d_model, SYMBOLS + 2)

    def forward(self, text: Tensor) -> Tensor:
        """(batch, length) → logits of the next symbol (batch, length, SYMBOLS + 2)."""
        return self.look(text, need_weights=False)[0]

    def look(
        self,
        text: Tensor,
        without: tuple[tuple[int, int], ...] = (),
        mask: Tensor | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Logits, and the weights (batch, heads, length, length) of each layer.

        Parameters
        ----------
        without : pairs (layer, head), optional
            Heads that add nothing: their contexts are zero.
        mask : (length, length) of bool, optional
            True = may attend, in every layer; beside the causal mask.
        """
        allowed = causal_mask(text.shape[1], device=text.device)
        if mask is not None:
            allowed = allowed & mask
        x = self.positions(self.embedding(text))
        rows: list[Tensor | None] = []
        layers: list[Any] = list(zip(self.norms, self.attentions, strict=True))
        for number, (norm, attention) in enumerate(layers):
            gone = [head for layer, head in without if layer == number]
            handle = attention.W_o.register_forward_pre_hook(self._silence(gone)) if gone else None
            own = norm(x)
            share = self.smear[number].sigmoid()
            before = torch.cat([own[:, :1], own[:, :-1]], dim=1)
            key = share * own + (1 - share) * before
            said, weights = attention(own, key, own, mask=allowed, need_weights=need_weights)
            if handle is not None:
                handle.remove()
            x = x + said
            rows.append(weights)
        return self.output(self.norm(x)), rows

    def _silence(self, gone: list[int]):
        """Zero what these heads hand to the output matrix."""

        def hook(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
            (context,) = inputs
            context = context.unflatten(-1, (self.n_heads, -1)).clone()
            context[..., gone, :] = 0
            return (context.flatten(-2),)

        return hook


# ---- training --------------------------------------------------------------------------------------


def error(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Mean cross-entropy of the answers, plus that of the fillers."""
    text, answer, filler = batch
    logits = model(text).flatten(0, 1)
    losses = [
        nn.functional.cross_entropy(logits, each.flatten(), ignore_index=NOTHING) for each in (answer, filler)
    ]
    return losses[0] + losses[1]


def trained(
    positions: str, trained_on: str, rate: float, seed: int, options: argparse.Namespace, device: torch.device
) -> tuple[Reader, list[dict]]:
    """A reader, and ten measurements on the way: step, and nats an answer on texts like its own."""
    set_seed(seed)
    model = Reader(positions).to(device)
    generator = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, ...]:
        text, _ = texts(options.batch, generator, trained_on)
        return tuple(each.to(device) for each in (text, *answers(text)))

    text, _ = texts(200, torch.Generator().manual_seed(1_000_001), trained_on)
    right, _ = answers(text)

    curve: list[dict] = []
    every = max(1, options.steps // 10)

    def validate(_: nn.Module) -> float:
        logits = model(text.to(device)).flatten(0, 1).cpu()
        loss = nn.functional.cross_entropy(logits, right.flatten(), ignore_index=NOTHING).item()
        curve.append({"step": every * (len(curve) + 1), "loss": loss})
        return loss

    fit(
        model, batches, steps=options.steps, loss=error, learning_rate=rate, seed=seed, progress=False,
        schedule=warmup_linear(min(30, options.steps // 10), options.steps, hold=0.5),
        validate=validate, validate_every=every,
    )  # fmt: skip
    model.eval()
    return model, curve


# ---- measures --------------------------------------------------------------------------------------


def asked_everywhere(n: int = TEST) -> tuple[Tensor, Tensor]:
    """One question a text, its fact at each place equally often: (n, CONTEXT + 4) and (n,)."""
    places = torch.arange(n) % SENTENCES
    return texts(n, torch.Generator().manual_seed(1_000_003), questions=1, places=places)


@torch.no_grad()
def right_answers(model: Reader, text: Tensor, **changed: Any) -> Tensor:
    """(n, 2) of bool: which of the two values of the only question the reader tells; ``changed`` goes to
    :meth:`Reader.look`.
    """
    logits, _ = model.look(text, need_weights=False, **changed)
    return logits[:, -WORDS:-1].argmax(dim=-1) == text[:, -WORDS + 1 :]


@torch.no_grad()
def right_fillers(model: Reader, text: Tensor, **changed: Any) -> float:
    """Share of right next fillers within a run."""
    _, filler = answers(text)
    logits, _ = model.look(text, need_weights=False, **changed)
    return (logits.argmax(dim=-1) == filler)[filler != NOTHING].float().mean().item()


def by_place(right: Tensor, place: Tensor) -> list[float]:
    """Share of right values with the fact at each sentence."""
    return [right[place == each].float().mean().item() for each in range(SENTENCES)]


def blind_for_the_middle(length: int, device: torch.device) -> Tensor:
    """A mask (length, length) of bool: the question may attend to the sentences at the ends and to itself."""
    seen = torch.ones(length, length, dtype=torch.bool, device=device)
    first, last = ENDS[1] + 1, ENDS[2]
    seen[CONTEXT:, 1 + first * WORDS : 1 + last * WORDS] = False
    return seen


def retrieval_scores(weights: list[Tensor], text: Tensor, place: Tensor, right: Tensor) -> Tensor:
    """Wu et al.'s score of each head, equation 1, (layers, heads): the share of copied symbols at which the
    head's largest weight stands on this symbol in the fact that is asked for.

    Parameters
    ----------
    weights : a (n, heads, length, length) for each layer
    text, place : (n, length), (n,)
    right : (n, 2) of bool
        Answers that are wrong are left out, as in the authors' code.
    """
    fact = 1 + place * WORDS + 1  # its first value
    whole = right.all(dim=1)
    scores = []
    for each in weights:
        largest = each[:, :, -WORDS:-1].argmax(dim=-1)  # (n, heads, 2): where each answer is taken from
        source = torch.stack([fact, fact + 1], dim=1).unsqueeze(1)
        inside = (largest >= source[..., :1]) & (largest <= source[..., -1:])  # in the fact that is asked for
        symbol = text.unsqueeze(1).expand(-1, largest.shape[1], -1).gather(2, largest)
        copied = inside & (symbol == text[:, -WORDS + 1 :].unsqueeze(1))
        scores.append(copied[whole].float().mean(dim=(0, 2)) if whole.any() else largest.new_zeros(HEADS))
    return torch.stack(scores)


@torch.no_grad()
def circuit_scores(model: Reader, device: torch.device) -> tuple[Tensor, Tensor]:
    """On texts that repeat themselves, each head's mean weight on the symbol before, and on what followed the
    present symbol earlier: (layers, heads) twice.
    """
    text, right = repeated(64, torch.Generator().manual_seed(1_000_005))
    asked = right != NOTHING
    _, looks = model.look(text.to(device))
    weights = torch.stack([each.cpu() for each in looks if each is not None])
    before = weights[..., 1:, :].diagonal(
        dim1=-2, dim2=-1
    )  # weights are (layers, n, heads, query, key): query t, key t - 1
    before = before.permute(0, 2, 1, 3)[..., asked[:, 1:]].mean(dim=-1)
    behind = text[:, :-1].unsqueeze(1) == text.unsqueeze(2)  # the symbol at j is like that at t
    prefix = (weights[..., 1:] * behind.unsqueeze(1)).sum(dim=-1)
    return before, prefix.permute(0, 2, 1, 3)[..., asked].mean(dim=-1)


@torch.no_grad()
def size_of_heads(model: Reader) -> Tensor:
    """(layers, heads): the Frobenius norm of each head's value matrix times its part of the output matrix."""
    rows = []
    layers: list[Any] = list(model.attentions)
    for attention in layers:
        value = attention.W_v.weight.unflatten(0, (model.n_heads, -1))  # (heads, d_head, d_model)
        output = attention.W_o.weight.unflatten(1, (model.n_heads, -1))  # (d_model, heads, d_head)
        rows.append(torch.einsum("ohd,hdi->hoi", output, value).flatten(1).norm(dim=1))
    return torch.stack(rows).cpu()


def alike(chosen: list[tuple[int, int]], size: Tensor) -> list[tuple[int, int]]:
    """For each chosen head another one, not chosen, whose size is nearest; none twice."""
    left = [(i, j) for i in range(size.shape[0]) for j in range(size.shape[1]) if (i, j) not in chosen]
    found = []
    for head in chosen:
        nearest = min(left, key=lambda other: abs(size[other] - size[head]).item())
        left.remove(nearest)
        found.append(nearest)
    return found


def without_heads(model: Reader, device: torch.device) -> dict[str, Any]:
    """The scores of all heads, and what is left when some are taken away."""
    text, place = asked_everywhere(TEST // 4)
    text, place = text.to(device), place.to(device)
    with torch.no_grad():
        _, looks = model.look(text)
    whole = right_answers(model, text)
    scores = retrieval_scores([each for each in looks if each is not None], text, place, whole).cpu()
    before, prefix = circuit_scores(model, device)
    size = size_of_heads(model)
    heads = [(i, j) for i in range(LAYERS) for j in range(HEADS)]

    def left(without: list[tuple[int, int]]) -> dict[str, float]:
        gone = tuple(without)
        return {
            "answers": right_answers(model, text, without=gone).float().mean().item(),
            "fillers": right_fillers(model, text, without=gone),
        }

    found: dict[str, Any] = {
        "whole": left([]),
        "score": scores.tolist(),
        "previous": before.tolist(),
        "prefix": prefix.tolist(),
        "size": size.tolist(),
        "without one": [[left([(i, j)])["answers"] for j in range(HEADS)] for i in range(LAYERS)],
    }
    order = sorted(heads, key=lambda head: -scores[head].item())
    for count in TAKEN:
        best = order[:count]
        rest = [head for head in heads if head not in best]
        same = [head for head in rest if head[0] == best[0][0]]
        found[f"without {count}"] = {
            "heads": [list(head) for head in best],
            "best": left(best),
            "others": [left(list(each))["answers"] for each in combinations(rest, count)],
            "others of its layer": [left(list(each))["answers"] for each in combinations(same, count)],
            "as large": left(alike(best, size)),
        }
    return found


# ---- the run ---------------------------------------------------------------------------------------


def trial(
    positions: str, trained_on: str, rate: float, seed: int, options: argparse.Namespace, device: torch.device
) -> dict[str, Any]:
    """Train and measure one reader, or take from the package's cache what was found before."""
    wanted = {
        "positions": positions, "trained on": trained_on, "rate": rate, "seed": seed, "steps": options.steps,
        "batch": options.batch, "device": device.type,
    }  # fmt: skip
    return kept(
        "retrieval_heads", wanted, lambda: measured(positions, trained_on, rate, seed, options, device)
    )


def measured(
    positions: str, trained_on: str, rate: float, seed: int, options: argparse.Namespace, device: torch.device
) -> dict[str, Any]:
    """Train and measure one reader; an infinite loss alone if it diverged."""
    try:
        model, curve = trained(positions, trained_on, rate, seed, options, device)
    except Diverged:
        return {"validation": math.inf}
    text, place = asked_everywhere()
    text, place = text.to(device), place.to(device)
    right = right_answers(model, text)
    blind = right_answers(model, text, mask=blind_for_the_middle(text.shape[1], device))
    found = {
        "validation": curve[-1]["loss"],
        "curve": curve,
        "answers": right.float().mean().item(),
        "fillers": right_fillers(model, text),
        "by place": by_place(right, place),
        "by place, blind for the middle": by_place(blind, place),
    }
    if trained_on == "anywhere" and positions in WITH_HEADS:
        found["heads"] = without_heads(model, device)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Every reader of one seed, at the rate that was best on seed 0 for its positions, asked anywhere.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 2, "batch")
    at_least(options, 10, "steps")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, Any] = {}
    for positions in POSITIONS:
        losses = {
            r: trial(positions, "anywhere", r, SEARCH_SEED, options, device)["validation"]
            for r in options.learning_rates
        }
        rate, tried = best_rate(losses)
        found[positions] = {"rate": rate, "rates tried": tried}
        for trained_on in TRAINED_ON:
            if trained_on == "mostly ends" and positions != "learned":
                continue  # the only ones that lose the middle with the ends alone
            found[positions][trained_on] = trial(positions, trained_on, rate, seed, options, device)
    return found
