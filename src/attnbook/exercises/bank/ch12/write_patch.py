"""12.11: DRAW's writing operation.

Gregor et al. (2015), arXiv 1502.04623, equations 19 to 26 and 29.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (height, width, n) → the stride's largest value along the rows and along the columns.
LARGEST = Mistakes(
    "largest",
    right=lambda height, width, n: (max(height, width) - 1) / (n - 1),
    by_n=Wrong(
        lambda height, width, n: (max(height, width) - 1) / n,
        "The longer side less one is divided by N. From the first to the last of N filters there are N − 1 "
        "strides.",
    ),
    not_less_one=Wrong(
        lambda height, width, n: max(height, width) / (n - 1),
        "The whole longer side is divided by N − 1. From the first to the last pixel there is one step less "
        "than there are pixels.",
    ),
    shorter=Wrong(
        lambda height, width, n: (min(height, width) - 1) / (n - 1),
        "The stride is measured by the shorter side. It goes by the longer one.",
    ),
)
STRIDE = Mistakes(
    "stride",
    right=torch.exp,
    raw=Wrong(lambda log: log, "The logarithm of the stride is used as the stride itself: exp is missing."),
)
INDEX = Mistakes(
    "index",
    right=lambda n: torch.arange(1, n + 1) - n / 2 - 0.5,
    from_zero=Wrong(
        lambda n: torch.arange(n) - n / 2 - 0.5,
        "The filters are counted from 0. The formula counts them from 1, so that their middle lies at the "
        "centre; yours are a whole stride too far up and to the left.",
    ),
    half=Wrong(
        lambda n: torch.arange(1, n + 1) - n / 2,
        "The −0.5 in the place of a filter is missing: your grid lies half a stride beside its centre.",
    ),
)
PIXELS = Mistakes(
    "counted",
    right=1,
    from_zero=Wrong(
        0,
        "The pixels are counted from 0, and the centre is measured from 1: your window lies one pixel too "
        "far down and to the right.",
    ),
)
CENTRE = Mistakes(
    "centre",
    right=lambda side, g: (side + 1) / 2 * (g + 1),
    whole=Wrong(
        lambda side, g: side / 2 * (g + 1),
        "The centre is half the *side* times (g + 1). With pixels counted from 1, the middle lies at half of "
        "side + 1.",
    ),
    raw=Wrong(
        lambda side, g: (side + 1) * g,
        "g is used as if it ran from 0 to 1. It runs from −1 to 1, with 0 in the middle.",
    ),
)
VARIANCE = Mistakes(
    "variance",
    right=torch.exp,
    squared=Wrong(
        lambda log: torch.exp(2 * log),
        "The variance is squared: the third number is the logarithm of σ², not of σ.",
    ),
    half=Wrong(
        lambda log: torch.exp(log) / 2,
        "The 2 in the exponent, 2 · σ², is missing: your filters are too narrow.",
    ),
    raw=Wrong(
        lambda log: log.abs() + 1e-6,
        "The logarithm of the variance is used as the variance itself: exp is missing.",
    ),
)
NORMAL = Mistakes(
    "normalised",
    right=lambda filters: filters / filters.sum(dim=-1, keepdim=True),
    over_filters=Wrong(
        lambda filters: filters / filters.sum(dim=-2, keepdim=True),
        "The filters are normalised over the N filters of a pixel. Each *filter* should add up to 1, over "
        "its pixels.",
    ),
    whole=Wrong(
        lambda filters: filters / filters.sum(dim=(-2, -1), keepdim=True),
        "All filters together add up to 1. Each of them should.",
    ),
    none=Wrong(
        lambda filters: filters, "The filters are not normalised: each should add up to 1 over its pixels."
    ),
)
SIDES = Mistakes(
    "sides",
    right=(0, 1),
    exchanged=Wrong(
        (1, 0),
        "The two centres are exchanged. The first number is g_X: X counts columns, from left to right.",
    ),
)
INTENSITY = Mistakes(
    "intensity",
    right=lambda log: torch.exp(-log),
    times=Wrong(
        torch.exp,
        "The patch is multiplied by γ. That is reading; writing divides by it.",
    ),
    none=Wrong(torch.ones_like, "The intensity γ is never used."),
    raw=Wrong(
        lambda log: 1 / log,
        "The patch is divided by the logarithm of γ: exp is missing.",
    ),
)


def write_patch(
    patch, parameters, height, width,
    *, largest=LARGEST.right, stride=STRIDE.right, index=INDEX.right, counted=PIXELS.right,
    centre=CENTRE.right, variance=VARIANCE.right, normalised=NORMAL.right, sides=SIDES.right,
    intensity=INTENSITY.right,
):  # fmt: skip
    n = patch.shape[-1]
    *_, log_variance, log_stride, log_intensity = parameters.unbind(-1)  # each (batch,)
    step = largest(height, width, n) * stride(log_stride)

    def bank(g, side):  # (batch, n, side)
        means = centre(side, g)[:, None] + index(n) * step[:, None]
        away = torch.arange(counted, side + counted) - means[:, :, None]
        return normalised(torch.exp(-(away**2) / (2 * variance(log_variance)[:, None, None])))

    across, down = bank(parameters[:, sides[0]], width), bank(parameters[:, sides[1]], height)
    return intensity(log_intensity)[:, None, None] * (down.mT @ patch @ across)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, height, width = draw.random.choice((2, 3, 5)), *draw.sizes(2, 10, 16)
        n = draw.random.choice((3, 4))
        parameters = torch.stack(
            [
                draw.uniform(batch, low=0.1, high=0.25) * torch.tensor(draw.random.choice((-1.0, 1.0))),
                draw.uniform(batch, low=0.3, high=0.45) * torch.tensor(draw.random.choice((-1.0, 1.0))),
                draw.uniform(batch, low=0.3, high=0.9),
                draw.uniform(batch, low=-1.1, high=-0.7),
                draw.uniform(batch, low=0.3, high=0.8) * torch.tensor(draw.random.choice((-1.0, 1.0))),
            ],
            dim=-1,
        )
        found.append(
            Case(
                {
                    "patch": draw.normal(batch, n, n) + 1,
                    "parameters": parameters,
                    "height": height,
                    "width": width,
                }
            )
        )
    return found


EXERCISE = Function(
    id="12.11",
    title="A brush of nine filters",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="write_patch(patch, parameters, height, width)",
    outputs=(Output("canvas", ("batch", "height", "width")),),
    reference=write_patch,
    cases=cases,
    mistakes=(LARGEST, STRIDE, INDEX, PIXELS, CENTRE, VARIANCE, NORMAL, SIDES, INTENSITY),
    together=2,
    tolerance=(2e-4, 1e-6),
    forbidden=("attnbook.nn",),
    hints=(
        "Write one function that makes the filters (batch, N, side) of one side, and call it for columns and "
        "for rows.",
        "Means (batch, N, 1) and pixels 1 … side: their difference is (batch, N, side). Divide each filter "
        "by its sum.",
        "With F_Y (batch, N, height) and F_X (batch, N, width), the canvas is F_Yᵀ · patch · F_X, divided by "
        "γ.",
    ),
)
