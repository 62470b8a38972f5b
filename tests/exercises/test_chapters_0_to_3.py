"""Chapters 0 to 3: what their exercises claim, found again in another way."""

import itertools
import math

import pytest
import torch

from attnbook.exercises import exercise, exercises
from attnbook.exercises.bank.ch00.tosses_by_heart import share_learned
from attnbook.exercises.bank.ch01.slope_error import LOOK, PEOPLE, REPEATS, SIZES, slope_error
from attnbook.exercises.judge import judge
from attnbook.vision import psychophysics
from attnbook.worker.oracle import answer


def by_reference(id, **args):
    return exercise(id).reference(**args)


def credit(id, thing, seed=5):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases]).credit


@pytest.mark.parametrize("chapter", [0, 1, 2, 3])
def test_two_starred_exercises_stand_last(chapter):
    starred = ["\u2605" in item.title for item in exercises(chapter)]
    assert starred == [False] * (len(starred) - 2) + [True] * 2


@pytest.mark.parametrize("chapter", [0, 1, 2, 3])
def test_the_difficulty_does_not_fall(chapter):
    grades = [("easy", "medium", "hard").index(item.difficulty) for item in exercises(chapter)]
    assert grades == sorted(grades)


@pytest.mark.parametrize("weights", [1, 2, 3])
def test_how_many_labellings_a_plane_through_0_can_make(weights):
    """Drawn planes make every labelling that there is, if they are many; a labelling is a row of signs."""
    points = torch.randn(6, weights, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    planes = torch.randn(200_000, weights, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    made = (planes @ points.T > 0).unique(dim=0)
    assert len(made) == round(share_learned(6, weights) * 2**6)


def test_half_of_the_draws_are_learned_at_two_tosses_a_weight():
    for weights in (2, 5, 10):
        assert share_learned(2 * weights, weights) == 0.5


def test_a_gradient_through_softmax_is_autograds():
    scores = torch.randn(4, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    back = torch.randn(4, 7, generator=torch.Generator().manual_seed(1))
    weights = torch.softmax(scores, dim=-1)
    (wanted,) = torch.autograd.grad(weights, scores, back)
    torch.testing.assert_close(by_reference("0.10", weights=weights.detach(), gradient=back), wanted)


def test_a_gradient_of_a_matrix_is_autograds():
    numbers = torch.tensor([[3, 0, 3], [1, 3, 0]])
    matrix = torch.zeros(5, 2, requires_grad=True)
    back = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    (wanted,) = torch.autograd.grad(matrix[numbers], matrix, back)
    torch.testing.assert_close(by_reference("0.8", numbers=numbers, gradient=back, vocab=5), wanted)


@pytest.mark.parametrize("there", [True, False])
def test_the_spread_of_a_slope_is_that_of_simulated_people(there):
    generator = torch.Generator().manual_seed(0)
    slopes = [
        psychophysics.slope(psychophysics.search("conjunction", there, SIZES, REPEATS, generator, look=LOOK))[
            0
        ]
        for _ in range(PEOPLE)
    ]
    assert torch.tensor(slopes).std().item() == pytest.approx(slope_error(there), rel=0.08)


def test_hit_rates_are_those_of_a_simulated_observer():
    strength, validity, n = 0.9, 0.75, 400_000
    draws = torch.randn(2, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rates = []
    for cued in (True, False):
        at_cue, other = draws[0] + strength * cued, draws[1] + strength * (not cued)

        def likelihood(x, mean):
            return torch.exp(-((x - mean) ** 2) / 2)

        here = validity * likelihood(at_cue, strength) * likelihood(other, 0.0)
        there = (1 - validity) * likelihood(at_cue, 0.0) * likelihood(other, strength)
        rates.append(((here > there) == cued).double().mean().item())
    assert by_reference("1.10", strength=strength, validity=validity) == pytest.approx(
        tuple(rates), abs=0.004
    )


def test_a_squared_map_changes_nss_and_not_auc():
    from attnbook.vision.metrics import auc, nss

    saliency = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))
    fixations = torch.randint(0, 20, (9, 2), generator=torch.Generator().manual_seed(1))
    assert auc(saliency, fixations) == auc(saliency.square(), fixations)
    assert abs(nss(saliency, fixations) - nss(saliency.square(), fixations)) > 0.01


def test_halves_of_a_memory_make_the_whole():
    draw = torch.Generator().manual_seed(0)
    scores, value = torch.randn(4, 7, generator=draw) * 3, torch.randn(7, 2, generator=draw)
    parts = []
    for keys in (slice(0, 3), slice(3, 7)):
        parts += [torch.softmax(scores[:, keys], -1) @ value[keys], torch.logsumexp(scores[:, keys], -1)]
    names = ("first", "first_log", "second", "second_log")
    context, log_sum = by_reference("2.8", **dict(zip(names, parts, strict=True)))
    torch.testing.assert_close(context, torch.softmax(scores, -1) @ value)
    torch.testing.assert_close(log_sum, torch.logsumexp(scores, -1))


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_what_trying_all_finds(seed):
    draw = torch.Generator().manual_seed(seed)
    next_log = torch.log_softmax(torch.randn(4, 4, generator=draw), -1)
    found = []
    for n in (1, 2, 3, 4):
        for middle in itertools.product((0, 1, 2), repeat=n - 1):
            path = (0, *middle, 3)
            total = sum(next_log[a, b].item() for a, b in itertools.pairwise(path))
            found.append((total / ((5 + n) / 6) ** 1.3, list(middle)))
    score, tokens = max(found)
    args = {"next_log": next_log, "start": 0, "stop": 3, "width": 500, "max_length": 4, "alpha": 1.3}
    assert by_reference("3.11", **args) == (tokens, pytest.approx(score, abs=1e-5))


def bag_of_two(next_log, start, stop, width, max_length, alpha):
    """The same search with tensors."""
    tokens, totals, done = torch.tensor([[start]]), torch.zeros(1), []
    for n in range(1, max_length + 1):
        extended = totals[:, None] + next_log[tokens[:, -1]]
        best = extended.flatten().topk(min(width, extended.numel()))
        rows, words = best.indices // next_log.shape[1], best.indices % next_log.shape[1]
        tokens, totals = torch.cat([tokens[rows], words[:, None]], 1), best.values
        ends = words == stop
        done += [
            (path[1:-1].tolist(), float(total) / ((5 + n) / 6) ** alpha)
            for path, total in zip(tokens[ends], totals[ends], strict=True)
        ]
        tokens, totals = tokens[~ends], totals[~ends]
        if not len(tokens):
            break
    return max(done, key=lambda one: one[1])


def temperature_by_newton(scores, bits):
    """The temperature by a search on the inverse, in nats."""
    low, high = torch.tensor(1e-4).double(), torch.tensor(1e4).double()
    for _ in range(100):
        factor = (low * high).sqrt()
        log_shares = torch.log_softmax(scores.double() * factor, 0)
        entropy = -(log_shares.exp() * log_shares).sum()
        low, high = (factor, high) if entropy > bits * math.log(2) else (low, factor)
    return 1 / low.item()


def standing_out_by_loops(image, size):
    half, result = size // 2, torch.zeros_like(image)
    for i, j in itertools.product(*map(range, image.shape)):
        square = image[max(0, i - half) : i + half + 1, max(0, j - half) : j + half + 1]
        result[i, j] = abs(image[i, j] - square.mean())
    return result


@pytest.mark.parametrize(
    ("id", "thing"),
    [
        ("0.4", lambda a, b: [((x - a.double().mean(0)) / a.double().var(0).sqrt()).float() for x in (a, b)]),
        ("0.6", lambda v, m: torch.stack([x[k].amax(0) if k.any() else x[0] * 0 for x, k in zip(v, m)])),  # noqa: B905
        (
            "0.10",
            lambda w, g: torch.einsum("bij,bj->bi", torch.diag_embed(w) - w[:, :, None] * w[:, None], g),
        ),
        ("1.3", standing_out_by_loops),
        ("2.12", temperature_by_newton),
        ("3.11", bag_of_two),
    ],
)
def test_a_right_answer_written_in_another_way_earns_everything(id, thing):
    assert credit(id, thing) == 1.0
