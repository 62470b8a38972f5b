"""11.4: positions and mask of a batch that is padded on the left."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

COUNT = Mistakes(
    "count",
    right=lambda mask: (mask.cumsum(-1) - 1).clamp(min=0),
    column=Wrong(
        lambda mask: torch.arange(mask.shape[-1]).expand(mask.shape),
        "Positions are counted from the left edge, padding included. The same text then stands at other "
        "positions as soon as a longer one joins its batch.",
    ),
    from_one=Wrong(
        lambda mask: mask.cumsum(-1),
        "Your positions are counted from 1: the first token of a text stands at position 0.",
    ),
    from_the_end=Wrong(
        lambda mask: torch.arange(mask.shape[-1]).flip(0).expand(mask.shape),
        "Positions are counted from the right. The first token of a text has position 0, the next one 1.",
    ),
    only_clamped=Wrong(
        lambda mask: (torch.arange(mask.shape[-1]) - mask.sum(-1, keepdim=True)).clamp(min=0),
        "You take the number of *tokens* away from the column. What lies before a text is its padding: take "
        "the number of padded places away.",
    ),
)


def _causal(mask):
    n = mask.shape[-1]
    return torch.ones(n, n, dtype=torch.bool).tril()


SEEN = Mistakes(
    "seen",
    right=lambda mask: _causal(mask) & mask[:, None, :],
    no_padding=Wrong(
        lambda mask: _causal(mask).expand(len(mask), -1, -1).clone(),
        "The mask is causal and lets tokens attend to padding: a key at a padded place should be False for "
        "every query.",
    ),
    no_causal=Wrong(
        lambda mask: mask[:, None, :].expand(-1, mask.shape[-1], -1).clone(),
        "Padding is hidden, the future is not: a token may attend to tokens behind it.",
    ),
    queries=Wrong(
        lambda mask: _causal(mask) & mask[:, :, None],
        "You hide the *rows* of the padding, the queries. It is the columns that matter: no token may attend "
        "to a padded place.",
    ),
    strict=Wrong(
        lambda mask: _causal(mask).tril(-1) & mask[:, None, :],
        "A token may not attend to itself in your mask. It may: only what lies behind it is hidden.",
    ),
    turned=Wrong(
        lambda mask: _causal(mask).T & mask[:, None, :],
        "Your mask is turned around: tokens attend to what comes after them.",
    ),
)


def left_padded(mask, *, count=COUNT.right, seen=SEEN.right):
    return count(mask), seen(mask)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        batch, length = draw.sizes(2, 3, 8)
        mask = torch.ones(batch, length, dtype=torch.bool)
        if kind == "padded":
            for row in range(batch):
                mask[row, : draw.random.randint(1, length - 2)] = False
            mask[draw.random.randrange(batch)] = True
        found.append(
            Case(
                {"mask": mask},
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "texts begin with padding",
            )
        )
    return found


EXERCISE = Function(
    id="11.4",
    title="Padding in front",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="left_padded(mask)",
    outputs=(
        Output("positions", ("batch", "length")),
        Output("allowed", ("batch", "length", "length")),
    ),
    reference=left_padded,
    cases=cases,
    mistakes=(COUNT, SEEN),
    hints=(
        "In the row False, False, True, True, True the first True is position 0. `cumsum` counts Trues.",
        "Of a query only keys that are not later count, and of those only real tokens: two masks, joined by "
        "&.",
        "`torch.ones(n, n, dtype=torch.bool).tril()` and `mask[:, None, :]`; `.clamp(min=0)` for the "
        "padding's positions.",
    ),
)
