"""The figure of a stored run, in one of three forms, and its words for a reader who does not see it.

``dots``
    a row a method, a dot a seed, a stroke at their mean; several ``series`` in a row in several colours.
``lines``
    a line a series through the means over seeds, a dot a seed, along ``x``.
``matrix``
    means over seeds as coloured cells, ``rows`` by ``columns``.

A figure's ``key`` names its numbers, with ``{row}``, ``{series}``, ``{x}`` and ``{column}`` in it; each of
these is listed, or given as a mapping from the name in the file to the words in the figure. ``axis`` and
``along`` name the axes, ``log`` those of lines that are logarithmic, ``limits`` their ends. Dotted lines
stand at the means of the numbers under ``reference``, words to name.

Drawn by matplotlib once for each state of the run's file, its entry and this module, and kept.
"""

import hashlib
import io
import json
import os
import re
from pathlib import Path
from statistics import fmean
from typing import Any

from .run_numbers import RunNumbers

WIDTH = 4.4  # inches: half of a page's column, and all of a telephone's
_NUMERIC = re.compile(r"[\d.]+")


def labels(entry: list | dict) -> dict[str, str]:
    """Names in the file → words in the figure, both as text."""
    if isinstance(entry, dict):
        return {str(name): str(words) for name, words in entry.items()}
    return {str(name): str(name) for name in entry}


def _cells(figure: dict[str, Any], numbers: RunNumbers, across: str, down: str) -> dict:
    """{words of one: {words of the other: values over seeds}}, as far as the run has them."""
    found: dict[str, dict[str, list[float]]] = {}
    known = set(numbers.names())
    for name, words in labels(figure.get(across, [""])).items():
        row = {}
        for other, other_words in labels(figure[down]).items():
            key = figure["key"].replace(f"{{{_PLACE[across]}}}", name).replace(f"{{{_PLACE[down]}}}", other)
            if key in known or "÷" in key or key.startswith("mean of "):
                row[other_words] = numbers.values(key)
        if not row:
            raise ValueError(f"the run has no number for {across} {name!r} of its figure's key")
        found[words] = row
    return found


_PLACE = {"rows": "row", "series": "series", "x": "x", "columns": "column"}


def drawn_values(figure: dict[str, Any], numbers: RunNumbers) -> dict[str, dict[str, list[float]]]:
    """What a figure draws: for each series (or row of a matrix) the values of each row, point or column.

    Raises
    ------
    ValueError
        If a number that the entry names is not in the run, or the form is none of the three.
    """
    across_down = {"dots": ("series", "rows"), "lines": ("series", "x"), "matrix": ("rows", "columns")}
    if figure.get("form") not in across_down:
        raise ValueError(f"form: expected dots, lines or matrix, got {figure.get('form')!r}")
    return _cells(figure, numbers, *across_down[figure["form"]])


def _number(value: float) -> str:
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000 or size < 0.001:
        return f"{value:.2g}".replace("e+0", "e").replace("e-0", "e−")
    return f"{value:.0f}" if size >= 100 else f"{value:.3g}"


def alternative(figure: dict[str, Any], numbers: RunNumbers) -> str:
    """One sentence with the means that are drawn; of a line its two ends."""
    cells = drawn_values(figure, numbers)
    seeds = len(numbers)
    over = f"mean of {seeds} seeds" if seeds > 1 else "one seed"
    parts = []
    for name, row in cells.items():
        points = list(row.items())
        if figure["form"] == "lines" and len(points) > 2:
            points = [points[0], points[-1]]
        said = ", ".join(f"{words} {_number(fmean(values))}" for words, values in points)
        parts.append(f"{name}: {said}" if name else said)
    kind = {"dots": "Dots", "lines": "Lines", "matrix": "A matrix"}[figure["form"]]
    along = f" by {figure['along']}" if figure.get("along") else ""
    dotted = "".join(
        f" Dotted: {words} {_number(numbers.mean(name))}." for words, name in _dotted(figure).items()
    )
    return f"{kind}: {figure['axis']}{along}, {over}. {'; '.join(parts)}.{dotted}"


# ---- drawing ---------------------------------------------------------------------------------------


def picture(name: str, source: bytes, figure: dict[str, Any], numbers: RunNumbers, folder: Path) -> Path:
    """The file of a run's figure; drawn only where the folder does not hold it yet."""
    seen = hashlib.sha256(source + json.dumps(figure).encode() + Path(__file__).read_bytes())
    path = folder / f"{name}-{seen.hexdigest()[:12]}.svg"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{name}-{'?' * 12}.svg"):
            old.unlink()
        # In one step, since two builds may draw into one folder.
        half = path.with_suffix(f".{os.getpid()}")
        half.write_bytes(_draw(figure, numbers))
        half.replace(path)
    return path


def _draw(figure: dict[str, Any], numbers: RunNumbers) -> bytes:
    """The figure as SVG; matplotlib is imported only where something is to be drawn."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from attnbook import plots

    cells = drawn_values(figure, numbers)
    figure = {**figure, "reference": {words: numbers.mean(name) for words, name in _dotted(figure).items()}}
    with plt.rc_context({**plots.STYLE, "font.size": 9}):
        drawing = {"dots": _dots, "lines": _lines, "matrix": _matrix}[figure["form"]](figure, cells)
        buffer = io.BytesIO()
        drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(drawing)
    return buffer.getvalue()


def _new(height: float):
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(WIDTH, height), layout="constrained")


def _dotted(figure: dict[str, Any]) -> dict[str, str]:
    """Words → names of what is drawn as a dotted line."""
    return figure.get("reference", {})


def _references(figure: dict[str, Any], line) -> None:
    for value in figure.get("reference", {}).values():
        line(value, color="grey", lw=1, ls=":", zorder=0)


def _legend(drawing, cells: dict) -> None:
    """Beneath the axes, where it hides nothing; in as many columns as its words leave room for."""
    longest = max(map(len, cells))
    drawing.legend(
        loc="outside lower center", frameon=False, fontsize=8, handlelength=1.2, columnspacing=1.0,
        ncols=max(1, min(len(cells), 64 // (longest + 5))),
    )  # fmt: skip


_MARKS = "osD^vPX"


def _dots(figure: dict[str, Any], cells: dict):
    from attnbook.plots import PALETTE

    rows = list(dict.fromkeys(words for row in cells.values() for words in row))
    several = len(cells) > 1
    drawing, axes = _new(0.65 + (0.2 + 0.05 * several) * len(rows) + 0.2 * several * (1 + len(cells) // 4))
    for place, (series, row) in enumerate(cells.items()):
        shift = 0.5 * (place - (len(cells) - 1) / 2) / max(len(cells), 1)
        colour = PALETTE[place % len(PALETTE)]
        for words, values in row.items():
            y = rows.index(words) + shift
            axes.plot(values, [y] * len(values), _MARKS[place % 7], ms=4, color=colour, alpha=0.55, mew=0)
            axes.plot([fmean(values)], [y], "|", ms=10, mew=1.6, color=colour)
        axes.plot([], [], _MARKS[place % 7], color=colour, ms=4, label=series)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    # Beside long names the axis is shorter than its label, which then begins under the names.
    axes.set_xlabel(figure["axis"], loc="right" if max(map(len, rows)) > 30 else "center")
    if "limits" in figure:
        axes.set_xlim(*figure["limits"])
    axes.margins(x=0.06)
    axes.grid(axis="y", lw=0.4, alpha=0.4)
    axes.tick_params(axis="y", length=0)
    _references(figure, axes.axvline)
    if several:
        _legend(drawing, cells)
    return drawing


def _lines(figure: dict[str, Any], cells: dict):
    from attnbook.plots import PALETTE

    points = list(dict.fromkeys(words for row in cells.values() for words in row))
    numeric = all(_NUMERIC.fullmatch(point) for point in points)
    at = {point: float(point) if numeric else place for place, point in enumerate(points)}
    several = len(cells) > 1
    drawing, axes = _new(2.1 + 0.12 * several * len(cells) / 2)
    log = str(figure.get("log", ""))
    for place, (series, row) in enumerate(cells.items()):
        colour = PALETTE[place % len(PALETTE)]
        mark = _MARKS[place % 7] if len(points) < 15 else ""
        for words, values in row.items() if mark else ():
            axes.plot([at[words]] * len(values), values, mark, ms=2.5, color=colour, alpha=0.45, mew=0)
        means = [fmean(values) for values in row.values()]
        axes.plot([at[w] for w in row], means, f"{mark}-", ms=4, lw=1.3, color=colour, label=series)
    if "x" in log:
        axes.set_xscale("log")
        axes.minorticks_off()
    if "y" in log:
        axes.set_yscale("log")
    if not numeric or len(points) < 9:
        axes.set_xticks(list(at.values()), points)
    if "limits" in figure:
        axes.set_ylim(*figure["limits"])
    axes.set_xlabel(figure["along"])
    axes.set_ylabel(figure["axis"])
    _references(figure, axes.axhline)
    if several:
        _legend(drawing, cells)
    return drawing


def _matrix(figure: dict[str, Any], cells: dict):
    from attnbook.plots import heatmap

    columns = list(next(iter(cells.values())))
    drawing, axes = _new(0.9 + 0.26 * len(cells) + 0.03 * max(map(len, columns)))
    means = [[fmean(row[words]) for words in columns] for row in cells.values()]
    heatmap(
        means, list(cells), columns, numbers=True, axes=axes, limits=tuple(figure.get("limits", (0, 1))),
        column_title=figure["axis"],
    )  # fmt: skip
    return drawing
