"""Squeeze-and-excitation, against the equations one number at a time."""

import math

import pytest
import torch

from attnbook.nn import SqueezeExcitation


def test_the_equations_number_by_number():
    torch.manual_seed(0)
    layer = SqueezeExcitation(6, reduction=3).double()
    x = torch.randn(2, 6, 3, 5, dtype=torch.float64)
    context, weights = layer(x)
    for b in range(2):
        z = [sum(x[b, c].flatten().tolist()) / 15 for c in range(6)]
        hidden = [
            max(0.0, sum(w * n for w, n in zip(row, z, strict=True))) for row in layer.W_1.weight.tolist()
        ]
        for c in range(6):
            score = sum(w * n for w, n in zip(layer.W_2.weight[c].tolist(), hidden, strict=True))
            share = 1 / (1 + math.exp(-score))
            assert weights[b, c].item() == pytest.approx(share)
            torch.testing.assert_close(context[b, c], share * x[b, c])


def test_weights_follow_the_picture_and_need_not_sum_to_1():
    torch.manual_seed(1)
    layer = SqueezeExcitation(8, reduction=2)
    x = torch.randn(2, 8, 4, 4)
    _, weights = layer(x)
    assert not torch.allclose(weights[0], weights[1])
    assert ((weights > 0) & (weights < 1)).all()
    assert (weights.sum(dim=1) > 1).all()
    turned = layer(x.flip(-1))[1]
    torch.testing.assert_close(turned, weights)  # the mean does not know where things stand


def test_gradients():
    torch.manual_seed(2)
    layer = SqueezeExcitation(4, reduction=2).double()
    x = torch.randn(1, 4, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x)[0], (x,))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^reduction: .*divides channels = 6"):
        SqueezeExcitation(6, reduction=4)
    with pytest.raises(ValueError, match=r"^x: expected channels = 6 .*\(2, 5, 3, 3\)"):
        SqueezeExcitation(6, reduction=2)(torch.zeros(2, 5, 3, 3))
    with pytest.raises(ValueError, match=r"^x: expected shape \(batch, channels, h, w\)"):
        SqueezeExcitation(6, reduction=2)(torch.zeros(6, 3, 3))
    with pytest.raises(ValueError, match=r"^x: expected floating-point"):
        SqueezeExcitation(6, reduction=2)(torch.zeros(1, 6, 3, 3, dtype=torch.long))
