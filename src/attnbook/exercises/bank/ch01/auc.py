"""1.6: the AUC of a saliency map, from its meaning."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What a pair of equal values counts.
TIES = Mistakes(
    "ties",
    right=0.5,
    won=Wrong(
        1.0,
        "Equal values count as right. They should count half: a map that is the same everywhere would get 1.",
    ),
    lost=Wrong(
        0.0,
        "Equal values count as wrong. They should count half: a map that is the same everywhere would "
        "get 0 instead of 0.5.",
    ),
)
SIDES = Mistakes(
    "sides",
    right=lambda looked, elsewhere: (looked, elsewhere),
    exchanged=Wrong(
        lambda looked, elsewhere: (elsewhere, looked),
        "The two sides are exchanged: the fixated place should win.",
    ),
)


def in_step(first, second):
    """The first with the first, the second with the second, as far as both go."""
    n = min(len(first), len(second))
    return first[:n], second[:n]


PAIRS = Mistakes(
    "pairs",
    right=lambda first, second: (first.unsqueeze(1), second.unsqueeze(0)),
    in_step=Wrong(
        in_step,
        "The first is compared with the first, the second with the second. Every fixated value should be "
        "compared with every other.",
    ),
    with_the_mean=Wrong(
        lambda first, second: (first, second.mean()),
        "Each fixated value is compared with the mean of the others. It should be compared with each of "
        "them.",
    ),
)


def auc(looked, elsewhere, *, ties=TIES.right, sides=SIDES.right, pairs=PAIRS.right):
    a, b = pairs(*sides(looked, elsewhere))
    return float(((a > b).double() + ties * (a == b).double()).mean())


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        n, m = draw.sizes(2, 7, 12)
        looked = (draw.uniform(n, high=7) + 0.8).floor() / 8  # eighths, so that some are equal
        elsewhere = draw.uniform(m, high=7).floor() / 8
        looked[0], elsewhere[0] = 0.5, 0.5
        found.append(Case({"looked": looked, "elsewhere": elsewhere}))
    return found


EXERCISE = Function(
    id="1.6",
    title="AUC from its meaning",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="auc(looked, elsewhere)",
    outputs=(Output("result", kind="number"),),
    reference=auc,
    cases=cases,
    properties=(
        Property("the result lies between 0 and 1", lambda args, outputs: 0 <= outputs["result"] <= 1),
    ),
    mistakes=(TIES, SIDES, PAIRS),
    meaningless=((PAIRS["with_the_mean"], TIES),),
    forbidden=("attnbook.vision.metrics", "roc_auc_score"),
    hints=(
        "`looked.unsqueeze(1)` is (n, 1), `elsewhere.unsqueeze(0)` is (1, m). Comparing them gives (n, m).",
        "Count 1 where the first is larger, 0.5 where they are equal.",
        "The mean of that table is the answer.",
    ),
)
