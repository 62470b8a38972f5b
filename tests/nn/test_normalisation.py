"""The normalisation model: its equation in loops, its two gains, and when it is a softmax."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn.normalisation import normalisation_model


def test_equals_the_equation_in_loops():
    generator = torch.Generator().manual_seed(0)
    drive, attention = torch.rand(3, 6, generator=generator), 1 + torch.rand(6, generator=generator)
    pool = torch.rand(6, 6, generator=generator)
    ours = normalisation_model(drive, attention, 0.3, pool)
    for k in range(3):
        for i in range(6):
            below = 0.3 + sum(pool[i, j] * attention[j] * drive[k, j] for j in range(6))
            torch.testing.assert_close(ours[k, i], attention[i] * drive[k, i] / below)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-8, 8), min_size=2, max_size=9), st.floats(0, 1))
def test_is_a_softmax_when_the_product_is_an_exponential(scores, share):
    s = torch.tensor(scores, dtype=torch.float64)
    ours = normalisation_model(torch.exp(share * s), torch.exp((1 - share) * s), 0.0)
    torch.testing.assert_close(ours, torch.softmax(s, dim=0))


def test_sigma_or_a_pool_of_neighbours_end_the_likeness():
    s = torch.tensor([0.5, -1.0, 2.0])
    one = torch.ones(3)
    assert normalisation_model(torch.exp(s), one, 1.0).sum() < 0.95
    assert abs(normalisation_model(torch.exp(s), one, 0.0, torch.eye(3)).sum() - 3) < 1e-5


def test_attending_to_one_suppresses_the_other():
    plain = normalisation_model(torch.ones(2), torch.ones(2), 0.5)
    attended = normalisation_model(torch.ones(2), torch.tensor([3.0, 1.0]), 0.5)
    torch.testing.assert_close(plain, torch.tensor([0.4, 0.4]))
    torch.testing.assert_close(attended, torch.tensor([3 / 4.5, 1 / 4.5]))


def test_even_attention_is_contrast_gain_exactly():
    generator = torch.Generator().manual_seed(1)
    drive, pool = torch.rand(7, generator=generator), torch.rand(7, 7, generator=generator)
    attended = normalisation_model(drive, torch.full((7,), 3.0), 0.2, pool)
    torch.testing.assert_close(attended, normalisation_model(3 * drive, torch.ones(7), 0.2, pool))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((-torch.ones(3), torch.ones(3), 0.1), "at least 0"),
        ((torch.ones(3), torch.ones(4), 0.1), r"attention: expected a shape that broadcasts"),
        ((torch.ones(3), torch.ones(3), -1.0), "sigma: expected a number of at least 0"),
        ((torch.ones(3), torch.ones(3), 0.1, torch.ones(3, 2)), r"pool: expected shape .*\(3, 3\)"),
        (([1.0], torch.ones(1), 0.1), "drive: expected a torch.Tensor"),
    ],
)
def test_bad_input_is_named(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        normalisation_model(*arguments)
