"""7.5: one word of the machine reader."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def weighted(tape, weights):
    """What the tape (batch, read, d) holds, by the weights (batch, read): (batch, d)."""
    return (weights[:, :, None] * tape).sum(1)


# The summary of a tape: (tape, weights) → (batch, d).
LOOK = Mistakes(
    "look",
    right=weighted,
    last=Wrong(
        lambda tape, weights: tape[:, -1],
        "Only the last place of the tapes is used. That is an ordinary LSTM; the machine reader mixes all "
        "places, by the weights.",
    ),
    mean=Wrong(
        lambda tape, weights: tape.mean(1),
        "All places count the same: the weights are not used.",
    ),
)
# The summary of the cells: (hidden tape, memory tape, weights, look) → (batch, d).
CELL = Mistakes(
    "cell",
    right=lambda hidden_tape, memory_tape, weights, look: look(memory_tape, weights),
    hidden_tape=Wrong(
        lambda hidden_tape, memory_tape, weights, look: weighted(hidden_tape, weights),
        "The cells' summary is made from the hidden tape. The same weights are used twice, on two tapes.",
    ),
    last=Wrong(
        lambda hidden_tape, memory_tape, weights, look: memory_tape[:, -1],
        "The new cell starts from the last cell alone. It should start from the mixture of all cells on "
        "the memory tape.",
    ),
)
# The four quarters as input, forget and output gate and new content.
GATES = Mistakes(
    "gates",
    right=lambda i, f, o, new: (torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o), new),
    input_forget=Wrong(
        lambda i, f, o, new: (torch.sigmoid(f), torch.sigmoid(i), torch.sigmoid(o), new),
        "Input and forget gate are exchanged: the first quarter of the rows is i.",
    ),
    forget_output=Wrong(
        lambda i, f, o, new: (torch.sigmoid(i), torch.sigmoid(o), torch.sigmoid(f), new),
        "Forget and output gate are exchanged: the order is i, f, o, new content.",
    ),
    torch_order=Wrong(
        lambda i, f, o, new: (torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(new), o),
        "The quarters are read as input, forget, new content, output: that is the order in which "
        "`torch.nn.LSTM` stores its gates. Here the output gate is the third quarter and the new content the "
        "fourth.",
    ),
    forget_first=Wrong(
        lambda i, f, o, new: (torch.sigmoid(f), torch.sigmoid(i), torch.sigmoid(new), o),
        "The quarters are read as forget, input, new content, output. Here the rows of W come as input, "
        "forget, output, new content.",
    ),
    no_sigmoid=Wrong(
        lambda i, f, o, new: (i, f, o, new),
        "The gates are not squeezed into 0 to 1: a sigmoid is missing, so they can turn signs and blow "
        "numbers up.",
    ),
)
# What goes into the gates: (h̃, x) → (batch, d + d_input), and the constant b.
JOINED = Mistakes(
    "joined",
    right=lambda h_summary, x: torch.cat([h_summary, x], dim=-1),
    word_first=Wrong(
        lambda h_summary, x: torch.cat([x, h_summary], dim=-1),
        "Word and summary are joined as [x; h̃]. The shape is the same, but the first d columns of W belong "
        "to the summary: [h̃; x].",
    ),
)
BIAS = Mistakes(
    "bias",
    right=lambda gates, b: gates + b,
    none=Wrong(lambda gates, b: gates, "The constant b is not added to the gates."),
)
RESULTS = Mistakes(
    "results",
    right=lambda h, c: (h, c),
    swapped=Wrong(
        lambda h, c: (c, h),
        "The two results are swapped: return h first, then c.",
    ),
)
OUT = Mistakes(
    "out",
    right=lambda c: torch.tanh(c),
    cell_itself=Wrong(
        lambda c: c,
        "The state is the gated cell itself. A tanh stands between the cell and the output gate.",
    ),
)


def read_word(
    x, hidden_tape, memory_tape, weights, W, b,
    *, look=LOOK.right, cell=CELL.right, gates=GATES.right, out=OUT.right,
    joined=JOINED.right, bias=BIAS.right, results=RESULTS.right,
):  # fmt: skip
    h_summary = look(hidden_tape, weights)
    c_summary = cell(hidden_tape, memory_tape, weights, look)
    i, f, o, new = gates(*bias(joined(h_summary, x) @ W.T, b).chunk(4, dim=-1))
    c = f * c_summary + i * torch.tanh(new)
    return results(o * out(c), c)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, read, d, d_input = draw.sizes(4, 3, 8)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, d_input),
                    "hidden_tape": draw.normal(batch, read, d),
                    "memory_tape": draw.normal(batch, read, d, scale=1.5),
                    "weights": torch.softmax(draw.normal(batch, read, scale=2.0), dim=-1),
                    "W": draw.normal(4 * d, d + d_input, scale=0.6),
                    "b": draw.normal(4 * d, scale=0.5),
                }
            )
        )
    return found


EXERCISE = Function(
    id="7.5",
    title="One word of the machine reader",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="read_word(x, hidden_tape, memory_tape, weights, W, b)",
    outputs=(Output("h", ("batch", "d")), Output("c", ("batch", "d"))),
    reference=read_word,
    cases=cases,
    mistakes=(LOOK, CELL, GATES, OUT, JOINED, BIAS, RESULTS),
    together=2,
    meaningless=((LOOK["last"], CELL["last"]), (LOOK["mean"], CELL["hidden_tape"])),
    forbidden=("LSTMN", "attnbook.nn"),
    hints=(
        "`(weights[:, :, None] * hidden_tape).sum(1)` is (batch, d); the same for the memory tape.",
        "`torch.cat([h_summary, x], dim=-1) @ W.T + b` is (batch, 4·d); `.chunk(4, dim=-1)` cuts it "
        "into i, f, o and the new content.",
        "c = σ(f) · c_summary + σ(i) · tanh(new), and h = σ(o) · tanh(c).",
    ),
)
