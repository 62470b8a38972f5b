"""Which version of the book this is: its number in the bar of every page, and a page of all versions.

A build knows itself alone. ``tools/assemble_site.py``, which puts the versions of the site together, writes
them all into the list of this page, and a note into each page of an old version.
"""

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from .errors import PageError
from .repository import address, project
from .site import home

PAGE = "versions"


def version() -> str:
    """The version that pyproject.toml states, such as ``"0.1.0"``."""
    try:
        return project()["version"]
    except KeyError:
        raise PageError("pyproject.toml has no [project] version; add it, each page names it.") from None


def configure(app: Sphinx, config: Config) -> None:
    """Another version is written into every page."""
    config.attnbook_version = version()


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the templates the version."""
    context["attnbook_version"] = app.config.attnbook_version


def page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page of versions, at the root of the build."""
    yield PAGE, {"title": "Versions", "attnbook_home": home(address())}, "versions.html"


def setup(app: Sphinx) -> None:
    """Before the pages are written, and one page more."""
    app.add_config_value("attnbook_version", "", "html")
    app.connect("config-inited", configure)
    app.connect("html-page-context", describe)
    app.connect("html-collect-pages", page)
