"""Distances between weights, permuted weights and adversarial ones."""

import math

import pytest
import torch

from attnbook.analysis.other_weights import (
    adversarial_weights,
    change_when_permuted,
    jensen_shannon,
    permuted,
    total_variation,
)
from attnbook.nn import PooledReader


def test_distances_at_their_ends_and_in_between():
    p, q = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.5, 0.5]])
    assert total_variation(p, q).item() == 1
    assert jensen_shannon(p, q).item() == pytest.approx(math.log(2))
    assert total_variation(p, p).item() == jensen_shannon(p, p).item() == 0
    half = torch.tensor([[0.5, 0.5, 0.0]])
    middle = torch.tensor([0.75, 0.25])
    divergence = (math.log(1 / 0.75) + (0.5 * (0.5 / middle).log()).sum().item()) / 2
    assert jensen_shannon(p, half).item() == pytest.approx(divergence)
    assert total_variation(p, half).item() == pytest.approx(0.5)


def test_permuted_weights_are_the_same_numbers_on_words_alone():
    mask = torch.arange(7) < torch.tensor([7, 4, 2])[:, None]
    torch.manual_seed(0)
    weights = torch.softmax(torch.randn(3, 7).masked_fill(~mask, -torch.inf), dim=1)
    found = [permuted(weights, mask, torch.Generator().manual_seed(seed)) for seed in range(40)]
    for each in found:
        torch.testing.assert_close(each.sort().values, weights.sort().values)
        assert each[~mask].eq(0).all()
    firsts = torch.stack(found)[:, 0, 0]
    assert len(firsts.unique()) == 7  # any word's weight may come first


@pytest.fixture
def read():
    torch.manual_seed(0)
    model = PooledReader(12, "none", 8, start=1.0).eval()
    mask = torch.arange(6) < torch.tensor([6, 4])[:, None]
    tokens = torch.randint(2, 12, (2, 6)) * mask
    return model, model.mix(model.embedding(tokens), mask)[0].detach(), mask


def test_permuting_moves_the_answer_unless_all_states_are_equal(read):
    model, states, mask = read
    assert change_when_permuted(model, states, mask).min() > 1e-3
    equal = states[:, :1].expand_as(states)
    assert change_when_permuted(model, equal, mask).max() < 1e-6


def test_adversarial_weights_are_unlike_and_keep_the_answer(read):
    model, states, mask = read
    logits, own = model.read(states, mask)
    other = adversarial_weights(model, states, mask, allowed=0.05)
    moved = (model.read(states, mask, other)[0].sigmoid() - logits.sigmoid()).abs()
    assert moved.max() <= 0.05 + 1e-6
    torch.testing.assert_close(other.sum(1), torch.ones(2))
    assert other[~mask].eq(0).all()
    assert jensen_shannon(own, other).min() > 0.01
    equal = states[:, :1].expand_as(states)  # any weights will do
    _, flat = model.read(equal, mask)
    assert jensen_shannon(flat, adversarial_weights(model, equal, mask)).min() > 0.3


def test_where_no_change_is_allowed_the_weights_stay(read):
    model, states, mask = read
    _, own = model.read(states, mask)
    torch.testing.assert_close(adversarial_weights(model, states, mask, allowed=-1.0, steps=5), own)
