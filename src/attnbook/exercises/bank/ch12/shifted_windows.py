"""12.13 (starred): attention within shifted windows.

Liu et al. (2021), arXiv 2103.14030, section 3.2: the picture is rolled, cut into windows, and what was not
neighbours before the roll may not attend to one another. One head, no relative positions.
"""

import math

import torch

from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _cut(maps, window):
    """(batch, height, width, d) → (batch, windows, window², d), row by row."""
    batch, height, width, d = maps.shape
    cells = maps.reshape(batch, height // window, window, width // window, window, d)
    return cells.transpose(2, 3).reshape(batch, -1, window * window, d)


CUT = Mistakes(
    "cut",
    right=_cut,
    at_once=Wrong(
        lambda maps, window: maps.reshape(maps.shape[0], -1, window * window, maps.shape[-1]),
        "The picture is reshaped into windows at once, so that a window of yours is a run of pixels of one "
        "row. Split height and width into two axes each, then bring the two axes of the windows together.",
    ),
)
ROLL = Mistakes(
    "roll",
    right=-1,
    other_way=Wrong(
        1,
        "The picture is rolled the other way, down and to the right. It goes up and to the left, and back "
        "again at the end.",
    ),
    none=Wrong(0, "The picture is not rolled: your windows lie where they always lie."),
)
BACK = Mistakes(
    "back",
    right=-1,
    none=Wrong(
        0,
        "What comes out is not rolled back: each pixel gets the context of another, `shift` rows and columns "
        "away.",
    ),
    again=Wrong(
        1,
        "What comes out is rolled in the same direction once more. It has to go back.",
    ),
)
# (same rows' side, same columns' side) → may attend.
REGION = Mistakes(
    "region",
    right=lambda rows, columns: rows & columns,
    all=Wrong(
        lambda rows, columns: torch.ones_like(rows & columns),
        "There is no mask. In the last windows the roll has brought the top of the picture beside its "
        "bottom, and they attend to one another.",
    ),
    rows=Wrong(
        lambda rows, columns: rows & torch.ones_like(columns),
        "The mask keeps top and bottom apart, and not left and right.",
    ),
    columns=Wrong(
        lambda rows, columns: columns & torch.ones_like(rows),
        "The mask keeps left and right apart, and not top and bottom.",
    ),
    either=Wrong(
        lambda rows, columns: rows | columns,
        "Your mask allows a pair that agrees in rows *or* in columns. It has to agree in both.",
    ),
)
EDGE = Mistakes(
    "edge",
    right=lambda side, window, shift: side - shift,
    window=Wrong(
        lambda side, window, shift: side - window + shift,
        "The seam is in the wrong place. After the roll, the first `shift` rows of the picture stand at its "
        "end, so that the seam lies `shift` rows before the end.",
    ),
)


def shifted_windows(
    query, key, value, window, shift,
    *, cut=CUT.right, roll=ROLL.right, back=BACK.right, region=REGION.right, edge=EDGE.right,
    scale=KEY_SCALE.right,
):  # fmt: skip
    _, height, width, d = query.shape
    query, key, value = (
        cut(torch.roll(maps, (roll * shift, roll * shift), (1, 2)), window) for maps in (query, key, value)
    )
    rows = (torch.arange(height) < edge(height, window, shift)).float()  # which side of the seam
    columns = (torch.arange(width) < edge(width, window, shift)).float()
    sides = cut(torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)[None], window)[0]
    same = sides[:, :, None] == sides[:, None]  # (windows, window², window², 2)
    allowed = region(same[..., 0], same[..., 1])
    scores = scale(query @ key.mT, d)  # (batch, windows, window², window²)
    context = torch.softmax(scores.masked_fill(~allowed, -math.inf), dim=-1) @ value
    # The way back undoes the cut: where each pixel went is where its context comes from.
    went = cut(torch.arange(height * width).view(1, height, width, 1), window).flatten()
    flat = torch.empty_like(context.flatten(1, 2))
    flat[:, went] = context.flatten(1, 2)
    return torch.roll(flat.unflatten(1, (height, width)), (-back * shift, -back * shift), (1, 2))


def cases(draw: Draw) -> list[Case]:
    found = []
    for window, shift in ((3, 1), (4, 1), (5, draw.random.choice((1, 2, 3)))):
        rows, columns = draw.random.sample((2, 3), 2)
        batch, d = draw.random.choice(((2, 5), (3, 7), (2, 7)))
        pictures = [draw.normal(batch, rows * window, columns * window, d, scale=1.2) for _ in range(3)]
        found.append(
            Case(
                {
                    **dict(zip(("query", "key", "value"), pictures, strict=True)),
                    "window": window,
                    "shift": shift,
                }
            )
        )
    return found


EXERCISE = Function(
    id="12.13",
    title="★ Windows that overlap from layer to layer",
    points=5,
    minutes=30,
    difficulty="hard",
    signature="shifted_windows(query, key, value, window, shift)",
    outputs=(Output("context", ("batch", "height", "width", "d")),),
    reference=shifted_windows,
    cases=cases,
    mistakes=(CUT, ROLL, BACK, REGION, EDGE, KEY_SCALE),
    meaningless=((REGION["all"], EDGE),),
    together=2,
    tolerance=(5e-4, 5e-5),
    forbidden=("attnbook.nn", "scaled_dot_product_attention"),
    hints=(
        "Roll all three pictures with `torch.roll(…, (-shift, -shift), (1, 2))`, and cut them into windows "
        "as in 12.2.",
        "Give each pixel the number of its region after the roll, 0 to 3: before or after the seam, in rows "
        "and in columns. Cut these numbers into windows too.",
        "Two pixels of a window may attend to each other where their region is the same. Then put the "
        "windows together again and roll back.",
    ),
)
