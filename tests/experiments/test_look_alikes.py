"""The look-alikes of attention: the task, what each of them ignores, and what the stored runs carry."""

import argparse

import pytest
import torch

from attnbook.experiments import look_alikes
from attnbook.experiments.look_alikes import (
    FIRST_LETTER,
    MOST,
    TRANSLATORS,
    NoAnnotations,
    NoQuery,
    NoTanh,
    TanhOutside,
    Translator,
    letters_and_digits,
)
from attnbook.results import results


def drawn(n=50, padding=0):
    return letters_and_digits(n, torch.Generator().manual_seed(0), padding)


def test_target_is_the_digits_in_the_order_of_their_letters():
    for src, tgt in zip(*(each.tolist() for each in drawn()), strict=True):
        real = [token for token in src if token]
        letters, digits = real[::2], real[1::2]
        assert all(letter >= FIRST_LETTER for letter in letters)
        assert len(set(letters)) == len(letters)
        expected = [digit for _, digit in sorted(zip(letters, digits, strict=True))]
        assert [token for token in tgt if token] == expected
        assert src[len(real) :] == [0] * (2 * MOST - len(real))


def test_letters_come_in_any_order():
    src, _ = drawn()
    assert not all(row[0] < row[2] for row in src)


def test_padding_is_added_behind_the_same_sources():
    (src, tgt), (longer, same) = drawn(), drawn(padding=5)
    assert torch.equal(longer[:, : 2 * MOST], src)
    assert torch.equal(same, tgt)
    assert longer.shape[1] == 2 * MOST + 5
    assert not longer[:, 2 * MOST :].any()


@pytest.fixture
def asked():
    """A word, two states, and annotations of one source."""
    torch.manual_seed(0)
    return torch.randn(2, 16), torch.randn(2, 32), torch.randn(1, 6, 64).expand(2, 6, 64)


@pytest.mark.parametrize("score", [NoTanh, NoQuery])
def test_weights_do_not_depend_on_the_state(score, asked):
    with torch.no_grad():
        weights = torch.softmax(score()(*asked), dim=-1)
    torch.testing.assert_close(weights[0], weights[1])


def test_weights_of_the_right_score_depend_on_state_and_annotations(asked):
    word, state, annotations = asked
    score = look_alikes.Additive()
    with torch.no_grad():
        scores = score(word, state, annotations)
        turned = score(word, state, annotations.flip(1))
    assert (scores[0].softmax(0) - scores[1].softmax(0)).abs().max() > 1e-3
    torch.testing.assert_close(turned, scores.flip(1))


def test_no_annotations_ignores_them(asked):
    word, state, annotations = asked
    score = NoAnnotations()
    with torch.no_grad():
        assert torch.equal(score(word, state, annotations), score(word, state, annotations.flip(1)))


def test_tanh_outside_bounds_the_scores(asked):
    word, state, annotations = asked
    with torch.no_grad():
        scores = TanhOutside()(word, 100 * state, 100 * annotations)
    assert scores.abs().max() <= 1


def test_softmax_over_one_query_gives_every_word_a_weight_of_1(asked):
    word, state, annotations = asked
    real = torch.tensor([[True] * 4 + [False] * 2]).expand(2, 6)
    for over, total in (("keys", 1.0), ("queries", 4.0)):
        with torch.no_grad():
            weights = Translator(look_alikes.Additive(), over=over).weights(word, state, annotations, real)
        torch.testing.assert_close(weights.sum(dim=1), torch.full((2,), total))
        assert not weights[:, 4:].any()


def test_only_the_missing_mask_lets_padding_change_the_logits():
    (src, tgt), (longer, _) = drawn(8), drawn(8, padding=10)
    for name in ("Bahdanau's attention", "no mask", "backward states not turned back", "one fixed vector"):
        torch.manual_seed(0)
        model = TRANSLATORS[name]()
        with torch.no_grad():
            difference = (model(src, tgt) - model(longer, tgt)).abs().max()
        assert (difference > 1e-3) == (name == "no mask"), name


def test_backward_states_belong_to_other_words_when_not_turned_back():
    src = torch.tensor([[11, 1, 12, 2, 13, 3, 0, 0]])
    torch.manual_seed(0)
    model = Translator(look_alikes.Additive())
    with torch.no_grad():
        right, _ = model.annotations(src)
        model.turned_back = False
        wrong, _ = model.annotations(src)
    torch.testing.assert_close(wrong[..., :32], right[..., :32])
    torch.testing.assert_close(wrong[:, :6, 32:], right[:, :6, 32:].flip(1))


def test_a_run_measures_every_translator(monkeypatch):
    monkeypatch.setattr(look_alikes, "TEST", 20)
    numbers = look_alikes.run_seed(argparse.Namespace(steps=1), 0, torch.device("cpu"))
    assert list(numbers["accuracy"]) == list(TRANSLATORS)
    assert all(0 <= share <= 1 for share in numbers["accuracy"].values())
    assert set(TRANSLATORS) - set(numbers["accuracy, more padding"]) == {"no query", "never looks"}


def test_steps_are_checked():
    with pytest.raises(ValueError, match="steps"):
        look_alikes.run_seed(argparse.Namespace(steps=0), 0, torch.device("cpu"))


def test_stored_runs_are_of_this_module_and_carry_what_the_lab_says():
    stored = results("look_alikes")
    assert len(stored["seeds"]) >= 2
    for seed in stored["seeds"].values():
        share, padded = seed["accuracy"], seed["accuracy, more padding"]
        assert list(share) == list(TRANSLATORS)
        for name in ("Bahdanau's attention", "no mask", "backward states not turned back"):
            assert share[name] > 0.99
        for name in ("tanh outside", "no tanh", "no query", "never looks", "softmax over the queries"):
            assert share[name] < share["one fixed vector"] + 0.02
        assert padded["no mask"] < share["no mask"]
        assert padded["Bahdanau's attention"] == pytest.approx(share["Bahdanau's attention"])
    assert min(seed["accuracy, more padding"]["no mask"] for seed in stored["seeds"].values()) < 0.7
