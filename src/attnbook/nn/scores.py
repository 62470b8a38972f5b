"""Score functions: five answers to "how well does this query fit this key?".

Bahdanau, Cho & Bengio 2015, https://arxiv.org/abs/1409.0473 (additive), and Luong,
Pham & Manning 2015, https://arxiv.org/abs/1508.04025, section 3.1 (dot, general,
concat, location).

Every score is called as ``score(query, key)``, with query (…, queries, d_query) and
key (…, keys, d_key), and returns scores (…, queries, keys): any real numbers,
larger = fits better. Turning scores into weights is not a score's business.

A translator asks the same keys once for every word that it writes. So each score
splits its work in two: ``prepare(key)``, done once a sentence, and ``compare(query,
prepared)``, done once a word; ``score(query, key)`` is ``compare(query,
prepare(key))``.
"""

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class AdditiveScore(nn.Module):
    """A small network with one hidden layer: ``e_ij = v_aᵀ tanh(W_a s_{i−1} + U_a
    h_j)``.

    Bahdanau et al. 2015, appendix A.1.2. The tanh stands between the two layers,
    and v_a after it; there are no biases. The query is the decoder's *previous*
    state s_{i−1}, the key an annotation h_j.

    Parameters
    ----------
    d_query, d_key : int
        Sizes of a query and of a key.
    d_attention : int
        Size of the hidden layer.
    """

    def __init__(self, d_query: int, d_key: int, d_attention: int):
        super().__init__()
        checks.whole_number("d_query", d_query)
        checks.whole_number("d_key", d_key)
        checks.whole_number("d_attention", d_attention)
        self.d_query, self.d_key = d_query, d_key
        self.W = nn.Linear(d_query, d_attention, bias=False)  # W_a
        self.U = nn.Linear(d_key, d_attention, bias=False)  # U_a
        self.v = nn.Linear(d_attention, 1, bias=False)  # v_a

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of query (…, queries, d_query) and key (…,
        keys, d_key).
        """
        checks.score_inputs(self, query, key)
        return self.compare(query, self.prepare(key))

    def prepare(self, key: Tensor) -> Tensor:
        """``U_a h_j`` for every key, (…, keys, d_attention)."""
        return self.U(key)

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        # (…, queries, keys, d_attention)
        sums = self.W(query).unsqueeze(-2) + prepared.unsqueeze(-3)
        return self.v(torch.tanh(sums)).squeeze(-1)  # (…, queries, keys)


class DotScore(nn.Module):
    """``score(h_t, h̄_s) = h_tᵀ h̄_s``: no parameters, and queries and keys of one
    size.

    Luong et al. 2015, section 3.1, dot. Not divided by √d: that came with Vaswani
    et al. 2017.
    """

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of (…, queries, d) and (…, keys, d)."""
        checks.score_inputs(self, query, key)
        return self.compare(query, self.prepare(key))

    def prepare(self, key: Tensor) -> Tensor:
        """The keys as they are: nothing can be done ahead."""
        return key

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        return query @ prepared.transpose(-2, -1)


class GeneralScore(nn.Module):
    """``score(h_t, h̄_s) = h_tᵀ W_a h̄_s``: a dot product after a learned change of
    basis, so sizes may differ.

    Luong et al. 2015, section 3.1, general.

    Parameters
    ----------
    d_query, d_key : int
        Sizes of a query and of a key.
    """

    def __init__(self, d_query: int, d_key: int):
        super().__init__()
        checks.whole_number("d_query", d_query)
        checks.whole_number("d_key", d_key)
        self.d_query, self.d_key = d_query, d_key
        self.W = nn.Linear(d_key, d_query, bias=False)  # W_a

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of query (…, queries, d_query) and key (…,
        keys, d_key).
        """
        checks.score_inputs(self, query, key)
        return self.compare(query, self.prepare(key))

    def prepare(self, key: Tensor) -> Tensor:
        """``W_a h̄_s`` for every key, (…, keys, d_query)."""
        return self.W(key)

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        return query @ prepared.transpose(-2, -1)


class ConcatScore(nn.Module):
    """``score(h_t, h̄_s) = v_aᵀ tanh(W_a [h_t; h̄_s])``: query and key glued
    together, then a small network.

    Luong et al. 2015, section 3.1, concat. One matrix times a glued vector is the
    sum of its left part times the query and its right part times the key, so this
    is AdditiveScore with W_a and U_a side by side in one matrix.

    Parameters
    ----------
    d_query, d_key : int
        Sizes of a query and of a key.
    d_attention : int
        Size of the hidden layer.
    """

    def __init__(self, d_query: int, d_key: int, d_attention: int):
        super().__init__()
        checks.whole_number("d_query", d_query)
        checks.whole_number("d_key", d_key)
        checks.whole_number("d_attention", d_attention)
        self.d_query, self.d_key = d_query, d_key
        self.W = nn.Linear(d_query + d_key, d_attention, bias=False)  # W_a
        self.v = nn.Linear(d_attention, 1, bias=False)  # v_a

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of query (…, queries, d_query) and key (…,
        keys, d_key).
        """
        checks.score_inputs(self, query, key)
        return self.compare(query, self.prepare(key))

    def prepare(self, key: Tensor) -> Tensor:
        """The key's part of ``W_a [h_t; h̄_s]``, (…, keys, d_attention)."""
        return key @ self.W.weight[:, self.d_query :].T

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        # (…, queries, d_attention)
        asked = query @ self.W.weight[:, : self.d_query].T
        # (…, queries, keys, d_attention)
        sums = asked.unsqueeze(-2) + prepared.unsqueeze(-3)
        return self.v(torch.tanh(sums)).squeeze(-1)


class LocationScore(nn.Module):
    """``a_t = softmax(W_a h_t)``: the query alone says *where* to look; what stands
    there is never asked.

    Luong et al. 2015, equation 8. Row s of W_a scores position s, so there is a
    longest sentence: for a shorter one only the first rows are used, and positions
    beyond ``max_length`` are never attended to (score minus infinity), both as in
    the paper's footnote.

    Parameters
    ----------
    d_query : int
        Size of a query.
    max_length : int
        Positions that have a score, rows of W_a.
    """

    def __init__(self, d_query: int, max_length: int):
        super().__init__()
        checks.whole_number("d_query", d_query)
        checks.whole_number("max_length", max_length)
        self.d_query, self.max_length = d_query, max_length
        self.W = nn.Linear(d_query, max_length, bias=False)  # W_a

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of query (…, queries, d_query); keys (…, keys,
        any) are only counted.
        """
        checks.score_inputs(self, query, key)
        return self.compare(query, self.prepare(key))

    def prepare(self, key: Tensor) -> Tensor:
        """The keys as they are: only their number will be used."""
        return key

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        keys = prepared.shape[-2]
        scores = self.W(query)[..., :keys]  # (…, queries, at most max_length)
        beyond = scores.new_full(
            (*scores.shape[:-1], keys - scores.shape[-1]), -torch.inf
        )
        return torch.cat([scores, beyond], dim=-1)
