"""3.4: what the decoder reads and what it should produce."""

from attnbook.exercises.cases import sentence_cases
from attnbook.exercises.spec import Function, Mistakes, Output, Wrong

PAIR = Mistakes(
    "pair",
    right=lambda tgt: (tgt[:, :-1], tgt[:, 1:]),  # what is read, what should be given out
    copy=Wrong(
        lambda tgt: (tgt[:, 1:], tgt[:, 1:]),
        "The decoder reads, at every step, the very word that it should produce. It learns to copy, the "
        "loss falls to zero within a minute, and the model cannot translate a word.",
    ),
    same=Wrong(
        lambda tgt: (tgt[:, :-1], tgt[:, :-1]),
        "Input and target are the same words: the decoder reads what it should produce, and never has to "
        "say the stop word.",
    ),
    backwards=Wrong(
        lambda tgt: (tgt[:, 1:], tgt[:, :-1]),
        "The pair is crossed: the decoder reads the next word and should produce the one before. It "
        "learns to talk backwards.",
    ),
    two=Wrong(
        lambda tgt: (tgt[:, :-2], tgt[:, 2:]),
        "The target is two words ahead of the input. One word too many was cut off on each side.",
    ),
    batch=Wrong(
        lambda tgt: (tgt[:-1], tgt[1:]),
        "The shift runs along the batch: the decoder reads one sentence and should produce another. The "
        "words are on the second axis.",
    ),
)


def teacher_forcing(tgt, *, pair=PAIR.right):
    return pair(tgt)


EXERCISE = Function(
    id="3.4",
    title="A loss that is too good to be true",
    bug=True,
    points=2,
    minutes=8,
    difficulty="easy",
    signature="teacher_forcing(tgt)",
    outputs=(
        Output("decoder_input", ("batch", "length - 1")),
        Output("target", ("batch", "length - 1")),
    ),
    reference=teacher_forcing,
    cases=sentence_cases,
    mistakes=(PAIR,),
    hints=(
        "Print both tensors for a sentence like [1, 7, 8, 9, 2], one under the other.",
        "Under each word should stand the word that comes after it.",
        "The input lacks the last word, the target lacks the first.",
    ),
)
