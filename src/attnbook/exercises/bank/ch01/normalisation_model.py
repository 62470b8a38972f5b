"""1.8: attention in the normalisation model."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# What attention multiplies: (drive, attention) → (a cell's own drive, drive of the pool, gain at the end).
ATTEND = Mistakes(
    "attend",
    right=lambda drive, attention: (attention * drive, attention * drive, 1.0),
    after=Wrong(
        lambda drive, attention: (drive, drive, attention),
        "Attention multiplies the finished response, and the pool does not feel it. In this model it "
        "acts *before* the division, in the pool too, so that attending to one suppresses its "
        "neighbours.",
    ),
    never=Wrong(lambda drive, attention: (drive, drive, 1.0), "Attention is not used."),
    pool_only=Wrong(
        lambda drive, attention: (drive, attention * drive, 1.0),
        "Attention acts in the pool and not on the cell's own drive: attending to a cell would weaken it.",
    ),
)
NEIGHBOURS = Mistakes(
    "neighbours",
    right=lambda pool, excited: pool @ excited,
    columns=Wrong(
        lambda pool, excited: pool.T @ excited,
        "The pool is used on its side: row i of `pool` says who suppresses cell i, and you use column i.",
    ),
    everybody=Wrong(
        lambda pool, excited: excited.sum(), "The pool is not used: every cell is divided by the same sum."
    ),
    itself=Wrong(
        lambda pool, excited: excited, "Each cell is divided by itself alone. Its neighbours are in `pool`."
    ),
)
FLOOR = Mistakes(
    "floor",
    right=lambda sigma: sigma,
    none=Wrong(lambda sigma: 0.0, "σ is missing: a faint stimulus would be answered like a strong one."),
)


def normalisation_model(
    drive, attention, sigma, pool, *, attend=ATTEND.right, neighbours=NEIGHBOURS.right, floor=FLOOR.right
):
    excited, pooled, gain = attend(drive, attention)
    return gain * (excited / (neighbours(pool, pooled) + floor(sigma)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (n,) = draw.sizes(1, 5, 9)
        found.append(
            Case(
                {
                    "drive": draw.uniform(n, low=0.1, high=2.0),
                    "attention": draw.uniform(n, low=1.0, high=4.0),
                    "sigma": draw.random.uniform(0.2, 0.8),
                    "pool": draw.uniform(n, n, low=0.05, high=1.0),
                }
            )
        )
    return found


EXERCISE = Function(
    id="1.8",
    title="The normalisation model",
    points=3,
    minutes=12,
    difficulty="hard",
    signature="normalisation_model(drive, attention, sigma, pool)",
    outputs=(Output("response", ("neurons",)),),
    reference=normalisation_model,
    cases=cases,
    mistakes=(ATTEND, NEIGHBOURS, FLOOR),
    meaningless=(
        (NEIGHBOURS["itself"], FLOOR, ATTEND["never"]),  # a cell divided by itself alone answers 1
    ),
    forbidden=("attnbook.nn",),
    hints=(
        "Make `excited = attention * drive` first, and use it twice.",
        "`pool @ excited` is what each cell's neighbours do together.",
        "Divide by that plus sigma.",
    ),
)
