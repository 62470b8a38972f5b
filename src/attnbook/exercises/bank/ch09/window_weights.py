"""9.3: attention that is kept to the distances met in training."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

LIMIT = Mistakes(
    "limit",
    right=lambda distance, trained: distance < trained,
    one_more=Wrong(
        lambda distance, trained: distance <= trained,
        "One distance too many is allowed. In a text of n positions the first and the last are n − 1 apart, "
        "so training never showed the distance n.",
    ),
    none=Wrong(
        lambda distance, trained: torch.ones_like(distance, dtype=torch.bool),
        "Keys farther back than training ever showed still get weight.",
    ),
)
CAUSAL = Mistakes(
    "causal",
    right=lambda distance, allowed: allowed(distance) & (distance >= 0),
    both_sides=Wrong(
        lambda distance, allowed: allowed(distance.abs()),
        "Keys after the query get weight. The window reaches back only; the causal mask still holds.",
    ),
)
BEGIN = Mistakes(
    "begin",
    right=lambda start: start,
    at_0=Wrong(
        lambda start: 0,
        "Query 0 is taken for the first word. It stands at position `start`; keys stand at 0, 1, 2, …",
    ),
)
WHEN = Mistakes(
    "when",
    right=lambda scores, allowed: scores.masked_fill(~allowed, -torch.inf).softmax(dim=-1),
    after=Wrong(
        lambda scores, allowed: scores.softmax(dim=-1) * allowed,
        "The mask comes after the softmax, so the weights of a row no longer add up to 1.",
    ),
)


def window_weights(
    scores, start, trained_length,
    *, limit=LIMIT.right, causal=CAUSAL.right, begin=BEGIN.right, when=WHEN.right,
):  # fmt: skip
    i = torch.arange(scores.shape[1])[:, None] + begin(start)
    distance = i - torch.arange(scores.shape[2])
    return when(scores, causal(distance, lambda distance: limit(distance, trained_length)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for later in (False, False, True, True):
        batch, trained = draw.random.randint(2, 3), draw.random.randint(4, 6)
        queries = draw.random.randint(trained + 3, trained + 6)
        start = draw.random.randint(2, 5) if later else 0
        found.append(
            Case(
                {
                    "scores": draw.normal(batch, queries, start + queries + draw.random.randint(1, 3)),
                    "start": start,
                    "trained_length": trained,
                },
                group="edge" if later else "plain",
                note=f"the first query stands at position {start}",
            )
        )
    return found


EXERCISE = Function(
    id="9.3",
    title="Nothing farther than training showed",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="window_weights(scores, start, trained_length)",
    outputs=(Output("weights", ("batch", "queries", "keys")),),
    reference=window_weights,
    cases=cases,
    tolerance=(1e-4, 1e-5),
    mistakes=(LIMIT, CAUSAL, BEGIN, WHEN),
    together=2,
    forbidden=("attnbook.nn",),
    hints=(
        "Make a table of distances first, (queries, keys): the query's position minus the key's.",
        "Two conditions hold for an allowed key: its distance is not below 0, and it is one that training "
        "showed. Which is the largest such distance?",
        "`distance = i[:, None] - j` with i from `start` on; `scores.masked_fill(~allowed, -math.inf)`, then "
        "the softmax.",
    ),
)
