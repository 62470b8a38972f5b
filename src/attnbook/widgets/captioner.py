"""Captioner: a scene of two digits, a caption by a trained model, and where it looks for each word."""

import base64
import math
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.state import (
    Choice,
    Index,
    Integer,
    Listing,
    Number,
    Pair,
    Record,
    State,
    hidden_outcome,
)
from attnbook.widgets.trained import RunsModels

SIDE = 8  # of a digit's image, in pixels
CANVAS = 24
CELLS = CANVAS // 2  # an annotation stands for 2 × 2 pixels
MOST_WORDS = 8
MOST_DIGITS = 40
MODES = ("soft", "hard")
THIRDS = (("upper left", "top", "upper right"), ("left", "middle", "right"))
THIRDS += (("lower left", "bottom", "lower right"),)
ASKED = 1  # the word that the reader is asked about: the name of the first digit


class Captioner(RunsModels, PredictFirst):
    """Two handwritten digits on a canvas, and the captioner of chapter 6, which the page itself runs.

    Parameters
    ----------
    digits : (n, 8, 8)
        Images of single digits, ink from 0 to 1, which the reader chooses from; at most 40.
    labels : list of str
        What each shows, in the model's words: ``"three"``.
    pair : two int
        Which digits the scene holds at first.
    corners : two (row, column)
        Where the upper left corner of each stands, 0 to 16.
    model : str
        A shipped model of the architecture "captioner" with attention, for images of 24 × 24.
    mode : "soft" or "hard"
        Whether a word is made from the weighted mean of all places, or from one place drawn from the weights.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Notes
    -----
    JavaScript writes the same words as torch, and its weights differ by less than 1e-4, with the rounded
    numbers of the model's file on both sides.

    Attributes
    ----------
    pair, corners, mode : as above
    seed : int
        Of the draws of ``mode="hard"``, 0 to 999.
    forced : list of [word, place]
        Before that word (from 0) attention may look at the 3 × 3 places around ``place`` alone; places are
        counted row by row, 12 a row.
    word : int
        The word whose weights are in view.
    caption : list of str, read-only
    weights : (words, 144) lists, read-only
    prediction : dict or None
        ``{"place": [row, column]}``, the pixel where the reader expects the look before the second word;
        beside it stands ``share``, how much of the weight lies in the square of 8 × 8 pixels around it.
    score : float or None
        ``share``.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("Captioner.js")
    _css = bundle("Captioner.css")

    digits = traitlets.Unicode(help="Images of the digits, a byte a pixel; read-only.").tag(sync=True)
    labels = traitlets.List(traitlets.Unicode(), help="What they show; read-only.").tag(sync=True)
    pair = Mirror("the two digits, as numbers of images")
    corners = Mirror("[row, column] of each digit's upper left corner")
    mode = Mirror("soft or hard")
    seed = Mirror("of the draws of hard attention")
    forced = Mirror("[word, place] of each look that is forced")
    word = Mirror("the word whose weights are in view")
    caption = Mirror("the words; set pair, corners, mode or forced", derived=True)
    weights = Mirror("(words, 144); set pair, corners, mode or forced", derived=True)

    def __init__(
        self,
        digits,
        labels,
        pair=(0, 1),
        corners=((2, 4), (14, 11)),
        *,
        model="06_captioner",
        mode="soft",
        challenge="",
        predict=True,
        theme="auto",
    ):
        self._digits = _packed(digits)
        self._labels = values.words("labels", labels, len(self._digits))
        self._name = model
        self._loaded = None
        state = {
            "pair": list(pair),
            "corners": [list(corner) for corner in corners],
            "mode": mode,
            "seed": 0,
            "forced": [],
            "word": ASKED,
            **self._unpredicted(predict),
        }
        super().__init__(
            state,
            models=[model],
            challenge=challenge,
            theme=theme,
            digits=base64.b64encode(self._digits.tobytes()).decode(),
            labels=self._labels,
        )

    @traitlets.validate("digits", "labels")
    def _fixed(self, proposal):
        name = proposal["trait"].name
        own = base64.b64encode(self._digits.tobytes()).decode() if name == "digits" else self._labels
        if proposal["value"] != own:
            raise traitlets.TraitError(f"{name}: expected no assignment; make a new widget.")
        return proposal["value"]

    @property
    def image(self) -> np.ndarray:
        """The scene in view, (24, 24), ink from 0 to 1."""
        return self._scene(self.state)

    def _scene(self, state) -> np.ndarray:
        image = np.zeros((CANVAS, CANVAS), dtype=np.float32)
        for number, (row, column) in zip(state["pair"], state["corners"], strict=True):
            part = image[row : row + SIDE, column : column + SIDE]
            np.maximum(part, self._digits[number].astype(np.float32) / 255, out=part)
        return image

    def _declare(self):
        return State(
            pair=Listing(of=Index(of="digits"), length=2),
            corners=Listing(of=Pair(rows=CANVAS - SIDE + 1, columns=CANVAS - SIDE + 1), length=2),
            mode=Choice(options=MODES),
            seed=Integer(high=999),
            forced=Listing(
                of=Pair(rows=MOST_WORDS, columns=CELLS**2, first="word", second="place"), most=MOST_WORDS
            ),
            word=Integer(high=MOST_WORDS - 1),
            **hidden_outcome(
                Record(
                    optional=True,
                    asked_of_reader=("place",),
                    wanted='{"place": [row, column]}, a pixel of the scene',
                    parts={
                        "place": Pair(rows=CANVAS, columns=CANVAS),
                        "share": Number(low=0, high=1),
                    },
                )
            ),
        )

    def _sizes(self, state):
        return {"digits": len(self._digits)}

    def _edited(self, name, value, state):
        if name in ("pair", "corners"):
            # Another scene is another question; what was in view stays in view.
            return {**state, "prediction": None, "forced": [], name: values.plain(value)}
        return super()._edited(name, values.plain(value), state)

    def _completed(self, prediction, state):
        if "share" in prediction:
            return prediction
        place = self._part("place", prediction, state)
        share = inside(asked(self._numbers(state)), place)
        return {"place": place, "share": values.compact(share)}

    def _graded(self, prediction, state):
        return math.floor(prediction["share"] * 100 + 0.5) / 100

    def _compute(self, state):
        """The steps of the caption: (word, its probability, weights, the place that was drawn or None)."""
        import torch

        if self._loaded is None:
            from attnbook.models import load

            self._loaded = load(self._name)
        model: Any = self._loaded.model  # a captioner: it has encoder, start and step
        words = self._loaded.vocabularies["caption"]
        forced = dict(state["forced"])
        draws = list(islice(generator(state["seed"]), MOST_WORDS))
        steps = []
        with torch.no_grad():
            image = torch.from_numpy(self._scene(state))[None, None]
            now = model.start(model.encoder(image))
            token = torch.tensor([words.bos])
            while len(steps) < MOST_WORDS:
                now = replace(now, mask=_allowed(forced.get(len(steps))))
                logits, weights, after = model.step(token, now)
                place = None
                if state["mode"] == "hard":
                    place = drawn(weights[0].tolist(), draws[len(steps)])
                    logits, _, after = model.step(token, now, torch.tensor([place]))
                token, now = logits.argmax(-1), after
                if token == words.eos:
                    break
                share = logits.softmax(-1).max().item()
                steps.append((words.words[token], share, weights[0].tolist(), place))
        return steps

    def _derived(self, state):
        steps = self._numbers(state)
        return {
            "caption": [word for word, *_ in steps],
            "weights": [[values.compact(x) for x in weights] for _, _, weights, _ in steps],
        }

    def _sentence(self, state):
        if not state["revealed"]:
            return (
                "The caption and its looks are hidden: click where the model will look before it writes its "
                "second word, or skip."
            )
        steps = self._numbers(state)
        if not steps:
            return "The model writes no word about this scene."
        at = min(state["word"], len(steps) - 1)
        word, share, weights, place = steps[at]
        how = "draws" if place is not None else "looks most at"
        peak = weights.index(max(weights)) if place is None else place
        forced = ", where it was made to look" if at in dict(state["forced"]) else ""
        return (
            f"The model writes: {' '.join(one for one, *_ in steps)}. For “{word}”, with a probability of "
            f"{values.percent(share)}, it {how} the {third(peak)} of the scene{forced}."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        steps = self._numbers(self.state) if self.state["revealed"] else []
        at = min(self.state["word"], len(steps) - 1)
        figure = Figure(figsize=(6, 2.9))
        axes = figure.subplots(1, 2)
        for one in axes:
            one.imshow(self.image, cmap="gray_r", vmin=0, vmax=1.6, interpolation="nearest")
            one.set_xticks([])
            one.set_yticks([])
        axes[0].set_title("the scene", fontsize=9)
        if steps:
            word, _, weights, _ = steps[at]
            mask = np.array(weights).reshape(CELLS, CELLS).repeat(2, 0).repeat(2, 1)
            axes[1].imshow(
                mask, cmap="Blues", alpha=0.7 * np.sqrt(mask / mask.max()), interpolation="nearest"
            )
            axes[1].set_title(f"where it looks for “{word}”", fontsize=9)
        else:
            axes[1].set_title("where will it look?", fontsize=9)
            axes[1].text(11.5, 11.5, "?", ha="center", va="center", fontsize=24)
        figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.17, wspace=0.04)
        return figure


def _allowed(place):
    """(1, 1, places) of bool: True in the 3 × 3 places around ``place``; None for no place."""
    import torch

    if place is None:
        return None
    row, column = divmod(place, CELLS)
    near = torch.zeros(CELLS, CELLS, dtype=torch.bool)
    near[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
    return near.flatten()[None, None]


def drawn(weights, u: float) -> int:
    """The first place at which the weights, added up, exceed ``u``."""
    total = 0.0
    for place, weight in enumerate(weights):
        total += weight
        if total > u:
            return place
    return len(weights) - 1


def asked(steps) -> list[float]:
    """The weights of the word that is asked about; of the last one where the caption is shorter."""
    return steps[min(ASKED, len(steps) - 1)][2] if steps else [0.0] * CELLS**2


def inside(weights, place) -> float:
    """How much of the weight lies in the 8 × 8 pixels around a pixel."""
    top, left = ((i - 3) // 2 for i in place)
    rows = np.array(weights).reshape(CELLS, CELLS)
    return float(rows[max(0, top) : max(0, top + 4), max(0, left) : max(0, left + 4)].sum())


def third(place) -> str:
    """Where in the scene a place lies, in words."""
    row, column = divmod(place, CELLS)
    return THIRDS[3 * row // CELLS][3 * column // CELLS]


def _packed(digits) -> np.ndarray:
    """The images as bytes."""
    images = np.asarray(values.plain(digits), dtype=np.float64)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not 2 <= len(images) <= MOST_DIGITS:
        raise ValueError(
            f"digits: expected 2 to {MOST_DIGITS} images of {SIDE} × {SIDE}, got shape {images.shape}."
        )
    if not ((images >= 0) & (images <= 1)).all():
        raise ValueError(f"digits: expected ink from 0 to 1, got {images.min():.3g} to {images.max():.3g}.")
    return np.floor(images * 255 + 0.5).astype(np.uint8)
