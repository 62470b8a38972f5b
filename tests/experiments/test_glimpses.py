"""A digit on a large canvas: the scenes, equal terms, measures that see."""

import argparse
from itertools import pairwise

import pytest
import torch

from attnbook.data.scenes import SIDE, digit_images
from attnbook.experiments import glimpses, kept_trials
from attnbook.experiments.glimpses import CANVAS, CLASSES, INK, KINDS, PIECES, ConvNet
from attnbook.nn.glimpses import multiply_adds
from attnbook.results import results

CPU = torch.device("cpu")


def drawn(n=100, part="test", seed=0, pieces=4):
    return glimpses.scenes(n, torch.Generator().manual_seed(seed), part, pieces)


def corner(middle):
    """Row and column of the digit's upper left pixel."""
    return ((middle + 1) / 2 * (CANVAS - 1) - (SIDE - 1) / 2).round().long()


@pytest.mark.parametrize("pieces", PIECES.values())
def test_the_digit_stands_where_the_scene_says(pieces):
    image, label, middle = drawn(pieces=pieces)
    known = {}
    digits = digit_images("test")
    for picture, name in zip(digits.images, digits.labels, strict=True):
        known.setdefault(int(name), []).append(picture * INK)
    for each, (row, column) in enumerate(corner(middle).tolist()):
        found = image[each, row : row + SIDE, column : column + SIDE]
        outside = image[each].clone()
        outside[row : row + SIDE, column : column + SIDE] = 0
        # clutter underneath may only add ink
        assert any((found >= picture - 1e-5).all() for picture in known[int(label[each])])
        assert (outside > 0).sum() <= pieces * glimpses.PIECE**2
    assert set(label.tolist()) == set(range(CLASSES))


def test_networks_cost_the_same():
    ours, theirs = multiply_adds(glimpses.recurrent("learned")), ConvNet().multiply_adds()
    assert 0.9 < theirs / ours < 1.1


def test_multiplications_of_the_convolutions_are_those_that_run():
    net, counted = ConvNet(), 0

    def count(layer, args, output):
        nonlocal counted
        counted += layer.weight.numel() * (output[0, 0].numel() if output.dim() == 4 else 1)

    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(count)
    net(torch.zeros(1, CANVAS, CANVAS))
    assert net.multiply_adds() == counted


def test_all_kinds_see_the_same_scenes(monkeypatch):
    seen = {}
    original = glimpses.scenes

    def recorded(n, generator, part, pieces):
        found = original(n, generator, part, pieces)
        seen.setdefault(kind, []).append(found[0].sum().item())
        return found

    monkeypatch.setattr(glimpses, "scenes", recorded)
    for kind in KINDS:
        glimpses.trained(kind, "clear", 1e-3, 4, 0, CPU)
    assert len(seen) == len(KINDS)
    for one, other in pairwise(seen.values()):
        assert one == other


def test_where_windows_are_put():
    middle = torch.tensor([[0.5, -0.25]]).expand(400, 2)
    generator = torch.Generator().manual_seed(0)
    assert (glimpses.told("on the digit", middle, generator) == middle.unsqueeze(1)).all()
    assert (glimpses.told("in the middle", middle, generator) == 0).all()
    assert glimpses.told("learned", middle, generator) is None
    shown = glimpses.told("learned", middle, generator, shown=True)
    near = ((shown - middle.unsqueeze(1)).abs().amax(dim=-1) <= glimpses.JITTER).float().mean()
    assert 0.5 < near < 0.65  # half of them, and a few that stand there by chance


def test_the_measure_sees_a_look_at_the_digit_and_a_look_aside():
    middle = torch.tensor([[0.1, 0.2], [0.1, 0.2]])
    pixel = 2 / (CANVAS - 1)
    on, aside = middle[0] + 2 * pixel, middle[1] + torch.tensor([0.0, 3 * pixel])
    looks = torch.stack([on, aside]).unsqueeze(1)
    assert glimpses.on_the_digit(looks, middle).tolist() == [[True], [False]]


def test_the_read_out_finds_a_location_that_the_state_holds():
    """A state whose units are the coarse window's pixels holds the location, and a blind one does not."""
    torch.manual_seed(0)
    model = glimpses.recurrent("learned")
    with torch.no_grad():
        for layer in (model.what, model.join_what, model.take, model.join_where, model.where, model.keep):
            layer.weight.zero_()
            layer.bias.zero_()
        blind = glimpses.known_location(model, "clear", CPU)
        model.what.weight[:, SIDE**2 :] = torch.eye(SIDE**2)  # the wide window
        model.join_what.weight[: SIDE**2] = torch.eye(SIDE**2)
        model.take.weight[:, :] = torch.eye(128)
        seeing = glimpses.known_location(model, "clear", CPU)
    assert blind < 0.15
    assert seeing > blind + 0.3


def test_a_short_run_stores_everything(monkeypatch, tmp_path):
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    parser = argparse.ArgumentParser()
    glimpses.add_arguments(parser)
    found = glimpses.run_seed(parser.parse_args(["--steps", "2", "--learning-rates", "1e-3"]), 0, CPU)
    for canvas in PIECES:
        assert set(found[canvas]) == set(KINDS)
        assert len(found[canvas]["learned"]["paths"]) == glimpses.SHOWN
    assert found["clear"]["on the digit"]["hits"][1:] == [1.0, 1.0]
    with pytest.raises(ValueError, match="--steps"):
        glimpses.run_seed(argparse.Namespace(steps=0, learning_rates=[1e-3]), 0, CPU)
    with pytest.raises(ValueError, match="--learning-rates"):
        glimpses.run_seed(argparse.Namespace(steps=2, learning_rates=[0.0]), 0, CPU)


def stored(canvas, kind, name):
    return [seed[canvas][kind][name] for seed in results("glimpses")["seeds"].values()]


def second_window(canvas, kind):
    return [hits[1] for hits in stored(canvas, kind, "hits")]


def test_what_is_stored_lets_the_gradient_reach_the_state():
    """The location is in the state, and the window on the digit, where the gradient goes on."""
    learned, stopped = "learned", "learned, stopped"
    assert len(second_window("clear", learned)) >= 3
    assert min(second_window("clear", learned)) > 0.28
    assert max(second_window("clear", stopped)) < min(second_window("clear", "in the middle"))
    assert min(stored("clear", learned, "known location")) > 0.55
    assert max(stored("clear", stopped, "known location")) < 0.3


def test_what_is_stored_stands_between_a_ceiling_and_a_floor():
    floor = stored("clear", "in the middle", "test") + stored("clear", "at random", "test")
    stopped, learned, convolutional, ceiling = (
        stored("clear", kind, "test")
        for kind in ("learned, stopped", "learned", "convolutional", "on the digit")
    )
    for lower, higher in pairwise((floor, stopped, learned, convolutional, ceiling)):
        assert max(lower) < min(higher)
    assert max(stored("clear", "learned, not shown", "test")) < 0.15
