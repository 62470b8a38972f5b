"""Greedy and beam search against a language that fits on a page, and against trying every output."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from attnbook.data.vocabulary import Vocabulary
from attnbook.nn import AdditiveScore, GRUDecoder, GRUEncoder, Seq2Seq
from attnbook.translation.search import beam, greedy, length_penalty, translate

BOS, EOS, A, B, C = 1, 2, 4, 5, 6


@dataclass
class Last:
    """The state of a model whose next word depends on the last one alone, and on the sentence."""

    shift: torch.Tensor
    src: torch.Tensor

    def select(self, rows):
        return Last(self.shift[rows], self.src[rows])


class Bigrams(nn.Module):
    """Probabilities p(next | last) from a table (7, 7); looks at every source word alike."""

    def __init__(self, table):
        super().__init__()
        self.table = nn.Parameter(table.log())
        self.training_when_asked = []

    def start(self, src, src_mask):
        return Last(torch.zeros(len(src)), src)

    def step(self, token, state):
        self.training_when_asked.append(self.training)
        weights = torch.full(state.src.shape, 1 / state.src.shape[1])
        return self.table[token], weights, state


def bigrams(**rows):
    """Rows of the table by name; words that are not named get a probability of (almost) 0."""
    names = {"bos": BOS, "eos": EOS, "a": A, "b": B, "c": C}
    table = torch.full((7, 7), 1e-9)
    for name, row in rows.items():
        for word, probability in row.items():
            table[names[name], names[word]] = probability
    return Bigrams(table / table.sum(-1, keepdim=True))


# The likeliest first word leads into a thicket; the second leads to a sure end.
TRAP = {
    "bos": {"a": 0.6, "b": 0.4},
    "a": {"a": 0.34, "c": 0.33, "eos": 0.33},
    "b": {"eos": 1.0},
    "c": {"eos": 1.0},
}


def test_greedy_walks_into_the_trap_and_a_beam_of_two_does_not():
    model = bigrams(**TRAP)
    src = torch.tensor([[4, 5, 6]])
    first = greedy(model, src, most=3)[0]
    assert first.tokens == [A, A, A]
    assert not first.finished
    assert first.log_probability == pytest.approx(math.log(0.6 * 0.34 * 0.34), abs=1e-4)
    best = beam(model, src, width=2, alpha=0.0, most=6)[0][0]
    assert best.tokens == [B]
    assert best.finished
    assert best.log_probability == pytest.approx(math.log(0.4), abs=1e-4)
    assert best.weights.shape == (1, 3)


def test_finished_rows_wait_for_the_others():
    """Two sentences in one batch, one ends at once: its tokens and weights stop there."""

    class Ends(Bigrams):
        def step(self, token, state):
            logits, weights, state = super().step(token, state)
            first_ends = (state.src[:, 0] == A).unsqueeze(1)  # this sentence ends at once
            only_end = torch.full_like(logits, -30.0)
            only_end[:, EOS] = 0.0
            return torch.where(first_ends, only_end, logits), weights, state

    model = Ends(bigrams(**{**TRAP, "bos": {"c": 1.0}}).table.exp().detach())
    out = greedy(model, torch.tensor([[A, A], [B, B]]), most=5)
    assert [hypothesis.tokens for hypothesis in out] == [[], [C]]
    assert [tuple(hypothesis.weights.shape) for hypothesis in out] == [(0, 2), (1, 2)]
    assert [hypothesis.finished for hypothesis in out] == [True, True]
    assert out[1].log_probability == pytest.approx(0.0, abs=1e-4)


def all_outputs(model, most):
    """Every output of up to ``most`` tokens that ends, with its log probability."""
    table = model.table.log_softmax(-1)
    words = [word for word in range(7) if word != EOS]
    for length in range(most):
        for tokens in itertools.product(words, repeat=length):
            path = [BOS, *tokens, EOS]
            yield list(tokens), sum(table[a, b].item() for a, b in itertools.pairwise(path))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_a_wide_beam_finds_what_trying_everything_finds(alpha):
    for seed in range(5):
        torch.manual_seed(seed)
        model = Bigrams(torch.rand(7, 7) ** 3 + 0.01)
        outputs = [(p / length_penalty(len(t) + 1, alpha), t, p) for t, p in all_outputs(model, 4)]
        score, tokens, probability = max(outputs)
        found = beam(model, torch.tensor([[4, 5]]), width=7**3, alpha=alpha, most=4)[0][0]
        assert found.finished
        assert found.log_probability / length_penalty(len(found.tokens) + 1, alpha) == pytest.approx(
            score, abs=1e-4
        )
        assert found.tokens == tokens
        assert found.log_probability == pytest.approx(probability, abs=1e-4)


def test_length_normalisation_lets_longer_outputs_win():
    """[] has log 0.5 = −0.69; a b c has log 0.405 = −0.90, and −0.60 after division by (5 + 4) / 6."""
    model = bigrams(
        bos={"eos": 0.5, "a": 0.5}, a={"b": 0.9, "c": 0.1}, b={"c": 0.9, "a": 0.1}, c={"eos": 1.0}
    )
    src = torch.tensor([[4]])
    assert beam(model, src, width=4, alpha=0.0)[0][0].tokens == []
    assert beam(model, src, width=4, alpha=1.0)[0][0].tokens == [A, B, C]
    assert length_penalty(1, 0.6) == 1.0
    assert length_penalty(7, 1.0) == pytest.approx(2.0)


def test_keep_returns_the_best_in_order():
    model = bigrams(**TRAP)
    found = beam(model, torch.tensor([[4]]), width=4, alpha=0.0, keep=3, most=6)[0]
    assert found[0].tokens == [B]
    scores = [hypothesis.log_probability for hypothesis in found]
    assert scores == sorted(scores, reverse=True)
    assert len(found) == 3


@pytest.fixture(scope="module")
def translator():
    torch.manual_seed(3)
    encoder = GRUEncoder(20, 8, 8, bidirectional=True)
    return Seq2Seq(encoder, GRUDecoder(20, 8, 8, 16, AdditiveScore(8, 16, 8)))


def test_a_beam_of_one_is_greedy_search_and_batches_change_nothing(translator):
    src = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0], [10, 0, 0, 0]])
    mask = src > 0
    together = greedy(translator, src, mask, most=9)
    for row, hypothesis in enumerate(together):
        length = int(mask[row].sum())
        alone = greedy(translator, src[row : row + 1, :length], most=9)[0]
        single = beam(translator, src[row : row + 1, :length], width=1, most=9)[0][0]
        assert alone.tokens == hypothesis.tokens == single.tokens
        assert alone.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)
        assert single.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)
        torch.testing.assert_close(alone.weights, hypothesis.weights[:, :length], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(single.weights, alone.weights, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone.weights.sum(-1), torch.ones(len(alone.tokens)))


def test_the_search_leaves_the_model_as_it_was():
    model = bigrams(**TRAP)
    model.train()
    greedy(model, torch.tensor([[4]]), most=2)
    beam(model, torch.tensor([[4]]), width=2, most=2)
    assert model.training
    assert not any(model.training_when_asked)


def test_words_in_words_out(translator):
    vocabulary = Vocabulary([f"w{i}" for i in range(16)])
    sentences = [["w1", "w2", "w3"], ["w4"], ["w5", "stranger"]]
    for width in (1, 3):
        found = translate(translator, sentences, vocabulary, vocabulary, width=width, most=6, batch_size=2)
        assert len(found) == 3
        for sentence, (words, weights) in zip(sentences, found, strict=True):
            assert weights.shape == (len(words), len(sentence))
            assert all(word in vocabulary for word in words)
    assert (
        translate(translator, sentences[1:2], vocabulary, vocabulary, most=6)[0][0]
        == (translate(translator, sentences, vocabulary, vocabulary, most=6)[1][0])
    )
    with pytest.raises(ValueError, match="sentence 1 has no words"):
        translate(translator, [["w1"], []], vocabulary, vocabulary)


def test_a_model_without_attention_has_no_weights():
    torch.manual_seed(0)
    model = Seq2Seq(GRUEncoder(20, 8, 8), GRUDecoder(20, 8, 8, 8))
    src = torch.tensor([[4, 5]])
    assert greedy(model, src, most=3)[0].weights is None
    assert beam(model, src, width=2, most=3)[0][0].weights is None


@pytest.mark.parametrize("search", [greedy, beam])
def test_bad_arguments_are_named(search, translator):
    with pytest.raises(ValueError, match=r"src: expected a \(batch, src\) tensor"):
        search(translator, torch.tensor([1, 2]))
    with pytest.raises(ValueError, match="most: expected at least 1 token"):
        search(translator, torch.tensor([[4]]), most=0)


def test_bad_beams_are_named(translator):
    for options in ({"width": 0}, {"width": 2, "keep": 3}, {"width": 2, "keep": 0}):
        with pytest.raises(ValueError, match="width, keep: expected 1 ≤ keep ≤ width"):
            beam(translator, torch.tensor([[4]]), **options)
