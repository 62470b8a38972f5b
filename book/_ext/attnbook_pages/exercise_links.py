"""Beside a chapter's link to its exercise notebook: where it runs, and what becomes of what was solved.

The link itself leads to a view that is read.
In Jupyter and Colab it stands alone: whoever reads it is where exercises are solved.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from .repository import address

COLAB = "https://colab.research.google.com/github/"


def page(name: str, words: str) -> addnodes.pending_xref:
    """A link to a page of the book."""
    options = {"refdomain": "std", "reftype": "doc", "refexplicit": True, "refwarn": True}
    return addnodes.pending_xref("", nodes.inline("", words), reftarget=f"/{name}", **options)


class ExerciseLinks(SphinxTransform):
    """Go on in the paragraph that links a chapter's exercise notebook."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Look for the link, once a page."""
        start = f"{address()}/blob/main/exercises/"
        for link in self.document.findall(nodes.reference):
            where, __, name = link.get("refuri", "").rpartition("/")
            if f"{where}/" == start and (Path(self.env.srcdir) / "exercises" / name).is_file():
                link.parent.extend(self.ways(name))
                return

    def ways(self, name: str) -> list[nodes.Node]:
        """Colab, a file for Jupyter, and the page that takes in what was solved."""
        colab = f"{address()}/blob/main/exercises/{name}".replace("https://github.com/", COLAB)
        file = {"reftarget": f"/exercises/{name}", "refdoc": self.env.docname}
        download = addnodes.download_reference("", "", **file)
        download += nodes.inline("", "download it")
        return [
            nodes.Text(" To solve them, "),
            nodes.reference("", "open the notebook in Colab", refuri=colab, internal=False),
            nodes.Text(", or "),
            download,
            nodes.Text(" for "),
            page("book/how_to_use", "Jupyter"),
            nodes.Text("; "),
            page("book/progress", "your progress"),
            nodes.Text(" says how what you solved comes back."),
        ]


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(ExerciseLinks)
