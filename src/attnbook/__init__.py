"""attnbook: the package behind "Attention, from Brains to Transformers".

Chapters import this package, never each other. Its parts: ``attnbook.nn`` (the mechanisms),
``attnbook.data`` (corpora), ``attnbook.plots``, ``attnbook.widgets``, ``attnbook.exercises`` and
``attnbook.experiments`` (the runs behind the tables).
"""

from importlib.metadata import PackageNotFoundError, version

from attnbook.device import device, named_device
from attnbook.reproducibility import seed

try:
    __version__ = version("attnbook")
except PackageNotFoundError:  # imported from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__", "device", "named_device", "seed"]
