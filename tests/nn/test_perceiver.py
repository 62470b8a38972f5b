"""Perceiver: against a loop written from the paper; what does not depend on order, padding or length."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import Perceiver

BATCH, M, D_IN, D, N = 2, 9, 5, 8, 3


def make(**options):
    torch.manual_seed(0)
    model = Perceiver(D_IN, D, N, **{"n_heads": 2, "n_blocks": 2, "n_layers": 1, **options})
    return model.double().eval(), torch.randn(BATCH, M, D_IN, dtype=torch.float64)


def norm(layer, vector):
    mean, spread = vector.mean(), vector.var(unbiased=False)
    return (vector - mean) / (spread + layer.eps).sqrt() * layer.weight + layer.bias


def read_by_loops(read, latents, inputs):
    """One cross-attention and its network, one latent, one head and one input at a time."""
    a, out = read.attention, []
    keys = [norm(read.norm_inputs, row) for row in inputs]
    for latent in latents:
        query = norm(read.norm_latents, latent)
        heads = []
        for h in range(a.n_heads):
            own = slice(h * D // a.n_heads, (h + 1) * D // a.n_heads)
            q = (a.W_q.weight @ query + a.W_q.bias)[own]
            k = [(a.W_k.weight @ key + a.W_k.bias)[own] for key in keys]
            v = [(a.W_v.weight @ key + a.W_v.bias)[own] for key in keys]
            share = torch.stack([q @ each / len(q) ** 0.5 for each in k]).softmax(0)
            heads.append(sum(s * each for s, each in zip(share, v, strict=True)))
        new = latent + a.W_o.weight @ torch.cat(heads) + a.W_o.bias
        out.append(new + read.feed_forward(norm(read.norm, new)))
    return torch.stack(out)


def test_as_in_the_paper():
    model, inputs = make()
    found, weights = model(inputs)
    assert found.shape == (BATCH, N, D)
    assert [tuple(w.shape) for w in weights] == [(BATCH, 2, N, M)] * 2
    for b in range(BATCH):
        rows = torch.stack([model.project.weight @ row + model.project.bias for row in inputs[b]])
        latents = model.latents
        for read, layers in zip(model.reads, model.layers, strict=True):
            latents = read_by_loops(read, latents, rows)
            for layer in layers:
                latents = layer(latents[None])[0][0]
        torch.testing.assert_close(found[b], latents)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_order_of_the_inputs_is_none_of_its_business(seed):
    model, inputs = make()
    order = torch.randperm(M, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(model(inputs[:, order])[0], model(inputs)[0])


def test_padding_changes_nothing():
    model, inputs = make()
    longer = torch.cat([inputs, torch.randn(BATCH, 4, D_IN).double()], dim=1)
    mask = torch.arange(M + 4).expand(BATCH, -1) < M
    found, weights = model(longer, mask)
    torch.testing.assert_close(found, model(inputs)[0])
    assert (weights[0][..., M:] == 0).all()


def test_nothing_to_read_is_no_number_lost():
    model, inputs = make()
    found, weights = model(inputs, torch.zeros(BATCH, M, dtype=torch.bool))
    assert (weights[0] == 0).all()
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_half_precision():
    model, inputs = make()
    found, _ = model.bfloat16()(inputs.bfloat16())
    assert found.dtype == torch.bfloat16
    assert torch.isfinite(found).all()


def test_bad_input_is_named():
    model, inputs = make()
    with pytest.raises(ValueError, match="inputs: expected last dimension d_input = 5"):
        model(torch.zeros(2, 3, 4).double())
    with pytest.raises(ValueError, match="mask: expected bool of shape"):
        model(inputs, torch.ones(BATCH, M))
    with pytest.raises(ValueError, match="n_heads"):
        Perceiver(5, 8, 2, n_heads=3)
