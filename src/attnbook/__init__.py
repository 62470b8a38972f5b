"""attnbook: the package behind "Attention, from Brains to Transformers".

Chapters import this package, never each other. Its rooms: ``nn`` (the mechanisms), ``data`` (corpora),
``training``, ``translation``, ``analysis``, ``vision``, ``experiments`` (the runs behind the tables) and
``results`` (what they stored), ``exercises``, ``worker`` and ``grading``, ``widgets``, ``plots``.

Importing this face imports no torch: the book's build, ``attnbook --version`` and the stored results need
none.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("attnbook")
except PackageNotFoundError:  # imported from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__", "device", "named_device", "seed"]


def __getattr__(name: str) -> Any:
    # PEP 562: what needs torch is imported when it is first asked for.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("attnbook.devices"), name)
