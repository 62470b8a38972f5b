"""Tiled attention: chapter 7's numbers and gradients, whatever the tiles, and never the whole matrix."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attnbook.experiments.attention_budget import peak_bytes
from attnbook.nn import scaled_dot_product_attention, tiled_attention
from attnbook.nn.tiled import tiled_forward


def make(*shape, keys=None, d_v=3, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    *batch, queries, d_k = shape
    sizes = ((queries, d_k), (keys or queries, d_k), (keys or queries, d_v))
    return [torch.randn(*batch, *size, dtype=dtype, requires_grad=True) for size in sizes]


def gradients(context, leaves):
    """Of a sum that weighs every number differently."""
    weights = torch.linspace(-1, 1, context.numel(), dtype=context.dtype).view_as(context)
    return torch.autograd.grad((context * weights).sum(), leaves)


def by_the_paper(query, key, value, block):
    """FlashAttention's algorithm 1 for one head, number by number, in Python floats."""
    scale = query.shape[-1] ** -0.5
    rows = []
    for q in query:
        m, total, out = -float("inf"), 0.0, [0.0] * value.shape[-1]
        for start in range(0, len(key), block):
            scores = [float(q @ k) * scale for k in key[start : start + block]]
            new = max([m, *scores])
            shrink = torch.exp(torch.tensor(m - new, dtype=torch.float64)).item()
            p = [torch.exp(torch.tensor(s - new, dtype=torch.float64)).item() for s in scores]
            total = total * shrink + sum(p)
            for column in range(len(out)):
                added = sum(
                    a * float(v[column]) for a, v in zip(p, value[start : start + block], strict=True)
                )
                out[column] = out[column] * shrink + added
            m = new
        rows.append([number / total for number in out])
    return torch.tensor(rows, dtype=torch.float64)


def test_against_a_loop_written_from_the_paper(conforms):
    query, key, value = (x.detach() for x in make(5, 4, keys=7))
    expected = by_the_paper(query, key, value, 3)
    conforms(
        "FlashAttention's algorithm 1 in a loop, float64",
        tiled_attention(query, key, value, None, False, 2, 3), expected, 1e-12, "context",
    )  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([(), (2,), (2, 3)]),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 10),
    st.integers(1, 10),
    st.sampled_from(["none", "boolean", "floating", "padding", "one row", "nothing"]),
    st.booleans(),
    st.sampled_from([None, 0.3]),
    st.integers(0, 10_000),
)
def test_equal_to_chapter_7(conforms, batch, queries, keys, block_q, block_k, kind, causal, scale, seed):
    query, key, value = leaves = make(*batch, queries, 4, keys=keys, seed=seed)
    mask = {
        "none": None,
        "boolean": torch.rand(*batch, queries, keys) < 0.5,
        "floating": torch.randn(queries, keys, dtype=torch.float64, requires_grad=True),
        "padding": torch.rand(1, keys) < 0.7,
        "one row": torch.rand(keys) < 0.7,
        "nothing": torch.zeros(queries, keys, dtype=torch.bool),
    }[kind]
    if kind == "floating":
        leaves.append(mask)
    expected, _ = scaled_dot_product_attention(query, key, value, mask, causal=causal, scale=scale)
    context = tiled_attention(query, key, value, mask, causal, block_q, block_k, scale)
    row = "scaled_dot_product_attention, tiles, float64"
    conforms(row, context, expected, 1e-12, "context")
    for got, wanted in zip(gradients(context, leaves), gradients(expected, leaves), strict=True):
        conforms(row, got, wanted, 1e-11, "gradient")


def test_keys_of_one_head_for_all(conforms):
    query, key, value = make(2, 4, 6, 5)
    key, value = key[:, :1], value[:, :1]
    expected, _ = scaled_dot_product_attention(query, key, value)
    context = tiled_attention(query, key, value, block_q=4, block_k=4)
    row = "scaled_dot_product_attention, tiles, float64"
    conforms(row, context, expected, 1e-12)
    for got, wanted in zip(
        gradients(context, (query, key, value)), gradients(expected, (query, key, value)), strict=True
    ):
        conforms(row, got, wanted, 1e-11)


def test_gradients_by_finite_differences():
    query, key, value = make(2, 5, 3)
    mask = torch.rand(5, 5) < 0.6
    assert torch.autograd.gradcheck(
        lambda q, k, v: tiled_attention(q, k, v, mask, True, 2, 3), (query, key, value)
    )


def test_a_row_that_may_attend_to_nothing_gives_zeros():
    query, key, value = leaves = make(2, 5, 3)
    mask = torch.ones(2, 5, 5, dtype=torch.bool)
    mask[0, 2] = False
    context = tiled_attention(query, key, value, mask, False, 2, 2)
    assert not context[0, 2].any()
    found = gradients(context, leaves)
    assert all(gradient.isfinite().all() for gradient in found)
    assert not found[0][0, 2].any()


def test_large_scores_do_not_overflow():
    query, key, value = (x * 100 for x in make(1, 6, 4, dtype=torch.float32))
    expected, _ = scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(tiled_attention(query, key, value, block_k=2), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(dtype):
    given = make(2, 40, 8, dtype=torch.float32)
    expected, _ = scaled_dot_product_attention(*given)
    half = [x.detach().to(dtype).requires_grad_() for x in given]
    context = tiled_attention(*half, block_q=16, block_k=16)
    assert context.dtype == dtype
    torch.testing.assert_close(context.float(), expected, atol=2e-2, rtol=2e-2)
    assert all(each.dtype == dtype for each in gradients(context, half))


def test_the_log_sum_is_that_of_the_scores():
    query, key, value = (x.detach() for x in make(6, 4))
    _, log_sum = tiled_forward(query, key, value, None, False, 4, 4, 0.5)
    torch.testing.assert_close(log_sum[:, 0], torch.logsumexp(query @ key.T * 0.5, dim=-1))


def test_the_matrix_is_never_held():
    n = 1024
    given = make(1, n, 16, d_v=16, dtype=torch.float32)
    both_passes = lambda way: lambda: torch.autograd.grad(way().sum(), given)  # noqa: E731
    tiles = peak_bytes(both_passes(lambda: tiled_attention(*given, block_q=128, block_k=128)))
    plain = peak_bytes(both_passes(lambda: scaled_dot_product_attention(*given)[0]))
    assert tiles < 4 * n * n / 4 < plain


def test_no_second_derivative():
    query, key, value = make(3, 2)
    context = tiled_attention(query, key, value).square().sum()
    (first,) = torch.autograd.grad(context, query, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.square().sum().backward()


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"block_q": 0}, ValueError, "block_q"),
        ({"block_k": 2.5}, TypeError, "block_k"),
        ({"scale": "1"}, TypeError, "scale"),
        ({"mask": torch.ones(3, 3)}, ValueError, "mask"),
        ({"value": torch.ones(4, 3).double()}, ValueError, "value"),
    ],
)
def test_bad_input(changed, error, words):
    query, key, value = make(5, 4)
    with pytest.raises(error, match=words):
        tiled_attention(**{"query": query, "key": key, "value": value, **changed})
