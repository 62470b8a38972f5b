"""Location-aware attention: against loops written from the paper, masked, and moved along."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import LocationAwareAttention, LocationAwareScore

BATCH, KEYS, D_QUERY, D_KEY, D = 2, 7, 3, 4, 5


def make(width=3, dtype=torch.float64):
    torch.manual_seed(0)
    score = LocationAwareScore(D_QUERY, D_KEY, D, channels=2, width=width).to(dtype)
    query, key = torch.randn(BATCH, D_QUERY, dtype=dtype), torch.randn(BATCH, KEYS, D_KEY, dtype=dtype)
    return score, query, key, torch.rand(BATCH, KEYS, dtype=dtype).softmax(-1)


def by_the_paper(score, query, key, previous):
    """Equations 8 and 9 of Chorowski et al. 2015, one key, one filter and one tap at a time."""
    F, half = score.F.weight[:, 0], score.F.weight.shape[-1] // 2
    scores = key.new_zeros(key.shape[:2])
    for b in range(len(key)):
        for j in range(key.shape[1]):
            f = key.new_zeros(len(F))
            for k in range(len(F)):
                for tap in range(F.shape[1]):
                    at = j + tap - half
                    if 0 <= at < key.shape[1]:
                        f[k] += F[k, tap] * previous[b, at]
            hidden = torch.tanh(
                score.W.weight @ query[b] + score.V.weight @ key[b, j] + score.U.weight @ f + score.V.bias
            )
            scores[b, j] = score.w.weight[0] @ hidden
    return scores


@pytest.mark.parametrize("width", [1, 3, 9])
def test_as_in_the_paper(width):
    score, query, key, previous = make(width)
    torch.testing.assert_close(score(query, key, previous), by_the_paper(score, query, key, previous))


def test_equal_keys_are_told_apart_by_the_last_weights_alone():
    score, query, key, _ = make()
    key = key[:, :1].expand(-1, KEYS, -1)  # the same sound again and again
    none = score(query, key, torch.zeros(BATCH, KEYS, dtype=key.dtype))
    torch.testing.assert_close(none, none[:, :1].expand_as(none))
    last = torch.eye(KEYS, dtype=key.dtype)[[2, 4]]
    scores = score(query, key, last)
    near = scores[0, 1:4] - scores[0, 6]
    assert near.abs().min() > 1e-3
    torch.testing.assert_close(scores[0, 5:], scores[0, 6].expand(2))


@settings(max_examples=20, deadline=None)
@given(shift=st.integers(0, 3))
def test_it_moves_with_what_it_reads(shift):
    score, query, key, _ = make()
    key = key.roll(shift, dims=1)
    last = torch.zeros(BATCH, KEYS, dtype=key.dtype)
    last[:, 1] = 1.0
    first = score(query, key, last)[:, 1]
    last = last.roll(shift, dims=1)
    moved = score(query, key.roll(shift, dims=1), last)
    torch.testing.assert_close(moved[:, 1 + shift], first)


def test_context_mask_and_gradients():
    score, query, key, previous = make()
    attention = LocationAwareAttention(score)
    mask = torch.ones(BATCH, KEYS, dtype=torch.bool)
    mask[0, 4:], mask[1] = False, False
    value = torch.randn(BATCH, KEYS, 6, dtype=key.dtype)
    context, weights = attention(query, key, value, previous, mask)
    torch.testing.assert_close(weights.sum(-1), torch.tensor([1.0, 0.0], dtype=key.dtype))
    assert (weights[0, 4:] == 0).all()
    assert (context[1] == 0).all()
    scores = by_the_paper(score, query, key, previous)[0, :4]
    share = [math.exp(s) / sum(math.exp(t) for t in scores) for s in scores]
    torch.testing.assert_close(context[0], sum(s * v for s, v in zip(share, value[0], strict=False)))
    context.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in score.parameters())


def test_half_precision():
    score, query, key, previous = make(dtype=torch.bfloat16)
    context, weights = LocationAwareAttention(score)(query, key, key, previous)
    assert context.dtype == weights.dtype == torch.bfloat16
    assert torch.isfinite(context).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query": torch.zeros(2, 9)}, "query: expected last dimension d_query = 3"),
        ({"key": torch.zeros(2, KEYS, 9)}, "key: expected last dimension d_key = 4"),
        ({"previous": torch.zeros(2, 3)}, "previous: expected shape"),
        ({"value": torch.zeros(2, 3, 1)}, "value: expected one row for each key"),
        ({"mask": torch.zeros(2, 3, dtype=torch.bool)}, "mask: expected bool of shape"),
        ({"mask": torch.ones(2, KEYS)}, "mask: expected bool of shape"),
        ({"query": torch.zeros(5, 3)}, "key: expected 5 rows as in query"),
    ],
)
def test_bad_input_is_named(change, words):
    score, query, key, previous = make(dtype=torch.float32)
    given = {"query": query, "key": key, "value": key, "previous": previous, **change}
    with pytest.raises(ValueError, match=words):
        LocationAwareAttention(score)(**given)


def test_an_even_width_is_refused():
    with pytest.raises(ValueError, match="width: expected an odd number"):
        LocationAwareScore(2, 2, 2, width=4)
