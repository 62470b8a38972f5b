"""9.10 ★: the base with which the slowest pair turns more slowly by a factor, and the fastest as before."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

POWER = Mistakes(
    "power",
    right=lambda d: d / (d - 2),
    one=Wrong(
        lambda d: 1.0,
        "The base is multiplied by the factor itself. That would be right if the slowest frequency were "
        "1/base; with i from 0, the last pair has i = d/2 − 1.",
    ),
    inverse=Wrong(
        lambda d: (d - 2) / d,
        "The exponent is upside down: the slowest frequency is the base to the power of −(d − 2)/d, and you "
        "want to undo that power.",
    ),
    pairs=Wrong(
        lambda d: d / 2,
        "The exponent is the number of pairs. Write the slowest frequency with the old base and with the "
        "new one, and demand that their ratio is the factor.",
    ),
)
SIDE = Mistakes(
    "side",
    right=lambda base, scaled: base * scaled,
    smaller=Wrong(
        lambda base, scaled: base / scaled,
        "Your base is smaller than before, and the slow pairs turn faster.",
    ),
)


def larger_base(d_head, factor, base, *, power=POWER.right, side=SIDE.right):
    return side(base, float(factor) ** power(d_head))


def cases(draw: Draw) -> list[Case]:
    return [
        Case(
            {
                "d_head": 2 * draw.random.randint(3, 8),
                "factor": draw.random.choice([2, 3, 4, 8]),
                "base": draw.random.choice([100.0, 1000.0, 10000.0]),
            }
        )
        for _ in range(4)
    ]


EXERCISE = Function(
    id="9.10",
    title="★ A base for longer texts",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="larger_base(d_head, factor, base)",
    outputs=(Output("new_base", kind="number"),),
    reference=larger_base,
    cases=cases,
    tolerance=(1e-4, 1e-6),
    mistakes=(POWER, SIDE),
    together=2,
    forbidden=("attnbook.nn",),
    hints=(
        "Which pair is the slowest, and what is its frequency with the old base?",
        "Its frequency with the new base has to be the old one divided by the factor. The fastest pair has "
        "the frequency 1 with any base.",
        "Solve new^(−(d − 2)/d) = base^(−(d − 2)/d) / factor for new.",
    ),
)
