"""`{leaderboard}`: one table of the translators of all chapters, drawn from the row that each has stored."""

import sys

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .folders import note
from .paths import RESULTS, ROOT
from .tables import table

sys.path.append(str(ROOT / "src"))  # the book is built without the package being installed
from attnbook.translation import leaderboard


class Leaderboard(SphinxDirective):
    """Draw the rows in the order of chapters."""

    def run(self) -> list[nodes.Node]:
        """The table, or nothing but a sentence where no row is stored."""
        note(self.env, leaderboard.FOLDER)
        for path in (RESULTS / "translator_speed.json", *leaderboard.FOLDER.glob("*.json")):
            self.env.note_dependency(str(path))
        try:
            head, *lines = leaderboard.cells()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PageError(f"The leaderboard cannot be drawn ({type(error).__name__}: {error}).") from None
        if not lines:
            return [nodes.paragraph("", "No chapter has stored a row yet.")]
        spaced = [
            [cell.replace(",", "\u202f") if cell[0].isdigit() else cell for cell in line] for line in lines
        ]
        return [table([head, *spaced], ["attnbook-numbers"])]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("leaderboard", Leaderboard)
