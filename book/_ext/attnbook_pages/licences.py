"""`{third-party}`: what the pages ship from others, with version and licence as its package states them."""

import json
from importlib.metadata import files, metadata
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .packages import npm_file
from .paths import STATIC
from .tables import table

# name, where it comes from, what of it is in a page
SHIPPED = (
    ("@fontsource/source-serif-4", "npm", "Source Serif 4, the typeface of the text"),
    (
        "@fontsource/stix-two-math",
        "npm",
        "STIX Two Math, the typeface of formulas, cut to the characters that the book uses",
    ),
    ("temml", "npm", "the style rules of formulas (its program runs only when the book is built)"),
    ("pydata-sphinx-theme", "Python", "style rules, cut to those that a page uses"),
    ("sphinx-book-theme", "Python", "style rules, cut to those that a page uses"),
    ("myst-nb", "Python", "style rules of code cells"),
    ("Pygments", "Python", "colours of code"),
    ("minisearch", "npm", "the program of the search page"),
)


def npm_facts(name: str) -> tuple[str, str]:
    """Version and licence of an npm package."""
    package = json.loads(npm_file(f"{name}/package.json").read_text(encoding="utf-8"))
    return package["version"], package["license"]


def python_facts(name: str) -> tuple[str, str]:
    """Version and licence of a Python package: its expression, else its classifier."""
    facts = metadata(name)
    licence = facts.get("License-Expression")
    if not licence:
        kinds = [
            line.rsplit(" :: ", 1)[-1]
            for line in facts.get_all("Classifier", [])
            if line.startswith("License")
        ]
        licence = ", ".join(kinds) or (facts.get("License") or "").splitlines()[0]
    return facts["Version"], licence


def text_of(name: str, source: str) -> str:
    """The licence's own words, which must travel with what is under it."""
    if source == "npm":
        folder = npm_file(f"{name}/package.json").parent
        found = sorted(folder.glob("LICENSE*"))
        if not found:
            raise PageError(f"The npm package {name} holds no licence text; name another one.")
        return found[0].read_text(encoding="utf-8")
    found = [path for path in files(name) or [] if path.name.upper().startswith("LICEN")]
    if not found:
        raise PageError(f"The Python package {name} holds no licence text; install it from its wheel.")
    return min(found, key=str).locate().read_text(encoding="utf-8")


def file_name(name: str) -> str:
    """The name under which a package's licence is published."""
    return name.strip("@").replace("/", "-").lower() + ".txt"


def write_texts(folder: Path) -> None:
    """Every licence, one file each, for the pages to link."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source, _ in SHIPPED:
        (folder / file_name(name)).write_text(text_of(name, source), encoding="utf-8", newline="\n")


class ThirdParty(SphinxDirective):
    """A table with one row for each package of which a page ships something."""

    def run(self) -> list[nodes.Node]:
        """The table, each licence a link to its text."""
        rows = [("Package", "Version", "Licence", "What a page has of it")]
        up = "../" * self.env.docname.count("/")
        for name, source, use in SHIPPED:
            version, licence = npm_facts(name) if source == "npm" else python_facts(name)
            address = f"{up}{(STATIC / 'licences' / file_name(name)).as_posix()}"
            link = nodes.reference("", licence, refuri=address, internal=False)
            rows.append((f"{name} ({source})", version, link, use))
        return [table(rows)]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("third-party", ThirdParty)
