"""3.11: beam search over a table, with a penalty for brevity."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# A finished sentence's score: (sum of logarithms, number of words with the stop word, alpha) → number.
SCORE = Mistakes(
    "score",
    right=lambda total, n, alpha: total / ((5 + n) / 6) ** alpha,
    none=Wrong(
        lambda total, n, alpha: total,
        "The sums are compared as they are. Each word makes a sum smaller, so short sentences win; the "
        "penalty is missing.",
    ),
    mean=Wrong(
        lambda total, n, alpha: total / n**alpha,
        "You divide by the length to the power α. The penalty asked for is ((5 + length) / 6) to the power "
        "α.",
    ),
    multiplied=Wrong(
        lambda total, n, alpha: total * ((5 + n) / 6) ** alpha,
        "You multiply by the penalty. The sums are negative, so that makes long sentences worse still.",
    ),
)
LENGTH = Mistakes(
    "length",
    right=0,
    words=Wrong(
        -1, "The length leaves the stop word out. It is written as well, and its logarithm is in the sum."
    ),
)


def kept(extended, stop, width):
    """The likeliest extensions, finished or not."""
    return sorted(extended, key=lambda one: -one[1])[:width]


def kept_apart(extended, stop, width):
    """As many unfinished ones as the beam is wide, and every finished one."""
    going = kept([one for one in extended if one[0][-1] != stop], stop, width)
    return going + [one for one in extended if one[0][-1] == stop]


# Which extensions of a step remain: (list of (tokens, sum), stop, width) → list.
KEEP = Mistakes(
    "keep",
    right=kept,
    greedy=Wrong(
        lambda extended, stop, width: kept(extended, stop, 1),
        "Only the likeliest beginning is kept from step to step: that is greedy search, whatever `width` is.",
    ),
    apart=Wrong(
        kept_apart,
        "Extensions that end are kept however unlikely they are. Among all extensions of a step, the `width` "
        "likeliest remain, those that end among them.",
    ),
)
END = Mistakes(
    "end",
    right=lambda finished: max(finished, key=lambda one: one[1]),
    first=Wrong(
        lambda finished: finished[0],
        "The first sentence that ends is handed back. A longer one may come later with a better score: all "
        "that ended are compared at the end.",
    ),
)


def beam_search(
    next_log, start, stop, width, max_length, alpha,
    *, score=SCORE.right, length=LENGTH.right, keep=KEEP.right, end=END.right,
):  # fmt: skip
    rows = next_log.double().tolist()
    going, finished = [([start], 0.0)], []
    for _ in range(max_length):
        extended = [
            ([*tokens, word], total + more)
            for tokens, total in going
            for word, more in enumerate(rows[tokens[-1]])
        ]
        remaining = keep(extended, stop, width)
        finished += [
            (tokens[1:-1], score(total, len(tokens) - 1 + length, alpha))
            for tokens, total in remaining
            if tokens[-1] == stop
        ]
        going = [one for one in remaining if one[0][-1] != stop]
    return end(finished) if finished else ([], -1e9)


def shows(args, *codes) -> bool:
    """Whether each of the mistakes changes the score."""
    right = beam_search(**args)[1]
    wrong = [beam_search(**args, **code)[1] for code in codes]
    return min(right, *wrong) > -1e8 and all(abs(each - right) > 1e-2 for each in wrong)


def cases(draw: Draw) -> list[Case]:
    found = []
    greedy, apart, first = (
        {"keep": KEEP["greedy"].code},
        {"keep": KEEP["apart"].code},
        {"end": END["first"].code},
    )
    for seen in ((greedy,), (apart,), (first,)):  # the mistakes that this case has to show
        args = {}
        while not args or not shows(args, *seen):
            words = draw.random.randint(6, 8)
            start, stop = draw.random.sample(range(words), 2)
            scores = draw.normal(words, words)
            scores[:, start] -= 8.0  # nobody goes back to the start
            scores[:, stop] += 0.8
            scores[start, stop] -= 8.0  # no sentence is empty
            args = {
                "next_log": torch.log_softmax(scores, dim=-1),
                "start": start,
                "stop": stop,
                "width": 3,
                "max_length": draw.random.randint(6, 8),
                "alpha": round(draw.random.uniform(1.5, 2.5), 2),
            }
        found.append(Case(args))
    return found


EXERCISE = Function(
    id="3.11",
    title="A beam that weighs length ★",
    points=4,
    minutes=30,
    difficulty="hard",
    signature="beam_search(next_log, start, stop, width, max_length, alpha)",
    outputs=(Output("tokens", kind="tokens"), Output("score", kind="number")),
    reference=beam_search,
    cases=cases,
    properties=(
        Property(
            "the stop word is not part of the sentence",
            lambda args, outputs: args["stop"] not in outputs["tokens"],
        ),
    ),
    mistakes=(SCORE, LENGTH, KEEP, END),
    together=1,  # the first that ends is the shortest, which plain sums prefer as well
    forbidden=("attnbook.translation",),
    hints=(
        "Keep a list of beginnings, each with its sum of logarithms: `[([start], 0.0)]`. One step makes of "
        "every beginning as many as there are words.",
        "Sort all of them by their sums and keep the first `width`. Those that end in `stop` go to a second "
        "list, with their score; the others go on.",
        "After `max_length` steps take from the second list the one with the highest score. The length in "
        "the penalty counts the stop word; the sentence that you hand back does not hold it.",
    ),
)
