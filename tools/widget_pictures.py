"""Pictures of the live widgets for the printed book, with what they keep back until the reader predicts.

A notebook stores a widget's picture before anybody has predicted, so that picture is of no use on paper. Here
Chromium opens each built page, presses Skip where a widget waits for a guess and "Use simulated data" where
it waits for measurements, and takes the picture of what is then shown. Quizzes are text and stay text.
"""

import io
import re
import sys
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from PIL import Image

WIDGETS = ".attnbook-widget[data-model]:not([data-class=Quiz])"
_PLACE = re.compile(r'<div class="attnbook-widget" data-model="\w+" data-class="(?!Quiz")\w+">')
_DIVISION = re.compile(r"<(/?)div\b")
SCALE = 2  # pixels of the picture for one of them
TALL = 620  # a taller picture is cut into pieces about this tall, since a page may end within it
COLOURS = 256
# A widget is this wide when its picture is taken, so that its type is as large as the printed book's. What a
# hand is needed for has nothing to do on paper; the chosen mode and the numbers that are set stay.
STYLE = """
.book-bar, .book-contents, .book-page, .book-turn, .book-help, .book-footer { display: none !important; }
.book-frame { display: block !important; max-width: none !important; }
.book-main { padding: 8px !important; }
.book-main > * { max-width: none !important; margin: 0 !important; }
.attnbook-widget { width: 780px !important; max-width: none !important; margin: 0 !important; }
.ab :is(.ab-tools, .ab-hint, .ab-predict, .ab-challenge, details:not([open])) { display: none !important; }
.ab input:not([type=checkbox], [type=radio], [type=number]) { display: none !important; }
.ab button:not([role], [aria-checked], [aria-pressed], :has(svg, canvas, img), td *, th *) {
  display: none !important;
}
.ab :is(td, th, thead th, thead td, tfoot th, tfoot td) {
  height: auto !important; padding-block: 4px !important;
}
.ab :is(label, button, select, .ab-word) { min-height: 0 !important; }
"""
# In the page: presses the first button that reveals, if there is one; simulated data are taken once.
REVEAL = """(place) => {
  const wanted = place.dataset.simulated ? ["Skip"] : ["Skip", "Use simulated data"];
  const found = [...place.querySelectorAll("button")].find(
    (one) => wanted.includes(one.textContent.trim()) && !one.closest("[hidden]"));
  if (found && found.textContent.trim() !== "Skip") place.dataset.simulated = "once";
  found?.click();
  return !!found;
}"""
# In the page: makes smaller what a reader would have to scroll sideways.
FIT = """(root) => {
  const wide = [...root.querySelectorAll("*")].filter((one) => getComputedStyle(one).overflowX === "auto");
  for (const one of wide) {
    const ratio = one.clientWidth / one.scrollWidth;
    if (ratio < 1) for (const child of one.children) child.style.zoom = ratio;
  }
}"""
# In the page: between which heights nothing may be cut, from the widget's upper edge on. A row, a text and a
# drawing stay whole; a heading stands with what it is above, and so does a text close above a drawing.
WHOLE = """(root) => {
  const units = "svg, canvas, tr, button, p, h4, label";
  const top = root.getBoundingClientRect().top;
  const drawn = [...root.querySelectorAll("svg, canvas")].map((one) => one.getBoundingClientRect().top - top);
  const found = [];
  for (const one of root.querySelectorAll("*")) {
    if (one.parentElement.closest(units) || (one.children.length && !one.matches(units))) continue;
    const box = one.getBoundingClientRect();
    const [from, to] = [box.top - top, box.bottom - top];
    const below = one.matches("svg, canvas") ? [] : drawn.filter((y) => y >= to - 1 && y < to + 30);
    const heads = one.matches("h4, caption, thead tr") ? [to + 40] : [];
    if (box.height) found.push([from, Math.max(to, ...heads, ...below.map((y) => y + 1))]);
  }
  return found;
}"""


@dataclass(frozen=True)
class Picture:
    """A widget's picture: its pieces from above to below, the width of the whole, and what it shows."""

    pieces: list[Path]
    alt: str

    def markup(self, address: str) -> str:
        """The images, one below the other; `address` leads to their folder."""
        alts = [self.alt] + [""] * (len(self.pieces) - 1)
        images = (
            f'<img class="print-widget" alt="{escape(alt)}" src="{address}{piece.name}" />'
            for piece, alt in zip(self.pieces, alts, strict=True)
        )
        return "".join(images)


def cuts(height: float, whole: list[list[float]], tall: float = TALL) -> list[float]:
    """Where a picture is cut: about `tall` apart, and through nothing that has to stay whole.

    A piece is taller where nothing allows a cut.
    """
    free = [y for y in range(1, int(height)) if not any(a < y < b for a, b in whole)]
    found: list[float] = []
    while height - (last := found[-1] if found else 0) > tall:
        # No piece is so short that it would be a line alone.
        places = [y for y in free if y - last > tall / 4 and height - y > tall / 4]
        if not places:
            break
        found.append(max((y for y in places if y - last <= tall), default=min(places)))
    return found


def reveal(place) -> None:
    """Let a live widget show what it keeps back, and wait until that is drawn.

    Raises
    ------
    SystemExit
        If the widget did not start, or still waits for the reader.
    """
    name = place.get_attribute("data-class")
    if place.get_attribute("data-state") != "live":
        sys.exit(f"print_book.py: the widget {name} did not start: {place.inner_text().splitlines()[0]}")
    settled = place.locator(".ab[data-settled]")
    settled.wait_for()
    for _ in range(3):
        if not place.evaluate(REVEAL):
            return
        settled.wait_for()
    sys.exit(f"print_book.py: the widget {name} keeps its outcome back, however often it is skipped.")


def take(browser, pages: list[tuple[str, Path]], folder: Path) -> dict[str, list[Picture]]:
    """The pictures of all widgets on some built pages, in the pages' order; written to `folder`.

    Parameters
    ----------
    browser
        Chromium, as Playwright has it.
    pages
        Each page's name, and its file.
    folder
        Where the pictures go.

    Returns
    -------
    dict
        Its pictures for the name of each page that has widgets other than quizzes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        color_scheme="light",
        reduced_motion="reduce",
        device_scale_factor=SCALE,
        viewport={"width": 1280, "height": 1000},
    )
    context.set_default_timeout(120_000)
    context.add_init_script(
        f"const own = new CSSStyleSheet(); own.replaceSync(`{STYLE}`); document.adoptedStyleSheets = [own];"
    )
    pictures: dict[str, list[Picture]] = {}
    for name, file in pages:
        if not _PLACE.search(file.read_text(encoding="utf-8")):
            continue
        page = context.new_page()
        page.goto(file.as_uri())
        page.wait_for_function(
            "(places) => [...document.querySelectorAll(places)].every((one) => one.dataset.state)",
            arg=WIDGETS,
        )
        for number, place in enumerate(page.locator(WIDGETS).all()):
            reveal(place)
            root = place.locator(".ab")
            said = root.locator(".ab-summary").inner_text() if root.locator(".ab-summary").count() else ""
            root.evaluate(FIT)
            box, whole = root.bounding_box(), root.evaluate(WHOLE)
            shot = Image.open(io.BytesIO(root.screenshot(animations="disabled"))).convert("RGB")
            edges = [0, *cuts(box["height"], whole), shot.height / SCALE]
            pieces = []
            for part, (above, below) in enumerate(pairwise(edges)):
                piece = shot.crop((0, round(above * SCALE), shot.width, round(below * SCALE)))
                pieces.append(folder / f"{name.replace('/', '-')}-{number}-{part}.png")
                piece.quantize(COLOURS, dither=Image.Dither.NONE).save(pieces[-1], optimize=True)
            alt = said or root.get_attribute("aria-label") or ""
            pictures.setdefault(name, []).append(Picture(pieces, alt))
        page.close()
    context.close()
    return pictures


def put(text: str, pictures: list[Picture], address: str) -> str:
    """A page's markup with these pictures in place of what its notebook stored, in the page's order."""
    parts, end = [], 0
    for start, picture in zip(list(_PLACE.finditer(text)), pictures, strict=True):
        depth = 1
        for tag in _DIVISION.finditer(text, start.end()):
            depth += -1 if tag[1] else 1
            if depth == 0:
                break
        parts += [text[end : start.end()], picture.markup(address)]
        end = tag.start()
    return "".join([*parts, text[end:]])
