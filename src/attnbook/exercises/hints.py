"""One hint at a time."""

from __future__ import annotations

import textwrap

from attnbook.exercises.registry import exercise

_given: dict[str, int] = {}


def hint(id: str, restart: bool = False) -> None:
    """Show the next hint for an exercise, each a step more than the one before; the last one is shown again.

    Parameters
    ----------
    id : str
        The exercise's number, such as ``"2.4"``.
    restart : bool
        Begin again with the first hint.
    """
    try:
        found = exercise(id)
    except KeyError as error:
        print(error.args[0])
        return
    if restart:
        _given.pop(found.id, None)
    step = min(_given.get(found.id, 0) + 1, len(found.hints))
    _given[found.id] = step
    text = f"Hint {step} of {len(found.hints)}: {found.hints[step - 1]}"
    if step < len(found.hints):
        text += f' (hint("{found.id}") again for the next)'
    print(textwrap.fill(text, 96, subsequent_indent="  "))
