"""15.6: the seasonal-naive forecast, and a model's skill against it."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _last_period(past, horizon, period):
    index = past.shape[1] - period + torch.arange(horizon) % period
    return past[:, index]


# (past, horizon, period) → naive (series, horizon).
NAIVE = Mistakes(
    "naive",
    right=_last_period,
    last=Wrong(
        lambda past, horizon, period: past[:, -1:].expand(-1, horizon),
        "Your forecast repeats the last value. Seasonal-naive repeats the last *period*: next Monday is like "
        "last Monday.",
    ),
    shifted=Wrong(
        lambda past, horizon, period: past[:, past.shape[1] - period + (torch.arange(horizon) + 1) % period],
        "Your forecast is one step out: the first value to come is one period after past[:, -period].",
    ),
    first=Wrong(
        lambda past, horizon, period: past[:, torch.arange(horizon) % period],
        "Your forecast repeats the *first* period of the past. The last one is the newest.",
    ),
    mirrored=Wrong(
        lambda past, horizon, period: past[:, past.shape[1] - 1 - torch.arange(horizon) % period],
        "Your forecast runs backwards through the last period.",
    ),
)
# (forecast, future) → mean error of each series.
ERROR = Mistakes(
    "error",
    right=lambda forecast, future: (forecast - future).abs().mean(dim=1),
    squared=Wrong(
        lambda forecast, future: (forecast - future).square().mean(dim=1),
        "Your errors are squared. The mean *absolute* error is asked for.",
    ),
    signed=Wrong(
        lambda forecast, future: (forecast - future).mean(dim=1),
        "The signs are kept, so errors upwards and downwards cancel. Take absolute values.",
    ),
)
SCORE = Mistakes(
    "score",
    right=lambda model, naive: 1 - model / naive,
    ratio=Wrong(
        lambda model, naive: model / naive,
        "You return the ratio of the errors: 1 where the model brings nothing. The skill is 1 minus that.",
    ),
    turned=Wrong(
        lambda model, naive: 1 - naive / model,
        "The ratio is the wrong way round. The model's error is divided by the naive one's.",
    ),
    difference=Wrong(
        lambda model, naive: naive - model,
        "You return a difference of errors, in the unit of the series. Divide by the naive error.",
    ),
    together=Wrong(
        lambda model, naive: (1 - model.mean() / naive.mean()).expand_as(model),
        "The errors of all series are put together first. Each series has its own skill.",
    ),
)


def skill(past, future, forecast, period, *, naive=NAIVE.right, error=ERROR.right, score=SCORE.right):
    plain = naive(past, future.shape[1], period)
    return plain, score(error(forecast, future), error(plain, future))


def cases(draw: Draw) -> list[Case]:
    found = []
    for beyond in (False, False, True):
        period = draw.random.choice((4, 5, 6))
        horizon = period + 2 if beyond else period - 1
        series = draw.random.choice([count for count in (2, 3, 4, 5) if count != horizon])
        found.append(
            Case(
                {
                    "past": draw.normal(series, 3 * period + 1, scale=2.0),
                    "future": draw.normal(series, horizon, scale=2.0),
                    "forecast": draw.normal(series, horizon),
                    "period": period,
                },
                group="edge" if beyond else "plain",
                note="the horizon is longer than a period" if beyond else "",
            )
        )
    return found


EXERCISE = Function(
    id="15.6",
    title="Better than last week?",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="skill(past, future, forecast, period)",
    outputs=(Output("naive", ("series", "horizon")), Output("skill", ("series",))),
    reference=skill,
    cases=cases,
    mistakes=(NAIVE, ERROR, SCORE),
    together=2,
    tolerance=(1e-3, 1e-4),
    hints=(
        "The value to come at step t (from 0) is the one a period before it.",
        "If the horizon is longer than a period, begin the last period again: `t % period`.",
        "1 − (the model's mean absolute error) / (the naive one's), for each series.",
    ),
)
