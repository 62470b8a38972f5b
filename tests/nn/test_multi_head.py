"""Multi-head attention: heads, groups, caches, masks, positions. (test_torch.py compares it with torch's.)"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import (
    ALiBi,
    KVCache,
    MultiHeadAttention,
    PlainMultiHeadAttention,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
    causal_mask,
    scaled_dot_product_attention,
)

BATCH, LENGTH, D_MODEL, HEADS = 2, 7, 12, 3


def make(**options):
    torch.manual_seed(0)
    attention = MultiHeadAttention(D_MODEL, options.pop("n_heads", HEADS), **options).double()
    return attention, torch.randn(BATCH, LENGTH, D_MODEL, dtype=torch.float64)


POSITIONS = {
    "none": lambda heads: None,
    "rotary": lambda heads: RotaryPositions(D_MODEL // heads),
    "alibi": ALiBi,
    "relative": lambda heads: RelativePositions(D_MODEL // heads, 3),
}


@pytest.mark.parametrize("n_kv_heads", [1, 2, 6])
def test_heads_one_at_a_time(n_kv_heads):
    """Cut the matrices into heads by hand; query head h reads key head h // (6 / n_kv_heads)."""
    attention, x = make(n_heads=6, n_kv_heads=n_kv_heads)
    context, weights = attention(x)
    rows = lambda linear, h: (linear.weight[2 * h : 2 * h + 2], linear.bias[2 * h : 2 * h + 2])  # noqa: E731
    heads = []
    for h in range(6):
        (w_q, b_q), (w_k, b_k), (w_v, b_v) = (
            rows(attention.W_q, h),
            rows(attention.W_k, h // (6 // n_kv_heads)),
            rows(attention.W_v, h // (6 // n_kv_heads)),
        )
        head, share = scaled_dot_product_attention(x @ w_q.T + b_q, x @ w_k.T + b_k, x @ w_v.T + b_v)
        torch.testing.assert_close(weights[:, h], share)
        heads.append(head)
    torch.testing.assert_close(context, torch.cat(heads, -1) @ attention.W_o.weight.T + attention.W_o.bias)


def test_one_head_with_identity_projections_is_attention():
    attention, x = make(n_heads=1, bias=False)
    with torch.no_grad():
        for linear in (attention.W_q, attention.W_k, attention.W_v, attention.W_o):
            linear.weight.copy_(torch.eye(D_MODEL))
    context, weights = attention(x)
    expected, shares = scaled_dot_product_attention(x, x, x)
    torch.testing.assert_close(context, expected)
    torch.testing.assert_close(weights[:, 0], shares)


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("n_kv_heads", [1, 3])
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("cuts", [[1] * LENGTH, [3, 4], [LENGTH], [2, 1, 4]], ids=str)
def test_cached_is_uncached(cuts, need_weights, n_kv_heads, positions):
    attention, x = make(n_kv_heads=n_kv_heads, positions=POSITIONS[positions](HEADS))
    whole, weights = attention(x, causal=True, need_weights=need_weights)
    attention.double()
    cache, start = KVCache(), 0
    for part in x.split(cuts, dim=1):
        got, rows = attention(part, causal=True, cache=cache, need_weights=need_weights)
        end = start + part.shape[1]
        torch.testing.assert_close(got, whole[:, start:end])
        if need_weights:
            torch.testing.assert_close(rows, weights[:, :, start:end, :end])
        start = end
    assert cache.length == LENGTH
    assert cache.key.shape == (BATCH, n_kv_heads, LENGTH, D_MODEL // HEADS)


@pytest.mark.parametrize("positions", POSITIONS)
def test_with_and_without_weights_agree(positions):
    attention, x = make(positions=POSITIONS[positions](HEADS))
    mask = torch.rand(BATCH, LENGTH, LENGTH) < 0.5
    for options in ({}, {"causal": True}, {"mask": mask}, {"mask": mask, "causal": True}):
        context, weights = attention(x, **options)
        fused, nothing = attention(x, **options, need_weights=False)
        torch.testing.assert_close(fused, context)
        assert nothing is None
        assert weights.shape == (BATCH, HEADS, LENGTH, LENGTH)


def test_a_fixed_memory_is_projected_once():
    attention, x = make()
    memory, cache = torch.randn(BATCH, 4, D_MODEL, dtype=torch.float64), KVCache(grows=False)
    expected, _ = attention(x, memory)
    for i in range(LENGTH):
        step, _ = attention(x[:, i : i + 1], memory, cache=cache)
        torch.testing.assert_close(step, expected[:, i : i + 1])
        kept = cache.key
    attention(x[:, :1], memory, cache=cache)
    assert cache.key is kept
    assert cache.length == 4


def test_copies_and_selected_rows_of_a_cache():
    attention, x = make()
    cache = KVCache()
    attention(x[:, :3], causal=True, cache=cache)
    twin = cache.copy()
    attention(x[:, 3:4], causal=True, cache=twin)
    assert (cache.length, twin.length) == (3, 4)
    rows = torch.tensor([1, 1, 0])
    expected, _ = attention(x[:, 3:4], causal=True, cache=cache.copy())
    got, _ = attention(x[rows, 3:4], causal=True, cache=cache.select(rows))
    torch.testing.assert_close(got, expected[rows])
    assert KVCache().select(rows).length == 0


def test_masks_of_two_three_and_four_dimensions():
    attention, x = make()
    pairs = torch.rand(LENGTH, LENGTH) < 0.6
    expected = attention(x, mask=pairs)
    torch.testing.assert_close(attention(x, mask=pairs.expand(BATCH, -1, -1)), expected)
    torch.testing.assert_close(attention(x, mask=pairs.expand(BATCH, HEADS, -1, -1)), expected)
    torch.testing.assert_close(
        attention(x, mask=torch.zeros(LENGTH, LENGTH).double().masked_fill(~pairs, -torch.inf)), expected
    )
    torch.testing.assert_close(attention(x, mask=causal_mask(LENGTH)), attention(x, causal=True))


def test_permutation_equivariance():
    attention, x = make()
    order = torch.randperm(LENGTH)
    torch.testing.assert_close(attention(x[:, order])[0], attention(x)[0][:, order])


def test_positions_break_it():
    for name in ("rotary", "alibi", "relative"):
        attention, x = make(positions=POSITIONS[name](HEADS))
        order = torch.arange(LENGTH).flip(0)
        order[0], order[1] = order[1].item(), order[0].item()
        assert not torch.allclose(attention(x[:, order])[0], attention(x)[0][:, order]), name


def test_a_fully_masked_query_gives_the_output_bias_alone():
    attention, x = make()
    x.requires_grad_()
    mask = torch.ones(BATCH, LENGTH, LENGTH, dtype=torch.bool)
    mask[0, 2] = False
    for need_weights in (True, False):
        context, _ = attention(x, mask=mask, need_weights=need_weights)
        torch.testing.assert_close(context[0, 2], attention.W_o.bias)
        (gradient,) = torch.autograd.grad((context[0, 2] ** 2).sum(), x)
        assert not gradient.any()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 3),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([(1, 1), (4, 2), (6, 3), (4, 1)]),
    st.booleans(),
    st.booleans(),
)
def test_any_shape(batch, queries, keys, heads, causal, need_weights):
    attention = MultiHeadAttention(heads[0] * 2, *heads)
    x, memory = torch.randn(batch, queries, heads[0] * 2), torch.randn(batch, keys, heads[0] * 2)
    context, weights = attention(x, memory, causal=causal, need_weights=need_weights)
    assert context.shape == x.shape
    assert context.isfinite().all()
    if need_weights:
        assert weights.shape == (batch, heads[0], queries, keys)


def test_non_contiguous_input():
    attention, x = make()
    torch.testing.assert_close(attention(x.transpose(0, 1).contiguous().transpose(0, 1)), attention(x))


X = torch.zeros(BATCH, LENGTH, D_MODEL)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda a: MultiHeadAttention(12, 5),
            ValueError,
            "n_heads: .* divides d_model = 12, got 5; choose one of 1, 2",
        ),
        (lambda a: MultiHeadAttention(12, 6, 4), ValueError, "n_kv_heads: .* divides n_heads = 6, got 4"),
        (lambda a: MultiHeadAttention(12.0, 6), TypeError, "d_model: expected a whole number"),
        (lambda a: MultiHeadAttention(12, 0), ValueError, "n_heads: expected a whole number of at least 1"),
        (
            lambda a: MultiHeadAttention(12, 3, positions=SinusoidalPositions(12)),
            TypeError,
            "positions: .*added to the words before the first layer",
        ),
        (lambda a: MultiHeadAttention(12, 3, positions=ALiBi), TypeError, "positions: expected an instance"),
        (lambda a: a(X[0]), ValueError, r"query: expected 3 dimensions \(batch, queries, d_model\)"),
        (lambda a: a(X[..., :5]), ValueError, "query: expected last dimension d_model = 12"),
        (lambda a: a(X, X[..., :5]), ValueError, "key: expected last dimension d_model = 12"),
        (lambda a: a(X, X[:1]), ValueError, "key: expected 2 rows as in query, got 1"),
        (lambda a: a(X, X, X[:, :3]), ValueError, "value: expected one row for each of the 7 keys"),
        (lambda a: a(X.long()), ValueError, "query: expected floating-point"),
        (lambda a: a(X, X.double()), ValueError, "key: expected torch.float32"),
        (
            lambda a: a(X.double()),
            ValueError,
            "query: expected torch.float32, as MultiHeadAttention's parameters",
        ),
        (lambda a: a(X.to("meta")), ValueError, "query: expected device cpu, where MultiHeadAttention's"),
        (lambda a: a(X, mask=torch.ones(BATCH, LENGTH).bool()), ValueError, r"mask: .*unsqueeze\(-2\)"),
        (lambda a: a(X, mask=torch.ones(LENGTH).bool()), ValueError, r"mask: expected \(queries, keys\)"),
        (lambda a: a(X, mask=torch.ones(3, LENGTH, LENGTH).bool()), ValueError, "mask: expected a shape"),
        (lambda a: a(X, mask=torch.ones(LENGTH, LENGTH).int()), ValueError, "mask: expected bool"),
        (lambda a: a(X, cache=[]), TypeError, "cache: expected a KVCache"),
        (
            lambda a: KVCache().append(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 2, 4)),
            ValueError,
            "value: expected",
        ),
        (
            lambda a: KVCache().append(torch.zeros(2, 3, 4), torch.zeros(2, 3, 4)),
            ValueError,
            "key: expected 4 dim",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(MultiHeadAttention(D_MODEL, HEADS))


def test_bad_input_leaves_the_cache_as_it_was():
    attention, cache = MultiHeadAttention(D_MODEL, HEADS), KVCache()
    attention(X[:, :3], cache=cache)
    key, value = cache.key, cache.value
    for bad in (X[:1, :2], X[:, :2].double(), X[..., :5]):
        with pytest.raises(ValueError, match="expected"):
            attention(bad, cache=cache)
    with pytest.raises(ValueError, match="mask: expected a shape"):
        attention(X[:, :1], mask=torch.ones(1, 1).expand(5, 5).bool(), cache=cache)
    with pytest.raises(ValueError, match="key: expected"):
        cache.append(torch.zeros(BATCH, 1, 2, 4), torch.zeros(BATCH, 1, 2, 4))
    assert cache.key is key
    assert cache.value is value


@pytest.mark.parametrize("shape", ["none", "keys", "batch", "heads"])
def test_plain_is_the_full_class_without_what_it_leaves_out(shape):
    """The class that chapter 8 shows, with the same parameters: the same context and weights."""
    full, x = make()
    plain = PlainMultiHeadAttention(D_MODEL, HEADS).double()
    plain.load_state_dict(full.state_dict())
    memory = torch.randn(BATCH, 5, D_MODEL, dtype=torch.float64)
    sizes = {"none": None, "keys": (LENGTH, 5), "batch": (BATCH, 1, 5), "heads": (BATCH, HEADS, LENGTH, 5)}
    mask = None if shape == "none" else torch.rand(sizes[shape]) < 0.7
    for ours, expected in zip(plain(x, memory, mask=mask), full(x, memory, mask=mask), strict=True):
        torch.testing.assert_close(ours, expected)


def test_plain_names_what_does_not_fit():
    with pytest.raises(ValueError, match="n_heads"):
        PlainMultiHeadAttention(12, 5)
    attention = PlainMultiHeadAttention(12, 3)
    with pytest.raises(ValueError, match="query"):
        attention(torch.randn(2, 5, 10))
    with pytest.raises(ValueError, match="mask"):
        attention(torch.randn(2, 5, 12), mask=torch.ones(2, 4, dtype=torch.bool))
