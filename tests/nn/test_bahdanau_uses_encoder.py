"""A "Bahdanau attention" whose weights cannot depend on the encoder has shipped more than once. Ours must.

The test changes what the encoder read and asks whether the weights follow. Chapter 4 shows it beside an
attention that fails it.
"""

import pytest
import torch
from torch import nn

from attnbook.nn import AdditiveScore, Attention, DotScore, GeneralScore, GRUDecoder, GRUEncoder, Seq2Seq

D_QUERY, D_KEY, SRC = 5, 6, 9


def asks_the_memory(look, memory):
    """Whether the weights follow the memory's rows when these are put in reverse order."""
    with torch.no_grad():
        _, before = look(memory)
        _, after = look(memory.flip(1))
    return not torch.allclose(before, after) and torch.allclose(before.flip(-1), after, atol=1e-6)


class NeverLooks(nn.Module):
    """Weights from the word before and the decoder's state alone, one score a place."""

    def __init__(self, d_embed, d_hidden, longest):
        super().__init__()
        self.layer = nn.Linear(d_embed + d_hidden, longest)

    def forward(self, word, state, memory):
        scores = self.layer(torch.cat([word, state], dim=-1))[:, : memory.shape[1]]
        weights = torch.softmax(scores, dim=-1)
        return torch.einsum("bj,bjd->bd", weights, memory), weights


@pytest.fixture
def memory():
    torch.manual_seed(0)
    return torch.randn(2, SRC, D_KEY)


@pytest.mark.parametrize(
    "score",
    [AdditiveScore(D_QUERY, D_KEY, 7), GeneralScore(D_QUERY, D_KEY), DotScore()],
    ids=["additive", "general", "dot"],
)
def test_real_attention_asks_the_memory(score, memory):
    query = torch.randn(2, 1, D_KEY if isinstance(score, DotScore) else D_QUERY)
    assert asks_the_memory(lambda m: Attention(score)(query, m, m), memory)


def test_the_test_catches_an_attention_that_never_looks(memory):
    never, word, state = NeverLooks(3, D_QUERY, SRC), torch.randn(2, 3), torch.randn(2, D_QUERY)
    assert not asks_the_memory(lambda m: never(word, state, m), memory)


def test_the_test_catches_a_uniform_average(memory):
    def mean(m):
        weights = m.new_full((2, 1, SRC), 1 / SRC)
        return weights @ m, weights

    assert not asks_the_memory(mean, memory)


def test_additive_weights_also_follow_the_question(memory):
    torch.manual_seed(1)
    attention = Attention(AdditiveScore(D_QUERY, D_KEY, 7))
    _, first = attention(torch.randn(2, 1, D_QUERY), memory, memory)
    _, second = attention(torch.randn(2, 1, D_QUERY), memory, memory)
    assert (first - second).abs().max() > 1e-3


def test_a_whole_translator_looks_elsewhere_when_the_source_is_another():
    """The same French words, another English sentence: the rows of weights differ, from the first word on."""
    torch.manual_seed(2)
    encoder = GRUEncoder(11, 4, 5, bidirectional=True)
    model = Seq2Seq(
        encoder, GRUDecoder(13, 4, 5, encoder.d_memory, AdditiveScore(5, encoder.d_memory, 7))
    ).eval()
    src, tgt = torch.tensor([[4, 5, 6, 7]]), torch.tensor([[1, 8, 9]])
    with torch.no_grad():
        _, weights = model(src, tgt)
        _, others = model(torch.tensor([[4, 5, 6, 10]]), tgt)
    assert ((weights - others).abs().amax(dim=-1) > 1e-4).all()


def test_gradients_reach_the_encoder_through_the_weights_alone():
    """Detach the values: what is left can only come through the scores."""
    torch.manual_seed(3)
    memory = torch.randn(1, SRC, D_KEY, requires_grad=True)
    context, _ = Attention(AdditiveScore(D_QUERY, D_KEY, 7))(
        torch.randn(1, 1, D_QUERY), memory, memory.detach()
    )
    context.sum().backward()
    assert memory.grad.abs().sum() > 0
