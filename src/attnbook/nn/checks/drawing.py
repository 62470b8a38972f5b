"""What filter banks and networks that draw are given."""

import torch
from torch import Tensor

from attnbook.nn.checks.tensors import dimensions, floating, last_size, same_kind


def grey_pictures(name: str, given: Tensor, height: int, width: int) -> None:
    """``given`` is (batch, height, width), floating."""
    floating(name, given)
    dimensions(name, given, ("batch", "height", "width"))
    if tuple(given.shape[1:]) != (height, width):
        raise ValueError(
            f"{name}: expected pictures of {height} × {width} pixels, got shape "
            f"{tuple(given.shape)}; resize them, or build the module for theirs"
        )


def probabilities(name: str, given: Tensor) -> None:
    """``given`` holds numbers from 0 to 1 alone."""
    # not (… and …), so that NaN is refused too
    if given.numel() and not (given.min() >= 0 and given.max() <= 1):
        raise ValueError(
            f"{name}: expected numbers from 0 to 1, got {given.min():.3g} to "
            f"{given.max():.3g}; divide a picture of bytes by 255"
        )


def raw_window(name: str, given: Tensor) -> None:
    """``given`` is (batch, 5), floating."""
    floating(name, given)
    dimensions(name, given, ("batch", "5"))
    last_size(name, given, 5, "x, y, variance, stride, intensity")


def whole_window(name: str, given: Tensor) -> None:
    """``given`` is (batch, 5): x, y, stride, variance, intensity, the last three
    above 0.
    """
    floating(name, given)
    dimensions(name, given, ("batch", "5"))
    last_size(name, given, 5, "x, y, stride, variance, intensity")
    if torch.compiler.is_compiling():  # looking at values would break the graph
        return
    positive = given[:, 2:] > 0
    if not bool(positive.all()):
        raise ValueError(
            f"{name}: expected stride, variance and intensity above 0, got "
            f"{given[:, 2:][~positive][0]:.3g}; take the exponential of what a "
            "layer says"
        )


def window(name: str, given: Tensor, picture_name: str, picture: Tensor) -> None:
    """``given`` has a row for each of ``picture``, and its dtype and device."""
    floating(name, given)
    same_kind(picture_name, picture, name, given)
    dimensions(name, given, ("batch", "5"))
    if given.shape[0] != picture.shape[0]:
        raise ValueError(
            f"{name}: expected {picture.shape[0]} rows, one for each in "
            f"{picture_name}, got {given.shape[0]}; give every picture its window"
        )


def noise(
    name: str, given: Tensor, steps: int, latent: int, batch: int | None
) -> None:
    """``given`` is (batch, steps, latent), floating."""
    floating(name, given)
    dimensions(name, given, ("batch", "steps", "latent"))
    rows = given.shape[0] if batch is None else batch
    if tuple(given.shape) != (rows, steps, latent):
        raise ValueError(
            f"{name}: expected shape (batch, steps, latent) = "
            f"{(rows, steps, latent)}, got {tuple(given.shape)}; draw it with "
            f"torch.randn({rows}, {steps}, {latent})"
        )
