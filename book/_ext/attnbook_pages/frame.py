"""The frame of a page: our templates over the theme's, and the repository's address."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from .paths import HERE, TEMPLATES
from .repository import address

_CHAPTER = re.compile(r"((?:.*/)?chapters/\d\d)_")


def digest() -> str:
    """What this extension's own files are: pages made by other ones are made anew."""
    seen = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        seen.update(path.read_bytes())
    return seen.hexdigest()


def relative(folder: Path, base: Path) -> str:
    """A folder as it is named from another, so that what Sphinx notes of it is the same on every machine."""
    try:
        return Path(os.path.relpath(folder, base)).as_posix()
    except ValueError:  # on another drive of a Windows machine
        return str(folder)


def configure(app: Sphinx, config: Config) -> None:
    """Put our templates first; give the theme the repository, to which its launch buttons point."""
    config.templates_path.insert(0, relative(TEMPLATES, Path(app.confdir)))
    config.html_theme_options.update(
        {
            "repository_url": address(),
            # What launch buttons open: the notebooks of this very version.
            "repository_branch": os.environ.get("ATTNBOOK_REF") or "main",
            "path_to_docs": "",
            "analytics": {},
            "show_navbar_depth": 2,
        }
    )
    # Without scripts a page is light; with them its first lines choose.
    config.html_context.setdefault("default_mode", "light")


def contents(env: BuildEnvironment) -> list[str]:
    """Every page that the contents list, in their order, which is that of teaching."""
    found: list[str] = []
    waiting = [env.config.root_doc]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += reversed(env.toctree_includes.get(name, []))
    return found


def family(pagename: str, pages: Iterable[str]) -> tuple[str | None, list[str]]:
    """The core of a chapter and its labs, told from the number that their files begin with.

    The labs are in the order of `pages`. A page that is no chapter has neither.
    """
    found = _CHAPTER.match(pagename)
    if found is None:
        return None, []
    chapter = [name for name in pages if name.startswith(f"{found[1]}_")]
    labs = [name for name in chapter if name.startswith(f"{found[1]}_lab_")]
    return next((name for name in chapter if name not in labs), None), labs


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell the templates the address, the author, the chapter's core and labs; for now, no widget scripts."""
    context["attnbook_repository"] = address()
    context["author"] = app.config.author
    context.setdefault("attnbook_scripts", [])
    core, labs = family(pagename, contents(app.env))
    link = lambda name: {"link": context["pathto"](name), "title": app.env.titles[name].astext()}  # noqa: E731
    context["attnbook_core"] = link(core) if core not in (None, pagename) else None
    context["attnbook_labs"] = [link(name) for name in labs] if core == pagename else []


def setup(app: Sphinx) -> None:
    """Connect before the theme's own handlers read what is set here."""
    # Jupyter Book sets this for an extension that the book does without.
    app.add_config_value("comments_config", {}, "html")
    app.add_config_value("attnbook_pages_digest", digest(), "env")
    app.connect("config-inited", configure, priority=900)
    app.connect("html-page-context", describe, priority=900)
