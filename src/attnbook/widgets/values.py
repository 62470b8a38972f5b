"""Turn what a reader passes to a widget into small, checked JSON values.

Every function returns plain Python values or raises ``ValueError`` with one sentence that names the argument,
what was expected and what was given.
"""

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeGuard


def compact(number: float) -> float:
    """Round to seven significant digits: what float32 can hold, at a third of the JSON.

    Parameters
    ----------
    number : float
        Any finite number.

    Returns
    -------
    float
    """
    return float(f"{number:.7g}")


def fixed(number: float, digits: int = 2) -> str:
    """Write a number with ``digits`` decimals as JavaScript's ``toFixed`` does, with a true minus sign.

    Halves round away from zero, and a number that rounds to zero has no sign, so that the page and the kernel
    speak the same sentence.
    """
    rounded = Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{rounded:.{digits}f}"
    if not rounded:
        return text.lstrip("-")
    return text.replace("-", "−")


def percent(share: float) -> str:
    """Write a share as a whole percentage: 0.9386 is "94 %"."""
    return f"{math.floor(share * 100 + 0.5)} %"


def count_of(count: int, noun: str, text: str | None = None) -> str:
    """How many of something, as js/lib/numbers.js says it: "1 word", "2 words".

    Parameters
    ----------
    count : int
    noun : str
        One of them; more than one have an "s".
    text : str, optional
        The number as it is written, such as "12,000".
    """
    return f"{count if text is None else text} {noun}{'' if count == 1 else 's'}"


def plain(value):
    """A tensor, array or nested sequence as nested lists; anything else as it is."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def shape_of(value) -> str:
    """The shape of nested lists in words, for messages."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return f"shape ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})" if shape else repr(value)


def is_number(value) -> TypeGuard[float]:
    """Whether ``value`` is a finite number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(name: str, value, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number in ``[low, high]``."""
    value = plain(value)
    if not is_number(value) or not low <= value <= high:
        between = "a finite number" if math.isinf(low) else f"a number from {low:g} to {high:g}"
        raise ValueError(f"{name}: expected {between}, got {value!r}.")
    return compact(value)


def vector(name: str, value, length: int | None = None, why: str = "") -> list[float]:
    """A non-empty list of finite numbers, of ``length`` if given."""
    value = plain(value)
    wanted = f"a vector of {count_of(length, 'number')}{why}" if length else "a vector of at least one number"
    if not isinstance(value, list) or not value or any(isinstance(item, list) for item in value):
        raise ValueError(f"{name}: expected {wanted}, got {shape_of(value)}.")
    if length and len(value) != length:
        raise ValueError(f"{name}: expected {wanted}, got {len(value)}.")
    for index, item in enumerate(value):
        if not is_number(item):
            raise ValueError(f"{name}[{index}]: expected a finite number, got {item!r}.")
    return [compact(item) for item in value]


def matrix(
    name: str, value, rows: int | None = None, columns: int | None = None, why: str = ""
) -> list[list[float]]:
    """A non-empty list of rows of equal length, all finite."""
    value = plain(value)
    wanted = f"a matrix of shape ({rows or 'n'}, {columns or 'd'}){why}"
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        raise ValueError(f"{name}: expected {wanted}, got {shape_of(value)}.")
    if len({len(row) for row in value}) > 1:
        lengths = ", ".join(str(len(row)) for row in value[:6])
        raise ValueError(f"{name}: expected rows of equal length, got lengths {lengths}.")
    if (rows and len(value) != rows) or (columns and len(value[0]) != columns):
        raise ValueError(f"{name}: expected {wanted}, got shape ({len(value)}, {len(value[0])}).")
    return [vector(f"{name}[{index}]", row) for index, row in enumerate(value)]


def flags(name: str, value, length: int, why: str = "") -> list[bool]:
    """A list of ``length`` booleans."""
    value = plain(value)
    if (
        not isinstance(value, list)
        or len(value) != length
        or not all(isinstance(item, bool) for item in value)
    ):
        raise ValueError(f"{name}: expected {count_of(length, 'boolean')}{why}, got {value!r}.")
    return value


def words(name: str, value, length: int | None = None) -> list[str]:
    """A list of non-empty strings."""
    value = plain(value)
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(f"{name}: expected a list of non-empty strings, got {value!r}.")
    if length is not None and len(value) != length:
        raise ValueError(f"{name}: expected {count_of(length, 'string')}, got {len(value)}.")
    return value


def choice(name: str, value, options: tuple[str, ...]) -> str:
    """One of ``options``."""
    if value not in options:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, options))}, got {value!r}.")
    return value


def grade(prediction: dict) -> float:
    """How good a guess was, as js/lib/predict.js has it: half for the right word, half for a near share.

    Where no word was asked (``choice`` is None) the share is all that counts.

    Parameters
    ----------
    prediction : dict
        ``choice`` and ``share`` as guessed, ``answer`` and ``actual`` as they came out.

    Returns
    -------
    float
        From 0 to 1, two decimals.
    """
    off = abs(prediction["share"] - prediction["actual"])
    if prediction["choice"] is None:
        off *= 2
    right = prediction["choice"] == prediction["answer"]
    return math.floor((right + 1 - off) * 50 + 0.5) / 100
