"""11.3: a repetition penalty.

Keskar et al. (2019), arXiv 1909.05858, section 4.1, with the treatment of negative logits of Hugging Face's
``RepetitionPenaltyLogitsProcessor``.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

CHANGE = Mistakes(
    "change",
    right=lambda logits, penalty: torch.where(logits > 0, logits / penalty, logits * penalty),
    divided=Wrong(
        lambda logits, penalty: logits / penalty,
        "Every logit is divided by the penalty, the negative ones too. −2 divided by 1.5 is −1.33, which is "
        "*larger*: a token with a negative logit becomes likelier for having been written.",
    ),
    multiplied=Wrong(
        lambda logits, penalty: logits * penalty,
        "Every logit is multiplied by the penalty. A positive one grows, and its token becomes likelier.",
    ),
    exchanged=Wrong(
        lambda logits, penalty: torch.where(logits > 0, logits * penalty, logits / penalty),
        "The two cases are exchanged: all logits of written tokens rise. They should fall.",
    ),
    subtracted=Wrong(
        lambda logits, penalty: logits - penalty,
        "The penalty is subtracted. That is another rule, which some programs offer beside this one; here "
        "logits are divided or multiplied.",
    ),
)


def _written(logits, tokens):
    """True for each token of the vocabulary that was written: (batch, vocab)."""
    return torch.zeros(logits.shape, dtype=torch.bool).scatter(1, tokens, True)


def _changed_once(logits, tokens, penalty, change):
    return torch.where(_written(logits, tokens), change(logits, penalty), logits)


def _changed_each_time(logits, tokens, penalty, change):
    out = logits.clone()
    for row, sentence in enumerate(tokens.tolist()):
        for token in sentence:
            out[row, token] = change(out[row, token], penalty)
    return out


WHERE = Mistakes(
    "where",
    right=_changed_once,
    each_time=Wrong(
        _changed_each_time,
        "A token that was written three times is penalised three times. Whether it was written counts, not "
        "how often.",
    ),
    everywhere=Wrong(
        lambda logits, tokens, penalty, change: change(logits, penalty),
        "All logits are changed, also those of tokens that were never written.",
    ),
    others=Wrong(
        lambda logits, tokens, penalty, change: torch.where(
            _written(logits, tokens), logits, change(logits, penalty)
        ),
        "The tokens that were *not* written are penalised.",
    ),
    last=Wrong(
        lambda logits, tokens, penalty, change: _changed_once(logits, tokens[:, -1:], penalty, change),
        "Only the last token is penalised. All tokens that were written are meant.",
    ),
    whole_batch=Wrong(
        lambda logits, tokens, penalty, change: _changed_once(
            logits, tokens.reshape(1, -1).expand(len(logits), -1), penalty, change
        ),
        "A token that one text of the batch has written is penalised in all texts. Each row has its own.",
    ),
)


def penalise(logits, tokens, penalty, *, change=CHANGE.right, where=WHERE.right):
    return where(logits, tokens, penalty, change)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, length = draw.sizes(2, 3, 7)
        vocab = batch * length + draw.random.randint(4, 9)
        tokens = draw.integers(batch, length, high=vocab)
        tokens[:, -2] = tokens[:, 0]  # written twice
        found.append(
            Case(
                {
                    "logits": draw.normal(batch, vocab, scale=2.0),
                    "tokens": tokens,
                    "penalty": round(draw.random.uniform(1.3, 2.0), 2),
                }
            )
        )
    return found


EXERCISE = Function(
    id="11.3",
    title="Not again",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="penalise(logits, tokens, penalty)",
    outputs=(Output("logits", ("batch", "vocab")),),
    reference=penalise,
    cases=cases,
    mistakes=(CHANGE, WHERE),
    forbidden=("RepetitionPenaltyLogitsProcessor", "transformers"),
    hints=(
        "Which logits of a row belong to tokens that stand in the same row of `tokens`?",
        "`torch.zeros_like(logits, dtype=torch.bool).scatter(1, tokens, True)` is True exactly there.",
        "`torch.where(logits > 0, …, …)` makes the changed logits; a second `torch.where` keeps them where "
        "the token was written.",
    ),
)
