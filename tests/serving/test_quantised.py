"""Rounding: within half a step, and by channel better than by token exactly where a channel is large."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.serving import quantise


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 8), st.sampled_from([-1, -2]), st.integers(0, 2**16), st.floats(0, 50))
def test_no_number_is_off_by_more_than_half_a_step(bits, dim, seed, offset):
    x = torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(seed)).double() + offset
    rounded = quantise(x, bits, dim)
    assert int(rounded.codes.max()) <= 2**bits - 1
    assert ((rounded.values() - x).abs() <= rounded.scale / 2 + 1e-9).all()
    ends = (x == x.amin(dim, keepdim=True)) | (x == x.amax(dim, keepdim=True))
    torch.testing.assert_close(rounded.values()[ends], x[ends])


def test_a_group_of_equal_numbers_is_kept():
    x = torch.full((2, 4, 3), 0.3)
    assert torch.equal(quantise(x, 4, -1).values(), x)


def test_the_large_channel_decides_which_way_is_better():
    """The measure sees the effect where it is built in, and none where it is not."""
    x = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
    error = lambda x, dim: (quantise(x, 4, dim).values() - x)[:, 1:].abs().mean().item()  # noqa: E731
    large = x.clone()
    large[:, 0] += 20
    assert error(large, -1) > 4 * error(large, -2)
    assert 0.5 < error(x, -1) / error(x, -2) < 1.1


def test_bytes():
    x = torch.randn(2, 100, 16)
    assert quantise(x, 4, -1).n_bytes == 2 * 100 * 16 / 2 + 2 * 100 * 4
    assert quantise(x, 8, -2).n_bytes == 2 * 100 * 16 + 2 * 16 * 4


@pytest.mark.parametrize(
    ("x", "bits", "message"),
    [
        (torch.randn(3, 2), 0, "bits: expected"),
        (torch.randn(3, 2), 9, "bits: expected 1 to 8, got 9"),
        (torch.ones(3, 2).long(), 4, "x: expected floating"),
    ],
)
def test_bad_input_is_named(x, bits, message):
    with pytest.raises(ValueError, match=message):
        quantise(x, bits, -1)
