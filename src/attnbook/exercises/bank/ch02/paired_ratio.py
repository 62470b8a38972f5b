"""2.11: how sure a difference is when two methods read the same sentences."""

import math

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def count(which) -> int:
    """How many are True."""
    return int(which.sum())


def apart(a, b):
    """The ratio for two separate test sets."""
    n = len(a)
    p, q = count(a) / n, count(b) / n
    return (p - q) / math.sqrt(p * (1 - p) / n + q * (1 - q) / n)


OVER = Mistakes(
    "over",
    right=lambda only_a, only_b, a, b: math.sqrt(only_a + only_b),
    no_root=Wrong(
        lambda only_a, only_b, a, b: float(only_a + only_b),
        "You divide by the number of sentences on which the two disagree. Chance makes the difference as "
        "large as its root.",
    ),
    all=Wrong(
        lambda only_a, only_b, a, b: math.sqrt(len(a)),
        "You divide by the root of all sentences. Those on which both are right, or both wrong, cannot tell "
        "the methods apart and do not count.",
    ),
    agree=Wrong(
        lambda only_a, only_b, a, b: math.sqrt(len(a) - only_a - only_b),
        "You divide by the root of the sentences on which the two *agree*. Those on which they disagree "
        "decide.",
    ),
    separate=Wrong(
        lambda only_a, only_b, a, b: (only_a - only_b) / apart(a, b),
        "That is the ratio for two separate test sets. Here both methods read the same sentences, so most of "
        "the chance is common to both.",
    ),
)
ABOVE = Mistakes(
    "above",
    right=lambda only_a, only_b: only_a - only_b,
    turned=Wrong(
        lambda only_a, only_b: only_b - only_a,
        "The sign is turned round: positive should mean that `a` is ahead.",
    ),
    absolute=Wrong(
        lambda only_a, only_b: abs(only_a - only_b),
        "The sign is lost. Positive should mean that `a` is ahead, negative that `b` is.",
    ),
)


def paired_ratio(a, b, *, over=OVER.right, above=ABOVE.right):
    only_a, only_b = count(a & ~b), count(b & ~a)
    return above(only_a, only_b) / over(only_a, only_b, a, b)


def cases(draw: Draw) -> list[Case]:
    found = []
    for ahead in (True, False, True):
        while True:
            n = draw.random.randint(40, 90)
            a = draw.uniform(n) < 0.75
            b = (a & (draw.uniform(n) < 0.85)) | (draw.uniform(n) < 0.2)
            if not ahead:
                a, b = b, a
            only_a, only_b = count(a & ~b), count(b & ~a)
            sizes = {only_a, only_b, count(a & b), n, only_a + only_b, n - only_a - only_b}
            if len(sizes) == 6 and (only_a > only_b) is ahead and min(only_a, only_b) > 1:
                break
        found.append(Case({"a": a, "b": b}))
    return found


EXERCISE = Function(
    id="2.11",
    title="Two methods, one test set ★",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="paired_ratio(a, b)",
    outputs=(Output("ratio", kind="number"),),
    reference=paired_ratio,
    cases=cases,
    mistakes=(OVER, ABOVE),
    hints=(
        "Which sentences could tell the two methods apart at all?",
        "Count those that only `a` gets right, `a & ~b`, and those that only `b` gets right.",
        "If only chance decided which of the two is right, their difference would typically be the root of "
        "their sum.",
    ),
)
