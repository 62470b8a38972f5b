"""Linear attention: the past is kept in one matrix of fixed size, whatever its
length.

Without softmax, Σ_j (q · k_j) v_j is qᵀ (Σ_j k_j v_jᵀ), and the sum in brackets can
be kept as a state S (d_k, d_v) to which each token adds (Katharopoulos et al. 2020,
https://arxiv.org/abs/2006.16236). Four rules say how a token changes it:

    linear        S_t = S_{t-1} + k_t v_tᵀ
    gated         S_t = diag(exp g_t) S_{t-1} + k_t v_tᵀ
    delta         S_t = S_{t-1} + β_t k_t (v_t - S_{t-1}ᵀ k_t)ᵀ
    gated_delta   S_t = S' + β_t k_t (v_t - S'ᵀ k_t)ᵀ, S' = diag(exp g_t) S_{t-1}

and all read o_t = scale · S_tᵀ q_t. The delta rule is that of Schlag, Irie &
Schmidhuber 2021, https://arxiv.org/abs/2102.11174; gated, Yang, Kautz & Hatamizadeh
2025, https://arxiv.org/abs/2412.06464. Conventions are those of the ONNX operator
LinearAttention (opset 27).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.checks.linear import RULES
from attnbook.nn.linear_features import unit_length
from attnbook.nn.linear_forms import chunked_form, recurrent_form
from attnbook.nn.multi_head import merge_heads, split_heads

FORMS = ("recurrent", "chunked", "parallel")


def linear_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rule: str = "linear",
    *,
    decay: Tensor | None = None,
    beta: Tensor | None = None,
    state: Tensor | None = None,
    mask: Tensor | None = None,
    form: str = "chunked",
    chunk_size: int = 64,
    scale: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Causal attention through a state: read and write, token by token.

    Parameters
    ----------
    query : (batch, n_heads, length, d_k)
    key : (batch, n_kv_heads, length, d_k)
        n_kv_heads divides n_heads; heads 0 0 1 1 … of the queries share one. With
        the delta rules, of unit length (:func:`unit_length`).
    value : (batch, n_kv_heads, length, d_v)
    rule : {"linear", "gated", "delta", "gated_delta"}
    decay : (batch, n_kv_heads, length) or (batch, n_kv_heads, length, d_k)
        For the gated rules: the logarithm of what is kept of the state, 0 for all.
    beta : (batch, n_kv_heads, length)
        For the delta rules: how much of the difference is written, from 0 to 1.
    state : (batch, n_kv_heads, d_k, d_v), optional
        What an earlier call returned; zeros if left out.
    mask : (batch, length) of bool, optional
        False for padding: such a token writes nothing and forgets nothing.
    form : {"chunked", "recurrent", "parallel"}
        How it is computed; the numbers are the same up to rounding.
    chunk_size : int
        Tokens in a chunk of the chunked form.
    scale : float, optional
        Factor of what is read; 1/√d_k if left out.

    Returns
    -------
    context : (batch, n_heads, length, d_v)
        Zeros where nothing was written yet.
    state : (batch, n_kv_heads, d_k, d_v)
        After the last token; float32 if the inputs have half precision.

    Raises
    ------
    TypeError, ValueError
        If an argument is missing, or one is given that the rule does not use, or
        shapes, dtypes or devices do not fit.
    """
    checks.linear_inputs(query, key, value, mask)
    checks.linear_rule(rule, key, decay, beta)
    checks.linear_state(state, key, value)
    checks.one_of("form", form, FORMS)
    checks.sizes(chunk_size=chunk_size)
    checks.number("scale", scale)
    batch, n_kv_heads, length, d_k = key.shape
    factor = 1 / math.sqrt(d_k) if scale is None else scale
    dtype = torch.promote_types(query.dtype, torch.float32)
    if mask is not None:
        key, value, decay, beta = without_padding(mask, key, value, decay, beta)
    if state is None:
        state = key.new_zeros(batch, n_kv_heads, d_k, value.shape[-1], dtype=dtype)
    if decay is not None and decay.dim() == 3:
        decay = decay.unsqueeze(-1)  # one number for all of a head's key
    # (batch, n_kv_heads, queries that share it or 1, length, …)
    q = query.to(dtype).unflatten(1, (n_kv_heads, -1))
    k, v, memory = (x.to(dtype).unsqueeze(2) for x in (key, value, state))
    g, b = (None if x is None else x.to(dtype).unsqueeze(2) for x in (decay, beta))
    size = chunk_size if form == "chunked" else length
    with torch.autocast(query.device.type, enabled=False):  # sums stay in float32
        if form == "recurrent":
            context, memory = recurrent_form(q, k, v, g, b, memory)
        else:
            context, memory = chunked_form(q, k, v, g, b, memory, size)
    return (factor * context).flatten(1, 2).to(query.dtype), memory.squeeze(2)


def without_padding(
    mask: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor | None,
    beta: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Keys, values, decays and betas that are 0 where the mask (batch, length) is
    False.
    """
    padding = ~mask[:, None, :]  # (batch, 1, length)
    key = key.masked_fill(padding.unsqueeze(-1), 0.0)
    value = value.masked_fill(padding.unsqueeze(-1), 0.0)
    if decay is not None:
        fits = padding if decay.dim() == 3 else padding.unsqueeze(-1)
        decay = decay.masked_fill(fits, 0.0)
    if beta is not None:
        beta = beta.masked_fill(padding, 0.0)
    return key, value, decay, beta


class LinearAttention(nn.Module):
    """A layer of linear attention: projections around :func:`linear_attention`.

    Decay and beta come from the token itself: g_t = log σ(W_g x_t + b_g), with a
    b_g that starts at 4, where 98 % of the state is kept, and
    β_t = σ(W_β x_t + b_β).

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
        Divides d_model; a head has d_model / n_heads numbers.
    n_kv_heads : int, optional
        Heads of keys, values and states; as many as n_heads if left out.
    rule : {"linear", "gated", "delta", "gated_delta"}
    feature_map : callable, optional
        Applied to queries and keys, (…, d_head) to (…, d_features); None for none.
    normalised : bool
        Divide by φ(q) · Σ φ(k), so that weights sum to 1 as after a softmax: for
        the rules that add, and a feature map that is never negative.
    form, chunk_size, scale :
        As in :func:`linear_attention`.
    bias : bool
        Whether the four projections of a token have biases.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or does not divide, a word is unknown, or a delta
        rule shall be normalised.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        rule: str = "linear",
        feature_map: Callable[[Tensor], Tensor] | None = unit_length,
        normalised: bool = False,
        form: str = "chunked",
        chunk_size: int = 64,
        scale: float | None = None,
        bias: bool = False,
    ):
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        checks.divides("n_heads", n_heads, "d_model", d_model)
        checks.divides("n_kv_heads", n_kv_heads, "n_heads", n_heads)
        checks.one_of("rule", rule, RULES)
        checks.normalised_rule("normalised", normalised, rule)
        checks.one_of("form", form, FORMS)
        checks.sizes(chunk_size=chunk_size)
        checks.number("scale", scale)
        self.d_model, self.n_heads, self.n_kv_heads = d_model, n_heads, n_kv_heads
        self.rule, self.feature_map = rule, feature_map
        self.normalised = normalised
        self.form, self.chunk_size, self.scale = form, chunk_size, scale
        d_kv = d_model // n_heads * n_kv_heads
        self.W_q = nn.Linear(d_model, d_model, bias=bias)
        self.W_k = nn.Linear(d_model, d_kv, bias=bias)
        self.W_v = nn.Linear(d_model, d_kv, bias=bias)
        self.W_o = nn.Linear(d_model, d_model, bias=bias)
        self.W_decay = self.W_beta = None
        if "gated" in rule:
            self.W_decay = nn.Linear(d_model, n_kv_heads)
            nn.init.constant_(self.W_decay.bias, 4.0)
        if "delta" in rule:
            self.W_beta = nn.Linear(d_model, n_kv_heads)

    def forward(
        self, x: Tensor, state: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read and write with every token.

        Parameters
        ----------
        x : (batch, length, d_model)
        state : (batch, n_kv_heads, d_features, d_head), optional
            What an earlier call returned, to go on where it stopped; one column
            more if normalised.
        mask : (batch, length) of bool, optional
            False for padding.

        Returns
        -------
        context : (batch, length, d_model)
        state : (batch, n_kv_heads, d_features, d_head)

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit.
        """
        checks.layer_input(x, self.d_model)
        checks.fits_parameters("x", x, self)
        q = split_heads(
            self.W_q(x), self.n_heads
        )  # (batch, n_heads, length, d_head)
        k = split_heads(self.W_k(x), self.n_kv_heads)
        v = split_heads(self.W_v(x), self.n_kv_heads)
        if self.feature_map is not None:
            q, k = self.feature_map(q), self.feature_map(k)
        if self.normalised:  # the sum of the weights is the reading of a value 1
            v = torch.cat([v, v.new_ones(*v.shape[:-1], 1)], dim=-1)
        decay = beta = None
        if self.W_decay is not None:
            decay = F.logsigmoid(self.W_decay(x)).transpose(1, 2)
        if self.W_beta is not None:
            beta = self.W_beta(x).sigmoid().transpose(1, 2)
        context, state = linear_attention(
            q, k, v, self.rule, decay=decay, beta=beta, state=state, mask=mask,
            form=self.form, chunk_size=self.chunk_size, scale=self.scale,
        )  # fmt: skip
        if self.normalised:
            context, total = context[..., :-1], context[..., -1:]
            context = context / total.masked_fill(total == 0, 1.0)
        return self.W_o(merge_heads(context)), state
