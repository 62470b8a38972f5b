"""What the widgets show of a reader's own model: a window of a long text, some layers and heads of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attnbook.widgets.heads_shared import MOST_HEADS, MOST_LAYERS, MOST_WORDS


def windowed(kind, start) -> Any:
    """The part of the weights that fits: ``MOST_WORDS`` rows and columns, the last column for all others.

    Parameters
    ----------
    kind : attnbook.models.hugging_face.Kind
    start : int or (row, column)
        The first row and column of a text that is too long.

    Raises
    ------
    ValueError
        If no row or column is there.
    """
    first_row, first_column = (start, start) if isinstance(start, int) else tuple(start)
    for name, first, words in (("row", first_row, kind.rows), ("column", first_column, kind.columns)):
        if type(first) is not int or not 0 <= first < len(words):
            raise ValueError(f"start: expected a {name} from 0 to {len(words) - 1}, got {first!r}.")
    if len(kind.columns) <= MOST_WORDS and len(kind.rows) <= MOST_WORDS:
        return kind
    most = MOST_WORDS - 1 if len(kind.columns) > MOST_WORDS else MOST_WORDS
    columns = slice(min(first_column, max(0, len(kind.columns) - most)), None)
    columns = slice(columns.start, columns.start + most)
    rows = slice(first_row, first_row + MOST_WORDS)
    if kind.rows == kind.columns:
        rows = columns
    return kind.window(rows, columns, f"…+{len(kind.columns) - most}")


def some_of(name: str, chosen: Sequence[int] | None, count: int, most: int) -> list[int]:
    """Which layers, or heads, are shown: those that were chosen, or up to ``most`` evenly spread."""
    if chosen is None:
        if count <= most:
            return list(range(count))
        return [round(place * (count - 1) / (most - 1)) for place in range(most)]
    picked = list(chosen)
    fine = picked and len(picked) <= most and len(set(picked)) == len(picked)
    if not fine or not all(type(each) is int and 0 <= each < count for each in picked):
        raise ValueError(
            f"{name}: expected 1 to {most} different numbers from 0 to {count - 1}, got {chosen!r}."
        )
    return picked


def thinned(weights, layers, heads) -> tuple[Any, str]:
    """Weights of some layers and heads, and a sentence on which, where they are not all."""
    n_layers, n_heads = weights.shape[:2]
    said = []
    for name, chosen, count, most in (
        ("layers", layers, n_layers, MOST_LAYERS),
        ("heads", heads, n_heads, MOST_HEADS),
    ):
        picked = some_of(name, chosen, count, most)
        weights = weights[picked] if name == "layers" else weights[:, picked]
        if picked != list(range(count)):
            numbers = ", ".join(str(each + 1) for each in picked)
            said.append(f"The {name} here are the model's {numbers}, of {count}.")
    return weights, " ".join(said)
