"""Does a learned query help to tell praise from complaint? Measured over many random splits.

``--data uci``: three models read the same sentences (3 x 1,000 from Amazon, Yelp and IMDb; Kotzias et al.,
KDD 2015): word vectors pooled with one learned query, the same vectors pooled with equal weights, and a
logistic regression on which words occur. Every seed draws a new split, new initial weights and a new order of
batches.

``--data reviews``: the first two read the generated reviews of :mod:`attnbook.data.reviews`, with several
numbers of examples, and with verdicts that *not* turns round.

On equal terms: for every split, and for each model apart, learning rate and regularisation are those of one
small grid with the lowest validation loss, and training ends where the validation loss was lowest. The
strength of the logistic regression is chosen in the same way. Test sentences take part in no choice.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from attnbook.data.corpora import fetch
from attnbook.data.reviews import as_tensors, reviews, vocabulary
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.experiments.pooled_classifier import Labelled, PooledClassifier, evaluate, fit_together
from attnbook.extras import needs

ABOUT = "one learned query, equal weights and bag of words on sentences of praise and complaint"

SOURCES = ("amazon_cells", "yelp", "imdb")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
POOLINGS = (("learned query", True), ("equal weights", False))
EXAMPLES = (50, 100, 200, 800)
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of the logistic regression: C


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, sizes and steps; both poolings always get the same."""
    add = parser.add_argument
    add("--data", choices=("uci", "reviews"), default="uci", help="real sentences, or generated reviews")
    add("--d-model", type=int, default=32, metavar="D", help="numbers a word (default 32)")
    add(
        "--epochs",
        type=int,
        default=10,
        metavar="N",
        help="uci: passes over the examples at most (default 10)",
    )
    add("--batch", type=int, default=32, metavar="N", help="examples a step (default 32)")
    add("--learning-rates", type=float, nargs="+", default=[0.003, 0.01, 0.03, 0.1], metavar="R",
        help="Adam's; tried for each model and split (default .003 .01 .03 .1)")  # fmt: skip
    add("--dropout", type=float, default=0.5, metavar="P",
        help="on word vectors that begin small; the others begin at torch's size (default 0.5)")  # fmt: skip
    add("--steps", type=int, default=400, metavar="N", help="reviews: training steps at most (default 400)")


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
    learning_rates_above_zero(options.learning_rates)
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
    return [sentence for source in SOURCES for sentence in read(folder / f"{source}_labelled.txt", source)]


def read(path: Path, source: str, tokenise: Callable[[str], tuple[str, ...]] | None = None) -> list[Sentence]:
    """The sentences of one file; their words are found by :func:`words`, or by ``tokenise``.

    Raises
    ------
    ValueError
        If a line does not end with a tab and a label.
    """
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
        found.append(Sentence((tokenise or words)(text), int(label), source))
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


def bag_of_words(
    training: Sequence[Sentence], validation: Sequence[Sentence], test: Sequence[Sentence]
) -> list[bool]:
    """Which test sentences scikit-learn's logistic regression on which words occur gets right.

    Its strength of regularisation is the one of ``STRENGTHS`` with the lowest validation loss.
    """
    with needs("experiments"):
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss

    counter = CountVectorizer(binary=True, analyzer=lambda sentence: sentence.words)
    counts = counter.fit_transform(training)
    models = [
        LogisticRegression(C=strength, max_iter=2000).fit(counts, [each.label for each in training])
        for strength in STRENGTHS
    ]
    seen = counter.transform(validation)
    best = min(
        models, key=lambda model: log_loss([each.label for each in validation], model.predict_proba(seen))
    )
    guesses = best.predict(counter.transform(test))
    return [bool(guess == each.label) for guess, each in zip(guesses, test, strict=True)]


def _tensors(texts: Sequence, numbers: dict[str, int], device: torch.device) -> Labelled:
    word_ids, mask = as_tensors([text.words for text in texts], numbers)
    labels = torch.tensor([float(text.label) for text in texts])
    return Labelled(word_ids.to(device), mask.to(device), labels.to(device))


@dataclass(frozen=True)
class Trained:
    """One model of the grid.

    Attributes
    ----------
    right : list of bool
        Which test texts it gets right.
    weights : Tensor (texts, words)
        Where it attends in them.
    setting : dict
        Its learning rate, dropout and spread, and the step with the lowest validation loss.
    """

    right: list[bool]
    weights: torch.Tensor
    setting: dict[str, float]


def _best(
    parts: Sequence[Labelled], vocab: int, options: argparse.Namespace, seed: int, steps: int, every: int
) -> dict[str, Trained]:
    """For each pooling, the model with the lowest loss on the second part, of one a setting of the grid.

    All models of a grid begin with the same random numbers and see the same batches.
    """
    found: dict[str, list] = {name: [] for name, _ in POOLINGS}
    for dropout, spread in ((0.0, 1.0), (options.dropout, 0.1)):
        grid = [(name, attends, rate) for name, attends in POOLINGS for rate in options.learning_rates]
        models = []
        for _, attends, _ in grid:
            torch.manual_seed(seed)
            model = PooledClassifier(vocab, options.d_model, dropout, attends, spread)
            models.append(model.to(parts[0].labels.device))
        torch.manual_seed(seed)
        rates = [rate for _, _, rate in grid]
        best_steps = fit_together(
            models, rates, parts[0], parts[1], steps=steps, every=every, batch=options.batch
        )
        for (name, _, rate), model, step in zip(grid, models, best_steps, strict=True):
            setting = {"learning rate": rate, "dropout": dropout, "spread": spread, "best step": step}
            found[name].append((evaluate(model, parts[1])[0], len(found[name]), model, setting))
    chosen = {}
    for name, models in found.items():
        _, _, model, setting = min(models, key=lambda each: each[:2])
        right, weights = evaluate(model, parts[2])[1:]
        chosen[name] = Trained(right.tolist(), weights, setting)
    return chosen


def _uci(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    training, validation, test = split(load(), seed)
    numbers = vocabulary([sentence.words for sentence in training], at_least=2)
    parts = [_tensors(part, numbers, device) for part in (training, validation, test)]
    epoch = -(-len(training) // options.batch)
    trained = _best(parts, len(numbers), options, seed, options.epochs * epoch, epoch // 2)
    # How many equal shares the heaviest word of a sentence gets: 1 where nothing was learned.
    weights = trained["learned query"].weights
    sharpness = (weights.amax(dim=1) * parts[2].mask.sum(dim=1)).mean().item()
    right = {name: each.right for name, each in trained.items()}
    right["bag of words"] = bag_of_words(training, validation, test)
    accuracy = {name: sum(each) / len(each) for name, each in right.items()}
    accuracy["learned minus equal"] = accuracy["learned query"] - accuracy["equal weights"]
    pairs = list(zip(right["learned query"], right["equal weights"], strict=True))
    return {
        "accuracy": accuracy,
        "only the learned query": sum(learned and not equal for learned, equal in pairs),
        "only equal weights": sum(equal and not learned for learned, equal in pairs),
        "heaviest word, in equal shares": sharpness,
        "settings": {name: each.setting for name, each in trained.items()},
    }


def _reviews(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By number of training examples: accuracy, and how often the heaviest word is one that decides.

    In the last row ("negated") *not* turns half of the verdicts round. There are 500 reviews to choose
    settings on, and 1,000 to test.
    """
    runs = [(str(examples), examples, 0.0) for examples in EXAMPLES] + [("800 negated", 800, 0.5)]
    found: dict[str, dict] = {"accuracy": {}, "heaviest word decides": {}, "settings": {}}
    for label, examples, negated in runs:
        training, test, validation = (
            reviews(count, seed=3 * seed + part, negated=negated)
            for part, count in enumerate((examples, 1000, 500))
        )
        numbers = vocabulary([review.words for review in training])
        parts = [_tensors(part, numbers, device) for part in (training, validation, test)]
        for name, trained in _best(parts, len(numbers), options, seed, options.steps, 10).items():
            found["accuracy"].setdefault(name, {})[label] = sum(trained.right) / len(test)
            found["settings"].setdefault(name, {})[label] = trained.setting
            if name == "learned query":
                heaviest = trained.weights.argmax(dim=1).tolist()
                hits = [row in review.deciding for row, review in zip(heaviest, test, strict=True)]
                found["heaviest word decides"][label] = sum(hits) / len(hits)
    return found
