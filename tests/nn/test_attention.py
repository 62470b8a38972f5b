"""Scaled dot-product attention: what holds for every input, at the limits, and for wrong input."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attnbook.nn import causal_mask, padding_mask, scaled_dot_product_attention, window_mask
from attnbook.nn.attention import softmax_or_zeros

SIZES = st.integers(0, 5)
ANY = settings(deadline=None, max_examples=60)


@st.composite
def problems(draw, least_keys=0):
    """Random shapes (all sizes drawn apart, empty ones among them), numbers and masks."""
    leading = draw(st.lists(st.integers(1, 3), max_size=2))
    queries, keys = draw(SIZES), draw(st.integers(least_keys, 5))
    d_k, d_v = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    size = draw(st.sampled_from([1.0, 30.0, 1e4]))
    query, key, value = (
        size ** (0.5 * (place < 2))
        * torch.randn(*leading, rows, columns, generator=generator, dtype=torch.float64)
        for place, (rows, columns) in enumerate(((queries, d_k), (keys, d_k), (keys, d_v)))
    )
    kind = draw(st.sampled_from(["none", "boolean", "floating", "nothing"]))
    mask = None
    if kind in ("boolean", "nothing"):
        odds = 0.6 if kind == "boolean" else 0.0
        mask = torch.rand(*leading, queries, keys, generator=generator) < odds
    elif kind == "floating":
        mask = torch.randn(queries, keys, generator=generator, dtype=torch.float64)
        mask = mask.masked_fill(mask < -0.5, -torch.inf)
    return query, key, value, mask


def loops(query, key, value, mask, causal, scale, softcap):
    """The equation with Python loops, one row of one head at a time."""
    leading = query.shape[:-2]
    context = query.new_zeros(*leading, query.shape[-2], value.shape[-1])
    weights = query.new_zeros(*leading, query.shape[-2], key.shape[-2])
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    masks = None if mask is None else mask.expand(*leading, query.shape[-2], key.shape[-2])
    for head in torch.cartesian_prod(*(torch.arange(n) for n in (*leading, 1, 1))).tolist():
        head = tuple(head[: len(leading)])
        for i, q in enumerate(query[head]):
            scores = []
            for j, k in enumerate(key[head]):
                score = scale * sum(a * b for a, b in zip(q.tolist(), k.tolist(), strict=True))
                if softcap is not None:
                    score = softcap * math.tanh(score / softcap)
                if masks is not None and masks.dtype == torch.bool and not masks[head][i, j]:
                    score = -math.inf
                elif masks is not None and masks.dtype != torch.bool:
                    score += masks[head][i, j].item()
                scores.append(-math.inf if causal and j > i else score)
            peak = max(scores, default=-math.inf)
            if peak == -math.inf:
                continue
            shares = [math.exp(s - peak) for s in scores]
            for j, share in enumerate(shares):
                weights[(*head, i, j)] = share / sum(shares)
                context[(*head, i)] += share / sum(shares) * value[head][j]
    return context, weights


@ANY
@given(
    problems(), st.booleans(), st.sampled_from([None, 0.0, 0.7]), st.sampled_from([None, 2.0]), st.booleans()
)
def test_any_problem_is_the_loops(problem, causal, scale, softcap, need_weights):
    context, weights = scaled_dot_product_attention(
        *problem, causal=causal, scale=scale, softcap=softcap, need_weights=need_weights
    )
    expected, expected_weights = loops(*problem, causal, scale, softcap)
    torch.testing.assert_close(context, expected, rtol=1e-9, atol=1e-9)
    if need_weights:
        torch.testing.assert_close(weights, expected_weights, rtol=1e-9, atol=1e-9)
    else:
        assert weights is None


@ANY
@given(problems(), st.booleans())
def test_rows_are_shares_or_zeros_and_gradients_are_finite(problem, need_weights):
    query, key, value, mask = problem
    inputs = [x.clone().requires_grad_() for x in (query, key, value)]
    context, weights = scaled_dot_product_attention(*inputs, mask, need_weights=need_weights)
    assert context.isfinite().all()
    if need_weights:
        totals = weights.sum(-1)
        assert (weights >= 0).all()
        assert ((totals - 1).abs().lt(1e-9) | totals.eq(0)).all()
    for gradient in torch.autograd.grad((context**2).sum(), inputs, allow_unused=True):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("floating", [False, True], ids=["boolean", "floating"])
def test_a_row_that_may_attend_to_nothing(need_weights, floating):
    """Zeros, never NaN; and no gradient passes through it, while the other rows learn as usual."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(2, 3, rows, 4, generator=generator, dtype=torch.float64).requires_grad_()
        for rows in (5, 6, 6)
    )
    mask = torch.ones(5, 6, dtype=torch.bool)
    mask[2] = False
    given_mask = torch.zeros(5, 6, dtype=torch.float64).masked_fill(~mask, -torch.inf) if floating else mask
    context, weights = scaled_dot_product_attention(query, key, value, given_mask, need_weights=need_weights)
    assert not context[:, :, 2].any()
    assert weights is None or not weights[:, :, 2].any()
    d_query, d_key, d_value = torch.autograd.grad(context.sum() + (context**2).sum(), (query, key, value))
    assert not d_query[:, :, 2].any()
    others = [0, 1, 3, 4]
    rest, _ = scaled_dot_product_attention(query[:, :, others], key, value, need_weights=need_weights)
    torch.testing.assert_close(rest, context[:, :, others])
    for got, wanted in zip(
        (d_query[:, :, others], d_key, d_value),
        torch.autograd.grad(rest.sum() + (rest**2).sum(), (query, key, value)),
        strict=True,
    ):
        wanted = wanted[:, :, others] if wanted.shape[-2] == 5 else wanted
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_extreme_scores(dtype, need_weights):
    query = torch.tensor([[1e4], [-1e4], [0.0]], dtype=dtype).requires_grad_()
    key = torch.tensor([[1.0], [-1.0], [0.5]], dtype=dtype)
    value = torch.eye(3, dtype=dtype)
    context, _ = scaled_dot_product_attention(query, key, value, need_weights=need_weights)
    expected = torch.tensor([[1, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]]).to(dtype)
    torch.testing.assert_close(context, expected)
    context.sum().backward()
    assert query.grad.isfinite().all()


def test_half_precision_does_not_overflow_before_scaling():
    query = torch.full((1, 64), 40.0, dtype=torch.float16)  # Q Kᵀ is 102,400: beyond float16's 65,504
    key = torch.stack([query[0], -query[0]])
    context, weights = scaled_dot_product_attention(query, key, torch.eye(2, dtype=torch.float16))
    assert weights.tolist() == [[1.0, 0.0]]
    assert context.tolist() == [[1.0, 0.0]]


@ANY
@given(problems(least_keys=1), st.integers(0, 2**31))
def test_order_of_keys_does_not_matter(problem, seed):
    query, key, value, mask = problem
    order = torch.randperm(key.shape[-2], generator=torch.Generator().manual_seed(seed))
    context, weights = scaled_dot_product_attention(query, key, value, mask)
    shuffled = None if mask is None else mask[..., order]
    other, other_weights = scaled_dot_product_attention(
        query, key[..., order, :], value[..., order, :], shuffled
    )
    torch.testing.assert_close(other, context, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(other_weights, weights[..., order], rtol=1e-9, atol=1e-9)


@ANY
@given(problems(least_keys=1))
def test_masked_keys_might_as_well_not_exist(problem):
    query, key, value, mask = problem
    assume(mask is None)
    allowed = torch.arange(key.shape[-2] + 2) < key.shape[-2]
    noise = torch.full((*key.shape[:-2], 2, 1), 1e6, dtype=key.dtype)
    wide_key = torch.cat([key, noise.expand(*noise.shape[:-1], key.shape[-1])], -2)
    wide_value = torch.cat([value, noise.expand(*noise.shape[:-1], value.shape[-1])], -2)
    for need_weights in (True, False):
        context, _ = scaled_dot_product_attention(query, key, value, need_weights=need_weights)
        wide, weights = scaled_dot_product_attention(
            query, wide_key, wide_value, allowed, need_weights=need_weights
        )
        torch.testing.assert_close(wide, context, rtol=1e-9, atol=1e-9)
        assert weights is None or not weights[..., -2:].any()


def test_weights_change_when_keys_change_and_context_when_values_do():
    query, key, value = torch.randn(4, 8), torch.randn(5, 8), torch.randn(5, 3)
    context, weights = scaled_dot_product_attention(query, key, value)
    assert not torch.allclose(scaled_dot_product_attention(query, key + torch.randn(5, 8), value)[1], weights)
    other, same = scaled_dot_product_attention(query, key, value + 1)
    torch.testing.assert_close(same, weights)
    torch.testing.assert_close(other, context + 1)


def test_temperature_to_zero_is_the_argmax_and_to_infinity_the_mean():
    query, key, value = torch.randn(4, 8), torch.randn(5, 8), torch.randn(5, 3)
    best = (query @ key.T).argmax(-1)
    torch.testing.assert_close(scaled_dot_product_attention(query, key, value, scale=1e6)[0], value[best])
    flat, weights = scaled_dot_product_attention(query, key, value, scale=0.0)
    torch.testing.assert_close(flat, value.mean(0).expand(4, 3))
    torch.testing.assert_close(weights, torch.full((4, 5), 0.2))


def test_softcap_far_above_the_scores_changes_nothing():
    query, key, value = torch.randn(4, 8), torch.randn(5, 8), torch.randn(5, 3)
    torch.testing.assert_close(
        scaled_dot_product_attention(query, key, value, softcap=1e6)[0],
        scaled_dot_product_attention(query, key, value)[0],
    )


def test_causal_is_the_causal_mask():
    query, key, value = torch.randn(2, 4, 8), torch.randn(2, 6, 8), torch.randn(2, 6, 3)
    for need_weights in (True, False):
        torch.testing.assert_close(
            scaled_dot_product_attention(query, key, value, causal=True, need_weights=need_weights),
            scaled_dot_product_attention(query, key, value, causal_mask(4, 6), need_weights=need_weights),
        )


def test_non_contiguous_and_broadcast_input():
    query, key, value = (torch.randn(3, 8, 2, 5).permute(2, 0, 3, 1) for _ in range(3))
    assert not query.is_contiguous()
    for need_weights in (True, False):
        torch.testing.assert_close(
            scaled_dot_product_attention(query, key, value, need_weights=need_weights),
            scaled_dot_product_attention(
                query.contiguous(), key.contiguous(), value.contiguous(), need_weights=need_weights
            ),
        )
    one = scaled_dot_product_attention(query, key[:1, :1], value[:1, :1])[0]
    assert one.shape == (2, 3, 5, 8)


def test_gradcheck():
    inputs = [
        torch.randn(2, n, d, dtype=torch.float64, requires_grad=True) for n, d in ((3, 4), (5, 4), (5, 2))
    ]
    mask = torch.rand(2, 3, 5) < 0.5
    mask[0, 0] = False
    for options in ({}, {"mask": mask}, {"causal": True}, {"softcap": 1.5}):
        assert torch.autograd.gradcheck(
            lambda q, k, v, o=options: scaled_dot_product_attention(q, k, v, **o), inputs
        )


def test_softmax_or_zeros_is_softmax():
    scores = torch.randn(3, 4)
    torch.testing.assert_close(softmax_or_zeros(scores), torch.softmax(scores, -1))


def test_masks():
    assert padding_mask(torch.tensor([0, 2, 3]), 3).tolist() == [[False] * 3, [True, True, False], [True] * 3]
    assert causal_mask(2, past=1).tolist() == [[True, True, False], [True, True, True]]
    assert causal_mask(2).tolist() == [[True, False], [True, True]]
    assert window_mask(3, 4, 1).long().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1]]


Q, K, V = torch.zeros(2, 4, 8), torch.zeros(2, 5, 8), torch.zeros(2, 5, 3)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([1.0], K, V), {}, TypeError, r"query: expected a torch.Tensor, got list"),
        ((Q, None, V), {}, TypeError, r"key: expected a torch.Tensor, got NoneType"),
        ((Q.long(), K, V), {}, ValueError, r"query: expected floating-point numbers, got torch.int64"),
        ((Q, K.double(), V), {}, ValueError, r"key: expected torch.float32 as in query, got torch.float64"),
        ((Q, K, V.half()), {}, ValueError, r"value: expected torch.float32"),
        ((Q, K.to("meta"), V), {}, ValueError, r"key: expected device cpu as in query, got meta"),
        ((Q[0, 0], K, V), {}, ValueError, r"query: expected shape \(…, queries, d_query\), got \(8,\)"),
        (
            (Q, K[..., :7], V),
            {},
            ValueError,
            r"key: expected last dimension d_k = 8 .* got shape \(2, 5, 7\)",
        ),
        ((Q, K, V[:, :4]), {}, ValueError, r"value: expected one row for each of the 5 keys"),
        ((Q, torch.zeros(3, 5, 8), V), {}, ValueError, r"key: expected leading dimensions that broadcast"),
        (
            (Q, K, V, torch.ones(2, 5)),
            {},
            ValueError,
            r"mask: .* \(2, 4, 5\), got \(2, 5\); .*unsqueeze\(-2\)",
        ),
        ((Q, K, V, torch.ones(4, 5).long()), {}, ValueError, r"mask: expected bool .* got torch.int64"),
        ((Q, K, V, torch.ones(4, 5).double()), {}, ValueError, r"mask: expected bool, or torch.float32"),
        ((Q, K, V, [[True]]), {}, TypeError, r"mask: expected a torch.Tensor, got list"),
        (
            (Q, K, V, torch.ones(4, 5, dtype=torch.bool, device="meta")),
            {},
            ValueError,
            r"mask: expected device cpu",
        ),
        ((Q, K, V, torch.ones(3, 2, 4, 5).bool()), {}, ValueError, r"mask: expected a shape that broadcasts"),
        ((Q, K, V), {"scale": "0.1"}, TypeError, r"scale: expected a number or None, got '0.1'"),
        ((Q, K, V), {"softcap": 0.0}, ValueError, r"softcap: expected a number above 0, got 0.0"),
    ],
)
def test_bad_input_is_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        scaled_dot_product_attention(*arguments, **options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: padding_mask(torch.tensor([4]), 3),
            ValueError,
            "lengths: expected numbers from 0 to size = 3",
        ),
        (lambda: padding_mask(torch.tensor([1.0]), 3), ValueError, "lengths: expected whole numbers"),
        (lambda: padding_mask([1], 3), TypeError, "lengths: expected a torch.Tensor"),
        (lambda: causal_mask(2.0), TypeError, "n_queries: expected a whole number"),
        (lambda: causal_mask(2, past=-1), ValueError, "past: expected a whole number of at least 0"),
        (lambda: window_mask(2, 2, -1), ValueError, "window: expected a whole number of at least 0"),
    ],
)
def test_bad_masks_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
