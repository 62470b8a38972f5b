"""Activation patching on a model whose circuit is known, and what it refuses."""

import pytest
import torch
from torch import nn

from attnbook.analysis import patch
from attnbook.experiments.extrapolation import Reader


class Carries(nn.Module):
    """Reads numbers. The first layer does nothing, the second copies position 1 to position 3."""

    class Layer(nn.Module):
        def __init__(self, copies):
            super().__init__()
            self.copies = copies

        def forward(self, x):
            x = x.clone()
            if self.copies:
                x[:, 3] = x[:, 1]
            return (x, "beside")

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([self.Layer(False), self.Layer(True)])

    def forward(self, numbers):
        x = numbers.unsqueeze(-1).float()
        for layer in self.layers:
            x, _ = layer(x)
        return x


def last(out):
    return out[:, 3, 0]


TEXT, SOURCE = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[5, 7, 6, 9]])


def test_it_finds_where_the_difference_is_carried():
    found = patch(Carries(), TEXT, SOURCE, last)
    assert (found.before, found.source, found.layers) == (2.0, 7.0, ["layers.0", "layers.1"])
    assert found.answer.tolist() == [[2.0, 7.0, 2.0, 2.0], [2.0, 2.0, 2.0, 7.0]]
    assert found.moved.tolist() == [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_several_positions_and_named_modules():
    found = patch(Carries(), TEXT, SOURCE, last, layers=["layers.1"], positions=[0, [2, 3]])
    assert found.answer.tolist() == [[2.0, 7.0]]


def test_a_model_of_this_book():
    torch.manual_seed(0)
    model = Reader("rotary", d_model=16, n_heads=2).train()
    text, source = torch.randint(32, (2, 1, 12)).unbind(0)

    def answer(out):
        return out[:, -1, 3]

    found = patch(model, text, source, answer, positions=[*range(12), list(range(12))])
    assert found.layers == ["layers.0", "layers.1"]
    torch.testing.assert_close(found.answer[:, -1], torch.full((2,), found.source))
    # A causal model: after the last layer only the position that answers matters.
    torch.testing.assert_close(found.answer[1, :11], torch.full((11,), found.before))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": torch.tensor([[1, 2]])}, "^source: expected 4 tokens, as text has, got 2"),
        ({"text": torch.tensor([1, 2])}, r"^text: expected one text, \(1, tokens\), got \(2,\)"),
        ({"layers": "nowhere"}, "^layers: expected names of modules, got 'nowhere'"),
        ({"layers": []}, "^layers: expected at least one module"),
        ({"positions": []}, "^positions: expected at least one"),
        ({"positions": [4]}, r"^positions: expected numbers from 0 to 3, got \[4\]"),
        ({"answer": lambda out: out.sum()}, r"^answer: expected one number a text, shape \(1,\), got \(\)"),
    ],
)
def test_bad_input_is_named(change, sentence):
    given = {"text": TEXT, "source": SOURCE, "answer": last, **change}
    with pytest.raises(ValueError, match=sentence):
        patch(Carries(), **given)


def test_texts_with_one_answer_have_no_map():
    found = patch(Carries(), TEXT, TEXT, last)
    with pytest.raises(ValueError, match="^source: expected a text with another answer"):
        _ = found.moved
