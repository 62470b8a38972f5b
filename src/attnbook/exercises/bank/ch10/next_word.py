"""10.6: a model of the next word that reads the answer."""

import math

import torch

from attnbook.exercises.cases import sentence_cases
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Mistakes, Module, Output, Wrong

PAIR = Mistakes(
    "pair",
    right=lambda tgt: (tgt[:, :-1], tgt[:, 1:]),  # what is read, what should be given out
    whole=Wrong(
        lambda tgt: (tgt, tgt),
        "The model reads the whole sentence and should give out the whole sentence: at each "
        "place it has already read the answer. It learns to copy.",
    ),
    same=Wrong(
        lambda tgt: (tgt[:, :-1], tgt[:, :-1]),
        "The last word was taken off both sides: the model still reads, at each place, the "
        "word that it should give out. Which word should it guess when it has read the first?",
    ),
    copy=Wrong(
        lambda tgt: (tgt[:, 1:], tgt[:, 1:]),
        "The first word was taken off both sides: the model still reads, at each place, the "
        "word that it should give out.",
    ),
    backwards=Wrong(
        lambda tgt: (tgt[:, 1:], tgt[:, :-1]),
        "The shift goes the wrong way: the model reads the next word and should say the one before.",
    ),
)
PAST = Mistakes(
    "past",
    right=lambda everything: everything.tril(),
    one_ahead=Wrong(
        lambda everything: everything.tril(1),
        "The mask lets each word see the next one, which is the word to be guessed.",
    ),
    all=Wrong(
        lambda everything: everything.clone(),
        "Nothing hides the future any more: each word sees the words that it should guess.",
    ),
)


def next_word_loss(state, tgt, *, pair=PAIR.right, past=PAST.right):
    E = state["E"]
    seen, wanted = pair(tgt)
    x = E[seen] * math.sqrt(E.shape[1])
    scores = (x @ state["W_q"].T) @ (x @ state["W_k"].T).mT / math.sqrt(E.shape[1])
    n = seen.shape[1]
    mask = past(torch.ones(n, n, dtype=torch.bool))
    x = x + masked_softmax(scores, mask) @ (x @ state["W_v"].T)
    logits = x @ E.T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())


def cases(draw: Draw) -> list[Case]:
    found = []
    for case in sentence_cases(draw):
        d_model, vocab = draw.sizes(2, 4, 8)
        tgt = case.args["tgt"] % (vocab - 3) + 3
        tgt[:, 0], tgt[:, -1] = 1, 2
        found.append(
            Case(
                {"tgt": tgt},
                init={"vocab": vocab, "d_model": d_model},
                state={
                    "E": draw.normal(vocab, d_model, scale=0.5),
                    **{name: draw.normal(d_model, d_model, scale=0.6) for name in ("W_q", "W_k", "W_v")},
                },
                cotangents=[torch.tensor(1.0)],
            )
        )
    return found


EXERCISE = Module(
    id="10.6",
    title="Too good to be true",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="NextWord(vocab, d_model)",
    outputs=(Output("loss", ()),),
    reference=next_word_loss,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(PAIR, PAST),
    forbidden=("attnbook.nn",),
    hints=(
        "Print `seen` and `wanted` for one sentence, one under the other. What does the model read when "
        "it should say the third word?",
        "The mask is right: a word may see itself. So the word itself must not be the answer.",
        "Two words fall away: what is read lacks the last word, what is wanted lacks the first.",
    ),
)
