"""The runs behind chapter 9: the right answers, the reader, its window, and the stored table."""

import argparse

import pytest
import torch

from attnbook.experiments import extrapolation, kept_trials
from attnbook.nn import RotaryPositions
from attnbook.results import results

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    extrapolation.add_arguments(parser)
    return parser.parse_args(words)


def by_loops(row, place, question):
    """The right answer at one place of a row of symbols, or None: the questions, word by word."""
    earlier = [at for at in range(place) if row[at] == row[place]]
    match question:
        case "back 5":
            return row[place - 5] if place >= 5 else None
        case "back 20":
            return row[place - 20] if place >= 20 else None
        case "fourth":
            return row[3] if place > 3 else None
        case "latest":
            return row[earlier[-1] + 1] if earlier else None
        case "earliest":
            return row[earlier[0] + 1] if earlier else None
        case "majority":
            first = sum(symbol < 16 for symbol in row[: place + 1])
            second = place + 1 - first
            return None if first == second else int(second > first)


@pytest.mark.parametrize("question", extrapolation.QUESTIONS)
def test_answers_are_those_of_loops(question):
    text = extrapolation.texts(5, 60, torch.Generator().manual_seed(2))
    found = extrapolation.answers(text, question)
    for row, given in zip(text.tolist(), found.tolist(), strict=True):
        for place in range(60):
            right = by_loops(row, place, question)
            assert given[place] == (extrapolation.NOTHING if right is None else right)


def test_texts_shorter_than_the_distance_ask_nothing():
    text = extrapolation.texts(2, 10, torch.Generator().manual_seed(2))
    assert (extrapolation.answers(text, "back 20") == extrapolation.NOTHING).all()


def test_bad_names_are_refused():
    text = torch.zeros(1, 4, dtype=torch.long)
    for wrong in ("back", "back 0", "back three", "fifth"):
        with pytest.raises(ValueError, match=r"^question: expected one of back 5"):
            extrapolation.answers(text, wrong)
    with pytest.raises(ValueError, match=r"^kind: expected one of none"):
        extrapolation.Reader("sines")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--batch", "0"), "--batch: expected at least 1"),
        (("--patience", "0"), "--patience: expected at least 1"),
        (("--learning-rates", "-1"), "--learning-rates: expected numbers above 0"),
    ],
)
def test_options_out_of_range_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        extrapolation.run_seed(options(*words), 0, CPU)


@pytest.mark.parametrize("kind", extrapolation.SCHEMES)
def test_a_later_symbol_changes_no_earlier_answer(kind):
    model = extrapolation.build(kind, 0)
    text = extrapolation.texts(2, 20, torch.Generator().manual_seed(3))
    other = text.clone()
    other[:, 12:] = (other[:, 12:] + 1) % extrapolation.SYMBOLS
    with torch.no_grad():
        one, two = model(text), model(other)
    torch.testing.assert_close(one[:, :12], two[:, :12])
    assert (one[:, 12:] - two[:, 12:]).abs().max() > 1e-3


def test_only_without_positions_order_is_lost():
    """The last answer, with the symbols before it shuffled: one layer, so that nothing leaks."""
    text = extrapolation.texts(1, 20, torch.Generator().manual_seed(4))
    shuffled = torch.cat([text[:, :19].flip(1), text[:, 19:]], dim=1)
    for kind in extrapolation.SCHEMES:
        torch.manual_seed(0)
        model = extrapolation.Reader(kind, n_layers=1)
        with torch.no_grad():
            if kind == "t5":  # before training it adds nothing
                model.layers[0].attention.positions.table.normal_()
            change = (model(text)[:, -1] - model(shuffled)[:, -1]).abs().max()
        assert (change < 1e-5) == (kind == "none"), kind


def test_shares_are_counted_by_place():
    right = torch.full((1, 32), extrapolation.NOTHING)
    right[0, 10], right[0, 20], right[0, 21] = 5, 6, 7
    given = torch.zeros(1, 32, dtype=torch.long)
    given[0, 10], given[0, 20] = 5, 6
    assert extrapolation.share_right(given, right) == {"9–16": 1.0, "17–32": 0.5}


def test_a_window_hides_what_is_farther_back():
    model = extrapolation.build("rotary", 0)
    text = extrapolation.texts(1, 40, torch.Generator().manual_seed(3))
    other = text.clone()
    other[:, :10] = (other[:, :10] + 1) % extrapolation.SYMBOLS
    model.reach = 5  # two layers reach back ten places
    with torch.no_grad():
        changed = (model(text) - model(other)).abs().amax(dim=(0, 2))
    assert (changed[20:] == 0).all()
    assert (changed[:15] > 0).all()


def test_one_layer_alone_has_positions():
    model = extrapolation.Reader("rotary", where=(1,))
    assert model.layers[0].attention.positions is None
    assert isinstance(model.layers[1].attention.positions, RotaryPositions)


@pytest.fixture
def short(monkeypatch, tmp_path):
    """The rule of training in miniature: two schemes, one question, a cache of its own."""
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    monkeypatch.setattr(extrapolation, "QUESTIONS", ("majority",))
    monkeypatch.setattr(extrapolation, "SCHEMES", ("none", "rotary"))
    monkeypatch.setattr(extrapolation, "LONGEST", 64)
    for name, value in (("EVERY", 5), ("WARM_UP", 2), ("COOL_DOWN", 4)):
        monkeypatch.setattr(extrapolation, name, value)


def test_a_seed_repeats_and_takes_the_rate_of_the_lowest_loss(short):
    chosen = options("--batch", "4", "--steps", "10", "--learning-rates", ".00001", ".01")
    first = extrapolation.run_seed(chosen, 0, CPU)
    assert first == extrapolation.run_seed(chosen, 0, CPU)
    for kind in ("none", "rotary"):
        rates = first["rates"]["majority"][kind]
        assert [rate for rate, _ in rates["tried"]] == [0.00001, 0.01]
        assert rates["chosen"] == min(rates["tried"], key=lambda pair: pair[1])[0]
        assert first["loss"]["majority"][kind] == min(loss for _, loss in rates["tried"])
        # ten steps are the cap here
        assert first["steps"]["majority"][kind] == 14
        assert first["hit the cap"]["majority"][kind] == 1


def test_training_ends_when_the_loss_stands_still(short):
    # with so small a rate nothing falls by a hundredth of a nat
    chosen = options("--batch", "4", "--steps", "1000", "--patience", "15", "--learning-rates", "1e-9")
    found = extrapolation.run_seed(chosen, 0, CPU)
    # one look that sets the best loss, three that bring none, and the fall to 0
    assert found["steps"]["majority"] == {"none": 24, "rotary": 24}
    assert found["hit the cap"]["majority"] == {"none": 0, "rotary": 0}


def test_a_few_steps_learn_the_majority():
    model = extrapolation.build("none", 0)
    history = extrapolation.train(model, "majority", steps=120, batch=16)
    assert history.losses[-1] < 0.2 < 3 < history.losses[0]
    assert extrapolation.accuracy(model, "majority", n=16, length=32)["17–32"] > 0.9


def test_the_stored_table_is_whole():
    stored = results("extrapolation")
    assert len(stored["seeds"]) >= 3
    for run in stored["seeds"].values():
        assert set(run["accuracy"]) == set(extrapolation.QUESTIONS)
        for question, rows in run["accuracy"].items():
            assert set(rows) == set(extrapolation.SCHEMES) == set(run["hit the cap"][question])
            for shares in rows.values():
                assert len(shares) == (4 if question == "back 20" else 5)
                assert all(0 <= share <= 1 for share in shares.values())
