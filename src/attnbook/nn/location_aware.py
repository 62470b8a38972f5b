"""Location-aware attention: the score also reads where the last step attended.

Chorowski, Bahdanau, Serdyuk, Cho & Bengio 2015, https://arxiv.org/abs/1506.07503,
section 2.2. In speech the same sound comes again and again, and a score of content
alone cannot tell one from the other. So the last step's weights are convolved along
the keys, and what comes out joins the score (equations 8 and 9):

    f_i = F * α_{i−1}
    e_{i,j} = wᵀ tanh(W s_{i−1} + V h_j + U f_{i,j} + b)

Luong's ``LocationScore`` is another thing: it gives each absolute position a score
and never reads the keys nor the last weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.lookup import masked_softmax


class LocationAwareScore(nn.Module):
    """A score of query, key, and the weights of the step before.

    Parameters
    ----------
    d_query, d_key : int
        Sizes of a query and of a key.
    d_attention : int
        Size of the hidden layer.
    channels : int
        Filters of the convolution: k, the rows of F.
    width : int
        Weights that a filter covers, odd: r, the columns of F.

    Raises
    ------
    TypeError, ValueError
        If a size is not whole or below 1, or the width is even.
    """

    def __init__(
        self,
        d_query: int,
        d_key: int,
        d_attention: int,
        channels: int = 8,
        width: int = 15,
    ):
        super().__init__()
        checks.sizes(
            d_query=d_query, d_key=d_key, d_attention=d_attention, channels=channels
        )
        checks.odd("width", width)
        self.d_query, self.d_key = d_query, d_key
        self.W = nn.Linear(d_query, d_attention, bias=False)
        self.V = nn.Linear(d_key, d_attention)  # its bias is b
        self.F = nn.Conv1d(1, channels, width, padding=width // 2, bias=False)
        self.U = nn.Linear(channels, d_attention, bias=False)
        self.w = nn.Linear(d_attention, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor, previous: Tensor) -> Tensor:
        """Scores for one step.

        Parameters
        ----------
        query : (batch, d_query)
            s_{i−1}, the decoder's state.
        key : (batch, keys, d_key)
            h, the annotations.
        previous : (batch, keys)
            α_{i−1}; zeros before the first step.

        Returns
        -------
        scores : (batch, keys)

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit.
        """
        checks.location_aware_inputs(self, query, key, previous)
        return self.compare(query, self.prepare(key), previous)

    def prepare(self, key: Tensor) -> Tensor:
        """``V h_j + b`` for every key, (batch, keys, d_attention)."""
        return self.V(key)

    def compare(self, query: Tensor, prepared: Tensor, previous: Tensor) -> Tensor:
        """Scores (batch, keys) from a query, prepared keys and the last weights."""
        f = self.F(previous.unsqueeze(1)).transpose(1, 2)  # (batch, keys, channels)
        asked = self.W(query).unsqueeze(1)  # (batch, 1, d_attention)
        return self.w(torch.tanh(asked + prepared + self.U(f))).squeeze(-1)


class LocationAwareAttention(nn.Module):
    """Weights and context of one step, from a ``LocationAwareScore``.

    Parameters
    ----------
    score : LocationAwareScore
    """

    def __init__(self, score: LocationAwareScore):
        super().__init__()
        self.score = score

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        previous: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend for one step.

        Parameters
        ----------
        query, key, previous
            As in ``LocationAwareScore``.
        value : (batch, keys, d_value)
        mask : (batch, keys) of bool, optional
            True where the query may attend.

        Returns
        -------
        context : (batch, d_value)
            Zeros where a query may attend to nothing.
        weights : (batch, keys)
            The next step's ``previous``.

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit.
        """
        checks.location_aware_values(value, key, mask)
        scores = self.score(query, key, previous)
        weights = masked_softmax(scores, mask)
        return (weights.unsqueeze(1) @ value).squeeze(1), weights
