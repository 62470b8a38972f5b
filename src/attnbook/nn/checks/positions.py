"""Frequencies of rotary positions, and buckets of distances."""

from typing import Any

from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.numbers import number
from attnbook.nn.checks.tensors import floating


def above_zero(name: str, given: Any) -> None:
    """``given`` is a real number above zero."""
    number(name, given)
    if given is None or not given > 0:
        raise ValueError(
            f"{name}: expected a number above 0, got {given}; positions need one"
        )


def rotary_frequencies(name: str, given: Tensor, d_head: int) -> None:
    """``given`` holds one frequency for each pair of a head's numbers."""
    floating(name, given)
    if given.shape != (d_head // 2,):
        raise ValueError(
            f"{name}: expected shape (d_head / 2,) = ({d_head // 2},), got "
            f"{tuple(given.shape)}; rotary_frequencies({d_head}) makes them"
        )


def turns(slow: Any, fast: Any) -> None:
    """Two numbers of turns, the first not above the second."""
    above_zero("slow", slow)
    above_zero("fast", fast)
    if slow > fast:
        raise ValueError(
            f"slow: expected at most fast = {fast}, got {slow}; a slow pair makes "
            "fewer turns than a fast one"
        )


def distance_buckets(
    n_buckets: int, max_distance: int, bidirectional: bool
) -> None:
    """There is a bucket for each near distance, and room for the far ones."""
    whole_number("n_buckets", n_buckets)
    multiple = 4 if bidirectional else 2
    if n_buckets % multiple:
        raise ValueError(
            f"n_buckets: expected a multiple of {multiple}, got {n_buckets}; half "
            "of the buckets hold one distance each"
            + (", on both sides of the query" if bidirectional else "")
        )
    whole_number("max_distance", max_distance)
    exact = n_buckets // multiple
    if max_distance <= exact:
        raise ValueError(
            f"max_distance: expected more than {exact}, the distances that have a "
            f"bucket of their own, got {max_distance}; take fewer buckets"
        )
