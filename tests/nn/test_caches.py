"""Every attention with a cache: token by token is the same as all at once. And groups against torch's."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import (
    GPT,
    ALiBi,
    KVCache,
    LatentCache,
    MultiHeadAttention,
    MultiHeadLatentAttention,
    RelativePositions,
    RotaryPositions,
    T5Bias,
)
from attnbook.nn.multi_head import repeat_heads

POSITIONS = {
    "none": lambda heads, d_head: None,
    "rotary": lambda heads, d_head: RotaryPositions(d_head),
    "ALiBi": lambda heads, d_head: ALiBi(heads),
    "T5's bias": lambda heads, d_head: T5Bias(heads, 8, 16, bidirectional=False),
    "relative": lambda heads, d_head: RelativePositions(d_head, 3),
}
GROUPS = {"multi-head": (4, 4), "grouped": (4, 2), "multi-query": (4, 1), "latent": (4, None)}


def attention_and_cache(variant, positions):
    n_heads, n_kv_heads = GROUPS[variant]
    if n_kv_heads is None:
        return MultiHeadLatentAttention(8, n_heads, 5, 2).double(), LatentCache()
    inside = POSITIONS[positions](n_heads, 2)
    return MultiHeadAttention(8, n_heads, n_kv_heads, positions=inside).double(), KVCache()


CASES = [(variant, positions) for variant in GROUPS for positions in POSITIONS if variant != "latent"]


@pytest.mark.parametrize(("variant", "positions"), [*CASES, ("latent", "rotary")])
@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 3),
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.booleans(),
    st.integers(0, 2**16),
)
def test_cached_is_uncached(variant, positions, batch, cuts, need_weights, seed):
    torch.manual_seed(seed)
    attention, cache = attention_and_cache(variant, positions)
    for parameter in attention.parameters():  # tables that begin at 0 would hide a wrong distance
        parameter.data += 0.1 * torch.randn_like(parameter)
    x = torch.randn(batch, sum(cuts), 8, dtype=torch.float64)
    whole, weights = attention(x, causal=True)
    start = 0
    for part in x.split(cuts, dim=1):
        got, rows = attention(part, causal=True, cache=cache, need_weights=need_weights)
        end = start + part.shape[1]
        torch.testing.assert_close(got, whole[:, start:end])
        if need_weights:
            torch.testing.assert_close(rows, weights[:, :, start:end, :end])
        start = end
    assert cache.length == sum(cuts)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi", "relative", "none"])
@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**16))
def test_a_language_model_step_by_step(n_kv_heads, positions, cuts, seed):
    torch.manual_seed(seed)
    model = GPT(11, 8, 4, 2, 16, n_kv_heads=n_kv_heads, positions=positions).double()
    tokens = torch.randint(11, (2, sum(cuts)))
    logits, _ = model(tokens)
    state, end = model.start(), 0
    for part in tokens.split(cuts, dim=1):
        got, state = model.step(part, state)
        end += part.shape[1]
        torch.testing.assert_close(got, logits[:, end - 1])


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 3),
    st.sampled_from([(4, 2), (6, 3), (6, 2), (4, 1), (8, 1), (3, 3)]),
    st.integers(1, 6),
    st.booleans(),
)
def test_groups_are_those_of_torch(batch, heads, length, causal):
    """The same weights in F.scaled_dot_product_attention(enable_gqa=True): context and gradients."""
    n_heads, n_kv_heads = heads
    attention = MultiHeadAttention(2 * n_heads, n_heads, n_kv_heads).double()
    x = torch.randn(batch, length, 2 * n_heads, dtype=torch.float64, requires_grad=True)

    def heads_of(linear, n):
        return linear(x).view(batch, length, n, 2).transpose(1, 2)

    theirs = F.scaled_dot_product_attention(
        heads_of(attention.W_q, n_heads),
        heads_of(attention.W_k, n_kv_heads),
        heads_of(attention.W_v, n_kv_heads),
        is_causal=causal,
        enable_gqa=True,
    )
    theirs = attention.W_o(theirs.transpose(1, 2).flatten(2))
    ours, _ = attention(x, causal=causal)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(out.square().sum(), x)[0] for out in (ours, theirs)))


def test_repeat_instead_of_repeat_interleave_gives_heads_the_wrong_keys():
    key = torch.arange(2.0).view(1, 2, 1, 1)
    assert repeat_heads(key, 6).flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert key.repeat(1, 3, 1, 1).flatten().tolist() == [0, 1, 0, 1, 0, 1]
    query, keys = torch.randn(1, 4, 3, 2), torch.randn(1, 2, 5, 2)
    expected = F.scaled_dot_product_attention(query, keys, keys, enable_gqa=True)
    wrong = F.scaled_dot_product_attention(query, *2 * [keys.repeat(1, 2, 1, 1)])
    assert not torch.allclose(wrong, expected, atol=1e-3)


def test_one_head_of_keys_cannot_tell_repeat_from_repeat_interleave():
    """Why a test with one group, or as many as heads, does not find the mistake."""
    for n_kv_heads in (1, 4):
        key = torch.randn(1, n_kv_heads, 3, 2)
        torch.testing.assert_close(repeat_heads(key, 4), key.repeat(1, 4 // n_kv_heads, 1, 1))
