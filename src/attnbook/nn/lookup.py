"""Attention as lookup: a dictionary that never misses, and four things to do with
it.

A Python dictionary compares your query with its keys, and hands out the value of
the one that is equal. A soft lookup compares too, but gives every key a share, and
hands out the values mixed in these shares:

    scores = query · keyᵀ        one number for each pair of a query and a key
    weights = softmax(scores)    shares: at least 0, and 1 in total
    context = weights · value    the values, mixed

Shapes: query (…, queries, d_k), key (…, keys, d_k), value (…, keys, d_v). A mask is
boolean, True = may attend. Every function returns ``(context, weights)``.
"""

import math

import torch
from torch import Tensor, nn

from attnbook.nn import checks


def masked_softmax(
    scores: Tensor, mask: Tensor | None = None, temperature: float = 1.0
) -> Tensor:
    """Turn scores into shares: ``exp(s_i / T) / Σ_j exp(s_j / T)``, where the sum
    runs over the allowed keys.

    Parameters
    ----------
    scores : (…, keys)
    mask : broadcasts to (…, keys), optional
        Boolean, True = may attend. What it forbids gets a share of exactly 0.
    temperature : float
        Above 1 evens the shares out, below 1 sharpens them.

    Returns
    -------
    (…, keys)
        At least 0, and 1 in total over the last dimension. A row that the mask
        forbids altogether is all 0.

    Raises
    ------
    TypeError
        If scores or mask is not a tensor, or temperature not a number.
    ValueError
        If the mask is not boolean or does not fit the scores, or the temperature is
        not above 0.
    """
    checks.floating("scores", scores)
    checks.boolean_mask("mask", mask, scores, "the scores")
    checks.temperature("temperature", temperature)
    scores = scores / temperature
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    # Subtracting the largest score changes no share, and keeps exp from
    # overflowing.
    largest = (
        scores.detach()
        .amax(dim=-1, keepdim=True)
        .clamp(min=torch.finfo(scores.dtype).min)
    )
    shares = torch.exp(scores - largest)
    total = shares.sum(dim=-1, keepdim=True)
    # 0 / 1 where nothing is allowed
    return shares / total.masked_fill(total == 0, 1.0)


def soft_lookup(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    temperature: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Look at every key, and take a share of every value: ``softmax(Q Kᵀ / T) V``.

    Dot-product attention of Luong et al. 2015, https://arxiv.org/abs/1508.04025,
    section 3.1, and, with ``temperature = √d_k``, equation 1 of Vaswani et al.
    2017, https://arxiv.org/abs/1706.03762.

    Parameters
    ----------
    query : (…, queries, d_k)
    key : (…, keys, d_k)
    value : (…, keys, d_v)
    mask : broadcasts to (…, queries, keys), optional
        Boolean, True = may attend.
    temperature : float
        What the scores are divided by.

    Returns
    -------
    context : (…, queries, d_v)
    weights : (…, queries, keys)

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes, devices, mask or temperature do not fit; the sentence
        names the argument.
    """
    checks.attention_inputs(query, key, value, None)
    checks.temperature("temperature", temperature)
    # Divided before the product, which half precision could not hold undivided.
    scores = (query / temperature) @ key.transpose(-2, -1)  # (…, queries, keys)
    weights = masked_softmax(scores, mask)  # (…, queries, keys)
    context = weights @ value  # (…, queries, d_v)
    return context, weights


def hard_lookup(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Look at every key, and take the whole of one value: the one whose key has the
    largest score.

    The limit of :func:`soft_lookup` as the temperature goes to 0, where no two
    scores tie; of equal scores the first wins. The weights do not change when the
    query moves a little, so no gradient reaches query or key.

    Parameters
    ----------
    query : (…, queries, d_k)
    key : (…, keys, d_k)
    value : (…, keys, d_v)
    mask : broadcasts to (…, queries, keys), optional
        Boolean, True = may attend.

    Returns
    -------
    context : (…, queries, d_v)
    weights : (…, queries, keys)
        A single 1 in each row, or all 0 where the mask allows nothing.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes, devices or mask do not fit; the sentence names the
        argument.
    """
    checks.attention_inputs(query, key, value, None)
    scores = query @ key.transpose(-2, -1)  # (…, queries, keys)
    checks.boolean_mask("mask", mask, scores, "(…, queries, keys)")
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    winner = scores.argmax(dim=-1)  # (…, queries)
    weights = nn.functional.one_hot(winner, scores.shape[-1]).to(value.dtype)
    if mask is not None:
        weights = weights * mask  # a row that may attend to nothing has no winner
    return weights @ value, weights


class SoftDictionary:
    """Keys with values, read with square brackets like a Python dictionary; a query
    need not equal any key.

    Parameters
    ----------
    key : (keys, d_k)
    value : (keys, d_v)
    mask : (keys,), optional
        Boolean, False for entries that must never be read (padding).
    temperature : float
        See :func:`soft_lookup`.

    Raises
    ------
    TypeError, ValueError
        From :meth:`read`, if shapes, dtypes, devices, mask or temperature do not
        fit.
    """

    def __init__(
        self,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        temperature: float = 1.0,
    ):
        self.key, self.value = key, value
        self.mask, self.temperature = mask, temperature

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, query: Tensor) -> Tensor:
        """The context alone, (queries, d_v)."""
        return self.read(query)[0]

    def read(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """Context (queries, d_v) and weights (queries, keys) for a query (queries,
        d_k).
        """
        return soft_lookup(query, self.key, self.value, self.mask, self.temperature)


class KernelRegression(nn.Module):
    """Nadaraya–Watson regression: predict with the average of known answers, near
    ones counting more.

    Nadaraya 1964, https://doi.org/10.1137/1109020, and Watson 1964. With a Gaussian
    kernel, the estimate is a soft lookup whose scores are ``-‖M (q - k)‖² / 2``.
    The metric M says which directions matter, and can be learned.

    Parameters
    ----------
    d_k : int
        Numbers in a query and in a key.
    bandwidth : float
        Distance at which a known answer counts exp(-1/2) = 61 % of one at distance
        0: M begins as the identity divided by it.

    Raises
    ------
    TypeError, ValueError
        If d_k is not a whole number of at least 1, or the bandwidth not a number
        above 0.
    """

    def __init__(self, d_k: int, bandwidth: float = 1.0):
        super().__init__()
        checks.whole_number("d_k", d_k)
        checks.temperature("bandwidth", bandwidth)
        self.metric = nn.Parameter(torch.eye(d_k) / bandwidth)  # M, (d_k, d_k)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Estimates (…, queries, d_v) and weights (…, queries, keys).

        Takes query (…, queries, d_k), key (…, keys, d_k), value (…, keys, d_v) and
        a boolean mask that broadcasts to (…, queries, keys). Raises TypeError or
        ValueError if they do not fit each other or the metric.
        """
        checks.attention_inputs(query, key, value, None)
        checks.last_size("query", query, self.metric.shape[0], "d_k")
        # (…, queries, keys, d_k)
        difference = query.unsqueeze(-2) - key.unsqueeze(-3)
        # (…, queries, keys)
        distance = (difference @ self.metric.T).pow(2).sum(dim=-1)
        weights = masked_softmax(-distance / 2, mask)
        return weights @ value, weights


class AttentionPooling(nn.Module):
    """Many vectors in, one out: a soft lookup with one query, which is learned and
    the same for every input.

    The query plays the part of the word-level context vector of Yang et al. 2016,
    "Hierarchical Attention Networks for Document Classification",
    https://aclanthology.org/N16-1174, here without the hidden layer in front of it.
    It begins as zeros, so that pooling begins as the plain average.

    Parameters
    ----------
    d_k : int
        Numbers in a key.

    Raises
    ------
    TypeError, ValueError
        If d_k is not a whole number of at least 1.
    """

    def __init__(self, d_k: int):
        super().__init__()
        checks.whole_number("d_k", d_k)
        self.query = nn.Parameter(torch.zeros(d_k))

    def forward(
        self, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Context (batch, d_v) and weights (batch, words).

        Takes key (batch, words, d_k), value (batch, words, d_v) and a boolean mask
        (batch, words), True for words. Raises TypeError or ValueError if they do
        not fit each other or the query.
        """
        checks.attention_inputs(key, key, value, None)
        checks.last_size("key", key, self.query.shape[0], "d_k")
        scores = key @ self.query / math.sqrt(len(self.query))  # (batch, words)
        weights = masked_softmax(scores, mask)  # (batch, words)
        context = (weights.unsqueeze(-2) @ value).squeeze(-2)  # (batch, d_v)
        return context, weights
