"""The end of a page: what the pages before and after it add, their minutes, where to ask, what to mend.

The sentences stand in ``book/adds.yml``; the minutes are those that a chapter states itself.
"""

import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from .errors import PageError
from .repository import address

ADDS = "book/adds.yml"
_MINUTES = re.compile(r"Time (\d+) minutes to read")


def sentences(source: Path) -> dict[str, str]:
    """What each page adds, by its name; none in a book without the file."""
    if not source.is_file():
        return {}
    try:
        found = yaml.safe_load(source.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise PageError(f"{source.name} cannot be read ({str(error).splitlines()[0]}).") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise PageError(f"{source.name}: every line must be a page's name, a colon and a sentence.")
    return found


def configure(app: Sphinx, config: Config) -> None:
    """When a sentence changes, pages are written anew, and not read anew."""
    config.attnbook_adds = sentences(Path(app.srcdir) / ADDS)
    text = repr(sorted(config.attnbook_adds.items()))
    config.attnbook_adds_digest = hashlib.sha256(text.encode()).hexdigest()


def note_minutes(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the minutes that a page states, beside what Sphinx keeps of it."""
    for paragraph in doctree.findall(nodes.paragraph):
        if stated := _MINUTES.match(paragraph.astext()):
            app.env.metadata[app.env.docname]["minutes"] = int(stated[1])
            return


def question(title: str) -> str:
    """The form for what is wrong or unclear, the page's title filled in."""
    return f"{address()}/issues/new?{urlencode({'template': 'mistake.yml', 'place': title})}"


def add(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the frame what it shows at the page's end."""
    _, before, after = app.builder.relations.get(pagename, (None, None, None))
    for side, name in (("prev", before), ("next", after)):
        context[f"attnbook_{side}_adds"] = app.config.attnbook_adds.get(name)
        context[f"attnbook_{side}_minutes"] = app.env.metadata.get(name, {}).get("minutes")
    if doctree is None:
        return
    source = app.env.doc2path(pagename, base=False)
    # GitHub edits a page of text in the browser; a notebook is edited on one's own machine.
    kind = "blob" if source.endswith(".ipynb") else "edit"
    title = app.env.titles[pagename].astext()
    context["attnbook_source"] = f"{address()}/{kind}/main/{source}"
    context["attnbook_question"] = question(title)


def setup(app: Sphinx) -> None:
    """The minutes when a page is read, the rest when it is written."""
    app.add_config_value("attnbook_adds", {}, "")
    app.add_config_value("attnbook_adds_digest", "", "html")
    app.connect("config-inited", configure)
    app.connect("doctree-read", note_minutes)
    app.connect("html-page-context", add, priority=845)
