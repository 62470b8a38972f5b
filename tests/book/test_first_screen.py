"""A chapter's core: its first screen, and how long it is. test_chapters.py asks it of every core."""

import re

import nbformat
import pytest
from rules import pages

from support import ROOT

pytestmark = pytest.mark.browser

CORES = [name for name in pages() if re.fullmatch(r"chapters/\d\d_(?!lab_).*", name)]
MOST_CELLS, MOST_SCREENS, FIRST_FORMULA = 90, 35, 8
LONG = ("02", "04", "07", "10")  # the four chapters that carry the book


def most_words(name: str) -> int:
    """How long this chapter's core may be."""
    return 4_500 if name.split("/")[1][:2] in LONG else 4_000


def words(markdown: str) -> int:
    """Words that a reader reads: no formula, no address, no mark-up."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|<[^>]+>", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", " ", text)
    return len(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text))


def notebook(name: str) -> nbformat.NotebookNode:
    """The chapter as it is stored."""
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def opening(page) -> list[str]:
    """What of the first screen is missing, or does not stand within it."""
    missing = []
    article = page.locator("article")
    aims = article.locator("p", has_text=re.compile("^After this chapter you can"))
    places = {
        "the title": article.locator("h1").first,
        "the picture": article.locator("figure img, .attnbook-widget").first,
        "the aims": aims.locator("xpath=following-sibling::ul[1]").first,
        "the minutes": article.locator("section > p", has_text="minutes").first,
    }
    for name, place in places.items():
        box = place.bounding_box() if place.count() else None
        if box is None or box["y"] < 0 or box["y"] + box["height"] > 768:
            missing.append(f"{name}: not within 1366 × 768")
    if places["the aims"].count() and places["the aims"].locator("li").count() != 3:
        missing.append("there are not three aims")
    return missing


def size(name: str, page) -> list[str]:
    """Which of the limits of a core it breaks, measured as published, its folds closed."""
    cells = notebook(name).cells
    count = sum(words(cell.source) for cell in cells if cell.cell_type == "markdown")
    screens = page.evaluate("document.documentElement.scrollHeight") / 800
    formula = page.locator("article .math-block").first
    depth = formula.bounding_box()["y"] / 800 if formula.count() else float("inf")
    found = {
        f"{count} words, over {most_words(name)}": count > most_words(name),
        f"{len(cells)} cells, over {MOST_CELLS}": len(cells) > MOST_CELLS,
        f"{screens:.1f} screens, over {MOST_SCREENS}": screens > MOST_SCREENS,
        f"the first formula on screen {depth:.1f}, after {FIRST_FORMULA}": depth > FIRST_FORMULA,
    }
    print(f"{name}: {count} words, {len(cells)} cells, {screens:.1f} screens, formula at {depth:.1f}")
    return [sentence for sentence, broken in found.items() if broken]


def uncaptioned(page) -> list[str]:
    """Pictures that stand outside a numbered figure."""
    bare = page.locator("article .cell_output img:not(figure img):not(.attnbook-widget img)")
    return [
        f"the picture {alt[:50]!r} has no caption"
        for alt in bare.evaluate_all("all => all.map((i) => i.alt)")
    ]


def test_the_sample_core_opens_as_designed(visit, served):
    with visit(f"{served}/chapters/09_sample_core.html", viewport={"width": 1366, "height": 768}) as page:
        page.evaluate("document.fonts.ready.then(() => true)")
        assert opening(page) == []
        assert uncaptioned(page) == ["the picture 'Three bars.' has no caption"]


def test_a_page_without_an_opening_is_told_what_it_lacks(visit, served):
    with visit(f"{served}/chapters/09_lab_sample.html", viewport={"width": 1366, "height": 768}) as page:
        missing = opening(page)
        assert "the aims: not within 1366 × 768" in missing
        assert any("minutes" in sentence for sentence in missing)


def test_words_are_those_that_a_reader_reads():
    assert words("Two words.\n\n$$\n\\frac{a}{b}\n$$\nand [a link](https://example.org/page) to $x_1$") == 6
