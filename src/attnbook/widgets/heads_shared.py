"""What a model's heads and a translator's heads share: views, pictures, checked arrays."""

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.state import Pair

VIEWS = ("one", "compare", "difference", "average")
MOST_WORDS = 64
MOST_HEADS = 16  # in a layer
MOST_LAYERS = 12


def a_head(sizes) -> Pair:
    """The part of a state that names a layer and a head, counted from 0."""
    return Pair(rows=sizes[0], columns=sizes[1], first="layer", second="head")


def beside(head, n_heads) -> list[int]:
    """The head that stands beside the first one shown."""
    return [0, min(1, n_heads - 1)] if head in ((0, 0), [0, 0]) else [0, 0]


def pictures(state, weights) -> list[tuple]:
    """What stands large, one or two of (name, rows, signed); weights are (n_layers, n_heads, …)."""
    (a, b), (c, d) = state["head"], state["other"]
    first, second = f"Layer {a + 1}, head {b + 1}", f"Layer {c + 1}, head {d + 1}"
    if state["view"] == "compare":
        return [(first, weights[a, b], False), (second, weights[c, d], False)]
    if state["view"] == "difference":
        return [(f"{first} minus {second}", weights[a, b] - weights[c, d], True)]
    if state["view"] == "average":
        return [(f"Layer {a + 1}, mean of its heads", weights[a].mean(0), False)]
    return [(first, weights[a, b], False)]


def largest(numbers) -> tuple[int, float]:
    """Where the number of the largest size is, and that number."""
    best = int(np.abs(numbers).argmax())
    return best, float(numbers[best])


def amount(weight, signed) -> str:
    """A weight in per cent, a difference of two in points."""
    return values.fixed(100 * weight, 1) + (" points" if signed else " %")


def heads_figure(weights, rows, columns, *, named=None, hidden=False):
    """Every head as a small picture; ``named`` gives the role of some, by (layer, head).

    Parameters
    ----------
    weights : (n_layers, n_heads, n_rows, n_columns)
    hidden : bool
        Whether a question mark stands in the place of each picture.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    n_layers, n_heads = weights.shape[:2]
    blues = colormaps["Blues"].resampled(12)  # few colours, a small file
    size = 1.1 if len(rows) > 24 else 1.5
    figure = Figure(figsize=(min(7.5, 1.2 + size * n_heads), 1.0 + (size + 0.1) * n_layers))
    all_axes = figure.subplots(n_layers, n_heads, squeeze=False)
    for layer, line in enumerate(all_axes):
        for head, axes in enumerate(line):
            shown = np.zeros_like(weights[layer, head]) if hidden else weights[layer, head]
            axes.imshow(shown, cmap=blues, vmin=0, vmax=1, aspect="auto")
            if hidden:
                axes.text(0.5, 0.5, "?", transform=axes.transAxes, ha="center", va="center")
            role = (named or {}).get((layer, head))
            axes.set_title(f"{layer + 1}.{head + 1}" + (f" {role}" if role else ""), fontsize=7)
            axes.set_xticks([])
            axes.set_yticks([])
            if head == 0 and len(rows) <= 16:
                axes.set_yticks(range(len(rows)), rows, fontsize=5)
            if layer == n_layers - 1 and len(columns) <= 16:
                axes.set_xticks(range(len(columns)), columns, fontsize=5, rotation=90)
    figure.subplots_adjust(left=0.12, right=0.98, top=0.92, bottom=0.24, hspace=0.3, wspace=0.15)
    return figure


def sentence_words(name, value) -> list[str]:
    words = values.words(name, value.split() if isinstance(value, str) else value)
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValueError(f"{name}: expected 1 to {MOST_WORDS} words, got {len(words)}.")
    return words


def as_numpy(part):
    return np.asarray(part.detach().cpu() if hasattr(part, "detach") else part, dtype=np.float64)


def checked_array(name, value, shape) -> np.ndarray:
    """A finite array of this shape, where None is any size; rounded to float32, as it travels."""
    try:
        array = as_numpy(value).astype("f4").astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected an array of numbers, got {type(value).__name__}.") from None
    wanted = ", ".join("any" if size is None else str(size) for size in shape)
    fits = array.ndim == len(shape) and array.size
    if not fits or any(size not in (None, got) for size, got in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity.")
    return array
