"""5.5: local-m, a window that moves with t and ends with the sentence."""

import torch

from attnbook.exercises.bank.ch05._lengths import PADDING_GETS_NOTHING, real_places
from attnbook.exercises.mistakes import EMPTY, MASK
from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

SIDE = Mistakes(
    "side",
    right=lambda may, distance: may,
    past=Wrong(
        lambda may, distance: may & (distance <= 0),
        "The window ends at t: it has a left half only. It reaches D places to both sides.",
    ),
    future=Wrong(
        lambda may, distance: may & (distance >= 0),
        "The window begins at t: it has a right half only. It reaches D to both sides.",
    ),
)
EDGE = Mistakes(
    "edge",
    right=lambda distance, window: distance.abs() <= window,
    one_less=Wrong(
        lambda distance, window: distance.abs() < window,
        "The two outermost places are missing: a place at a distance of exactly D belongs to the window. "
        "There are 2D + 1 places, not 2D − 1.",
    ),
    width=Wrong(
        lambda distance, window: distance.abs() <= window // 2,
        "Your window is D places wide, D/2 to each side. D is the reach to *each* side.",
    ),
)
PADDING = Mistakes(
    "padding",
    right=lambda may, lengths: may & real_places(lengths, may.shape[-1]),
    used=Wrong(
        lambda may, lengths: may,
        "Places beyond the end of a sentence get weight: `lengths` is not used. The window cuts off at the "
        "sentence's last word, not at the end of the batch.",
    ),
)


def local_m_weights(
    scores, lengths, window,
    *, side=SIDE.right, edge=EDGE.right, padding=PADDING.right, placed=MASK.right, empty=EMPTY.right,
):  # fmt: skip
    tgt, src = scores.shape[1:]
    distance = torch.arange(src) - torch.arange(tgt)[:, None]
    may = side(edge(distance, window), distance).expand(scores.shape)
    return masked_softmax(scores, padding(may, lengths), placed=placed, empty=empty)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded", "runs off"):
        batch, src = draw.sizes(2, 2, 4)[0], draw.random.randint(6, 8)
        window = draw.random.choice((2, 3))
        tgt = src - 1 if kind != "runs off" else src + window + 2
        shortest = max(3, tgt - window) if kind == "padded" else 3  # "runs off" alone has empty rows
        lengths = torch.full((batch,), src)
        if kind != "full":
            lengths = torch.tensor([draw.random.randint(shortest, src - 1) for _ in range(batch)])
        found.append(
            Case(
                {
                    "scores": draw.normal(batch, tgt, src, scale=1.5),
                    "lengths": lengths,
                    "window": window,
                },
                group={"full": "plain", "padded": "mask", "runs off": "edge"}[kind],
                note={
                    "full": "no padding",
                    "padded": "sentences end in padding",
                    "runs off": "the last windows hold no word of the sentence",
                }[kind],
            )
        )
    return found


def outside_gets_nothing(args, outputs) -> bool:
    weights = outputs["weights"]
    t, s = torch.arange(weights.shape[1])[:, None], torch.arange(weights.shape[2])
    return bool((weights * ((s - t).abs() > args["window"])).abs().max() < 1e-6)


EXERCISE = Function(
    id="5.5",
    title="A window that runs off the sentence",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="local_m_weights(scores, lengths, window)",
    outputs=(Output("weights", ("batch", "tgt", "src")),),
    reference=local_m_weights,
    cases=cases,
    properties=(
        NOT_NEGATIVE,
        PADDING_GETS_NOTHING,
        Property("places more than D from t get the weight 0", outside_gets_nothing),
    ),
    mistakes=(SIDE, EDGE, PADDING, MASK, EMPTY),
    meaningless=(
        (EMPTY, MASK),  # the opposite of a window is never empty
        *((MASK["ignored"], family) for family in (SIDE, EDGE, PADDING)),  # an unused mask can't be wrong
    ),
    forbidden=("LocalAttention", "attnbook.nn"),
    hints=(
        "Make the distances s − t first: `torch.arange(src) - torch.arange(tgt)[:, None]`, (tgt, src).",
        "A place may be looked at if its distance is at most D *and* it lies before the sentence's end.",
        "Scores elsewhere become −∞, then softmax. Rows where nothing is left give NaN: make them zeros.",
    ),
)
