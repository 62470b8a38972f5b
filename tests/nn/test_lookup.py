"""The lookups of chapter 2, held to NumPy loops, to torch's own and to what must be true of shares."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from attnbook.nn.lookup import (
    AttentionPooling,
    KernelRegression,
    SoftDictionary,
    hard_lookup,
    masked_softmax,
    soft_lookup,
)

BATCH, QUERIES, KEYS, D_K, D_V = 2, 3, 5, 4, 6


@pytest.fixture
def tensors():
    """Query, key, value and a mask that leaves every query at least one key, all sizes different."""
    draw = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(*shape, generator=draw, dtype=torch.float64)
        for shape in ((BATCH, QUERIES, D_K), (BATCH, KEYS, D_K), (BATCH, KEYS, D_V))
    )
    mask = torch.tensor([[True] * 5, [True, True, False, True, False]]).unsqueeze(1)  # (batch, 1, keys)
    return query, key, value, mask


def loop(query, key, value, mask, temperature=1.0):
    """One query, one key at a time, in Python's own numbers."""
    contexts = np.zeros((BATCH, QUERIES, D_V))
    for b in range(BATCH):
        for i in range(QUERIES):
            shares = [
                math.exp(
                    sum(x * y for x, y in zip(query[b, i].tolist(), key[b, j].tolist(), strict=True))
                    / temperature
                )
                if mask[b, 0, j]
                else 0.0
                for j in range(KEYS)
            ]
            for j in range(KEYS):
                contexts[b, i] += shares[j] / sum(shares) * value[b, j].numpy()
    return torch.tensor(contexts)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 7.0])
def test_soft_lookup_equals_a_loop(tensors, temperature):
    query, key, value, mask = tensors
    context, weights = soft_lookup(query, key, value, mask, temperature)
    torch.testing.assert_close(context, loop(query, key, value, mask, temperature))
    torch.testing.assert_close(weights @ value, context)


def test_soft_lookup_equals_torch_with_gradients(tensors):
    query, key, value, mask = tensors
    answers = []
    for attend in (
        lambda q, k, v: soft_lookup(q, k, v, mask, math.sqrt(D_K))[0],
        lambda q, k, v: scaled_dot_product_attention(q, k, v, attn_mask=mask),
    ):
        leaves = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
        context = attend(*leaves)
        (context * torch.arange(D_V)).sum().backward()
        answers.append([context.detach(), *(leaf.grad for leaf in leaves)])
    for ours, theirs in zip(*answers, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_soft_lookup_divides_before_the_product_and_so_fits_half_precision():
    query, key = torch.full((1, 64), 40.0), torch.stack([torch.full((64,), 40.0), torch.full((64,), 39.9)])
    value = torch.tensor([[1.0], [3.0]])
    assert (query @ key.T).max() > torch.finfo(torch.float16).max
    context, weights = soft_lookup(query.half(), key.half(), value.half(), temperature=math.sqrt(64))
    expected, expected_weights = soft_lookup(
        query, key.half().float(), value, temperature=math.sqrt(64)
    )  # the same keys, rounded to half precision
    torch.testing.assert_close(weights.float(), expected_weights, atol=1e-3, rtol=0)
    torch.testing.assert_close(context.float(), expected, atol=5e-3, rtol=0)


def test_masked_softmax_equals_torch_and_gives_the_masked_nothing():
    scores = torch.tensor([[0.63, -3.2, -2.5], [-1.5, -3.9, 0.57], [-2.8, 0.64, -3.2]])
    weights = masked_softmax(scores)
    torch.testing.assert_close(weights, torch.softmax(scores, dim=-1))
    expected = torch.tensor([[0.94, 0.02, 0.04], [0.11, 0.01, 0.88], [0.03, 0.95, 0.02]])
    torch.testing.assert_close(weights, expected, atol=0.005, rtol=0)
    mask = torch.tensor([True, False, True])
    assert (masked_softmax(scores, mask)[:, 1] == 0).all()
    torch.testing.assert_close(masked_softmax(scores, mask)[:, ::2], torch.softmax(scores[:, ::2], dim=-1))


@settings(deadline=None, max_examples=60)
@given(
    scores=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=8),
    allowed=st.integers(0, 255),
    temperature=st.floats(0.01, 100),
)
def test_shares_are_shares_whatever_the_scores(scores, allowed, temperature):
    mask = torch.tensor([bool(allowed >> j & 1) for j in range(len(scores))])
    weights = masked_softmax(torch.tensor(scores), mask, temperature)
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    torch.testing.assert_close(weights.sum(), torch.tensor(float(mask.any())))


def test_a_row_that_may_see_nothing_gives_zeros_and_a_gradient_of_zeros(tensors):
    query, key, value, _ = tensors
    leaves = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    mask = torch.ones(BATCH, QUERIES, KEYS, dtype=torch.bool)
    mask[0, 1] = False
    context, weights = soft_lookup(*leaves, mask)
    assert (context[0, 1] == 0).all()
    assert (weights[0, 1] == 0).all()
    context.sum().backward()
    assert all(leaf.grad.isfinite().all() for leaf in leaves)
    assert (leaves[0].grad[0, 1] == 0).all()
    assert (leaves[0].grad[1] != 0).any()
    assert (hard_lookup(query, key, value, mask)[0][0, 1] == 0).all()


def test_temperature_leads_from_one_winner_to_equal_shares(tensors):
    query, key, value, mask = tensors
    hard, hard_weights = hard_lookup(query, key, value, mask)
    cold, cold_weights = soft_lookup(query, key, value, mask, temperature=1e-4)
    torch.testing.assert_close(cold_weights, hard_weights)
    torch.testing.assert_close(cold, hard)
    _, warm_weights = soft_lookup(query, key, value, mask, temperature=1e9)
    equal = (mask / mask.sum(dim=-1, keepdim=True)).double().expand_as(warm_weights)
    torch.testing.assert_close(warm_weights, equal)


def test_hard_lookup_takes_one_allowed_value_whole(tensors):
    query, key, value, mask = tensors
    context, weights = hard_lookup(query, key, value, mask)
    assert (weights.sum(dim=-1) == 1).all()
    assert ((weights == 0) | (weights == 1)).all()
    assert (weights[~mask.expand_as(weights)] == 0).all()
    for b in range(BATCH):
        for row in context[b]:
            assert any(torch.equal(row, value[b, j]) for j in range(KEYS) if mask[b, 0, j])


def test_of_equal_scores_hard_lookup_takes_the_first():
    value = torch.tensor([[1.0], [2.0], [3.0]])
    _, weights = hard_lookup(torch.ones(1, 2), torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), value)
    assert weights.tolist() == [[0.0, 1.0, 0.0]]


def test_soft_reads_every_value_and_hard_reads_one(tensors):
    query, key, value, _ = tensors
    for lookup, read in ((soft_lookup, KEYS), (hard_lookup, 1)):
        leaf = value[:1].clone().requires_grad_()
        lookup(query[:1, :1], key[:1], leaf)[0].sum().backward()
        assert (leaf.grad.abs().sum(dim=-1) > 0).sum() == read


def test_order_of_memories_does_not_matter(tensors):
    query, key, value, _ = tensors
    order = torch.tensor([3, 0, 4, 1, 2])
    context, weights = soft_lookup(query, key, value)
    shuffled_context, shuffled_weights = soft_lookup(query, key[:, order], value[:, order])
    torch.testing.assert_close(shuffled_context, context)
    torch.testing.assert_close(shuffled_weights, weights[..., order])


def test_soft_dictionary_reads_with_brackets(tensors):
    query, key, value, _ = tensors
    mask = torch.tensor([True, True, False, True, True])
    memory = SoftDictionary(key[0], value[0], mask, temperature=2.0)
    context, weights = soft_lookup(query[0], key[0], value[0], mask, 2.0)
    torch.testing.assert_close(memory[query[0]], context)
    torch.testing.assert_close(memory.read(query[0])[1], weights)
    assert len(memory) == KEYS


def test_kernel_regression_equals_a_loop(tensors):
    query, key, value, mask = tensors
    model = KernelRegression(D_K, bandwidth=0.8).double().requires_grad_(False)
    model.metric += 0.3 * torch.arange(D_K * D_K).reshape(D_K, D_K) / D_K**2
    estimate, weights = model(query, key, value, mask)
    for b in range(BATCH):
        for i in range(QUERIES):
            shares = [
                float(
                    torch.exp(-0.5 * (model.metric @ (query[b, i] - key[b, j])).square().sum())
                    * mask[b, 0, j]
                )
                for j in range(KEYS)
            ]
            expected = sum(share / sum(shares) * value[b, j] for j, share in enumerate(shares))
            torch.testing.assert_close(estimate[b, i].detach(), expected)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(BATCH, QUERIES, dtype=torch.float64))


def test_bandwidth_is_the_distance_at_which_a_point_counts_61_percent():
    model = KernelRegression(1, bandwidth=3.0)
    _, weights = model(torch.zeros(1, 1), torch.tensor([[0.0], [3.0]]), torch.zeros(2, 1))
    assert (weights[0, 1] / weights[0, 0]).item() == pytest.approx(math.exp(-0.5))


def test_pooling_begins_as_the_plain_average_and_learns(tensors):
    _, key, value, mask = tensors
    words = mask.squeeze(1)
    pooling = AttentionPooling(D_K).double()
    context, _ = pooling(key, value, words)
    for b in range(BATCH):
        torch.testing.assert_close(context[b].detach(), value[b, words[b]].mean(dim=0))
    context.sum().backward()
    assert (pooling.query.grad != 0).all()


def test_pooling_is_a_soft_lookup_with_one_query(tensors):
    _, key, value, mask = tensors
    pooling = AttentionPooling(D_K).double()
    with torch.no_grad():
        pooling.query.copy_(torch.arange(D_K))
    context, weights = pooling(key, value, mask.squeeze(1))
    query = pooling.query.expand(BATCH, 1, D_K)
    expected, expected_weights = soft_lookup(query, key, value, mask, temperature=math.sqrt(D_K))
    torch.testing.assert_close(context, expected.squeeze(1))
    torch.testing.assert_close(weights, expected_weights.squeeze(1))


def wrong_calls():
    query, key, value = torch.randn(3, 4), torch.randn(5, 4), torch.randn(5, 6)
    mask = torch.ones(3, 5, dtype=torch.bool)
    yield "key", lambda: soft_lookup(query, torch.randn(5, 3), value)
    yield "value", lambda: soft_lookup(query, key, torch.randn(4, 6))
    yield "query", lambda: soft_lookup(torch.randn(4), key, value)
    yield "value", lambda: soft_lookup(query, key, value.double())
    yield "mask", lambda: soft_lookup(query, key, value, mask.float())
    yield "mask", lambda: soft_lookup(query, key, value, mask[:, :4])
    yield "mask", lambda: hard_lookup(query, key, value, mask[:, :4])
    yield "mask", lambda: masked_softmax(query, mask)
    yield "temperature", lambda: soft_lookup(query, key, value, temperature=0.0)
    yield "temperature", lambda: soft_lookup(query, key, value, temperature=float("nan"))
    yield "scores", lambda: masked_softmax(torch.arange(3))
    yield "query", lambda: KernelRegression(3)(query, key, value)
    yield "bandwidth", lambda: KernelRegression(3, bandwidth=-1.0)
    yield "d_k", lambda: AttentionPooling(0)
    yield "key", lambda: AttentionPooling(3)(key[None], value[None])


@pytest.mark.parametrize(("argument", "call"), list(wrong_calls()))
def test_wrong_arguments_are_named(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument}: expected .+ got .+"):
        call()


@pytest.mark.parametrize("given_", [None, "warm"])
def test_a_temperature_that_is_no_number_is_a_type_error(given_):
    with pytest.raises(TypeError, match=r"^temperature: expected .+ got"):
        masked_softmax(torch.zeros(2), temperature=given_)
