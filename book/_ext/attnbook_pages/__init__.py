"""What makes the pages: a lean frame, formulas without scripts, widgets that live without a kernel.

Each module below adds one thing to Sphinx; none needs torch or an installed attnbook.
"""

from importlib import import_module

from sphinx.application import Sphinx

PARTS = (
    "frame",
    "addresses",
    "accessibility",
    "mathematics",
    "highlighting",
    "cells",
    "figures",
    "opening",
    "widgets",
    "models",
    "api",
    "folders",
    "leaderboard",
    "model_shapes",
    "stored_results",
    "landing",
    "terms",
    "cards",
    "progress",
    "exercise_links",
    "reading_paths",
    "turning",
    "sections",
    "search",
    "site",
    "versions",
    "licences",
    "slides",
    "lean",
    "static",
)


def setup(app: Sphinx) -> dict:
    """Register every part with Sphinx; imported only now, since the build's own checks need none of them."""
    for part in PARTS:
        import_module(f".{part}", __name__).setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
