"""Pictures and feature maps, (batch, channels, h, w)."""

from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.tensors import floating


def pictures(name: str, given: Tensor) -> None:
    """``given`` is (batch, channels, h, w), floating, with at least one pixel."""
    floating(name, given)
    if given.dim() != 4 or 0 in given.shape[1:]:
        raise ValueError(
            f"{name}: expected shape (batch, channels, h, w), got "
            f"{tuple(given.shape)}; use unsqueeze(0) for one picture, and "
            "unsqueeze(1) for grey pictures without channels"
        )


def feature_maps(name: str, given: Tensor, channels: int) -> None:
    """``given`` is (batch, channels, h, w) with this number of channels."""
    pictures(name, given)
    if given.shape[1] != channels:
        raise ValueError(
            f"{name}: expected channels = {channels} in dimension 1, got shape "
            f"{tuple(given.shape)}; build the module for {given.shape[1]} "
            "channels, or move the channels there with permute"
        )


def picture_size(name: str, given: Tensor, size: tuple[int, int]) -> None:
    """Pictures of the height and width that a model was built for."""
    if tuple(given.shape[2:]) != size:
        raise ValueError(
            f"{name}: expected pictures of {size[0]} × {size[1]} pixels, got "
            f"{given.shape[2]} × {given.shape[3]}; use model.resized(...), which "
            "interpolates the positions"
        )


def position_rows(positions: Tensor, grid: tuple[int, int]) -> None:
    """One row for the class token and one for each patch of the grid."""
    expected = 1 + grid[0] * grid[1]
    if len(positions) != expected:
        raise ValueError(
            f"positions: expected {expected} rows for a class token and {grid[0]} "
            f"× {grid[1]} patches, got {len(positions)}; pass the class token's "
            "row first, and no registers"
        )


def odd(name: str, given: int) -> None:
    """``given`` is an odd whole number, so that a window has a middle."""
    whole_number(name, given)
    if given % 2 == 0:
        raise ValueError(
            f"{name}: expected an odd number, so that the window has a middle, got "
            f"{given}; choose {given - 1} or {given + 1}"
        )
