"""The non-local block, against a loop over pairs of positions."""

import pytest
import torch

from attnbook.nn import NonLocalBlock


def awake(channels, d_k=None, **options):
    """A block whose last projection is not zero."""
    layer = NonLocalBlock(channels, d_k)
    torch.nn.init.normal_(layer.W_z.weight)
    torch.nn.init.normal_(layer.W_z.bias)
    return layer.to(**options)


def test_against_a_loop_over_positions():
    torch.manual_seed(0)
    layer = awake(4, 3, dtype=torch.float64)
    x = torch.randn(2, 4, 2, 3, dtype=torch.float64)
    context, weights = layer(x)
    places = [(r, c) for r in range(2) for c in range(3)]
    for b in range(2):
        for i, (r, c) in enumerate(places):
            scores = torch.stack([layer.W_q(x[b, :, r, c]) @ layer.W_k(x[b, :, p, q]) for p, q in places])
            share = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(weights[b, i], share)
            y = sum(share[j] * layer.W_v(x[b, :, p, q]) for j, (p, q) in enumerate(places))
            torch.testing.assert_close(context[b, :, r, c], x[b, :, r, c] + layer.W_z(y))


def test_it_starts_as_the_identity():
    torch.manual_seed(1)
    x = torch.randn(2, 6, 3, 3)
    context, _ = NonLocalBlock(6)(x)
    assert torch.equal(context, x)


def test_distance_does_not_count():
    """Positions put in another order give the same vectors in that order: the block knows no places."""
    torch.manual_seed(2)
    layer, x = awake(4), torch.randn(1, 4, 3, 3)
    order = torch.randperm(9)
    mixed = x.flatten(2)[..., order].reshape(x.shape)
    torch.testing.assert_close(layer(mixed)[0].flatten(2), layer(x)[0].flatten(2)[..., order])


def test_gradients_and_bad_input():
    layer = awake(2, dtype=torch.float64)
    x = torch.randn(1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x)[0], (x,))
    with pytest.raises(ValueError, match=r"^x: expected channels = 2"):
        layer(torch.zeros(1, 3, 2, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"^d_k: "):
        NonLocalBlock(4, 0)
