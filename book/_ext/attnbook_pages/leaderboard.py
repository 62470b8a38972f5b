"""`{leaderboard}`: one table of the translators of all chapters, drawn from the row that each has stored."""

import json

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .paths import RESULTS, ROOT
from .tables import table

FOLDER = RESULTS / "leaderboard"
# heading, number in the row, decimals: the columns of attnbook.translation.leaderboard
COLUMNS = (
    ("BLEU", "bleu", 1),
    ("BLEU, long", "bleu long", 1),
    ("AER", "aer", 3),
    ("Parameters", "parameters", 0),
    ("Steps a second", "steps per second", 1),
)
NOT_MEASURED = "–"


def cell(number: dict | None, decimals: int, spread: bool) -> str:
    """Mean ± standard deviation over seeds."""
    if number is None:
        return NOT_MEASURED
    mean = f"{number['mean']:,.{decimals}f}".replace(",", "\u202f")
    return f"{mean} ± {number['std']:.{decimals}f}" if spread and number["n"] > 1 else mean


class Leaderboard(SphinxDirective):
    """Draw the rows in the order of chapters."""

    def run(self) -> list[nodes.Node]:
        """The table, or nothing but a sentence where no row is stored."""
        self.env.note_dependency(str(FOLDER))
        rows = []
        for path in sorted(FOLDER.glob("*.json")):
            self.env.note_dependency(str(path))
            try:
                row = json.loads(path.read_text(encoding="utf-8"))
                cells = [
                    cell(row["numbers"].get(key), decimals, key != "parameters")
                    for _, key, decimals in COLUMNS
                ]
                line = (str(row["chapter"]), row["model"], *cells, str(row["seeds"]))
                rows.append((row["chapter"], row["model"], line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise PageError(
                    f"{path.relative_to(ROOT)} is not a row of the leaderboard "
                    f"({type(error).__name__}: {error}); make it again."
                ) from None
        if not rows:
            return [nodes.paragraph("", "No chapter has stored a row yet.")]
        head = ("Chapter", "Model", *(heading for heading, _, _ in COLUMNS), "Seeds")
        return [table([head, *(line for _, _, line in sorted(rows))], ["attnbook-numbers"])]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("leaderboard", Leaderboard)
