"""How much does one fixed vector hold? Translators without attention, varied one thing at a time.

On phrasebook, by length of the source: vectors of 32 to 256 numbers, the source read backwards (Sutskever et
al. 2014, section 3.3), a second decoder layer, LSTM units. And on the task of the far-off answer
(:mod:`attnbook.data.upbringing`): plain, GRU and LSTM units by distance and distractor.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from attnbook.data import first_phrasebook as phrasebook
from attnbook.data import upbringing
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.experiments.options import at_least
from attnbook.nn import GRUEncoder, LSTMDecoder, LSTMEncoder, Seq2Seq
from attnbook.nn.stacked import StackedGRUDecoder
from attnbook.training.fit import fit
from attnbook.translation.metrics import bleu_by_length
from attnbook.translation.search import translate

ABOUT = "one fixed vector: BLEU by length, with its size, direction, layers and units varied"

SUBSET = "small"
BUCKETS = ((5, 8), (9, 12), (13, 16), (17, 20), (21, 30))
MODELS = (
    "GRU 32",
    "GRU 64",
    "GRU 128",
    "GRU 256",
    "GRU 128 reversed",
    "GRU 128 two layers",
    "LSTM 128",
    "LSTM 128 reversed",
)
UNITS = {"plain": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
FILLS = (0, 10, 20, 40, 80)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every model gets the same sentences, batches and steps."""
    add = parser.add_argument
    add("--steps", type=int, default=400, metavar="N", help="training steps of a translator (default 400)")
    add("--pairs", type=int, default=8000, metavar="N", help="training sentences (default 8000)")
    add("--test", type=int, default=100, metavar="N", help="test sentences a length bucket (default 100)")
    add("--task-steps", type=int, default=600, metavar="N", help="steps on the far-off answer (default 600)")


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """BLEU of each model by length, and accuracies on the far-off answer.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "pairs", "test", "task_steps")
    training, test = sentences(options.pairs, options.test)
    bleu, parameters = {}, {}
    for name in MODELS:
        model = build(name, seed).to(device)
        backwards = name.endswith("reversed")
        train(model, reversed_source(training) if backwards else training, options.steps, seed)
        bleu[name] = score(model, reversed_source(test) if backwards else test)
        parameters[name] = sum(parameter.numel() for parameter in model.parameters())
    accuracy = {}
    for name in UNITS:
        reader = train_reader(name, options.task_steps, seed, device)
        accuracy[name] = {
            kind: {str(fill): answers(reader, fill, kind)["right"] for fill in FILLS}
            for kind in upbringing.DISTRACTORS
        }
    return {"bleu": bleu, "parameters": parameters, "far-off answer": accuracy}


# ---- translation -------------------------------------------------------------------------------------


def sentences(pairs: int, test: int) -> tuple[list[phrasebook.Pair], list[phrasebook.Pair]]:
    """Training pairs of 5 to 20 words, and ``test`` others in each bucket of ``BUCKETS``."""
    training = phrasebook.sample(pairs, seed=0, subset=SUBSET, length=(5, 20), part="train")
    held_out = [phrasebook.sample(test, seed=1, subset=SUBSET, length=b, part="test") for b in BUCKETS]
    return training, [pair for bucket in held_out for pair in bucket]


def reversed_source(pairs: Sequence[phrasebook.Pair]) -> list[phrasebook.Pair]:
    """The same pairs with the source read backwards. Gold links no longer fit, so they are left out."""
    return [replace(pair, src=pair.src[::-1], alignment=None) for pair in pairs]


def vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Numbers of the English and of the French words."""
    english, french = phrasebook.vocabulary(SUBSET)
    return Vocabulary(english), Vocabulary(french)


def build(name: str, seed: int, d_embed: int = 64) -> Seq2Seq:
    """An untrained model by its name in ``MODELS``: unit, size of the vector, what is special about it."""
    torch.manual_seed(seed)
    n_src, n_tgt = (len(words) for words in vocabularies())
    unit, size = name.split()[0], int(name.split()[1])
    if unit == "LSTM":
        encoder = LSTMEncoder(n_src, d_embed, size)
        return Seq2Seq(encoder, LSTMDecoder(n_tgt, d_embed, size, encoder.d_memory))
    encoder = GRUEncoder(n_src, d_embed, size)
    layers = 2 if name.endswith("two layers") else 1
    return Seq2Seq(encoder, StackedGRUDecoder(n_tgt, d_embed, size, encoder.d_memory, layers))


def warm_up_and_down(steps: int) -> Callable[[int], float]:
    """A factor on the learning rate: up in a straight line for a tenth of the steps, then a cosine to 0."""

    def factor(step: int) -> float:
        up = max(1, steps // 10)
        if step < up:
            return (step + 1) / up
        return 0.5 * (1 + math.cos(math.pi * (step - up) / max(1, steps - up)))

    return factor


def train(model: nn.Module, pairs: Sequence[phrasebook.Pair], steps: int, seed: int):
    """Adam, batches of 64, gradients clipped to length 1. Returns the run's ``History``."""
    batches = Batches(pairs, *vocabularies(), batch_size=64, seed=seed)
    return fit(
        model, batches, steps=steps, learning_rate=5e-3, schedule=warm_up_and_down(steps), clip=1.0,
        seed=seed, progress=False,
    )  # fmt: skip


def score(model: nn.Module, pairs: Sequence[phrasebook.Pair]) -> dict[str, float]:
    """BLEU of greedy translations, by length of the source."""
    found = translate(model, [pair.src for pair in pairs], *vocabularies())
    return bleu_by_length(
        [words for words, _ in found],
        [pair.tgt for pair in pairs],
        [len(pair.src) for pair in pairs],
        BUCKETS,
    )


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
