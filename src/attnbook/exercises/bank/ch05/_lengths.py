"""What 5.5 and 5.8 share: sentences given by their lengths, and what their padding gets."""

import torch

from attnbook.exercises.spec import Property


def real_places(lengths: torch.Tensor, src: int) -> torch.Tensor:
    """True for the first ``lengths[b]`` of ``src`` places, (batch, 1, src)."""
    return (torch.arange(src) < lengths[:, None])[:, None, :]


def padding_gets_nothing(args, outputs) -> bool:
    """Beyond the end of a sentence the weight is 0."""
    weights = outputs["weights"]
    real = real_places(args["lengths"], weights.shape[-1])
    return bool((weights * ~real).abs().max() < 1e-6)


PADDING_GETS_NOTHING = Property("padding gets the weight 0", padding_gets_nothing)
