"""14.3: the permutation test, in which padding wants to take part."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# (draws, mask) → the word whose weight each word gets: (batch, words).
ORDER = Mistakes(
    "order",
    right=lambda draws, mask: draws.masked_fill(~mask, torch.inf).argsort(dim=1),
    padding=Wrong(
        lambda draws, mask: draws.argsort(dim=1),
        "Padding takes part: its weight of 0 is dealt to real words, and real weights land on padding. The "
        "test then measures what is lost to padding. Deal the weights among the words alone.",
    ),
    zeros=Wrong(
        lambda draws, mask: (draws * mask).argsort(dim=1),
        "Padding gets the draw 0, the smallest of all: it comes first, and words get the weights of padding. "
        "It has to come last.",
    ),
    none=Wrong(
        lambda draws, mask: torch.arange(draws.shape[1]).expand_as(draws),
        "Nothing is permuted: each word keeps its weight, and the answer cannot move.",
    ),
    falling=Wrong(
        lambda draws, mask: draws.masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True),
        "The order is falling. The first word takes the weight of the word with the *smallest* draw.",
    ),
    one_order=Wrong(
        lambda draws, mask: draws.masked_fill(~mask, torch.inf)[:1].argsort(dim=1).expand(len(draws), -1),
        "All texts are dealt in the order of the first one. Texts have different lengths, and each has its "
        "own draws.",
    ),
)
DEAL = Mistakes(
    "deal",
    right=lambda weights, order: weights.gather(1, order),
    inverse=Wrong(
        lambda weights, order: torch.zeros_like(weights).scatter(1, order, weights),
        "The permutation is used the other way round: you send word j's weight to place order[j], where "
        "place j should take the weight of word order[j].",
    ),
)


def deal_weights(weights, states, mask, draws, *, order=ORDER.right, deal=DEAL.right):
    dealt = deal(weights, order(draws, mask)) * mask
    return dealt, (dealt.unsqueeze(1) @ states).squeeze(1)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "padded", "padded"):
        batch, words, d_model = draw.sizes(3, 4, 9)
        lengths = [draw.random.randint(3, words - 1) for _ in range(batch)]
        if kind == "plain":
            lengths = [words] * batch
        mask = torch.arange(words) < torch.tensor(lengths)[:, None]
        scores = draw.normal(batch, words, scale=1.5).masked_fill(~mask, -torch.inf)
        found.append(
            Case(
                {
                    "weights": torch.softmax(scores, dim=1),
                    "states": draw.normal(batch, words, d_model),
                    "mask": mask,
                    "draws": draw.uniform(batch, words),
                },
                group="mask" if kind == "padded" else "plain",
                note="texts of several lengths" if kind == "padded" else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="14.3",
    title="Dealt again, to the words alone",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="deal_weights(weights, states, mask, draws)",
    outputs=(Output("dealt", ("batch", "words")), Output("context", ("batch", "d_model"))),
    reference=deal_weights,
    cases=cases,
    mistakes=(ORDER, DEAL),
    meaningless=((ORDER["none"], DEAL["inverse"]),),
    together=2,
    properties=(
        Property(
            "After a permutation the weights of a text still add up to 1. Yours do not.",
            lambda args, outputs: bool(((outputs["dealt"].sum(1) - 1).abs() < 1e-4).all()),
        ),
    ),
    forbidden=("attnbook.analysis",),
    hints=(
        "Print the sum of the dealt weights, text by text. Where did the rest go?",
        "Words come first and padding last. What draw must padding have, so that sorting leaves it there?",
        "`draws.masked_fill(~mask, torch.inf)` before the `argsort`.",
    ),
)
