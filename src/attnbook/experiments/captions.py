"""Does a captioner look where the thing is, and does looking help? Soft, hard and no attention.

On scenes of two handwritten digits (:mod:`attnbook.data.scenes`). All captioners read the same convolutional
network, trained beforehand on single digits and then frozen, as the paper froze its own (Xu et al. 2015,
section 4.3); one a seed. They differ in attention alone:

- soft; hard by REINFORCE with a moving baseline; hard with Xu's half-expected trick; none, with one fixed
  vector made from all places, and that with four times the steps;

Is the mask an explanation? Three more, at the learning rate of the soft one: soft over *wide* annotations,
of a deeper network, which see 18 × 18 of the 24 × 24 pixels in place of 10 × 10; and both networks with the
boxes *hidden*, in training as in the test, so that attention can look at the empty canvas only.

With ``--data FOLDER`` the same on pictures of your own (:mod:`attnbook.data.captioned`): there the
convolutional network is trained with the captioner, and no boxes are known.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Any

import torch

from attnbook.experiments import captioners, shipping
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.experiments.training_rule import checkpoint_path
from attnbook.nn import ConvAnnotations

ABOUT = "write captions with soft, hard or no attention: right captions, and the mask against the true boxes"

SOFT = "soft"
METHODS: dict[str, dict[str, Any]] = {
    SOFT: {},
    "hard": {"attention": "hard"},
    "hard, half expected": {"attention": "hard", "expected": 0.5},
    "no attention": {"attention": "none"},
    "no attention, longer": {"attention": "none"},
    "wide": {"deeper": 3},
    "hidden": {},
    "wide, hidden": {"deeper": 3},
}
# At the learning rate that was best for another
LIKE = {"no attention, longer": "no attention", "wide": SOFT, "hidden": SOFT, "wide, hidden": SOFT}
TIMES = {"no attention, longer": 4}  # as many steps
HIDDEN = ("hidden", "wide, hidden")
ON_PICTURES = (SOFT, "hard", "hard, half expected", "no attention")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, sizes and the rule of training; all captioners get the same."""
    add = parser.add_argument
    add("--data", type=Path, metavar="FOLDER", help="pictures and a captions.txt (default: scenes of digits)")
    add("--side", type=int, default=48, metavar="N", help="--data: pixels a side, even (default 48)")
    add("--at-least", type=int, default=1, metavar="N", help="--data: words seen so often (default 1)")
    add("--scenes", type=int, default=8000, metavar="N", help="training scenes (default 8000)")
    add("--validation", type=int, default=400, metavar="N", help="scenes to choose with (default 400)")
    add("--test", type=int, default=1000, metavar="N", help="test scenes (default 1000)")
    add("--digit-steps", type=int, default=600, metavar="N",
        help="steps on single digits, before (default 600)")  # fmt: skip
    add("--learning-rates", type=float, nargs="+", default=[1e-4, 3e-4, 1e-3, 3e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .0001 .0003 .001 .003)")  # fmt: skip
    add("--steps", type=int, default=1600, metavar="N", help="end there, flat or not (default 1600)")
    add("--validate-every", type=int, default=200, metavar="N", help="steps (default 200)")
    add("--patience", type=int, default=3, metavar="N", help="validations without progress (default 3)")
    # λ_r and λ_e as in the paper's released code, which divides the reward by ten
    add("--reinforce", type=float, default=0.1, metavar="L", help="hard: λ_r (default .1)")
    add("--penalty", type=float, default=0.0, metavar="L",
        help="λ of the doubly stochastic penalty (default 0)")  # fmt: skip
    add("--entropy", type=float, default=0.002, metavar="L", help="hard: λ_e (default .002)")


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file."""
    return "captions" if options.data is None else "captions_pictures"


def check(options: argparse.Namespace) -> None:
    """Refuse options that cannot be followed.

    Raises
    ------
    ValueError
        If a number is out of range; the sentence names the option.
    """
    least_one = ("scenes", "validation", "test", "digit_steps", "steps", "validate_every", "patience")
    at_least(options, 1, *least_one, "at_least")
    at_least(options, 4, "side")
    at_least(options, 0, "reinforce", "entropy", "penalty")
    if options.side % 2:
        raise ValueError(f"--side: expected an even number, got {options.side}")
    learning_rates_above_zero(options.learning_rates)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Each captioner's scores on the test examples.

    Raises
    ------
    ValueError
        If an option is out of range, or the folder cannot be read.
    """
    check(options)
    runs = Runs(options, device)
    numbers: dict[str, Any] = {}
    for name in METHODS if options.data is None else ON_PICTURES:
        model, training = runs.chosen(name, seed)
        seen = runs.seen(name, seed)["test"]
        numbers[name] = {
            **training,
            **captioners.in_words(model, seen, runs.corpus.test, runs.corpus.words, name in HIDDEN),
            "boxes": captioners.in_boxes(model, seen, runs.corpus.test, name in HIDDEN),
        }
        if options.data is None:
            numbers[name]["digits told apart"] = runs.encoder(name, seed)[1]
    return numbers


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> shipping.Trained:
    """The captioner with soft attention of this seed, to ship."""
    check(options)
    runs = Runs(options, device)
    model, _ = runs.chosen(SOFT, seed)

    def measure() -> dict[str, Any]:
        seen = runs.corpus.test.images  # with the rounded weights of the convolutional network, too
        scores = captioners.in_words(model, seen, runs.corpus.test, runs.corpus.words)
        boxes = captioners.in_boxes(model, seen, runs.corpus.test)
        return {
            **scores,
            **{key: boxes[key] for key in ("mass", "other", "pointing", "area") if key in boxes},
        }

    room = {"captions": -0.06, "words": -0.03}
    if options.data is None:
        room["mass"] = -0.1
    configuration = {**runs.corpus.configuration, **METHODS[SOFT]}
    return shipping.Trained("captioner", configuration, model, measure, room, {"caption": runs.corpus.words})


class Runs:
    """What the captioners of one command share: the examples, and one convolutional network a seed."""

    def __init__(self, options: argparse.Namespace, device: torch.device) -> None:
        self.options, self.device = options, device
        make = captioners.scene_corpus if options.data is None else captioners.folder_corpus
        self.corpus = make(options)
        self._annotated: tuple[Any, dict[str, torch.Tensor]] = (None, {})

    def chosen(self, name: str, seed: int):
        """The captioner of a method and a seed, and the numbers of its training."""
        rates = self.options.learning_rates
        if name in LIKE:
            rates = [self.chosen(LIKE[name], captioners.SEARCH_SEED)[1]["learning rate"]]
        return captioners.chosen(
            name,
            lambda: captioners.build(self.corpus, METHODS[name], self.encoder(name, seed)[0], self.device),
            lambda of_seed: self.seen(name, of_seed),
            self.corpus,
            self.options,
            seed,
            add_arguments,
            rates,
            name in HIDDEN,
            TIMES.get(name, 1),
        )

    @cache  # noqa: B019 - one object a command
    def encoder(self, name: str, seed: int) -> tuple[ConvAnnotations | None, float]:
        """The frozen network that a method reads, and its accuracy on single digits."""
        if self.options.data is not None:
            return None, 0.0
        shape = (METHODS[name].get("deeper", 1), METHODS[name].get("coordinates", True))
        path = checkpoint_path(self.options, seed, "captions_digits_{}_{}".format(*shape), add_arguments)

        def make() -> dict[str, Any]:
            steps = self.options.digit_steps
            encoder, accuracy = captioners.pretrained(*shape, steps, seed, self.device)
            return {"weights": encoder.state_dict(), "accuracy": accuracy}

        stored = captioners.kept(path, make)
        encoder = ConvAnnotations(deeper=shape[0], coordinates=shape[1]).to(self.device)
        encoder.load_state_dict(stored["weights"])
        return encoder.requires_grad_(False).eval(), stored["accuracy"]

    def seen(self, name: str, seed: int) -> dict[str, torch.Tensor]:
        """Part → what the captioner reads: annotations of the frozen network, or the pictures themselves."""
        parts = ("train", "validation", "test")
        examples = {part: getattr(self.corpus, part) for part in parts}
        encoder, _ = self.encoder(name, seed)
        if encoder is None:
            return {part: each.images for part, each in examples.items()}
        key = (METHODS[name].get("deeper", 1), seed)
        if self._annotated[0] != key:  # one set at a time: they are large
            self._annotated = (key, {})
            made = {part: captioners.annotated(encoder, each.images) for part, each in examples.items()}
            self._annotated = (key, made)
        return self._annotated[1]
