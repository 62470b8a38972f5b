"""The runs behind chapter 12: small ones give every number, and what they count is what it says."""

import argparse

import pytest
import torch

from attnbook.experiments import (
    digit_training,
    drawn_digits,
    vision_layers,
    vision_transformer,
    where_a_vit_attends,
)
from attnbook.models import build

CPU = torch.device("cpu")


def options(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return argparse.Namespace(**vars(parser.parse_args(words)), first_seed=0)


def test_equal_sizes():
    for models in (vision_transformer.MODELS, where_a_vit_attends.MODELS):
        sizes = [digit_training.parameters(build_one()) for build_one in models.values()]
        assert max(sizes) / min(sizes) < 1.03


@pytest.mark.parametrize("name", list(vision_layers.LAYERS))
def test_parameters_are_counted_by_formula(name):
    layer = vision_layers.LAYERS[name]()
    found = vision_layers.formulas(name)
    assert found["parameters"] == digit_training.parameters(layer)
    assert found["multiply-adds"] > 0


def test_moved_digits_are_the_same_digits():
    images, _ = digit_training.digits("test")
    torch.manual_seed(0)
    still = digit_training.moved(images[:20], strength=0.0)
    torch.testing.assert_close(still, images[:20], atol=1e-5, rtol=0)
    changed = digit_training.moved(images)
    assert not torch.allclose(changed, images)
    assert 0.85 < (changed.sum() / images.sum()).item() < 1.05  # ink is kept, but for what leaves the picture


def test_shuffled_pixels_are_the_same_pixels_in_one_order():
    images, _ = digit_training.digits("test")
    mixed = vision_transformer.shuffled(images)
    assert not torch.equal(mixed, images)
    assert torch.equal(mixed.flatten(1).sort(dim=1).values, images.flatten(1).sort(dim=1).values)
    apart = torch.cat([vision_transformer.shuffled(image.unsqueeze(0)) for image in images[:9]])
    assert torch.equal(apart, mixed[:9])


def test_redrawn_digits_are_counts_of_black_pixels():
    images, _ = digit_training.digits("test")
    torch.manual_seed(0)
    again = drawn_digits.redrawn(images)
    assert again.shape == images.shape
    torch.testing.assert_close(again * 16, (again * 16).round())
    together = torch.corrcoef(torch.stack([again.flatten(), images.flatten()]))[0, 1]
    assert together > 0.7


def test_the_rate_is_chosen_on_the_first_seed_alone():
    digit_training._CHOSEN.clear()
    asked = []

    def batches(seed):
        asked.append(seed)
        return digit_training.Batches(digit_training.digits("train", 40, seed))

    for seed in (0, 1):
        _model, facts = digit_training.train_at_best_rate(
            vision_transformer.convolutional, batches, digit_training.digits("validation"), "key",
            steps=3, seed=seed, first_seed=0, device=CPU,
        )  # fmt: skip
    assert asked == [0, 0, 0, 1]
    assert facts["rate"] == float(min(facts["validation loss"], key=facts["validation loss"].__getitem__))


def test_a_seed_of_the_sizes_gives_every_number(monkeypatch):
    monkeypatch.setattr(vision_transformer, "SIZES", (50, 200))
    monkeypatch.setattr(digit_training, "RATES", (1e-3,))
    found = vision_transformer.run_seed(options(vision_transformer, "--steps", "2"), 0, CPU)
    assert set(found["accuracy"]) == {"as they are", "moved", "pixels shuffled"}
    assert set(found["accuracy"]["moved"]["ViT"]) == {"50", "200"}


def test_a_seed_of_the_scenes_gives_every_number():
    found = where_a_vit_attends.run_seed(
        options(where_a_vit_attends, "--steps", "2", "--scenes", "12"), 0, CPU
    )
    assert found["mass in the box"]["area"]["mean"] == pytest.approx(4 / 36)
    assert 0.2 < found["mass in the box"]["ink"]["mean"] < 0.6
    assert set(found["sinks"]) == {"ViT", "ViT with registers"}
    assert found["sinks"]["ViT"]["layer 1"]["registers"] == 0
    assert found["sinks"]["ViT with registers"]["layer 1"]["registers"] > 0
    assert "nothing" in found["accuracy with 4 patches erased"]


def test_a_sink_that_is_built_in_is_seen():
    """One patch whose token is made long, and is attended to by all, stands out; others do not."""
    torch.manual_seed(0)
    model = where_a_vit_attends.MODELS["ViT"]()
    images = torch.rand(8, 1, 24, 24)
    plain = where_a_vit_attends.sinks(model, images)["layer 1"]
    with torch.no_grad():
        model.positions[8] = 20 * torch.ones(48) * torch.tensor([1.0, -1.0]).repeat(24)
        model.layers[0].attention.W_q.bias.copy_(torch.ones(48))
        model.layers[0].attention.W_k.weight.copy_(torch.tensor([1.0, -1.0]).repeat(24).expand(48, 48) / 24)
    built = where_a_vit_attends.sinks(model, images)["layer 1"]
    assert plain["longest"] < 1.6
    assert plain["received"] < 1.6
    assert built["longest"] > 3
    assert built["received"] > 3


def test_what_ships_can_be_built_again():
    for module in (drawn_digits, where_a_vit_attends):
        model = build("vision_transformer", module.CONFIGURATION, {})
        assert model.image_size == (module.CONFIGURATION["image_size"],) * 2
    found = drawn_digits.trained(options(drawn_digits, "--steps", "2"), 0, CPU)
    assert found.room.keys() <= found.measure().keys()
