"""3.6: greedy decoding."""

from itertools import pairwise

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What is handed back; ``ending`` is [stop] if that word came, else [].
ENDS = Mistakes(
    "ends",
    right=lambda start, tokens, ending: tokens,
    with_stop=Wrong(
        lambda start, tokens, ending: tokens + ending, "The stop word is handed back as part of the sentence."
    ),
    with_start=Wrong(
        lambda start, tokens, ending: [start, *tokens],
        "The start word is handed back as part of the sentence.",
    ),
    with_both=Wrong(
        lambda start, tokens, ending: [start, *tokens, *ending],
        "The start word and the stop word are handed back as part of the sentence.",
    ),
)
FEED = Mistakes(
    "feed",
    right=lambda start, token: token,
    start=Wrong(
        lambda start, token: start,
        "The decoder never reads what it wrote: at each step it asks what follows the start word, and so "
        "it says the same word again and again.",
    ),
)
PICK = Mistakes(
    "pick", right=torch.argmax, smallest=Wrong(torch.argmin, "You take the word with the smallest score.")
)
# The scores of what may follow: (next_scores, previous) → (words,).
READ = Mistakes(
    "read",
    right=lambda next_scores, previous: next_scores[previous],
    column=Wrong(
        lambda next_scores, previous: next_scores[:, previous],
        "A column is read instead of a row: the scores of what may come *before* this word. "
        "`next_scores[previous]` is the row of what may follow it.",
    ),
)
# How many words more than max_length.
LIMIT = Mistakes(
    "limit",
    right=0,
    one_more=Wrong(1, "Without a stop word your sentence has one word more than max_length."),
    one_less=Wrong(-1, "Without a stop word your sentence has one word less than max_length."),
)


def greedy_decode(
    next_scores, start, stop, max_length,
    *, ends=ENDS.right, feed=FEED.right, pick=PICK.right, limit=LIMIT.right,
    read=READ.right,
):  # fmt: skip
    tokens: list[int] = []
    ending: list[int] = []
    previous = start
    while len(tokens) < max_length + limit:
        token = int(pick(read(next_scores, previous)))
        if token == stop:
            ending = [stop]
            break
        tokens.append(token)
        previous = feed(start, token)
    return ends(start, tokens, ending)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("stops", "stops", "limit", "at once"):
        words = draw.random.randint(9, 14)
        order = draw.permutation(words).tolist()
        start, stop = order[0], order[-1]
        scores = draw.normal(words, words)
        # A chain of best next words, from start to stop, with a word of the middle before stop.
        length = draw.random.randint(3, words - 3)
        chain = [start, *order[1 : length + 1], stop]
        best = {"limit": [*chain[:-1], chain[1]], "at once": [start, stop]}.get(kind, chain)
        worst = [start, *reversed(order[1 : length + 1])]
        for here, there in pairwise(best):
            scores[here, there] = 5.0
        for here, there in pairwise(worst):
            scores[here, there] = -5.0 if scores[here, there] < 5.0 else 5.0
        limit = {"limit": length + draw.random.randint(2, 5)}.get(kind, words + 3)
        found.append(
            Case(
                {"next_scores": scores, "start": start, "stop": stop, "max_length": limit},
                group={"stops": "plain"}.get(kind, "edge"),
                note={
                    "stops": "",
                    "limit": "the stop word never comes, so that max_length ends the sentence",
                    "at once": "the stop word comes first",
                }[kind],
            )
        )
    return found


EXERCISE = Function(
    id="3.6",
    title="Greedy decoding",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="greedy_decode(next_scores, start, stop, max_length)",
    outputs=(Output("tokens", kind="tokens"),),
    reference=greedy_decode,
    cases=cases,
    properties=(
        Property(
            "the sentence has at most max_length words",
            lambda args, outputs: len(outputs["tokens"]) <= args["max_length"],
        ),
        Property(
            "the stop word is not part of the sentence",
            lambda args, outputs: args["stop"] not in outputs["tokens"],
        ),
    ),
    mistakes=(ENDS, FEED, PICK, LIMIT, READ),
    meaningless=(
        *((PICK, family) for family in (ENDS, FEED, LIMIT)),
        *((READ, family) for family in (ENDS, FEED, PICK, LIMIT)),
    ),
    hints=(
        "`next_scores[previous]` holds a score for every word that could follow `previous`.",
        "A loop of at most max_length steps: best next word, stop if it is the stop word, keep it, go "
        "on from it.",
        "`int(next_scores[previous].argmax())` is the next word; it becomes `previous` for the next step.",
    ),
)
