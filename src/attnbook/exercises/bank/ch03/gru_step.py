"""3.3: one step of a GRU, as its paper has it."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

GATE = Mistakes(
    "gate",
    right=lambda z, h, n: z * h + (1 - z) * n,
    swapped=Wrong(
        lambda z, h, n: (1 - z) * h + z * n,
        "The update gate works the other way round: where z is 1 you take the candidate, and the equation "
        "keeps the old state there. Papers differ on this, so look at it again.",
    ),
    no_memory=Wrong(
        lambda z, h, n: (1 - z) * n,
        "The old state is missing from the last line: the new state is (1 − z) · n and nothing is "
        "carried over.",
    ),
)
# The old state's part of the candidate; h_n is h @ U_n.T, with U_n the rows of U for the candidate.
RESET = Mistakes(
    "reset",
    right=lambda r, h, h_n, U_n, b_n: (r * h) @ U_n.T + r * b_n,
    after=Wrong(
        lambda r, h, h_n, U_n, b_n: r * (h_n + b_n),
        "The reset gate multiplies the product of U and h, as in torch and in the chapter. Here, as in Cho's "
        "paper, it multiplies h before the product.",
    ),
    none=Wrong(lambda r, h, h_n, U_n, b_n: h_n + b_n, "The reset gate is computed and never used."),
)
ORDER = Mistakes(
    "order",
    right="rzn",
    zrn=Wrong("zrn", "The rows of W, U and b are taken in the order z, r, n. They are stored as r, z, n."),
)
CANDIDATE = Mistakes(
    "candidate",
    right=torch.tanh,
    sigmoid=Wrong(
        torch.sigmoid,
        "The candidate n goes through a sigmoid, so it cannot be negative. It should be a tanh.",
    ),
    linear=Wrong(
        lambda n: n, "The candidate n goes through no tanh, so the state can leave the range from −1 to 1."
    ),
)
# Where b is added: (b, size) → the part that comes in with x, and the part that the reset gate meets.
BIAS = Mistakes(
    "bias",
    right=lambda b, size: (b, torch.zeros_like(b[2 * size :])),
    none=Wrong(
        lambda b, size: (torch.zeros_like(b), torch.zeros_like(b[2 * size :])), "The bias b is not added."
    ),
    reset=Wrong(
        lambda b, size: (torch.cat([b[: 2 * size], torch.zeros_like(b[2 * size :])]), b[2 * size :]),
        "The candidate's bias stands inside the reset gate's bracket, where torch keeps one of its two. Here "
        "b is added outside of it: the reset gate multiplies h alone.",
    ),
)


def gru_step(
    x, h, W, U, b,
    *, gate=GATE.right, reset=RESET.right, order=ORDER.right, candidate=CANDIDATE.right, bias=BIAS.right,
):  # fmt: skip
    size = h.shape[-1]
    b, b_n = bias(b, size)
    from_x = dict(zip(order, (x @ W.T + b).split(size, dim=-1), strict=True))
    from_h = dict(zip(order, (h @ U.T).split(size, dim=-1), strict=True))
    r = torch.sigmoid(from_x["r"] + from_h["r"])
    z = torch.sigmoid(from_x["z"] + from_h["z"])
    return gate(z, h, candidate(from_x["n"] + reset(r, h, from_h["n"], U[2 * size :], b_n)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, d_x, hidden = draw.sizes(3, 2, 8)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, d_x),
                    "h": draw.normal(batch, hidden).tanh(),
                    "W": draw.normal(3 * hidden, d_x),
                    "U": draw.normal(3 * hidden, hidden),
                    "b": draw.normal(3 * hidden),
                }
            )
        )
    return found


EXERCISE = Function(
    id="3.3",
    title="The GRU as its paper has it",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="gru_step(x, h, W, U, b)",
    outputs=(Output("new_h", ("batch", "hidden")),),
    reference=gru_step,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(
        Property(
            "the new state lies between −1 and 1 when the old one does",
            lambda args, outputs: bool((outputs["new_h"].abs() <= 1 + 1e-4).all()),
        ),
    ),
    mistakes=(GATE, RESET, ORDER, CANDIDATE, BIAS),
    meaningless=((BIAS["reset"], RESET["none"]), (BIAS["reset"], ORDER)),
    forbidden=("GRU", "GRUCell", "attnbook.nn"),
    hints=(
        "Cut W, U and b into three parts each, with `.split(size)`; size is the last size of h.",
        "r and z are sigmoids of the sum of two products. For n, multiply r and h first, then apply U_n.",
        "The last line is a weighted mean of old state and candidate: z says how much of the old one stays.",
    ),
)
