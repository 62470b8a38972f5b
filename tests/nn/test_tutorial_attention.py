"""The tutorial's layer: against loops, its bound, its four methods, and what it refuses."""

import math

import pytest
import torch

from attnbook.nn import TutorialAttention
from attnbook.nn.tutorial_attention import largest_weight


def test_it_is_what_the_tutorial_writes():
    torch.manual_seed(0)
    x = torch.randn(2, 5, 3)
    layer = TutorialAttention()
    context, weights = layer(x)
    for row in range(2):
        scores = [math.tanh(float(x[row, t] @ layer.W[:, 0] + layer.b[t, 0])) for t in range(5)]
        total = sum(map(math.exp, scores))
        for t in range(5):
            assert weights[row, t].item() == pytest.approx(math.exp(scores[t]) / total, abs=1e-6)
        mixed = sum(weights[row, t] * x[row, t] for t in range(5))
        torch.testing.assert_close(context[row], mixed)


def test_tanh_bounds_the_largest_weight():
    layer = TutorialAttention()
    layer.build((1, 32, 1))
    with torch.no_grad():
        layer.W.fill_(100.0)
    x = -torch.ones(1, 32, 1)
    x[0, 7] = 1.0
    _, weights = layer(x)
    assert weights.max().item() == pytest.approx(largest_weight(32), abs=1e-6)
    assert weights.argmax().item() == 7


def test_a_mask_takes_the_padding_out():
    layer = TutorialAttention()
    x = torch.randn(2, 4, 3)
    mask = torch.tensor([[True, True, False, False], [False] * 4])
    context, weights = layer(x, mask)
    assert weights[0, 2:].abs().max() == 0
    assert weights[0].sum().item() == pytest.approx(1.0)
    assert context[1].abs().max() == 0


def test_the_four_methods_of_keras():
    layer = TutorialAttention(name="mine")
    layer.build((None, 32, 100))
    assert (tuple(layer.W.shape), tuple(layer.b.shape)) == ((100, 1), (32, 1))
    assert layer.compute_output_shape((None, 32, 100)) == (None, 100)
    assert TutorialAttention(**layer.get_config()).name == "mine"


def test_it_refuses_in_one_sentence():
    layer = TutorialAttention()
    with pytest.raises(ValueError, match=r"^x: expected shape \(batch, steps, features\), got \(3, 4\)$"):
        layer(torch.randn(3, 4))
    layer(torch.randn(2, 4, 3))
    with pytest.raises(ValueError, match=r"^x: expected \(batch, 4, 3\), as it was built, got \(2, 5, 3\)"):
        layer(torch.randn(2, 5, 3))
    with pytest.raises(ValueError, match="^x: expected floating"):
        layer(torch.ones(2, 4, 3, dtype=torch.long))


def test_gradients_reach_both_weights():
    layer = TutorialAttention()
    context, _ = layer(torch.randn(2, 4, 3))
    context.square().sum().backward()
    assert layer.W.grad.abs().sum() > 0
    assert layer.b.grad.abs().sum() > 0
