"""``attnbook run language_model``: what is counted, that training learns, and that what ships comes back."""

import json
import math

import pytest
import torch

from attnbook import models
from attnbook.cli import main
from attnbook.data import prose
from attnbook.experiments import language_model, training_rule
from attnbook.nn import GPT

TINY = (
    "--vocab 300 --d-model 16 --heads 2 --layers 1 --steps 6 --batch-size 2 --validate-every 3 --share 0.05"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("TQDM_DISABLE", "1")

    def attnbook(*words):
        out = tmp_path / "results.json"
        status = main(
            [
                "run",
                "language_model",
                *TINY.split(),
                "--device",
                "cpu",
                "--seeds",
                "1",
                *words,
                "--out",
                str(out),
            ]
        )
        return status or json.loads(out.read_text(encoding="utf-8"))["seeds"]["0"]

    return attnbook


def test_the_model_that_ships_reads_text_and_scores_what_is_stored(run, tmp_path):
    numbers = run("--ship", "11_test", "--models", str(tmp_path))
    trained = models.load("11_test", folder=tmp_path)
    assert len(trained.tokenizer) == 300
    assert trained.model.vocab == 300
    text = prose.joined(prose.split()[1])
    assert trained.tokenizer.decode(trained.tokenizer.encode(text)) == text
    again = language_model.measured(trained.model, trained.tokenizer, text)
    assert again == pytest.approx(trained.scores, rel=1e-5)
    assert again["nats a token"] == pytest.approx(numbers["GPT"]["nats a token"], abs=0.01)  # rounded to half
    assert numbers["text"]["characters"] < 30_000
    assert sum(row[0] for row in numbers["sections"]) == len(text.encode())
    assert numbers["training"]["steps"] == 6


def test_nats_with_a_stride_is_each_tokens_loss_with_what_the_window_holds():
    torch.manual_seed(0)
    model = GPT(9, 8, 2, 1, positions="rotary").double().eval()
    tokens = torch.randint(9, (23,)).tolist()
    for window, stride in ((8, 8), (8, 4), (8, 3), (30, 30)):
        total = 0.0
        for place in range(1, 23):
            # the first window whose end reaches this token
            start = next(s for s in range(0, 23, stride) if s + window >= place)
            logits, _ = model(torch.tensor([tokens[start:place]]))
            total -= logits[0, -1].log_softmax(-1)[tokens[place]].item()
        assert language_model.nats(model, tokens, window, stride) == pytest.approx(total)
    assert language_model.bits_a_byte(8 * math.log(2), "éé") == pytest.approx(2)  # four bytes


def test_training_learns_a_text_that_repeats():
    torch.manual_seed(0)
    model = GPT(7, 16, 2, 1, positions="rotary")
    tokens = [1, 2, 3, 4, 5] * 60
    windows = language_model.Windows(tokens, 4, 0)
    assert torch.equal(windows(3), windows(3))
    assert not torch.equal(windows(3), windows(4))
    language_model.fit(
        model, windows, steps=60, loss=language_model.next_token_loss, learning_rate=1e-2, progress=False
    )
    assert language_model.nats(model, tokens[:60]) / 59 < 0.3 < math.log(5)


def test_a_share_is_taken_from_the_whole_book():
    few, held_out = language_model.texts(0.25)
    whole, same = language_model.texts(1)
    assert held_out == same
    assert 0.15 < len(few) / len(whole) < 0.35
    with pytest.raises(ValueError, match="--share: expected a number above 0"):
        language_model.texts(0)
