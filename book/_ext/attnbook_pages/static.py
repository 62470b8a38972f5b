"""The files that the pages load: gathered from their packages, cut to what is used, nothing left over."""

import hashlib
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from .errors import PageError
from .fonts import mathematics_font
from .licences import write_texts
from .node import run
from .packages import npm_file, python_file
from .paths import ASSETS, BOOK, NODE_MODULES, SLIDES, STATIC, WIDGET_SCRIPTS

LOGGER = logging.getLogger(__name__)

FONT_CACHE = BOOK / "_build" / "cache"
TEXT_SOURCES = {
    f"text-{style}.woff2": f"@fontsource/source-serif-4/files/source-serif-4-latin-{style}.woff2"
    for style in ("400-normal", "400-italic", "600-normal", "600-italic")
}
# Two files of ours that every page loads as one.
_PAGE_PARTS = ("page.js", "reader.js")
_SCRIPTS = ("host.js", "progress.js", "paths.js", "search_words.js", "search.js")
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")


def read(path: Path) -> str:
    """A stylesheet as text."""
    return path.read_text(encoding="utf-8")


def check(app: Sphinx) -> None:
    """Before the first page: what is missing or damaged is said now, while nothing is written."""
    if app.builder.format != "html":
        return
    for name in (
        *TEXT_SOURCES.values(),
        "temml/dist/temml.cjs",
        "temml/dist/Temml-STIX2.css",
        "purgecss/package.json",
        "minisearch/dist/umd/index.js",
    ):
        npm_file(name)
    mathematics_font(FONT_CACHE)


def stylesheets(outdir: Path) -> list[str]:
    """Every sheet that the book's one stylesheet is made of, in the order of the cascade."""
    theme = "theme/{0}/static/styles/"
    sheets = [
        read(
            python_file(
                "pydata_sphinx_theme", theme.format("pydata_sphinx_theme") + "pydata-sphinx-theme.css"
            )
        ),
        read(python_file("sphinx_book_theme", theme.format("sphinx_book_theme") + "sphinx-book-theme.css")),
        read(python_file("myst_nb", "static/mystnb.css")),
        read(npm_file("temml/dist/Temml-STIX2.css")),
    ]
    # Fonts are ours alone, so the sheets' own font declarations, which name files that we do not ship, go.
    sheets = [FONT_FACE.sub("", sheet) for sheet in sheets]
    sheets.append(
        read(outdir / "_static" / "pygments.css")
    )  # the theme writes it for light and dark at each build's end
    sheets.extend(read(path) for path in sorted((BOOK / "_static").glob("*.css")))
    return sheets


def write_stylesheet(outdir: Path) -> None:
    """One sheet for all pages, with only the rules that some page uses."""
    pages = sorted(str(path) for path in outdir.rglob("*.html") if path.parent != outdir / SLIDES)
    request = {
        "package": str(NODE_MODULES / "purgecss"),
        "css": stylesheets(outdir),
        "content": [*pages, *(str(ASSETS / name) for name in (*_PAGE_PARTS, *_SCRIPTS))],
    }
    # The same pages and sheets give the same sheet: an unchanged book does not ask Node for it again.
    seen = hashlib.sha256("".join(request["css"]).encode())
    for path in (ASSETS / "purge.cjs", *map(Path, request["content"])):
        seen.update(path.read_bytes())
    cache = outdir.parent / "cache"
    kept = cache / f"book-{seen.hexdigest()[:16]}.css"
    if not kept.is_file():
        css = run(ASSETS / "purge.cjs", request)["css"]
        cache.mkdir(exist_ok=True)
        for old in cache.glob("book-*.css"):
            old.unlink()
        kept.write_text(css, encoding="utf-8", newline="\n")
    shutil.copyfile(kept, outdir / STATIC / "book.css")


def copy_files(outdir: Path) -> None:
    """Scripts, fonts and pictures that pages link."""
    target = outdir / STATIC
    target.mkdir(parents=True, exist_ok=True)
    for name, source in TEXT_SOURCES.items():
        shutil.copyfile(npm_file(source), target / name)
    shutil.copyfile(mathematics_font(FONT_CACHE), target / "mathematics.woff2")
    for name in _SCRIPTS:
        shutil.copyfile(ASSETS / name, target / name)
    whole = "".join(read(ASSETS / name) for name in _PAGE_PARTS)
    (target / "page.js").write_text(whole, encoding="utf-8", newline="\n")
    for picture in sorted((BOOK / "_static").glob("*.svg")):
        shutil.copyfile(picture, target / picture.name)
    write_texts(target / "licences")
    for script in sorted(WIDGET_SCRIPTS.glob("*")):
        shutil.copyfile(script, target / script.name)


def drop_leftovers(outdir: Path) -> None:
    """Remove what Sphinx and the theme copied for pages of theirs: what is published is what is read."""
    for path in (outdir / "_static").iterdir():
        if path.name == STATIC.name:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name in ("objects.inv", "searchindex.js"):  # of Sphinx, also of a build before this one
        (outdir / name).unlink(missing_ok=True)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """After the last page: the stylesheet, the files, and the broom."""
    if exception is not None or app.builder.format != "html":
        return
    outdir = Path(app.outdir)
    try:
        copy_files(outdir)
        write_stylesheet(outdir)
        drop_leftovers(outdir)
    except OSError as error:
        raise PageError(f"{error.filename} cannot be read or written ({error.strerror}).") from None


def setup(app: Sphinx) -> None:
    """Run after the theme has written its own colours for code."""
    app.connect("builder-inited", check)
    app.connect("build-finished", finish, priority=950)
