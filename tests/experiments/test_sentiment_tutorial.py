"""The tutorial's sentiment model: its LSTM is torch's, its readings read what they say, its run repeats."""

import argparse

import pytest
import torch

from attnbook.experiments import sentiment_tutorial as run
from attnbook.experiments.sentiment import Sentence
from attnbook.experiments.tutorial_classifier import READINGS, KerasLSTM, TutorialClassifier


def options(*words):
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    return parser.parse_args(words)


def test_the_lstm_is_torchs_without_dropout():
    torch.manual_seed(0)
    mine, theirs = KerasLSTM(3, 5).eval(), torch.nn.LSTM(3, 5, batch_first=True)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(mine.kernel)
        theirs.weight_hh_l0.copy_(mine.recurrent)
        theirs.bias_ih_l0.copy_(mine.bias)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(2, 7, 3)
    torch.testing.assert_close(mine(x), theirs(x)[0])
    assert mine.bias[5:10].tolist() == [1.0] * 5
    torch.testing.assert_close(mine.recurrent.T @ mine.recurrent, torch.eye(5), atol=1e-5, rtol=0)


def test_dropout_is_drawn_anew_and_keeps_one_mask_for_all_steps():
    torch.manual_seed(0)
    model = KerasLSTM(4, 6).train()
    x = torch.randn(2, 5, 4)
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize("reading", READINGS)
def test_padding_is_seen_by_those_that_have_no_mask(reading):
    torch.manual_seed(0)
    model = TutorialClassifier(9, 8, reading, d_model=4, hidden=6).eval()
    rows = torch.tensor([[3, 4, 5, 0, 0, 0, 0, 0], [7, 8, 0, 0, 0, 0, 0, 0]])
    logits, weights = model(rows)
    on_padding = (weights * (rows == 0)).sum()
    with torch.no_grad():
        model.embedding.weight[0] += 1.0
    changed = not torch.allclose(logits, model(rows)[0], atol=1e-6)
    unmasked = reading in ("plain LSTM", "with the layer")
    assert (on_padding > 0) == unmasked == changed
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))


def test_readings_start_alike():
    made = []
    for reading in READINGS:
        torch.manual_seed(3)
        made.append(TutorialClassifier(9, 8, reading, d_model=4, hidden=6).state_dict())
    for other in made[1:]:
        assert all(torch.equal(value, other[name]) for name, value in made[0].items())


def test_words_are_keras_tokens():
    assert run.words("It's GREAT, isn't it?  A+ (really)") == ("it's", "great", "isn't", "it", "a", "really")


def test_rows_keep_the_last_words_and_pad_after_them():
    sentences = [Sentence(("a", "b", "c"), 1, "yelp"), Sentence(("b",), 0, "yelp")]
    numbers = run.numbered(sentences)
    assert numbers == {"b": 1, "a": 2, "c": 3}
    assert run.as_rows(sentences, numbers, steps=2).tolist() == [[1, 3], [1, 0]]


def test_a_split_is_the_tutorials():
    training, validation, test = run.split(2000, 0)
    assert (len(training), len(validation), len(test)) == (1280, 320, 400)
    assert sorted(training + validation + test) == list(range(2000))
    assert run.split(2000, 0) == (training, validation, test) != run.split(2000, 1)


def test_training_learns_where_one_word_decides():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(3, 12, (300, 6), generator=generator)
    labels = (torch.arange(300) % 2).float()
    rows[:, 2] = labels.long() + 1
    order = list(range(300))
    torch.manual_seed(0)
    model = TutorialClassifier(12, 6, "learned query, masked", d_model=8, hidden=12)
    asked = options("--batch", "10")
    found = run.fit(model, rows, labels, (order[:200], order[200:250], order[250:]), asked, 0)
    assert found["accuracy then"] > 0.9
    assert 1 <= found["best epoch"] <= 10
    assert len(found["wrong then"]) == round(50 * (1 - found["accuracy then"]))


@pytest.mark.parametrize(
    ("words", "named"), [(["--epochs", "9"], "--epochs"), (["--hidden", "0"], "--hidden")]
)
def test_wrong_options_are_named(words, named):
    with pytest.raises(ValueError, match=f"^{named}: expected"):
        run.run_seed(options(*words), 0, torch.device("cpu"))


def test_other_sizes_are_stored_by_another_name():
    assert run.result_name(options()) == "sentiment_tutorial"
    assert run.result_name(options("--hidden", "32")) == "sentiment_tutorial_32"
    assert run.result_name(options("--epochs", "20")) == "sentiment_tutorial_20epochs"
