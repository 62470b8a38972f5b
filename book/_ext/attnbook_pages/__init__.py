"""What makes the pages: a lean frame, formulas without scripts, widgets that live without a kernel.

Each module below adds one thing to Sphinx; none needs torch or an installed attnbook.
"""

from sphinx.application import Sphinx

from . import (
    accessibility,
    cells,
    figures,
    frame,
    leaderboard,
    licences,
    mathematics,
    static,
    stored_results,
    widgets,
)


def setup(app: Sphinx) -> dict:
    """Register every part with Sphinx."""
    parts = (frame, accessibility, mathematics, cells, figures, widgets, leaderboard, stored_results)
    for part in (*parts, licences, static):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
