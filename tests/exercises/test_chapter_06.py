"""Chapter 6: references agree with autograd and torch, and estimates are right on average, by enumeration."""

import itertools

import pytest
import torch

from attnbook.exercises import exercise
from attnbook.exercises.bank.ch06 import lucky_share
from attnbook.exercises.bank.ch06.leave_one_out_gradient import leave_one_out_gradient
from attnbook.exercises.bank.ch06.reinforce_gradient import reinforce_gradient
from attnbook.exercises.bank.ch06.reward_and_gradient import reward_and_gradient
from attnbook.exercises.bank.ch06.sum_and_sample import sum_and_sample
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer


def verdict_on(id, thing, seed=3):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def exact_by_autograd(scores, rewards, temperature):
    scores = scores.clone().requires_grad_()
    expected = (torch.softmax(scores / temperature, dim=-1) * rewards).sum(dim=-1)
    (gradient,) = torch.autograd.grad(expected.sum(), scores)
    return expected.detach(), gradient


def reinforce_by_autograd(scores, drawn, rewards, baseline):
    scores = scores.clone().requires_grad_()
    log_prob = torch.log_softmax(scores, dim=-1).gather(1, drawn)
    ((rewards - baseline[:, None]) * log_prob).mean(dim=1).sum().backward()
    return scores.grad


def leave_one_out_by_loops(scores, drawn, rewards):
    gradient = torch.zeros_like(scores)
    for image in range(len(scores)):
        for k, position in enumerate(drawn[image].tolist()):
            others = [r for m, r in enumerate(rewards[image].tolist()) if m != k]
            advantage = rewards[image, k] - sum(others) / len(others)
            leaf = scores[image].clone().requires_grad_()
            torch.log_softmax(leaf, dim=0)[position].backward()
            gradient[image] += advantage * leaf.grad / drawn.shape[1]
    return gradient


def sum_and_sample_by_autograd(scores, rewards, drawn, k):
    leaf = scores.clone().requires_grad_()
    p = torch.softmax(leaf, dim=-1)
    top = torch.zeros_like(p).scatter(1, p.topk(k).indices, 1.0)
    rest = 1 - (p * top).sum(dim=1).detach()
    reward = rewards.gather(1, drawn[:, None]).squeeze(1)
    log_prob = p.log().gather(1, drawn[:, None]).squeeze(1)
    ((p * rewards * top).sum() + (rest * reward * log_prob).sum()).backward()
    return leaf.grad


def gumbel_by_distribution(scores, uniform, temperature):
    noise = torch.distributions.Gumbel(0.0, 1.0).icdf(uniform)
    return ((scores + noise) / temperature).softmax(-1)


def looks_by_loops(weights, box):
    mass, hit = [], []
    for each, (top, left, bottom, right) in zip(weights, box.tolist(), strict=True):
        mass.append(each[top:bottom, left:right].sum())
        row, column = divmod(int(each.argmax()), each.shape[1])
        hit.append(float(top <= row < bottom and left <= column < right))
    return torch.stack(mass), torch.tensor(hit)


def penalty_by_loops(weights, mask, strength):
    found = []
    for each, words in zip(weights, mask, strict=True):
        received = each[words].sum(dim=0)
        found.append(strength * sum((1 - float(x)) ** 2 for x in received))
    return torch.tensor(found)


ANOTHER_WAY = {
    "6.3": exact_by_autograd,
    "6.4": looks_by_loops,
    "6.5": reinforce_by_autograd,
    "6.6": penalty_by_loops,
    "6.7": gumbel_by_distribution,
    "6.10": leave_one_out_by_loops,
    "6.11": sum_and_sample_by_autograd,
}


@pytest.mark.parametrize("id", ANOTHER_WAY)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_another_right_answer_passes(id, seed):
    assert verdict_on(id, ANOTHER_WAY[id], seed).passed


def drawn_policies():
    torch.manual_seed(0)
    return torch.randn(1, 4).double(), torch.randn(1, 4).double() + 2


def test_reinforce_is_unbiased_for_a_constant_baseline():
    scores, rewards = drawn_policies()
    p = torch.softmax(scores, dim=-1)[0]
    mean = sum(
        p[j] * reinforce_gradient(scores, torch.tensor([[j]]), rewards[:, [j]], torch.tensor([1.3]))
        for j in range(4)
    )
    torch.testing.assert_close(mean, reward_and_gradient(scores, rewards, 1.0)[1], atol=1e-6, rtol=0)


def test_leave_one_out_is_unbiased_and_the_mean_of_all_draws_is_not():
    scores, rewards = drawn_policies()
    p = torch.softmax(scores, dim=-1)[0]
    mean = torch.zeros_like(scores)
    for triple in itertools.product(range(4), repeat=3):
        drawn = torch.tensor([triple])
        mean += p[list(triple)].prod() * leave_one_out_gradient(scores, drawn, rewards[:, list(triple)])
    exact = reward_and_gradient(scores, rewards, 1.0)[1]
    torch.testing.assert_close(mean, exact, atol=1e-6, rtol=0)


def test_sum_and_sample_is_unbiased():
    scores, rewards = drawn_policies()
    p = torch.softmax(scores, dim=-1)[0]
    outside = p.argsort()[:2]  # of four, k = 2 are summed
    mean = sum(
        p[j] / p[outside].sum() * sum_and_sample(scores, rewards, torch.tensor([j]), 2)
        for j in outside.tolist()
    )
    torch.testing.assert_close(mean, reward_and_gradient(scores, rewards, 1.0)[1], atol=1e-6, rtol=0)


def test_the_option_that_is_named_biased_is_the_biased_one():
    scores, rewards = drawn_policies()
    p = torch.softmax(scores, dim=-1)[0]
    exact = reward_and_gradient(scores, rewards, 1.0)[1]
    own = torch.zeros_like(scores)  # c: the mean of this draw's reward and of a second draw's
    for first, second in itertools.product(range(4), repeat=2):
        baseline = (rewards[0, first] + rewards[0, second]) / 2
        own += (
            p[first]
            * p[second]
            * reinforce_gradient(scores, torch.tensor([[first]]), rewards[:, [first]], baseline[None])
        )
    assert (own - exact).abs().max() > 0.05
    assert exercise("6.2").is_right("c")


def test_a_baseline_from_the_first_reward_helps_most_learners():
    shares = {start: lucky_share.train(start) for start in ("none", "zero", "first")}
    assert shares["none"] < shares["zero"] < 0.5 < 0.85 < shares["first"]


def test_the_first_reward_taken_one_step_late_is_no_right_answer():
    assert not exercise("6.9").is_right(lucky_share.train("zero"))
