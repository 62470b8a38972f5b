"""One device, one seed."""

import random

import numpy as np
import pytest
import torch

import attnbook


def test_device_is_one_that_torch_can_use():
    chosen = attnbook.device()
    assert torch.ones(2, device=chosen).sum().item() == 2
    assert attnbook.named_device("auto") == chosen
    assert attnbook.named_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99"])
def test_an_unusable_device_is_named(name):
    with pytest.raises(ValueError, match="^device: "):
        attnbook.named_device(name)


def draws():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002 - the global one


def test_the_same_seed_gives_the_same_numbers():
    attnbook.seed(3)
    first = draws()
    attnbook.seed(3)
    assert draws() == first
    attnbook.seed(4)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


@pytest.mark.parametrize("value", [-1, 2**32, 1.5, True, "0"])
def test_a_bad_seed_changes_nothing(value):
    attnbook.seed(3)
    expected = draws()
    attnbook.seed(3)
    with pytest.raises(ValueError, match="value: expected an integer"):
        attnbook.seed(value)
    assert draws() == expected
