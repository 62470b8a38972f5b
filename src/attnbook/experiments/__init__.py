"""The runs behind every table that does not fit a chapter.

``attnbook run NAME`` repeats an experiment over seeds and writes one JSON file; chapters read that file
with :func:`results` and show it, so that no number in the book is typed by hand.

An experiment is a module with

- ``ABOUT``: one sentence;
- ``add_arguments(parser)``: its own options, on an ``argparse`` parser;
- ``run_seed(options, seed, device)``: one run; returns a dictionary of numbers (nested dictionaries
  allowed), such as ``{"accuracy": {"attention": 0.8, "bag of words": 0.82}}``;
- ``result_name(options)``, optional: the stem of the results file, when options make different tables;
- ``trained(options, seed, device)``, optional: a ``shipping.Trained``, for ``--ship NAME``.

Every module with an ``ABOUT`` is found; the others here are what they share.
"""

from attnbook.experiments.registry import experiments, load
from attnbook.results import results

__all__ = ["experiments", "load", "results"]
