"""From a trained translator to sentences and their scores: search, metrics, the translator, the leaderboard.

The modules are imported when asked for: the leaderboard and the metrics need no torch.
"""

from importlib import import_module
from typing import Any

__all__ = ["Translation", "Translator"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("attnbook.translation.translator"), name)
