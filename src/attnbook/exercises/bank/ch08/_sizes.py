"""Sizes that no swap of axes gets past."""

from attnbook.exercises.spec import Draw


def head_sizes(draw: Draw, count: int) -> tuple[list[int], int, int]:
    """``count`` lengths, n_heads and d_head, all different, and d_model different from all lengths."""
    while True:
        *lengths, n_heads, d_head = draw.sizes(count + 2, 2, 8)
        if n_heads * d_head not in lengths:
            return lengths, n_heads, d_head
