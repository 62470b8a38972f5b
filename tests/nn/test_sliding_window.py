"""Sliding windows: the masked form's numbers without its n² scores; reach; the rolling cache."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attnbook.experiments.attention_budget import peak_bytes
from attnbook.nn import (
    GPT,
    MultiHeadAttention,
    RollingCache,
    RotaryPositions,
    SlidingWindowAttention,
    in_window,
    scaled_dot_product_attention,
    windowed_attention,
)


def loop(query, key, value, window, causal, n_global=0):
    """One query, one key at a time: Longformer's window, and its global tokens."""
    out = torch.zeros(len(query), value.shape[-1], dtype=query.dtype)
    for i, q in enumerate(query):
        seen = []
        for j in range(len(key)):
            near = i - j < window and j - i < window
            first = j < n_global or (i < n_global and not causal)
            if (near or first) and not (causal and j > i):
                seen.append(j)
        scores = torch.stack([q @ key[j] for j in seen]) / query.shape[-1] ** 0.5
        out[i] = scores.softmax(0) @ value[seen]
    return out


@pytest.mark.parametrize("n_global", [0, 2])
@pytest.mark.parametrize("causal", [True, False], ids=["causal", "two-sided"])
def test_against_a_loop_written_from_the_paper(conforms, causal, n_global):
    torch.manual_seed(0)
    query, key, value = (torch.randn(11, 4, dtype=torch.float64) for _ in range(3))
    context = windowed_attention(query, key, value, 3, causal=causal, n_global=n_global)
    expected = loop(query, key, value, 3, causal, n_global)
    conforms("Longformer's window in a loop, float64", context, expected, 1e-12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([(), (2,), (2, 3)]),
    st.integers(1, 20),
    st.integers(1, 12),
    st.sampled_from([None, 1, 2, 5, 30]),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from(["none", "padding", "nothing"]),
    st.sampled_from([None, 0.3]),
)
def test_gathered_is_masked(conforms, batch, length, window, block, causal, n_global, kind, scale):
    leaves = [torch.randn(*batch, length, d, dtype=torch.float64, requires_grad=True) for d in (4, 4, 3)]
    padding = {
        "none": None,
        "padding": torch.rand(*batch, 1, length) < 0.7,
        "nothing": torch.zeros(1, length, dtype=torch.bool),
    }[kind]
    j = torch.arange(length)
    mask = in_window(j.unsqueeze(-1), j, window, causal, n_global)
    mask = mask if padding is None else mask & padding
    expected, _ = scaled_dot_product_attention(*leaves, mask, scale=scale)
    context = windowed_attention(
        *leaves, window, padding, causal=causal, n_global=n_global, scale=scale, block=block
    )
    row = "the masked form, gathered by blocks, float64"
    conforms(row, context, expected, 1e-12, "context")
    for got, wanted in zip(
        torch.autograd.grad(context.square().sum(), leaves),
        torch.autograd.grad(expected.square().sum(), leaves),
        strict=True,
    ):
        conforms(row, got, wanted, 1e-11, "gradient")


def layer(**options):
    torch.manual_seed(0)
    options = {"positions": RotaryPositions(4), **options}
    return SlidingWindowAttention(16, 4, 5, **options).double()


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("n_global", [0, 2])
def test_both_forms_of_the_module(causal, n_global):
    attention, x = layer(n_global=n_global, n_kv_heads=2), torch.randn(2, 13, 16, dtype=torch.float64)
    mask = torch.rand(2, 1, 13) < 0.8
    gathered, none = attention(x, mask, causal=causal)
    masked, weights = attention(x, mask, causal=causal, need_weights=True)
    assert none is None
    torch.testing.assert_close(gathered, masked)
    assert not weights[:, :, 12, n_global:8].any()


def test_a_window_as_long_as_the_text_is_multi_head_attention():
    attention, x = layer(), torch.randn(2, 5, 16, dtype=torch.float64)
    full = MultiHeadAttention(16, 4, positions=RotaryPositions(4)).double()
    full.load_state_dict(attention.state_dict())
    torch.testing.assert_close(attention(x, causal=True)[0], full(x, causal=True)[0])


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 6),
    st.integers(0, 3),
    st.sampled_from([4, 2, 1]),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_cached_is_uncached(window, n_global, kv_heads, cuts):
    attention = SlidingWindowAttention(
        8, 4, window, kv_heads, n_global=n_global, positions=RotaryPositions(2)
    ).double()
    x = torch.randn(2, sum(cuts), 8, dtype=torch.float64)
    whole, _ = attention(x, causal=True)
    cache, found = RollingCache(window, n_global), []
    for part in x.split(cuts, dim=1):
        found.append(attention(part, causal=True, cache=cache)[0])
        assert len(cache.positions) <= window - 1 + n_global
    torch.testing.assert_close(torch.cat(found, dim=1), whole)
    assert cache.length == sum(cuts)


def test_the_cache_stops_growing():
    attention, cache = layer(), RollingCache(5)
    sizes = []
    for _ in range(12):
        attention(torch.randn(2, 1, 16, dtype=torch.float64), causal=True, cache=cache)
        sizes.append(cache.n_bytes)
    assert sizes[3:] == [2 * 2 * 4 * 4 * 4 * 8] * 9  # key and value, batch, heads, 4 held, d_head, bytes
    assert cache.positions.tolist() == [8, 9, 10, 11]


def test_rows_of_a_cache():
    attention, cache = layer(), RollingCache(5)
    attention(torch.randn(2, 7, 16, dtype=torch.float64), causal=True, cache=cache)
    twin, word = cache.select(torch.tensor([1, 1, 0])), torch.randn(1, 1, 16, dtype=torch.float64)
    got, _ = attention(word.expand(3, 1, 16), causal=True, cache=twin)
    expected, _ = attention(word.expand(2, 1, 16), causal=True, cache=cache)
    torch.testing.assert_close(got, expected[[1, 1, 0]])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("n_global", [0, 1])
def test_the_reach_of_layers(layers, n_global):
    """Position 0 of the input moves the output L (w − 1) places on and no further, by its gradient."""
    window = 4
    model = GPT(7, 16, 4, layers, positions="rotary").double()
    for each in model.layers:
        each.attention = SlidingWindowAttention(16, 4, window, n_global=n_global).double()
    x = torch.randn(1, 16, 16, dtype=torch.float64, requires_grad=True)
    y = x
    for each in model.layers:
        y, _ = each(y, causal=True, need_weights=False)
    moved = [
        torch.autograd.grad(y[0, t].sum(), x, retain_graph=True)[0][0, 0].any().item() for t in range(16)
    ]
    reach = 15 if n_global else layers * (window - 1)
    assert moved == [t <= reach for t in range(16)]


def test_memory_grows_with_the_length_alone():
    sizes = []
    for n in (512, 1024, 2048):
        given = [torch.randn(1, n, 16) for _ in range(3)]
        sizes.append(peak_bytes(lambda given=given: windowed_attention(*given, 32, causal=True)))
    assert sizes[2] < 2.2 * sizes[1] < 2.2**2 * sizes[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(dtype):
    given = [torch.randn(2, 40, 8) for _ in range(3)]
    context = windowed_attention(*(x.to(dtype) for x in given), 7, causal=True)
    assert context.dtype == dtype
    torch.testing.assert_close(
        context.float(), windowed_attention(*given, 7, causal=True), atol=3e-2, rtol=3e-2
    )


X = torch.randn(2, 6, 16, dtype=torch.float64)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"query": X[..., :8]}, ValueError, "query"),
        ({"mask": torch.ones(2, 6, dtype=torch.bool)}, ValueError, "mask"),
        ({"mask": torch.ones(2, 6, 6, dtype=torch.bool)}, ValueError, "mask"),
        ({"mask": torch.zeros(2, 1, 6, dtype=torch.float64)}, ValueError, "mask"),
        ({"cache": RollingCache(5)}, ValueError, "causal"),
        ({"cache": RollingCache(4), "causal": True}, ValueError, "cache"),
        ({"cache": 5, "causal": True}, TypeError, "cache"),
        ({"cache": RollingCache(5), "causal": True, "need_weights": True}, ValueError, "need_weights"),
        (
            {"cache": RollingCache(5), "causal": True, "mask": torch.ones(2, 1, 6, dtype=torch.bool)},
            ValueError,
            "mask",
        ),
    ],
)
def test_bad_input(options, error, words):
    with pytest.raises(error, match=words):
        layer()(**{"query": X, **options})


def test_bad_sizes():
    with pytest.raises(ValueError, match="window"):
        SlidingWindowAttention(8, 2, 0)
    with pytest.raises(TypeError, match="positions"):
        SlidingWindowAttention(8, 2, 3, positions="rotary")
    with pytest.raises(ValueError, match="key"):
        windowed_attention(torch.randn(3, 2), torch.randn(4, 2), torch.randn(4, 2), 2)
    cache = RollingCache(5)
    attention = layer()
    attention(X, causal=True, cache=cache)
    with pytest.raises(ValueError, match="cache"):
        attention(X[:1], causal=True, cache=cache)
