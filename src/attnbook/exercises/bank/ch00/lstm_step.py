"""0.10: one step of an LSTM."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

ORDER = Mistakes(
    "order",
    right="ifgo",
    input_forget=Wrong(
        "figo",
        "Input gate and forget gate have changed places: torch stores the input gate first. Your cell "
        "forgets where it should write.",
    ),
    candidate_output=Wrong(
        "ifog",
        "Candidate and output gate have changed places: torch's third block is the candidate, and the "
        "output gate comes last.",
    ),
)
CANDIDATE = Mistakes(
    "candidate",
    right=torch.tanh,
    sigmoid=Wrong(
        torch.sigmoid,
        "The candidate goes through a sigmoid and can never be negative. Gates are sigmoids; what is "
        "written is a tanh.",
    ),
)
OUTPUT = Mistakes(
    "output",
    right=torch.tanh,
    plain=Wrong(
        lambda cell: cell,
        "The output gate multiplies the memory cell itself. The outside should see its tanh, between −1 "
        "and 1.",
    ),
)
BIAS = Mistakes(
    "bias",
    right=lambda bias_ih, bias_hh: bias_ih + bias_hh,
    none=Wrong(
        lambda bias_ih, bias_hh: torch.zeros_like(bias_hh),
        "Neither bias is added. Both `bias_ih` and `bias_hh` belong into the sum, before it is cut into "
        "blocks.",
    ),
    one=Wrong(
        lambda bias_ih, bias_hh: bias_ih,
        "`bias_hh` is never used. One of the two biases would do, but torch has both, and adds both.",
    ),
)
MEMORY = Mistakes(
    "memory",
    right=lambda h, c: c,
    h=Wrong(
        lambda h, c: h,
        "The forget gate multiplies the old h. It should multiply the old memory cell c: that is the "
        "whole point of keeping two.",
    ),
)


def lstm_step(
    x, h, c, weight_ih, weight_hh, bias_ih, bias_hh,
    *, order=ORDER.right, candidate=CANDIDATE.right, output=OUTPUT.right, bias=BIAS.right,
    memory=MEMORY.right,
):  # fmt: skip
    together = x @ weight_ih.T + h @ weight_hh.T + bias(bias_ih, bias_hh)
    blocks = dict(zip(order, together.chunk(4, dim=-1), strict=True))
    new_c = torch.sigmoid(blocks["f"]) * memory(h, c) + torch.sigmoid(blocks["i"]) * candidate(blocks["g"])
    return torch.sigmoid(blocks["o"]) * output(new_c), new_c


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, d_input, d_hidden = draw.sizes(3, 2, 7)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, d_input),
                    "h": draw.normal(batch, d_hidden),
                    "c": draw.normal(batch, d_hidden, scale=1.5),
                    "weight_ih": draw.normal(4 * d_hidden, d_input),
                    "weight_hh": draw.normal(4 * d_hidden, d_hidden),
                    "bias_ih": draw.normal(4 * d_hidden),
                    "bias_hh": draw.normal(4 * d_hidden),
                }
            )
        )
    return found


EXERCISE = Function(
    id="0.10",
    title="One LSTM step",
    points=4,
    minutes=18,
    difficulty="hard",
    signature="lstm_step(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)",
    outputs=(Output("h", ("batch", "d_hidden")), Output("c", ("batch", "d_hidden"))),
    reference=lstm_step,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(ORDER, CANDIDATE, OUTPUT, BIAS, MEMORY),
    forbidden=("LSTMCell", "attnbook.nn"),
    hints=(
        "One line for all four: `x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh`.",
        "`.chunk(4, dim=-1)` cuts it into the blocks i, f, g, o, in this order.",
        "c = σ(f) · c + σ(i) · tanh(g), and then h = σ(o) · tanh(c) with the new c.",
    ),
)
