"""3.7: n-grams that match in several references, clipped (Papineni et al. 2002, section 2.1)."""

from collections import Counter

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What an n-gram of the candidate scores: (times in the candidate, times in each reference) → matches.
CLIP = Mistakes(
    "clip",
    right=lambda times, known: min(times, max(known)),
    free=Wrong(
        lambda times, known: times if any(known) else 0,
        "Matches are not clipped: a candidate that says *the the the* is paid for *the* each time. An "
        "n-gram can match at most as often as it stands in one of the references.",
    ),
    once=Wrong(
        lambda times, known: min(times, max(known), 1),
        "Among the matches each n-gram counts once, as in a `set`. It matches as often as the candidate has "
        "it, if one reference has it as often.",
    ),
    added=Wrong(
        lambda times, known: min(times, sum(known)),
        "The counts of the references are added up, so two references that have *the* once each pay for it "
        "twice. The limit is the count in the *one* reference that has the n-gram most often.",
    ),
    first=Wrong(
        lambda times, known: min(times, known[0]),
        "Only the first reference is used. An n-gram may match in any of them.",
    ),
    every=Wrong(
        lambda times, known: min(times, min(known)),
        "An n-gram counts only as often as *every* reference has it. It is enough that one reference has it.",
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


def matches_by_gram(candidate, references, n, clip, count):
    """The references are put together n-gram by n-gram."""
    known = [count(reference, n) for reference in references]
    return sum(clip(times, [each[gram] for each in known]) for gram, times in count(candidate, n).items())


# How several references are put together: (candidate, references, n, clip, count) → matches.
TOGETHER = Mistakes(
    "together",
    right=matches_by_gram,
    best=Wrong(
        lambda candidate, references, n, clip, count: max(
            matches_by_gram(candidate, [reference], n, clip, count) for reference in references
        ),
        "You count against each reference by itself and keep the best of these results. The choice is made "
        "for each *n-gram*: one may match in the first reference and the next one in the second.",
    ),
    joined=Wrong(
        lambda candidate, references, n, clip, count: matches_by_gram(
            candidate, [[word for reference in references for word in reference]], n, clip, count
        ),
        "The references are joined into one text. Then their counts add up, and n-grams appear that run from "
        "the end of one into the beginning of the next. Count in each of them, and take the largest count.",
    ),
)
# What the matches are a share of: (counts of the candidate, of the first reference) → a number.
OVER = Mistakes(
    "over",
    right=lambda found, known: found.total(),
    reference=Wrong(
        lambda found, known: known.total(),
        "The second number is that of the n-grams in a reference. Matches divided by it would be recall; "
        "precision asks for the n-grams of the candidate.",
    ),
    different=Wrong(
        lambda found, known: len(found),
        "The second number is that of the *different* n-grams. An n-gram that the candidate says three times "
        "counts three times there.",
    ),
)


def clipped_matches(
    candidate, references, n,
    *, clip=CLIP.right, count=COUNT.right, together=TOGETHER.right, over=OVER.right,
):  # fmt: skip
    matches = together(candidate, references, n, clip, count)
    return matches, over(count(candidate, n), count(references[0], n))


def shown_apart(candidate, references, n) -> bool:
    """Whether each mistake that can be made with this n has a result of its own, and a lost order shows
    beside any of the others."""
    left_out = {"order", "words", "joined"} if n == 1 else set()  # these differ among longer n-grams
    made = [{}]
    for family in (CLIP, COUNT, TOGETHER, OVER):
        made += [{family.switch: family[name].code} for name in family.wrongs if name not in left_out]
    results = [clipped_matches(candidate, references, n, **each) for each in made]
    if len(set(results)) < len(results):
        return False
    order = COUNT["order"].code
    return n == 1 or all(
        clipped_matches(candidate, references, n, **each, count=order) != result
        for each, result in zip(made, results, strict=True)
        if "count" not in each
    )


def cases(draw: Draw) -> list[Case]:
    def words(count):
        return [draw.random.randint(3, 7) for _ in range(count)]

    found = []
    for n in (1, 2, 3):
        args = {}
        while not args or not shown_apart(**args):
            run = words(3)  # once in the first reference, twice in the second
            first = [*words(3), *run, *words(3)]
            second = [*words(2), *run, *words(2), *run, *words(draw.random.randint(1, 3))]
            third = [*words(4), *reversed(run), *words(3)]
            candidate = [*run, 9, *second[:6], *run, *run, *third[:5], *first[4:8]]
            candidate += first[-2:] + second[:2]  # what stands at the border of two references
            candidate += third[-n:]
            args = {"candidate": candidate, "references": [first, second, third], "n": n}
        found.append(Case(args))
    reference = [draw.random.randint(3, 9) for _ in range(6)]
    found.append(
        Case(
            {"candidate": [*reference[:4], *reference[:2]], "references": [reference], "n": 2},
            note="there is one reference",
        )
    )
    short = [draw.random.randint(3, 9)]
    found.append(
        Case(
            {"candidate": short, "references": [[*short, 4, 5], [6, *short]], "n": 2},
            group="edge",
            note="the candidate is shorter than n words",
        )
    )
    return found


EXERCISE = Function(
    id="3.7",
    title="Precision that cannot be cheated",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="clipped_matches(candidate, references, n)",
    outputs=(Output("matches", kind="integer"), Output("count", kind="integer")),
    reference=clipped_matches,
    cases=cases,
    properties=(
        Property(
            "no more n-grams match than the candidate has",
            lambda args, outputs: 0 <= outputs["matches"] <= max(len(args["candidate"]) - args["n"] + 1, 0),
        ),
    ),
    mistakes=(CLIP, COUNT, TOGETHER, OVER),
    together=2,
    meaningless=(
        (COUNT["kinds"], CLIP),
        (COUNT["kinds"], OVER["different"]),
        (COUNT["kinds"], TOGETHER),
        (CLIP["once"], OVER["different"]),
        (COUNT["words"], TOGETHER["joined"]),
        (TOGETHER, CLIP["added"]),
        (TOGETHER, CLIP["first"]),
        (TOGETHER, CLIP["every"]),
        (TOGETHER["joined"], CLIP["free"]),
        (TOGETHER["joined"], CLIP["once"]),
    ),
    hints=(
        "List the n-grams: `tuple(tokens[i:i + n])` for each place i where n words still fit. "
        "`collections.Counter` counts them.",
        "Make such a counter of the candidate, and one of each reference. Go through the candidate's n-grams "
        "one by one: how often may this one match at most?",
        "Add up `min(times, max(known[gram] for known in references_counted))`. The second number is the "
        "`total()` of the candidate's counter.",
    ),
)
