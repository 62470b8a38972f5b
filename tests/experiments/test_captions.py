"""The captioners of chapter 6: equal terms, measures that see what they should, pictures of your own."""

import argparse
import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from attnbook import models
from attnbook.cli import main
from attnbook.data.scenes import scenes, vocabulary
from attnbook.experiments import captioners, captions, training_rule
from attnbook.nn import HardAttention

WORDS = vocabulary()
TINY = ["--scenes", "64", "--validation", "20", "--test", "20", "--digit-steps", "3", "--steps", "4",
        "--validate-every", "2", "--learning-rates", "1e-3"]  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "cache")


def options(*words):
    parser = argparse.ArgumentParser()
    captions.add_arguments(parser)
    return parser.parse_args([*TINY, *words])


def test_a_seed_gives_every_number_and_a_second_time_takes_them_from_the_cache(monkeypatch):
    given, device = options(), torch.device("cpu")
    found = captions.run_seed(given, 0, device)
    assert set(found) == set(captions.METHODS)
    for name, numbers in found.items():
        assert 0 <= numbers["captions"] <= numbers["words"] <= 1
        assert numbers["n"] == 20
        assert numbers["steps"] == 4 * captions.TIMES.get(name, 1)
        assert set(numbers["boxes"]) == (
            set()
            if name.startswith("no attention")
            else {"mass", "other", "pointing", "other pointing", "spread", "area", "words"}
        )
    for name in captions.HIDDEN:
        assert found[name]["boxes"]["mass"] == found[name]["boxes"]["other"] == 0
    assert found["soft"]["boxes"]["area"] == pytest.approx(64 / 576)

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(captioners, "fit", never)
    assert captions.run_seed(given, 0, device) == found


def test_captioners_differ_in_attention_alone():
    runs = captions.Runs(options(), torch.device("cpu"))
    made = {name: runs.chosen(name, 0)[0] for name in ("soft", "hard", "hard, half expected", "no attention")}
    encoders = [model.encoder.state_dict() for model in made.values()]
    for other in encoders[1:]:
        assert all(torch.equal(other[key], value) for key, value in encoders[0].items())
    assert isinstance(made["hard"].attention, HardAttention)
    assert made["hard"].attention.expected == 0
    assert made["hard, half expected"].attention.expected == 0.5
    assert made["no attention"].attention is None
    assert not any(p.requires_grad for model in made.values() for p in model.encoder.parameters())


def test_the_learning_rate_is_the_best_of_seed_0():
    given = options("--learning-rates", "1e-6", "1e-2")
    runs = captions.Runs(given, torch.device("cpu"))
    _, numbers = runs.chosen("soft", 1)
    assert numbers["learning rate"] == 1e-2
    assert [rate for rate, _ in numbers["rates tried"]] == [1e-6, 1e-2]


class Pointer(torch.nn.Module):
    """A captioner whose weights are given: what the measures see is known."""

    def __init__(self, weights):
        super().__init__()
        self.weights, self.attention = weights, "given"
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.done = 0

    def decode(self, seen, tgt, _):
        part = self.weights[self.done : self.done + len(tgt)]
        self.done += len(tgt)
        return torch.zeros(*tgt.shape, len(WORDS)), part


def test_the_measures_of_a_mask_see_what_is_built_in():
    examples = captioners.scene_examples(scenes(30, 2), WORDS)
    own = torch.zeros(30, examples.captions.shape[1] - 1, 144)
    image, step = (examples.objects >= 0).nonzero(as_tuple=True)
    whole = (examples.boxes == 1).float()  # places that lie in a box with all their pixels
    own[image, step] = torch.nn.functional.normalize(whole[image, examples.objects[image, step]], p=1, dim=-1)
    other = torch.zeros_like(own)
    other[image, step] = torch.nn.functional.normalize(
        whole[image, 1 - examples.objects[image, step]], p=1, dim=-1
    )
    even = torch.full_like(own, 1 / 144)
    seen = torch.zeros(30, 144, 1)
    for weights, expected in (
        (own, {"mass": 1, "other": 0, "pointing": 1, "other pointing": 0}),
        (other, {"mass": 0, "other": 1, "pointing": 0, "other pointing": 1}),
        (even, {"mass": 64 / 576, "other": 64 / 576}),
    ):
        found = captioners.in_boxes(Pointer(weights), seen, examples)
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, abs=1e-5), key
        assert found["words"] == 60
        assert found["area"] == pytest.approx(64 / 576)


def test_shares_of_words_are_counted_place_by_place(monkeypatch):
    given = scenes(2, 4)
    examples = captioners.scene_examples(given, WORDS)
    right = [list(scene.caption) for scene in given]
    wrong = [right[0], [*right[1][:-1], "zero" if right[1][-1] != "zero" else "one"]]
    monkeypatch.setattr(captioners, "written", lambda *_: wrong)
    found = captioners.in_words(SimpleNamespace(), torch.zeros(2), examples, WORDS)
    total = len(right[0]) + len(right[1])
    assert found == {
        "captions": 0.5, "words": pytest.approx((total - 1) / total), "n": 2, "digits": 0.75, "relation": 1.0,
    }  # fmt: skip


def test_the_reinforce_term_reaches_the_score_and_the_baseline_comes_from_the_past():
    given = options("--reinforce", "1.0")
    corpus = captioners.scene_corpus(given)
    model = captioners.build(corpus, {"attention": "hard"}, None, torch.device("cpu"))
    loss = captioners.Loss(given)
    batch = (corpus.train.images[:8], corpus.train.captions[:8], corpus.train.mask[:8], None)
    loss(model, batch).backward()
    assert model.attention.score.v.weight.grad.abs().sum() > 0
    first = loss.baseline.value
    assert first < 0  # the mean log-probability of a caption
    loss(model, batch)
    assert loss.baseline.value != first
    assert model.attention.draws == []
    silent = captioners.Loss(options("--reinforce", "0", "--entropy", "0"))
    model.zero_grad()
    silent(model, batch).backward()  # a draw has no derivative of its own
    assert model.attention.score.v.weight.grad is None or not model.attention.score.v.weight.grad.any()


def pictures(folder, n=12):
    """Squares of one colour, and what colour they have."""
    lines = []
    for number in range(n):
        name, colour = f"{number}.png", ("red", "blue")[number % 2]
        Image.new("RGB", (20, 16), colour).save(folder / name)
        lines += [f"{name}#0\tA {colour} picture", f"{name}#1\t{colour}"]
    (folder / "captions.txt").write_text("\n".join(lines), encoding="utf-8")


def test_pictures_of_your_own(tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    pictures(folder)
    out = tmp_path / "found.json"
    words = ["run", "captions", "--data", str(folder), "--side", "12", *TINY, "--seeds", "1"]
    assert main([*words, "--out", str(out)]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))["seeds"]["0"]
    for name in captions.ON_PICTURES:
        assert found[name]["n"] == 2  # one picture in ten, with two captions
        assert found[name]["boxes"] == {}
        assert 0 <= found[name]["words"] <= 1


def test_a_captioner_ships_and_loads_again(tmp_path):
    out = tmp_path / "found.json"
    shipped = ["--ship", "tiny", "--models", str(tmp_path), "--out", str(out), "--seeds", "1"]
    assert main(["run", "captions", *TINY, *shipped]) == 0
    loaded = models.load("tiny", folder=tmp_path)
    assert loaded.vocabularies["caption"].words == WORDS.words
    assert {"captions", "words", "mass", "other", "pointing"} <= set(loaded.scores)
    images = captioners.scene_examples(scenes(3, 1), WORDS).images
    said, weights = loaded.model.caption(images, WORDS.bos, WORDS.eos, 8)
    assert len(said) == 3
    assert weights.shape[::2] == (3, 144)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--steps", "0"], "--steps: expected at least 1, got 0"),
        (["--side", "9"], "--side: expected an even number, got 9"),
        (["--learning-rates", "0"], "--learning-rates: expected numbers above 0"),
        (["--reinforce", "-1"], "--reinforce: expected at least 0"),
    ],
)
def test_bad_options_are_named(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        captions.run_seed(options(*words), 0, torch.device("cpu"))


def test_too_few_pictures_are_named(tmp_path):
    pictures(tmp_path, 3)
    with pytest.raises(ValueError, match="--data: expected at least 10 pictures with captions, got 3"):
        captions.run_seed(options("--data", str(tmp_path)), 0, torch.device("cpu"))
