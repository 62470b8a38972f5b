"""The rule that trains every translator: flat or capped, the rate chosen, cut-off runs, all runs at once."""

import argparse
import json
import math

import pytest
import torch

from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Vocabulary
from attnbook.experiments import together, training_rule, translation, translators
from attnbook.training.fit import Diverged

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def options(*words, seeds=1):
    parser = argparse.ArgumentParser()
    translation.add_arguments(parser)
    few = "--pairs 60 --test-pairs 12 --hidden 8 --batch-size 12 --validate-every 3 --most-steps 12"
    found = parser.parse_args([*few.split(), *words])
    found.seeds, found.first_seed = seeds, 0  # the runner's
    return found


@pytest.fixture
def data():
    """Six words that are their own translation: soon learned."""
    words = ["a", "b", "c", "d", "e", "f"]
    pairs = [
        Pair([words[i % 6], words[(i // 6) % 6], words[(i // 36) % 6]], [words[i % 6], words[(i // 6) % 6]])
        for i in range(216)
    ]
    return translators.Corpus(pairs[:150], pairs[150:180], pairs[180:], Vocabulary(words), Vocabulary(words))


class Losses:
    """Stands in for the validation loss: the n-th validation of a run says the n-th of these."""

    def __init__(self, *losses):
        self.losses, self.calls = losses, 0

    def __call__(self, *_):
        self.calls += 1
        return self.losses[min(self.calls, len(self.losses)) - 1]


def watched(monkeypatch, losses):
    monkeypatch.setattr(training_rule, "Validation", lambda model, data: losses)


# ---- when training ends ----------------------------------------------------------------------------------


def test_training_ends_when_the_loss_is_flat(data, monkeypatch, tmp_path):
    # 1 → .5 is progress; .498 is less than 1 % below, so two validations pass without progress; then one at
    # half the rate, where the first counts and two more do not
    losses = Losses(1.0, 0.5, 0.498, 0.497, 0.6, 0.7, 0.8, 0.9)
    watched(monkeypatch, losses)
    wanted = options("--patience", "2", "--halvings", "1", "--most-steps", "60", "--validate-every", "2")
    run = training_rule.trial(
        translation.method(wanted), data, wanted, 0.01, 0, CPU, translation.add_arguments
    )
    assert [point["step"] for point in run.curve] == [2, 4, 6, 8, 10, 12, 14]
    assert run.steps == 14
    assert not run.capped


def test_a_cap_that_was_hit_is_told(data, monkeypatch):
    watched(monkeypatch, Losses(*(1 / n for n in range(1, 30))))  # never flat
    wanted = options("--most-steps", "10")
    run = training_rule.trial(
        translation.method(wanted), data, wanted, 0.01, 0, CPU, translation.add_arguments
    )
    assert (run.steps, run.capped) == (10, True)


def test_each_halving_starts_from_the_best_weights(data, monkeypatch):
    rates, starts = [], []
    fit = training_rule.fit

    def watching(model, batches, **more):
        rates.append(more["learning_rate"])
        starts.append(translators.Validation(model, data)(model))
        return fit(model, batches, **more)

    monkeypatch.setattr(training_rule, "fit", watching)
    wanted = options("--patience", "1", "--halvings", "2", "--most-steps", "90", "--tolerance", "0.3")
    run = training_rule.trial(
        translation.method(wanted), data, wanted, 0.08, 0, CPU, translation.add_arguments
    )
    assert rates == [0.08, 0.04, 0.02]
    for start in starts[1:]:
        assert any(point["loss"] == pytest.approx(start, rel=1e-5) for point in run.curve)
    assert run.loss <= starts[2] + 1e-6


def test_the_rate_with_the_lowest_loss_is_used_for_every_seed(data):
    wanted = options("--learning-rates", "1e-9", "0.02", "--most-steps", "30", "--validate-every", "10")
    for seed in (0, 5):
        _, numbers = training_rule.chosen(
            translation.method(wanted), data, wanted, seed, CPU, translation.add_arguments
        )
        assert numbers["learning rate"] == 0.02
        assert [rate for rate, _ in numbers["rates tried"]] == [1e-9, 0.02]
        assert numbers["rates tried"][1][1] < numbers["rates tried"][0][1]
    kept = sorted(path.name.rsplit("_", 1)[1] for path in (training_rule.CACHE / "checkpoints").iterdir())
    assert kept == ["seed0.pt", "seed0.pt", "seed5.pt"]  # seed 5 was not trained at the other rate


def test_a_rate_that_diverges_is_not_chosen(data, monkeypatch):
    until_flat = training_rule.until_flat

    def diverging(model, method, data, options, rate, seed, path):
        if rate == 0.5:
            raise Diverged("step 3: the loss is nan")
        return until_flat(model, method, data, options, rate, seed, path)

    monkeypatch.setattr(training_rule, "until_flat", diverging)
    arguments = (data, CPU, translation.add_arguments)

    def chosen(wanted):
        method = translation.method(wanted)
        return training_rule.chosen(method, arguments[0], wanted, 0, *arguments[1:])[1]

    numbers = chosen(options("--learning-rates", "0.01", "0.5"))
    assert numbers["learning rate"] == 0.01
    assert numbers["rates tried"][1] == [0.5, None]
    with pytest.raises(ValueError, match="diverged at 0.5 with seed 0; add lower ones"):
        chosen(options("--learning-rates", "0.5"))
    with pytest.raises(ValueError, match="at every rate of"):
        training_rule.best_rate([[0.1, None], [0.2, None]])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--patience", "0"), "--patience: expected at least 1, got 0"),
        (("--halvings", "-1"), "--halvings: expected at least 0, got -1"),
        (("--tolerance", "1"), "--tolerance: expected a share from 0 up to 1, got 1.0"),
        (("--learning-rates", "0"), "--learning-rates: expected numbers above 0, got 0.0"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named(words, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        training_rule.check_training(options(*words))


# ---- the cache -------------------------------------------------------------------------------------------


def test_other_sentences_are_another_run(data):
    wanted = options()
    method = translation.method(wanted)
    fewer = translators.Corpus(data.train[1:], data.validation, data.test, data.src, data.tgt)
    paths = {
        training_rule.trial_path(method, each, wanted, 0.1, 0, CPU, translation.add_arguments)
        for each in (data, fewer)
    }
    assert len(paths) == 2
    again = training_rule.trial_path(method, data, wanted, 0.1, 0, CPU, translation.add_arguments)
    assert again in paths


def test_a_trial_that_was_cut_off_goes_on(data, monkeypatch, tmp_path):
    wanted = options("--most-steps", "24", "--patience", "1", "--halvings", "1", "--bleu-curve")
    arguments = (translation.method(wanted), data, wanted, 0.05, 0, CPU, translation.add_arguments)
    whole = training_rule.trial(*arguments)
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "another")
    fit = training_rule.fit

    def often(*positional, **more):
        return fit(*positional, **more | {"checkpoint_every": 1})

    monkeypatch.setattr(training_rule, "fit", often)
    loss = translators.Validation.__call__
    calls = []

    def stop(self, model):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return loss(self, model)

    with monkeypatch.context() as patch:
        patch.setattr(translators.Validation, "__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            training_rule.trial(*arguments)
    parts = training_rule.trial(*arguments)
    assert (parts.steps, parts.loss, parts.curve) == (whole.steps, whole.loss, whole.curve)
    assert "bleu by length" in parts.curve[0]
    assert all(torch.equal(parts.weights[name], whole.weights[name]) for name in whole.weights)
    assert [path.suffix for path in (tmp_path / "another" / "checkpoints").iterdir()] == [".pt"]


# ---- together --------------------------------------------------------------------------------------------

METHODS = {
    "fixed vector": "--attention none",
    "LSTM": "--attention none --unit lstm",
    "additive": "--attention additive",
    "the last word in the query": "--attention additive --query previous-word",
    "dot": "--attention dot --query current",
    "concat, LSTM": "--attention concat --query current --unit lstm",
    "location": "--attention location --query current",
    "input feeding": "--attention general --query current --input-feeding",
    "local-m": "--attention general --query current --alignment local-m --window 2",
    "local-p": "--attention general --query current --alignment local-p --window 2",
}


@pytest.mark.parametrize("words", METHODS.values(), ids=METHODS)
def test_copies_have_the_losses_and_gradients_of_their_models(words, data):
    wanted = options(*words.split())
    models = []
    for seed in range(3):
        torch.manual_seed(seed)
        models.append(translation.build(wanted, len(data.src), len(data.tgt)))
    copies = together.Copies(models, CPU)
    uneven = [Pair(["a", "b", "c", "d", "e"], ["b", "a"]), Pair(["c"], ["f", "e", "d", "c"])]
    batch = translators.collate(uneven, data.src, data.tgt)
    losses = copies.losses(batch)
    losses.sum().backward()
    for row, model in enumerate(models):
        loss = translators.translation_loss(model, batch)
        loss.backward()
        torch.testing.assert_close(losses[row], loss, atol=1e-5, rtol=1e-5)
        gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
        torch.testing.assert_close(copies.gradients[row], gradient, atol=1e-6, rtol=1e-4)
        state = copies.weights(row)
        assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


def test_all_at_once_is_one_after_the_other(data, monkeypatch, tmp_path):
    words = (
        "--learning-rates", "0.01", "0.06", "--most-steps", "60", "--patience", "1", "--halvings", "2",
        "--tolerance", "0.05", "--bleu-curve",
    )  # fmt: skip
    wanted = options(*words, seeds=2)
    arguments = (wanted, CPU, translation.add_arguments)
    method = translation.method(wanted)
    in_turn = {
        (rate, seed): training_rule.trial(method, data, wanted, rate, seed, *arguments[1:])
        for rate in (0.01, 0.06)
        for seed in (0, 1)
    }
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "another")
    training_rule.trials_together(method, data, *arguments)
    best = training_rule.best_rate([[rate, in_turn[rate, 0].loss] for rate in (0.01, 0.06)])
    assert len({run.steps for run in in_turn.values()}) > 1  # they end at different steps
    for (rate, seed), alone in in_turn.items():
        at_once = training_rule.trial(method, data, wanted, rate, seed, *arguments[1:])
        assert at_once.loss == pytest.approx(alone.loss, rel=1e-3)
        assert (at_once.steps, at_once.capped) == (alone.steps, alone.capped)
        assert [p["step"] for p in at_once.curve] == [p["step"] for p in alone.curve]
        assert [p["loss"] for p in at_once.curve] == pytest.approx([p["loss"] for p in alone.curve], rel=1e-3)
        if rate == best:
            points = [[p["step"] for p in run.curve if "bleu by length" in p] for run in (at_once, alone)]
            assert points[0] == points[1] != []
    left = [path.name for path in (tmp_path / "another" / "checkpoints").iterdir()]
    assert len(left) == 4, left  # no checkpoint stays behind


def test_copies_that_were_cut_off_go_on(data, monkeypatch, tmp_path):
    wanted = options("--learning-rates", "0.01", "0.03", "--most-steps", "12", seeds=1)
    method = translation.method(wanted)
    arguments = (data, wanted, CPU, translation.add_arguments)

    def losses():
        return [
            training_rule.trial(method, data, wanted, rate, 0, *arguments[2:]).loss for rate in (0.01, 0.03)
        ]

    training_rule.trials_together(method, *arguments)
    whole = losses()
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "another")
    monkeypatch.setattr(together, "SAVE_SECONDS", 0.0)  # after each validation
    step = together.Runs.step
    with monkeypatch.context() as patch:
        taken = []

        def stop(self):
            taken.append(1)
            if len(taken) == 8:
                raise KeyboardInterrupt
            step(self)

        patch.setattr(together.Runs, "step", stop)
        with pytest.raises(KeyboardInterrupt):
            training_rule.trials_together(method, *arguments)
    training_rule.trials_together(method, *arguments)
    assert losses() == whole


def test_a_copy_that_diverges_leaves_the_others_alone(data):
    wanted = options("--learning-rates", "0.01", "1e30", seeds=1)
    method = translation.method(wanted)
    arguments = (data, wanted, CPU, translation.add_arguments)
    training_rule.trials_together(method, *arguments)
    good, bad = (training_rule.trial(method, data, wanted, rate, 0, *arguments[2:]) for rate in (0.01, 1e30))
    assert bad.loss is None
    assert math.isfinite(good.loss)
    assert training_rule.chosen(method, data, wanted, 0, *arguments[2:])[1]["learning rate"] == 0.01


def test_the_command_trains_together_and_stores_the_same_numbers(tmp_path):
    from attnbook.cli import main

    words = "run translation --pairs 60 --test-pairs 12 --hidden 8 --batch-size 12 --validate-every 3 "
    words += "--most-steps 6 --learning-rates .01 .02 --seeds 2 --device cpu --bleu-curve"
    for name, more in (("turn", []), ("once", ["--together"])):
        assert main([*words.split(), *more, "--out", str(tmp_path / f"{name}.json")]) == 0
    turn, once = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("turn", "once"))
    assert once["options"]["together"]
    assert once["summary"].keys() == turn["summary"].keys()
    for name in ("validation loss", "learning rate", "steps", "hit the cap"):
        assert once["summary"][name] == pytest.approx(turn["summary"][name], rel=1e-3), name
