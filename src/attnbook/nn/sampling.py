"""From a language model's logits to the probabilities that a token is drawn with.

Temperature; the k likeliest tokens (Fan et al. 2018, https://arxiv.org/abs/1805.04833,
section 5); the nucleus, the fewest tokens that together reach the probability p
(Holtzman et al. 2019, https://arxiv.org/abs/1904.09751, section 3.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn import checks


def sampling_probabilities(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """What a token is drawn with: (…, vocab), each row adds up to 1.

    Parameters
    ----------
    logits : (…, vocab)
    temperature : float
        What logits are divided by; 0 gives everything to the likeliest token.
    top_k : int, optional
        Keep the k likeliest tokens, and those that tie with the last of them.
    top_p : float, optional
        Keep the fewest likeliest tokens that together have at least this
        probability, from above 0 to 1; of those that top_k kept.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    checks.not_negative("temperature", temperature)
    if temperature == 0:
        likeliest = logits.argmax(dim=-1, keepdim=True)
        return torch.zeros_like(logits).scatter(-1, likeliest, 1.0)
    if top_k is not None:
        checks.whole_number("top_k", top_k)
        least = logits.topk(min(top_k, logits.shape[-1]), dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    probabilities = torch.softmax(logits / temperature, dim=-1)
    if top_p is not None:
        if not 0 < top_p <= 1:
            raise ValueError(
                f"top_p: expected a number above 0 and at most 1, got {top_p}"
            )
        falling, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = falling.cumsum(dim=-1) - falling  # of all likelier tokens
        falling = falling.masked_fill(before >= top_p, 0.0)
        probabilities = torch.zeros_like(falling).scatter(-1, order, falling)
        probabilities = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return probabilities
