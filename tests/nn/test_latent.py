"""Latent attention: against a loop written from the paper, absorbed, cached, masked."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import LatentCache, MultiHeadLatentAttention, causal_mask

BATCH, LENGTH, D_MODEL, HEADS = 2, 6, 10, 3
SIZES = {"d_latent": 5, "d_rotary": 4, "d_head": 2}


def make(**options):
    torch.manual_seed(0)
    sizes = {**SIZES, **options}
    attention = MultiHeadLatentAttention(D_MODEL, HEADS, **sizes).double()
    return attention, torch.randn(BATCH, LENGTH, D_MODEL, dtype=torch.float64)


def rotated(vector, position):
    """Equation 34 of RoFormer for one vector, pair by pair."""
    out = torch.empty_like(vector)
    for pair in range(len(vector) // 2):
        angle = position * 10000 ** (-2 * pair / len(vector))
        a, b = vector[2 * pair], vector[2 * pair + 1]
        out[2 * pair] = a * math.cos(angle) - b * math.sin(angle)
        out[2 * pair + 1] = a * math.sin(angle) + b * math.cos(angle)
    return out


def by_the_paper(m, x, causal):
    """DeepSeek-V2, equations 9 to 19, one token, one head and one key at a time."""
    n_heads, d_head, d_rotary = m.n_heads, m.d_head, m.d_rotary
    out, weights = torch.zeros_like(x), x.new_zeros(len(x), n_heads, x.shape[1], x.shape[1])
    for b in range(len(x)):
        c = [m.W_dkv.weight @ h for h in x[b]]  # 9
        k_r = [rotated(m.W_kr.weight @ h, t) for t, h in enumerate(x[b])]  # 15
        for t, h in enumerate(x[b]):
            c_q = h if isinstance(m.W_dq, torch.nn.Identity) else m.W_dq.weight @ h  # 12
            heads = []
            for i in range(n_heads):
                own = slice(i * d_head, (i + 1) * d_head)
                q_c = (m.W_uq.weight @ c_q)[own]  # 13
                q_r = rotated((m.W_qr.weight @ c_q)[i * d_rotary : (i + 1) * d_rotary], t)  # 14
                last = t + 1 if causal else x.shape[1]
                scores = torch.stack(
                    [
                        (q_c @ (m.W_uk.weight @ c[j])[own] + q_r @ k_r[j]) / math.sqrt(d_head + d_rotary)
                        for j in range(last)
                    ]
                )  # 10, 16 to 18
                share = scores.softmax(0)
                weights[b, i, t, :last] = share
                heads.append(sum(share[j] * (m.W_uv.weight @ c[j])[own] for j in range(last)))  # 11
            out[b, t] = m.W_o.weight @ torch.cat(heads)  # 19
    return out, weights


@pytest.mark.parametrize("absorbed", [False, True], ids=["rebuilt", "absorbed"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("d_query_latent", [None, 3])
def test_against_a_loop_written_from_the_paper(conforms, d_query_latent, causal, absorbed):
    attention, x = make(d_query_latent=d_query_latent)
    expected, shares = by_the_paper(attention, x, causal)
    context, weights = attention(x, causal=causal, absorbed=absorbed)
    row = "DeepSeek-V2's equations in a loop, latent attention, float64"
    conforms(row, context, expected, 1e-12, "context")
    conforms(row, weights, shares, 1e-12, "weights")


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3),
    st.sampled_from([(8, 2), (12, 3), (4, 1)]),
    st.integers(1, 6),
    st.sampled_from([2, 4]),
    st.sampled_from([None, 3]),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_cached_is_uncached(batch, heads, d_latent, d_rotary, d_query, cuts, absorbed, need_weights):
    attention = MultiHeadLatentAttention(*heads, d_latent, d_rotary, d_query_latent=d_query).double()
    x = torch.randn(batch, sum(cuts), heads[0], dtype=torch.float64)
    whole, weights = attention(x, causal=True)
    cache, start = LatentCache(), 0
    for part in x.split(cuts, dim=1):
        got, rows = attention(part, causal=True, cache=cache, need_weights=need_weights, absorbed=absorbed)
        end = start + part.shape[1]
        torch.testing.assert_close(got, whole[:, start:end])
        if need_weights:
            torch.testing.assert_close(rows, weights[:, :, start:end, :end])
        start = end
    assert cache.length == sum(cuts)
    assert cache.n_bytes == batch * sum(cuts) * (d_latent + d_rotary) * 8


def test_both_forms_have_the_same_gradients():
    attention, x = make(d_query_latent=4)
    gradients = []
    for absorbed in (False, True):
        attention.zero_grad()
        attention(x, causal=True, absorbed=absorbed)[0].square().sum().backward()
        gradients.append([p.grad.clone() for p in attention.parameters()])
    torch.testing.assert_close(*gradients)


def test_the_absorbed_matrix_is_a_product_of_two():
    """W^UK moves into W^UQ: scores of unrotated parts by one matrix a head, made once."""
    attention, x = make()
    up_q = attention.per_head(attention.W_uq)  # (n_heads, d_head, d_model)
    up_k = attention.per_head(attention.W_uk)  # (n_heads, d_head, d_latent)
    merged = up_q.transpose(-2, -1) @ up_k  # (n_heads, d_model, d_latent)
    latent = attention.W_dkv(x)
    by_latent = x.unsqueeze(1) @ merged @ latent.unsqueeze(1).transpose(-2, -1)
    q = attention.W_uq(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)
    k = attention.W_uk(latent).unflatten(-1, (HEADS, -1)).transpose(1, 2)
    torch.testing.assert_close(by_latent, q @ k.transpose(-2, -1))


def test_a_rotation_between_query_and_key_cannot_be_absorbed():
    """Why the rotated part is decoupled: with keys rotated, no one matrix a head fits all distances."""
    attention, _ = make(d_head=4)
    up_q, up_k = attention.per_head(attention.W_uq), attention.per_head(attention.W_uk)
    from attnbook.nn import RotaryPositions

    rotary = RotaryPositions(4)
    turned = lambda position: torch.stack([rotary(row[None], position)[0] for row in torch.eye(4).double()])  # noqa: E731
    merged = [up_q.transpose(-2, -1) @ turned(p) @ up_k for p in (0, 1)]
    assert not torch.allclose(*merged, atol=1e-3)


@pytest.mark.parametrize("absorbed", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
def test_a_fully_masked_query_gives_zeros(absorbed, need_weights):
    attention, x = make()
    x.requires_grad_()
    mask = torch.ones(BATCH, LENGTH, LENGTH, dtype=torch.bool)
    mask[0, 2] = False
    context, weights = attention(x, mask, absorbed=absorbed, need_weights=need_weights)
    assert not context[0, 2].any()
    assert context[0, 1].any()
    if need_weights:
        assert not weights[0, :, 2].any()
    (gradient,) = torch.autograd.grad(context.square().sum(), x)
    assert gradient.isfinite().all()


def test_masks_of_two_three_and_four_dimensions():
    attention, x = make()
    pairs = torch.rand(LENGTH, LENGTH) < 0.6
    expected = attention(x, pairs)
    torch.testing.assert_close(attention(x, pairs.expand(BATCH, -1, -1)), expected)
    torch.testing.assert_close(attention(x, pairs.expand(BATCH, HEADS, -1, -1)), expected)
    torch.testing.assert_close(attention(x, causal_mask(LENGTH)), attention(x, causal=True))
    fused, nothing = attention(x, pairs, need_weights=False)
    torch.testing.assert_close(fused, expected[0])
    assert nothing is None


def test_copies_and_selected_rows_of_a_cache():
    attention, x = make()
    cache = LatentCache()
    assert (cache.length, cache.n_bytes) == (0, 0)
    attention(x[:, :3], causal=True, cache=cache)
    twin = cache.copy()
    attention(x[:, 3:4], causal=True, cache=twin)
    assert (cache.length, twin.length) == (3, 4)
    rows = torch.tensor([1, 1, 0])
    expected, _ = attention(x[:, 3:4], causal=True, cache=cache.copy())
    got, _ = attention(x[rows, 3:4], causal=True, cache=cache.select(rows))
    torch.testing.assert_close(got, expected[rows])
    assert LatentCache().select(rows).length == 0


X = torch.zeros(BATCH, LENGTH, D_MODEL)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: MultiHeadLatentAttention(10, 3, 4, 2), ValueError, "n_heads: .* divides d_model = 10"),
        (lambda a: MultiHeadLatentAttention(10, 2, 0, 2), ValueError, "d_latent: expected"),
        (lambda a: MultiHeadLatentAttention(10, 2, 4, 3), ValueError, "2: .*divides d_rotary = 3"),
        (lambda a: a(X[0]), ValueError, r"query: expected 3 dimensions \(batch, queries, d_model\)"),
        (lambda a: a(X[..., :4]), ValueError, "query: expected last dimension d_model = 10"),
        (lambda a: a(X.long()), ValueError, "query: expected floating-point"),
        (lambda a: a(X.double()), ValueError, "query: expected torch.float32"),
        (lambda a: a(X, cache=[]), TypeError, "cache: expected a LatentCache"),
        (lambda a: a(X, torch.ones(3, LENGTH, LENGTH).bool()), ValueError, "mask: expected a shape"),
        (lambda a: LatentCache().append(X, X[:, :2]), ValueError, "rotated_key: expected"),
        (lambda a: LatentCache().append(X[0], X[0]), ValueError, "latent: expected 3 dim"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(MultiHeadLatentAttention(D_MODEL, HEADS, **SIZES))


def test_bad_input_leaves_the_cache_as_it_was():
    attention, cache = MultiHeadLatentAttention(D_MODEL, HEADS, **SIZES), LatentCache()
    attention(X[:, :3], cache=cache)
    held = cache.latent
    for bad in (X[:1, :2], X[:, :2].double(), X[..., :5]):
        with pytest.raises(ValueError, match="expected"):
            attention(bad, cache=cache)
    with pytest.raises(ValueError, match="latent: expected"):
        cache.append(X, X)
    assert cache.latent is held
