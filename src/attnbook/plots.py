"""Figures of the book: one look, colours that colour-blind readers can tell apart, words beside each.

Colours are those of Okabe & Ito (2008), "Color Universal Design"; weights are drawn in one hue,
from light to dark, so that they also read in grey, and on a scale on which 0.01 and 0.05 look different.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from typing import Any, Literal, overload

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
WEIGHTS = "Blues"
WEIGHT_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)

# A page shows 96 dots an inch; a PNG stores two pixels a dot, for screens that have them.
DOTS = 96
STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 2 * DOTS,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.grid": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # The same figure gives the same bytes; letters are drawn as shapes, so that every reader sees the same.
    "svg.hashsalt": "attnbook",
    "svg.fonttype": "path",
}
# A drawing of more bytes than this holds a photograph or thousands of points: it is stored as pixels.
MOST_SVG_BYTES = 150_000
MOST_PNG_BYTES = 190_000  # where fewer colours can reach it; the notebooks' rule is 200 kB
PHOTOGRAPH = 300

_NUMBERED = re.compile(r"Figure (\d+\.[A-Z]?\d+)\. \S")
_NOT_DRAWN = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE[^>]*>", re.DOTALL)


def as_array(values: Any) -> np.ndarray:
    """A tensor on any device, a list or an array, as a NumPy array of floats."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().float().numpy()
    return np.asarray(values, dtype=float)


def weight_norm() -> PowerNorm:
    """The scale for weights between 0 and 1: the square root, on which small weights can be told apart.

    To be used with the colours ``WEIGHTS``, as in ``axes.imshow(weights, cmap=WEIGHTS, norm=weight_norm())``.
    """
    return PowerNorm(0.5, vmin=0, vmax=1)


def show(figure: Figure, *, alt: str, caption: str | None = None) -> None:
    """Show a figure with its caption beneath it, and store what it shows in words.

    Lines and text are stored as SVG, photographs and crowded plots as PNG with two pixels a dot.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Closed afterwards.
    alt : str
        One or two sentences for a reader who does not see the figure: what is drawn, and what there is
        to see in it. It is the figure's text output, which nbval compares.
    caption : str, optional
        What stands beneath the figure for everybody, such as
        ``"Figure 4.2. The weights of one decoder step."``: the chapter's number and the figure's; in a
        lab with its letter, ``"Figure 4.A1. …"``. Markdown and ``$…$`` are set. The text refers to it
        with ``[figure 4.2](#figure-4-2)``.

    Raises
    ------
    ValueError
        If ``alt`` is empty, if the caption does not begin with the figure's number, or if a photograph
        is drawn smaller than 300 dots. The figure stays open then.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt: expected a sentence that says what the figure shows, got an empty one")
    outputs = [({"text/plain": f"Figure: {' '.join(alt.split())}"}, {})]
    if caption is not None:
        outputs.append((_caption(caption), {}))
        _check_photographs(figure)
    try:
        from IPython.display import display
    except ModuleNotFoundError:  # a plain script: the words are what can be shown
        for data, _ in outputs:
            print(data["text/plain"])
    else:
        picture, size = _picture(figure)
        outputs[0] = ({**picture, **outputs[0][0]}, size)
        for data, metadata in outputs:
            display(data, raw=True, metadata=metadata)
    plt.close(figure)


def _caption(caption: str) -> dict[str, str]:
    """The caption as Markdown, its number in bold, and as plain text."""
    text = " ".join(caption.split()) if isinstance(caption, str) else ""
    numbered = _NUMBERED.match(text)
    if numbered is None:
        raise ValueError(
            'caption: expected the figure\'s number first, as in "Figure 4.2. The weights of one step.", '
            f"got {caption!r:.40}"
        )
    end = len(f"Figure {numbered[1]}.")
    return {"text/markdown": f"**{text[:end]}**{text[end:]}", "text/plain": text}


def _check_photographs(figure: Figure) -> None:
    """A picture of at least 100 × 100 pixels is a photograph: its short side takes 300 dots."""
    figure.canvas.draw()
    for axes in figure.axes:
        for image in axes.images:
            if min(image.get_size()) < 100:
                continue
            box = image.get_window_extent()
            dots = min(box.width, box.height) * DOTS / figure.dpi
            if dots < PHOTOGRAPH:
                raise ValueError(
                    f"figure: a photograph in it is {dots:.0f} dots on its short side, at least {PHOTOGRAPH} "
                    "are needed; make the figure larger, or put fewer pictures in a row"
                )


def _picture(figure: Figure) -> tuple[dict[str, str], dict]:
    """The figure as SVG, or as PNG with the size at which it is to be shown."""
    svg = _saved(figure, "svg").decode("utf-8")
    if len(svg) <= MOST_SVG_BYTES:
        drawn = "\n".join(line for line in _NOT_DRAWN.sub("", svg).splitlines() if line.strip())
        return {"image/svg+xml": drawn}, {}
    png, width, height = _fewer_colours(_saved(figure, "png"))
    size = {"width": round(width / 2), "height": round(height / 2)}
    return {"image/png": base64.b64encode(png).decode("ascii")}, {"image/png": size}


def _saved(figure: Figure, kind: str) -> bytes:
    """The figure's file, without the date and version that would change its bytes."""
    buffer = io.BytesIO()
    nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    with plt.rc_context(STYLE):
        figure.savefig(buffer, format=kind, bbox_inches="tight", metadata=nothing[kind])
    return buffer.getvalue()


def _fewer_colours(png: bytes) -> tuple[bytes, int, int]:
    """The same picture with a palette of 256 colours, about a third of the bytes; its width and height.

    A photograph that is still too large for a notebook gets fewer.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        plain = picture.convert("RGB")
    smaller = png
    for colours in (256, 128, 64, 32):
        buffer = io.BytesIO()
        plain.quantize(colours, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
        smaller = min(smaller, buffer.getvalue(), key=len)
        if len(smaller) < MOST_PNG_BYTES:
            break
    return (smaller, *plain.size)


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
    colours: str = WEIGHTS,
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
        The ends of a linear colour scale; by default weights have that of ``weight_norm``, from 0 to 1,
        and other numbers the data's own range.

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
    are_weights = limits is None and values.min() >= 0 and values.max() <= 1
    lowest, highest = limits or (float(values.min()), float(values.max()))
    norm = weight_norm() if are_weights else Normalize(lowest, highest)
    if axes is None:
        width = min(9.0, 2.2 + 0.55 * values.shape[1])
        height = min(8.0, 1.2 + 0.42 * values.shape[0])
        figure, axes = new_figure(width, height)
    else:
        figure = axes.figure
    picture = axes.imshow(values, cmap=colours, norm=norm, aspect="auto", interpolation="none")
    axes.set_xticks(range(values.shape[1]), column_labels or list(map(str, range(values.shape[1]))))
    axes.set_yticks(range(values.shape[0]), row_labels or list(map(str, range(values.shape[0]))))
    if column_labels and max(map(len, column_labels)) > 4:
        axes.tick_params(axis="x", rotation=45)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    axes.set_xlabel(column_title)
    axes.set_ylabel(row_title)
    axes.set_title(title)
    axes.spines[:].set_visible(False)
    if numbers if numbers is not None else values.size <= 144:
        _write_numbers(axes, values, picture)
    else:
        figure.colorbar(picture, ax=axes, ticks=WEIGHT_TICKS if are_weights else None)
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
