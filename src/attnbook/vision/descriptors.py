"""What a patch of a photograph knows of itself: numbers for attention that has learned nothing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from attnbook.arguments import whole_number

ANGLES = (0, 45, 90, 135)  # degrees of a line: 0 lies, 90 stands
WIDEST = 2.0  # standard deviations; what lies further out counts as this
DARK = 1e-4  # added to the strength of an edge before its logarithm, so that an even patch has one


def patch_descriptors(photo: Tensor, patch_size: int) -> dict[str, Tensor]:
    """Vectors that serve as queries and keys, one for each of the N = (h / P) · (w / P) patches, row by row.

    Each quantity is standardised over the patches and written as two numbers (:func:`two_numbers`), so that
    all vectors of one set have the same length, and the product of two is largest where all quantities agree.

    Parameters
    ----------
    photo : (h, w, 3), floating, from 0 to 1
    patch_size : int
        P, in pixels; divides both sides.

    Returns
    -------
    dict
        "colour" (N, 6): mean red, green and blue. "edges" (N, 8): the logarithm of how much the brightness
        changes across lines of 0, 45, 90 and 135 degrees, a mean square. "place" (N, 4): row and column.
        "all" (N, 18): the three in this order.

    Raises
    ------
    TypeError, ValueError
        If the photo is no such picture, or patches of this size do not fill it with at least two rows and
        two columns.
    """
    if not isinstance(photo, Tensor) or not photo.is_floating_point():
        raise TypeError("photo: expected a floating-point tensor of shape (h, w, 3); divide bytes by 255")
    if photo.dim() != 3 or photo.shape[2] != 3:
        raise ValueError(f"photo: expected the shape (h, w, 3), got {tuple(photo.shape)}")
    whole_number("patch_size", patch_size)
    height, width = photo.shape[:2]
    if height % patch_size or width % patch_size or min(height, width) < 2 * patch_size:
        raise ValueError(
            f"patch_size: expected a divisor of {height} and {width} that leaves at least two rows and "
            f"two columns of patches, got {patch_size}"
        )
    down, across = torch.gradient(photo.mean(dim=2))  # (h, w) each
    angles = [math.radians(angle) for angle in ANGLES]
    edges = torch.stack([(across * math.sin(a) + down * math.cos(a)).square() for a in angles], dim=2)
    rows, columns = height // patch_size, width // patch_size
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).to(photo)
    parts = {
        "colour": two_numbers(means(photo, patch_size)),
        "edges": two_numbers((DARK + means(edges, patch_size)).log()),
        "place": two_numbers(place),
    }
    return {**parts, "all": torch.cat(list(parts.values()), dim=1)}


def means(maps: Tensor, patch_size: int) -> Tensor:
    """The mean of each map over each patch, row by row: (h, w, n) → (N, n)."""
    rows, columns = (side // patch_size for side in maps.shape[:2])
    return (
        maps.unflatten(1, (columns, patch_size))
        .unflatten(0, (rows, patch_size))
        .mean(dim=(1, 3))
        .flatten(0, 1)
    )


def two_numbers(quantities: Tensor) -> Tensor:
    """Each quantity as a point on half a circle: (N, n) → (N, 2n).

    Standardised over the N patches to z, and limited to two standard deviations either way, it becomes
    cos(z·π/4) and sin(z·π/4). The product of two patches is then cos((z − z′)·π/4): 1 where they agree, −1
    where they are as far apart as can be. A quantity that is the same everywhere counts as the mean.
    """
    spread = quantities.std(dim=0, correction=0).clamp(min=1e-6)
    z = ((quantities - quantities.mean(dim=0)) / spread).clamp(-WIDEST, WIDEST)
    angle = z * (math.pi / 4)
    return torch.stack([angle.cos(), angle.sin()], dim=2).flatten(1)
