"""The frame of a page: our templates over the theme's, and the repository's address."""

import hashlib
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from .paths import HERE, TEMPLATES
from .repository import address


def digest() -> str:
    """What this extension's own files are: pages made by other ones are made anew."""
    seen = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        seen.update(path.read_bytes())
    return seen.hexdigest()


def configure(app: Sphinx, config: Config) -> None:
    """Put our templates first; give the theme the repository, to which its launch buttons point."""
    config.templates_path.insert(0, str(TEMPLATES))
    config.html_theme_options.update(
        {"repository_url": address(), "repository_branch": "main", "path_to_docs": "", "analytics": {}}
    )
    # Without scripts a page is light; with them its first lines choose.
    config.html_context.setdefault("default_mode", "light")


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the templates the address, the author and, for now, that the page has no widget scripts."""
    context["attnbook_repository"] = address()
    context["author"] = app.config.author
    context.setdefault("attnbook_scripts", [])


def setup(app: Sphinx) -> None:
    """Connect before the theme's own handlers read what is set here."""
    # Jupyter Book sets this for an extension that the book does without.
    app.add_config_value("comments_config", {}, "html")
    app.add_config_value("attnbook_pages_digest", digest(), "env")
    app.connect("config-inited", configure, priority=900)
    app.connect("html-page-context", describe, priority=900)
