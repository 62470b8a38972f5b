"""Draw what others see of a link to a chapter: its title, its question and its first picture, 1200 × 630.

    make cards        (or: python tools/social_cards.py [--html FOLDER])

Each page of the built book names such a picture; those are drawn into the build, by Chromium, from the pages
themselves. `make book` does without: a picture matters only where the book is published.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from project import ROOT

PAGES = ROOT / "book" / "_build" / "html"
STATIC = Path("_static") / "attnbook"
WIDTH, HEIGHT = 1200, 630
BOOK = "Attention, from Brains to Transformers"
QUESTION = "Which part of this matters now?"  # for the pages that are no chapter
LONGEST = 190  # letters of a question that can be read on a telephone
WIDE = 1.75  # a picture of this ratio or more stands under the words, any other beside them

STYLE = """
@font-face { font-family: Text; src: url("../text-400-normal.woff2"); }
@font-face { font-family: Text; font-weight: 600; src: url("../text-600-normal.woff2"); }
* { box-sizing: border-box; margin: 0; }
body { width: 1200px; height: 630px; padding: 44px 56px; display: flex; flex-direction: column; gap: 22px;
  overflow: hidden; background: #fbfaf7; border-left: 18px solid #1d5fa8; color: #1c1b19;
  font-family: Text, serif; }
.book { font-size: 24px; color: #55514a; }
.parts { flex: 1; min-height: 0; display: flex; gap: 34px; }
.wide .parts { flex-direction: column; gap: 20px; }
.words { flex: 1 1 0; min-width: 0; }
.wide .words { flex: none; }
.words { font-size: calc(30px * var(--scale, 1)); }
.wide .words { font-size: calc(27px * var(--scale, 1)); }
h1 { font-size: 1.95em; line-height: 1.1; font-weight: 600; text-wrap: balance; }
p { margin-top: .5em; line-height: 1.3; }
.picture { flex: 0 0 54%; min-height: 0; display: flex; padding: 14px; background: #fff;
  border: 1px solid #ddd8cc; }
.wide .picture { flex: 1; }
.picture img { width: 100%; height: 100%; object-fit: contain; }
"""

# Long words are set smaller until they leave the picture its room.
FIT = """
const words = document.querySelector(".words");
const room = document.body.className === "wide" ? 230 : words.clientHeight;
for (let scale = 1; words.scrollHeight > room && scale > 0.5; scale -= 0.05) {
  words.style.setProperty("--scale", scale);
}
"""


@dataclass
class Card:
    """What stands on one card; ``picture`` is relative to the built book's root, or None."""

    title: str
    question: str
    picture: str | None = None
    ratio: float = 1.0


class Reader(HTMLParser):
    """Title, first paragraphs, bold sentences and first figure of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.bold: list[str] = []
        self.paragraphs: list[str] = []
        self.picture: dict[str, str] = {}
        self._inside: list[str] = []  # the open elements that matter, outermost first

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note meta lines, the first figure's image, and that bold text begins."""
        named = {name: value or "" for name, value in attributes}
        if tag == "meta" and "property" in named:
            self.meta[named["property"]] = named.get("content", "")
        elif tag in ("article", "figure", "p", "strong"):
            self._inside.append(tag)
            if self._inside[-2:] == ["article", "p"]:
                self.paragraphs.append("")
            elif self._inside[-3:] == ["article", "p", "strong"]:
                self.bold.append("")
        elif tag == "img" and "figure" in self._inside and not self.picture:
            self.picture = named

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        """Collect the article's paragraphs, and what is bold in them."""
        if self._inside[:2] == ["article", "p"]:
            self.paragraphs[-1] += data
        if self._inside[-3:] == ["article", "p", "strong"]:
            self.bold[-1] += data

    def question(self) -> str | None:
        """The first question in bold, with the sentence that it ends; by itself where that is too long."""
        plain = [" ".join(text.split()) for text in self.paragraphs]
        for asked in (" ".join(text.split()) for text in self.bold):
            if not asked.endswith("?"):
                continue
            before = next((text.partition(asked)[0] for text in plain if asked in text), "")
            whole = re.split(r"(?<=[.?!]) ", before)[-1] + asked
            whole = whole if len(whole) <= LONGEST else asked
            return whole[0].upper() + whole[1:]
        return None


def shortened(text: str) -> str:
    """Whole sentences as far as they fit; of a single long one, its beginning.

    >>> shortened("One. Two.")
    'One. Two.'
    """
    text = " ".join(text.removesuffix("…").split())
    if len(text) <= LONGEST:
        return text
    kept = ""
    for part in re.split(r"(?<=[.?!:;]) ", text):
        if len(kept) + len(part) > LONGEST:
            break
        kept = f"{kept} {part}".strip()
    return kept or text[:LONGEST].rsplit(" ", 1)[0] + " …"


def card(page: Path, root: Path) -> Card:
    """The card of a chapter, from its built page.

    Raises
    ------
    ValueError
        If the page has no title.
    """
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    title = reader.meta.get("og:title")
    if not title:
        raise ValueError(f"{page} has no og:title; build the book again")
    found = Card(title, shortened(reader.question() or reader.meta.get("og:description", "")))
    if reader.picture:
        place = (page.parent / reader.picture["src"]).resolve()
        found.picture = place.relative_to(root.resolve()).as_posix()
        width, height = (float(reader.picture.get(side) or 1) for side in ("width", "height"))
        found.ratio = width / height
    return found


def markup(drawn: Card) -> str:
    """The card as a page that lies in the folder of the cards, three folders deep."""
    picture = ""
    if drawn.picture:
        picture = f'<div class="picture"><img src="../../../{escape(drawn.picture)}" alt=""></div>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><style>{STYLE}</style></head>'
        f'<body class="{"wide" if drawn.ratio >= WIDE else "tall"}"><div class="book">{BOOK}</div>'
        f'<div class="parts"><div class="words"><h1>{escape(drawn.title)}</h1>'
        f"<p>{escape(drawn.question)}</p></div>{picture}</div></body></html>"
    )


def cards(root: Path) -> dict[str, Card]:
    """Every card that a page of the build names, by its file's name without ending.

    Raises
    ------
    ValueError
        If a page names a card that belongs to no page.
    """
    named = set()
    for path in root.rglob("*.html"):
        reader = Reader()
        reader.feed(path.read_text(encoding="utf-8").partition("</head>")[0])
        named.add(Path(reader.meta.get("og:image", "")).stem)
    found = {}
    for name in sorted(named - {""}):
        page = root / "chapters" / f"{name}.html"
        if name == "book":
            found[name] = Card(BOOK, QUESTION, (STATIC / "icon.svg").as_posix())
        elif page.is_file():
            found[name] = card(page, root)
        else:
            raise ValueError(f"a page names the card {name}, and there is no chapter of this name")
    return found


def draw(root: Path) -> list[Path]:
    """Draw them all into the build; their paths."""
    sys.path.insert(0, str(ROOT / "tests"))
    from playwright.sync_api import sync_playwright

    from support import CHROMIUM_FLAGS, find_chromium

    chromium = find_chromium()
    if chromium is None:
        raise ValueError("Chromium is missing; install it, or name it in ATTNBOOK_CHROMIUM")
    folder, drawn = root / STATIC / "cards", []
    folder.mkdir(parents=True, exist_ok=True)
    sheet = folder / "card.html"  # where the page's addresses lead to pictures and fonts
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        # A dot a pixel: what previews show is smaller still.
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        try:
            for name, content in cards(root).items():
                sheet.write_text(markup(content), encoding="utf-8")
                page.goto(sheet.as_uri())
                page.evaluate("document.fonts.ready")
                page.evaluate(FIT)
                drawn.append(folder / f"{name}.png")
                page.screenshot(path=drawn[-1])
        finally:
            browser.close()
            sheet.unlink(missing_ok=True)
    return drawn


def main(arguments: list[str] | None = None) -> int:
    """Draw; 1 and one sentence when it cannot be done."""
    parser = argparse.ArgumentParser(description="Pictures for links to the pages.")
    parser.add_argument("--html", type=Path, default=PAGES, metavar="FOLDER", help="the built pages")
    chosen = parser.parse_args(arguments)
    if not (chosen.html / "index.html").is_file():
        print(f"social_cards.py: {chosen.html} holds no book; run: make book", file=sys.stderr)
        return 1
    try:
        drawn = draw(chosen.html)
    except ValueError as error:
        print(f"social_cards.py: {error}", file=sys.stderr)
        return 1
    print(f"{len(drawn)} cards, {sum(path.stat().st_size for path in drawn) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
