"""How much does one fixed vector hold? Translators without attention, varied one thing at a time.

All have the same encoder and decoder of 64 numbers; the vector between them passes through a layer of 8
to 64 numbers, so that only its room differs, hardly the number of weights. Others read the source backwards
(Sutskever et al. 2014, section 3.3), or have a second decoder layer or LSTM units. All are trained by the
rule of :mod:`attnbook.experiments.training_rule`. Beside them the task of the far-off answer
(:mod:`attnbook.data.upbringing`): plain, GRU and LSTM units by distance and distractor, what they answer and
what a linear probe reads off the same state. And what a linear probe reads off the vector of the translator
that ships, :mod:`attnbook.models` "03_fixed_vector", by length of the sentence and place of the word.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attnbook import models
from attnbook.data import phrasebook, upbringing
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import collate
from attnbook.experiments import training_rule, translators
from attnbook.experiments.options import at_least
from attnbook.nn import DecoderState, GRUEncoder, LSTMEncoder, Seq2Seq
from attnbook.training.fit import fit

ABOUT = "one fixed vector: BLEU by length, with its size, direction, layers and units varied"

SIZE = 64  # numbers in each state
D_EMBED = 64
UNITS = {"plain": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
ENCODERS = {"GRU": GRUEncoder, "LSTM": LSTMEncoder}
FILLS = (0, 10, 20, 40, 80)


@dataclass(frozen=True)
class Variant:
    """A translator with one fixed vector.

    Attributes
    ----------
    unit : "GRU" or "LSTM"
    room : int or None
        Numbers that the vector has to pass through; None: all of it passes.
    layers : int
        Of the decoder.
    backwards : bool
        Whether the source is read from its last word to its first.
    """

    unit: str = "GRU"
    room: int | None = None
    layers: int = 1
    backwards: bool = False


ROOMS = {f"room {room}": Variant(room=room) for room in (8, 16, 32, 64)}
OTHERS = {
    "plain order": Variant(),
    "backwards": Variant(backwards=True),
    "two layers": Variant(layers=2),
    "LSTM": Variant(unit="LSTM"),
}
FAMILIES = {"rooms": ROOMS, "others": OTHERS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which models; the corpus and the rule of training are those of all translators."""
    add = parser.add_argument
    add("--family", choices=(*FAMILIES, "far-off", "probe"), default="rooms",
        help="the vector's room (default), other machines, the far-off answer, or a probe")  # fmt: skip
    add("--task-steps", type=int, default=600, metavar="N", help="steps on the far-off answer (default 600)")
    translators.add_corpus_arguments(parser)
    training_rule.add_training_arguments(parser)


def result_name(options: argparse.Namespace) -> str:
    """The stem of the results file, such as bottleneck_rooms."""
    return f"bottleneck_{options.family}"


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Every number about each model of the family, or accuracies on the far-off answer.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "pairs", "test_pairs", "task_steps")
    if options.family == "far-off":
        return {name: far_off(name, options.task_steps, seed, device) for name in UNITS}
    if options.family == "probe":
        return probe_places(seed, options.pairs, options.test_pairs)
    data = translators.corpus(options)
    return {
        name: translated(name, variant, data, options, seed, device)
        for name, variant in FAMILIES[options.family].items()
    }


# ---- translation -------------------------------------------------------------------------------------


class NarrowEncoder(GRUEncoder):
    """A GRUEncoder whose last state passes through fewer numbers: c = W_up W_down h_S.

    The decoder gets as many numbers as ever, but they depend on ``room`` numbers alone.
    """

    def __init__(self, vocab: int, d_embed: int, d_hidden: int, room: int):
        super().__init__(vocab, d_embed, d_hidden)
        self.down = nn.Linear(d_hidden, room, bias=False)
        self.up = nn.Linear(room, d_hidden, bias=False)

    def forward(self, src: Tensor, src_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As GRUEncoder's, with the narrowed vector in the place of the last state."""
        memory, ends = super().forward(src, src_mask)
        return memory, self.up(self.down(ends))


class FixedVectorDecoder(nn.Module):
    """A decoder of one or several layers of GRUs or LSTMs that reads the fixed vector at every step.

    The equations of :class:`attnbook.nn.stacked.StackedGRUDecoder`, in torch's own recurrent module, which
    trains several times as fast.

    Parameters
    ----------
    vocab, d_embed, d_hidden, d_memory : int
    unit : "GRU" or "LSTM"
    layers : int
    """

    def __init__(
        self, vocab: int, d_embed: int, d_hidden: int, d_memory: int, unit: str = "GRU", layers: int = 1
    ):
        super().__init__()
        self.d_hidden, self.d_memory, self.layers = d_hidden, d_memory, layers
        self.embedding = nn.Embedding(vocab, d_embed)
        self.rnn = UNITS[unit](d_embed + d_memory, d_hidden, num_layers=layers, batch_first=True)
        self.output = nn.Linear(d_hidden, vocab)

    def start(
        self, memory: Tensor, summary: Tensor, hidden: Tensor, mask: Tensor | None = None
    ) -> DecoderState:
        """The state before the first word; every layer starts from s_0, an LSTM's cells from zero."""
        if mask is None:
            mask = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        first = (hidden,) * self.layers
        if isinstance(self.rnn, nn.LSTM):
            first += (torch.zeros_like(hidden),) * self.layers
        return DecoderState(first, None, memory, summary, mask, None)

    def step(self, token: Tensor, state: DecoderState) -> tuple[Tensor, None, DecoderState]:
        """One word further: token (batch,) to logits (batch, vocab), no weights, and the next state."""
        logits, hidden = self._read(token.unsqueeze(1), state)
        return logits[:, 0], None, replace(state, hidden=hidden, position=state.position + 1)

    def forward(self, tgt: Tensor, state: DecoderState) -> tuple[Tensor, None]:
        """Teacher forcing: tgt (batch, tgt) to logits (batch, tgt, vocab)."""
        return self._read(tgt, state)[0], None

    def _read(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, tuple[Tensor, ...]]:
        fixed = state.summary.unsqueeze(1).expand(-1, tokens.shape[1], -1)
        read = torch.cat([self.embedding(tokens), fixed], dim=-1)  # (batch, tgt, d_embed + d_memory)
        before = torch.stack(state.hidden)  # (layers, batch, d_hidden), an LSTM's cells behind them
        if isinstance(self.rnn, nn.LSTM):
            top, after = self.rnn(read, tuple(before.chunk(2)))
            after = torch.cat(after)
        else:
            top, after = self.rnn(read, before)
        return self.output(top), after.unbind(0)


def build(variant: Variant, n_src: int, n_tgt: int) -> Seq2Seq:
    """The untrained translator."""
    if variant.room is None:
        encoder = ENCODERS[variant.unit](n_src, D_EMBED, SIZE)
    else:
        encoder = NarrowEncoder(n_src, D_EMBED, SIZE, variant.room)
    decoder = FixedVectorDecoder(n_tgt, D_EMBED, SIZE, SIZE, variant.unit, variant.layers)
    return Seq2Seq(encoder, decoder)  # pyright: ignore[reportArgumentType]


def translated(
    name: str, variant: Variant, data: translators.Corpus, options, seed: int, device
) -> dict[str, Any]:
    """Train one model by the rule, and measure it on the test pairs."""
    if variant.backwards:
        data = replace(
            data,
            train=backwards(data.train),
            validation=backwards(data.validation),
            test=backwards(data.test),
        )
    method = training_rule.Method(f"bottleneck_{name.replace(' ', '-')}", partial(build, variant), {})
    model, numbers = training_rule.chosen(method, data, options, seed, device, add_arguments)
    numbers |= translators.measure(model, data, options, None)
    return numbers | {"parameters": sum(parameter.numel() for parameter in model.parameters())}


def backwards(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs with the source read backwards. Gold links no longer fit, so they are left out."""
    return [replace(pair, src=pair.src[::-1], alignment=None) for pair in pairs]


# ---- the far-off answer ------------------------------------------------------------------------------


class Reader(nn.Module):
    """Reads a sentence into one vector, and names a language from it.

    Parameters
    ----------
    unit : "plain", "GRU" or "LSTM"
    size : int
        Numbers in a word's vector and in the state.
    """

    def __init__(self, unit: str, size: int = 32):
        super().__init__()
        self.numbers = {word: number for number, word in enumerate(upbringing.vocabulary(), start=1)}
        self.embedding = nn.Embedding(len(self.numbers) + 1, size)
        self.rnn = UNITS[unit](size, size, batch_first=True)
        self.output = nn.Linear(size, len(upbringing.LANGUAGES))

    def forward(self, words: Tensor) -> Tensor:
        """Token numbers (batch, words), padded in front, to logits (batch, languages)."""
        states, _ = self.rnn(self.embedding(words))  # (batch, words, size)
        return self.output(states[:, -1])

    def encode(self, examples: Sequence[upbringing.Upbringing]) -> tuple[Tensor, Tensor]:
        """Token numbers (batch, words), padded in front so that all end together, and right languages."""
        longest = max(len(example.words) for example in examples)
        rows = [[self.numbers[word] for word in example.words] for example in examples]
        words = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
        right = torch.tensor([upbringing.LANGUAGES.index(example.language) for example in examples])
        device = self.output.weight.device
        return words.to(device), right.to(device)


def train_reader(unit: str, steps: int, seed: int, device: torch.device, most_fill: int = 6) -> Reader:
    """A reader trained on sentences with at most ``most_fill`` words between place and question."""
    torch.manual_seed(seed)
    reader = Reader(unit).to(device)
    examples = upbringing.sample(32 * steps, seed=seed, fill=(0, most_fill))
    batches = [reader.encode(examples[start : start + 32]) for start in range(0, len(examples), 32)]
    fit(
        reader, batches, steps=steps, learning_rate=2e-3, seed=seed, progress=False,
        loss=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]),
    )  # fmt: skip
    return reader.eval()


@torch.no_grad()
def answers(reader: Reader, fill: int, distractor: str, n: int = 200) -> dict[str, float]:
    """Share of right answers, and share that name the distractor's language, on ``n`` new sentences."""
    examples = upbringing.sample(n, seed=1_000_003, fill=(fill, fill), distractor=distractor)
    words, right = reader.encode(examples)
    said = reader(words).argmax(dim=-1)
    named = [upbringing.LANGUAGES[number] for number in said.tolist()]
    fooled = sum(name == example.distractor for name, example in zip(named, examples, strict=True))
    return {"right": (said == right).float().mean().item(), "distractor": fooled / n}


def far_off(unit: str, steps: int, seed: int, device: torch.device) -> dict[str, dict]:
    """By distractor and distance: what the reader answers, and what a probe reads off the same state."""
    reader = train_reader(unit, steps, seed, device)
    return {
        kind: {
            str(fill): answers(reader, fill, kind) | {"probe": probed(reader, fill, kind)} for fill in FILLS
        }
        for kind in upbringing.DISTRACTORS
    }


@torch.no_grad()
def probed(reader: Reader, fill: int, distractor: str, n: int = 2000, penalty: float = 1.0) -> float:
    """Share of ``n`` // 2 new sentences whose language a linear probe reads off the frozen last state.

    The probe is fitted by least squares, with a penalty on its weights, to the other half of the sentences.
    """
    examples = upbringing.sample(n, seed=2_000_003, fill=(fill, fill), distractor=distractor)
    words, right = reader.encode(examples)
    states = reader.rnn(reader.embedding(words))[0][:, -1]  # (n, size)
    return linear_probe(states, right, len(upbringing.LANGUAGES), penalty)


def linear_probe(states: Tensor, labels: Tensor, n_labels: int, penalty: float = 1.0) -> float:
    """Share of right labels on the second half, of a linear map fitted by ridge regression to the first.

    Parameters
    ----------
    states : (n, d)
    labels : (n,) of int
    n_labels : int
    penalty : float
        On the squared weights, once the states have mean 0 and spread 1.
    """
    half = len(states) // 2
    states = states.double()
    mean, spread = states[:half].mean(dim=0), states[:half].std(dim=0) + 1e-6
    states = (states - mean) / spread
    wanted = nn.functional.one_hot(labels[:half], n_labels).double()
    offset = wanted.mean(dim=0)
    squares = states[:half].T @ states[:half] + penalty * torch.eye(states.shape[1], dtype=states.dtype)
    weights = torch.linalg.solve(squares, states[:half].T @ (wanted - offset))
    said = (states[half:] @ weights + offset).argmax(dim=-1)
    return (said == labels[half:]).double().mean().item()


# ---- what the vector of the translator holds ------------------------------------------------------------


def probe_places(seed: int, pairs: int, test_pairs: int) -> dict[str, Any]:
    """Which word stands at a place: what a probe reads off the vector, and what the decoder writes.

    By length of the sentence and place of the word, counted from 1, the share of right words

    - of a linear probe on the vector of the trained encoder ("trained");
    - of the same probe on an encoder before training ("untrained"), on the counts of the words ("bag of
      words"), and on the trained vectors with the sentences' answers exchanged ("shuffled");
    - of the decoder at the French word with a sure link to this word, fed with the right French words before
      it ("decoder"), and the same with the vector of another sentence ("decoder, other vector").

    Another seed is another sample of sentences and another untrained encoder. The trained model is one.
    """
    shipped = models.load("03_fixed_vector", "cpu")
    src, tgt = shipped.src, shipped.tgt
    torch.manual_seed(seed)
    untrained = models.build(shipped.architecture, shipped.configuration, shipped.vocabularies)
    fitted = phrasebook.sample(pairs, 100 + seed, "small", (2, max(PROBED_LENGTHS)), "train")
    each = max(1, test_pairs // len(PROBED_LENGTHS))
    tests = {n: phrasebook.sample(each, 200 + seed, "small", (n, n), "test") for n in PROBED_LENGTHS}
    found: dict[str, Any] = {}
    for kind, features in {
        "trained": partial(vectors, shipped.model, src, tgt),
        "untrained": partial(vectors, untrained, src, tgt),
        "bag of words": partial(bags, src),
    }.items():
        known = features(fitted)
        asked = {n: features(sentences) for n, sentences in tests.items()}
        for place in PROBED_PLACES:
            rows = [row for row, pair in enumerate(fitted) if len(pair.src) >= place]
            words = torch.tensor([src.encode(fitted[row].src)[place - 1] for row in rows])
            probe = softmax_probe(known[rows], words, len(src))
            # the same probe, fitted to the words of other sentences: what it finds where there is nothing
            blind = None
            if kind == "trained":
                blind = softmax_probe(known[rows], words[torch.randperm(len(words))], len(src))
            for n, sentences in tests.items():
                if n < place:
                    continue
                right = torch.tensor([src.encode(pair.src)[place - 1] for pair in sentences])
                cell = found.setdefault(str(n), {}).setdefault(str(place), {})
                cell[kind] = (probe(asked[n]) == right).double().mean().item()
                if blind is not None:
                    cell["shuffled"] = (blind(asked[n]) == right).double().mean().item()
    for n, sentences in tests.items():
        for kind, other in (("decoder", False), ("decoder, other vector", True)):
            written = decoder_at_links(shipped.model, sentences, src, tgt, other)
            for place in PROBED_PLACES:
                if place <= n:
                    found[str(n)][str(place)][kind] = written[place - 1]
    return found | {"sentences": {"fitted": len(fitted), "asked a length": each}}


PROBED_LENGTHS = (5, 8, 12, 16, 20)
PROBED_PLACES = (1, 2, 3, 5, 8, 11, 15, 19)


@torch.no_grad()
def vectors(model, src, tgt, pairs: Sequence[Pair]) -> Tensor:
    """The fixed vectors (n, d_memory) of sentences."""
    found = []
    for start in range(0, len(pairs), 500):
        batch = collate(pairs[start : start + 500], src, tgt)
        found.append(model.start(batch.src, batch.src_mask).summary)
    return torch.cat(found)


def bags(src, pairs: Sequence[Pair]) -> Tensor:
    """How often each word stands in each sentence (n, words)."""
    rows = torch.zeros(len(pairs), len(src))
    for row, pair in zip(rows, pairs, strict=True):
        numbers = torch.tensor(src.encode(pair.src))
        row.scatter_add_(0, numbers, torch.ones(len(numbers)))
    return rows


def softmax_probe(states: Tensor, labels: Tensor, n_labels: int, rounds: int = 50):
    """A linear map and a softmax, fitted to states (n, d) and labels (n,) by L-BFGS; returns its answers."""
    mean, spread = states.mean(dim=0), states.std(dim=0) + 1e-6
    scaled = (states - mean) / spread
    layer = nn.Linear(states.shape[1], n_labels)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=rounds, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(layer(scaled), labels) + 1e-4 * layer.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)

    @torch.no_grad()
    def answers_of(others: Tensor) -> Tensor:
        return layer((others - mean) / spread).argmax(dim=-1)

    return answers_of


@torch.no_grad()
def decoder_at_links(model, pairs: Sequence[Pair], src, tgt, other: bool) -> list[float]:
    """For each place of the source, the share of its sure French words that the decoder writes.

    It is fed with the right words. With ``other`` it starts from the next sentence's vector, so that the
    right words before are all it knows.
    """
    batch = collate(pairs, src, tgt)
    state = model.start(batch.src, batch.src_mask)
    if other:
        state = state.select(torch.arange(len(pairs)).roll(1))
    logits, _ = model.decoder(batch.tgt[:, :-1], state)
    written = logits.argmax(dim=-1)
    right, all_of = [0] * batch.src.shape[1], [0] * batch.src.shape[1]
    for row, pair in enumerate(pairs):
        for s, t, kind in pair.alignment or ():
            if kind == "S":
                all_of[s] += 1
                right[s] += int(written[row, t] == batch.tgt[row, t + 1])
    return [a / max(1, b) for a, b in zip(right, all_of, strict=True)]
