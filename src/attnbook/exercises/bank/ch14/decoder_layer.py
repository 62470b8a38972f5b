"""14.6: a decoder layer that never reads the encoder."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _attend(query, memory, W, mask):
    q, k, v = query @ W[0].T, memory @ W[1].T, memory @ W[2].T
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def _past(x):
    return torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()


# (x, memory, src_mask) → what the second attention reads, and the mask over it.
READS = Mistakes(
    "reads",
    right=lambda x, memory, src_mask: (memory, src_mask[:, None]),
    itself=Wrong(
        lambda x, memory, src_mask: (x, _past(x)),
        "The second attention reads the decoder's own words again: the layer attends to itself twice, and no "
        "number of the source reaches it. Its keys and values come from the memory.",
    ),
    first_word=Wrong(
        lambda x, memory, src_mask: (memory[:, :1], torch.ones(len(x), 1, 1, dtype=torch.bool)),
        "Only the first word of the source is read. One key gets the whole weight, whatever the query.",
    ),
    no_mask=Wrong(
        lambda x, memory, src_mask: (memory, torch.ones_like(src_mask)[:, None]),
        "The padding of the source gets weight: the second attention has to use src_mask.",
    ),
)
PAST = Mistakes(
    "past",
    right=_past,
    all=Wrong(
        lambda x: torch.ones(x.shape[1], x.shape[1], dtype=torch.bool),
        "The first attention sees the words that are still to be written. It needs the causal mask.",
    ),
    inverted=Wrong(
        lambda x: ~_past(x) | torch.eye(x.shape[1], dtype=torch.bool),
        "The causal mask is turned round: a word sees itself and what comes after it.",
    ),
)
SHORTCUT = Mistakes(
    "shortcut",
    right=lambda x, found: x + found,
    none=Wrong(
        lambda x, found: found,
        "The second shortcut is missing: what the second attention found replaces the rows where it should "
        "be added to them.",
    ),
)


def decoder_layer(
    x, memory, self_W, cross_W, src_mask, *, reads=READS.right, past=PAST.right, shortcut=SHORTCUT.right
):
    x = x + _attend(x, x, self_W, past(x))
    what, mask = reads(x, memory, src_mask)
    return shortcut(x, _attend(x, what, cross_W, mask))


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, False, True):
        batch, tgt, src, d = draw.sizes(4, 3, 9)
        mask = torch.ones(batch, src, dtype=torch.bool)
        if padded:
            lengths = torch.tensor([draw.random.randint(1, src - 1) for _ in range(batch)])
            mask = torch.arange(src) < lengths[:, None]
        found.append(
            Case(
                {
                    "x": draw.normal(batch, tgt, d),
                    "memory": draw.normal(batch, src, d),
                    "self_W": draw.normal(3, d, d, scale=d**-0.5),
                    "cross_W": draw.normal(3, d, d, scale=d**-0.5),
                    "src_mask": mask,
                },
                group="mask" if padded else "plain",
                note="sources are padded" if padded else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="14.6",
    title="It never reads the encoder",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="decoder_layer(x, memory, self_W, cross_W, src_mask)",
    outputs=(Output("x", ("batch", "tgt", "d_model")),),
    reference=decoder_layer,
    cases=cases,
    mistakes=(READS, PAST, SHORTCUT),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn", "MultiheadAttention"),
    hints=(
        "Exchange the memory for another one and call the layer again. What should change, and what does?",
        "A heatmap of the second attention would have as many columns as there are *target* words.",
        "`attend(x, memory, cross_W, src_mask[:, None])`: who asks, who answers, and which of them are real.",
    ),
)
