"""15.7: features of where a decoder has attended: at the last step, and in all steps so far."""

import torch
import torch.nn.functional as F

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# history (batch, steps, src) → two rows (batch, 2, src): the last weights, and all so far.
ROWS = Mistakes(
    "rows",
    right=lambda history: torch.stack([history[:, -1], history.sum(dim=1)], dim=1),
    last_twice=Wrong(
        lambda history: torch.stack([history[:, -1], history[:, -1]], dim=1),
        "Both rows hold the last weights. The second should hold the sum over all steps so far.",
    ),
    mean=Wrong(
        lambda history: torch.stack([history[:, -1], history.mean(dim=1)], dim=1),
        "The second row is a mean. It should be the sum: how much weight each frame has had in all.",
    ),
    first=Wrong(
        lambda history: torch.stack([history[:, 0], history.sum(dim=1)], dim=1),
        "The first row holds the weights of the first step. The newest stand last.",
    ),
    before=Wrong(
        lambda history: torch.stack([history[:, -1], history[:, :-1].sum(dim=1)], dim=1),
        "Your sum leaves out the last step. All steps so far are meant.",
    ),
    swapped=Wrong(
        lambda history: torch.stack([history.sum(dim=1), history[:, -1]], dim=1),
        "The two rows are exchanged: filters[:, 0] reads the last weights, filters[:, 1] the sum.",
    ),
)
# (rows (batch, 2, src), filters (n, 2, width)) → (batch, n, src).
SLIDE = Mistakes(
    "slide",
    right=lambda rows, filters: F.conv1d(rows, filters, padding=filters.shape[-1] // 2),
    flipped=Wrong(
        lambda rows, filters: F.conv1d(rows, filters.flip(-1), padding=filters.shape[-1] // 2),
        "Your filters run backwards. filters[…, 0] is multiplied with the frame furthest to the *left*.",
    ),
    behind=Wrong(
        lambda rows, filters: F.conv1d(F.pad(rows, (filters.shape[-1] - 1, 0)), filters),
        "Each feature sees frames before it alone: the window should be centred on the frame.",
    ),
    ahead=Wrong(
        lambda rows, filters: F.conv1d(F.pad(rows, (0, filters.shape[-1] - 1)), filters),
        "Each feature sees frames after it alone: the window should be centred on the frame.",
    ),
    around=Wrong(
        lambda rows, filters: F.conv1d(F.pad(rows, (filters.shape[-1] // 2,) * 2, mode="circular"), filters),
        "At the edges your window goes round to the other end. There it should meet zeros.",
    ),
)


def location_features(history, filters, *, rows=ROWS.right, slide=SLIDE.right):
    return slide(rows(history), filters).transpose(1, 2)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, steps, count = draw.sizes(3, 3, 6)
        src, width = draw.random.randint(8, 12), draw.random.choice((3, 5))
        history = torch.softmax(draw.normal(batch, steps, src, scale=1.5), dim=-1)
        found.append(Case({"history": history, "filters": draw.normal(count, 2, width)}))
    return found


EXERCISE = Function(
    id="15.7",
    title="Where it has been",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="location_features(history, filters)",
    outputs=(Output("features", ("batch", "src", "n_filters")),),
    reference=location_features,
    cases=cases,
    mistakes=(ROWS, SLIDE),
    forbidden=("attnbook.nn",),
    hints=(
        "Two rows for each example, (batch, 2, src): `history[:, -1]` and `history.sum(dim=1)`.",
        "`F.conv1d` does not turn the filter round; `padding=width // 2` centres it.",
        "What comes back is (batch, n_filters, src): exchange the last two axes.",
    ),
)
