"""SaliencyScanpath: where a picture draws the eye, channel by channel, and where yours would go."""

import base64
import math

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.state import (
    Absent,
    Choice,
    Integer,
    Listing,
    Number,
    Pair,
    Record,
    State,
    Vector,
    hidden_outcome,
)

CHANNELS = ("intensity", "colour", "orientation")
FEATURES = ("intensity", "red-green", "blue-yellow", "0°", "45°", "90°", "135°")
CENTRES = (0, 1, 2)
LONGEST_SIDE = 128
MOST_PIXELS = 128 * 96
MOST_GAIN = 5
THIRDS = (("upper left", "top", "upper right"), ("left", "middle", "right"))
THIRDS += (("lower left", "bottom", "lower right"),)


class SaliencyScanpath(PredictFirst):
    """A photograph, its conspicuity maps, its saliency map, and the looks that follow from it.

    The numbers are those of :func:`attnbook.nn.saliency.itti_koch` with ``centres=(0, 1, 2)`` and
    ``deltas=(delta, delta + 1)`` on the picture at the widget's size, and of
    :func:`attnbook.nn.saliency.winner_take_all`.

    Parameters
    ----------
    images : dict from names to pictures
        Each (h, w, 3) or (h, w), whole numbers from 0 to 255 or fractions from 0 to 1. A picture is brought
        to at most 128 pixels a side and 128 · 96 in all, with an even number of rows and columns, and its
        colours are kept at half of that resolution: 1.5 bytes a pixel in the notebook. ``w.pixels`` is what
        is left.
    image : str, optional
        The name of the picture shown first.
    targets : dict, optional
        What somebody may look for, by name: ``{"red things": {"colour": [0.8, 0.1, 0.1]}, "upright things":
        {"feature_gains": {"90°": 4}}}``. Each may hold ``gains`` (three numbers: intensity, colour,
        orientation), ``feature_gains`` (by the names in "intensity", "red-green", "blue-yellow", "0°", "45°",
        "90°", "135°") and ``colour`` (red, green, blue from 0 to 1; the map is multiplied by
        1 + 4 · ``colour_match``).
    target : str, optional
        The name of the target shown first.
    fixations : int
        How many looks the model takes, 1 to 9, and at most how many the reader places.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    image, target : str
        ``target`` is None where nothing is looked for.
    gains : list of 3 numbers
        Of intensity, colour and orientation, 0 to 5.
    delta : int
        The surround is ``delta`` and ``delta + 1`` scales coarser than the centre: 1 to 4, in the paper 3.
    radius : float
        Of the inhibited disc, in pixels of ``w.pixels``; 1/6 of the shorter side to begin with.
    decay : float
        What is left of inhibition after each further look, 0 to 1.
    fixations : int
    pixels : (h, w, 3) array, read-only
    saliency : (h, w) lists, scanpath : list of [row, column], read-only
    prediction : dict or None
        ``{"places": [[row, column], …]}``; beside it stand how the model's map ranks these places (``auc``),
        how a map that knows only the middle ranks them (``centre``), how the map ranks the looks of the
        other pictures (``others``, None where there is one picture) and how many of the model's looks lie
        within ``radius`` of a place (``found``).
    score : float or None
        ``auc``: the share of all pixels that a place outranks, 0.5 by chance.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("SaliencyScanpath.js")
    _css = bundle("SaliencyScanpath.css")

    images = traitlets.Dict(help="Pictures at the widget's size; read-only.").tag(sync=True)
    targets = traitlets.Dict(help="What may be looked for; read-only.").tag(sync=True)
    image = Mirror("the name of the picture")
    target = Mirror("the name of what is looked for, or None")
    gains = Mirror("of intensity, colour and orientation")
    delta = Mirror("how many scales coarser the surround is")
    radius = Mirror("of the inhibited disc, in pixels")
    decay = Mirror("what is left of inhibition after each look")
    fixations = Mirror("how many looks")
    saliency = Mirror("(h, w); set image, gains, target or delta", derived=True)
    scanpath = Mirror("[row, column] of each look", derived=True)

    def __init__(
        self,
        images,
        image=None,
        *,
        targets=None,
        target=None,
        fixations=5,
        challenge="",
        predict=True,
        theme="auto",
    ):
        unpredicted = self._unpredicted(predict)
        if not isinstance(images, dict) or not images:
            raise ValueError(
                f"images: expected a dict from names to at least one picture, got {type(images).__name__}."
            )
        self._images = {key: _packed(f"images[{key!r}]", picture) for key, picture in images.items()}
        values.words("images", list(images))
        self._targets = _targets(targets)
        self._known = {}
        first = next(iter(images)) if image is None else image
        values.choice("image", first, tuple(images))
        state = {
            "image": first,
            "gains": [1.0, 1.0, 1.0],
            "target": target,
            "delta": 3,
            "radius": round(min(self._images[first]["w"], self._images[first]["h"]) / 6, 1),
            "decay": 1.0,
            "fixations": fixations,
            **unpredicted,
        }
        super().__init__(
            state,
            challenge=challenge,
            theme=theme,
            images=self._images,
            targets=self._targets,
        )

    @property
    def pixels(self) -> np.ndarray:
        """The picture that the model sees, (h, w, 3), 0 to 255."""
        return unpack(self._images[self.state["image"]])

    def compute(self):
        """The :class:`attnbook.nn.saliency.Saliency` of the picture and the gains in view, in float64."""
        return self._saliency(self.state["image"], self.state)

    @traitlets.validate("images", "targets")
    def _fixed(self, proposal):
        name = proposal["trait"].name
        if proposal["value"] != (self._images if name == "images" else self._targets):
            raise traitlets.TraitError(f"{name}: expected no assignment; make a new widget.")
        return proposal["value"]

    def _saliency(self, image, state):
        import torch

        from attnbook.nn import saliency

        target = self._targets.get(state["target"], {})
        gains = [a * b for a, b in zip(state["gains"], target.get("gains", (1, 1, 1)), strict=True)]
        key = (image, state["target"], state["delta"], *gains)
        if key not in self._known:
            if len(self._known) > 16:
                self._known.clear()
            picture = torch.from_numpy(unpack(self._images[image])).double() / 255
            colour = target.get("colour")
            match = None if colour is None else 1 + 4 * saliency.colour_match(picture, colour)
            self._known[key] = saliency.itti_koch(
                picture,
                centres=CENTRES,
                deltas=(state["delta"], state["delta"] + 1),
                gains=gains,
                feature_gains=target.get("feature_gains"),
                top_down=match,
            )
        return self._known[key]

    def _path(self, image, state) -> list[list[int]]:
        from attnbook.nn import saliency

        found = self._saliency(image, state)
        return saliency.winner_take_all(
            found.saliency, state["fixations"], state["radius"], state["decay"]
        ).tolist()

    def _declare(self):
        return State(
            image=Choice(options=tuple(self._images)),
            gains=Vector(length=3, low=0, high=MOST_GAIN, why=" (intensity, colour, orientation)"),
            target=Choice(options=tuple(self._targets), optional=True)
            if self._targets
            else Absent(why=", since this widget has no targets"),
            delta=Integer(low=1, high=4),
            radius=Number(low=1, high=LONGEST_SIDE),
            decay=Number(low=0, high=1),
            fixations=Integer(low=1, high=9),
            **hidden_outcome(
                Record(
                    optional=True,
                    asked_of_reader=("places",),
                    wanted='{"places": 1 to 9 pairs [row, column]}',
                    parts={
                        "places": Listing(of=Pair(rows="height", columns="width"), least=1, most=9),
                        "auc": Number(low=0, high=1),
                        "centre": Number(low=0, high=1),
                        "others": Number(low=0, high=1, optional=True),
                        "found": Integer(low=0, high=9),
                    },
                )
            ),
        )

    def _sizes(self, state):
        picture = self._images[state["image"]]
        return {"height": picture["h"], "width": picture["w"]}

    def _completed(self, prediction, state):
        """The reader's places beside what the model made of them when they were committed."""
        if "auc" in prediction:
            return prediction
        import torch

        from attnbook.vision.metrics import auc, centred_gaussian

        places = torch.tensor(self._part("places", prediction, state))
        found = self._numbers(state)
        h, w = found["saliency"].shape
        elsewhere = [
            place for name in self._images if name != state["image"] for place in self._path(name, state)
        ]
        elsewhere = torch.tensor([[min(r, h - 1), min(c, w - 1)] for r, c in elsewhere])
        near = [
            any(math.hypot(r - y, c - x) <= state["radius"] for y, x in places.tolist())
            for r, c in found["scanpath"]
        ]
        return {
            "places": places.tolist(),
            "auc": auc(found["saliency"], places),
            # Rounded, so that pixels equally near the middle tie, as they do in the page.
            "centre": auc(centred_gaussian(h, w).round(decimals=12), places),
            "others": auc(found["saliency"], elsewhere) if len(elsewhere) else None,
            "found": sum(near),
        }

    def _graded(self, prediction, state):
        return math.floor(prediction["auc"] * 100 + 0.5) / 100

    def _edited(self, name, value, state):
        if name == "image":
            # Another picture is another question; what was in view stays in view.
            return {**state, "prediction": None, "image": value}
        return super()._edited(name, value, state)

    def _compute(self, state):
        found = self._saliency(state["image"], state)
        return {"saliency": found.saliency, "scanpath": self._path(state["image"], state)}

    def _derived(self, state):
        found = self._numbers(state)
        return {
            "saliency": [[round(x, 6) for x in row] for row in found["saliency"].tolist()],
            "scanpath": found["scanpath"],
        }

    def _sentence(self, state):
        if not state["revealed"]:
            return "The model's looks are hidden: place your own on the photograph, or skip."
        looking = f", looking for {state['target']}" if state["target"] else ""
        path = self._numbers(state)["scanpath"]
        if not path:
            return f"On “{state['image']}”{looking} nothing stands out: with these gains the map is empty."
        picture = self._images[state["image"]]
        places = [third(place, picture["w"], picture["h"]) for place in path]
        rest = f"; then {', '.join(places[1:])}" if places[1:] else ""
        return (
            f"On “{state['image']}”{looking} the model looks first at the {places[0]}, where "
            f"{self._strongest(state, path[0])} is the strongest channel{rest}."
        )

    def _strongest(self, state, place) -> str:
        from attnbook.nn.saliency import normalise_map

        target = self._targets.get(state["target"], {})
        gains = zip(state["gains"], target.get("gains", (1, 1, 1)), strict=True)
        row, column = (i // 2 ** max(CENTRES) for i in place)
        maps = self._saliency(state["image"], state).conspicuity
        parts = [
            a * b * float(normalise_map(maps[channel])[row, column])
            for channel, (a, b) in zip(CHANNELS, gains, strict=True)
        ]
        return CHANNELS[int(np.argmax(parts))]

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        figure = Figure(figsize=(6, 2.5))
        left, right = figure.subplots(1, 2)
        # Fewer shades and whole pixels keep the picture small enough for a notebook.
        left.imshow(self.pixels // 16 * 17, interpolation="nearest")
        shown = ", the model's looks" if state["revealed"] else ""
        left.set_title(f"{state['image']}{shown}", fontsize=9)
        right.set_title("saliency map (brighter: more)", fontsize=9)
        if state["revealed"]:
            found = self._numbers(state)
            saliency = found["saliency"].numpy()
            shades = np.round(24 * saliency / max(saliency.max(), 1e-9))
            right.imshow(shades, cmap="gray", interpolation="nearest")
            path = found["scanpath"]
            left.plot([c for _, c in path], [r for r, _ in path], "-", color="white", lw=1)
            for number, (row, column) in enumerate(path, 1):
                circle = {"boxstyle": "circle", "fc": "white", "ec": "black"}
                left.text(column, row, str(number), ha="center", va="center", fontsize=8, bbox=circle)
        else:
            right.text(0.5, 0.5, "?", transform=right.transAxes, ha="center", va="center", fontsize=20)
        for axes in (left, right):
            axes.set_xticks([])
            axes.set_yticks([])
        figure.subplots_adjust(left=0.02, right=0.98, top=0.92, bottom=0.12, wspace=0.04)
        return figure


def third(place, w, h) -> str:
    """Where in the picture [row, column] lies, in words."""
    return THIRDS[min(2, 3 * place[0] // h)][min(2, 3 * place[1] // w)]


def _packed(name, picture) -> dict:
    """A picture at the widget's size: brightness a byte a pixel, two colour differences a byte for four."""
    import torch

    array = torch.as_tensor(picture.copy() if isinstance(picture, np.ndarray) else picture)
    if array.dim() == 2:
        array = array.unsqueeze(-1).expand(-1, -1, 3)
    if array.dim() != 3 or array.shape[-1] != 3 or min(array.shape[:2]) < 16:
        raise ValueError(
            f"{name}: expected a picture of shape (h, w, 3) or (h, w), at least 16 × 16, "
            f"got {tuple(array.shape)}."
        )
    array = array.double() if array.is_floating_point() else array.double() / 255
    if not bool(((array >= 0) & (array <= 1)).all()):
        raise ValueError(
            f"{name}: expected whole numbers from 0 to 255 or fractions from 0 to 1, "
            f"got {array.min():.3g} to {array.max():.3g}."
        )
    h, w = array.shape[:2]
    shrink = min(1, LONGEST_SIDE / max(h, w), math.sqrt(MOST_PIXELS / (h * w)))
    h, w = (max(16, 2 * math.floor(side * shrink / 2)) for side in (h, w))
    array = torch.nn.functional.interpolate(
        array.permute(2, 0, 1)[None], size=(h, w), mode="bilinear", antialias=True, align_corners=False
    )
    r, g, b = (array[0].clamp(0, 1) * 255).numpy()
    y = 0.299 * r + 0.587 * g + 0.114 * b
    halves = [
        (part.reshape(h // 2, 2, w // 2, 2).mean((1, 3)) + 128) for part in ((b - y) / 1.772, (r - y) / 1.402)
    ]
    parts = [np.clip(np.floor(part + 0.5), 0, 255).astype(np.uint8) for part in (y, *halves)]
    data = b"".join(part.tobytes() for part in parts)
    return {"w": w, "h": h, "data": base64.b64encode(data).decode()}


def unpack(packed) -> np.ndarray:
    """A packed picture as (h, w, 3) bytes, exactly as js/saliency_scanpath.js unpacks it."""
    w, h = packed["w"], packed["h"]
    data = np.frombuffer(base64.b64decode(packed["data"]), dtype=np.uint8).astype(np.float64)
    y = data[: w * h].reshape(h, w)
    blue, red = (
        part.reshape(h // 2, w // 2).repeat(2, 0).repeat(2, 1) - 128 for part in np.split(data[w * h :], 2)
    )
    parts = (y + 1.402 * red, y - 0.344 * blue - 0.714 * red, y + 1.772 * blue)
    return np.clip(np.floor(np.stack(parts, -1) + 0.5), 0, 255).astype(np.uint8)


def _targets(given) -> dict:
    """What may be looked for, checked; an empty dict for None."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValueError(f"targets: expected a dict from names to gains, got {given!r}.")
    values.words("targets", list(given))
    out = {}
    for name, target in given.items():
        allowed = {"gains", "feature_gains", "colour"}
        if not isinstance(target, dict) or not target or not set(target) <= allowed:
            raise ValueError(
                f"targets[{name!r}]: expected a dict with some of {sorted(allowed)}, got {target!r}."
            )
        out[name] = {}
        if "gains" in target:
            gains = values.vector(f"targets[{name!r}] gains", target["gains"], 3)
            out[name]["gains"] = [values.number(f"targets[{name!r}] gains", x, 0, MOST_GAIN) for x in gains]
        if "feature_gains" in target:
            features = target["feature_gains"]
            if not isinstance(features, dict) or not set(features) <= set(FEATURES):
                raise ValueError(
                    f"targets[{name!r}] feature_gains: expected names among {FEATURES}, got {features!r}."
                )
            out[name]["feature_gains"] = {
                key: values.number(f"targets[{name!r}] {key}", x, 0, 100) for key, x in features.items()
            }
        if "colour" in target:
            colour = values.vector(f"targets[{name!r}] colour", target["colour"], 3)
            out[name]["colour"] = [values.number(f"targets[{name!r}] colour", x, 0, 1) for x in colour]
    return out
