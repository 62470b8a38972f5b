"""What a captioner is given: annotations of places, masks over places and words."""

from typing import Any

import torch
from torch import Tensor

from attnbook.nn.checks.tensors import (
    dimensions,
    fits_parameters,
    floating,
    last_size,
    same_batch,
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


def forced_place(given: Tensor, annotated: Tensor, attention: object) -> None:
    """A place (batch,) of annotations (batch, L, d_annotation), for a model with
    attention.
    """
    if attention is None:
        raise ValueError(
            "place: expected None, since this captioner has no attention that "
            "could be overruled; leave it out"
        )
    tensor("place", given)
    if given.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"place: expected whole numbers (int64), got {given.dtype}; convert "
            "them with place.long()"
        )
    dimensions("place", given, ("batch",))
    same_batch("annotations", annotated, "place", given)
    # As with tokens, a compiled model trusts the values.
    if torch.compiler.is_compiling() or given.numel() == 0 or given.is_meta:
        return
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= annotated.shape[1]:
        raise ValueError(
            f"place: expected places from 0 to {annotated.shape[1] - 1}, got {low} "
            f"to {high}; places are counted row by row"
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
