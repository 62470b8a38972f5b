"""What several exercises do with positions: an even size, pairs of numbers, and the angle of each pair."""

import torch

from attnbook.exercises.spec import Draw, Mistakes, Wrong

# How fast a pair turns: (pair, size) → the exponent of 1/10000.
EXPONENT = Mistakes(
    "exponent",
    right=lambda i, size: 2 * i / size,
    i=Wrong(
        lambda i, size: i / size,
        "The exponent of the angles is i/d. It is 2i/d, with i counting the pairs: 0, 1, 2, …; your "
        "slowest pair turns too fast.",
    ),
    one=Wrong(
        lambda i, size: 0 * i,
        "All pairs are turned by the same angle, k. Each has a speed of its own: k · 10000^(−2i/d) for "
        "pair i.",
    ),
    doubled=Wrong(
        lambda i, size: 4 * i / size,
        "The exponent of the angles is doubled: `torch.arange(0, d, 2)` counts 0, 2, 4, … and holds the "
        "factor "
        "2 already. It is 2i/d, with i counting the pairs: 0, 1, 2, …",
    ),
    from_1=Wrong(
        lambda i, size: 2 * (i + 1) / size,
        "The pairs are counted from 1. With i from 0, the first pair has the exponent 0 and turns by 1 "
        "radian a position.",
    ),
)

# Which numbers of the last axis make a pair: (x, changed(firsts, seconds) → two tensors) → x.
PAIRS = Mistakes(
    "pairs",
    right=lambda x, changed: torch.stack(changed(x[..., 0::2], x[..., 1::2]), dim=-1).flatten(-2),
    halves=Wrong(
        lambda x, changed: torch.cat(changed(*x.chunk(2, dim=-1)), dim=-1),
        "A number is paired with the one half a row further on: 0 with d/2, 1 with d/2 + 1. Here pairs "
        "are neighbours, (0, 1), (2, 3), …. Both ways are in use, and what was trained with one does not "
        "work with the other.",
    ),
)


def angles(positions: torch.Tensor, size: int, *, exponent=EXPONENT.right) -> torch.Tensor:
    """``positions · 10000^(−2i / size)`` for the pairs i, float64: (…, size / 2)."""
    i = torch.arange(size // 2, dtype=torch.float64)
    return positions.to(torch.float64).unsqueeze(-1) / 10000.0 ** exponent(i, size)


def even_size(draw: Draw, *others: int, low: int = 4, high: int = 12) -> int:
    """An even size from low to high that is none of the others."""
    return draw.random.choice([size for size in range(low, high + 1, 2) if size not in others])


def sinusoids(positions: torch.Tensor, size: int) -> torch.Tensor:
    """The rows of sinusoidal positions: sine and cosine of each pair in turn, (positions, size)."""
    angle = angles(positions, size)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2).float()
