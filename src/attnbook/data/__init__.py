"""Corpora: made by the package, or fetched by name.

``fetch("tatoeba")`` brings a real corpus (checksum, cache, bar); the other modules here make or read pairs.
"""

from attnbook.data.corpora.fetch import CORPORA, fetch

__all__ = ["CORPORA", "fetch"]
