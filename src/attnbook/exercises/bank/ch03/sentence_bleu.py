"""3.8: BLEU of one sentence."""

import math

from attnbook.exercises.bank.ch03.modified_precision import CLIP, between_0_and_1, modified_precision
from attnbook.exercises.spec import (
    Case,
    Draw,
    Function,
    Mistakes,
    Output,
    Property,
    Wrong,
)


def penalty(c, r):
    """The brevity penalty without its limit of 1, from the lengths of candidate and reference."""
    return math.exp(1 - r / c) if c else 0.0


BREVITY = Mistakes(
    "brevity",
    right=lambda c, r: 1.0 if c >= r else penalty(c, r),
    none=Wrong(
        lambda c, r: 1.0, "There is no brevity penalty: a candidate of a few sure words gets full marks."
    ),
    always=Wrong(
        lambda c, r: penalty(c, r),
        "The brevity penalty is applied to long candidates as well, where it becomes a reward. It is 1 "
        "as soon as the candidate is at least as long as the reference.",
    ),
    ratio=Wrong(
        lambda c, r: min(1.0, c / r),
        "The penalty is the ratio of the lengths. It should be exp(1 − r / c), which falls faster.",
    ),
    upside_down=Wrong(
        lambda c, r: 1.0 if c >= r else math.exp(1 - c / r) if c else 0.0,
        "The penalty has the lengths exchanged, exp(1 − c / r): it rewards short candidates.",
    ),
)


def geometric(precisions):
    """The geometric mean, 0 where one is 0."""
    return math.exp(sum(map(math.log, precisions)) / len(precisions)) if min(precisions) > 0 else 0.0


MEAN = Mistakes(
    "mean",
    right=geometric,
    arithmetic=Wrong(
        lambda precisions: sum(precisions) / 4,
        "The four precisions are averaged by adding. BLEU takes their geometric mean, so that one "
        "precision of 0 makes all of it 0.",
    ),
    product=Wrong(math.prod, "The four precisions are multiplied, and the fourth root is missing."),
    to_3=Wrong(
        lambda precisions: geometric(precisions[:3]),
        "Only n-grams of up to three words are used. BLEU takes n from 1 to 4; look at the end of your "
        "range.",
    ),
    only_4=Wrong(lambda precisions: precisions[-1], "Only the precision for four words in a row is used."),
)
CLIPPED = CLIP.reworded(
    free="Matches are not clipped: an n-gram can match at most as often as it stands in the reference "
    "(exercise 3.7).",
)


# What becomes of a precision: (precision, n-grams in the candidate, n) → precision.
SMOOTH = Mistakes(
    "smooth",
    right=lambda precision, total, n: precision,
    one=Wrong(
        lambda precision, total, n: (precision * total + 1) / (total + 1) if n > 1 else precision,
        "The precisions are smoothed: 1 is added to the matches and to the count of every n above 1. Many "
        "libraries do so for single sentences; here a precision of 0 stays 0.",
    ),
)


ROLES = Mistakes(
    "roles",
    right=lambda candidate, reference: (candidate, reference),
    exchanged=Wrong(
        lambda candidate, reference: (reference, candidate),
        "Candidate and reference are exchanged. The candidate is the first argument: the number of *its* "
        "n-grams stands below the line, and it is the one that may not be too short.",
    ),
)


def sentence_bleu(
    candidate, reference,
    *, roles=ROLES.right, brevity=BREVITY.right, mean=MEAN.right, clip=CLIPPED.right, smooth=SMOOTH.right,
):  # fmt: skip
    candidate, reference = roles(candidate, reference)
    precisions = [
        smooth(modified_precision(candidate, reference, n, clip=clip), max(len(candidate) - n + 1, 0), n)
        for n in (1, 2, 3, 4)
    ]
    return mean(precisions) * brevity(len(candidate), len(reference))


def cases(draw: Draw) -> list[Case]:
    def words(count):
        return [draw.random.randint(3, 60) for _ in range(count)]

    found = []
    for kind in ("longer", "shorter", "shorter", "no match"):
        reference = words(draw.random.randint(11, 14))
        if kind == "longer":
            reference[9:11] = reference[3:5]  # what stands twice in both counts twice
            extra = words(3)
            candidate = [*reference[:6], *extra, *reference[5:], *reference[2:5]]
        elif kind == "shorter":
            candidate = [*reference[:5], *reference[6:9], reference[7]]
        else:
            candidate = [*reference[:3], 99, *reference[5:8], 98, *reference[:2]]
        found.append(
            Case(
                {"candidate": candidate, "reference": reference},
                group="edge" if kind == "no match" else "plain",
                note={
                    "longer": "the candidate is longer than the reference",
                    "shorter": "the candidate is shorter than the reference",
                    "no match": "no four words in a row match",
                }[kind],
            )
        )
    return found


EXERCISE = Function(
    id="3.8",
    title="BLEU of a sentence, unsmoothed",
    points=4,
    minutes=15,
    difficulty="hard",
    signature="sentence_bleu(candidate, reference)",
    outputs=(Output("bleu", kind="number"),),
    reference=sentence_bleu,
    cases=cases,
    properties=(Property("BLEU lies between 0 and 1", between_0_and_1),),
    mistakes=(BREVITY, MEAN, CLIPPED, SMOOTH, ROLES),
    meaningless=((MEAN["only_4"], CLIPPED), (SMOOTH, MEAN), (SMOOTH, CLIPPED)),
    forbidden=("sacrebleu", "attnbook.translation.metrics"),
    hints=(
        "Four modified precisions (exercise 3.7), n from 1 to 4; their geometric mean; a penalty for "
        "brevity.",
        "Geometric mean: exp of the mean of the logarithms. If one precision is 0, the answer is 0.",
        "The penalty is 1 when the candidate is at least as long as the reference; else exp(1 − r / c).",
    ),
)
