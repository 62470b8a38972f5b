"""5.11: a concat score that knows how much of each word was attended to."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

REMEMBERS = Mistakes(
    "remembers",
    right=lambda past, scores: past.sum(1),
    last=Wrong(
        lambda past, scores: past[:, -1] if past.shape[1] else past.sum(1),
        "Only the last step's weights are remembered. Coverage is the sum over *all* earlier steps; a word "
        "that was attended to ten steps ago is as much done as one of the last step.",
    ),
    mean=Wrong(
        lambda past, scores: past.sum(1) / max(1, past.shape[1]),
        "The earlier weights are averaged. Then coverage fades as the translation grows; it is their sum.",
    ),
    largest=Wrong(
        lambda past, scores: past.amax(1) if past.shape[1] else past.sum(1),
        "You keep the largest weight that each word ever had. Coverage is the sum of its weights.",
    ),
    nothing=Wrong(
        lambda past, scores: torch.zeros_like(scores),
        "Coverage stays zero, so every step scores as if nothing had been translated yet.",
    ),
)
WHERE = Mistakes(
    "where",
    right=lambda joined, covered, v, w_c: torch.tanh(joined + covered[:, :, None] * w_c) @ v,
    outside=Wrong(
        lambda joined, covered, v, w_c: torch.tanh(joined) @ v + covered * (w_c @ v),
        "Coverage is added after the tanh. It belongs inside, beside query and key: there the network can "
        "let it count for some hidden units and not for others.",
    ),
    times=Wrong(
        lambda joined, covered, v, w_c: torch.tanh(joined * (covered[:, :, None] * w_c)) @ v,
        "Coverage multiplies the hidden layer, so a word with coverage 0 gets the score 0. It is added.",
    ),
)
JOINED = Mistakes(
    "joined",
    right=lambda query, keys: [query, keys],
    keys_first=Wrong(
        lambda query, keys: [keys, query],
        "Query and key have changed places: W expects [query; key], the query first.",
    ),
)
MASKED = Mistakes(
    "masked",
    right=lambda scores, mask: torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1),
    ignored=Wrong(
        lambda scores, mask: torch.softmax(scores, dim=-1),
        "The mask is never used: padding gets weight, and coverage with it.",
    ),
    after=Wrong(
        lambda scores, mask: torch.softmax(scores, dim=-1) * mask,
        "The mask comes after the softmax, so the weights of the words no longer add up to 1.",
    ),
)


def weights_with_coverage(
    queries, keys, mask, W, v, w_c,
    *, remembers=REMEMBERS.right, where=WHERE.right, joined=JOINED.right, masked=MASKED.right,
):  # fmt: skip
    past = keys.new_zeros(len(keys), 0, keys.shape[1])
    for query in queries.unbind(1):
        pairs = torch.cat(joined(query[:, None, :].expand(-1, keys.shape[1], -1), keys), dim=-1)
        covered = remembers(past, keys[:, :, 0])
        weights = masked(where(pairs @ W.T, covered, v, w_c), mask)
        past = torch.cat([past, weights[:, None, :]], dim=1)
    return past


def cases(draw: Draw) -> list[Case]:
    found = []
    for number in range(4):
        batch, tgt, src, hidden, d = draw.sizes(5, 3, 8)
        lengths = torch.full((batch,), src)
        if number > 1:  # with padding
            lengths = torch.tensor([draw.random.randint(2, src - 1) for _ in range(batch)])
        found.append(
            Case(
                {
                    "queries": draw.normal(batch, tgt, d),
                    "keys": draw.normal(batch, src, d),
                    "mask": torch.arange(src) < lengths[:, None],
                    "W": draw.normal(hidden, 2 * d, scale=0.7),
                    "v": draw.normal(hidden, scale=1.5),
                    "w_c": draw.normal(hidden, scale=1.5),
                },
                group="mask" if number > 1 else "plain",
            )
        )
    return found


EXERCISE = Function(
    id="5.11",
    title="★ Make concat stop looping",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="weights_with_coverage(queries, keys, mask, W, v, w_c)",
    outputs=(Output("weights", ("batch", "tgt", "src")),),
    reference=weights_with_coverage,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(REMEMBERS, WHERE, JOINED, MASKED),
    meaningless=((REMEMBERS["nothing"], WHERE),),
    forbidden=("ConcatScore", "AdditiveScore", "attnbook.nn"),
    hints=(
        "The weights of a step depend on those of all steps before, so loop over the target words.",
        "Start with `covered = torch.zeros(batch, src)`. In each step the hidden layer is "
        "`W @ [query; key] + w_c · covered`, then tanh, then v, the mask, softmax.",
        "After the softmax: `covered = covered + weights`. Collect the weights and stack them along axis 1.",
    ),
)
