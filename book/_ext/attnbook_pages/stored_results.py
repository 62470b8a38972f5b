"""`{stored-results}`: what each stored run asks, where the book shows it, and its numbers, folded.

Drawn at build time from the JSON files.
"""

import json
import re
import sys
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .folders import note
from .paths import RESULTS, ROOT
from .tables import table

sys.path.append(str(ROOT / "src"))  # the book is built without the package being installed
from attnbook.experiments import experiments

CHAPTERS = ROOT / "chapters"


def stored_results() -> list[tuple[Path, dict]]:
    """Every stored result with the file that holds it, by name."""
    found = []
    for path in sorted(RESULTS.glob("*.json")):
        name = path.relative_to(ROOT)
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            for part in ("experiment", "command", "machine", "versions", "summary", "seeds"):
                result[part]
        except (ValueError, KeyError, TypeError) as error:
            raise PageError(
                f"{name} is not a result ({type(error).__name__}: {error}); run its experiment again."
            ) from None
        found.append((path, result))
    return found


def number(value: float) -> str:
    """A value with as many digits as its size makes worth reading."""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.1f}" if size >= 10 else f"{value:.3f}"


def summary_table(summary: dict) -> nodes.table:
    """One row for each thing measured: its mean and standard deviation over seeds, its extremes, how many."""
    rows = [("", "Mean ± standard deviation", "Lowest", "Highest", "Seeds")]
    for name, value in summary.items():
        middle = number(value["mean"])
        if value.get("std") is not None:
            middle += f" ± {number(value['std'])}"
        extremes = (number(value["min"]), number(value["max"]))
        rows.append((name.replace("/", ", "), middle, *extremes, str(value["n"])))
    return table(rows, ["attnbook-numbers"])


@cache
def readers() -> list[tuple[str, str, str]]:
    """Name, title and code of each notebook, in order."""
    found = []
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
        title = next(
            re.search(r"^# (.+)", text, re.MULTILINE)[1]
            for kind, text in sources
            if kind == "markdown" and re.search(r"^# ", text, re.MULTILINE)
        )
        found.append((path.stem, title, "\n".join(text for kind, text in sources if kind == "code")))
    return found


def shown_in(stem: str, experiment: str) -> list[tuple[str, str]]:
    """Address and title of the chapters and labs that read this result, or a table of its experiment."""
    quoted = re.compile(rf"""["']{re.escape(stem)}["']""")
    read = [(name, title) for name, title, code in readers() if quoted.search(code)]
    if not read:
        imported = re.compile(rf"\b{re.escape(experiment)}\.|import {re.escape(experiment)}\b")
        read = [(name, title) for name, title, code in readers() if imported.search(code)]
    return [(f"../chapters/{name}.html", title) for name, title in read]


class StoredResults(SphinxDirective):
    """Draw what is stored; where nothing is, say so."""

    def run(self) -> list[nodes.Node]:
        """A section for each stored result: command, table, machine."""
        note(self.env, RESULTS)
        content: list[nodes.Node] = []
        for path, result in stored_results():
            self.env.note_dependency(str(path))
            content.append(self.section(path.stem, result))
        if content:
            return content
        return [nodes.paragraph("", "No run has stored a result yet.")]

    def section(self, stem: str, result: dict) -> nodes.section:
        """One result under the name of its file, which tells runs of one experiment apart."""
        title = stem.replace("_", " ").capitalize()
        section = nodes.section("", nodes.title("", title), ids=[nodes.make_id(f"result {title}")])
        about = experiments().get(result["experiment"], "")
        if about:
            section += nodes.paragraph("", f"{about[0].upper()}{about[1:].rstrip('.')}.")
        links = shown_in(stem, result["experiment"])
        if links:
            shown = nodes.paragraph("", "Shown in: ")
            for place, (address, name) in enumerate(links):
                shown += nodes.Text(", " if place else "")
                shown += nodes.reference("", name, refuri=address)
            section += shown
        section += nodes.literal_block("", result["command"], language="console")
        # Folded: some runs measure hundreds of things, and a page of all of them is read by nobody.
        lines, seeds = len(result["summary"]), len(result["seeds"])
        line = f"{lines} number{'s' * (lines != 1)} over {seeds} seed{'s' * (seeds != 1)}"
        markup = f'<details class="fold fold-numbers"><summary>{escape(line)}</summary>'
        section += nodes.raw("", markup, format="html")
        section += summary_table(result["summary"])
        section += nodes.raw("", "</details>", format="html")
        versions = ", ".join(f"{package} {number}" for package, number in result["versions"].items())
        machine = ", ".join(f"{part} {value}" for part, value in result["machine"].items())
        made = f"Seeds: {len(result['seeds'])}. Machine: {machine}. Versions: {versions}."
        if "commit" in result:
            made += f" Commit: {result['commit']}."
        section += nodes.paragraph("", made)
        return section


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("stored-results", StoredResults)
