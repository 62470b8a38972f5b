"""Local attention: look only at a window of the source, around a position that is
assumed or predicted.

Luong, Pham & Manning 2015, section 3.2, https://arxiv.org/abs/1508.04025. Positions
are counted from 0 here.

Monotonic (local-m): the window stands at the target's own position, ``p_t = t``,
and the weights are a softmax over the window. Predictive (local-p), equations 9 and
10:

    p_t = S · sigmoid(v_pᵀ tanh(W_p h_t))
    a_t(s) = align(h_t, h̄_s) · exp(−(s − p_t)² / (2σ²)),   σ = D/2

where S is the length of the source sentence, D the half width of the window, and
align the softmax over the window. The weights are *not* divided by their sum after
the Gaussian, so a row sums to less than 1.
"""

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import masked_scores, softmax_or_zeros
from attnbook.nn.protocols import Score


class LocalAttention(nn.Module):
    """Attention within [p_t − D, p_t + D]; what the window has beyond the
    sentence's edges is ignored.

    All scores are computed and those outside the window thrown away: the paper's
    numbers, not its saving in time. ``GatheredLocalAttention`` computes only those
    in the window.

    Parameters
    ----------
    score : torch.nn.Module
        A score from ``attnbook.nn.scores``.
    window : int
        D. The window holds up to 2D + 1 positions.
    alignment : "monotonic" or "predictive"
        Where p_t comes from.
    d_query : int, optional
        For "predictive": size of a query. Taken from the score where it has one
        (DotScore does not).
    d_attention : int, optional
        For "predictive": rows of W_p; d_query if left out.
    gaussian : bool
        For "predictive": multiply with the Gaussian, as the paper does. Without it
        p_t only chooses the window, and nothing teaches W_p and v_p.
    """

    def __init__(
        self,
        score: Score,
        window: int,
        alignment: str = "monotonic",
        d_query: int | None = None,
        d_attention: int | None = None,
        gaussian: bool = True,
    ):
        super().__init__()
        checks.score_module("score", score)
        checks.whole_number("window", window)
        checks.one_of("alignment", alignment, ("monotonic", "predictive"))
        self.score = score
        self.window = window
        self.alignment = alignment
        self.gaussian = gaussian
        if alignment == "predictive":
            d_query = (
                getattr(score, "d_query", None) if d_query is None else d_query
            )
            checks.known_size("d_query", d_query, score)
            rows = d_attention or d_query
            self.W_p = nn.Linear(d_query, rows, bias=False)  # pyright: ignore[reportArgumentType]
            self.v_p = nn.Linear(rows, 1, bias=False)  # pyright: ignore[reportArgumentType]

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        prepared: Tensor | None = None,
        position: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Attend with every query to its own window of the keys.

        Parameters
        ----------
        query : (…, queries, d_query)
        key : (…, keys, d_key)
        value : (…, keys, d_v)
        mask : broadcasts to (…, queries, keys), optional
            True = may attend. The number of True in a row is S, the length of that
            sentence.
        prepared : optional
            ``score.prepare(key)``, if a caller that asks the same keys again and
            again has kept it.
        position : int
            t of the first query: a decoder that writes word by word passes the
            number of words written so far.

        Returns
        -------
        context : (…, queries, d_v)
        weights : (…, queries, keys)
            Zero outside the window; all zero where the window has left the sentence
            (monotonic, once t > S − 1 + D).

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit.
        """
        checks.score_attention_inputs(self.score, query, key, value, mask, prepared)
        checks.whole_number("position", position, least=0)
        if prepared is None:
            prepared = self.score.prepare(key)
        # (…, queries, keys)
        scores = masked_scores(self.score.compare(query, prepared), mask)
        centre = self.centre(query, key, mask, position)  # p_t: (…, queries, 1)
        # s − p_t: (…, queries, keys)
        distance = torch.arange(key.shape[-2], device=key.device) - centre
        scores = scores.masked_fill(distance.abs() > self.window, -torch.inf)
        weights = softmax_or_zeros(scores)  # (…, queries, keys)
        if self.alignment == "predictive" and self.gaussian:
            sigma = self.window / 2
            weights = weights * torch.exp(-(distance**2) / (2 * sigma**2))
        context = weights @ value  # (…, queries, d_v)
        return context, weights

    def centre(
        self,
        query: Tensor,
        key: Tensor,
        mask: Tensor | None = None,
        position: int = 0,
    ) -> Tensor:
        """p_t for each query, (…, queries, 1): whole if monotonic, any number from
        0 to S if predictive.
        """
        if self.alignment == "monotonic":
            t = torch.arange(
                position, position + query.shape[-2], device=query.device
            )
            return t.unsqueeze(-1)  # (queries, 1)
        if mask is None:
            length = key.shape[-2]
        else:
            allowed = mask if mask.dtype == torch.bool else mask > -torch.inf
            allowed = allowed.expand(*allowed.shape[:-1], key.shape[-2])
            length = allowed.sum(dim=-1, keepdim=True)  # S
        return length * torch.sigmoid(self.v_p(torch.tanh(self.W_p(query))))


class GatheredLocalAttention(LocalAttention):
    """LocalAttention with the same numbers, which scores only the 2D + 1 places
    that a window can hold.

    A sentence of n words into one of n words costs n (2D + 1) scores, not n². The
    keys of each window are copied out of the sentence first, 2D + 1 rows for each
    query.

    Parameters
    ----------
    score, window, alignment, d_query, d_attention, gaussian
        As for ``LocalAttention``, but for LocationScore, which scores all places at
        once.
    """

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        prepared: Tensor | None = None,
        position: int = 0,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with every query to its own window of the keys; see
        ``LocalAttention.forward``.

        Parameters
        ----------
        need_weights : bool
            With False, weights are returned as None, and no row as long as the
            sentence is ever stored.

        Raises
        ------
        TypeError, ValueError
            As ``LocalAttention.forward``, and if the score is a LocationScore.
        """
        checks.asks_keys("score", self.score)
        checks.score_attention_inputs(self.score, query, key, value, mask, prepared)
        checks.whole_number("position", position, least=0)
        if prepared is None:
            prepared = self.score.prepare(key)
        keys = key.shape[-2]
        batch = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2])
        size = (*batch, query.shape[-2])  # (…, queries)
        centre = self.centre(query, key, mask, position)  # p_t: (…, queries, 1)
        steps = torch.arange(2 * self.window + 1, device=key.device)  # (2D + 1,)
        # (…, queries, 2D + 1)
        places = (torch.ceil(centre - self.window).long() + steps).expand(*size, -1)
        distance = places - centre  # s − p_t
        inside = (places >= 0) & (places < keys) & (distance.abs() <= self.window)
        places = places.clamp(0, keys - 1)
        # (…, queries, 1, 2D + 1)
        near = self.score.compare(query.unsqueeze(-2), rows_at(prepared, places))
        # (…, queries, 2D + 1)
        scores = near.squeeze(-2).masked_fill(~inside, -torch.inf)
        if mask is not None:
            scores = masked_scores(
                scores, mask.expand(*size, keys).gather(-1, places)
            )
        near_weights = softmax_or_zeros(scores)  # (…, queries, 2D + 1)
        if self.alignment == "predictive" and self.gaussian:
            sigma = self.window / 2
            near_weights = near_weights * torch.exp(-(distance**2) / (2 * sigma**2))
        # (…, queries, d_v)
        context = (near_weights.unsqueeze(-2) @ rows_at(value, places)).squeeze(-2)
        if not need_weights:
            return context, None
        return context, near_weights.new_zeros(*size, keys).scatter_add(
            -1, places, near_weights
        )


def rows_at(table: Tensor, places: Tensor) -> Tensor:
    """Row ``places[…, q, i]`` of table (…, keys, d), for places (…, queries, n):
    (…, queries, n, d).
    """
    batch, (keys, d) = places.shape[:-2], table.shape[-2:]
    first = (
        torch.arange(batch.numel(), device=table.device).view(*batch, 1, 1) * keys
    )
    return nn.functional.embedding(
        places + first, table.expand(*batch, keys, d).reshape(-1, d)
    )
