"""Trainings whose findings are kept in the package's cache, so that a broken run goes on where it was and
seeds may be run side by side; and the choice of a learning rate among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attnbook.data.corpora.fetch import CACHE
from attnbook.experiments.provenance import commit
from attnbook.files import write_text

SEARCH_SEED = 0  # on which the learning rate is chosen


def kept_file(experiment: str, wanted: Sequence | dict[str, Any], ending: str = "json") -> Path:
    """Where a training's findings are kept.

    Parameters
    ----------
    experiment : str
    wanted : sequence or dict
        What tells this training from others, as JSON can hold it. The commit of the code is added, since
        other code may find something else.
    ending : str
    """
    told = {**wanted, "commit": commit()} if isinstance(wanted, dict) else [*wanted, commit()]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
    return CACHE / "trials" / f"{experiment}_{digest}.{ending}"


def kept(experiment: str, wanted: Sequence | dict[str, Any], train: Callable[[], dict]) -> dict:
    """What ``train()`` finds, or what it found before with the same ``wanted``; see :func:`kept_file`."""
    path = kept_file(experiment, wanted)
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    found = train()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(found))
    return found


def best_rate(tried: Mapping[float, float], *, highest: bool = False) -> tuple[float, list[list[float]]]:
    """The learning rate with the lowest result, the lower rate where two are equal.

    Parameters
    ----------
    tried : mapping
        Learning rate → result: the loss of a training on :data:`SEARCH_SEED`.
    highest : bool
        Results are accuracies: the highest wins.

    Returns
    -------
    rate, pairs
        ``pairs``: [rate, result] of each, in ascending order of rates.
    """
    pairs = [[rate, tried[rate]] for rate in sorted(tried)]
    return (max if highest else min)(pairs, key=lambda pair: pair[1])[0], pairs
