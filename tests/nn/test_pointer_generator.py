"""Pointer-generator: against a loop written from the paper, and what has to hold for every gate."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import PointerGenerator, final_distribution

BATCH, SRC, VOCAB, EXTENDED = 2, 5, 6, 9


def make(dtype=torch.float64):
    torch.manual_seed(0)
    generated = torch.randn(BATCH, VOCAB, dtype=dtype).softmax(-1)
    weights = torch.randn(BATCH, SRC, dtype=dtype).softmax(-1)
    src = torch.tensor([[1, 6, 2, 6, 3], [7, 0, 8, 5, 5]])  # 6, 7 and 8 stand in no vocabulary
    return generated, weights, torch.tensor([0.3, 0.9], dtype=dtype), src


def test_as_in_the_paper():
    generated, weights, p_gen, src = make()
    found = final_distribution(generated, weights, p_gen, src, EXTENDED)
    for b in range(BATCH):
        for word in range(EXTENDED):
            written = generated[b, word] if word < VOCAB else 0.0
            copied = sum(weights[b, i] for i in range(SRC) if src[b, i] == word)
            wanted = p_gen[b] * written + (1 - p_gen[b]) * copied
            torch.testing.assert_close(found[b, word], torch.as_tensor(wanted, dtype=found.dtype))


@settings(max_examples=30, deadline=None)
@given(gate=st.floats(0, 1), seed=st.integers(0, 999))
def test_it_is_a_distribution_for_every_gate(gate, seed):
    torch.manual_seed(seed)
    generated, weights, _, _ = make()
    src = torch.randint(EXTENDED, (BATCH, SRC))
    found = final_distribution(generated, weights, torch.full((BATCH,), gate).double(), src, EXTENDED)
    assert (found >= 0).all()
    torch.testing.assert_close(found.sum(-1), torch.ones(BATCH).double())


def test_the_ends_of_the_gate():
    generated, weights, _, src = make()
    written = final_distribution(generated, weights, torch.ones(BATCH).double(), src, EXTENDED)
    torch.testing.assert_close(written[:, :VOCAB], generated)
    assert (written[:, VOCAB:] == 0).all()
    copied = final_distribution(generated, weights, torch.zeros(BATCH).double(), src, EXTENDED)
    torch.testing.assert_close(copied[0, 6], weights[0, 1] + weights[0, 3])  # stands there twice
    assert copied[0, 4] == 0


def test_the_layer_is_its_equations():
    torch.manual_seed(0)
    layer = PointerGenerator(VOCAB, 3, 4, 2)
    _, weights, _, src = make(torch.float32)
    state, context, word = torch.randn(BATCH, 3), torch.randn(BATCH, 4), torch.randn(BATCH, 2)
    found, p_gen = layer(state, context, word, weights, src, EXTENDED)
    w = layer.gate.weight[0]
    for b in range(BATCH):
        z = w[:4] @ context[b] + w[4:7] @ state[b] + w[7:] @ word[b] + layer.gate.bias[0]
        torch.testing.assert_close(p_gen[b], torch.sigmoid(z))
        hidden = layer.hidden.weight @ torch.cat([state[b], context[b]]) + layer.hidden.bias
        generated = (layer.output.weight @ hidden + layer.output.bias).softmax(0)
        wanted = final_distribution(
            generated[None], weights[b : b + 1], p_gen[b : b + 1], src[b : b + 1], EXTENDED
        )
        torch.testing.assert_close(found[b], wanted[0])
    found.log().sum().backward() if (found > 0).all() else found.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in layer.parameters())


def test_nothing_to_copy_and_half_precision():
    generated, weights, p_gen, src = make(torch.bfloat16)
    found = final_distribution(generated, torch.zeros_like(weights), p_gen, src, EXTENDED)
    assert torch.isfinite(found).all()
    assert found.dtype == torch.bfloat16
    layer = PointerGenerator(VOCAB, 3, 4, 2).bfloat16()
    given = torch.randn(2, 9).bfloat16().split([3, 4, 2], dim=1)
    assert torch.isfinite(layer(*given, weights, src, EXTENDED)[0]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extended": 5}, "extended: expected at least vocab = 6"),
        ({"extended": 8}, "src: expected token numbers from 0 to 7"),
        ({"src": torch.zeros(2, 3, dtype=torch.long)}, "src: expected shape"),
        ({"p_gen": torch.zeros(2, 1)}, "p_gen: expected 1 dimensions"),
        ({"weights": torch.zeros(3, 5)}, "weights: expected 2 rows"),
    ],
)
def test_bad_input_is_named(change, words):
    names = ("generated", "weights", "p_gen", "src")
    given = dict(zip(names, make(torch.float32), strict=True)) | {"extended": EXTENDED} | change
    with pytest.raises(ValueError, match=words):
        final_distribution(**given)


def test_the_layer_names_bad_input():
    layer = PointerGenerator(VOCAB, 3, 4, 2)
    _, weights, _, src = make(torch.float32)
    with pytest.raises(ValueError, match="context: expected last dimension"):
        layer(torch.zeros(2, 3), torch.zeros(2, 9), torch.zeros(2, 2), weights, src, EXTENDED)
