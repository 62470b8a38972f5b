"""Chapter 4: what its starred exercises claim, found again in another way."""

import math

import torch

from attnbook.exercises import exercise
from attnbook.exercises.bank.ch04.least_loss import WORDS

NUMBERS = torch.arange(WORDS, dtype=torch.float64) - WORDS // 2


def loss(annotations, W, U, v):
    scores = torch.tanh((NUMBERS[:, None] @ W.T)[:, None, :] + annotations @ U.T) @ v
    return torch.nn.functional.cross_entropy(scores, torch.arange(WORDS))


def test_the_slopes_of_the_weights_are_autograds():
    item = exercise("4.9")
    for case in item.make_cases(3):
        args = case.args

        def weights(query, args=args):
            hidden = torch.tanh((query @ args["W"].T)[:, None, :] + args["annotations"] @ args["U"].T)
            return torch.softmax(hidden @ args["v"], dim=-1)

        whole = torch.autograd.functional.jacobian(weights, args["query"])  # (batch, src, batch, d_query)
        wanted = torch.einsum("bsbd->bsd", whole)
        torch.testing.assert_close(item.reference(**args), wanted, atol=1e-5, rtol=1e-4)


def test_without_a_constant_equal_weights_are_the_best_that_there_is():
    """For any parameters, since a query and its opposite want opposite things; equal weights reach it."""
    generator = torch.Generator().manual_seed(0)
    bound = exercise("4.10").reference()
    assert bound == math.log(WORDS)
    for number in range(60):
        hidden, scale = 1 + number % 40, 10 ** (number % 5 - 3)
        W, U, v = (
            scale * torch.randn(size, generator=generator, dtype=torch.float64)
            for size in ((hidden, 1), (hidden, 1), (hidden,))
        )
        assert loss(NUMBERS[:, None], W, U, v) >= bound - 1e-12
    torch.testing.assert_close(loss(NUMBERS[:, None], W, U, 0 * v).item(), bound)


def test_with_a_constant_two_hidden_units_are_enough():
    """The difference of two tanh is a bump, and the query slides it along the words."""
    a = 6.0
    W, U = torch.tensor([[-a], [-a]]), torch.tensor([[a, a / 2], [a, -a / 2]])
    v = torch.tensor([5.0, -5.0])
    with_constant = torch.stack([NUMBERS, torch.ones(WORDS)], dim=1)
    assert loss(with_constant, *(each.double() for each in (W, U, v))) < 0.01


def test_the_loss_of_the_other_task_is_named():
    item = exercise("4.10")
    for said, words in ((0.0035, "with the constant"), (13.62, "Asked for is their mean")):
        assert any(abs(said - one.value) <= one.tolerance and words in one.text for one in item.nearby)
