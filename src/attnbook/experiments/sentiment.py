"""Does a learned query help to tell praise from complaint? Measured over many random splits.

``--data uci``: three models read the same sentences (3 x 1,000 from Amazon, Yelp and IMDb; Kotzias et al.,
KDD 2015): word vectors pooled with one learned query, the same vectors pooled with equal weights, and a
logistic regression on which words occur. Every seed draws a new split, new initial weights and a new order of
batches.

``--data reviews``: the first two read the generated reviews of :mod:`attnbook.data.reviews`, with several
numbers of examples, and with verdicts that *not* turns round.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from attnbook.data.corpora import fetch
from attnbook.data.reviews import as_tensors, reviews, vocabulary
from attnbook.experiments.options import at_least
from attnbook.experiments.pooled_classifier import Labelled, PooledClassifier, evaluate, fit, fit_plainly
from attnbook.extras import needs

ABOUT = "one learned query, equal weights and bag of words on sentences of praise and complaint"

SOURCES = ("amazon_cells", "yelp", "imdb")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
POOLINGS = (("learned query", True), ("equal weights", False))
EXAMPLES = (50, 100, 200, 800)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, sizes and steps; both poolings always get the same."""
    add = parser.add_argument
    add("--data", choices=("uci", "reviews"), default="uci", help="real sentences, or generated reviews")
    add("--d-model", type=int, default=32, metavar="D", help="numbers a word (default 32)")
    add("--epochs", type=int, default=12, metavar="N", help="uci: passes over the examples (default 12)")
    add("--batch", type=int, default=32, metavar="N", help="uci: examples a step (default 32)")
    add("--learning-rate", type=float, default=0.005, metavar="R", help="uci: Adam's (default 0.005)")
    add("--dropout", type=float, default=0.5, metavar="P", help="uci: on word vectors (default 0.5)")
    add("--spread", type=float, default=0.3, metavar="S", help="uci: of new word vectors (default 0.3)")
    add("--steps", type=int, default=300, metavar="N", help="reviews: training steps (default 300)")


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file."""
    return "sentiment" if options.data == "uci" else "sentiment_reviews"


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Test accuracies on one random split, or on one draw of generated reviews.

    Raises
    ------
    ValueError
        If a size or a step is out of range.
    """
    at_least(options, 1, "d_model", "epochs", "batch", "steps")
    if not 0 <= options.dropout < 1:
        raise ValueError(f"--dropout: expected a share from 0 to below 1, got {options.dropout}")
    for name in ("learning_rate", "spread"):
        if not getattr(options, name) > 0:
            raise ValueError(f"--{name.replace('_', '-')}: expected above 0, got {getattr(options, name)}")
    return (_uci if options.data == "uci" else _reviews)(options, seed, device)


@dataclass(frozen=True)
class Sentence:
    """A labelled sentence: its words in lower case, 1 for praise and 0 for complaint, and its source."""

    words: tuple[str, ...]
    label: int
    source: str


def load() -> list[Sentence]:
    """All 3,000 sentences, in the order of the files.

    Raises
    ------
    FileNotFoundError
        If the corpus is neither here nor to be downloaded.
    ValueError
        If a line does not end with a tab and a label.
    """
    folder = fetch("uci_sentiment")
    return [sentence for source in SOURCES for sentence in _read(folder / f"{source}_labelled.txt", source)]


def _read(path: Path, source: str) -> list[Sentence]:
    found = []
    # Not splitlines(): sentences hold characters that it takes for the end of a line.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        text, _, label = line.rstrip().rpartition("\t")
        if label not in ("0", "1"):
            raise ValueError(
                f"{path}, line {number}: expected a tab, then 0 or 1, at its end; fetch it again"
            )
        found.append(Sentence(words(text), int(label), source))
    return found


def words(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, in lower case, with their apostrophes."""
    return tuple(WORD.findall(text.lower().replace("’", "'")))


def split(sentences: Sequence, seed: int) -> tuple[list, list, list]:
    """Training (70 %), validation (10 %) and test (20 %), drawn at random from the seed."""
    order = torch.randperm(len(sentences), generator=torch.Generator().manual_seed(seed)).tolist()
    test, validation = len(order) // 5, len(order) // 5 + len(order) // 10
    shuffled = [sentences[position] for position in order]
    return shuffled[validation:], shuffled[test:validation], shuffled[:test]


def bag_of_words(training: Sequence[Sentence], test: Sequence[Sentence]) -> float:
    """Test accuracy of scikit-learn's logistic regression on which words occur, at its default strength."""
    with needs("experiments"):
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

    counter = CountVectorizer(binary=True, analyzer=lambda sentence: sentence.words)
    model = LogisticRegression(max_iter=1000)
    model.fit(counter.fit_transform(training), [sentence.label for sentence in training])
    return float(model.score(counter.transform(test), [sentence.label for sentence in test]))


def _tensors(texts: Sequence, numbers: dict[str, int], device: torch.device) -> Labelled:
    word_ids, mask = as_tensors([text.words for text in texts], numbers)
    labels = torch.tensor([float(text.label) for text in texts])
    return Labelled(word_ids.to(device), mask.to(device), labels.to(device))


def _uci(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    training, validation, test = split(load(), seed)
    numbers = vocabulary([sentence.words for sentence in training])
    parts = [_tensors(part, numbers, device) for part in (training, validation, test)]
    accuracy = {}
    for name, attends in POOLINGS:
        torch.manual_seed(seed)
        model = PooledClassifier(len(numbers), options.d_model, options.dropout, attends, options.spread)
        model.to(device)
        sizes = {"epochs": options.epochs, "batch": options.batch, "learning_rate": options.learning_rate}
        fit(model, parts[0], parts[1], **sizes)
        _, accuracy[name], weights = evaluate(model, parts[2])
        if attends:
            # How many equal shares the heaviest word of a sentence gets: 1 where nothing was learned.
            sharpness = (weights.amax(dim=1) * parts[2].mask.sum(dim=1)).mean().item()
    accuracy["bag of words"] = bag_of_words(training, test)
    accuracy["learned minus equal"] = accuracy["learned query"] - accuracy["equal weights"]
    return {"accuracy": accuracy, "heaviest word, in equal shares": sharpness}


def _reviews(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By number of training examples: accuracy, and how often the heaviest word is one that decides.

    Trains as the chapter does. Two more rows change one thing each: *not* turns half of the verdicts round
    ("negated"), and the word vectors begin small and get dropout, against learning by heart ("careful").
    """
    runs = [(str(examples), examples, 0.0, False) for examples in EXAMPLES]
    runs += [("800 negated", 800, 0.5, False), ("100 careful", 100, 0.0, True)]
    found: dict[str, dict] = {"accuracy": {}, "heaviest word decides": {}}
    for label, examples, negated, careful in runs:
        training = reviews(examples, seed=2 * seed, negated=negated)
        test = reviews(1000, seed=2 * seed + 1, negated=negated)
        numbers = vocabulary([review.words for review in training])
        for name, attends in POOLINGS:
            torch.manual_seed(seed)
            shape = {"dropout": 0.5, "spread": 0.1} if careful else {"dropout": 0.0, "spread": 1.0}
            model = PooledClassifier(len(numbers), options.d_model, attends=attends, **shape).to(device)
            fit_plainly(model, _tensors(training, numbers, device), steps=options.steps)
            _, accuracy, weights = evaluate(model, _tensors(test, numbers, device))
            found["accuracy"].setdefault(name, {})[label] = accuracy
            if attends:
                heaviest = weights.argmax(dim=1).tolist()
                hits = [row in review.deciding for row, review in zip(heaviest, test, strict=True)]
                found["heaviest word decides"][label] = sum(hits) / len(hits)
    return found
