"""Descriptors of patches: alike where the patches are alike, of one length; wrong input is named."""

import math

import pytest
import torch

from attnbook.vision.descriptors import ANGLES, means, patch_descriptors, two_numbers
from attnbook.vision.stimuli import grating


def noise(h=48, w=64, seed=0):
    return torch.rand(h, w, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_shapes_and_one_length():
    found = patch_descriptors(noise(), 16)
    assert {name: tuple(one.shape) for name, one in found.items()} == {
        "colour": (12, 6),
        "edges": (12, 8),
        "place": (12, 4),
        "all": (12, 18),
    }
    for name, one in found.items():
        expected = torch.full((12,), one.shape[1] / 2, dtype=torch.float64)
        torch.testing.assert_close(one.square().sum(dim=1), expected, msg=name)
    torch.testing.assert_close(
        found["all"], torch.cat([found[k] for k in ("colour", "edges", "place")], dim=1)
    )


def test_the_product_is_one_where_quantities_agree_and_falls_with_their_distance():
    draw = torch.randn(40, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z = ((draw - draw.mean()) / draw.std(correction=0)).clamp(-2, 2).flatten()
    numbers = two_numbers(draw)
    expected = torch.cos((z[:, None] - z) * math.pi / 4)
    torch.testing.assert_close(numbers @ numbers.T, expected)
    order = (z - z[0]).abs().argsort()
    assert ((numbers @ numbers[0])[order].diff() <= 1e-12).all()


def test_means_are_those_of_a_loop():
    maps = noise()
    expected = [
        maps[16 * row : 16 * row + 16, 16 * column : 16 * column + 16].mean(dim=(0, 1))
        for row in range(3)
        for column in range(4)
    ]
    torch.testing.assert_close(means(maps, 16), torch.stack(expected))


def test_by_colour_a_patch_is_nearest_to_the_one_that_has_its_colour():
    photo = noise() / 20
    photo[:16, :16] += torch.tensor([0.8, 0.2, 0.1], dtype=torch.float64)
    photo[32:, 48:] += torch.tensor([0.8, 0.2, 0.1], dtype=torch.float64)
    photo[16:32, 16:32] += torch.tensor([0.1, 0.2, 0.8], dtype=torch.float64)
    colour = patch_descriptors(photo, 16)["colour"]
    products = colour @ colour[0]
    products[0] = -9
    assert products.argmax() == 11


@pytest.mark.parametrize("angle", ANGLES)
def test_edges_know_the_direction_of_stripes_but_not_their_colour(angle):
    photo = torch.full((48, 64, 3), 0.5, dtype=torch.float64)
    stripes = {turn: grating(16, turn).double().unsqueeze(2) for turn in ANGLES}
    others = [turn for turn in ANGLES if turn != angle]
    photo[:16, :16] = stripes[angle]
    photo[32:, 48:] = stripes[angle] * 0.9 + torch.tensor([0.1, 0.0, -0.1], dtype=torch.float64).clamp(min=0)
    for column, turn in enumerate(others):
        photo[16:32, 16 * column : 16 * column + 16] = stripes[turn]
    edges = patch_descriptors(photo, 16)["edges"]
    products = edges @ edges[0]
    products[0] = -9
    assert products.argmax() == 11


def test_by_place_the_nearest_are_nearest():
    place = patch_descriptors(noise(80, 80), 16)["place"]
    products = place @ place[12]  # the middle of 5 × 5
    assert sorted(products.topk(5).indices.tolist()) == [7, 11, 12, 13, 17]
    assert sorted(products.topk(4, largest=False).indices.tolist()) == [0, 4, 20, 24]


def test_an_even_photo_says_nothing_of_colour_and_edges():
    found = patch_descriptors(torch.full((32, 32, 3), 0.3), 16)
    for name in ("colour", "edges"):
        torch.testing.assert_close(found[name], found[name][:1].expand(4, -1))
    assert found["all"].isfinite().all()


@pytest.mark.parametrize(
    ("photo", "patch_size", "error", "words"),
    [
        (torch.zeros(32, 32, 3, dtype=torch.uint8), 16, TypeError, "photo: expected a floating-point"),
        ([[0.0]], 16, TypeError, "photo: expected a floating-point"),
        (torch.zeros(32, 32), 16, ValueError, r"photo: expected the shape \(h, w, 3\), got \(32, 32\)"),
        (torch.zeros(32, 32, 3), 1.5, TypeError, "patch_size: expected a whole number"),
        (torch.zeros(32, 32, 3), 5, ValueError, "patch_size: expected a divisor of 32 and 32"),
        (torch.zeros(32, 16, 3), 16, ValueError, "patch_size: expected a divisor of 32 and 16"),
    ],
)
def test_bad_input_is_named(photo, patch_size, error, words):
    with pytest.raises(error, match=words):
        patch_descriptors(photo, patch_size)
