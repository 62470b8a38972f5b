"""7.8: how many layers of a narrow window reach from the first word to the last."""

import math

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

LOGARITHM = (
    "That is a logarithm: it holds when each layer reaches several times as far as the one below. Here every "
    "layer has the same reach."
)
WAY = Mistakes(
    "way",
    right=lambda n: n - 1,
    words=Wrong(
        lambda n: n,
        "You count n words. From the first to the last of n words there are n − 1 steps.",
    ),
)
STEPS = Mistakes(
    "steps",
    right=lambda distance, stride: math.ceil(distance / stride),
    down=Wrong(
        lambda distance, stride: distance // stride,
        "You round down. A rest that is shorter than the reach still needs a layer.",
    ),
    words_down=Wrong(
        lambda distance, stride: (distance + 1) // stride,
        "You divide the number of words and round down. From the first to the last of n words there are "
        "n − 1 steps, and a rest that is shorter than the reach still needs a layer.",
    ),
    not_rounded=Wrong(
        lambda distance, stride: distance / stride,
        "You do not round. There is no third of a layer: a rest that is shorter than the reach still needs "
        "one.",
    ),
    logarithm=Wrong(
        lambda distance, stride: math.ceil(math.log(distance + 1, stride)),
        LOGARITHM,
    ),
    logarithm_not_rounded=Wrong(
        lambda distance, stride: math.log(distance + 1, stride),
        LOGARITHM,
    ),
)
WIDTH = Mistakes(
    "width",
    right=lambda reach: reach,
    both_sides=Wrong(
        lambda reach: 2 * reach,
        "You divide by the whole window. A signal that goes to the right gains the reach of one side in "
        "each layer.",
    ),
    window=Wrong(
        lambda reach: 2 * reach + 1,
        "You divide by the number of words in the window. A signal that goes to the right gains the reach "
        "of one side in each layer.",
    ),
)


def layers_needed(n, reach, *, way=WAY.right, steps=STEPS.right, width=WIDTH.right):
    return float(steps(way(n), width(reach)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("a rest", "none", "nearly one more", "none"):
        reach = draw.random.randrange(4, 9)
        times = draw.random.randrange(36, 60)  # enough that one word more in the window is a layer less
        rest = {"a rest": draw.random.randrange(2, reach - 1), "none": 0, "nearly one more": reach - 1}[kind]
        found.append(Case({"n": reach * times + rest + 1, "reach": reach}))
    return found


def far_enough(args, outputs) -> bool:
    return outputs["layers"] * args["reach"] >= args["n"] - 1 - 1e-6


EXERCISE = Function(
    id="7.8",
    title="How deep must a narrow window be?",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="layers_needed(n, reach)",
    outputs=(Output("layers", kind="number"),),
    reference=layers_needed,
    cases=cases,
    tolerance=(0.0, 1e-3),
    properties=(
        Property(
            "the last word is n − 1 words away, and each layer brings a signal at most `reach` words on, so "
            "that layers · reach is at least n − 1",
            far_enough,
        ),
    ),
    mistakes=(WAY, STEPS, WIDTH),
    together=1,
    hints=(
        "With reach 2 and 5 words: layer 1 brings word 1 to word 3, layer 2 to word 5.",
        "How many steps of length `reach` cover the distance from word 1 to word n?",
        "`math.ceil((n - 1) / reach)`.",
    ),
)
