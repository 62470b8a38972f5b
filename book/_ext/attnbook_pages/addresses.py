"""Links to other sites keep their `&`.

myst-parser hands an address on as HTML, and Sphinx writes that as HTML once more: `&amp;amp;`.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

# What markdown-it's `escapeHtml` makes of four signs; `&` comes last, so that one step is taken back.
ESCAPED = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&"}


def plain(address: str) -> str:
    """An address as its author wrote it.

    >>> plain("https://a.org/?title=B&amp;limit=1")
    'https://a.org/?title=B&limit=1'
    """
    for written, sign in ESCAPED.items():
        address = address.replace(written, sign)
    return address


class PlainAddresses(SphinxTransform):
    """Take the first of the two escapes back, before any of our own links are added."""

    default_priority = 100

    def apply(self, **_: object) -> None:
        """Visit the links of a page."""
        for link in self.document.findall(nodes.reference):
            if "&" in link.get("refuri", ""):
                link["refuri"] = plain(link["refuri"])


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(PlainAddresses)
