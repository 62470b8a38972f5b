"""The runs of DRAW: digits and their places, measures tried where the effect is built in, what is stored."""

import argparse

import pytest
import torch

from attnbook import models
from attnbook.experiments import draw, draw_longer
from attnbook.nn import DRAW
from attnbook.results import results


def test_digits_are_split_once_and_black_and_white():
    training, validation, test = draw.digits()
    assert [len(part) for part in (training, validation, test)] == [1297, 200, 300]
    for part in (training, validation, test):
        assert set(part.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(draw.digits()[2], test)


def test_each_digit_lies_whole_at_its_place():
    _, _, test = draw.digits()
    corner = draw.corners(300, torch.Generator().manual_seed(0))
    assert corner.min() == 0
    assert corner.max() == 12
    canvas = draw.placed(test, corner)
    assert canvas.shape == (300, 20, 20)
    for picture, digit, (row, column) in zip(canvas, test, corner.tolist(), strict=True):
        assert torch.equal(picture[row : row + 8, column : column + 8], digit)
        assert picture.sum() == digit.sum()
    with pytest.raises(ValueError, match="corner: expected places from 0 to 12"):
        draw.placed(test[:1], torch.tensor([[0, 13]]))


def test_the_middle_of_the_ink_is_x_and_y():
    picture = torch.zeros(2, 20, 20)
    picture[0, 4, 15] = picture[0, 6, 17] = 1
    picture[1, 2:5, 7:10] = 1
    torch.testing.assert_close(draw.middles(picture), torch.tensor([[16.0, 5.0], [8.0, 3.0]]))


def test_measures_see_a_window_that_follows_and_one_that_does_not():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.rand(200, 2, generator=generator) * 12 for _ in range(2))

    def windows(middle):
        """Step 1 stays in the middle of the canvas, step 2 goes half of the way, step 3 with the digit."""
        x_y = torch.stack([torch.full_like(middle, 9.5), (middle + 9.5) / 2, middle], dim=1)
        return torch.cat([x_y, torch.ones(200, 3, 3)], dim=-1)

    slope = draw.follows(windows(first), windows(second), second - first)
    torch.testing.assert_close(slope, torch.tensor([0.0, 0.5, 1.0]))
    away = draw.distance(windows(first), first)
    torch.testing.assert_close(away[1], away[0] / 2)
    assert away[2] == 0
    assert draw.distance(windows(first), first.roll(1, dims=0))[2] > 4, "another's digit is elsewhere"


def test_the_share_of_the_change_is_of_each_step():
    corner = torch.tensor([[3, 5], [0, 12]])
    box = draw.placed(torch.ones(2, 8, 8), corner)
    start = torch.zeros(20, 20)
    inside, everywhere = start + 2 * box, start + 2 * box + 1
    shares = draw.share_inside(torch.stack([inside, everywhere], dim=1), start, corner)
    assert shares[0] == 1
    before, after = torch.sigmoid(inside), torch.sigmoid(everywhere)
    change = after - before
    wanted = ((change * box).sum(dim=(1, 2)) / change.sum(dim=(1, 2))).mean()
    torch.testing.assert_close(shares[1], wanted)


def test_every_model_has_as_many_parameters_but_the_control():
    sizes = {name: sum(p.numel() for p in make().parameters()) for name, make in draw.MODELS.items()}
    control = sizes.pop("without, same state")
    assert max(sizes.values()) < 1.01 * min(sizes.values())
    assert control > 3 * max(sizes.values())


def test_a_canvas_begins_as_faint_as_the_average_pixel():
    training, _, _ = draw.digits()
    average = training.mean() * 64 / 400
    for make in (draw.MODELS["with attention"], draw.MODELS["without attention"]):
        assert torch.sigmoid(make().first_canvas).mean().item() == pytest.approx(average.item(), rel=1e-4)
    assert torch.sigmoid(draw.MODELS["VAE"]().picture.bias).mean().item() == pytest.approx(
        average.item(), rel=1e-4
    )


def test_a_short_run_measures_all(monkeypatch):
    monkeypatch.setattr(draw, "RATES", (0.002, 0.004))
    monkeypatch.setattr(draw, "EXACT", 1)
    options = argparse.Namespace(steps=4, grid_steps=2, batch=4)
    torch.manual_seed(0)
    found = draw.run_seed(options, 0, torch.device("cpu"))
    for key in ("bound", "validation", "rate", "grid", "parameters", "CPU seconds"):
        assert set(found[key]) == set(draw.MODELS), key
    assert set(found["windows"]) == set(draw.MODELS) - {"VAE"}
    assert set(found["windows"]["with attention"]) == {"change inside", "read", "write", "write, from noise"}
    assert set(found["windows"]["without attention"]) == {"change inside"}
    first = found["windows"]["with attention"]["read"]["follows"]["1"]
    assert first == 0, "before the first step the decoder knows nothing of the picture"
    with pytest.raises(ValueError, match="--grid-steps"):
        draw.run_seed(argparse.Namespace(steps=4, grid_steps=0, batch=4), 0, torch.device("cpu"))


def test_what_is_stored():
    stored = results("draw")
    assert len(stored["seeds"]) == 3
    assert stored["options"] == {"batch": 64, "grid_steps": 250, "steps": 2500}
    for each in stored["seeds"].values():
        for name in draw.MODELS:
            best = min(each["grid"][name], key=each["grid"][name].get)
            assert float(best) == each["rate"][name]


def test_the_longer_run_measures_and_ships_one_network():
    options = argparse.Namespace(steps=3, batch=4, learning_rate=0.008)
    found = draw_longer.run_seed(options, 0, torch.device("cpu"))
    assert set(found["told"]) == set("123456")
    assert all(nats >= 0 for nats in found["told"].values())
    made = draw_longer.trained(options, 0, torch.device("cpu"))
    assert made.measure()["bound"] == found["bound"], "the network that was measured"
    with pytest.raises(ValueError, match="--learning-rate"):
        draw_longer.run_seed(argparse.Namespace(steps=3, batch=4, learning_rate=0), 0, torch.device("cpu"))


def test_the_shipped_network_scores_what_its_file_says():
    shipped = models.load("12_draw")
    assert isinstance(shipped.model, DRAW)
    seed = shipped.made["seed"]
    assert draw.test_bound(shipped.model, seed) == pytest.approx(shipped.scores["bound"], abs=1e-3)
    stored = results("draw_longer")["seeds"][str(seed)]
    assert shipped.scores["bound"] == pytest.approx(stored["bound"], abs=0.05), "half precision costs little"
