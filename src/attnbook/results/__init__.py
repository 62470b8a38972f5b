"""What ``attnbook run`` stored, one JSON file an experiment, and the module that reads it."""

from attnbook.results.store import FOLDER, flatten, read, results, summarise, write

__all__ = ["FOLDER", "flatten", "read", "results", "summarise", "write"]
