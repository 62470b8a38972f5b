"""`{progress}`: what a reader has read, answered and solved, kept in their browser and nowhere else."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .ways import PATHS, chapters, ways
from .widgets import raw, script_safe

LIST = "book/exercises.md"
_ROW = re.compile(r"^\| (\d+\.\d+) \| (.+?) \| .+? \| (\d+) \|", re.MULTILINE)


def exercises(source: Path) -> list[list]:
    """Number, title and points of every exercise, as the book lists them."""
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    return [[number, title, int(points)] for number, title, points in _ROW.findall(text)]


class Progress(SphinxDirective):
    """The reader's page: a script fills it, since only their browser knows. Chapters are in the contents."""

    def run(self) -> list[nodes.Node]:
        """A place to fill, and the exercises that can be solved."""
        source = Path(self.env.srcdir) / LIST
        self.env.note_dependency(str(source))
        self.state.document["attnbook_page_scripts"] = ["quizzes.js", "terms.js", "progress.js"]
        self.env.note_dependency(str(Path(self.env.srcdir) / PATHS))
        listed = ways(Path(self.env.srcdir) / PATHS).values()
        known = script_safe([[way["name"], way["about"], chapters(way)] for way in listed])
        data = script_safe(exercises(source))
        instead = "<p>A script keeps what you have read, and scripts are off here.</p>"
        return [
            raw(f'<div id="reader">{instead}</div>'),
            raw(f'<script type="application/json" id="reader-exercises">{data}</script>'),
            raw(f'<script type="application/json" id="reader-ways">{known}</script>'),
        ]


def add(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Link the scripts of this page alone."""
    context["attnbook_page_scripts"] = doctree.get("attnbook_page_scripts", []) if doctree is not None else []
    context["attnbook_chapter"] = (
        pagename.partition("chapters/")[2] if pagename.startswith("chapters/") else ""
    )


def setup(app: Sphinx) -> None:
    """Register the directive and tell the frame."""
    app.add_directive("progress", Progress)
    app.connect("html-page-context", add, priority=840)
