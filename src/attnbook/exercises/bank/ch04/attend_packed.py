"""4.4: weights and contexts of sentences that lie end to end, without padding."""

from itertools import accumulate, pairwise

import torch

from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def borders(lengths: list[int]) -> list[tuple[int, int]]:
    """Where each sentence begins and ends in the long row."""
    return list(pairwise(accumulate(lengths, initial=0)))


SPANS = Mistakes(
    "spans",
    right=borders,
    from_zero=Wrong(
        lambda lengths: [(0, length) for length in lengths],
        "Every sentence is read from the beginning of the long row. A sentence begins where the one before "
        "it ends.",
    ),
    previous=Wrong(
        lambda lengths: [
            (before, before + length) for before, length in zip([0, *lengths], lengths, strict=False)
        ],
        "In your code a sentence begins at the length of the one before it. From the third sentence on that "
        "is too early: a sentence begins after *all* the sentences before it.",
    ),
    last=Wrong(
        lambda lengths: [(start, max(start, stop - 1)) for start, stop in borders(lengths)],
        "The last word of each sentence gets no weight. Python's slices leave their end out already.",
    ),
    following=Wrong(
        lambda lengths: [(start, stop + 1) for start, stop in borders(lengths)],
        "Each sentence takes in the first word of the one after it. Python's slices leave their end out, so "
        "nothing has to be added.",
    ),
)
# The weights of the words from start to stop: (scores, start, stop) → weights.
OVER = Mistakes(
    "over",
    right=lambda scores, start, stop: torch.softmax(scores[start:stop], dim=0),
    batch=Wrong(
        lambda scores, start, stop: torch.softmax(scores, dim=0)[start:stop],
        "One softmax runs over the words of all sentences, so the sentences compete with each other. The "
        "weights of *each* sentence should add up to 1.",
    ),
    largest=Wrong(
        lambda scores, start, stop: (powers := torch.exp(scores[start:stop] - scores.max())) / powers.sum(),
        "The largest score of the whole row is taken away before the exponentials. A sentence whose own "
        "scores all lie far below it is left with 0 / 0. Each sentence needs its own largest score.",
    ),
    overflow=Wrong(
        lambda scores, start, stop: (powers := torch.exp(scores[start:stop])) / powers.sum(),
        "The exponentials are taken of the scores as they come. Of a score of 200 that is infinite in "
        "float32, and of −200 it is 0. Softmax does not change when one number is taken away from all scores "
        "of a sentence first.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda weights, scores, annotations: weights @ annotations,
    mean=Wrong(
        lambda weights, scores, annotations: weights @ annotations / max(len(annotations), 1),
        "The context is divided by the length of the sentence. The weights add up to 1 already.",
    ),
    scores=Wrong(
        lambda weights, scores, annotations: scores @ annotations,
        "The context mixes the annotations with the scores instead of the weights.",
    ),
    hard=Wrong(
        lambda weights, scores, annotations: (
            annotations[scores.argmax()] if len(scores) else annotations.sum(0)
        ),
        "The context is the one annotation with the largest weight. It should be the mean of all of them, "
        "each by its weight.",
    ),
)


def attend_packed(
    scores, annotations, lengths, *, spans=SPANS.right, over=OVER.right, mix=MIX.right
):  # fmt: skip
    weights, contexts = torch.zeros_like(scores), []
    for start, stop in spans(lengths.tolist()):
        part = over(scores, start, stop)
        weights[start:stop] = part
        contexts.append(mix(part, scores[start:stop], annotations[start:stop]))
    return torch.stack(contexts), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "far apart", "empty"):
        batch = draw.random.randint(4, 5)
        lengths = draw.random.sample(range(2, 8), batch)
        if kind == "empty":
            lengths[draw.random.randrange(1, batch - 1)] = 0
        d_annotation = draw.random.choice([size for size in (3, 6, 7, 8, 9) if size != batch])
        scores = draw.normal(sum(lengths), scale=1.5)
        if kind == "far apart":
            middle, end = lengths[0], lengths[0] + lengths[1]
            scores[:middle] -= 200.0
            scores[middle:end] += 200.0
        found.append(
            Case(
                {
                    "scores": scores,
                    "annotations": draw.normal(sum(lengths), d_annotation),
                    "lengths": torch.tensor(lengths),
                },
                group="plain" if kind == "plain" else "edge",
                note={
                    "plain": "sentences of several lengths",
                    "far apart": "the scores of one sentence are near −200, those of another near 200",
                    "empty": "one sentence has no words",
                }[kind],
            )
        )
    return found


def sentences_add_up(args, outputs) -> bool:
    """Whether the weights of each sentence that has words add up to 1."""
    parts = outputs["weights"].split(args["lengths"].tolist())
    return all(abs(part.sum().item() - 1) < 1e-4 for part in parts if len(part))


EXERCISE = Function(
    id="4.4",
    title="Sentences end to end",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="attend_packed(scores, annotations, lengths)",
    outputs=(Output("context", ("batch", "d_annotation")), Output("weights", ("words",))),
    reference=attend_packed,
    cases=cases,
    properties=(NOT_NEGATIVE, Property("the weights of each sentence add up to 1", sentences_add_up)),
    mistakes=(SPANS, OVER, MIX),
    # read from the beginning, a sentence may never see the scores that lie far apart
    meaningless=((SPANS["from_zero"], OVER["largest"]), (SPANS["from_zero"], OVER["overflow"])),
    hints=(
        "Take the sentences one by one. Which part of the long row belongs to the third, if the first two "
        "have 4 and 2 words?",
        "`scores.split(lengths.tolist())` hands you one piece a sentence; so does `annotations.split(…)`.",
        "For each piece: softmax over its words, then weights `@` annotations. Join the weights with "
        "`torch.cat`, the contexts with `torch.stack`.",
    ),
)
