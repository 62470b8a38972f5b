"""Hard attention: what is drawn, and what its gradients estimate."""

import pytest
import torch

from attnbook.nn import (
    Attention,
    DotScore,
    GeneralScore,
    GRUDecoder,
    GRUEncoder,
    HardAttention,
    MovingBaseline,
    Seq2Seq,
    reinforce_loss,
)
from attnbook.nn.hard import describe

KEYS, D = 4, 3


def problem(rows=1, estimator="reinforce", **options):
    torch.manual_seed(2)
    hard = HardAttention(GeneralScore(D, D), estimator, **options).double()
    query, key = torch.randn(1, 1, D, dtype=torch.float64), torch.randn(1, KEYS, D, dtype=torch.float64)
    return hard, query.expand(rows, 1, D), key.expand(rows, KEYS, D)


@pytest.mark.parametrize("estimator", ["reinforce", "straight-through", "gumbel-straight-through"])
def test_draws_are_one_hot_and_follow_the_odds(estimator):
    rows = 20_000
    hard, query, key = problem(rows, estimator)
    context, weights = hard(query, key, key)
    assert ((weights == 0) | (weights == 1)).all()
    assert (weights.sum(-1) == 1).all()
    torch.testing.assert_close(context, weights @ key)
    odds = Attention(hard.score)(query[:1], key[:1], key[:1])[1][0, 0]
    spread = (odds * (1 - odds) / rows).sqrt()
    assert ((weights.mean(0)[0] - odds).abs() < 5 * spread).all()


@pytest.mark.parametrize("estimator", ["reinforce", "straight-through", "gumbel-straight-through"])
def test_evaluation_takes_the_likeliest(estimator):
    hard, query, key = problem(5, estimator)
    hard.eval()
    _, weights = hard(query, key, key)
    odds = Attention(hard.score)(query, key, key)[1]
    torch.testing.assert_close(weights, torch.nn.functional.one_hot(odds.argmax(-1), KEYS).double())
    assert hard.draws == []


def test_masked_positions_are_never_drawn():
    for estimator in ("reinforce", "gumbel-straight-through"):
        hard, query, key = problem(500, estimator)
        mask = torch.tensor([True, False, True, False])
        _, weights = hard(query, key, key, mask)
        assert not weights[..., ~mask].any()
        assert (weights.sum(-1) == 1).all()


@pytest.mark.parametrize("estimator", ["reinforce", "straight-through", "gumbel-straight-through"])
@pytest.mark.parametrize("training", [True, False])
def test_a_row_that_may_draw_nothing(estimator, training):
    hard, query, key = problem(3, estimator)
    hard.train(training)
    query = query.clone().requires_grad_()
    mask = torch.tensor([[True], [False], [True]]).unsqueeze(-1)
    context, weights = hard(query, key, key, mask)
    assert not context[1].any()
    assert not weights[1].any()
    total = (context**2).sum()
    if estimator == "reinforce" and training:
        (draw,) = hard.take_draws()
        assert draw.log_prob[1] == 0
        assert draw.entropy[1] == 0
        total = reinforce_loss(draw.log_prob, torch.ones(3, 1)) - draw.entropy.sum()
    if training:
        total.backward()
        assert query.grad.isfinite().all()
        assert not query.grad[1].any()


def exact_gradient(hard, query, key, reward):
    """The derivative of the expected reward, summed over all positions instead of drawn."""
    odds = Attention(hard.score)(query[:1], key[:1], key[:1])[1][0, 0]
    return torch.autograd.grad((odds * reward).sum(), hard.score.W.weight)[0]


def test_reinforce_is_unbiased_and_a_baseline_takes_noise_away():
    rows = 40_000
    hard, query, key = problem(rows)
    reward = torch.tensor([10.0, 11.0, 12.0, 9.0], dtype=torch.float64)
    exact = exact_gradient(hard, query, key, reward)
    _, weights = hard(query, key, key)
    (draw,) = hard.take_draws()
    received = (weights[:, 0] * reward).sum(-1, keepdim=True)  # (rows, 1)
    noise = []
    for baseline in (0.0, received.mean()):
        loss = reinforce_loss(draw.log_prob, received, baseline)
        (estimate,) = torch.autograd.grad(loss, hard.score.W.weight, retain_graph=True)
        # One draw's contribution, for its spread: the gradient of each log p, times the advantage.
        log_odds = Attention(hard.score)(query[:1], key[:1], key[:1])[1][0, 0].log()
        parts = torch.stack(
            [torch.autograd.grad(x, hard.score.W.weight, retain_graph=True)[0] for x in log_odds]
        )
        odds = log_odds.exp().detach()[:, None, None]
        gradients = (reward - baseline)[:, None, None] * parts
        variance = (odds * gradients**2).sum(0) - exact**2
        assert ((-estimate - exact).abs() < 5 * (variance / rows).sqrt() + 1e-9).all()
        noise.append(variance.sum().item())
    assert noise[1] < 0.1 * noise[0]


def test_reinforce_learns_the_better_position():
    hard, query, key = problem(64)
    optimiser = torch.optim.Adam(hard.parameters(), lr=0.1)
    baseline = MovingBaseline()
    for _ in range(60):
        _, weights = hard(query, key, key)
        (draw,) = hard.take_draws()
        reward = weights[:, :, 2]  # 1 where position 2 was drawn
        loss = reinforce_loss(draw.log_prob, reward, baseline.update(reward))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert Attention(hard.score)(query, key, key)[1][0, 0, 2] > 0.9


def test_gumbel_passes_the_softmax_gradient():
    torch.manual_seed(0)
    hard, query, key = problem(1, "gumbel-straight-through", temperature=0.5)
    state = torch.get_rng_state()
    context, weights = hard(query, key, key)
    torch.set_rng_state(state)
    scores = hard.score(query, key)
    noisy = scores - torch.empty_like(scores).exponential_().log()
    soft = torch.softmax(noisy / 0.5, -1)
    torch.testing.assert_close(weights.argmax(-1), noisy.argmax(-1))
    got = torch.autograd.grad((context**2).sum(), hard.score.W.weight)[0]
    through = (soft @ key * 2 * context.detach()).sum()  # d(context²) = 2 context · d(soft @ key)
    expected = torch.autograd.grad(through, hard.score.W.weight)[0]
    torch.testing.assert_close(got, expected)


def test_temperature_to_zero_of_the_scores_is_the_argmax_but_of_the_gumbel_a_draw():
    hard, query, key = problem(400, "gumbel-straight-through", temperature=1e-6)
    _, weights = hard(query, key, key)
    assert (weights.mean(0)[0] > 0).sum() > 1  # still random


def test_expected_mixes_in_the_soft_weights():
    hard, query, key = problem(4000, expected=0.5)
    _, weights = hard(query, key, key)
    soft = (weights.amax(-1) < 1).double().mean().item()
    assert 0.45 < soft < 0.55
    (draw,) = hard.take_draws()
    assert torch.equal(
        draw.log_prob == 0, weights.amax(-1) < 1
    )  # where nothing was drawn, nothing is learned


def test_an_unlikely_draw_keeps_its_log_probability_in_half_precision():
    """The probability itself, 2e-9, is 0 in float16."""
    scores = torch.tensor([[0.0, -20.0, -torch.inf]], dtype=torch.float16, requires_grad=True)
    odds = torch.softmax(scores, dim=-1)
    assert odds[0, 1] == 0
    draw = describe(scores, odds.detach(), torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float16))
    torch.testing.assert_close(draw.log_prob, torch.tensor([-20.0], dtype=torch.float16))
    draw.log_prob.sum().backward()
    torch.testing.assert_close(scores.grad, torch.tensor([[-1.0, 1.0, 0.0]], dtype=torch.float16))


def test_draws_are_kept_until_taken():
    hard, query, key = problem(2)
    for _ in range(3):
        hard(query, key, key)
    draws = hard.take_draws()
    assert len(draws) == 3
    assert draws[0].log_prob.shape == (2, 1)
    expected = -(draws[0].probabilities * draws[0].probabilities.log()).sum(-1)
    torch.testing.assert_close(draws[0].entropy, expected)
    assert hard.take_draws() == []


@pytest.mark.parametrize("estimator", ["reinforce", "straight-through", "gumbel-straight-through"])
def test_in_a_translator(estimator):
    """One draw a word; both estimators send a gradient to the score through a whole sentence."""
    torch.manual_seed(0)
    hard = HardAttention(GeneralScore(6, 6), estimator)
    model = Seq2Seq(GRUEncoder(9, 4, 6), GRUDecoder(9, 4, 6, 6, hard, query="current"))
    src, tgt = torch.randint(9, (3, 5)), torch.randint(9, (3, 4))
    mask = torch.arange(5) < torch.tensor([[5], [2], [3]])
    logits, weights = model(src, tgt, mask)
    assert (weights.sum(-1) == 1).all()
    assert not weights.masked_select(~mask.unsqueeze(1)).any()
    loss = -logits.log_softmax(-1)[..., 0].sum()
    draws = hard.take_draws()
    assert len(draws) == (4 if estimator == "reinforce" else 0)
    if draws:
        log_prob = torch.cat([draw.log_prob for draw in draws], dim=1)  # (batch, tgt)
        loss = loss + reinforce_loss(log_prob, logits.log_softmax(-1)[..., 0])
    loss.backward()
    assert hard.score.W.weight.grad.abs().sum() > 0


def test_moving_baseline():
    baseline = MovingBaseline(0.9)
    assert baseline.update(torch.tensor([1.0, 3.0])) == 2.0
    assert baseline.update(torch.tensor([4.0])) == pytest.approx(0.9 * 2.0 + 0.1 * 4.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: HardAttention(DotScore(), "sample"),
            ValueError,
            "estimator: expected 'reinforce' or 'gumbel-softmax' or",
        ),
        (
            lambda: HardAttention(DotScore(), temperature=0),
            ValueError,
            "temperature: expected a number above 0",
        ),
        (lambda: HardAttention(DotScore(), expected=1.0), ValueError, "expected: expected a number from 0"),
        (lambda: HardAttention(None), TypeError, "score: expected a score"),
        (lambda: reinforce_loss(torch.zeros(3), torch.zeros(2, 3)), ValueError, "reward: expected a shape"),
        (lambda: MovingBaseline(1.0), ValueError, "decay: expected a number from 0 to below 1"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
