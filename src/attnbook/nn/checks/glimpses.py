"""What a glimpse sensor is given."""

from torch import Tensor

from attnbook.nn.checks.tensors import (
    dimensions,
    floating,
    last_size,
    same_batch,
    same_kind,
)


def glimpse_inputs(image: Tensor, location: Tensor) -> None:
    """``image`` is (batch, height, width), ``location`` (batch, 2); both are
    floating.
    """
    dimensions("image", image, ("batch", "height", "width"))
    floating("image", image)
    dimensions("location", location, ("batch", "2"))
    last_size("location", location, 2, "a row and a column from −1 to 1")
    same_batch("image", image, "location", location)
    same_kind("image", image, "location", location)
