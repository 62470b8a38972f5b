"""12.9: how much of the attention lies on the thing, and how much would by chance."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _overlap(low, high, count, size):
    """The pixels that each of ``count`` patches of ``size`` shares with [low, high): (batch, count)."""
    begin = torch.arange(count) * size
    return (torch.minimum(begin + size, high[:, None]) - torch.maximum(begin, low[:, None])).clamp(min=0)


# (low, high, count, size) → the share of each patch, along one axis, that lies in the box.
COVER = Mistakes(
    "cover",
    right=lambda low, high, count, size: _overlap(low, high, count, size) / size,
    touched=Wrong(
        lambda low, high, count, size: (_overlap(low, high, count, size) > 0).float(),
        "A patch that the box touches is counted whole. It counts by the share of its pixels that lie in the "
        "box.",
    ),
    inside=Wrong(
        lambda low, high, count, size: (_overlap(low, high, count, size) == size).float(),
        "Only patches that lie wholly in the box are counted. A patch at the edge counts by the share of its "
        "pixels that lie in the box.",
    ),
    inclusive=Wrong(
        lambda low, high, count, size: _overlap(low, high + 1, count, size) / size,
        "The row `bottom` and the column `right` are counted as part of the box. They are the first ones "
        "after it, as in a slice of Python.",
    ),
    in_patches=Wrong(
        lambda low, high, count, size: _overlap(low, high, count, 1).float(),
        "The box is read in patches. It is given in pixels, and a patch has `size` of them along each side.",
    ),
)
AXES = Mistakes(
    "axes",
    right=(0, 1, 2, 3),
    exchanged=Wrong(
        (1, 0, 3, 2),
        "Rows and columns are exchanged: the box is (top, left, bottom, right), and top and bottom go with "
        "the rows.",
    ),
    sizes=Wrong(
        (0, 1, None, None),
        "The last two numbers are read as height and width. They are bottom and right, the ends of the box.",
    ),
)
WHOLE = Mistakes(
    "whole",
    right=lambda inside, weights: inside / weights.sum((1, 2)),
    not_divided=Wrong(
        lambda inside, weights: inside,
        "The weights in the box are added up, and not divided by the weights on all patches. A row of the "
        "class token also has a weight on itself, so that the patches together have less than 1.",
    ),
    averaged=Wrong(
        lambda inside, weights: inside / weights[0].numel(),
        "The weights in the box are divided by the number of patches. Divide them by the weights on all "
        "patches.",
    ),
)
CHANCE = Mistakes(
    "chance",
    right=lambda mass, area, patches: mass / area,
    difference=Wrong(
        lambda mass, area, patches: mass - area,
        "You took the difference between the mass and the area. How many *times* more than by chance is a "
        "quotient.",
    ),
    inverted=Wrong(
        lambda mass, area, patches: area / mass,
        "The quotient stands upside down: yours is large when the attention avoids the box.",
    ),
    pixels=Wrong(
        lambda mass, area, patches: mass / (area * patches),
        "You divide by the number of patches in the box. An even spread gives the box its *share* of the "
        "picture.",
    ),
)


def mass_in_box(
    weights, box, size, *, cover=COVER.right, axes=AXES.right, whole=WHOLE.right, chance=CHANCE.right
):
    _, rows, columns = weights.shape
    top, left = box[:, axes[0]], box[:, axes[1]]
    bottom = top + box[:, 2] if axes[2] is None else box[:, axes[2]]
    right = left + box[:, 3] if axes[3] is None else box[:, axes[3]]
    down, across = cover(top, bottom, rows, size), cover(left, right, columns, size)
    share = down[:, :, None] * across[:, None, :]  # of each patch, what lies in the box
    mass = whole((weights * share).sum((1, 2)), weights)
    return mass, chance(mass, share.mean((1, 2)), rows * columns)


def _ends(draw: Draw, size: int, count: int) -> tuple[int, int]:
    """Ends that cut two patches and hold a whole one between them."""
    first, last = sorted(draw.random.sample(range(count), 2))
    while last - first < 2:
        first, last = sorted(draw.random.sample(range(count), 2))
    return first * size + draw.random.randint(1, size - 1), last * size + draw.random.randint(1, size - 1)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "edge"):
        batch, rows, columns = draw.sizes(3, 4, 8)
        size = draw.random.randint(3, 6)
        boxes = []
        for _ in range(batch):
            (top, bottom), (left, right) = _ends(draw, size, rows), _ends(draw, size, columns)
            boxes.append([top, left, bottom, right])
        scores = draw.normal(batch, rows * columns + 1, scale=1.5)
        if kind == "edge":  # the class token keeps most of its weight to itself
            scores[:, 0] += 5
        weights = torch.softmax(scores, dim=-1)[:, 1:].unflatten(1, (rows, columns)).contiguous()
        found.append(
            Case(
                {"weights": weights, "box": torch.tensor(boxes), "size": size},
                group=kind,
                note="the class token's weight on itself is large" if kind == "edge" else "",
            )
        )
    return found


EXERCISE = Function(
    id="12.9",
    title="On the thing, or beside it",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="mass_in_box(weights, box, size)",
    outputs=(Output("mass", ("batch",)), Output("times_chance", ("batch",))),
    reference=mass_in_box,
    cases=cases,
    mistakes=(COVER, AXES, WHOLE, CHANCE),
    meaningless=((COVER["in_patches"], AXES["sizes"]),),
    together=2,
    tolerance=(1e-4, 1e-6),
    forbidden=("attnbook.analysis",),
    hints=(
        "Make the share of each patch that lies in the box first: (batch, rows, columns), from 0 to 1.",
        "Along one axis a patch runs from r · size to (r + 1) · size. Its overlap with the box is min(ends) "
        "− max(beginnings), and never less than 0.",
        "The share is (overlap of rows / size) · (overlap of columns / size). Its mean is the area of the "
        "box in the picture.",
    ),
)
