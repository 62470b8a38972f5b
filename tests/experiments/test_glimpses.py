"""A digit among clutter: the scenes, equal terms, and what the stored run carries."""

import argparse

import pytest
import torch

from attnbook.data.scenes import SIDE, digit_images
from attnbook.experiments import glimpses
from attnbook.experiments.glimpses import CANVAS, CLASSES, INK, ConvNet, cluttered_digits, recurrent
from attnbook.nn.glimpses import Glimpses, multiply_adds
from attnbook.results import results


def drawn(n=200, part="test", seed=0):
    return cluttered_digits(n, torch.Generator().manual_seed(seed), part)


def test_the_digit_stands_where_the_corner_says():
    image, label, corner = drawn()
    known = {}
    digits = digit_images("test")
    for picture, name in zip(digits.images, digits.labels, strict=True):
        known.setdefault(int(name), []).append(picture * INK)
    for each in range(20):
        row, column = corner[each].tolist()
        found = image[each, row : row + SIDE, column : column + SIDE]
        # clutter underneath may only add ink
        assert any((found >= picture - 1e-6).all() for picture in known[int(label[each])])
    assert set(label.tolist()) == set(range(CLASSES))
    assert corner.min() == 0
    assert corner.max() == CANVAS - SIDE


def test_there_is_clutter_and_it_is_smaller_than_the_digit():
    image, _, corner = drawn()
    inside = torch.zeros_like(image, dtype=torch.bool)
    for each, (row, column) in enumerate(corner.tolist()):
        inside[each, row : row + SIDE, column : column + SIDE] = True
    outside = (image * ~inside > 0).sum(dim=(1, 2)).float()
    assert outside.mean() > 4
    assert outside.max() <= glimpses.PIECES * glimpses.PIECE**2


def test_a_seed_gives_its_scenes_and_no_other():
    assert torch.equal(drawn()[0], drawn()[0])
    assert not torch.equal(drawn()[0], drawn(seed=1)[0])


def test_networks_cost_the_same():
    ours, theirs = multiply_adds(recurrent()), ConvNet().multiply_adds()
    assert 0.9 < theirs / ours < 1.1


def test_multiplications_of_the_convolutions_are_those_that_run():
    net, counted = ConvNet(), 0

    def count(layer, args, output):
        nonlocal counted
        places = output[0, 0].numel() if output.dim() == 4 else 1
        counted += layer.weight.numel() * places

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(count)
    net(torch.zeros(1, CANVAS, CANVAS))
    assert net.multiply_adds() == counted


def test_learned_and_random_share_their_beginning_and_their_batches(monkeypatch):
    seen = {"learned": [], "random": []}
    original = glimpses.look

    def recorded(model, image):
        if model.training:
            seen[model.policy].append(image.sum().item())
        return original(model, image)

    monkeypatch.setattr(glimpses, "look", recorded)
    glimpses.trained("recurrent", 2e-3, 8, 0, torch.device("cpu"))
    start = len(seen["random"]) - len(seen["learned"])
    assert start == 3
    assert seen["random"][start:] == seen["learned"]


def test_the_measure_sees_a_look_at_the_digit_and_a_look_aside():
    corner = torch.tensor([[4, 9], [4, 9]])
    on = (corner[0] + 3.5) / (CANVAS - 1) * 2 - 1
    aside = (corner[1] + torch.tensor([3.5, 6.5])) / (CANVAS - 1) * 2 - 1
    nothing = torch.zeros(2, 1)
    looks = Glimpses(torch.zeros(2, 5), torch.stack([on, aside]).unsqueeze(1), nothing, nothing)
    assert glimpses.on_the_digit(looks, corner).tolist() == [[True], [False]]


def test_a_short_run_stores_everything():
    found = glimpses.run_seed(argparse.Namespace(steps=2), 0, torch.device("cpu"))
    assert set(found["accuracy"]) == {"learned", "random", "convolutional"}
    assert set(found["rate"].values()) <= set(glimpses.RATES)
    assert set(found["on the digit"]["learned"]) == {"glimpse 1", "glimpse 2", "glimpse 3"}
    # both begin in the middle
    assert found["on the digit"]["learned"]["glimpse 1"] == found["on the digit"]["random"]["glimpse 1"]
    assert len(found["paths, learned"]) == glimpses.SHOWN


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="--steps"):
        glimpses.run_seed(argparse.Namespace(steps=0), 0, torch.device("cpu"))


def test_stored_run_has_three_seeds():
    stored = results("glimpses")
    assert len(stored["seeds"]) == 3
    for each in stored["seeds"].values():
        assert min(each["accuracy"].values()) > 1.5 / CLASSES
