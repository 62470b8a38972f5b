"""What the heads of a small trained model do: named by a rule, switched off, averaged.

The model is :class:`attnbook.nn.MaskedWordModel`; the sentences come as probes
(:mod:`attnbook.data.hidden_words`), in which every word is hidden once.

A *role* says, for a place in a sentence, which places a head of that name would look at: "previous word",
"verb → subject". A head's *hits* are the share of places at which its largest weight falls on such a place. A
name is given only if the lower end of their interval passes a bar that chance and plain distance do not
reach, see :func:`bars`; the rule follows Voita et al. 2019, https://arxiv.org/abs/1905.09418, sections 5.1
to 5.3, with other thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.data.hidden_words import MASK, Probe
from attnbook.data.vocabulary import Vocabulary
from attnbook.nn import MaskedWordModel
from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.multi_head import merge_heads, split_heads

Roles = dict[str, dict[int, set[int]]]
POSITIONAL = ("previous word", "next word", "itself", "start marker", "last word")


# ---- roles -----------------------------------------------------------------------------------------


def roles(
    words: Sequence[str],
    frequency: Mapping[str, int] | None = None,
    relations: Mapping[str, Mapping[int, int]] | None = None,
) -> Roles:
    """For each role, place by place, which places it means. The start marker is at 0, words are from 1 on.

    Parameters
    ----------
    words : sequence of str
        Without the start marker.
    frequency : mapping, optional
        How often each word comes in training; with it there is the role "rarest word": the other word that
        comes least often (several, if they tie).
    relations : mapping, optional
        What :func:`attnbook.data.phrasebook.relations.relations` found, counted from 0.

    Returns
    -------
    dict
        role → place → places. A place at which the role means nothing is left out: the first word has no
        previous word.
    """
    n = len(words)
    places = range(1, n + 1)
    found: Roles = {
        "previous word": {p: {p - 1} for p in places if p > 1},
        "next word": {p: {p + 1} for p in places if p < n},
        "itself": {p: {p} for p in places},
        "start marker": {p: {0} for p in places},
        "last word": {p: {n} for p in places if p < n},
        "same word": {},
    }
    for p in places:
        twins = {q for q in places if q != p and words[q - 1] == words[p - 1]}
        if twins:
            found["same word"][p] = twins
    if frequency is not None and n > 1:
        found["rarest word"] = {}
        for p in places:
            others = [q for q in places if q != p]
            least = min(frequency.get(words[q - 1], 0) for q in others)
            found["rarest word"][p] = {q for q in others if frequency.get(words[q - 1], 0) == least}
    for name, pairs in (relations or {}).items():
        found[name] = {p + 1: {q + 1} for p, q in pairs.items()}
    return found


def targets(probes: Iterable[Probe], meant: Sequence[Roles], names: Sequence[str]) -> dict[str, list[Tensor]]:
    """For each role one (rows, length) tensor of bool a probe: the places that the role means for the probed.

    Parameters
    ----------
    probes : iterable of Probe
    meant : sequence
        The roles of each sentence that the probes were made of, in that order.
    names : sequence of str
        Roles; a row is all False where the probed place has no such role.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    for probe in probes:
        for name in names:
            found[name].append(torch.zeros(probe.tokens.shape, dtype=torch.bool))
        for row, (sentence, place) in enumerate(
            zip(probe.sentence.tolist(), probe.place.tolist(), strict=True)
        ):
            for name in names:
                for goal in meant[sentence].get(name, {}).get(place, ()):
                    found[name][-1][row, goal] = True
    return found


@torch.no_grad()
def hits(
    model: nn.Module,
    probes: Sequence[Probe],
    goals: Mapping[str, Sequence[Tensor]],
    visible: bool = False,
) -> dict[str, Tensor]:
    """Share of places at which each head's largest weight falls where the role says.

    Parameters
    ----------
    model : MaskedWordModel
        Any model that returns (logits, weights (batch, n_layers, n_heads, length, length)).
    probes : sequence of Probe
    goals : dict
        What :func:`targets` made of the same probes.
    visible : bool
        Ask from the word itself, as Voita and others do, and not from the "<mask>" that hides it. A model
        that only ever names hidden words has no use for the rows of visible words in its last layer.

    Returns
    -------
    dict
        role → (n_layers, n_heads); NaN where no place has that role.
    """
    model.eval()
    device = next(model.parameters()).device
    count: dict[str, Tensor] = {}
    for i, probe in enumerate(probes):
        rows = torch.arange(len(probe.place))
        tokens = probe.tokens.clone()
        if visible:
            tokens[rows, probe.place] = probe.answers
        _, weights = model(tokens.to(device))
        looks = weights.cpu()[rows, :, :, probe.place].argmax(dim=-1)  # (rows, n_layers, n_heads)
        for name, each in goals.items():
            hit = each[i].gather(1, looks.flatten(1)).view_as(looks)
            count[name] = count.get(name, 0) + hit.sum(dim=0)
    total = places(goals)
    return {name: count[name] / total[name] if total[name] else count[name] * torch.nan for name in goals}


def places(goals: Mapping[str, Sequence[Tensor]]) -> dict[str, int]:
    """role → how many places have it: the n of its hits."""
    return {name: sum(int(goal.any(dim=1).sum()) for goal in each) for name, each in goals.items()}


def interval(share: float, n: int) -> tuple[float, float]:
    """The interval of 95 % around a share of ``n`` independent cases (Wilson 1927); (0, 1) for none.

    >>> low, high = interval(0.95, 200)
    >>> round(low, 2), round(high, 2)
    (0.91, 0.97)
    """
    if n < 1:
        return 0.0, 1.0
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def best_distance(probes: Iterable[Probe], meant: Sequence[Roles], role: str) -> tuple[int, float]:
    """The one distance that meets a role most often, and how often: (1, .9) says "the next word, in 90 %"."""
    counts: dict[int, int] = {}
    total = 0
    for probe in probes:
        for sentence, place in zip(probe.sentence.tolist(), probe.place.tolist(), strict=True):
            goals = meant[sentence].get(role, {}).get(place, ())
            total += bool(goals)
            for goal in goals:
                counts[goal - place] = counts.get(goal - place, 0) + 1
    if not total:
        return 0, float("nan")
    distance = max(counts, key=lambda d: (counts[d], -abs(d)))
    return distance, counts[distance] / total


# ---- names -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeadName:
    """A head's name, with the evidence.

    Attributes
    ----------
    layer, head : int
        Counted from 0.
    name : str
        A role, or "no name".
    hits : float
        Share of places at which the head does what the role says; for "no name" that of the closest role.
    low : float
        The lower end of the interval of these hits.
    bar : float
        What the lower end had to pass.
    closest : str
        The role by which the head was named, or would have been with the smallest lack.
    """

    layer: int
    head: int
    name: str
    hits: float
    low: float
    bar: float
    closest: str


def bars(
    names: Sequence[str],
    untrained: Sequence[Mapping[str, Tensor]],
    distances: Mapping[str, float],
    least: float = 0.5,
    lead: float = 0.1,
) -> dict[str, float]:
    """What a head's hits have to pass to earn each name.

    The highest of three: ``least``; the best head of any of the untrained models; and, for a role that is not
    itself a distance, what the best single distance would hit, plus ``lead``. A bar of 1 or more cannot be
    passed: on these sentences the role and a distance are too nearly the same to be told apart.
    """
    found = {}
    for name in names:
        bar = max([least, *(float(each[name].nan_to_num(0).max()) for each in untrained)])
        if name not in POSITIONAL:
            bar = max(bar, distances.get(name, 0.0) + lead)
        found[name] = bar
    return found


def name_heads(
    measured: Mapping[str, Tensor], bar: Mapping[str, float], n: Mapping[str, int]
) -> list[HeadName]:
    """Give each head the role by which its hits pass the bar by most, or "no name".

    Parameters
    ----------
    measured : dict
        role → (n_layers, n_heads), what :func:`hits` found.
    bar : dict
        What :func:`bars` gave. Roles whose bar cannot be passed are left out.
    n : dict
        role → how many places the hits are a share of, see :func:`places`.
    """
    any_role = next(iter(measured.values()))
    found = []
    for layer in range(any_role.shape[0]):
        for head in range(any_role.shape[1]):
            rate = {name: float(measured[name][layer, head]) for name in measured if bar[name] < 1}
            low = {name: interval(share, n[name])[0] for name, share in rate.items() if n[name]}
            closest = max(low, key=lambda name: low[name] - bar[name])
            name = closest if low[closest] > bar[closest] else "no name"
            found.append(HeadName(layer, head, name, rate[closest], low[closest], bar[closest], closest))
    return found


# ---- switching off, averaging ----------------------------------------------------------------------


@dataclass
class Change:
    """What to change inside a model while it runs; the model itself stays as it is.

    Attributes
    ----------
    off : set of (layer, head)
        Heads that are switched off.
    means : (n_layers, n_heads, 2, d_head), optional
        What a head that is switched off says instead: its mean for visible words [0] and for hidden ones [1].
        Left out: zeros.
    averaged : set of int
        Layers in which every head uses the mean of the heads' weights, with its own values.
    """

    off: set[tuple[int, int]] = field(default_factory=set)
    means: Tensor | None = None
    averaged: set[int] = field(default_factory=set)


def run(
    model: MaskedWordModel, tokens: Tensor, hidden: Tensor, change: Change | None = None
) -> tuple[Tensor, list[Tensor]]:
    """The model's forward pass with a change inside, and what each head found.

    Parameters
    ----------
    tokens : (batch, length) of int
    hidden : (batch, length) of bool
        Where a word is hidden.
    change : Change, optional

    Returns
    -------
    x : (batch, length, d_model)
        What the output layer would get.
    found : list of (batch, n_heads, length, d_head), one a layer
    """
    change = change or Change()
    x = model.positions(model.embedding(tokens))
    found = []
    for index, layer in enumerate(model.layers):
        q, k, v = (split_heads(project(x), layer.n_heads) for project in (layer.W_q, layer.W_k, layer.W_v))
        heads, weights = scaled_dot_product_attention(q, k, v)  # (batch, n_heads, length, d_head)
        if index in change.averaged:
            heads = weights.mean(dim=1, keepdim=True) @ v
        found.append(heads)
        for head in sorted(head for where, head in change.off if where == index):
            heads = heads.clone()
            if change.means is None:
                heads[:, head] = 0.0
            else:
                visible, out_of_sight = change.means[index, head].to(heads)
                heads[:, head] = torch.where(hidden.unsqueeze(-1), out_of_sight, visible)
        x = x + layer.W_o(merge_heads(heads))
    return x, found


@torch.no_grad()
def loss(model: MaskedWordModel, probes: Iterable[Probe], change: Change | None = None) -> float:
    """Mean loss over all hidden words (nats a word)."""
    return _score(model, probes, change)[0]


@torch.no_grad()
def accuracy(model: MaskedWordModel, probes: Iterable[Probe], change: Change | None = None) -> float:
    """Share of hidden words that the model names."""
    return _score(model, probes, change)[1]


def _score(model, probes, change) -> tuple[float, float]:
    model.eval()
    device = next(model.parameters()).device
    lost = right = total = 0
    for probe in probes:
        probe = probe.to(device)
        rows = torch.arange(len(probe.place), device=device)
        hidden = torch.zeros_like(probe.tokens, dtype=torch.bool)
        hidden[rows, probe.place] = True
        x, _ = run(model, probe.tokens, hidden, change)
        logits = model.output(x[rows, probe.place])  # (rows, vocab)
        lost += float(F.cross_entropy(logits, probe.answers, reduction="sum"))
        right += int((logits.argmax(dim=-1) == probe.answers).sum())
        total += len(rows)
    return lost / total, right / total


@torch.no_grad()
def mean_outputs(model: MaskedWordModel, probes: Iterable[Probe]) -> Tensor:
    """What each head says on average for visible and for hidden words: (n_layers, n_heads, 2, d_head)."""
    device = next(model.parameters()).device
    total, count = None, torch.zeros(2)
    for probe in probes:
        tokens = probe.tokens.to(device)
        hidden = torch.zeros(tokens.shape, dtype=torch.bool, device=device)
        hidden[torch.arange(len(tokens)), probe.place.to(device)] = True
        _, found = run(model, tokens, hidden)
        heads = torch.stack(found)  # (n_layers, batch, n_heads, length, d_head)
        parts = torch.stack(
            [torch.einsum("lbhnd,bn->lhd", heads, chosen.to(heads)) for chosen in (~hidden, hidden)], dim=2
        )
        total = parts if total is None else total + parts
        count += torch.tensor([float((~hidden).sum()), float(hidden.sum())])
    return (total / count.to(total)[:, None]).cpu()


@torch.no_grad()
def weight_on_start(model: nn.Module, probes: Iterable[Probe]) -> Tensor:
    """Each head's mean weight on the start marker, over visible and hidden words: (n_layers, n_heads)."""
    model.eval()
    device = next(model.parameters()).device
    total, count = torch.zeros(()), 0
    for probe in probes:
        _, weights = model(probe.tokens.to(device))  # (rows, n_layers, n_heads, length, length)
        total = total + weights[..., 1:, 0].sum(dim=(0, 3)).cpu()
        count += len(probe.tokens) * (probe.tokens.shape[1] - 1)
    return total / count


def costs(
    model: MaskedWordModel, probes: Sequence[Probe], means: Tensor | None = None
) -> dict[tuple[int, int], float]:
    """How much the loss rises when each head alone is switched off (nats a word)."""
    whole = loss(model, probes)
    return {
        (layer, head): loss(model, probes, Change({(layer, head)}, means)) - whole
        for layer, module in enumerate(model.layers)
        for head in range(module.n_heads)
    }


def switch_off_greedily(
    model: MaskedWordModel, probes: Sequence[Probe], means: Tensor | None = None
) -> list[tuple[tuple[int, int], float]]:
    """Switch off head after head, each time the one that costs least; the loss after each step."""
    left = {(layer, head) for layer, module in enumerate(model.layers) for head in range(module.n_heads)}
    off: set[tuple[int, int]] = set()
    path = []
    while left:
        trials = {each: loss(model, probes, Change(off | {each}, means)) for each in sorted(left)}
        least = min(trials, key=trials.get)
        off.add(least)
        left.remove(least)
        path.append((least, trials[least]))
    return path


def hidden_loss(model: MaskedWordModel, batch) -> Tensor:
    """The training loss: over the hidden words of a batch, nats a word."""
    x, _ = model.read(batch.tokens, batch.mask)
    return F.cross_entropy(model.output(x[batch.hidden]), batch.answers)


def masked_vocabulary(words: Iterable[str]) -> Vocabulary:
    """A vocabulary of these words with "<mask>" before them."""
    return Vocabulary([MASK, *words])
