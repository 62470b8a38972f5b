"""The reader of reviews: its equation, what each mixer lets a state know, padding, and bad input."""

import math

import pytest
import torch

from attnbook.nn import PooledReader
from attnbook.nn.pooled_reader import MIXERS


def texts(batch=3, words=6, vocab=12):
    torch.manual_seed(0)
    tokens = torch.randint(1, vocab, (batch, words))
    mask = torch.arange(words) < torch.tensor([words, words - 2, 2])[:batch, None]
    return tokens * mask, mask


def reader(mixer, **options):
    torch.manual_seed(1)
    return PooledReader(12, mixer, 8, start=1.0, **options).eval()


@pytest.mark.parametrize("score", ["dot", "additive"])
@pytest.mark.parametrize("mixer", MIXERS)
def test_the_answer_is_the_weighted_sum_of_the_states(mixer, score):
    tokens, mask = texts()
    model = reader(mixer, score=score)
    states, _ = model.mix(model.embedding(tokens), mask)
    logits, weights = model(tokens, mask)
    for row, length in enumerate(mask.sum(dim=1).tolist()):
        h = states[row, :length]
        keys = h if score == "dot" else torch.tanh(h @ model.hidden.weight.T + model.hidden.bias)
        expected = torch.softmax(keys @ model.pooling.query / math.sqrt(8), dim=0)
        torch.testing.assert_close(weights[row, :length], expected)
        assert weights[row, length:].eq(0).all()
        torch.testing.assert_close(logits[row], model.output(expected @ h)[0])


@pytest.mark.parametrize("mixer", MIXERS)
def test_padding_changes_nothing(mixer):
    tokens, mask = texts()
    model = reader(mixer)
    logits, weights = model(tokens[1:2, :4], mask[1:2, :4])
    padded, more = model(tokens[1:2], mask[1:2])
    torch.testing.assert_close(padded, logits, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(more[:, :4], weights, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("mixer", MIXERS)
def test_only_a_mixer_lets_a_state_know_other_words(mixer):
    tokens, mask = texts(1)
    model = reader(mixer)
    changed = tokens.clone()
    changed[0, 3] = tokens[0, 3] % 11 + 1
    before, after = (model.mix(model.embedding(each), mask)[0] for each in (tokens, changed))
    differs = (before != after).any(dim=2)[0]
    assert differs[3]
    assert differs.sum() == (1 if mixer == "none" else 6)


def test_a_reader_that_does_not_attend_weighs_all_words_alike():
    tokens, mask = texts()
    _, weights = reader("recurrent", attends=False)(tokens, mask)
    torch.testing.assert_close(weights, mask / mask.sum(dim=1, keepdim=True))


def test_weights_can_be_given():
    tokens, mask = texts()
    model = reader("recurrent")
    states, _ = model.mix(model.embedding(tokens), mask)
    _, own = model.read(states, mask)
    torch.testing.assert_close(model.read(states, mask, own)[0], model(tokens, mask)[0])
    flat = mask / mask.sum(dim=1, keepdim=True)
    assert not torch.allclose(model.read(states, mask, flat)[0], model(tokens, mask)[0])


@pytest.mark.parametrize(
    ("options", "named"),
    [({"mixer": "cnn"}, "mixer"), ({"score": "concat"}, "score"), ({"d_model": 7}, "d_model")],
)
def test_bad_sizes_and_names_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        PooledReader(12, **options)


def test_bad_tokens_are_refused():
    tokens, mask = texts()
    with pytest.raises(ValueError, match="tokens"):
        reader("none")(tokens + 12, mask)
    with pytest.raises(ValueError, match="mask"):
        reader("none")(tokens, mask.float())
