"""`{model-shapes}`: what open models use, one line a model, each cell a link to where it was read."""

import sys

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .paths import ROOT
from .tables import table

sys.path.append(str(ROOT / "src"))  # the book is built without the package being installed
from attnbook.analysis import model_shapes


class ModelShapes(SphinxDirective):
    """Draw the table of ``attnbook.analysis.model_shapes``; the columns may be named, one a line."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The table."""
        self.env.note_dependency(model_shapes.__file__)
        columns = tuple(line.strip() for line in self.content if line.strip()) or model_shapes.COLUMNS
        try:
            rows = model_shapes.lines(columns)
        except ValueError as error:
            raise self.error(f"The table of models cannot be drawn: {error}.") from None
        return [table([[_shown(cell) for cell in row] for row in rows])]


def _shown(cell: model_shapes.Cell) -> str | nodes.Node:
    if not cell.source:
        return cell.text
    return nodes.reference("", cell.text, refuri=cell.source, internal=False)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("model-shapes", ModelShapes)
