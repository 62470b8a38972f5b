"""`{third-party}`: what the pages ship from others, with version and licence as its package states them."""

import json
from importlib.metadata import metadata

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .packages import npm_file
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
    ("Sphinx", "Python", "the scripts of the search page"),
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


class ThirdParty(SphinxDirective):
    """A table with one row for each package of which a page ships something."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        rows = [("Package", "Version", "Licence", "What a page has of it")]
        for name, source, use in SHIPPED:
            version, licence = npm_facts(name) if source == "npm" else python_facts(name)
            rows.append((f"{name} ({source})", version, licence, use))
        return [table(rows)]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("third-party", ThirdParty)
