"""The whole book as one PDF, made by Chromium from the built pages.

    make pdf        (or: python tools/print_book.py [--html FOLDER] [--pdf FILE])

All pages become one document whose links lead within it: contents first, then the pages in the order of
_toc.yml. What is folded on a page is left out, as when the page is printed; a widget is a picture of what it
shows once its prediction is skipped (widget_pictures.py). The headings are the PDF's bookmarks. The numbers
in the contents are written into the printed PDF, which knows on which page each part begins.
"""

import argparse
import html
import posixpath
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import yaml

import widget_pictures
from project import ROOT

PAGES = ROOT / "book" / "_build" / "html"
# A page that is a program, and one that lists the code of the package, are nothing to read on paper.
LEFT_OUT = {"book/progress", "book/api", "book/api_package"}
_ARTICLE = re.compile(r'<article class="bd-article">(.*?)</article>', re.DOTALL)
_TITLE = re.compile(r'<h1>(.*?)<a class="headerlink"', re.DOTALL)
_ADDRESS = re.compile(r'\b(href|src)="([^"]*)"')
_ID = re.compile(r'\b(id|aria-labelledby|aria-describedby|for)="([^"]+)"')
_DATA = re.compile(r"<script\b.*?</script>", re.DOTALL)
_OWN_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_PAPER = re.compile(r"@page\s*(\{[^}]*\})")
STYLE = """
@page { size: A4; margin: 17mm 17mm 18mm; }
html { font-size: 14px; }
body { margin: 0; font-size: 9.6pt; line-height: 1.45; }
.print-page { break-before: page; }
.print-title { break-after: page; padding-top: 35vh; text-align: center; font-size: 24pt; font-weight: 600; }
.print-contents ul { list-style: none; padding-left: 0; }
.print-contents li { display: flex; margin: 0 0 .1em; line-height: 1.35; }
.print-contents li a { flex: 1; color: inherit; text-decoration: none; border-bottom: 1px dotted #999; }
.print-contents li { padding-right: 2.6em; }
.print-page h2 { margin: 1.5em 0 .4em; }
.print-page h3 { margin: 1.2em 0 .4em; }
a.headerlink { display: none; }
.bd-article img { max-width: 100%; height: auto; }
/* Long code and long tables go on on the next page, four lines at least; a figure keeps its caption. */
.bd-article pre, .bd-article table, .bd-article [data-class="Quiz"] { break-inside: auto; }
.bd-article :is(.highlight, [class*="highlight-"]) { display: block; break-inside: auto; }
.bd-article pre { orphans: 4; widows: 4; overflow: visible; }
.bd-article :is(tr, li, figure), .bd-article section:has(> .stored-run) { break-inside: avoid; }
.bd-article tbody tr:is(:first-child, :last-child) { break-before: avoid; }
.bd-article h4 { break-after: avoid; }
/* An empty list of pages at a part's end would begin a page of its own. */
.bd-article .toctree-wrapper:not(:has(*)) { display: none; }
/* A long table that no upright page is wide enough for (FIT). */
@page wide { size: A4 landscape; margin: 12mm; }
.bd-article .print-wide { page: wide; width: 273mm; font-size: .72em; line-height: 1.2; }
.bd-article .print-wide :is(th, td) { padding: .15em .5em .15em 0; }
/* Space that a page keeps for what a script draws. */
.bd-article .attnbook-widget { min-height: 0; break-inside: auto; }
.bd-article img.print-widget { display: block; width: 100%; margin: 0 !important; }
/* The first page lists the chapters, as the contents do. */
.print-page section:not(:has(section)):has(> .toctree-wrapper) { display: none; }
"""
# What is wider than the paper is made smaller: a printed page does not scroll. A table that is too wide and
# longer than two pages gets pages of its own, on their side; lines of output may be three tenths smaller,
# and wrap where that is not enough.
FIT = """() => {
  const fit = (box) => {
    const ratio = box.clientWidth / box.scrollWidth;
    if (ratio < 1) for (const child of box.children) child.style.zoom = 0.97 * ratio;
  };
  for (const box of document.querySelectorAll(".bd-article .pst-scrollable-table-container")) {
    if (box.closest(".cell_output") && box.clientWidth < box.scrollWidth && box.scrollHeight > 2000)
      box.classList.add("print-wide");
    fit(box);
  }
  document.querySelectorAll(".bd-article .math-block").forEach(fit);
  const lines = [...document.querySelectorAll(".bd-article .cell_output pre")];
  lines.forEach((one) => (one.style.whiteSpace = "pre"));
  const sizes = lines.map((one) => {
    const { fontSize, paddingLeft, paddingRight } = getComputedStyle(one);
    const edge = parseFloat(paddingLeft) + parseFloat(paddingRight);
    return [one, parseFloat(fontSize), (one.clientWidth - edge) / (one.scrollWidth - edge)];
  });
  for (const [one, size, ratio] of sizes) {
    one.style.whiteSpace = "";
    if (ratio < 1 && ratio >= 0.7) one.style.fontSize = `${0.97 * ratio * size}px`;
  }
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((one) => {
  const copy = one.cloneNode(true);
  copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
  return copy.textContent;
})"""
WIDGETS = "widgets"  # the folder of their pictures, beside the document
PAPER = round((210 - 2 * 17) / 25.4 * 96)  # the width of STYLE's text, in pixels
MARGIN = 17 / 25.4 * 72  # the right margin of STYLE, in points
SIZE = 9.5  # of a number in the contents, in points
FOOTER = (
    '<div style="width: 100%; font: 8px sans-serif; color: #555; text-align: center">'
    '<span class="pageNumber"></span></div>'
)


def listed(entry: dict, depth: int = 0) -> list[tuple[str, int]]:
    """Every page that a table of contents names, with how deep it stands."""
    found = [(entry[key], depth) for key in ("root", "file") if key in entry]
    for key in ("parts", "chapters", "sections"):
        for child in entry.get(key, []):
            found.extend(listed(child, depth + (key == "sections")))
    return found


def slug(page: str) -> str:
    """What a page's ids begin with."""
    return page.replace("/", "-")


def own_style(match: re.Match, page: str) -> str:
    """The style that a page has for itself, held to its own part: its rules, and its paper."""
    part = slug(page)
    papers = "".join(f"@page {part} {paper}" for paper in _PAPER.findall(match[1]))
    # Within @scope a selector begins at the part, which the article is an ancestor of.
    rules = re.sub(r"\bhtml, body\b|\.bd-article\b", ":scope", _PAPER.sub("", match[1]))
    paper = f"{papers}#{part} {{ page: {part}; }}" if papers else ""
    return f"<style>{paper} @scope (#{part}) {{{rules}}}</style>"


def within(text: str, page: str, pages: set[str]) -> str:
    """A page's markup as a part of the whole: its ids are its own, its links lead to other parts.

    A link to a page that is left out loses its address; one to another site keeps it.
    """
    folder = posixpath.dirname(page)

    def address(match: re.Match) -> str:
        kind, target = match[1], html.unescape(match[2])
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match[0]
        path, _, fragment = target.partition("#")
        there = page if not path else posixpath.normpath(f"{folder}/{path}").removesuffix(".html")
        if kind == "src" or (path and not path.endswith(".html")):
            return f'{kind}="../html/{there}"' if kind == "src" else 'data-left-out=""'
        if there not in pages:
            return 'data-left-out=""'
        return f'href="#{slug(there)}{"--" + fragment if fragment else ""}"'

    # What is folded is left out; an answer that the reader opens has to be seen.
    text = text.replace("<details>", "<details open>")
    text = _OWN_STYLE.sub(lambda match: own_style(match, page), text)
    text = _ID.sub(lambda match: f'{match[1]}="{slug(page)}--{match[2]}"', _DATA.sub("", text))
    return _ADDRESS.sub(address, text).replace(' loading="lazy"', "")


@dataclass
class Book:
    """What is printed: the title, an entry of the contents a page (name, heading, depth), the parts."""

    title: str
    entries: list[tuple[str, str, int]]
    parts: list[str]

    def show(self, pictures: dict[str, list[widget_pictures.Picture]]) -> None:
        """Put the pictures of a page's widgets, by the page's name, in place of what its notebook stored."""
        for number, (page, _, _) in enumerate(self.entries):
            if page in pictures:
                self.parts[number] = widget_pictures.put(self.parts[number], pictures[page], f"{WIDGETS}/")

    def whole(self) -> str:
        """All pages as one document: title, contents, parts."""
        lines = "".join(
            f'<li style="margin-left: {2 * depth}em"><a href="#{slug(page)}">{heading}</a></li>'
            for page, heading, depth in self.entries
        )
        sheet = "../html/_static/attnbook/book.css"
        main = f'<main class="book-main"><div class="bd-article">{"".join(self.parts)}</div></main>'
        return (
            f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
            f"<title>{self.title}</title>"
            f'<link rel="stylesheet" href="{sheet}"><style>{STYLE}</style></head><body>'
            f'<div class="print-title"><p>{self.title}</p></div>'
            f'<div class="print-contents"><h2>Contents</h2><ul>{lines}</ul></div>'
            f"{main}</body></html>"
        )


def read(folder: Path, root: Path = ROOT) -> Book:
    """The built pages, in the order of the contents; a widget is what its notebook stores.

    Raises
    ------
    SystemExit
        If a page of the contents is not built; the sentence names the command that builds it.
    """
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    title = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
    pages = [(page, depth) for page, depth in listed(contents) if page not in LEFT_OUT]
    names = {page for page, _ in pages}
    book = Book(title, [], [])
    for page, depth in pages:
        file = folder / f"{page}.html"
        if not file.is_file():
            sys.exit(f"print_book.py: {file} is missing; run: make book")
        text = file.read_text(encoding="utf-8")
        article, heading = _ARTICLE.search(text), _TITLE.search(text)
        if article is None or heading is None:
            sys.exit(f"print_book.py: {file} is no page of this book; run: make book")
        book.entries.append((page, heading[1], depth))
        book.parts.append(
            f'<div class="print-page" id="{slug(page)}">{within(article[1], page, names)}</div>'
        )
    return book


def page_numbers(pdf: Path, book: Book) -> dict[str, int]:
    """On which page of the printed book each of its pages begins, counted from 1."""
    with pikepdf.open(pdf) as document:
        places = {page.objgen: number for number, page in enumerate(document.pages, start=1)}
        targets = document.Root.Dests
        return {page: places[targets[f"/{slug(page)}"][0].objgen] for page, _, _ in book.entries}


def number_contents(pdf: Path, numbers: dict[str, int]) -> None:
    """Write into the contents, at the right of each link, the number of the page to which it leads."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name("/Times-Roman")
        )
        wanted = {f"/{slug(page)}": str(number) for page, number in numbers.items()}
        for page in document.pages[: min(numbers.values()) - 1]:
            # A heading of two lines is two links; the number stands beside the lower one.
            lowest: dict[str, float] = {}
            for link in page.get("/Annots", []):
                target = str(link.get("/Dest"))
                if target in wanted:
                    lowest[target] = min(float(link.Rect[1]), lowest.get(target, float("inf")))
            if not lowest:
                continue
            name = page.add_resource(document.make_indirect(font), pikepdf.Name.Font)
            right = float(page.mediabox[2]) - MARGIN
            lines = []
            for target, y in lowest.items():
                # A digit is half as wide as its font is large. A screen reader has the link instead.
                x = right - SIZE / 2 * len(wanted[target])
                text = f"BT {name} {SIZE} Tf {x:.2f} {y + 3.5:.2f} Td ({wanted[target]}) Tj ET"
                lines.append(f"/Artifact BMC {text} EMC")
            page.contents_add(b"q\n", prepend=True)
            page.contents_add("\n".join(["Q", *lines]).encode())
        document.save(pdf)


def pack(pdf: Path) -> None:
    """Pack what Chromium writes for screen readers, a hundred thousand small objects, together."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        document.save(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate)


@contextmanager
def chromium():
    """Chromium, as Playwright drives it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from playwright.sync_api import sync_playwright

    from support import CHROMIUM_FLAGS, find_chromium

    found = find_chromium()
    if found is None:
        sys.exit(
            "print_book.py: Chromium is missing; install Debian's package chromium, or set ATTNBOOK_CHROMIUM."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def mend_bookmarks(pdf: Path, headings: list[str]) -> None:
    """Write each bookmark as its heading reads.

    Chromium leaves out the space where a heading goes on in a second line, and writes some headings twice.
    """
    known: dict[str, str] = {}
    for heading in headings:
        words = heading.split()
        known["".join(words)] = known["".join(words) * 2] = " ".join(words)

    def mend(items) -> None:
        for item in items:
            item.title = known.get("".join(item.title.split()), item.title)
            mend(item.children)

    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        with document.open_outline() as outline:
            mend(outline.root)
        document.save(pdf)


def print_pdf(browser, document: Path, pdf: Path) -> list[str]:
    """Let Chromium print a document, with bookmarks, tags for screen readers, and numbered pages.

    Returns the text of its headings.
    """
    page = browser.new_page(color_scheme="light", viewport={"width": PAPER, "height": 1000})
    page.set_default_timeout(600_000)
    page.goto(document.as_uri())
    page.evaluate("document.fonts.ready")
    page.emulate_media(media="print")
    page.evaluate(FIT)
    page.pdf(
        path=pdf,
        prefer_css_page_size=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )
    headings = page.evaluate(HEADINGS)
    page.close()
    return headings


def main(arguments: list[str] | None = None) -> int:
    """Write the document and the PDF beside the built pages; print the PDF's path and size."""
    parser = argparse.ArgumentParser(description="the whole book as one PDF")
    parser.add_argument("--html", type=Path, default=PAGES, metavar="FOLDER", help="the built pages")
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="FOLDER", help="holds _toc.yml and _config.yml"
    )
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="default: book/_build/print/attnbook.pdf")
    chosen = parser.parse_args(arguments)
    folder = chosen.html.resolve().parent / "print"
    folder.mkdir(exist_ok=True)
    pdf = (chosen.pdf or folder / "attnbook.pdf").resolve()
    document = folder / "book.html"
    book = read(chosen.html, chosen.root)
    shutil.rmtree(folder / WIDGETS, ignore_errors=True)
    with chromium() as browser:
        pages = [(page, chosen.html.resolve() / f"{page}.html") for page, _, _ in book.entries]
        pictures = widget_pictures.take(browser, pages, folder / WIDGETS)
        book.show(pictures)
        document.write_text(book.whole(), encoding="utf-8")
        headings = print_pdf(browser, document, pdf)
    mend_bookmarks(pdf, headings)
    number_contents(pdf, page_numbers(pdf, book))
    pack(pdf)
    print(f"{pdf}: {pdf.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
