"""Checks of arguments, in statements of their own: a lab leaves them out."""

from collections.abc import Collection

from torch import Tensor

from attnbook.arguments import whole_number


def sizes(**given: object) -> None:
    """Each is a whole number of at least 1."""
    for name, number in given.items():
        whole_number(name, number)


def twin(name: str, new: str, known: Collection[str]) -> None:
    """``name`` is known, and ``new`` is not."""
    if name not in known or new in known:
        raise ValueError(
            f"name, twin: expected one of {sorted(known)} and a new name, got "
            f"{name!r} and {new!r}"
        )


def known(name: str, names: Collection[str]) -> None:
    """``name`` is one of the names."""
    if name not in names:
        raise ValueError(f"name: expected one of {sorted(names)}, got {name!r}")


def prompt(tokens: Tensor) -> None:
    """``tokens`` is (length,) and not empty."""
    if tokens.dim() != 1 or len(tokens) == 0:
        raise ValueError(
            "tokens: expected (length,) with at least one token, got "
            f"{tuple(tokens.shape)}"
        )


def read_so_far(length: int, position: int) -> None:
    """A state that has read ``position`` tokens can be cut to ``length``."""
    if not 0 <= length <= position:
        raise ValueError(
            f"length: expected 0 to {position}, the tokens that the state has read,"
            f" got {length}"
        )


def bits(given: int) -> None:
    """From 1 to 8."""
    whole_number("bits", given)
    if given > 8:
        raise ValueError(f"bits: expected 1 to 8, got {given}")


def floating(x: Tensor) -> None:
    """Floating-point numbers."""
    if not x.is_floating_point():
        raise ValueError(f"x: expected floating-point numbers, got {x.dtype}")
