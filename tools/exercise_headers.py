"""The lines of a master that its specs know: an exercise's heading, and the chapter's totals.

The author of a master writes ``## 2.4`` above an exercise and its text below; title, points, minutes,
difficulty and kind come from the spec, so that they are typed once.
"""

import re
from pathlib import Path

from nbformat import NotebookNode

from attnbook.exercises import exercises
from attnbook.exercises.spec import Exercise

# The heading, and the line of facts below it where one stands already.
HEADING = re.compile(r"(?m)^## (?P<id>\d+\.\d+)\b[^\n]*(?:\n\n\*\d+ points? · [^\n]*\*)?")
TOTALS = re.compile(r"\A(?P<title># [^\n]*)(?:\n\n\*\d+ exercises, [^\n]*\*)?")


def heading(item: Exercise) -> str:
    """``## 2.4 · Title`` and the line of points, minutes, difficulty, kind, and what is not to be called."""
    points = f"{item.points} point{'s' * (item.points != 1)}"
    without = f" · without {', '.join(f'`{name}`' for name in item.forbidden)}" if item.forbidden else ""
    return (
        f"## {item.id} · {item.title}\n\n"
        f"*{points} · about {item.minutes} minutes · {item.difficulty} · {item.task}{without}*"
    )


def totals(items: list[Exercise]) -> str:
    """How many exercises, points and minutes a chapter has."""
    points, minutes = sum(item.points for item in items), sum(item.minutes for item in items)
    return f"*{len(items)} exercises, {points} points, about {minutes} minutes.*"


def with_headers(notebook: NotebookNode, master: Path) -> NotebookNode:
    """The master with these lines written from the specs, in place.

    Raises
    ------
    ValueError
        If a heading names an exercise without a spec, or an exercise of the chapter has no heading.
    """
    items = {item.id: item for item in exercises(int(master.name[:2]))}
    found = []

    def from_spec(match: re.Match) -> str:
        if match["id"] not in items:
            raise ValueError(
                f"{master}: exercise {match['id']} has no spec; add src/attnbook/exercises/bank/"
                f"ch{master.name[:2]}/NAME.py and list it in that folder's __init__.py"
            )
        found.append(match["id"])
        return heading(items[match["id"]])

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = HEADING.sub(from_spec, cell.source)
    if found != list(items):
        raise ValueError(
            f"{master}: its headings are {', '.join(found)}; the specs are {', '.join(items)}, in this order"
        )
    first = notebook.cells[0]
    first.source = TOTALS.sub(
        lambda match: f"{match['title']}\n\n{totals(list(items.values()))}", first.source
    )
    return notebook
