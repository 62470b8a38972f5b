"""What a captioner is given: annotations of places, masks over places and words."""

from typing import Any

import torch
from torch import Tensor

from attnbook.nn.checks.tensors import (
    dimensions,
    fits_parameters,
    floating,
    last_size,
    tensor,
)


def annotations(given: Tensor, given_mask: Tensor | None, model: Any) -> None:
    """Annotations (batch, L, d_annotation) for this model, a mask (batch, L)."""
    floating("annotations", given)
    dimensions("annotations", given, ("batch", "L", "d_annotation"))
    last_size("annotations", given, model.d_annotation, "d_annotation")
    fits_parameters("annotations", given, model)
    if given.shape[1] == 0:
        raise ValueError(
            "annotations: expected at least one place, got none; an image needs at "
            "least one cell of the feature map"
        )
    fixed = getattr(model, "fixed", None)
    if fixed is not None and fixed.in_features != given.shape[1] * given.shape[2]:
        places = fixed.in_features // model.d_annotation
        raise ValueError(
            f"annotations: expected {places} places, for which the fixed vector "
            f"was made, got {given.shape[1]}; give images of one size"
        )
    if given_mask is None:
        return
    tensor("mask", given_mask)
    if given_mask.dtype != torch.bool or given_mask.shape != given.shape[:2]:
        raise ValueError(
            f"mask: expected bool of shape {tuple(given.shape[:2])} (batch, L), "
            f"got {given_mask.dtype} of {tuple(given_mask.shape)}; give one True "
            "or False for each place"
        )


def word_mask(given: Tensor, weights: Tensor) -> None:
    """A mask (batch, tgt) for weights (batch, tgt, L)."""
    tensor("mask", given)
    if given.dtype != torch.bool or given.shape != weights.shape[:2]:
        raise ValueError(
            f"mask: expected bool of shape {tuple(weights.shape[:2])} (batch, "
            f"tgt), got {given.dtype} of {tuple(given.shape)}; give one True or "
            "False for each word"
        )
