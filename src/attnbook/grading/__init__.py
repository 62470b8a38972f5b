"""A grader that cannot be talked into a mark.

A *judge* (this package, on the instructor's side) reads a notebook and sends its cells, and then inputs, to
a *worker* in a sandbox; the worker runs the learner's code and sends back what it returned. The judge
compares these values with its own reference. The worker never holds a test, an expected value, a seed or
a reference, so there is nothing in its reach that could be turned into a mark.

What runs where:

- in the sandbox: ``attnbook.worker``, and of the package what a notebook may import, without ``exercises``
  and ``grading``;
- at the judge: everything else.

Where the kernel allows it, a worker is forked from a *zygote*, a process in a sandbox that has imported
torch, and shuts itself into a sandbox inside that one first; elsewhere it is started by itself.

``score(notebook)`` is the same runner and judge on one notebook, for the learner who wrote it.
"""

from typing import Any

__all__ = ["score"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: a worker's own imports and `attnbook grade --help` need no judge.
    if name != "score":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attnbook.grading.scoring import score

    globals()[name] = score
    return score
