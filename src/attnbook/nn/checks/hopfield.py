"""What Hopfield networks are given."""

from collections.abc import Sequence

from torch import Tensor

from attnbook.nn.checks.tensors import (
    at_least_2d,
    dimensions,
    floating,
    last_size,
    same_kind,
)


def hopfield_inputs(state: Tensor, patterns: Tensor) -> None:
    """State (…, states, d) and at least one pattern (…, patterns, d)."""
    floating("state", state)
    at_least_2d("state", state, "states", "d")
    floating("patterns", patterns)
    at_least_2d("patterns", patterns, "patterns", "d")
    same_kind("state", state, "patterns", patterns)
    if patterns.shape[-1] != state.shape[-1]:
        raise ValueError(
            f"patterns: expected last dimension d = {state.shape[-1]} as in state, "
            f"got shape {tuple(patterns.shape)}; store patterns as long as the "
            "state"
        )
    if patterns.shape[-2] == 0:
        raise ValueError(
            f"patterns: expected at least one pattern, got shape "
            f"{tuple(patterns.shape)}; store one first"
        )


def signs(name: str, given: Tensor, names: Sequence[str] | None = None) -> None:
    """``given`` holds −1 and 1 alone, in the dimensions ``names``."""
    floating(name, given)
    if names is not None:
        dimensions(name, given, names)
    if given.numel() and not bool((given.abs() == 1).all()):
        raise ValueError(
            f"{name}: expected the numbers -1 and 1 alone, got values from "
            f"{given.min():g} to {given.max():g}; make them with "
            "torch.where(x > 0, 1.0, -1.0)"
        )


def connections(name: str, given: Tensor, state: Tensor) -> None:
    """``given`` is (d, d) for a state (…, d)."""
    floating("state", state)
    floating(name, given)
    at_least_2d(name, given, "d", "d")
    dimensions(name, given, ("d", "d"))
    same_kind(name, given, "state", state)
    last_size("state", state, given.shape[-1], "d")
