"""The first page: a widget that moves at once, and a road on which every chapter is a station."""

import json
import sys

import pytest
from playwright.sync_api import expect

from support import ROOT

sys.path.insert(0, str(ROOT / "tools"))

PAGE = "/book/intro.html"
CHAPTERS = {path.stem for path in ROOT.glob("chapters/*.ipynb") if "_lab_" not in path.stem}


def test_what_is_stored_is_what_the_widget_computes():
    import landing

    assert json.loads(landing.STORED.read_text(encoding="utf-8")) == json.loads(json.dumps(landing.content()))


def test_every_chapter_is_a_station(book_html):
    import re

    page = (book_html / "book" / "intro.html").read_text(encoding="utf-8")
    road = re.search(r'<ol class="road">.*?</ol>', page, re.DOTALL)[0]
    stations = re.findall(r"../chapters/(\w+)\.html", road)
    assert stations == sorted(CHAPTERS - {"00_preliminaries"})


@pytest.mark.browser
def test_where_to_begin_is_the_first_stop_in_the_text(visit, book_served):
    with visit(book_served + PAGE, viewport={"width": 1366, "height": 768}) as page:
        page.wait_for_selector(".landing .ab[data-settled]")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # skip to the text
        for _ in range(5):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if "headerlink" not in (focused.get_attribute("class") or ""):
                break
        expect(focused).to_have_text("Where do I begin?")
        assert focused.get_attribute("href") == "paths.html"


@pytest.mark.browser
@pytest.mark.parametrize("where", ["http", "file"])
def test_a_visitor_drags_at_once(visit, book_html, book_served, where):
    address = book_served if where == "http" else book_html.as_uri()
    with visit(address + PAGE, viewport={"width": 1366, "height": 768}) as page:
        widget = page.locator(".landing")
        table = widget.locator("table")
        expect(table).to_contain_text("0.782")
        for part in (".landing .ab-plane", ".landing table", ".road li:first-child"):
            box = page.locator(part).first.bounding_box()
            assert box["y"] + box["height"] <= 768, f"{part} is on the first screen"
        handle = widget.get_by_role("slider", name="query")
        box = handle.locator("path").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 90, y + 80, steps=6)
        page.mouse.up()
        page.wait_for_selector(".landing .ab[data-settled]")
        rows = [row.inner_text().split() for row in table.locator("tbody tr").all()]
        weights = {row[0]: float(row[1]) for row in rows}
        assert max(weights, key=weights.get) == "milk"
        expect(widget.locator(".ab-summary")).to_contain_text("“milk” has the largest share")


@pytest.mark.browser
def test_the_keyboard_moves_it_too(visit, book_served):
    with visit(book_served + PAGE) as page:
        page.wait_for_selector(".landing .ab[data-settled]")
        page.locator(".landing").get_by_role("slider", name="query").focus()
        page.keyboard.press("Enter")
        for _ in range(20):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Escape")
        expect(page.locator(".landing .ab-summary")).to_contain_text("“thirsty” has the largest share")
