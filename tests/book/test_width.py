"""Nothing is cut off on a laptop, and on a telephone nothing but code scrolls sideways."""

import pytest
import waiting
from test_chapters import pages, settle

pytestmark = pytest.mark.browser

# What scrolls sideways or lies beyond its column; a widget has its own test.
CUT = """
(selector) => [...document.querySelectorAll(selector)]
  .filter((place) => !place.closest('.attnbook-widget') && place.scrollWidth > place.clientWidth + 1)
  .map((place) => `${place.scrollWidth - place.clientWidth} dots of: ${place.innerText.trim().slice(0, 80)}`)
"""
CODE = "main pre"
OTHERS = (
    "main .math-block, main .pst-scrollable-table-container, main .cell_output, main p, main li, main figure"
)


def judge(name: str, cut: list[str], listed: set[str]) -> None:
    """A page on the list must still break the rule, another one must keep it."""
    if name in listed:
        assert cut, f"{name} keeps this rule now: take it off the list in tests/book/waiting.py"
    else:
        assert cut == []


@pytest.mark.parametrize("name", pages())
def test_nothing_is_cut_on_a_laptop(visit, book_served, name):
    with visit(f"{book_served}/{name}.html", viewport={"width": 1366, "height": 768}) as page:
        settle(page)
        page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
        page.evaluate("document.fonts.ready.then(() => true)")
        judge(name, page.evaluate(f"({CUT})('{CODE}, {OTHERS}')"), waiting.CUT_WHEN_WIDE)


@pytest.mark.parametrize("name", pages())
def test_nothing_but_code_scrolls_on_a_telephone(visit, book_served, name):
    with visit(f"{book_served}/{name}.html", viewport={"width": 360, "height": 740}) as page:
        settle(page)
        page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
        page.evaluate("document.fonts.ready.then(() => true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        # What a cell printed is code, and scrolls in its own block.
        judge(name, page.evaluate(f"({CUT})('{OTHERS}')"), waiting.CUT_WHEN_NARROW)
