"""Headlines of reports with names that were never seen: written or copied.

Two decoders over the same encoder and the same attention: one writes words of its vocabulary, the
pointer-generator writes or copies (:class:`attnbook.nn.PointerGenerator`). Each gets the rate of the grid
with the lowest validation loss on seed 0, the same reports in the same order, and the same steps, at the end
of which the rate has fallen to 0. Both are trained on few reports and on many.

Two baselines need no copying layer. ``<unk> replaced`` is the writer whose every <unk> is replaced, after
training, by the word of the report that had the most weight. ``copy rule`` was written by hand by somebody
who knows the grammar: it takes over who, what and where, and the verb as it stands.
"""

from __future__ import annotations

import argparse
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.data.headlines import PARTS, ROLES, THINGS, VERBS, Report, known_words, reports
from attnbook.data.vocabulary import Vocabulary, pad
from attnbook.experiments.matrices import as_lines
from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate, trained
from attnbook.nn import AdditiveScore, Attention, PointerGenerator, final_distribution

ABOUT = "headlines with names never seen in training: a writer, and a pointer-generator that may copy"

NAMES = ("writer", "pointer-generator")
SLOTS = ("who", "verb", "what", "in", "where")  # of a headline
D = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every decoder gets the same reports, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[2e-3, 5e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .002 .005)")  # fmt: skip
    add("--steps", type=int, default=200, metavar="N", help="of each model (default 200)")
    add("--reports", type=int, nargs="+", default=[250, 8000], metavar="N",
        help="to train on, each number in turn (default 250 8000)")  # fmt: skip
    add("--tests", type=int, default=500, metavar="N", help="reports of each part (default 500)")


@cache
def vocabulary() -> Vocabulary:
    """What the decoders can write."""
    return Vocabulary(known_words())


def as_batch(given: list[Report]) -> dict[str, Any]:
    """Reports and headlines as numbers.

    Returns
    -------
    dict
        ``src`` (batch, src) with <unk> for unknown words and its ``mask``; ``extended`` (batch, src), where
        each unknown word of a report has a number behind the vocabulary; ``tgt`` (batch, 6), headline and
        <eos> in these numbers; ``size`` of the extended vocabulary; ``unknown``, the words behind it.
    """
    words = vocabulary()
    rows, tgt, unknown = [], [], []
    for report in given:
        new = list(dict.fromkeys(word for word in report.words if word not in words))
        number = words.numbers | {word: len(words) + place for place, word in enumerate(new)}
        rows.append([number[word] for word in report.words])
        tgt.append([*(number[word] for word in report.headline), words.eos])
        unknown.append(new)
    extended, mask = pad(rows)
    return {
        "extended": extended,
        "src": extended.masked_fill(extended >= len(words), words.unk),
        "mask": mask,
        "tgt": torch.tensor(tgt),
        "size": len(words) + max(map(len, unknown)),
        "unknown": unknown,
    }


class Summariser(nn.Module):
    """Bidirectional GRU, a GRU decoder that attends, and an output layer that can copy or not."""

    def __init__(self, kind: str, d: int = D):
        super().__init__()
        self.kind, self.vocab, self.d = kind, len(vocabulary()), d
        self.embedding = nn.Embedding(self.vocab, d)
        self.encoder = nn.GRU(d, d, batch_first=True, bidirectional=True)
        self.first = nn.Linear(2 * d, d)
        self.attention = Attention(AdditiveScore(d, 2 * d, d))
        self.rnn = nn.GRUCell(d + 2 * d, d)
        self.output = PointerGenerator(self.vocab, d, 2 * d, d)

    def start(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Annotations, the decoder's first state, and a context of zeros."""
        lengths = batch["mask"].sum(dim=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(batch["src"]), lengths, batch_first=True, enforce_sorted=False
        )
        memory, ends = self.encoder(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True)
        state = torch.tanh(self.first(ends.transpose(0, 1).flatten(1)))
        return memory, state, memory.new_zeros(len(memory), 2 * self.d)

    def step(self, token: Tensor, memory: Tensor, state: Tensor, context: Tensor, batch: dict[str, Any]):
        """One word further: probabilities, p_gen, weights, state, context."""
        known = token.masked_fill(token >= self.vocab, vocabulary().unk)
        word = self.embedding(known)
        state = self.rnn(torch.cat([word, context], dim=-1), state)
        context, weights = self.attention(state.unsqueeze(1), memory, memory, batch["mask"].unsqueeze(1))
        context, weights = context.squeeze(1), weights.squeeze(1)
        place = weights, batch["extended"], batch["size"]
        probabilities, p_gen = self.output(state, context, word, *place)
        if self.kind == "writer":  # the gate is held open
            p_gen = torch.ones_like(p_gen)
            hidden = self.output.hidden(torch.cat([state, context], dim=-1))
            generated = self.output.output(hidden).softmax(dim=-1)
            probabilities = final_distribution(generated, weights, p_gen, *place[1:])
        return probabilities, p_gen, weights, state, context

    def loss(self, batch: dict[str, Any]) -> Tensor:
        """Nats a word. To the writer an unknown word is <unk>."""
        memory, state, context = self.start(batch)
        right = batch["tgt"]
        if self.kind == "writer":
            right = right.masked_fill(right >= self.vocab, vocabulary().unk)
        token, losses = torch.full((len(right),), vocabulary().bos), []
        for wanted in right.unbind(dim=1):
            probabilities, _, _, state, context = self.step(token, memory, state, context, batch)
            likely = probabilities.gather(1, wanted.unsqueeze(1)).squeeze(1)
            losses.append(-(likely + 1e-8).log())
            token = wanted
        losses = torch.stack(losses, dim=1)
        return losses.mean()

    @torch.no_grad()
    def write(self, batch: dict[str, Any], steps: int = len(SLOTS)) -> tuple[Tensor, Tensor, Tensor]:
        """Numbers (batch, steps) of the likeliest words, p_gen, and weights (batch, steps, src)."""
        memory, state, context = self.start(batch)
        token = torch.full((len(memory),), vocabulary().bos)
        said, gates, where = [], [], []
        for _ in range(steps):
            probabilities, p_gen, weights, state, context = self.step(token, memory, state, context, batch)
            token = probabilities.argmax(dim=-1)
            said.append(token)
            gates.append(p_gen)
            where.append(weights)
        return torch.stack(said, dim=1), torch.stack(gates, dim=1), torch.stack(where, dim=1)


def in_words(said: Tensor, unknown: list[list[str]]) -> list[list[str]]:
    """Numbers of the extended vocabulary as words."""
    words = vocabulary()
    return [
        [words.words[number] if number < len(words) else new[number - len(words)] for number in row]
        for row, new in zip(said.tolist(), unknown, strict=True)
    ]


def replaced(said: list[list[str]], weights: Tensor, given: list[Report]) -> list[list[str]]:
    """Every <unk> by the word of the report that had the most weight when it was written."""
    top = weights.argmax(dim=-1).tolist()
    return [
        [report.words[place] if word == "<unk>" else word for word, place in zip(row, places, strict=True)]
        for row, places, report in zip(said, top, given, strict=True)
    ]


def copy_rule(report: Report) -> list[str]:
    """Who, what and where by rule, and the verb as the report has it."""
    words = report.words
    stop = words.index(".") + 1
    event = words[:stop] if set(words[:stop]) & set(THINGS) else words[stop:]
    forms = {form for pair in VERBS.values() for form in pair}
    role = next(place for place, word in enumerate(event) if word in ROLES)
    verb = next(word for word in event if word in forms)
    thing = next(word for word in event if word in THINGS)
    return [event[role + 1], verb, thing, "in", event[event.index("in") + 1]]


def scored(said: list[list[str]], given: list[Report]) -> dict[str, float]:
    """Shares of right words by slot, and of headlines that are wholly right."""
    pairs = [(row, list(report.headline)) for row, report in zip(said, given, strict=True)]
    found = {
        slot: sum(row[i] == right[i] for row, right in pairs) / len(pairs) for i, slot in enumerate(SLOTS)
    }
    return {
        **found,
        "headline": sum(row == right for row, right in pairs) / len(pairs),
        "n": float(len(pairs)),
    }


@cache
def training_reports(n: int) -> list[Report]:
    """The reports of all models."""
    return reports(n, seed=0)


def train(
    model: Summariser, options: argparse.Namespace, rate: float, seed: int, *, n: int
) -> list[list[float]]:
    """Train in place on the first ``n`` reports; the validations on the way."""
    given = training_reports(n)
    validation = as_batch(reports(500, seed=1))

    def batch(step: int) -> dict[str, Any]:
        rows = torch.randint(len(given), (32,), generator=torch.Generator().manual_seed(step)).tolist()
        return as_batch([given[row] for row in rows])

    return trained(
        model, batch, lambda m, each: m.loss(each), lambda m: m.loss(validation).item(),
        steps=options.steps, rate=rate, seed=seed,
    )  # fmt: skip


def summariser(
    kind: str, n: int, options: argparse.Namespace, seed: int
) -> tuple[Summariser, dict[str, Any]]:
    """One of the two, trained on ``n`` reports at its best rate, and how that was found."""
    key = {"kind": kind, "reports": n}
    return at_best_rate("copying", key, lambda: Summariser(kind), partial(train, n=n), options, seed)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Right words by slot for each decoder and baseline, with known names and with new ones.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    for n in options.reports:
        if n < 32:
            raise ValueError(f"--reports: expected numbers of at least 32, got {n}")
    at_least(options, 20, "steps")
    at_least(options, 1, "tests")
    tests = {part: reports(options.tests, 2, part) for part in PARTS[1:]}
    found: dict[str, dict] = {}
    for n in options.reports:
        found[str(n)] = {"right": {}, "p_gen": {}, "attended": {}, "runs": {}}
        for kind in NAMES:
            model, found[str(n)]["runs"][kind] = summariser(kind, n, options, seed)
            measure(model, tests, found[str(n)])
            if seed == 0:
                examples = {part: example(model, given[:3]) for part, given in tests.items()}
                found[str(n)].setdefault("examples", {})[kind] = examples
    found["copy rule"] = {
        part: scored([copy_rule(report) for report in given], given) for part, given in tests.items()
    }
    return found


def example(model: Summariser, given: list[Report]) -> list[dict[str, Any]]:
    """Reports, what is written of them, the gate, and the weights (5, words of the report)."""
    batch = as_batch(given)
    numbers, gates, weights = model.write(batch)
    return [
        {
            "report": " ".join(report.words),
            "headline": " ".join(report.headline),
            "said": " ".join(said),
            "p_gen": [round(gate, 2) for gate in gates[row].tolist()],
            "weights": as_lines(weights[row, :, : len(report.words)]),
        }
        for row, (report, said) in enumerate(zip(given, in_words(numbers, batch["unknown"]), strict=True))
    ]


def measure(model: Summariser, tests: dict[str, list[Report]], found: dict[str, dict]) -> None:
    """Enter what a model gets right, where it attends, and its gate."""
    kind = model.kind
    found["right"][kind], found["attended"][kind] = {}, {}
    for part, given in tests.items():
        batch = as_batch(given)
        numbers, gates, weights = model.write(batch)
        said = in_words(numbers, batch["unknown"])
        found["right"][kind][part] = scored(said, given)
        # what stands where it attends most, whatever it writes
        pointed = replaced([["<unk>"] * len(SLOTS)] * len(given), weights, given)
        found["attended"][kind][part] = scored(pointed, given)
        if kind == "writer":
            repaired = scored(replaced(said, weights, given), given)
            found["right"].setdefault("writer, <unk> replaced", {})[part] = repaired
        if kind == "pointer-generator":
            found["p_gen"][part] = dict(zip(SLOTS, gates.mean(dim=0).tolist(), strict=True))
