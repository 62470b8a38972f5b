"""6.4: how much of an attention map lies in a box, and whether its peak does."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

CORNERS = Mistakes(
    "corners",
    right=lambda box: box,
    swapped=Wrong(
        lambda box: box[:, [1, 0, 3, 2]],
        "Rows and columns are exchanged. A box is (top, left, bottom, right): the first and the third "
        "number count rows, the others columns.",
    ),
    width=Wrong(
        lambda box: torch.stack([box[:, 0], box[:, 1], box[:, 0] + box[:, 2], box[:, 1] + box[:, 3]], 1),
        "The last two numbers are read as height and width. They are the row and the column at which the "
        "box ends.",
    ),
)
END = Mistakes(
    "end",
    right=0,
    inclusive=Wrong(
        1,
        "Your box is one row and one column too large: `bottom` and `right` are the first ones "
        "*outside*, as in a slice.",
    ),
)
TOTAL = Mistakes(
    "total",
    right=lambda weights, inside: (weights * inside).sum((1, 2)),
    density=Wrong(
        lambda weights, inside: (weights * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1),
        "The mass is divided by the box's area. That is the mean weight of a cell; asked for is the "
        "weight of all cells of the box together.",
    ),
    share_of_cells=Wrong(
        lambda weights, inside: inside.to(weights.dtype).mean((1, 2)),
        "That is the box's share of the picture's cells, which is what a map that looks everywhere alike "
        "would get. The weights are not used.",
    ),
    lift=Wrong(
        lambda weights, inside: (
            (weights * inside).sum((1, 2)) / inside.to(weights.dtype).mean((1, 2)).clamp_min(1e-6)
        ),
        "The mass is divided by the box's share of the picture. That says how many times more than "
        "chance it is; asked for is the mass itself, a number from 0 to 1.",
    ),
)


def peak(weights: torch.Tensor) -> torch.Tensor:
    """1 at the largest weight of each map, (batch, rows, columns)."""
    flat = weights.flatten(1)
    return torch.zeros_like(flat).scatter(1, flat.argmax(1, keepdim=True), 1.0).view(weights.shape)


def centre_of_mass(weights: torch.Tensor) -> torch.Tensor:
    """1 at the cell of each map's centre of mass."""
    rows = (weights.sum(2) * torch.arange(weights.shape[1])).sum(1) / weights.sum((1, 2))
    columns = (weights.sum(1) * torch.arange(weights.shape[2])).sum(1) / weights.sum((1, 2))
    marked = torch.zeros_like(weights)
    marked[torch.arange(len(weights)), rows.round().long(), columns.round().long()] = 1.0
    return marked


HIT = Mistakes(
    "hit",
    right=lambda weights, inside: (peak(weights) * inside).sum((1, 2)) > 0,
    half=Wrong(
        lambda weights, inside: (weights * inside).sum((1, 2)) > 0.5,
        "You call it a hit when more than half of the weight lies inside. The pointing game asks for the "
        "one cell with the largest weight.",
    ),
    centre=Wrong(
        lambda weights, inside: (centre_of_mass(weights) * inside).sum((1, 2)) > 0,
        "You ask where the centre of mass lies. Between two peaks it lies on neither; the pointing game "
        "asks for the one cell with the largest weight.",
    ),
    any_peak=Wrong(
        lambda weights, inside: (weights * inside).sum((1, 2)) > 0,
        "You call it a hit when any weight at all lies inside, which is always so after a softmax. The "
        "pointing game asks for the one cell with the largest weight.",
    ),
)


def where_it_looks(weights, box, *, corners=CORNERS.right, end=END.right, total=TOTAL.right, hit=HIT.right):
    top, left, bottom, right = corners(box).unbind(1)
    rows, columns = torch.arange(weights.shape[1]), torch.arange(weights.shape[2])
    in_rows = (rows >= top[:, None]) & (rows < bottom[:, None] + end)
    in_columns = (columns >= left[:, None]) & (columns < right[:, None] + end)
    inside = in_rows[:, :, None] & in_columns[:, None, :]
    return total(weights, inside), hit(weights, inside).to(torch.float32)


# For each map of a batch: where its peak lies, and whether the box holds most of the weight.
KINDS = ("peak inside", "peak outside", "peak beside", "two peaks", "peak inside", "peak beside")


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        rows, columns = draw.sizes(2, 8, 12)
        weights, boxes = [], []
        for kind in draw.random.sample(KINDS, len(KINDS)):
            height, width = draw.random.sample((2, 3, 4), 2)
            top, left = draw.random.randint(1, rows - height - 2), draw.random.randint(1, columns - width - 2)
            scores = draw.normal(rows, columns, scale=0.4)
            if kind == "peak inside":  # with less than half of the weight in the box
                scores[top + height - 1, left + width - 1] += 3.0
            elif kind == "peak outside":  # with more than half of it in the box
                scores[top : top + height, left : left + width] += 3.4
                scores[0, columns - 1] = scores.max() + 0.3
            elif kind == "peak beside":  # in the first column or row after the box
                at = (top + height, left) if draw.random.random() < 0.5 else (top, left + width)
                scores[at] += 4.0
            else:  # the centre of mass lies between the two
                scores[top, left] += 4.5
                scores[rows - 1 if top < rows / 2 else 0, columns - 1 if left < columns / 2 else 0] += 4.3
            weights.append(torch.softmax(scores.flatten(), 0).view(rows, columns))
            boxes.append([top, left, top + height, left + width])
        found.append(Case({"weights": torch.stack(weights), "box": torch.tensor(boxes)}))
    return found


def from_nothing_to_all(args, outputs) -> bool:
    return bool(((outputs["mass"] >= 0) & (outputs["mass"] <= 1 + 1e-5)).all())


EXERCISE = Function(
    id="6.4",
    title="Where it looks, where the thing is",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="where_it_looks(weights, box)",
    outputs=(Output("mass", ("batch",)), Output("hit", ("batch",))),
    reference=where_it_looks,
    cases=cases,
    properties=(Property("the mass lies between 0 and 1", from_nothing_to_all),),
    mistakes=(CORNERS, END, TOTAL, HIT),
    together=2,
    meaningless=((CORNERS, HIT), (END, HIT)),  # another box may hide another question
    hints=(
        "A mask of the box, (batch, rows, columns): `torch.arange(rows)` compared with top and bottom, "
        "and the same for the columns.",
        "The mass is the sum of weight times mask over rows and columns.",
        "For the hit, flatten the map, find the largest weight's place, and look the mask up there.",
    ),
)
