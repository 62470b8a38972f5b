"""A known mistake: one statement that holds its code beside the words that the learner reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Wrong:
    """What somebody writes in place of the right thing, and the paragraph that tells them so.

    ``code`` takes the place of ``Mistakes.right``: mostly a function of the same parameters, sometimes a
    plain value such as a power or the name of a matrix. ``text`` says what they did, how it shows and where
    to look. It never contains the corrected line.
    """

    code: Any
    text: str


class Mistakes:
    """One place of the reference where mistakes are made: a keyword, its right value, and the wrong ones.

    Two mistakes of different families can be made together, two of one family cannot.

    >>> POWER = Mistakes("power", right=2, cubed=Wrong(3, "You take the third power, not the second."))
    >>> def square(x, *, power=POWER.right):
    ...     return x**power
    >>> square(5), square(5, power=POWER["cubed"].code)
    (25, 125)

    Parameters
    ----------
    switch : str
        The keyword of the reference.
    right : object
        Its right value, which is the keyword's default too.
    **wrongs : Wrong
        The known mistakes by name. Names are for authors; a learner never sees them.
    """

    def __init__(self, switch: str, /, *, right: Any, **wrongs: Wrong):
        self.switch = switch
        self.right = right
        self.wrongs = wrongs

    def __repr__(self) -> str:
        return f"Mistakes({self.switch!r}: {', '.join(self.wrongs)})"

    def __getitem__(self, name: str) -> Wrong:
        """The mistake of this name.

        Raises
        ------
        KeyError
            With a sentence that says which there are.
        """
        if name not in self.wrongs:
            known = ", ".join(self.wrongs) or "none"
            raise KeyError(f'"{self.switch}" knows no mistake "{name}"; it has: {known}.')
        return self.wrongs[name]

    def only(self, *names: str) -> Mistakes:
        """The same family with these mistakes alone."""
        return Mistakes(self.switch, right=self.right, **{name: self[name] for name in names})

    def also(self, **wrongs: Wrong) -> Mistakes:
        """The same family with more mistakes after its own; one of a known name takes that one's place."""
        return Mistakes(self.switch, right=self.right, **{**self.wrongs, **wrongs})

    def reworded(self, **texts: str) -> Mistakes:
        """The same family with other words for some of its mistakes."""
        return self.also(**{name: Wrong(self[name].code, text) for name, text in texts.items()})

    def under(self, switch: str) -> Mistakes:
        """The same family under another keyword."""
        return Mistakes(switch, right=self.right, **self.wrongs)
