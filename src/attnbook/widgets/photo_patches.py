"""PhotoPatches: a photograph cut into patches; one asks, and all answer by what a patch knows of itself."""

import base64
import io
import math
from typing import Any

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.patch_explorer import named
from attnbook.widgets.state import Choice, Index, Number, State, guess, hidden_outcome

MOST_BYTES = 40_000  # of the photograph as JPEG
MOST_SHARPNESS = 64
UNIT = 10_000  # a vector's numbers, from -1 to 1, travel as whole numbers of two bytes
MOST_CANDIDATES = 9
LETTERS = "ABCDEFGHI"
KNOWS = {"colour": "By colour", "edges": "By edges", "place": "By place", "all": "By all three"}


class PhotoPatches(HasContent, PredictFirst):
    """Attention over the patches of a photograph without anything learned: a patch's descriptor is its query
    and its key.

    The reader predicts which of a few marked patches the framed one weighs most by colour. Then any patch
    asks, by colour, edges, place or all three, and the weights ``softmax(β q·k / √d)`` are drawn over the
    photograph.

    Parameters
    ----------
    photo : (h, w, 3)
        Whole numbers from 0 to 255.
    patch_size : int
        Side of a patch in pixels; divides both sides of the photograph.
    candidates : list of int
        2 to 9 patches, counted row by row from 0, among which the reader predicts.
    asks : int
        The patch that asks first, which the prediction is about; none of the candidates.
    alt : str
        What the photograph shows, for those who do not see it.
    sharpness : float
        β, from 0 to 64: what the scores are multiplied by.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    asks : int
        The patch that asks.
    knows : "colour", "edges", "place" or "all"
        What a patch knows of itself (:func:`attnbook.vision.descriptors.patch_descriptors`).
    sharpness : float
    weights : list, read-only
        Of all patches, for the one that asks.
    prediction : dict or None
        ``{"choice": index among the candidates, "share": 0 to 1}``: the candidate with the largest weight by
        colour, and this weight; once made also ``"answer"`` and ``"actual"``.
    score : float or None
        Half for the right patch, half for how near the weight was.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("PhotoPatches.js")
    _css = bundle("PhotoPatches.css")

    content = traitlets.Dict(help="The photograph and its patches' descriptors; read-only.").tag(sync=True)
    asks = Mirror("the patch that asks, row by row from 0")
    knows = Mirror("colour, edges, place or all")
    sharpness = Mirror("β: what the scores are multiplied by")
    weights = Mirror("of all patches; set asks, knows or sharpness", derived=True)

    def __init__(
        self, photo, patch_size, candidates, *, asks, alt,
        sharpness=16, challenge="", predict=True, theme="auto",
    ):  # fmt: skip
        import torch

        from attnbook.vision.descriptors import means, patch_descriptors

        self._pixels = pixels = _bytes(photo)
        try:
            found = patch_descriptors(pixels.double() / 255, patch_size)
        except TypeError as error:
            raise ValueError(str(error)) from None
        # As they travel, in whole ten-thousandths: what both sides compute with is the same.
        packed = found["all"].mul(UNIT).round().to(torch.int16)
        self._vectors = packed.double() / UNIT
        colours = means(pixels.double(), patch_size).round().to(torch.uint8)
        rows, columns = (side // patch_size for side in pixels.shape[:2])
        count = rows * columns
        sharpness = values.number("sharpness", sharpness, 0, MOST_SHARPNESS)
        question = {"asks": asks, "knows": "colour", "sharpness": sharpness}
        self._content = {
            "photo": "data:image/jpeg;base64," + _base64(_jpeg(pixels)),
            "alt": values.words("alt", [alt])[0],
            "rows": rows,
            "columns": columns,
            "vectors": _base64(packed.numpy().astype("<i2").tobytes()),
            "unit": UNIT,
            "parts": _parts(found),
            "colours": _base64(colours.numpy().tobytes()),
            "first": asks,
            "question": question,
            "candidates": _candidates(candidates, count, asks),
        }
        state = {**question, **self._unpredicted(predict)}
        super().__init__(state, challenge=challenge, theme=theme, content=self._content)

    def _declare(self):
        return State(
            asks=Index(of=len(self._vectors)),
            knows=Choice(options=tuple(KNOWS)),
            sharpness=Number(low=0, high=MOST_SHARPNESS),
            **hidden_outcome(guess(len(self._content["candidates"]))),
        )

    def _weigh(self, state):
        """Weights of all patches, (N,), by :func:`attnbook.nn.scaled_dot_product_attention`, in float64."""
        from attnbook.nn import scaled_dot_product_attention

        key = self._vectors[:, slice(*self._content["parts"][state["knows"]][1])]  # (N, d)
        scale = state["sharpness"] / math.sqrt(key.shape[1])
        query = key[state["asks"]].unsqueeze(0)
        return scaled_dot_product_attention(query, key, key, scale=scale)[1][0]

    def _compute(self, state):
        return {"weights": self._weigh(state), "asked": self._weigh(self._content["question"])}

    def _derived(self, state):
        return {"weights": [round(x, 9) for x in self._numbers(state)["weights"].tolist()]}

    def _options(self, state):
        columns = self._content["columns"]
        return [
            f"{LETTERS[i]}: {named(patch, columns)}" for i, patch in enumerate(self._content["candidates"])
        ]

    def _outcome(self, state):
        of_candidates = self._numbers(state)["asked"][self._content["candidates"]]
        best = int(of_candidates.argmax())
        return best, values.compact(float(of_candidates[best]))

    def _sentence(self, state):
        columns = self._content["columns"]
        if not state["revealed"]:
            return (
                f"Outcome hidden: predict which of {len(self._content['candidates'])} marked patches weighs "
                f"most when {named(self._content['first'], columns)} asks by colour, or skip."
            )
        weights, asks = self._numbers(state)["weights"].tolist(), state["asks"]
        best = _others(weights, asks)[0]
        return (
            f"{KNOWS[state['knows']]}, {named(asks, columns)} gives itself {_tenths(weights[asks])}; of the "
            f"others {named(best, columns)} weighs most, {_tenths(weights[best])}. "
            f"Even weights would be {_tenths(1 / len(weights))}."
        )

    def _figure(self):
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        state, content = self.state, self._content
        rows, columns = content["rows"], content["columns"]
        # Fewer pixels and shades keep the picture small enough for a notebook.
        photo = self._pixels[::2, ::2].numpy() // 16 * 17
        figure = Figure(figsize=(6.4, 3.5))
        left, right = figure.subplots(1, 2)
        asks = state["asks"] if state["revealed"] else content["first"]
        weights = self._numbers(state)["weights"].numpy()
        ranked = _others(weights.tolist(), asks)[:5]
        for axes in (left, right):
            axes.imshow(photo, interpolation="nearest", extent=(0, columns, rows, 0))
            axes.set_xticks(range(columns + 1), labels=[])
            axes.set_yticks(range(rows + 1), labels=[])
            axes.tick_params(length=0)
            axes.grid(color="white", alpha=0.4, lw=0.4)
            y, x = divmod(asks, columns)
            axes.add_patch(Rectangle((x, y), 1, 1, fill=False, ec="black", lw=3.5))
            axes.add_patch(Rectangle((x, y), 1, 1, fill=False, ec="#ffd54a", lw=1.8))
        labels = dict(zip(LETTERS, content["candidates"], strict=False))
        _label(left, labels, columns)
        left.set_title(f"{rows} × {columns} patches; the framed one asks", fontsize=10)
        veil = 0.88 * (1 - (weights / weights.max()) ** 0.5) if state["revealed"] else [0.88] * len(weights)
        grey = [[[0.47, 0.5, 0.54, veil[r * columns + c]] for c in range(columns)] for r in range(rows)]
        right.imshow(grey, interpolation="nearest", extent=(0, columns, rows, 0))
        if state["revealed"]:
            _label(right, {str(i): patch for i, patch in enumerate(ranked, 1)}, columns)
        else:
            box = {"boxstyle": "circle,pad=0.3", "fc": "white", "ec": "black"}
            middle = {"transform": right.transAxes, "ha": "center", "va": "center"}
            right.text(0.5, 0.5, "?", fontsize=24, bbox=box, **middle)
        right.set_title(f"weights, {KNOWS[state['knows']].lower()} (clear: much)", fontsize=10)
        figure.subplots_adjust(left=0.01, right=0.99, top=0.92, bottom=0.13, wspace=0.03)
        return figure


def _label(axes, labels, columns):
    """Small texts in the middle of patches."""
    for text, patch in labels.items():
        y, x = divmod(patch, columns)
        box = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "black", "lw": 0.5}
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7, weight="bold", bbox=box)


def _tenths(weight: float) -> str:
    """A weight in percent with one decimal."""
    return f"{values.fixed(100 * weight, 1)} %"


def _others(weights: list[float], asks: int) -> list[int]:
    """The patches by weight without the one that asks; rounded, so that what is equal by symmetry ties."""
    rest = [i for i in range(len(weights)) if i != asks]
    return sorted(rest, key=lambda i: (-math.floor(1e9 * weights[i] + 0.5), i))


def _parts(found) -> dict:
    """Of each kind of descriptor its name and where it stands in the whole: from, to."""
    parts, start = {}, 0
    for name, text in KNOWS.items():
        width = found[name].shape[1]
        start = 0 if name == "all" else start
        parts[name] = [text, [start, start + width]]
        start += width
    return parts


def _bytes(photo):
    """The photograph as a tensor of bytes, (h, w, 3)."""
    import torch

    given = torch.as_tensor(photo.copy() if hasattr(photo, "copy") else photo)
    if given.dtype != torch.uint8 or given.dim() != 3 or given.shape[2] != 3:
        raise ValueError(
            f"photo: expected bytes of shape (h, w, 3), got {given.dtype} of shape {tuple(given.shape)}."
        )
    return given


def _base64(data: bytes) -> str:
    """Bytes as they travel."""
    return base64.b64encode(data).decode()


def _jpeg(pixels) -> bytes:
    """The photograph as JPEG, as good as :data:`MOST_BYTES` allow."""
    from PIL import Image

    for quality in range(90, 20, -5):
        out = io.BytesIO()
        Image.fromarray(pixels.numpy()).save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MOST_BYTES:
            return out.getvalue()
    raise ValueError(f"photo: expected one that fits into {MOST_BYTES} bytes of JPEG; make it smaller.")


def _candidates(given, count: int, asks) -> list[int]:
    """The marked patches, checked."""
    listed: Any = values.plain(given)
    fine = isinstance(listed, list) and 2 <= len(listed) <= MOST_CANDIDATES
    fine = fine and all(type(i) is int and 0 <= i < count and i != asks for i in listed)
    if not fine or len(set(listed)) < len(listed):
        raise ValueError(
            f"candidates: expected 2 to {MOST_CANDIDATES} different patches from 0 to {count - 1} without "
            f"the one that asks, got {given!r}."
        )
    return listed
