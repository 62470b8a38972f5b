"""11.6: perplexity of texts that are padded on the left."""

import torch

from attnbook.exercises.mistakes import AVERAGE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# Which logits belong to which token: (logits, tokens) → logits (batch, pairs, vocab), tokens (batch, pairs).
PAIR = Mistakes(
    "pair",
    right=lambda logits, tokens: (logits[:, :-1], tokens[:, 1:]),
    same=Wrong(
        lambda logits, tokens: (logits[:, 1:], tokens[:, 1:]),
        "The logits at a place are compared with the token at the same place, which the model has just read. "
        "They are about the *next* token.",
    ),
    backwards=Wrong(
        lambda logits, tokens: (logits[:, 1:], tokens[:, :-1]),
        "The shift goes the wrong way: your logits are compared with the token before.",
    ),
)
# Which of these pairs count: mask → (batch, pairs).
COUNTED = Mistakes(
    "counted",
    right=lambda mask: mask[:, :-1] & mask[:, 1:],
    first_token=Wrong(
        lambda mask: mask[:, 1:],
        "The first token of a padded text is counted: its logits come from a padded place, where the model "
        "had read nothing. A pair counts only if both its places are real.",
    ),
    all=Wrong(
        lambda mask: torch.ones_like(mask[:, 1:]),
        "Padding is counted as if it were text.",
    ),
)
TO_PERPLEXITY = Mistakes(
    "made",
    right=lambda loss: loss.exp(),
    two=Wrong(
        lambda loss: 2**loss,
        "You take 2 to the power of the loss. `log_softmax` uses the natural logarithm: the base is e.",
    ),
    none=Wrong(
        lambda loss: loss,
        "That is the mean loss. Perplexity is its exponential.",
    ),
)


def _mean(losses, mask):
    return AVERAGE.right(losses, mask)


# The mean, and the exponential: (losses, mask, made) → number.
ORDER = Mistakes(
    "order",
    right=lambda losses, mask, made: made(_mean(losses, mask)),
    tokens=Wrong(
        lambda losses, mask, made: _mean(made(losses), mask),
        "The exponential is taken of each token's loss, and then the mean. One surprising token then "
        "outweighs all others: first the mean, then the exponential.",
    ),
    texts=Wrong(
        lambda losses, mask, made: made((losses * mask).sum(-1) / mask.sum(-1)).mean(),
        "A perplexity is computed for each text, and then their mean. Tokens are averaged over the whole "
        "batch, and the exponential comes last.",
    ),
    mean_of_means=Wrong(
        lambda losses, mask, made: made(((losses * mask).sum(-1) / mask.sum(-1)).mean()),
        AVERAGE["sentences"].text,
    ),
    all_positions=Wrong(
        lambda losses, mask, made: made(AVERAGE["all_positions"].code(losses, mask)),
        AVERAGE["all_positions"].text,
    ),
)


def perplexity(
    logits, tokens, mask,
    *, pair=PAIR.right, counted=COUNTED.right, made=TO_PERPLEXITY.right, order=ORDER.right,
):  # fmt: skip
    logits, tokens = pair(logits, tokens)
    losses = -torch.log_softmax(logits, -1).gather(-1, tokens[..., None])[..., 0]
    return order(losses, counted(mask), made)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        vocab, *others = draw.sizes(3, 4, 10)
        batch, length = sorted(others)
        mask = torch.ones(batch, length, dtype=torch.bool)
        if kind == "padded":
            for row, empty in enumerate(draw.random.sample([length - 2, *range(length - 2)], batch - 1)):
                mask[row, :empty] = False
        tokens = draw.integers(batch, length, low=1, high=vocab)
        tokens[~mask] = 0
        found.append(
            Case(
                {
                    "logits": draw.normal(batch, length, vocab, scale=1.5),
                    "tokens": tokens,
                    "mask": mask,
                },
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "texts begin with padding",
            )
        )
    return found


EXERCISE = Function(
    id="11.6",
    title="As uncertain as a die with how many sides?",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="perplexity(logits, tokens, mask)",
    outputs=(Output("perplexity"),),
    reference=perplexity,
    cases=cases,
    mistakes=(PAIR, COUNTED, TO_PERPLEXITY, ORDER),
    # Without an exponential there is no order of mean and exponential; where padding counts, all places do.
    meaningless=(
        (TO_PERPLEXITY["none"], ORDER["tokens"]),
        (TO_PERPLEXITY["none"], ORDER["texts"]),
        (COUNTED["all"], ORDER["all_positions"]),
        (COUNTED["all"], ORDER["mean_of_means"]),
    ),
    together=2,
    tolerance=(5e-4, 1e-4),
    forbidden=("attnbook.experiments", "attnbook.training"),
    hints=(
        "The logits at place t say what the model expects at place t + 1: `logits[:, :-1]` and `tokens[:, "
        "1:]`.",
        "−log p of the tokens that came: `torch.log_softmax(…, -1).gather(-1, tokens[..., None])`. Which of "
        "these pairs have a real token on both sides?",
        "Sum of the counted losses, divided by how many they are, and then `exp`.",
    ),
)
