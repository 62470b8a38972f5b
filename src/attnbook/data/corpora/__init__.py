"""Real corpora: fetched by name with checksum, cache and bar, or read from the folder ``ATTNBOOK_DATA``."""

from attnbook.data.corpora.fetch import CORPORA, fetch

__all__ = ["CORPORA", "fetch"]
