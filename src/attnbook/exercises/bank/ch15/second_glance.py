"""15.5: a second glance that has forgotten the question."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _glance(u, key, value, mask):
    scores = (key @ u.unsqueeze(-1)).squeeze(-1).masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return (weights.unsqueeze(1) @ value).squeeze(1), weights


# (u, o) → the query of the next glance.
NEXT = Mistakes(
    "next",
    right=lambda u, o: u + o,
    found=Wrong(
        lambda u, o: o,
        "The second query is what the first glance found, and the question is gone: two questions that "
        "find the "
        "same fact first cannot be told apart any more. Add what was found to what was asked.",
    ),
    asked=Wrong(
        lambda u, o: u,
        "The second glance asks the first question again, so it finds the same facts with the same weights.",
    ),
    product=Wrong(
        lambda u, o: u * o,
        "What was found is multiplied with the question, number by number. It has to be added.",
    ),
    less=Wrong(
        lambda u, o: u - o,
        "What was found is subtracted from the question. It has to be added.",
    ),
)
# (key, value) → keys and values of the second glance.
READS = Mistakes(
    "reads",
    right=lambda key, value: (key, value),
    swapped=Wrong(
        lambda key, value: (value, key),
        "Keys and values are exchanged in the second glance.",
    ),
    key_only=Wrong(
        lambda key, value: (key, key),
        "The second glance mixes the keys. What is handed over are the values.",
    ),
)
HIDDEN = Mistakes(
    "hidden",
    right=lambda mask: mask,
    forgotten=Wrong(
        lambda mask: torch.ones_like(mask),
        "The second glance gives weight to padding: its mask is missing.",
    ),
)


def second_glance(u, key, value, mask, *, next=NEXT.right, reads=READS.right, hidden=HIDDEN.right):
    o, _ = _glance(u, key, value, mask)
    u = next(u, o)
    key, value = reads(key, value)
    o, weights = _glance(u, key, value, hidden(mask))
    return u + o, weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, False, True):
        batch, facts, d = draw.sizes(3, 4, 9)
        mask = torch.ones(batch, facts, dtype=torch.bool)
        if padded:
            lengths = torch.tensor([draw.random.randint(2, facts - 1) for _ in range(batch)])
            mask = torch.arange(facts) < lengths[:, None]
        found.append(
            Case(
                {
                    "u": draw.normal(batch, d),
                    "key": draw.normal(batch, facts, d),
                    "value": draw.normal(batch, facts, d),
                    "mask": mask,
                },
                group="mask" if padded else "plain",
                note="stories of several lengths" if padded else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="15.5",
    title="The second glance",
    bug=True,
    points=2,
    minutes=8,
    difficulty="medium",
    signature="second_glance(u, key, value, mask)",
    outputs=(Output("u", ("batch", "d")), Output("weights", ("batch", "facts"))),
    reference=second_glance,
    cases=cases,
    mistakes=(NEXT, READS, HIDDEN),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn",),
    hints=(
        "Give the function two questions whose first glance finds the same fact. Do the second glances "
        "differ?",
        "Where is the question after the first glance?",
        "The next query is the old one plus what was found.",
    ),
)
