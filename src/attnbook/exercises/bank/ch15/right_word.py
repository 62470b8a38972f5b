"""15.9: how probable a pointer–generator found the right word, which may be unknown to it."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def _known(p_vocab, target):
    inside = target < p_vocab.shape[1]
    at = target.clamp(max=p_vocab.shape[1] - 1).unsqueeze(1)
    return p_vocab.gather(1, at).squeeze(1) * inside


def _copied(weights, src, target):
    return (weights * (src == target.unsqueeze(1))).sum(dim=1)


# (p_vocab, target) → (batch,).
WRITTEN = Mistakes(
    "written",
    right=_known,
    clipped=Wrong(
        lambda p_vocab, target: p_vocab.gather(
            1, target.clamp(max=p_vocab.shape[1] - 1).unsqueeze(1)
        ).squeeze(1),
        "A word beyond the vocabulary is given the probability of the vocabulary's last word. It cannot be "
        "written, so that part is 0.",
    ),
    unknown=Wrong(
        lambda p_vocab, target: p_vocab.gather(
            1, torch.where(target < p_vocab.shape[1], target, 0).unsqueeze(1)
        ).squeeze(1),
        "A word beyond the vocabulary is given the probability of word 0. It cannot be written, so that part "
        "is 0.",
    ),
)
# (weights, src, target) → (batch,).
COPIED = Mistakes(
    "copied",
    right=_copied,
    largest=Wrong(
        lambda weights, src, target: (weights * (src == target.unsqueeze(1))).amax(dim=1),
        "A word that stands twice in the source can be copied from both places: add their weights, where you "
        "take the larger.",
    ),
    first=Wrong(
        lambda weights, src, target: torch.where(
            (src == target.unsqueeze(1)).any(1),
            weights.gather(1, (src == target.unsqueeze(1)).long().argmax(1, keepdim=True)).squeeze(1),
            0.0,
        ),
        "You take the weight of the first place where the word stands. Add those of all.",
    ),
    where=Wrong(
        lambda weights, src, target: (weights.argmax(1) == target).to(weights.dtype),
        "The *place* of the largest weight is compared with the *number* of the word. Compare src with "
        "target.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda p_gen, written, copied: p_gen * written + (1 - p_gen) * copied,
    swapped=Wrong(
        lambda p_gen, written, copied: (1 - p_gen) * written + p_gen * copied,
        "p_gen is used the wrong way round: it is the probability of *writing* from the vocabulary.",
    ),
    sum=Wrong(
        lambda p_gen, written, copied: written + copied,
        "p_gen is never used: the two probabilities are added as they are and may exceed 1.",
    ),
    either=Wrong(
        lambda p_gen, written, copied: torch.where(copied > 0, (1 - p_gen) * copied, p_gen * written),
        "A word that stands in the source can also be written. Both ways count.",
    ),
    larger=Wrong(
        lambda p_gen, written, copied: torch.maximum(p_gen * written, (1 - p_gen) * copied),
        "You take the likelier of the two ways. Both lead to the word: add them.",
    ),
)


def right_word(p_gen, p_vocab, weights, src, target, *, written=WRITTEN.right, copied=COPIED.right,
               mix=MIX.right):  # fmt: skip
    return mix(p_gen, written(p_vocab, target), copied(weights, src, target))


def cases(draw: Draw) -> list[Case]:
    found = []
    for beyond in (False, False, True):
        batch, vocab, length = (
            draw.random.randint(5, 7),
            draw.random.randint(8, 11),
            draw.random.randint(4, 6),
        )
        src = draw.integers(batch, length, low=1, high=vocab)
        target = src[:, 1].clone()
        src[:, 3] = src[:, 1]  # the word stands twice
        target[0] = vocab - 2  # and once only in the vocabulary
        src[0] = torch.where(src[0] == vocab - 2, 1, src[0])
        if beyond:
            src[2:, 1] = src[2:, 3] = vocab + 1
            target[2:] = vocab + 1
            target[0] = vocab + 2  # neither known nor in the source
        p_gen, logits = draw.uniform(batch, low=0.2, high=0.45), draw.normal(batch, vocab)
        p_gen[1] = 0.9  # this word stands in the source, and is rather written
        logits[1, target[1]] += 3
        found.append(
            Case(
                {
                    "p_gen": p_gen,
                    "p_vocab": torch.softmax(logits, dim=1),
                    "weights": torch.softmax(draw.normal(batch, length), dim=1),
                    "src": src,
                    "target": target,
                },
                group="edge" if beyond else "plain",
                note="a word that the vocabulary lacks" if beyond else "",
            )
        )
    return found


EXERCISE = Function(
    id="15.9",
    title="How probable was the right word?",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="right_word(p_gen, p_vocab, weights, src, target)",
    outputs=(Output("probability", ("batch",)),),
    reference=right_word,
    cases=cases,
    mistakes=(WRITTEN, COPIED, MIX),
    meaningless=((COPIED["where"], MIX["either"]), (COPIED["where"], MIX["larger"])),
    together=2,
    properties=(
        Property(
            "A probability lies between 0 and 1. One of yours does not.",
            lambda args, outputs: bool(
                ((outputs["probability"] >= -1e-6) & (outputs["probability"] <= 1 + 1e-5)).all()
            ),
        ),
    ),
    forbidden=("attnbook.nn",),
    hints=(
        "There are two ways to the word: written from the vocabulary, or copied from any place where it "
        "stands.",
        "`(weights * (src == target.unsqueeze(1))).sum(dim=1)` is the second.",
        "A number of at least p_vocab.shape[1] cannot be written: gather at a clamped number, and put 0 "
        "there.",
    ),
)
