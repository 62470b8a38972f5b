"""1.5: winner-take-all that forgets where it has looked."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# What is inhibited from now on: (inhibited so far, disc around the winner) → mask.
MEMORY = Mistakes(
    "memory",
    right=lambda inhibited, disc: inhibited | disc,
    last=Wrong(
        lambda inhibited, disc: disc,
        "Only the place looked at last is inhibited; all earlier ones are free again. So the eye goes "
        "back and forth between the two best places. What should become of the old inhibition?",
    ),
    none=Wrong(
        lambda inhibited, disc: inhibited, "Nothing is inhibited: the eye stays where it is for ever."
    ),
)
# The disc, from the distances to the winner along rows and columns.
DISC = Mistakes(
    "disc",
    right=lambda down, across, radius: down**2 + across**2 <= radius**2,
    square=Wrong(
        lambda down, across, radius: (down.abs() <= radius) & (across.abs() <= radius),
        "A square is inhibited. It should be a disc of the given radius.",
    ),
    pixel=Wrong(
        lambda down, across, radius: (down == 0) & (across == 0),
        "Only the winning pixel itself is inhibited, so the next look falls beside it. A whole disc "
        "should be.",
    ),
    radius_not_squared=Wrong(
        lambda down, across, radius: down**2 + across**2 <= radius,
        "The squared distance is compared with the radius itself. Square both, or neither.",
    ),
)
ORDER = Mistakes(
    "order",
    right=lambda path: path,
    column_first=Wrong(
        lambda path: path.flip(1), "The columns of the result are exchanged: the row comes first."
    ),
)
DIVISOR = Mistakes(
    "divisor",
    right=lambda h, w: w,
    height=Wrong(
        lambda h, w: h,
        "The number of the winning pixel is divided by the number of rows. Counting goes along a row, so "
        "a new row begins after as many pixels as a row has.",
    ),
)


def winner_take_all(
    saliency, n_looks, radius,
    *, memory=MEMORY.right, disc=DISC.right, order=ORDER.right, divisor=DIVISOR.right,
):  # fmt: skip
    h, w = saliency.shape
    rows, columns = torch.arange(h).unsqueeze(1), torch.arange(w).unsqueeze(0)
    inhibited = torch.zeros(h, w, dtype=torch.bool)
    path = []
    for _ in range(n_looks):
        winner = int(saliency.masked_fill(inhibited, -1.0).argmax())
        row, column = divmod(winner, divisor(h, w))
        path.append((row, column))
        inhibited = memory(inhibited, disc(rows - row, columns - column, radius))
    return order(torch.tensor(path, dtype=torch.int64))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        h, w = draw.random.sample(range(11, 17), 2)
        row, column = draw.random.randint(4, h - 5), draw.random.randint(4, w - 5)
        rows, columns = torch.arange(h).unsqueeze(1), torch.arange(w).unsqueeze(0)
        # A hill: the places that an inhibited disc just covers, and just not, are the next largest.
        hill = torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 3.0**2))
        saliency = hill + draw.uniform(h, w, high=0.25)
        found.append(
            Case({"saliency": saliency, "n_looks": 6, "radius": draw.random.choice([2.3, 2.5, 3.2])})
        )
    return found


EXERCISE = Function(
    id="1.5",
    title="Eyes that go back and forth",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="winner_take_all(saliency, n_looks, radius)",
    outputs=(Output("path", ("looks", "row and column")),),
    reference=winner_take_all,
    cases=cases,
    mistakes=(MEMORY, DISC, ORDER, DIVISOR),
    meaningless=((MEMORY, DISC), (MEMORY, DIVISOR), (DISC, DIVISOR)),
    forbidden=("attnbook.nn",),
    hints=(
        "Print the path. Which places does it visit, and in which order?",
        "What does `inhibited` hold after the second look, and what after the third?",
        "For boolean tensors, `|` keeps what either of two holds.",
    ),
)
