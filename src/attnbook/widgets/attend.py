"""The five steps of attention in float64, as the widgets' JavaScript computes them (js/attention.js).

Kept apart from :mod:`attnbook.nn` so that a widget's stand-in needs no torch; the tests hold both, and the
JavaScript, to the same numbers.
"""

import numpy as np


def attend(query, key, value, *, temperature=1.0, scale=None, mask=None, mode="soft", fixed=None) -> dict:
    """Scores, weights and context of one query.

    Parameters
    ----------
    query : (d_k,)
    key : (n, d_k)
    value : (n, d_v)
    temperature : float
        Scaled scores are divided by it; small values sharpen.
    scale : float or None
        Factor of the scores; None is 1/sqrt(d_k).
    mask : n booleans or None
        True = may attend.
    mode : "soft", "hard" or "fixed"
        Softmax; all to the largest score (the first of equals); or the weights in ``fixed``.

    Returns
    -------
    dict
        ``scores`` and ``weights`` of shape (n,), ``context`` (d_v,). If every key is masked, weights and
        context are zeros.
    """
    query, key, value = (np.asarray(part, dtype=np.float64) for part in (query, key, value))
    may = np.ones(len(key), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    scores = key @ query
    scaled = scores * (scale if scale is not None else len(query) ** -0.5) / temperature
    weights = np.zeros(len(key))
    if mode == "fixed":
        weights = np.where(may, np.asarray(fixed, dtype=np.float64), 0.0)
    elif may.any():
        masked = np.where(may, scaled, -np.inf)
        if mode == "hard":
            weights[int(masked.argmax())] = 1.0
        else:
            weights = np.exp(masked - masked.max())
            weights /= weights.sum()
    return {"scores": scores, "weights": weights, "context": weights @ value}
