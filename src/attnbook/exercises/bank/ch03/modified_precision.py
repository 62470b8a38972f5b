"""3.7: the precision of n-grams, clipped."""

from collections import Counter

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What an n-gram of the candidate scores: (times in the candidate, times in the reference) → matches.
CLIP = Mistakes(
    "clip",
    right=min,
    once=Wrong(
        lambda times, known: min(times, known, 1),
        "Above the line each matching n-gram counts once, as in a `set`; below it all of them count. A match "
        "counts as often as it stands in both.",
    ),
    free=Wrong(
        lambda times, known: times if known else 0,
        "Matches are not clipped: a candidate that says *the the the* is paid for *the* each time. An "
        "n-gram can match at most as often as it stands in the reference.",
    ),
)
OVER = Mistakes(
    "over",
    right=lambda found, known: found,
    reference=Wrong(
        lambda found, known: known,
        "You divide by the number of n-grams of the reference. That is recall; precision divides by "
        "those of the candidate.",
    ),
)


def n_grams(tokens, n):
    """How often each n words in a row occur."""
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


COUNT = Mistakes(
    "count",
    right=n_grams,
    kinds=Wrong(
        lambda tokens, n: Counter(set(n_grams(tokens, n))),
        "Each n-gram is counted once, however often it stands in the candidate: a `set` where counts are "
        "needed.",
    ),
    last=Wrong(
        lambda tokens, n: Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n)),
        "The last n-gram of each sentence is missed: n words in a row fit len − n + 1 times.",
    ),
    order=Wrong(
        lambda tokens, n: Counter(tuple(sorted(tokens[i : i + n])) for i in range(len(tokens) - n + 1)),
        "The order of the words inside an n-gram is lost: *dog bites* counts as *bites dog*. A tuple keeps "
        "it; a set or a sorted list does not.",
    ),
    words=Wrong(lambda tokens, n: n_grams(tokens, 1), "Single words are compared, whatever n is."),
)


def modified_precision(candidate, reference, n, *, clip=CLIP.right, over=OVER.right, count=COUNT.right):
    found, known = count(candidate, n), count(reference, n)
    matches = sum(clip(times, known[gram]) for gram, times in found.items())
    total = over(found, known).total()
    return matches / total if total else 0.0


def cases(draw: Draw) -> list[Case]:
    found = []
    for n in (1, 2, 3):
        while True:  # until n-grams, kinds of them, the reference's and their order all differ
            reference = [draw.random.randint(3, 8) for _ in range(draw.random.randint(9, 12))]
            candidate = reference[:5] + reference[2:5] + reference[2:5] + [9] + reference[:4] + reference[1:5]
            candidate += reference[4:1:-1]  # the same words in another order
            kinds = [
                modified_precision(candidate, reference, n, over=over, count=count)
                for over in (OVER.right, OVER["reference"].code)
                for count in (COUNT.right, COUNT["kinds"].code)
            ]
            disorder = modified_precision(candidate, reference, n, count=COUNT["order"].code)
            if len(set(kinds)) == len(kinds) and (n == 1 or disorder != kinds[0]):
                break
        found.append(Case({"candidate": candidate, "reference": reference, "n": n}))
    short = [draw.random.randint(3, 9)]
    found.append(
        Case(
            {"candidate": short, "reference": [*short, 4, 5], "n": 2},
            group="edge",
            note="the candidate is shorter than n words",
        )
    )
    return found


def between_0_and_1(args, outputs) -> bool:
    return all(-1e-6 <= value <= 1 + 1e-6 for value in outputs.values())


EXERCISE = Function(
    id="3.7",
    title="Precision that cannot be cheated",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="modified_precision(candidate, reference, n)",
    outputs=(Output("precision", kind="number"),),
    reference=modified_precision,
    cases=cases,
    properties=(Property("a precision lies between 0 and 1", between_0_and_1),),
    mistakes=(CLIP, OVER, COUNT),
    meaningless=((COUNT["kinds"], CLIP), (COUNT["last"], CLIP), (COUNT["order"], CLIP)),
    hints=(
        "List the n-grams: `tuple(tokens[i:i + n])` for each place i where n words still fit.",
        "`collections.Counter` counts them. How often may an n-gram match at most?",
        "Add up `min(times in candidate, times in reference)`, and divide by the number of n-grams of "
        "the candidate; without any, the precision is 0.",
    ),
)
