"""The normalisation model of attention: multiply by attention first, then divide by
the neighbours.

Reynolds & Heeger 2009, https://doi.org/10.1016/j.neuron.2009.01.002, equations 4
and 5, without their final threshold: R = A·E / (S + σ), S = s ∗ (A·E).
"""

from torch import Tensor

from attnbook.nn import checks


def normalisation_model(
    drive: Tensor, attention: Tensor, sigma: float, pool: Tensor | None = None
) -> Tensor:
    """How strongly neurons fire: each drive times its attention, divided by σ and
    the pooled neighbours.

    Parameters
    ----------
    drive : (…, neurons), floating, at least 0
        E: what the stimulus alone would do.
    attention : broadcasts to (…, neurons)
        A: 1 where attention changes nothing, more where it is.
    sigma : float, at least 0
        σ: keeps the answer to a faint stimulus small.
    pool : (neurons, neurons), optional
        Row i says how much each neuron suppresses neuron i; every entry 1 if left
        out.

    Returns
    -------
    (…, neurons)
        With A·E = exp(s), σ = 0 and no ``pool`` this is softmax(s).
    """
    checks.drive_and_attention(drive, attention, sigma, pool)
    excited = attention * drive  # A·E: attention acts before the division
    if pool is None:
        suppression = excited.sum(dim=-1, keepdim=True)
    else:
        suppression = excited @ pool.T  # S: (…, neurons)
    return excited / (suppression + sigma)
