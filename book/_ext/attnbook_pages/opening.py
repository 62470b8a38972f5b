"""The first screen of a chapter: its picture stands between the question and the reader's aims.

A notebook's picture is drawn by code, and code comes after the first cell's text. On the page the figure
of the cell tagged `picture` goes up, before the paragraph that begins with the words below.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from .cells import is_cell, tags

LOGGER = logging.getLogger(__name__)
AIMS = "After this chapter you can"
LAB_AIMS = "After this lab you can"


class Picture(SphinxTransform):
    """Move the chapter's picture to its place."""

    default_priority = 510  # after the picture has its caption

    def apply(self, **_: object) -> None:
        """Visit the cell that draws it."""
        for cell in filter(is_cell, self.document.findall(nodes.container)):
            if "picture" not in tags(cell):
                continue
            figure = next(iter(cell.findall(nodes.figure)), None)
            aims = next((text for text in self.document.findall(nodes.paragraph) if self._begins(text)), None)
            if figure is None or aims is None:
                missing = "caption" if figure is None else f"paragraph that begins “{AIMS}”"
                LOGGER.warning("the chapter's picture has no %s", missing, location=cell)
                return
            output = figure.parent
            output.remove(figure)
            if not output.children:
                output.parent.remove(output)
            aims.parent.insert(aims.parent.index(aims), figure)
            return

    @staticmethod
    def _begins(paragraph: nodes.paragraph) -> bool:
        return paragraph.astext().startswith((AIMS, LAB_AIMS))


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(Picture)
