"""Skip-gram with negative sampling against loops, and counting against its formula."""

import math

import pytest
import torch

from attnbook.nn import SkipGram, positive_pmi


def test_the_loss_equals_a_loop_over_pairs():
    torch.manual_seed(0)
    model = SkipGram(vocab=7, d_embed=4).double()
    torch.nn.init.normal_(model.around.weight)
    torch.nn.init.normal_(model.middle.weight)
    word, near = torch.tensor([0, 3, 6]), torch.tensor([1, 2, 2])
    drawn = torch.tensor([[4, 5], [0, 0], [6, 1]])
    total = 0.0
    for row in range(3):
        vector = model.middle.weight[word[row]]
        total -= math.log(1 / (1 + math.exp(-(vector @ model.around.weight[near[row]]).item())))
        for other in drawn[row]:
            total -= math.log(1 / (1 + math.exp((vector @ model.around.weight[other]).item())))
    assert model(word, near, drawn).item() == pytest.approx(total / 3)


def test_it_begins_undecided():
    """With zeros around, every dot product is 0 and every sigmoid one half: (1 + negatives) · log 2."""
    model = SkipGram(vocab=9, d_embed=4)
    loss = model(torch.tensor([0, 1]), torch.tensor([2, 3]), torch.zeros(2, 5, dtype=torch.long))
    assert loss.item() == pytest.approx(6 * math.log(2), abs=1e-6)
    assert model.middle.weight.abs().max() <= 0.5 / 4


def test_training_tells_pairs_of_the_text_from_others():
    torch.manual_seed(0)
    model = SkipGram(vocab=6, d_embed=3)
    word = torch.tensor([0, 1, 2, 3, 4, 5])
    near = torch.tensor([1, 0, 3, 2, 5, 4])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(200):
        loss = model(word, near, torch.randint(6, (6, 4)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    scores = model.middle.weight @ model.around.weight.T
    assert scores.argmax(dim=1).tolist() == near.tolist()


def test_pmi_of_a_small_table_by_hand():
    counts = torch.tensor([[0.0, 3.0], [1.0, 4.0]], dtype=torch.float64)  # 8 pairs
    wanted = [
        [0.0, math.log((3 / 8) / (3 / 8 * 7 / 8))],
        [math.log((1 / 8) / (5 / 8 * 1 / 8)), 0.0],  # the last one is below chance: 4/8 < 5/8 · 7/8
    ]
    assert math.log((4 / 8) / (5 / 8 * 7 / 8)) < 0
    torch.testing.assert_close(positive_pmi(counts), torch.tensor(wanted, dtype=torch.float64))


def test_independent_words_have_no_pmi_and_empty_rows_no_nan():
    rows, columns = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([3.0, 4.0])
    found = positive_pmi(rows[:, None] * columns)
    torch.testing.assert_close(found, torch.zeros(3, 2), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: SkipGram(0, 3), ValueError, "vocab: expected a whole number of at least 1"),
        (lambda: SkipGram(3, 2.0), TypeError, "d_embed: expected a whole number"),
        (lambda: skip(word=torch.tensor([9, 0])), ValueError, "word: expected token numbers from 0 to 4"),
        (lambda: skip(near=torch.tensor([1.0, 0.0])), ValueError, "near: expected token numbers"),
        (lambda: skip(drawn=torch.tensor([1, 0])), ValueError, "drawn: expected 2 dimensions"),
        (lambda: skip(near=torch.tensor([1])), ValueError, "near: expected 2 rows as in word"),
        (lambda: positive_pmi(torch.zeros(2, 2)), ValueError, "counts: expected counts of at least 0"),
        (
            lambda: positive_pmi(torch.tensor([[1.0, -1.0]])),
            ValueError,
            "counts: expected counts of at least",
        ),
        (lambda: positive_pmi(torch.ones(2, 2, dtype=torch.long)), ValueError, "counts: expected floating"),
        (lambda: positive_pmi([[1.0]]), TypeError, "counts: expected a torch.Tensor"),
    ],
)
def test_bad_input_is_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def skip(**change):
    given = {
        "word": torch.tensor([0, 1]),
        "near": torch.tensor([1, 0]),
        "drawn": torch.zeros(2, 3, dtype=int),
    }
    return SkipGram(5, 4)(**{**given, **change})
