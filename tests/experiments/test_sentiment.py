"""The sentiment runs: what they read, that they repeat, and that the stored tables are theirs."""

import argparse

import pytest
import torch

from attnbook.cli import main
from attnbook.data.reviews import as_tensors, reviews, vocabulary
from attnbook.experiments import sentiment
from attnbook.experiments.pooled_classifier import Labelled, PooledClassifier, evaluate, fit_together
from attnbook.results import results

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    sentiment.add_arguments(parser)
    return parser.parse_args(words)


def labelled(count, seed, numbers=None):
    made = reviews(count, seed=seed)
    numbers = numbers or vocabulary([review.words for review in made])
    word_ids, mask = as_tensors([review.words for review in made], numbers)
    return Labelled(word_ids, mask, torch.tensor([float(review.label) for review in made])), numbers


def test_words_keep_apostrophes_and_numbers():
    assert sentiment.words("I didn’t pay $40—it's  GREAT!") == ("i", "didn't", "pay", "40", "it's", "great")


def test_a_line_without_a_label_is_named(tmp_path):
    path = tmp_path / "yelp_labelled.txt"
    path.write_text("Loved it.\t1\nNo label here\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"yelp_labelled\.txt, line 2: expected a tab, then 0 or 1"):
        sentiment.read(path, "yelp")


def test_a_split_uses_every_sentence_once_and_follows_the_seed():
    parts = sentiment.split(range(100), 0)
    assert [len(part) for part in parts] == [70, 10, 20]
    assert sorted(number for part in parts for number in part) == list(range(100))
    assert sentiment.split(range(100), 0) == parts
    assert sentiment.split(range(100), 1) != parts


def reader(numbers, attends, dropout=0.0):
    torch.manual_seed(0)
    return PooledClassifier(len(numbers), 8, dropout, attends, spread=1.0)


def test_the_query_of_equal_weights_never_moves():
    training, numbers = labelled(60, 0)
    models = [reader(numbers, True), reader(numbers, False)]
    fit_together(models, [0.03, 0.03], training, training, steps=20, every=10, batch=20)
    equal = training.mask / training.mask.sum(dim=1, keepdim=True)
    for model, attends in zip(models, (True, False), strict=True):
        assert bool(model.pooling.query.any()) is attends
        _, _, weights = evaluate(model, training)
        assert torch.allclose(weights, equal) is not attends


def test_together_is_one_after_the_other_with_torchs_adam():
    training, numbers = labelled(40, 0)
    rates = (0.01, 0.1)
    models = [reader(numbers, True) for _ in rates]
    fit_together(models, rates, training, training, steps=15, every=15, batch=len(training.labels))
    for rate, model in zip(rates, models, strict=True):
        alone = reader(numbers, True)
        optimiser = torch.optim.Adam(alone.parameters(), lr=rate)
        for _ in range(15):
            logits, _ = alone(training.word_ids, training.mask)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, training.labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        for name, value in alone.named_parameters():
            torch.testing.assert_close(model.get_parameter(name), value, atol=1e-4, rtol=1e-4)


def test_each_model_is_kept_where_its_validation_loss_was_lowest():
    training, numbers = labelled(60, 0)
    validation, _ = labelled(40, 1, numbers)
    losses = []
    for steps in (5, 15, 25, 35):
        torch.manual_seed(0)
        models = [reader(numbers, True), reader(numbers, False)]
        best = fit_together(models, [0.3, 0.1], training, validation, steps=steps, every=5, batch=16)
        assert all(0 < step <= steps for step in best)
        losses.append([evaluate(model, validation)[0] for model in models])
    for path in zip(*losses, strict=True):
        assert list(path) == sorted(path, reverse=True)


def test_dropout_differs_between_the_models_of_a_grid():
    training, numbers = labelled(40, 0)
    models = [reader(numbers, True, dropout=0.5) for _ in range(2)]
    fit_together(models, [0.03, 0.03], training, training, steps=5, every=5, batch=40)
    assert not torch.equal(models[0].embedding.weight, models[1].embedding.weight)


def test_a_seed_repeats(monkeypatch):
    monkeypatch.setattr(sentiment, "EXAMPLES", (20,))
    chosen = options("--data", "reviews", "--steps", "3", "--d-model", "4")
    assert sentiment.run_seed(chosen, 0, CPU) == sentiment.run_seed(chosen, 0, CPU)
    assert sentiment.run_seed(chosen, 0, CPU) != sentiment.run_seed(chosen, 1, CPU)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--dropout", "1"], "--dropout"),
        (["--learning-rates", "0"], "--learning-rates"),
        (["--d-model", "0"], "--d-model"),
    ],
)
def test_wrong_options_are_named(words, named):
    with pytest.raises(ValueError, match=f"^{named}: expected"):
        sentiment.run_seed(options(*words), 0, CPU)


@pytest.mark.realdata
def test_real_sentences_are_all_read(corpora):
    sentences = sentiment.load()
    assert len(sentences) == 3000
    for source in sentiment.SOURCES:
        assert sum(s.label for s in sentences if s.source == source) == 500
    assert sum(len(s.words) for s in sentences) / 3000 == pytest.approx(11.9, abs=0.1)


@pytest.mark.realdata
def test_bag_of_words_gives_the_stored_figure(corpora):
    right = sentiment.bag_of_words(*sentiment.split(sentiment.load(), 0))
    stored = results("sentiment")["seeds"]["0"]["accuracy"]["bag of words"]
    assert sum(right) / len(right) == pytest.approx(stored, abs=0.01)


@pytest.mark.realdata
def test_the_command_stores_a_table(corpora, tmp_path, capsys):
    path = tmp_path / "sentiment.json"
    words = [
        "run",
        "sentiment",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--learning-rates",
        "0.01",
        "--device",
        "cpu",
        "--out",
        str(path),
    ]
    assert main(words) == 0
    assert "accuracy/learned query" in capsys.readouterr().out
    assert path.exists()


def test_stored_tables_have_the_seeds_that_the_chapter_speaks_of():
    real, generated = results("sentiment"), results("sentiment_reviews")
    assert (len(real["seeds"]), len(generated["seeds"])) == (8, 6)
    for row in real["seeds"].values():
        accuracy = row["accuracy"]
        gain = accuracy["learned query"] - accuracy["equal weights"]
        assert accuracy["learned minus equal"] == pytest.approx(gain)
