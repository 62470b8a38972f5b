"""How the learning rate changes from step to step: functions of the step for ``fit(schedule=…)``.

``fit`` counts steps from 0 and multiplies ``learning_rate`` with what the function returns.
"""

from __future__ import annotations

from collections.abc import Callable

from attnbook.arguments import whole_number


def warmup_inverse_sqrt(d_model: int, warmup: int = 4000) -> Callable[[int], float]:
    """The paper's learning rate: it rises along a line for ``warmup`` steps, then falls with 1/√step.

    ``d_model^(−1/2) · min(step^(−1/2), step · warmup^(−3/2))``, where the first step is number 1: Vaswani et
    al. 2017, section 5.3, equation 3, https://arxiv.org/abs/1706.03762. Its largest value, at the end of
    warm-up, is ``1/√(d_model · warmup)``. The result is the learning rate itself, so train with
    ``fit(…, learning_rate=1.0, schedule=warmup_inverse_sqrt(d_model, warmup))``.

    Parameters
    ----------
    d_model : int
    warmup : int
        Steps until the peak; the paper's are 4,000 of 100,000.

    Returns
    -------
    callable
        step (from 0) → learning rate.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or below 1.
    """
    whole_number("d_model", d_model)
    whole_number("warmup", warmup)

    def rate(step: int) -> float:
        number = step + 1
        return d_model**-0.5 * min(number**-0.5, number * warmup**-1.5)

    return rate


def warmup_linear(warmup: int, steps: int, hold: float = 0.0) -> Callable[[int], float]:
    """From 0 up to 1 along a line, flat until the share ``hold`` of all steps, then down to 0 along a line.

    For short runs whose number of steps is known: the last steps, with a small rate, are worth many with a
    large one.

    Parameters
    ----------
    warmup : int
        Steps of the rise; 0 starts with the full learning rate.
    steps : int
        Steps of the whole run, more than ``warmup``.
    hold : float
        Share of ``steps`` before which the rate does not fall, from 0 up to 1 (not 1 itself).

    Returns
    -------
    callable
        step (from 0) → factor of the learning rate.

    Raises
    ------
    TypeError, ValueError
        If a number of steps is not whole, or a number is out of range.
    """
    whole_number("steps", steps)
    whole_number("warmup", warmup, least=0, most=steps - 1)
    if not 0 <= hold < 1:
        raise ValueError(f"hold: expected a share from 0 up to, not including, 1, got {hold!r}")
    top = max(warmup, hold * steps)  # the step from which it falls

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, min(1.0, (steps - step) / (steps - top)))

    return factor
