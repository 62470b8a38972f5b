"""4.6: annotations from a forward and a backward reader."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def words_turned(states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The states of each sentence in reverse order, those of its padding left alone."""
    turned = torch.zeros_like(states)
    for row, length in enumerate(lengths.tolist()):
        turned[row, :length] = states[row, :length].flip(0)
    return turned


# What is joined: (forward, backward, lengths) → two tensors.
TURN = Mistakes(
    "turn",
    right=lambda forward, backward, lengths: (forward, words_turned(backward, lengths)),
    neither=Wrong(
        lambda forward, backward, lengths: (forward, backward),
        "The backward states are not turned round. Its first state belongs to the *last* word, so your "
        "first annotation joins what was read of the first word with what was read of the last.",
    ),
    padding_too=Wrong(
        lambda forward, backward, lengths: (forward, backward.flip(1)),
        "The backward states are turned round together with the padding. In a short sentence the padding "
        "then comes first, and every state stands at the wrong word.",
    ),
    features=Wrong(
        lambda forward, backward, lengths: (forward, backward.flip(2)),
        "The features are turned round instead of the words: the wrong axis is flipped.",
    ),
    batch=Wrong(
        lambda forward, backward, lengths: (forward, backward.flip(0)),
        "The sentences of the batch are turned round instead of the words: the wrong axis is flipped.",
    ),
    forward_words=Wrong(
        lambda forward, backward, lengths: (words_turned(forward, lengths), backward),
        "The forward states are turned round instead of the backward ones: the padding is left alone, "
        "and the "
        "wrong reader is turned.",
    ),
    forward=Wrong(
        lambda forward, backward, lengths: (forward.flip(1), backward),
        "The forward states are turned round instead of the backward ones.",
    ),
)
ORDER = Mistakes(
    "order",
    right=lambda forward, turned: (forward, turned),
    backward_first=Wrong(
        lambda forward, turned: (turned, forward), "The two halves are exchanged: forward comes first."
    ),
)
JOIN = Mistakes(
    "join",
    right=lambda first, second: torch.cat([first, second], dim=2),
    added=Wrong(
        lambda first, second: first + second,
        "The two directions are added. They should stand side by side, so that the score can tell them "
        "apart.",
    ),
    averaged=Wrong(
        lambda first, second: (first + second) / 2,
        "The two directions are averaged. They should stand side by side, so that the score can tell them "
        "apart.",
    ),
    along_the_sentence=Wrong(
        lambda first, second: torch.cat([first, second], dim=1),
        "The two directions are joined along the sentence: it is now twice as long. They should be joined "
        "along the features.",
    ),
)


def join_directions(forward, backward, lengths, *, turn=TURN.right, order=ORDER.right, join=JOIN.right):
    return join(*order(*turn(forward, backward, lengths)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, True, True):
        size, *others = draw.sizes(3, 3, 8)
        while 2 * size in others:  # the annotations' axes are batch, src and 2 · size
            size, *others = draw.sizes(3, 3, 8)
        batch, src = sorted(others)
        lengths = torch.full((batch,), src)
        if padded:
            # batch < src, so that every sentence but one can have a length of its own.
            shorter = draw.random.sample(range(2, src), min(batch - 1, src - 2))
            lengths[: len(shorter)] = torch.tensor(shorter)
        real = (torch.arange(src)[None, :] < lengths[:, None])[:, :, None]
        found.append(
            Case(
                {
                    "forward": draw.normal(batch, src, size) * real,
                    "backward": draw.normal(batch, src, size) * real,
                    "lengths": lengths,
                },
                group="mask" if padded else "plain",
                note="sentences of different lengths, zeros on the padding"
                if padded
                else "all of one length",
            )
        )
    return found


EXERCISE = Function(
    id="4.6",
    title="Two readers of one sentence",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="join_directions(forward, backward, lengths)",
    outputs=(Output("annotations", ("batch", "src", "both directions")),),
    reference=join_directions,
    cases=cases,
    mistakes=(TURN, ORDER, JOIN),
    meaningless=((ORDER, JOIN["added"]), (ORDER, JOIN["averaged"])),
    hints=(
        "The backward reader begins at the last word: its state number 0 belongs to word number length − 1.",
        "`backward[row, :length].flip(0)` turns round the words of one sentence and leaves its "
        "padding alone.",
        "`torch.cat([forward, turned], dim=2)` puts the two side by side.",
    ),
)
