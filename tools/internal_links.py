"""Follow every link within the built book: files are there, and so is the place in a page that a link names.

    python tools/internal_links.py [FOLDER]

FOLDER is a built book or a whole site of versions; the default is what `make book` made.
"""

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from project import ROOT

BUILT = ROOT / "book" / "_build" / "html"
ADDRESSES = {"href", "src", "poster", "data-src"}


class Page(HTMLParser):
    """What one page links, and the places in it that can be linked."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note addresses and ids of one element."""
        for name, value in attributes:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.places.add(value)
            elif name in ADDRESSES:
                self.links.add(value)
            elif name == "srcset":
                self.links.update(part.split()[0] for part in value.split(",") if part.strip())
            elif name == "content" and value.lower().startswith("0; url="):
                self.links.add(value[len("0; url=") :])


@cache
def read(path: Path) -> Page:
    """A page, parsed once."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _has(page: Path, fragment: str) -> bool:
    return unquote(fragment) in read(page).places


def broken(folder: Path) -> list[str]:
    """One line for each link that leads nowhere: the page, the address, and what is missing.

    Links to other sites are not followed; `tools/external_links.py` does that.

    Raises
    ------
    ValueError
        If the folder has no page.
    """
    pages = sorted(folder.rglob("*.html"))
    if not pages:
        raise ValueError(f"{folder} has no page; run make book first")
    root, found = folder.resolve(), []
    for path in pages:
        name = path.relative_to(folder).as_posix()
        for link in sorted(read(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if parts.path.startswith("/") or not target.is_relative_to(root):
                found.append(f"{name}: {link} leads out of the book")
            elif not target.is_file():
                found.append(f"{name}: {link} names a file that is not there")
            elif parts.fragment and target.suffix == ".html" and not _has(target, parts.fragment):
                found.append(f"{name}: {link} names a place that is not in that page")
    read.cache_clear()
    return found


def main(arguments: list[str]) -> int:
    """Print what is broken; 1 when anything is."""
    try:
        found = broken(Path(arguments[0]) if arguments else BUILT)
    except ValueError as error:
        found = [str(error)]
    print("\n".join(found) or "every link within the book leads somewhere")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
