"""`{stored-results}`: each stored run by chapter: what it asks and shows, a figure, and its numbers, folded.

Made at build time from the JSON files and ``book/results.yml``.
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

from . import run_claims, run_figures
from .errors import PageError
from .folders import note
from .paths import RESULTS, ROOT
from .run_numbers import RunNumbers

sys.path.append(str(ROOT / "src"))  # the book is built without the package being installed

CHAPTERS = ROOT / "chapters"


def stored_results() -> list[tuple[Path, dict]]:
    """Every stored result with the file that holds it, by name."""
    found = []
    for path in sorted(RESULTS.glob("*.json")):
        name = path.relative_to(ROOT)
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            for part in ("experiment", "command", "options", "summary", "seeds"):
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


def summary_table(summary: dict) -> str:
    """One row for each thing measured: its mean and standard deviation over seeds, its extremes, how many.

    Written as HTML: a run may hold six hundred rows, and a paragraph in each cell would double the page.
    """
    head = ("Number", "Mean ± standard deviation", "Lowest", "Highest", "Seeds")
    lines = ["<tr>" + "".join(f'<th scope="col">{words}</th>' for words in head) + "</tr>"]
    for name, value in summary.items():
        middle = number(value["mean"])
        if value.get("std"):
            middle += f" ± {number(value['std'])}"
        cells = (middle, number(value["min"]), number(value["max"]), str(value["n"]))
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{escape(name.replace("/", ", "))}</th>{row}</tr>')
    return (
        '<div class="pst-scrollable-table-container"><table class="attnbook-numbers">'
        f"<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody></table></div>"
    )


def plain(title: str) -> str:
    """A title's words, without the marks of emphasis and code."""
    return re.sub(r"(\*\*|\*|`)(?=\S)(.+?)(?<=\S)\1", r"\2", title)


@cache
def readers() -> list[tuple[str, str, str]]:
    """Name, title and code of each notebook, in order."""
    found = []
    # A chapter stands before its labs.
    for path in sorted(
        CHAPTERS.glob("*.ipynb"), key=lambda path: (path.name[:2], "_lab_" in path.name, path)
    ):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
        title = next(
            re.search(r"^# (.+)", text, re.MULTILINE)[1]
            for kind, text in sources
            if kind == "markdown" and re.search(r"^# ", text, re.MULTILINE)
        )
        found.append((path.stem, plain(title), "\n".join(text for kind, text in sources if kind == "code")))
    return found


@cache
def lists() -> dict[str, set[str]]:
    """Modules of attnbook.experiments that read many runs by the names that they make, and these names."""
    from attnbook.experiments import luong_grid

    return {"luong_grid": luong_grid.names()}


def shown_in(stem: str, experiment: str, shipped: str = "") -> list[tuple[str, str]]:
    """Address and title of the chapters and labs that read this result, or a table of its experiment.

    A run is read by its name or through a list of runs; else as the model that it shipped. The speeds of the
    translators are read by this page's own leaderboard.
    """
    # From the experiments: attnbook.nn and attnbook.translation have modules of the same names.
    imports = r"attnbook\.experiments(?:\.| import (?:\([^)]*|[^\n]*)\b){}\b".format
    quoted = lambda name: rf"""["']{re.escape(name)}["']"""  # noqa: E731
    named = [quoted(stem), *(imports(module) for module, names in lists().items() if stem in names)]
    for pattern in ("|".join(named), imports(re.escape(experiment)), *([quoted(shipped)] if shipped else [])):
        read = [
            (f"../chapters/{name}.html", title) for name, title, code in readers() if re.search(pattern, code)
        ]
        if read:
            return read
    return [("#the-leaderboard", "the leaderboard")] if stem == "translator_speed" else []


def heading(chapter: int) -> str:
    """Number and name of a chapter, as its notebook has them."""
    start = f"{chapter:02d}_"
    return next(title for name, title, _ in readers() if name.startswith(start) and "_lab_" not in name)


def made(result: dict) -> str:
    """Seeds, machine, commit and versions; what an early run did not store is said to be missing."""
    seeds = len(result["seeds"])
    asked = re.search(r"--seeds (\d+)", result["command"])
    of = f" of the {asked[1]} that the command names" if asked and int(asked[1]) != seeds else ""
    machine = ", ".join(f"{part} {value}" for part, value in result.get("machine", {}).items())
    versions = ", ".join(f"{package} {number}" for package, number in result.get("versions", {}).items())
    commit = result.get("commit", "unknown")
    if commit == "unknown":
        commit = "not stored"
    elif commit.endswith("-dirty"):
        commit = f"{commit.removesuffix('-dirty')} and changes that were not committed"
    return (
        f"Seeds: {seeds}{of}. Commit: {commit}. Machine: {machine or 'not stored'}. "
        f"Versions: {versions or 'not stored'}."
    )


class StoredResults(SphinxDirective):
    """Draw what is stored; where nothing is, say so."""

    def run(self) -> list[nodes.Node]:
        """A section a chapter, and in it one a run: question, claim, figure, table, command, machine."""
        note(self.env, RESULTS)
        for source in (run_claims.STORED, *map(Path, (run_claims.__file__, run_figures.__file__))):
            self.env.note_dependency(str(source))
        runs = stored_results()
        order = {name: place for place, name in enumerate(run_claims.names())}
        chapters: dict[int, list[tuple[int, nodes.section]]] = {}
        for path, result in runs:
            self.env.note_dependency(str(path))
            found = run_claims.claim(path.stem)
            place = order.get(path.stem, len(order))
            chapters.setdefault(found.chapter, []).append((place, self.section(path, result, found)))
        content: list[nodes.Node] = []
        for chapter, sections in sorted(chapters.items()):
            name = heading(chapter)
            part = nodes.section("", nodes.title("", name), ids=[f"results-of-chapter-{chapter}"])
            part += [section for _, section in sorted(sections, key=lambda pair: pair[0])]
            content.append(part)
        return content or [nodes.paragraph("", "No run has stored a result yet.")]

    def section(self, path: Path, result: dict, found: run_claims.Claim) -> nodes.section:
        """One run under its question."""
        stem, numbers = path.stem, RunNumbers(result)
        try:
            broken = run_claims.broken(found.holds, numbers)
            question, says = (run_claims.filled(text, numbers) for text in (found.question, found.says))
            figure = self.figure(path, found.figure, numbers)
        except (ValueError, KeyError) as error:
            raise PageError(f"book/results.yml, {stem}: {error}.") from None
        if broken:
            raise PageError(
                f"book/results.yml, {stem}: the run does not bear out {'; '.join(broken)}; say what it does."
            )
        section = nodes.section("", nodes.title("", question), ids=[nodes.make_id(f"result {stem}")])
        words = nodes.container("", nodes.paragraph("", says), classes=["stored-run-words"])
        ships = re.search(r"--ship (\S+)", result["command"])
        links = shown_in(stem, result["experiment"], ships[1] if ships else "")
        shown = nodes.paragraph(
            "", "Shown in: " if links else "Shown here alone.", classes=["stored-run-made"]
        )
        for place, (address, name) in enumerate(links):
            shown += nodes.Text(", " if place else "")
            shown += nodes.reference("", name, refuri=address)
        words += shown
        section += nodes.container("", words, figure, classes=["stored-run"])
        # Folded: some runs measure hundreds of things, and a page of all of them is read by nobody.
        lines, seeds = len(result["summary"]), len(result["seeds"])
        line = (
            f"Command, machine and {lines} number{'s' * (lines != 1)} over {seeds} seed{'s' * (seeds != 1)}"
        )
        markup = f'<details class="fold fold-numbers"><summary>{escape(line)}</summary>'
        section += nodes.raw("", markup, format="html")
        section += nodes.literal_block("", result["command"], language="console")
        section += nodes.paragraph("", made(result), classes=["stored-run-made"])
        section += nodes.raw("", f"{summary_table(result['summary'])}</details>", format="html")
        return section

    def figure(self, path: Path, entry: dict, numbers: RunNumbers) -> nodes.figure:
        """The run's figure, a file in the folder of what is built, and its words."""
        folder = Path(self.env.srcdir) / "book" / "_build" / "results"
        drawn = run_figures.picture(path.stem, path.read_bytes(), entry, numbers, folder)
        address = f"/{drawn.relative_to(self.env.srcdir).as_posix()}"
        picture = nodes.image("", uri=address, alt=run_figures.alternative(entry, numbers))
        return nodes.figure("", picture, classes=["book-figure"])


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("stored-results", StoredResults)
