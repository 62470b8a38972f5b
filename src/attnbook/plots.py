"""Figures of the book: one look, colours that colour-blind readers can tell apart, alt text always.

Colours are those of Okabe & Ito (2008), "Color Universal Design"; weights are drawn in one hue,
from light to dark, so that they also read in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
WEIGHT_COLOURS = "Blues"

STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.grid": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def as_array(values: Any) -> np.ndarray:
    """A tensor on any device, a list or an array, as a NumPy array of floats."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().float().numpy()
    return np.asarray(values, dtype=float)


def show(figure: Figure, alt: str) -> None:
    """Show a figure, and store what it shows in words as its text output.

    The text serves readers who do not see the figure; the book's pages use it as the picture's
    alternative text, and nbval compares it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Closed afterwards.
    alt : str
        One or two sentences: what is drawn, and what there is to see in it.

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt: expected a sentence that says what the figure shows, got an empty one")
    text = f"Figure: {' '.join(alt.split())}"
    try:
        from IPython.display import display
    except ModuleNotFoundError:  # a plain script: the words are what can be shown
        print(text)
    else:
        display({"image/png": _png(figure), "text/plain": text}, raw=True)
    plt.close(figure)


def _png(figure: Figure) -> str:
    """The figure as base64 PNG, without the date and version that would change its bytes."""
    import base64
    import io

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    return base64.b64encode(_fewer_colours(buffer.getvalue())).decode("ascii")


def _fewer_colours(png: bytes) -> bytes:
    """The same picture with a palette of 256 colours: about a third of the bytes."""
    import io

    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        reduced = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    reduced.save(buffer, format="PNG", optimize=True)
    smaller = buffer.getvalue()
    return smaller if len(smaller) < len(png) else png


@overload
def new_figure(
    width: float = 6.4, height: float = 3.2, columns: Literal[1] = 1, rows: Literal[1] = 1
) -> tuple[Figure, Axes]: ...
@overload
def new_figure(
    width: float = 6.4, height: float = 3.2, columns: int = 1, rows: int = 1, **options: Any
) -> tuple[Figure, Any]: ...


def new_figure(
    width: float = 6.4, height: float = 3.2, columns: int = 1, rows: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """``plt.subplots`` in the book's style; sizes in inches.

    Returns
    -------
    (Figure, Axes or array of Axes)
    """
    with plt.rc_context(STYLE):
        return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


def heatmap(
    matrix: Any,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    *,
    title: str = "",
    row_title: str = "",
    column_title: str = "",
    numbers: bool | None = None,
    limits: tuple[float, float] | None = None,
    colours: str = WEIGHT_COLOURS,
    axes=None,
) -> Figure:
    """Draw a matrix of weights or scores as coloured cells, each with its number when they are few.

    Parameters
    ----------
    matrix : (rows, columns)
        Weights: one row a query, one column a key.
    row_labels, column_labels : sequences of str, optional
        One label a row and a column.
    title, row_title, column_title : str
        Above the cells, at their left, and below them.
    colours : str
        A colour map of matplotlib.
    axes : matplotlib.axes.Axes, optional
        Where to draw; in a new figure if left out.
    numbers : bool, optional
        Print each value in its cell; by default when there are at most 144 cells.
    limits : (lowest, highest), optional
        The ends of the colour scale; by default 0 to 1 for weights, else the data's own range.

    Raises
    ------
    ValueError
        If the matrix is not two-dimensional, or the labels do not match its size.
    """
    values = as_array(matrix)
    if values.ndim != 2:
        raise ValueError(f"matrix: expected two dimensions (rows, columns), got shape {values.shape}")
    for name, labels, size in (
        ("row_labels", row_labels, values.shape[0]),
        ("column_labels", column_labels, values.shape[1]),
    ):
        if labels is not None and len(labels) != size:
            raise ValueError(f"{name}: expected {size} labels for shape {values.shape}, got {len(labels)}")
    if limits is None:
        inside = values.min() >= 0 and values.max() <= 1
        limits = (0.0, 1.0) if inside else (float(values.min()), float(values.max()))
    if axes is None:
        width = min(9.0, 2.2 + 0.55 * values.shape[1])
        height = min(8.0, 1.2 + 0.42 * values.shape[0])
        figure, axes = new_figure(width, height)
    else:
        figure = axes.figure
    picture = axes.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
    axes.set_xticks(range(values.shape[1]), column_labels or range(values.shape[1]))
    axes.set_yticks(range(values.shape[0]), row_labels or range(values.shape[0]))
    if column_labels and max(map(len, column_labels)) > 4:
        axes.tick_params(axis="x", rotation=45)
        for label in axes.get_xticklabels():
            label.set_ha("right")
            label.set_rotation_mode("anchor")
    axes.set_xlabel(column_title)
    axes.set_ylabel(row_title)
    axes.set_title(title)
    axes.spines[:].set_visible(False)
    if numbers if numbers is not None else values.size <= 144:
        _write_numbers(axes, values, picture)
    else:
        figure.colorbar(picture, ax=axes)
    return figure


def _write_numbers(axes, values: np.ndarray, picture) -> None:
    """Each value in its cell, white on dark cells and black on light ones."""
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = picture.cmap(picture.norm(value))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        axes.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=9,
            color="white" if dark else "black",
        )


def weights_over_words(
    words: Sequence[str], weights: Any, *, title: str = "", label: str = "weight", axes=None
) -> Figure:
    """Draw one bar a word: the share of attention that it gets.

    Parameters
    ----------
    words : sequence of str
    title, label : str
        Above the bars, and at their left.
    axes : matplotlib.axes.Axes, optional
        Where to draw; in a new figure if left out.
    weights : (words,)
        Usually non-negative and adding up to 1; any numbers are drawn as they are.

    Raises
    ------
    ValueError
        If there is not one weight a word.
    """
    values = as_array(weights)
    if values.shape != (len(words),):
        raise ValueError(
            f"weights: expected one a word, shape ({len(words)},), got shape {values.shape}; "
            "choose one row of a weight matrix"
        )
    if axes is None:
        figure, axes = new_figure(min(9.0, 1.5 + 0.62 * len(words)), 2.4)
    else:
        figure = axes.figure
    bars = axes.bar(range(len(words)), values, color=PALETTE[0])
    axes.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=9, padding=2)
    rotate = max((len(word) for word in words), default=0) > 7 and len(words) > 5
    axes.set_xticks(
        range(len(words)), words, rotation=45 if rotate else 0, ha="right" if rotate else "center"
    )
    axes.set_ylabel(label)
    axes.set_title(title)
    low, high = min(0.0, values.min(initial=0.0)), max(values.max(initial=0.0), 1e-9)
    axes.set_ylim(low * 1.15, high * 1.15)
    return figure
