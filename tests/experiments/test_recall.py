"""The runs of chapter 13's lab on linear attention: the task, the terms of the comparison, what is stored."""

import argparse

import pytest
import torch
import torch.nn.functional as F

from attnbook.experiments import kept_trials, recall, recall_parts
from attnbook.experiments.recall_parts import BLANK, KEYS, VALUES, draw
from attnbook.nn import linear_attention
from attnbook.results import results

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    recall.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--steps", "5"), "--steps: expected at least 20"),
        (("--deep-steps", "5"), "--deep-steps: expected at least 20"),
        (("--learning-rates", "0.1", "0"), "--learning-rates: expected numbers above 0, got 0"),
    ],
)
def test_options_out_of_range_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        recall.run_seed(options(*words), 0, CPU)


@pytest.mark.parametrize("name", ["sparse", "full, ELU + 1", "linear, cosine"])
def test_an_unknown_mixer_is_refused(name):
    with pytest.raises(ValueError, match="name: expected one of linear, gated"):
        recall_parts.mixer(name, 8, 2)


def test_the_answer_is_the_last_value():
    texts = draw(5, 6, 4, torch.Generator().manual_seed(0))
    assert texts.keys.shape == texts.values.shape == (5, 6 * 4 + 6)
    for row in range(5):
        last = {}
        for key, value in zip(texts.keys[row, :24].tolist(), texts.values[row, :24].tolist(), strict=True):
            last[key] = value
        asked = texts.keys[row, 24:].tolist()
        assert sorted(asked) == sorted(last)
        assert texts.answers[row].tolist() == [last[key] for key in asked]
        assert (texts.keys[row, :24].unique(return_counts=True)[1] == 4).all()
    assert (texts.values[:, 24:] == BLANK).all()
    assert int(texts.keys.max()) < KEYS
    assert int(texts.values[:, :24].max()) < VALUES


def by_hand(texts, rule):
    """Share of right reads with orthogonal keys and nothing trained."""
    key = F.one_hot(texts.keys, KEYS).float().unsqueeze(1)
    value = F.one_hot(texts.values, VALUES + 1).float().unsqueeze(1)
    beta = {"beta": torch.ones(key.shape[:3])} if rule == "delta" else {}
    context, _ = linear_attention(key, key, value, rule, mask=texts.values != BLANK, scale=1.0, **beta)
    answers = context[:, 0, -texts.answers.shape[1] :].argmax(-1)
    return (answers == texts.answers).float().mean().item()


def test_the_measure_sees_a_rule_that_replaces():
    task = recall.TASKS["overwriting"]
    texts = recall.held_out(task, 2)[0]
    assert by_hand(texts, "delta") == 1
    assert by_hand(texts, "linear") == pytest.approx(recall.by_most_frequent(task), abs=0.05)
    once = recall.held_out(recall.TASKS["capacity"], 2)[-1]
    assert by_hand(once, "linear") == by_hand(once, "delta") == 1


def test_the_most_frequent_value_by_counting():
    task = recall.TASKS["overwriting"]
    texts, total, reads = recall.held_out(task, 2)[0], 0.0, 0
    for row in range(20):
        for place, key in enumerate(texts.keys[row, 32:].tolist()):
            values = texts.values[row, :32][texts.keys[row, :32] == key].tolist()
            most = max(map(values.count, values))
            best = {value for value in values if values.count(value) == most}
            total += (texts.answers[row, place].item() in best) / len(best)
            reads += 1
    assert total / reads == pytest.approx(recall.by_most_frequent(task), abs=0.08)


@pytest.mark.parametrize("task", recall.TASKS)
def test_models_of_a_task_have_the_same_parameters(task):
    settings = recall.TASKS[task]
    counts = [recall_parts.count(recall.build(settings, stack)) for stack in settings.stacks]
    gate = settings.n_heads * (settings.d_model + 1)  # one for decay, one for beta
    unit = len(next(iter(settings.stacks.values()))) * (2 * settings.d_model + 1)
    assert max(counts) - min(counts) <= (2 * gate if settings.d_ff is None else unit)


@pytest.mark.parametrize(
    "name", ["full", "full, ALiBi", "linear", "gated delta", "linear, ELU + 1, normalised"]
)
def test_reads_are_not_stored(name):
    torch.manual_seed(0)
    model = recall_parts.Reader((name,), 8, 2).eval()
    texts = draw(2, 4, 1, torch.Generator().manual_seed(0))
    logits = model(texts)
    texts.keys[:, 4] = (texts.keys[:, 4] + 1) % KEYS  # the first read
    torch.testing.assert_close(model(texts)[:, 1:], logits[:, 1:])


def test_when_it_was_solved():
    assert recall.solved_at([[10, 0.5], [20, 0.05], [30, 0.2]]) == 20
    assert recall.solved_at([[10, 0.5]]) is None
    assert recall.rank({"curve": [[1, 0.5], [2, 0.0]]}) < recall.rank({"curve": [[1, 0.9], [2, 0.0]]})


def test_a_run_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    small = options("--steps", "20", "--deep-steps", "20", "--learning-rates", "0.006", "--tasks", "hybrid")
    first = recall.run_seed(small, 1, CPU)
    monkeypatch.setattr(recall, "fit", None)  # nothing is trained again
    assert recall.run_seed(small, 1, CPU) == first
    assert set(first) == {"hybrid"}
    assert all(0 <= row["48"] <= 1 for row in first["hybrid"]["accuracy"].values())


def test_the_stored_results_are_those_of_this_run():
    stored = results("recall")
    assert stored["experiment"] == "recall"
    assert len(stored["seeds"]) == 3
    for seed in stored["seeds"].values():
        for name, task in recall.TASKS.items():
            found = seed[name]
            assert set(found["accuracy"]) == set(task.stacks)
            for stack in task.stacks:
                assert set(found["accuracy"][stack]) == {str(n) for n in task.n_keys}
                assert found["parameters"][stack] == recall_parts.count(recall.build(task, stack))
                errors = dict(found["rates tried"][stack])
                assert errors[found["learning rate"][stack]] == min(errors.values())
