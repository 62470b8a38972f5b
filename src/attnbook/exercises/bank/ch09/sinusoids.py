"""9.2: the sinusoidal position table."""

import torch

from attnbook.exercises.bank.ch09._pairs import EXPONENT as PAIR_EXPONENT
from attnbook.exercises.bank.ch09._pairs import even_size
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

LAYOUT = Mistakes(
    "layout",
    right=lambda sin, cos: torch.stack([sin, cos], dim=-1).flatten(-2),
    halves=Wrong(
        lambda sin, cos: torch.cat([sin, cos], dim=-1),
        "All sines stand in the left half and all cosines in the right half. In the paper's equation they "
        "alternate: sin, cos, sin, cos. The authors' program has halves; a model does not mind, as long "
        "as it is always the same one.",
    ),
    cos_first=Wrong(
        lambda sin, cos: torch.stack([cos, sin], dim=-1).flatten(-2),
        "Cosine comes first in each pair. The sine belongs in the even columns, 0, 2, 4, …",
    ),
)
EXPONENT = Mistakes(
    "exponent",
    right=lambda column, size: 2 * (column // 2) / size,
    i=Wrong(lambda column, size: column // 2 / size, PAIR_EXPONENT["i"].text),
    column=Wrong(
        lambda column, size: column / size,
        "The exponent grows from each column to the next. The sine and the cosine of a pair share one "
        "angle; otherwise a pair is no point on a circle.",
    ),
    to_the_end=Wrong(
        lambda column, size: 2 * (column // 2) / (size - 2),
        "Your slowest pair turns by exactly 1/10000 a position: the exponents run from 0 to 1. In the "
        "paper's equation the last is (d − 2)/d. The authors' program does what you do.",
    ),
)
BASE = Mistakes(
    "base",
    right=10000.0,
    thousand=Wrong(1000.0, "The base is 1,000. It is 10,000: your slow pairs turn too fast."),
)
FIRST = Mistakes(
    "first",
    right=0,
    one=Wrong(1, "The positions are one too high: you count from 1. The first word stands at 0."),
)
BEGIN = Mistakes(
    "begin",
    right=lambda start: start,
    at_0=Wrong(
        lambda start: 0,
        "Your table always begins at position 0. Its first row is position `start`.",
    ),
)


def sinusoids(
    length, d_model, start,
    *, layout=LAYOUT.right, exponent=EXPONENT.right, base=BASE.right, first=FIRST.right, begin=BEGIN.right,
):  # fmt: skip
    position = begin(start) + first + torch.arange(length, dtype=torch.float64)[:, None]
    column = torch.arange(d_model, dtype=torch.float64)
    angle = position / base ** exponent(column, d_model)  # (length, d_model)
    return layout(angle[:, 0::2].sin(), angle[:, 1::2].cos()).float()


def cases(draw: Draw) -> list[Case]:
    found = []
    for later in (False, False, True, True):
        length = draw.random.randint(5, 14)
        d_model = even_size(draw, length)
        start = draw.random.randint(3, 40) if later else 0
        found.append(
            Case(
                {"length": length, "d_model": d_model, "start": start},
                group="edge" if later else "plain",
                note=f"the first row is position {start}" if later else "the first row is position 0",
            )
        )
    return found


EXERCISE = Function(
    id="9.2",
    title="The table of waves",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="sinusoids(length, d_model, start)",
    outputs=(Output("table", ("length", "d_model")),),
    reference=sinusoids,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(LAYOUT, EXPONENT, BASE, FIRST, BEGIN),
    together=3,
    meaningless=((LAYOUT["halves"], EXPONENT["column"]),),
    forbidden=("attnbook.nn",),
    hints=(
        "First the angles, a table (length, d_model / 2): one row a position, one column a pair.",
        "`torch.arange(start, start + length)[:, None]`, divided by `10000 ** (2 * i / d_model)` with i "
        "= 0, 1, … as a row.",
        "To make sine and cosine alternate, assign to `table[:, 0::2]` and `table[:, 1::2]`.",
    ),
)
