"""Five ways to ask which word an answer came from, against what a reader of single words must say."""

import pytest
import torch

from attnbook.analysis import importance
from attnbook.nn import PooledReader


@pytest.fixture
def texts():
    torch.manual_seed(0)
    mask = torch.arange(6) < torch.tensor([6, 4, 3])[:, None]
    return torch.randint(2, 12, (3, 6)) * mask, mask


def reader(mixer):
    torch.manual_seed(1)
    return PooledReader(12, mixer, 8, start=1.0).eval()


def ask_all(model, tokens, mask):
    donors = [(tokens.roll(1, 0), mask.roll(1, 0))]
    found = {
        "weights": importance.attention_weights(model, tokens, mask),
        "gradient": importance.gradient_times_input(model, tokens, mask),
        "hidden": importance.hidden_words(model, tokens, mask),
        "patched": importance.patched_states(model, tokens, mask, donors),
    }
    if model.mixer != "recurrent":
        found["rolled out"] = importance.rolled_out(model, tokens, mask)
    return found


@pytest.mark.parametrize("mixer", ["none", "recurrent", "attention"])
def test_padding_is_never_important_and_nothing_is_negative(mixer, texts):
    tokens, mask = texts
    for name, found in ask_all(reader(mixer), tokens, mask).items():
        assert found.shape == mask.shape, name
        assert (found >= 0).all(), name
        assert found[~mask].eq(0).all(), name
        assert found[mask].max() > 0, name


def test_hiding_a_word_is_one_run_of_the_changed_text(texts):
    tokens, mask = texts
    model = reader("recurrent")
    changed = tokens.clone()
    changed[1, 2] = 1
    moved = (model(changed, mask)[0] - model(tokens, mask)[0]).abs()[1]
    torch.testing.assert_close(importance.hidden_words(model, tokens, mask)[1, 2], moved)


def test_gradient_times_input_is_the_slope(texts):
    tokens, mask = texts
    model = reader("attention").double()
    vectors = model.embedding(tokens).detach()

    def logit(scale):
        moved = vectors.clone()
        moved[0, 3] *= scale
        return model.read(model.mix(moved, mask)[0], mask)[0][0]

    slope = ((logit(1 + 1e-5) - logit(1 - 1e-5)) / 2e-5).abs()
    found = importance.gradient_times_input(model, tokens, mask)[0, 3]
    torch.testing.assert_close(found, slope.detach(), rtol=1e-5, atol=1e-9)


def test_patching_a_reader_of_single_words_is_exchanging_a_word(texts):
    tokens, mask = texts
    model = reader("none")
    other = tokens.roll(1, 0)
    changed = tokens.clone()
    changed[0, 4] = other[0, 4 % 3]  # the donor of text 0 has three words and begins again
    moved = (model(changed, mask)[0] - model(tokens, mask)[0]).abs()[0]
    found = importance.patched_states(model, tokens, mask, [(other, mask.roll(1, 0))])
    torch.testing.assert_close(found[0, 4], moved)
    twice = importance.patched_states(model, tokens, mask, [(other, mask.roll(1, 0))] * 2)
    torch.testing.assert_close(twice, found)


def test_a_text_patched_with_itself_does_not_move(texts):
    tokens, mask = texts
    found = importance.patched_states(reader("recurrent"), tokens, mask, [(tokens, mask)])
    assert found.abs().max() < 1e-6


def test_roll_out_adds_up_to_one_and_needs_layers_of_weights(texts):
    tokens, mask = texts
    torch.testing.assert_close(importance.rolled_out(reader("attention"), tokens, mask).sum(1), torch.ones(3))
    alone = reader("none")
    torch.testing.assert_close(
        importance.rolled_out(alone, tokens, mask), importance.attention_weights(alone, tokens, mask)
    )
    with pytest.raises(ValueError, match="recurrent"):
        importance.rolled_out(reader("recurrent"), tokens, mask)
