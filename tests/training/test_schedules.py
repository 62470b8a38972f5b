"""Learning rates: the values that the equations give, and what is refused."""

import math

import pytest
import torch
from torch import nn

from attnbook.training.fit import fit
from attnbook.training.schedules import warmup_inverse_sqrt, warmup_linear


def test_the_papers_rate_by_hand():
    rate = warmup_inverse_sqrt(512, 4000)
    # the first step, the peak, and four times as far: half the peak
    assert rate(0) == pytest.approx(512**-0.5 * 4000**-1.5)
    assert rate(3999) == pytest.approx(1 / math.sqrt(512 * 4000)) == pytest.approx(6.98771e-4, rel=1e-5)
    assert rate(15_999) == pytest.approx(rate(3999) / 2)
    values = [rate(step) for step in range(20_000)]
    assert max(values) == values[3999]
    assert values[1999] == pytest.approx(values[3999] / 2)  # halfway up the line


def test_up_and_down_along_lines():
    factor = warmup_linear(4, 12)
    assert [factor(step) for step in range(13)] == pytest.approx(
        [0.25, 0.5, 0.75, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]
    )
    held = warmup_linear(2, 10, hold=0.5)
    assert [held(step) for step in range(10)] == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    assert warmup_linear(0, 10)(0) == 1
    assert all(0 < warmup_linear(3, 7)(step) <= 1 for step in range(7))


def test_fit_takes_them():
    model = nn.Linear(1, 1, bias=False)
    rates = []

    def optimiser(parameters, lr):
        engine = torch.optim.SGD(parameters, lr=lr)
        engine.register_step_pre_hook(lambda engine, *_: rates.append(engine.param_groups[0]["lr"]))
        return engine

    fit(
        model,
        [torch.ones(1, 1)],
        steps=6,
        loss=lambda model, batch: model(batch).square().mean(),
        optimiser=optimiser,
        learning_rate=1.0,
        schedule=warmup_inverse_sqrt(16, 3),
        progress=False,
    )
    assert rates == pytest.approx([0.25 * min(n**-0.5, n * 3**-1.5) for n in range(1, 7)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: warmup_inverse_sqrt(0, 10), "d_model: expected a whole number of at least 1, got 0"),
        (lambda: warmup_inverse_sqrt(64, 2.5), "warmup: expected a whole number of at least 1, got 2.5"),
        (lambda: warmup_linear(10, 10), "warmup: expected a whole number from 0 to 9, got 10"),
        (lambda: warmup_linear(True, 10), "warmup: expected a whole number from 0 to 9, got True"),
        (lambda: warmup_linear(1, 0), "steps: expected a whole number of at least 1, got 0"),
        (lambda: warmup_linear(1, 10, hold=1), "hold: expected a share"),
    ],
)
def test_bad_numbers_are_named(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
