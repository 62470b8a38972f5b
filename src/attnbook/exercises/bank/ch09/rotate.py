"""9.6: rotary positions where the words of a batch stand at different places."""

import torch

from attnbook.exercises.bank.ch09._pairs import EXPONENT, PAIRS, angles, even_size
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

DIRECTION = Mistakes(
    "direction",
    right=lambda angle: angle,
    back=Wrong(
        lambda angle: -angle,
        "The pairs are turned the wrong way. (1, 0) should become (cos, sin): the minus belongs to the "
        "first number of a pair.",
    ),
)
SPEED = EXPONENT.only("i", "doubled", "from_1")


def concatenated(angle):
    """Column c gets the angle of pair c modulo size / 2."""
    both = torch.cat([angle, angle], dim=-1)
    return both[..., 0::2], both[..., 1::2]


# The angles of the first and of the second numbers of the pairs.
ORDER = Mistakes(
    "order",
    right=lambda angle: (angle, angle),
    concatenated=Wrong(
        concatenated,
        "The two numbers of a pair get different angles, so the pair is not turned but warped. Your "
        "cosines are laid out for halves, θ0 θ1 … θ0 θ1 …, and your pairs are neighbours.",
    ),
)
# Positions that broadcast to (batch, n_heads, length).
PLACE = Mistakes(
    "place",
    right=lambda x, positions: positions[:, None],
    counted=Wrong(
        lambda x, positions: torch.arange(x.shape[2]),
        "You count 0, 1, 2, … yourself. The positions are given, and differ from sentence to sentence.",
    ),
    from_1=Wrong(
        lambda x, positions: positions[:, None] + 1,
        "Every word is turned one position too far: yours are counted from 1. A word at position 0 is not "
        "turned at all.",
    ),
    first=Wrong(
        lambda x, positions: positions[:1, None],
        "All sentences get the positions of the first one. Each has a row of its own.",
    ),
    heads=Wrong(
        lambda x, positions: torch.arange(x.shape[1])[:, None],
        "The heads are taken for positions: head 0 is not turned, head 1 by one step. A word is turned by "
        "its own position, in all heads alike.",
    ),
)


def turn(x, angle, *, pairs=PAIRS.right, order=ORDER.right):
    """Turn each pair of the last axis by its angle, (…, size / 2)."""
    (cos, sin), (cos_second, sin_second) = (
        (part.cos().to(x.dtype), part.sin().to(x.dtype)) for part in order(angle)
    )
    return pairs(x, lambda a, b: (a * cos - b * sin, a * sin_second + b * cos_second))


def rotate(
    x, positions,
    *, pairs=PAIRS.right, direction=DIRECTION.right, exponent=SPEED.right, order=ORDER.right,
    place=PLACE.right,
):  # fmt: skip
    angle = angles(place(x, positions), x.shape[-1], exponent=exponent)
    return turn(x, direction(angle), pairs=pairs, order=order)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("counted", "counted", "padded", "anywhere"):
        batch, n_heads, length = draw.sizes(3, 2, 9)
        while length < 3:
            batch, n_heads, length = draw.sizes(3, 2, 9)
        d_head = even_size(draw, batch, n_heads, length)
        positions = torch.arange(length).repeat(batch, 1)
        if kind == "padded":  # the words of shorter sentences stand at the right
            empty = [0, 2, *(draw.random.randrange(length - 1) for _ in range(batch - 2))]
            draw.random.shuffle(empty)
            positions = (positions - torch.tensor(empty)[:, None]).clamp(min=0)
        elif kind == "anywhere":
            positions = draw.integers(batch, length, high=40)
        found.append(
            Case(
                {"x": draw.normal(batch, n_heads, length, d_head), "positions": positions},
                group={"counted": "plain", "padded": "mask", "anywhere": "edge"}[kind],
                note={
                    "counted": "each sentence stands at positions 0, 1, 2, …",
                    "padded": "short sentences are padded on the left, and their first word is position 0",
                    "anywhere": "positions in any order",
                }[kind],
            )
        )
    return found


def rows_keep_length(args, outputs) -> bool:
    return torch.allclose(outputs["turned"].norm(dim=-1), args["x"].norm(dim=-1), rtol=1e-3, atol=1e-4)


EXERCISE = Function(
    id="9.6",
    title="Rotary positions for a padded batch",
    points=4,
    minutes=18,
    difficulty="medium",
    signature="rotate(x, positions)",
    outputs=(Output("turned", ("batch", "n_heads", "length", "d_head")),),
    reference=rotate,
    cases=cases,
    tolerance=(1e-4, 1e-4),
    properties=(Property("turning changes no vector's length", rows_keep_length),),
    mistakes=(PAIRS, DIRECTION, SPEED, ORDER, PLACE),
    together=3,
    meaningless=((PAIRS, ORDER),),
    forbidden=("attnbook.nn",),
    hints=(
        "Angles first: `positions[..., None] / 10000 ** (2 * i / d_head)` is (batch, length, d_head / 2).",
        "The same angles hold for all heads: `angle[:, None]` is (batch, 1, length, d_head / 2).",
        "With `a, b = x[..., 0::2], x[..., 1::2]`, a pair becomes (a cos − b sin, a sin + b cos). "
        "`torch.stack(..., dim=-1).flatten(-2)` puts pairs back in their columns.",
    ),
)
