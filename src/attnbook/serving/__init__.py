"""What serves a language model: shared prefixes, drafts that are checked, caches in
blocks and of few bits.

Each part is a small file that a lab shows whole; the models are those of
:mod:`attnbook.nn`.
"""

from attnbook.serving.paged_cache import BlockAllocator, PagedRows, Slot
from attnbook.serving.prefix_cache import PrefixCache
from attnbook.serving.quantised import Quantised, quantise
from attnbook.serving.requests import Request, Served, serve
from attnbook.serving.speculative import (
    Speculation,
    acceptance_rate,
    expected_tokens,
    residual,
    speculate,
    speed_up,
    verify,
)
from attnbook.serving.states import CachedReader, cropped, read

__all__ = [
    "BlockAllocator",
    "CachedReader",
    "PagedRows",
    "PrefixCache",
    "Quantised",
    "Request",
    "Served",
    "Slot",
    "Speculation",
    "acceptance_rate",
    "cropped",
    "expected_tokens",
    "quantise",
    "read",
    "residual",
    "serve",
    "speculate",
    "speed_up",
    "verify",
]
