"""Self-attention whose heads can be silent: a learned sink, or a gate on what a
head hands on.

Softmax hands out a weight of 1 in all, whether or not there is anything to say. Two
ways out that large models use:

    sink    weights = exp(s_j) / (exp(c) + Σ exp(s_j)), c one learned number a head
            (OpenAI 2025, gpt-oss, https://arxiv.org/abs/2508.10925)
    gate    context · sigmoid(x W_g)
            (Qiu et al. 2025, https://arxiv.org/abs/2505.06708)
"""

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.masks import causal_mask
from attnbook.nn.multi_head import merge_heads, split_heads
from attnbook.nn.positions import T5Bias

WAYS = ("softmax", "sink", "gate")


class QuietAttention(nn.Module):
    """Causal self-attention with a bias for each distance and a way to be silent.

    Parameters
    ----------
    d_model, n_heads : int
    way : "softmax", "sink" or "gate"
        The first is the plain mechanism.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        way: str = "softmax",
    ):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_model", d_model)
        if way not in WAYS:
            raise ValueError(f"way: expected one of {', '.join(WAYS)}, got {way!r}")
        self.n_heads, self.way = n_heads, way
        self.W_q, self.W_k, self.W_v, self.W_o, self.W_g = (
            nn.Linear(d_model, d_model) for _ in range(5)
        )
        self.positions = T5Bias(n_heads, bidirectional=False)
        self.sink = nn.Parameter(torch.zeros(n_heads, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, length, d_model) → context of the same shape, and weights
        (batch, n_heads, length, length); a row with a sink sums to less than 1.
        """
        query, key, value = (
            split_heads(project(x), self.n_heads)
            for project in (self.W_q, self.W_k, self.W_v)
        )
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        scores = scores + self.positions.bias(query, x.shape[1])
        scores = scores.masked_fill(
            ~causal_mask(x.shape[1], device=x.device), -torch.inf
        )
        if self.way == "sink":  # one more key, with a learned score and no value
            sink = self.sink.expand(*scores.shape[:-1], 1)
            weights = torch.cat([scores, sink], dim=-1).softmax(dim=-1)[..., :-1]
        else:
            weights = scores.softmax(dim=-1)
        context = weights @ value  # (batch, n_heads, length, d_head)
        if self.way == "gate":
            context = context * split_heads(self.W_g(x), self.n_heads).sigmoid()
        return self.W_o(merge_heads(context)), weights
