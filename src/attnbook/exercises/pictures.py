"""Expected and actual, side by side: a figure in a notebook, rows of numbers elsewhere."""

from __future__ import annotations

import math
from typing import Any

import torch

from attnbook.exercises.judge import Picture

SHOWN = 8  # rows and columns in text


def slice_of(picture: Picture) -> tuple[torch.Tensor, torch.Tensor, str, tuple[str, str]] | None:
    """The two-dimensional slice with the largest difference: (expected, actual, where, axis names)."""
    wanted, got, axes = picture.expected, picture.actual, picture.output.dims
    if not isinstance(wanted, torch.Tensor) or not isinstance(got, torch.Tensor):
        return None
    if wanted.shape != got.shape or wanted.dim() == 0 or wanted.numel() == 0:
        return None
    wanted, got = wanted.double(), got.double()
    where = []
    while wanted.dim() > 2:
        gap = (wanted - got).abs().nan_to_num(math.inf, math.inf).flatten(1).amax(1)
        index = int(gap.argmax())
        where.append(f"{axes[0]} {index}")
        wanted, got, axes = wanted[index], got[index], axes[1:]
    if wanted.dim() == 1:
        wanted, got, axes = wanted[None], got[None], ("", axes[0])
    return wanted, got, ", ".join(where), (axes[0], axes[1])


def as_text(picture: Picture) -> list[str]:
    """Lines that show both, at most ``SHOWN`` rows and columns."""
    found = slice_of(picture)
    if found is None:
        return []
    wanted, got, where, (down, across) = found
    rows, columns = min(len(wanted), SHOWN), min(wanted.shape[1], SHOWN)
    cut = "" if (rows, columns) == tuple(wanted.shape) else f", first {rows} × {columns}"
    title = f"{picture.output.name}{f' at {where}' if where else ''}: {_axes(down, across)}{cut}"
    left = [" ".join(_number(value) for value in row[:columns].tolist()) for row in wanted[:rows]]
    right = [" ".join(_number(value) for value in row[:columns].tolist()) for row in got[:rows]]
    width = max(len("expected"), *(len(line) for line in left))
    lines = [title, f"{'expected':<{width}}   yours"]
    return lines + [f"{one:<{width}}   {other}" for one, other in zip(left, right, strict=True)]


def _axes(down: str, across: str) -> str:
    return f"{down} down, {across} across" if down else f"{across} across"


def _number(value: float) -> str:
    if math.isnan(value):
        return "   nan"
    return f"{value:6.2f}" if abs(value) < 100 else f"{value:6.0f}"[:8]


def show(picture: Picture, title: str) -> bool:
    """Draw expected, actual and their difference; False where there is nothing to draw."""
    found = slice_of(picture)
    if found is None:
        return False
    from attnbook import plots

    wanted, got, where, (down, across) = found
    figure = draw(wanted, got, down, across)
    name = picture.output.name
    figure.suptitle(f"{title} · {name}{f' at {where}' if where else ''}", fontsize=10)
    place = f"{name}{f' at {where}' if where else ''} ({_axes(down, across)})"
    alt = f"three heatmaps of {place}: expected, yours, and yours minus expected."
    plots.show(figure, alt=alt)
    return True


def draw(wanted: torch.Tensor, got: torch.Tensor, down: str, across: str) -> Any:
    """Three heatmaps on one figure."""
    from attnbook.plots import new_figure

    rows, columns = wanted.shape
    height = max(1.7, min(3.4, 1.2 + 0.25 * rows))
    figure, panels = new_figure(width=8.4, height=height, columns=3)
    finite = torch.cat([wanted[wanted.isfinite()], got[got.isfinite()]])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    gap = got - wanted
    reach = float(gap[gap.isfinite()].abs().max()) if bool(gap.isfinite().any()) else 1.0
    ranges = ((wanted, "expected", "Blues", low, high), (got, "yours", "Blues", low, high))
    for panel, (values, title, colours, least, most) in zip(
        panels, (*ranges, (gap, "yours − expected", "PuOr", -(reach or 1.0), reach or 1.0)), strict=True
    ):
        panel.imshow(values.numpy(), cmap=colours, vmin=least, vmax=most, aspect="auto")
        panel.set_title(title, fontsize=9)
        panel.set_xlabel(across)
        panel.set_xticks(range(columns) if columns <= 12 else range(0, columns, 4))
        panel.set_yticks(range(rows) if rows <= 12 else range(0, rows, 4))
        if not down:
            panel.set_yticks([])
        if rows * columns <= 72:
            _write(panel, values, least, most, colours)
    if down:
        panels[0].set_ylabel(down)
    return figure


def _write(panel: Any, values: torch.Tensor, least: float, most: float, colours: str) -> None:
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            text = "NaN" if math.isnan(value) else f"{value:.{2 if abs(value) < 100 else 0}f}"
            share = (value - least) / (most - least) if math.isfinite(value) and most > least else 0.0
            dark = share > 0.6 if colours == "Blues" else abs(share - 0.5) > 0.35
            panel.text(
                column, row, text, ha="center", va="center", fontsize=6.5, color="white" if dark else "black"
            )
