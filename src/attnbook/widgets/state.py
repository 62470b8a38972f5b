"""The state of a widget, declared once: what it holds, how large each part is, between which bounds.

The kernel checks a state with :meth:`State.check`; the page checks it from the same declaration, which comes
with the widget's model as JSON (:meth:`State.exported`, read by ``js/lib/state.js``).

A size is a number, or the name of a part that was declared before: a list counts its entries, a whole number
stands for itself. A name that is no part is asked of the widget (``Widget._sizes`` here, ``sizes`` there).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, ClassVar

from attnbook.widgets import values

Size = int | str | None
Resolve = Callable[[Size], int | None]

_KERNEL_ONLY = ("called", "why", "default", "first", "second", "asked_of_reader", "wanted")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One part of a state.

    Attributes
    ----------
    optional : bool
        Whether None may stand in its place.
    called : str, optional
        Its name in messages, where a reader knows it by another one.
    why : str
        What a message says after the size that was expected: ``", as many rows as key has"``.
    default : callable, optional
        What stands for None, made of the parts checked so far. The page never sends None there.
    """

    kind: ClassVar[str]
    optional: bool = False
    called: str | None = None
    why: str = ""
    default: Callable[[dict], Any] | None = None

    def check(self, name: str, value: Any, size: Resolve) -> Any:
        """``value`` in its one normal form.

        Raises
        ------
        ValueError
            With one sentence that begins with ``name``.
        """
        raise NotImplementedError

    def exported(self) -> dict:
        """The declaration as JSON, without what only the kernel needs."""
        out: dict[str, Any] = {"kind": self.kind}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in _KERNEL_ONLY or value is None or value is False:
                continue
            if isinstance(value, Field):
                value = value.exported()
            elif isinstance(value, Mapping):
                value = {key: part.exported() for key, part in value.items()}
            elif isinstance(value, tuple):
                value = [part.exported() if isinstance(part, Field) else part for part in value]
            out[one.name] = value
        return out


@dataclass(frozen=True, kw_only=True)
class Absent(Field):
    """None, and nothing else: a part that this widget cannot have."""

    kind = "absent"

    def check(self, name, value, size):
        if value is not None:
            raise ValueError(f"{name}: expected None{self.why}.")


@dataclass(frozen=True, kw_only=True)
class Boolean(Field):
    """True or False."""

    kind = "boolean"

    def check(self, name, value, size):
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected True or False, got {value!r}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A finite number between two bounds."""

    kind = "number"
    low: float | None = None
    high: float | None = None

    def check(self, name, value, size):
        return values.number(name, value, *_bounds(self))


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    """A whole number between two bounds; a bound may be a size."""

    kind = "integer"
    low: Size = 0
    high: Size = None

    def check(self, name, value, size):
        low, high = size(self.low), size(self.high)
        value = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value
        if type(value) is not int or value < low or (high is not None and value > high):
            between = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise ValueError(f"{name}: expected a whole number {between}, got {value!r}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Index(Field):
    """The place of one of several things, counted from 0."""

    kind = "index"
    of: Size

    def check(self, name, value, size):
        last = size(self.of) - 1
        if type(value) is not int or not 0 <= value <= last:
            raise ValueError(f"{name}: expected a whole number from 0 to {last}{self.why}, got {value!r}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few strings."""

    kind = "choice"
    options: tuple[str, ...]

    def check(self, name, value, size):
        return values.choice(name, value, self.options)


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """A string of at least one character, which UTF-8 can write: no half of a pair (a lone surrogate)."""

    kind = "text"
    most: int

    def check(self, name, value, size):
        if not isinstance(value, str) or not 1 <= len(value) <= self.most:
            raise ValueError(f"{name}: expected 1 to {self.most} characters, got {value!r}.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name}: expected whole characters, got half of one (a lone surrogate).")
        return value


@dataclass(frozen=True, kw_only=True)
class Words(Field):
    """A list of non-empty strings."""

    kind = "words"
    length: Size = None
    most: int | None = None

    def check(self, name, value, size):
        given = values.words(name, value, size(self.length))
        if not given or (self.most and len(given) > self.most):
            between = f"1 to {self.most} words" if self.most else "at least one word"
            raise ValueError(f"{name}: expected {between}{self.why}, got {len(given)}.")
        return given


@dataclass(frozen=True, kw_only=True)
class Booleans(Field):
    """A list of True and False."""

    kind = "booleans"
    length: Size

    def check(self, name, value, size):
        return values.flags(name, value, size(self.length), self.why)


@dataclass(frozen=True, kw_only=True)
class Vector(Field):
    """A list of finite numbers, each between two bounds."""

    kind = "vector"
    length: Size = None
    low: float | None = None
    high: float | None = None

    def check(self, name, value, size):
        vector = values.vector(name, value, size(self.length), self.why)
        _within(self, name, vector)
        return vector


@dataclass(frozen=True, kw_only=True)
class Matrix(Field):
    """Rows of equal length, of finite numbers, each between two bounds."""

    kind = "matrix"
    rows: Size = None
    columns: Size = None
    most_rows: int | None = None
    low: float | None = None
    high: float | None = None

    def check(self, name, value, size):
        matrix = values.matrix(name, value, size(self.rows), size(self.columns), self.why)
        if self.most_rows and len(matrix) > self.most_rows:
            raise ValueError(
                f"{name}: expected at most {self.most_rows} rows, since each is drawn, got {len(matrix)}."
            )
        for row in matrix:
            _within(self, name, row)
        return matrix


@dataclass(frozen=True, kw_only=True)
class Pair(Field):
    """Two places: a row and a column, a layer and a head."""

    kind = "pair"
    rows: Size
    columns: Size
    first: str = "row"
    second: str = "column"

    def check(self, name, value, size):
        rows, columns = size(self.rows), size(self.columns)
        fine = isinstance(value, list | tuple) and len(value) == 2 and all(type(i) is int for i in value)
        if not fine or not (0 <= value[0] < rows and 0 <= value[1] < columns):
            raise ValueError(
                f"{name}: expected [{self.first} < {rows}, {self.second} < {columns}], got {value!r}."
            )
        return list(value)


@dataclass(frozen=True, kw_only=True)
class Subset(Field):
    """Different places among several things, in ascending order; one place may stand for a list of one."""

    kind = "subset"
    of: Size
    most: int | None = None

    def check(self, name, value, size):
        count = size(self.of)
        chosen = [value] if type(value) is int else value
        fine = isinstance(chosen, list | tuple) and all(type(i) is int and 0 <= i < count for i in chosen)
        if not fine or len(set(chosen)) != len(chosen):
            raise ValueError(f"{name}: expected different numbers from 0 to {count - 1}, got {value!r}.")
        if self.most is not None and len(chosen) > self.most:
            raise ValueError(f"{name}: expected at most {self.most}{self.why}, got {value!r}.")
        return sorted(chosen)


@dataclass(frozen=True, kw_only=True)
class Each(Field):
    """A list whose every entry has a declaration of its own."""

    kind = "each"
    parts: tuple[Field, ...]

    def check(self, name, value, size):
        if not isinstance(value, list | tuple) or len(value) != len(self.parts):
            raise ValueError(f"{name}: expected a list of {len(self.parts)}{self.why}, got {value!r}.")
        return [
            _checked(part, f"{name}[{i}]", item, size)
            for i, (part, item) in enumerate(zip(self.parts, value, strict=True))
        ]


@dataclass(frozen=True, kw_only=True)
class Listing(Field):
    """A list of parts of one kind."""

    kind = "listing"
    of: Field
    length: Size = None
    least: int = 0
    most: int | None = None

    def check(self, name, value, size):
        value = values.plain(value)
        length = size(self.length)
        fine = isinstance(value, list | tuple) and len(value) >= self.least
        fine = fine and (length is None or len(value) == length)
        if not fine or (self.most is not None and len(value) > self.most):
            if length is not None:
                expected = f"a list of {length}"
            else:
                expected = (
                    f"a list of at least {self.least}"
                    if self.most is None
                    else (f"a list of {self.least} to {self.most}")
                )
            raise ValueError(f"{name}: expected {expected}{self.why}, got {value!r}.")
        return [self.of.check(f"{name}[{i}]", item, size) for i, item in enumerate(value)]


@dataclass(frozen=True, kw_only=True)
class Record(Field):
    """Several parts under their names.

    Attributes
    ----------
    parts : dict of Field
    asked_of_reader : tuple of str
        The parts that a reader has to give; the widget adds the others.
    wanted : str
        What the reader has to give, in a message.
    """

    kind = "record"
    parts: Mapping[str, Field]
    wanted: str
    asked_of_reader: tuple[str, ...] = ()

    def asked(self, name: str, value: Any) -> None:
        """Raise ``ValueError`` where ``value`` lacks what the reader has to give."""
        if not isinstance(value, Mapping) or not set(self.asked_of_reader) <= set(value):
            raise ValueError(f"{name}: expected {self.wanted}, got {value!r}.")

    def check(self, name, value, size):
        self.asked(name, value)
        return {
            key: _checked(part, f"{name} {key}", value.get(key), size) for key, part in self.parts.items()
        }


def _bounds(field) -> tuple[float, float]:
    low = float("-inf") if field.low is None else field.low
    high = float("inf") if field.high is None else field.high
    return low, high


def _within(field, name, numbers):
    low, high = _bounds(field)
    if not all(low <= number <= high for number in numbers):
        raise ValueError(f"{name}: expected numbers from {low:g} to {high:g}, got {numbers!r}.")


def _checked(field, name, value, size):
    return None if value is None and field.optional else field.check(field.called or name, value, size)


class State:
    """The declaration of a widget's state, part by part in the order in which they are checked.

    Parameters
    ----------
    **parts : Field
    """

    def __init__(self, **parts: Field):
        self.parts = parts

    def check(self, state: Mapping, sizes: Callable[[dict], Mapping] = lambda state: {}) -> dict:
        """The state in its one normal form: all parts declared, and no other.

        Parameters
        ----------
        state : dict
        sizes : callable, optional
            Makes, of the parts checked so far, the sizes that are no part of the state.

        Raises
        ------
        ValueError
            With one sentence that names the part, what was expected and what was given.
        """
        if not isinstance(state, Mapping):
            raise ValueError(f"state: expected a dict, got {state!r}.")
        checked: dict[str, Any] = {}
        for name in self.parts:
            self.check_part(name, state.get(name), checked, sizes)
        return checked

    def check_part(self, name: str, value: Any, checked: dict, sizes: Callable[[dict], Mapping]) -> None:
        """Check one part beside those in ``checked``, and put it there."""
        field = self.parts[name]
        if value is None and field.default is not None:
            value = field.default(checked)
        checked[name] = self.check_field(field, name, value, checked, sizes)

    @staticmethod
    def check_field(field: Field, name: str, value: Any, checked: dict, sizes: Callable[[dict], Mapping]):
        """``value`` as ``field`` has it, its sizes taken from the parts in ``checked``."""

        def size(of: Size) -> int | None:
            if not isinstance(of, str):
                return of
            known = checked[of] if of in checked else sizes(checked)[of]
            return known if isinstance(known, int) else len(known)

        return _checked(field, name, value, size)

    def exported(self) -> dict:
        """The declaration as JSON, for the page."""
        return {name: field.exported() for name, field in self.parts.items()}


def guess(of: Size) -> Record:
    """The part ``prediction`` of a widget that asks for one of several words and its share.

    Parameters
    ----------
    of : int or str
        How many words there are, or the part that holds them.
    """
    return Record(
        optional=True,
        asked_of_reader=("choice", "share"),
        wanted='{"choice": a word or its index, "share": 0 to 1}',
        parts={
            "choice": Index(of=of),
            "share": Number(low=0, high=1),
            "answer": Index(of=of),
            "actual": Number(low=0, high=1),
        },
    )


def hidden_outcome(prediction: Field) -> dict[str, Field]:
    """The three parts of a state whose outcome waits for a prediction."""
    return {
        "prediction": prediction,
        "revealed": Boolean(),
        "score": Number(low=0, high=1, optional=True),
    }
