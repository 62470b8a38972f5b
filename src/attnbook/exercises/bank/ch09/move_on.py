"""9.4: from the encoding of a position to the one of another, without knowing either."""

import torch

from attnbook.exercises.bank.ch09._pairs import EXPONENT, PAIRS, angles, even_size, sinusoids
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# A pair is (sin a, cos a), and b the angle to go on by.
DIRECTION = Mistakes(
    "direction",
    right=lambda sin_a, cos_a, sin_b, cos_b: (
        sin_a * cos_b + cos_a * sin_b,
        cos_a * cos_b - sin_a * sin_b,
    ),
    back=Wrong(
        lambda sin_a, cos_a, sin_b, cos_b: (
            sin_a * cos_b - cos_a * sin_b,
            cos_a * cos_b + sin_a * sin_b,
        ),
        "Your rows are those k places *back*. A pair is (sin, cos), so forwards is the other way round "
        "than for (cos, sin): look at where the minus stands.",
    ),
    plus=Wrong(
        lambda sin_a, cos_a, sin_b, cos_b: (
            sin_a * cos_b + cos_a * sin_b,
            cos_a * cos_b + sin_a * sin_b,
        ),
        "A minus is missing. sin(a + b) is a sum of two products, cos(a + b) a difference.",
    ),
)
SPEED = EXPONENT.only("i", "doubled", "one")
STEP = Mistakes(
    "step",
    right=lambda encoding, k, turned: turned(encoding),
    added=Wrong(
        lambda encoding, k, turned: encoding + sinusoids(torch.tensor([k]), encoding.shape[-1]),
        "You add the encoding of k. The sine of a sum is not the sum of the sines: a step is a turn.",
    ),
)


def move_on(
    encoding, k, *, direction=DIRECTION.right, pairs=PAIRS.right, exponent=SPEED.right, step=STEP.right
):
    b = angles(torch.tensor([k]), encoding.shape[-1], exponent=exponent)  # (1, d_model / 2)
    sin_b, cos_b = b.sin().float(), b.cos().float()

    def turned(rows):
        return pairs(rows, lambda sin_a, cos_a: direction(sin_a, cos_a, sin_b, cos_b))

    return step(encoding, k, turned)


def cases(draw: Draw) -> list[Case]:
    found = []
    for back in (False, False, True):
        rows = draw.random.randint(3, 9)
        d_model = even_size(draw, rows)
        position = draw.integers(rows, high=60) + 10
        k = draw.random.randint(2, 9)
        found.append(
            Case(
                {"encoding": sinusoids(position, d_model), "k": -k if back else k},
                group="edge" if back else "plain",
                note="k is below 0: back, not on" if back else "",
            )
        )
    return found


def pairs_on_circles(args, outputs) -> bool:
    moved = outputs["moved"].unflatten(-1, (-1, 2))
    return bool((moved.square().sum(-1) - 1).abs().max() < 1e-3)


EXERCISE = Function(
    id="9.4",
    title="k places further on",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="move_on(encoding, k)",
    outputs=(Output("moved", ("rows", "d_model")),),
    reference=move_on,
    cases=cases,
    tolerance=(1e-4, 1e-4),
    properties=(
        Property(
            "each pair stays on its circle: the squares of its two numbers add up to 1",
            pairs_on_circles,
        ),
    ),
    mistakes=(DIRECTION, PAIRS, SPEED, STEP),
    meaningless=((STEP, DIRECTION), (STEP, PAIRS), (STEP, SPEED)),
    forbidden=("attnbook.nn",),
    hints=(
        "You need not find out the positions: sin(a + b) and cos(a + b) come from sin a, cos a and b.",
        "sin(a + b) = sin a cos b + cos a sin b;  cos(a + b) = cos a cos b − sin a sin b.",
        "`encoding[:, 0::2]` holds sin a of every pair, `encoding[:, 1::2]` cos a; b is `k / 10000 ** "
        "(2 * i / d_model)`, one number a pair.",
    ),
)
