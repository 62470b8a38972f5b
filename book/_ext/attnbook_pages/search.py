"""The search: an index of all sections, made by MiniSearch when the book is built, and the page that asks it.

Sphinx's own index knows which page holds a word, and neither which section nor how often, so that it cannot
say what comes first. Its scripts and its index are left out.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

from .node import run
from .packages import npm_file
from .paths import ASSETS, STATIC
from .sections import kept
from .widgets import script_safe

WORDS = "search_words.js"
BEGINNING = 80  # letters of a section that a result shows


def beginning(text: str) -> str:
    """The first words of a section."""
    return text if len(text) <= BEGINNING else text[:BEGINNING].rsplit(" ", 1)[0] + " …"


def rows(app: Sphinx) -> list[dict[str, str]]:
    """Every section of the pages that the contents list, in the order of its page's name."""
    found = []
    for name in sorted(app.env.titles):
        sections = kept(app.env).get(name, [])
        page = sections[0]["title"] if sections else ""
        for section in sections:
            anchor = f"#{section['anchor']}" if section["anchor"] else ""
            # The whole name of what the package offers is no word of its section.
            code = f"{section['code']} {section['anchor']}" if "." in section["anchor"] else section["code"]
            address = app.builder.get_target_uri(name) + anchor
            found.append({**section, "code": code, "page": page, "address": address})
    return found


def content(sections: list[dict[str, str]]) -> dict:
    """What the page of the search loads: each section as it is shown, and the words of all."""
    request = {
        "package": str(npm_file("minisearch/dist/cjs/index.cjs")),
        "words": str(ASSETS / WORDS),
        "sections": [{part: row[part] for part in ("title", "page", "text", "code")} for row in sections],
    }
    shown = [[row["address"], row["title"], row["page"], beginning(row["text"])] for row in sections]
    return {"sections": shown, "index": run(ASSETS / "search_index.cjs", request)}


def without_sphinx(app: Sphinx) -> None:
    """Sphinx makes no index; a text builder has no such switch."""
    if app.builder.format == "html":
        app.builder.search = False


def page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """The page of the search, which Sphinx would have made."""
    yield "search", {}, "search.html"


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the index as a script, since a page that is opened from a disk may load one and no other file."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / STATIC
    folder.mkdir(parents=True, exist_ok=True)
    text = f"(globalThis.attnbookSearch ||= {{}}).content = {script_safe(content(rows(app)))};\n"
    (folder / "search_content.js").write_text(text, encoding="utf-8", newline="\n")
    shutil.copyfile(npm_file("minisearch/dist/umd/index.js"), folder / "minisearch.js")


def setup(app: Sphinx) -> None:
    """No index of Sphinx's; ours after the last page."""
    app.connect("builder-inited", without_sphinx)
    app.connect("html-collect-pages", page)
    app.connect("build-finished", write, priority=940)
