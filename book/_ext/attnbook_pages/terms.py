"""The glossary where a reader is: a term's first italic use in a chapter links to its entry."""

import hashlib
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

GLOSSARY = "book/glossary"
_HEADING = re.compile(r"^## (.+?)\s*$", re.MULTILINE)


def normal(term: str) -> str:
    """A term as it is compared: small letters, one space, no plural s."""
    words = " ".join(term.lower().split())
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def entries(source: Path) -> dict[str, str]:
    """Each term of the glossary in its compared form, with the id of its section; none without a glossary.

    A second entry of the same name has another id and is left out.
    """
    found: dict[str, str] = {}
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    for term in _HEADING.findall(text):
        found.setdefault(normal(term), nodes.make_id(term))
    return found


def configure(app: Sphinx, config: Config) -> None:
    """When the glossary's terms change, chapters are written anew, and not read anew."""
    terms = entries(Path(app.srcdir) / f"{GLOSSARY}.md")
    config.attnbook_terms = terms
    config.attnbook_terms_digest = hashlib.sha256(repr(sorted(terms.items())).encode()).hexdigest()


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the first use of each term that stands in italics in a chapter's text."""
    terms = dict(app.config.attnbook_terms)
    if not docname.startswith("chapters/") or not terms:
        return
    target = app.builder.get_relative_uri(docname, GLOSSARY)
    for emphasis in list(doctree.findall(nodes.emphasis)):
        if emphasis.next_node(nodes.reference) or isinstance(emphasis.parent, nodes.reference | nodes.title):
            continue
        anchor = terms.pop(normal(emphasis.astext()), None)
        if anchor:
            reference = nodes.reference("", "", refuri=f"{target}#{anchor}", classes=["term"], internal=True)
            reference.extend(emphasis.children)
            emphasis.children = []
            emphasis.append(reference)


def setup(app: Sphinx) -> None:
    """Links are set when a page is written, after its cross references."""
    app.add_config_value("attnbook_terms", {}, "")
    app.add_config_value("attnbook_terms_digest", "", "html")
    app.connect("config-inited", configure)
    app.connect("doctree-resolved", link)
