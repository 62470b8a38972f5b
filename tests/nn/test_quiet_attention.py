"""Attention that can be silent: against the plain mechanism, what a sink takes, what a gate closes."""

import pytest
import torch

from attnbook.nn import MultiHeadAttention, QuietAttention, RotaryPositions
from attnbook.nn.quiet_attention import WAYS


def test_plain_it_is_multi_head_attention():
    torch.manual_seed(0)
    quiet, plain = QuietAttention(8, 2), MultiHeadAttention(8, 2, positions=RotaryPositions(4))
    plain.load_state_dict(quiet.state_dict(), strict=False)
    x = torch.randn(2, 5, 8)
    context, weights = quiet(x)
    expected, expected_weights = plain(x, causal=True)
    torch.testing.assert_close(context, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_a_sink_is_one_more_key_without_a_value():
    torch.manual_seed(0)
    plain, sink = QuietAttention(8, 2), QuietAttention(8, 2, "sink")
    sink.load_state_dict(plain.state_dict())
    x = torch.randn(2, 5, 8)
    with torch.no_grad():
        sink.sink[0] = -50.0  # takes nothing in head 0
        sink.sink[1] = 50.0  # takes all in head 1
    _, weights = sink(x)
    torch.testing.assert_close(weights[:, 0], plain(x)[1][:, 0])
    assert weights[:, 1].max() < 1e-9
    with torch.no_grad():
        sink.sink[1] = 0.0
    kept = sink(x)[1][:, 1]
    # What is left keeps its proportions.
    torch.testing.assert_close(kept / kept.sum(-1, keepdim=True), plain(x)[1][:, 1])


def test_a_closed_gate_is_silent():
    torch.manual_seed(0)
    layer = QuietAttention(8, 2, "gate")
    with torch.no_grad():
        layer.W_g.weight.zero_()
        layer.W_g.bias.fill_(-50.0)
    context, weights = layer(torch.randn(2, 5, 8))
    torch.testing.assert_close(context, layer.W_o.bias.expand_as(context))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 5))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_seen_of_what_comes_later(way):
    torch.manual_seed(0)
    layer, x = QuietAttention(8, 2, way), torch.randn(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1.0
    torch.testing.assert_close(layer(x)[0][:, :4], layer(changed)[0][:, :4])
    layer(x)[0].sum().backward()
    assert layer.W_v.weight.grad.abs().sum() > 0


def test_an_unknown_way_is_named():
    with pytest.raises(ValueError, match="^way: expected one of softmax, sink, gate, got 'loud'"):
        QuietAttention(8, 2, "loud")
    with pytest.raises(ValueError, match="n_heads"):
        QuietAttention(8, 3)
