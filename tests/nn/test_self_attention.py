"""Self-attention with one head, against the equation, torch and its own properties."""

import math

import pytest
import torch

from attnbook.nn import SelfAttention, causal_mask


def test_the_equation_letter_by_letter():
    torch.manual_seed(0)
    layer = SelfAttention(6, 3, 5).double()
    x = torch.randn(2, 4, 6, dtype=torch.float64)
    context, weights = layer(x)
    for b in range(2):
        for i in range(4):
            q = layer.W_q.weight @ x[b, i]
            scores = torch.stack([q @ (layer.W_k.weight @ x[b, j]) for j in range(4)]) / math.sqrt(3)
            share = torch.softmax(scores, dim=0)
            torch.testing.assert_close(weights[b, i], share)
            mixed = sum(share[j] * (layer.W_v.weight @ x[b, j]) for j in range(4))
            torch.testing.assert_close(context[b, i], mixed)


def test_one_head_of_torch_gives_the_same():
    torch.manual_seed(1)
    theirs = torch.nn.MultiheadAttention(8, 1, bias=False, batch_first=True)
    layer = SelfAttention(8)
    with torch.no_grad():
        for table, part in zip(
            (layer.W_q, layer.W_k, layer.W_v), theirs.in_proj_weight.chunk(3), strict=True
        ):
            table.weight.copy_(part)
        theirs.out_proj.weight.copy_(torch.eye(8))
    x = torch.randn(3, 5, 8)
    context, weights = layer(x, causal=True)
    expected, expected_weights = theirs(x, x, x, attn_mask=~causal_mask(5))
    torch.testing.assert_close(context, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_shuffled_words_give_shuffled_contexts():
    torch.manual_seed(2)
    layer, x, order = SelfAttention(6, 4), torch.randn(7, 6), torch.randperm(7)
    context, weights = layer(x)
    shuffled, shuffled_weights = layer(x[order])
    torch.testing.assert_close(shuffled, context[order])
    torch.testing.assert_close(shuffled_weights, weights[order][:, order])


def test_no_future_leaks_and_an_empty_row_gives_zeros():
    torch.manual_seed(3)
    layer, x = SelfAttention(6, 4), torch.randn(1, 5, 6)
    changed = x.clone()
    changed[0, 4] += 2
    assert torch.equal(layer(x, causal=True)[0][0, :4], layer(changed, causal=True)[0][0, :4])
    assert not torch.equal(layer(x)[0][0, :4], layer(changed)[0][0, :4])
    mask = causal_mask(5)
    mask[2] = False
    context, weights = layer(x, mask)
    assert not context.isnan().any()
    assert context[0, 2].abs().sum() == 0 == weights[0, 2].sum()


def test_scale_and_sizes():
    x = torch.randn(2, 3, 6)
    layer = SelfAttention(6, 4, scale=0.0)
    torch.testing.assert_close(layer(x)[1], torch.full((2, 3, 3), 1 / 3))
    assert SelfAttention(6)(x)[0].shape == (2, 3, 6)
    assert SelfAttention(6, 2)(x)[0].shape == (2, 3, 2)
    assert SelfAttention(6, 2, 5)(x)[0].shape == (2, 3, 5)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: SelfAttention(0), "d_model"),
        (lambda: SelfAttention(4, 0), "d_k"),
        (lambda: SelfAttention(4)(torch.zeros(2, 3, 5)), "x"),
        (lambda: SelfAttention(4)(torch.zeros(4)), "x"),
        (lambda: SelfAttention(4)(torch.zeros(2, 3, 4, dtype=torch.int64)), "x"),
        (lambda: SelfAttention(4)(torch.zeros(2, 3, 4), torch.ones(2, 9, dtype=torch.bool)), "mask"),
    ],
)
def test_bad_input_is_named(make, named):
    with pytest.raises(ValueError, match=f"^{named}: "):
        make()
