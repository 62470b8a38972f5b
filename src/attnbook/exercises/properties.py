"""What every right answer has, where several exercises ask for it: properties of attention weights."""

from __future__ import annotations

import torch

from attnbook.exercises.spec import Property


def not_negative(args, outputs) -> bool:
    """No weight is below zero."""
    return bool((outputs["weights"] >= 0).all())


def rows_add_up(args, outputs) -> bool:
    """Each row of the weights adds up to 1 over the keys, or to 0 where nothing may be attended to."""
    sums = outputs["weights"].sum(dim=-1)
    wanted = torch.ones_like(sums)
    if "mask" in args:
        wanted = args["mask"].any(dim=-1).expand(sums.shape).to(sums.dtype)
    return torch.allclose(sums, wanted, atol=1e-4)


def forbidden_get_nothing(args, outputs) -> bool:
    """Where the mask is False, the weight is 0."""
    mask = args["mask"].expand(outputs["weights"].shape)
    return bool((outputs["weights"][~mask].abs() < 1e-6).all())


NOT_NEGATIVE = Property("no weight is negative", not_negative)
ROWS_ADD_UP = Property("each row of the weights adds up to 1 over the keys", rows_add_up)
ROWS_ADD_UP_MASKED = Property(
    "each row of the weights adds up to 1, or to 0 where the mask allows nothing", rows_add_up
)
FORBIDDEN = Property("where the mask is False, the weight is 0", forbidden_get_nothing)
