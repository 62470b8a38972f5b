"""Estimators of a gradient through a draw, against the gradient that is summed over all positions.

Five positions are few enough to try all. The outcome is a non-linear function of the context, so that an
estimator that only looks right for linear outcomes is found out.
"""

import math

import pytest
import torch

from attnbook.nn import (
    MovingBaseline,
    draw_one,
    expected_outcome,
    gumbel_softmax,
    reinforce_loss,
    straight_through,
)
from attnbook.nn.gradient_estimators import gumbel_noise

KEYS = 5
DRAWS = 40_000
# Each mean of DRAWS draws may lie this many standard errors from the truth. With 5 numbers a test, a right
# estimator fails by chance once in 3,000 seeds (5 · 0.00006); the seed is fixed, so it passes for good.
ERRORS = 4.0


@pytest.fixture
def problem():
    torch.manual_seed(1)
    scores = torch.randn(KEYS, dtype=torch.float64, requires_grad=True)
    value = torch.randn(KEYS, 3, dtype=torch.float64)
    mix = torch.randn(3, dtype=torch.float64)
    return scores, lambda weights: ((weights @ value).tanh() @ mix).exp()


def exact_gradient(scores, outcome):
    outcomes = outcome(torch.eye(KEYS, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(expected_outcome(scores, outcomes), scores)
    return gradient


def gradients(scores, estimate):
    """One estimate a draw, (draws, keys): the same scores in every row, each with a gradient of its own."""
    rows = scores.detach().expand(DRAWS, KEYS).clone().requires_grad_()
    (each,) = torch.autograd.grad(estimate(rows).sum(), rows)
    return each


def far(each, exact):
    """How many standard errors the mean lies from the exact gradient, in the worst of its numbers."""
    error = each.std(dim=0) / math.sqrt(len(each))
    return ((each.mean(dim=0) - exact).abs() / error).max()


def reinforce(outcome, baseline):
    def estimate(rows):
        drawn = draw_one(rows)
        log_prob = (rows.log_softmax(-1) * drawn).sum(-1)
        # reinforce_loss averages; its sign is that of a loss
        return -reinforce_loss(log_prob, outcome(drawn), baseline) * len(rows)

    return estimate


def test_expected_outcome_is_the_sum_and_its_gradient_the_softmax_s(problem):
    scores, outcome = problem
    outcomes = outcome(torch.eye(KEYS, dtype=torch.float64))
    odds = scores.softmax(-1)
    torch.testing.assert_close(expected_outcome(scores, outcomes), odds @ outcomes)
    by_hand = odds * (outcomes - odds @ outcomes)  # derivative of a softmax: α_k (f(k) − J)
    torch.testing.assert_close(exact_gradient(scores, outcome), by_hand, atol=1e-12, rtol=0)
    assert torch.autograd.gradcheck(lambda s: expected_outcome(s, outcomes), scores, atol=1e-6)


def test_reinforce_averages_to_the_exact_gradient_over_all_draws(problem):
    """No chance in it: every draw once, weighted with its odds."""
    scores, outcome = problem
    total = torch.zeros(KEYS, dtype=torch.float64)
    for k in range(KEYS):
        drawn = torch.nn.functional.one_hot(torch.tensor(k), KEYS).double()
        log_prob = scores.log_softmax(-1)[k]
        loss = reinforce_loss(log_prob, outcome(drawn), baseline=0.7)
        total -= scores.softmax(-1)[k].detach() * torch.autograd.grad(loss, scores)[0]
    torch.testing.assert_close(total, exact_gradient(scores, outcome), atol=1e-6, rtol=0)


@pytest.mark.parametrize("baseline", [0.0, 1.5, -20.0])
def test_reinforce_is_unbiased(problem, baseline):
    scores, outcome = problem
    each = gradients(scores, reinforce(outcome, baseline))
    assert far(each, exact_gradient(scores, outcome)) < ERRORS


def test_the_test_for_bias_would_see_one(problem):
    """A baseline that knows the draw is biased, and the same test says so."""
    scores, outcome = problem

    def cheating(rows):
        drawn = draw_one(rows)
        log_prob = (rows.log_softmax(-1) * drawn).sum(-1)
        return -reinforce_loss(log_prob, outcome(drawn), 0.2 * outcome(drawn)) * len(rows)

    assert far(gradients(scores, cheating), exact_gradient(scores, outcome)) > 3 * ERRORS


def test_a_baseline_near_the_mean_takes_noise_away(problem):
    scores, outcome = problem
    mean = expected_outcome(scores, outcome(torch.eye(KEYS, dtype=torch.float64))).item()
    without, with_it, far_off = (
        gradients(scores, reinforce(outcome, baseline)).var(dim=0).sum() for baseline in (0.0, mean, 50.0)
    )
    assert with_it < 0.6 * without < 0.6 * far_off


def test_straight_through_is_biased_for_a_curved_outcome_and_not_for_a_straight_one(problem):
    scores, outcome = problem

    def estimate(of):
        return lambda rows: of(straight_through(draw_one(rows), rows.softmax(-1)))

    exact = exact_gradient(scores, outcome)
    each = gradients(scores, estimate(outcome))
    assert far(each, exact) > 3 * ERRORS
    assert (each.mean(0) - exact).norm() > 0.1 * exact.norm()

    slope = torch.randn(KEYS, dtype=torch.float64)
    straight = gradients(scores, estimate(lambda weights: weights @ slope))
    exact = exact_gradient(scores, lambda weights: weights @ slope)
    # every draw has the same gradient here, and it is the exact one
    torch.testing.assert_close(straight, exact.expand(DRAWS, KEYS), atol=1e-6, rtol=0)


def test_gumbel_softmax_trades_bias_against_variance(problem):
    scores, outcome = problem
    exact = exact_gradient(scores, outcome)
    bias, variance = [], []
    for temperature in (0.1, 0.5, 2.0):
        each = gradients(scores, lambda rows, t=temperature: outcome(gumbel_softmax(rows, t)))
        bias.append((each.mean(0) - exact).norm())
        variance.append(each.var(dim=0).sum())
    assert bias[0] < bias[2]
    assert variance[0] > variance[1] > variance[2]


def test_draws_follow_the_odds(problem):
    scores, _ = problem
    drawn = draw_one(scores.detach().expand(DRAWS, KEYS))
    assert ((drawn == 0) | (drawn == 1)).all()
    assert (drawn.sum(-1) == 1).all()
    odds = scores.softmax(-1)
    assert ((drawn.mean(0) - odds).abs() < ERRORS * (odds * (1 - odds) / DRAWS).sqrt()).all()


def test_gumbel_noise_has_the_mean_of_gumbel_noise():
    torch.manual_seed(0)
    noise = gumbel_noise(torch.zeros(DRAWS, dtype=torch.float64))
    assert noise.mean().item() == pytest.approx(0.5772, abs=4 * math.pi / math.sqrt(6 * DRAWS))


def test_temperature_to_zero_is_a_draw_and_not_the_argmax(problem):
    scores, _ = problem
    near = gumbel_softmax(scores.detach().expand(DRAWS, KEYS), 1e-4)
    assert (near.amax(-1) > 0.999).double().mean() > 0.99
    odds = scores.softmax(-1)
    torch.testing.assert_close(near.mean(0), odds.detach(), atol=0.01, rtol=0)


def test_masked_positions_are_never_drawn_and_a_row_of_nothing_gives_zeros():
    torch.manual_seed(0)
    scores = torch.randn(500, KEYS)
    scores[:, 2] = -torch.inf
    scores[0] = -torch.inf
    scores.requires_grad_()
    mixed = gumbel_softmax(scores, 0.5)
    for weights in (draw_one(scores), mixed):
        assert not weights[:, 2].any()
        assert not weights[0].any()
        torch.testing.assert_close(weights[1:].sum(-1), torch.ones(499))
    expected = expected_outcome(scores, torch.ones_like(scores))
    assert expected[0] == 0
    (mixed.square().sum() + expected.sum()).backward()
    assert scores.grad.isfinite().all()
    assert not scores.grad[0].any()


def test_moving_baseline_starts_at_the_first_reward():
    baseline = MovingBaseline(0.9)
    assert baseline.update(torch.tensor([1.0, 3.0])) == 2.0
    assert baseline.update(torch.tensor([4.0])) == pytest.approx(2.2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: expected_outcome(torch.zeros(3), torch.zeros(4)), r"scores: expected shape \(4,\)"),
        (lambda: expected_outcome(torch.zeros(3).long(), torch.zeros(3)), "scores: expected floating-point"),
        (lambda: gumbel_softmax(torch.zeros(3), 0.0), "temperature: expected a number above 0"),
        (lambda: draw_one(torch.zeros(3).long()), "scores: expected floating-point"),
        (lambda: straight_through(torch.zeros(3), torch.zeros(2)), r"drawn: expected shape \(2,\)"),
    ],
)
def test_bad_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
