"""The retrieval task and its measures, each on a case in which the answer is known."""

import argparse

import pytest
import torch

from attnbook.experiments import choosing_keys, kept_trials

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    choosing_keys.add_arguments(parser)
    return parser.parse_args(words)


def test_every_question_has_its_answer_where_it_is_said_to_stand():
    text = choosing_keys.texts(3, torch.Generator().manual_seed(0))
    assert all(text[name].shape == (3, choosing_keys.LENGTH) for name in text)
    for row in range(3):
        keys, values, questions, answers, distance = (text[name][row].tolist() for name in text)
        assert len(set(keys)) == len(keys)
        assert answers[0] == choosing_keys.NOTHING
        for place in range(1, choosing_keys.LENGTH):
            stands = keys.index(questions[place])
            assert stands == place - distance[place] < place
            assert answers[place] == values[stands]
    far = choosing_keys.texts(64, torch.Generator().manual_seed(1))["distance"][:, choosing_keys.FAR :]
    assert 0.6 < (far >= choosing_keys.WINDOW).float().mean() < 0.72  # 1 - 32 mean(1/t), t from 64 to 127


class Perfect(choosing_keys.Reader):
    """Finds the key by comparing symbols, among those that the window leaves if there is one."""

    def forward(self, text):
        same = text["questions"].unsqueeze(2) == text["keys"].unsqueeze(1)
        if self.name == "window":
            same &= choosing_keys.latest(choosing_keys.WINDOW, CPU)
        found = same.float() @ torch.nn.functional.one_hot(text["values"], choosing_keys.VALUES).float()
        return found + 1e-3 * torch.rand(found.shape, generator=torch.Generator().manual_seed(0))


def test_the_measure_sees_a_perfect_reader_and_one_with_a_window():
    assert choosing_keys.measured(Perfect("full"), CPU) == {"all": 1.0, "near": 1.0, "far": 1.0}
    short = choosing_keys.measured(Perfect("window"), CPU)
    assert short["near"] == 1.0
    assert short["far"] < 0.06


def test_the_full_models_weights_fit_all_choices():
    torch.manual_seed(0)
    full = choosing_keys.Reader("full").eval()
    text = choosing_keys.fresh(2, 0, CPU)
    for name in choosing_keys.AFTER:
        after = choosing_keys.asked_after(full, name)(text)
        reach = choosing_keys.BLOCK if name != "window" else choosing_keys.WINDOW
        torch.testing.assert_close(after[:, :reach], full(text)[:, :reach])  # nothing is left out yet
        assert not torch.allclose(after, full(text))
    # an untrained model's choice is no better than chance: 3 of up to 15 blocks, and the own one
    assert 0.1 < choosing_keys.found_by_choice(full, CPU) < 0.5


def test_a_short_run_stores_what_the_lab_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    found = choosing_keys.run_seed(options("--steps", "20", "--batch-size", "2"), 0, CPU)
    assert set(found["right"]) == set(choosing_keys.NAMES)
    assert set(found["after"]) == set(choosing_keys.AFTER)
    assert set(found["chosen"]) == {"full", "blocks"}
    assert len(found["rates tried"]["window"]) == 2
    assert len(list((tmp_path / "trials").iterdir())) == 10  # five models, two rates


def test_bad_options_and_names_are_told():
    with pytest.raises(ValueError, match="^--learning-rates: expected numbers above 0"):
        choosing_keys.run_seed(options("--learning-rates", "0"), 0, CPU)
    with pytest.raises(ValueError, match="^--steps: expected at least 20"):
        choosing_keys.run_seed(options("--steps", "3"), 0, CPU)
    with pytest.raises(ValueError, match="^name: expected one of full, window"):
        choosing_keys.Reader("sparse")
