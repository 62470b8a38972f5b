"""4.5: attention whose scores never see the annotations."""

import torch

from attnbook.exercises.bank.ch04._sentences import OUTPUTS, PROPERTIES
from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import MASK
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Mistakes, Module, Wrong

KEY = Mistakes(
    "key",
    right=lambda from_key: from_key,
    query=Wrong(
        torch.zeros_like,
        "The weights do not depend on the annotations: every word of the source gets the same score, so the "
        "context is the plain mean of the sentence. It trains, it looks like attention, and it never looks. "
        "The score of each word needs an annotation of its own, through U.",
    ),
)
SQUASH = Mistakes(
    "squash",
    right=lambda hidden, v: torch.tanh(hidden) @ v,
    outside=Wrong(
        lambda hidden, v: torch.tanh(hidden @ v),
        "The tanh is applied to the finished score, instead of to the hidden layer.",
    ),
    none=Wrong(
        lambda hidden, v: hidden @ v,
        "The tanh no longer stands around the words' part and the query's together: either there is none, or "
        "it holds the query alone. What the query adds is then the same for each word, and the softmax "
        "cancels "
        "it.",
    ),
)
START = Mistakes(
    "start",
    right=lambda from_query, from_key: from_query + from_key,
    no_query=Wrong(
        lambda from_query, from_key: from_key,
        "The query is no longer used: the weights are the same at every step.",
    ),
)


def bahdanau_attention(
    state, query, annotations, mask,
    *, key=KEY.right, squash=SQUASH.right, placed=MASK.right, start=START.right,
):  # fmt: skip
    from_query = (query @ state["W"].T)[:, None, :]  # (batch, 1, d_attention)
    from_key = key(annotations @ state["U"].T)  # (batch, src, d_attention)
    scores = squash(start(from_query, from_key), state["v"])
    weights = masked_softmax(scores, mask, placed=placed)
    return (weights[:, :, None] * annotations).sum(1), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        batch, src, d_query, d_annotation, d_attention = draw.sizes(5, 3, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "mask": padding_mask(draw, kind, batch, src),
                },
                **PADDED_CASES[kind],
                init={"d_query": d_query, "d_annotation": d_annotation, "d_attention": d_attention},
                state={
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "v": draw.normal(d_attention),
                },
                cotangents=[draw.normal(batch, d_annotation), draw.normal(batch, src)],
            )
        )
    return found


EXERCISE = Module(
    id="4.5",
    title="The attention that never looks",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="BahdanauAttention(d_query, d_annotation, d_attention)",
    outputs=OUTPUTS,
    reference=bahdanau_attention,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=PROPERTIES,
    mistakes=(KEY, SQUASH, MASK, START),
    meaningless=((KEY, SQUASH), (KEY, START), (SQUASH["none"], START)),
    forbidden=("AdditiveScore", "attnbook.nn"),
    hints=(
        "Print the weights for two different sets of annotations. What do you see?",
        "Which of the three parameters is made and never used?",
        "The hidden layer should be tanh of a part from the query *plus* a part from each annotation.",
    ),
)
