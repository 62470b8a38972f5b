"""12.4: squeeze-and-excitation for pictures that are padded to one size.

Hu et al. (2018), arXiv 1709.01507, equations 2 to 4, with biases and with a mean over real pixels.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (x (batch, channels, height, width), mask (batch, 1, height, width) of bool) → (batch, channels).
SQUEEZE = Mistakes(
    "squeeze",
    right=lambda x, mask: (x * mask).sum((2, 3)) / mask.sum((2, 3)),
    everything=Wrong(
        lambda x, mask: x.mean((2, 3)),
        "The mean is taken over all pixels, padding included. What stands in the padding should not count.",
    ),
    by_all=Wrong(
        lambda x, mask: (x * mask).mean((2, 3)),
        "The sum is taken over the real pixels and divided by all of them: a small picture in a large frame "
        "gets a mean that is too small.",
    ),
    inverted=Wrong(
        lambda x, mask: (x * ~mask).sum((2, 3)) / (~mask).sum((2, 3)).clamp(min=1),
        "The mask is read the wrong way round: you average the padding. In this book True marks what counts.",
    ),
    sum=Wrong(
        lambda x, mask: (x * mask).sum((2, 3)),
        "The pixels are added up and not divided by their number, so that large pictures open or close the "
        "gates wholly.",
    ),
    largest=Wrong(
        lambda x, mask: x.masked_fill(~mask, -torch.inf).amax((2, 3)),
        "You take the largest pixel of each channel. The squeeze is a mean.",
    ),
    zeros_too=Wrong(
        lambda x, mask: x.masked_fill(~mask, 0.0).amax((2, 3)),
        "You take the largest pixel of each channel, with zeros for the padding. The squeeze is a mean, over "
        "the real pixels.",
    ),
)
HIDDEN = Mistakes(
    "hidden",
    right=torch.relu,
    none=Wrong(
        lambda z: z,
        "There is no ReLU between the two matrices, so that they are one linear map of small rank.",
    ),
    sigmoid=Wrong(
        torch.sigmoid,
        "A sigmoid stands between the two matrices. There it is a ReLU; the sigmoid comes last.",
    ),
)
GATE = Mistakes(
    "gate",
    right=torch.sigmoid,
    softmax=Wrong(
        lambda z: torch.softmax(z, dim=-1),
        "Your gates add up to 1 over the channels: that is a softmax, in which channels compete. Here each "
        "channel has a gate of its own between 0 and 1.",
    ),
    tanh=Wrong(
        torch.tanh, "Your gates run from −1 to 1, as tanh does; a gate of this layer lies between 0 and 1."
    ),
    none=Wrong(
        lambda z: z,
        "The last non-linearity is missing: your gates are not held between 0 and 1.",
    ),
)
BIAS = Mistakes(
    "bias",
    right=(1, 1),
    none=Wrong((0, 0), "The biases are not added, neither b_1 nor b_2."),
    first=Wrong((1, 0), "b_2 is not added."),
    second=Wrong((0, 1), "b_1 is not added."),
)
USE = Mistakes(
    "use",
    right=lambda x, gates: x * gates,
    added=Wrong(
        lambda x, gates: x + gates,
        "The gates are added to the channels. A gate of 0 should close a channel: multiply.",
    ),
    residual=Wrong(
        lambda x, gates: x + x * gates,
        "The picture is added once more after the gates have been applied. Here the gated channels are "
        "returned alone.",
    ),
    closed=Wrong(
        lambda x, gates: x * (1 - gates),
        "Each channel is multiplied by 1 minus its gate: a gate of 1 closes it.",
    ),
)


def gate_channels(
    x, mask, W_1, b_1, W_2, b_2,
    *, squeeze=SQUEEZE.right, hidden=HIDDEN.right, gate=GATE.right, bias=BIAS.right, use=USE.right,
):  # fmt: skip
    z = squeeze(x, mask[:, None])  # (batch, channels)
    gates = gate(hidden(z @ W_1.T + bias[0] * b_1) @ W_2.T + bias[1] * b_2)  # (batch, channels)
    return use(x, gates[:, :, None, None]), gates


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, True, True):
        batch, height, width, channels, hidden = draw.sizes(5, 3, 9)
        mask = torch.ones(batch, height, width, dtype=torch.bool)
        if padded:
            for picture in mask:
                picture[draw.random.randint(1, height - 1) :] = False
                picture[:, draw.random.randint(1, width - 1) :] = False
        found.append(
            Case(
                {
                    "x": draw.normal(batch, channels, height, width) + draw.normal(channels, 1, 1),
                    "mask": mask,
                    "W_1": draw.normal(hidden, channels),
                    "b_1": draw.uniform(hidden, low=0.2, high=0.8),
                    "W_2": draw.normal(channels, hidden, scale=0.7),
                    "b_2": draw.normal(channels, scale=0.7),
                },
                group="mask" if padded else "plain",
                note="pictures are padded at the bottom and on the right" if padded else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="12.4",
    title="A gate for each channel",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="gate_channels(x, mask, W_1, b_1, W_2, b_2)",
    outputs=(
        Output("gated", ("batch", "channels", "height", "width")),
        Output("gates", ("batch", "channels")),
    ),
    reference=gate_channels,
    cases=cases,
    mistakes=(SQUEEZE, HIDDEN, GATE, BIAS, USE),
    together=2,
    forbidden=("attnbook.nn",),
    hints=(
        "One number for each channel of each picture: the mean over the pixels where the mask is True.",
        "`(x * mask[:, None]).sum((2, 3))` adds up the real pixels. By how many of them must it be divided?",
        "ReLU after the first matrix, sigmoid after the second; `gates[:, :, None, None]` fits the pictures.",
    ),
)
