"""Every page of this very book, visited once from a server, for all rules, and once from a disk."""

import pytest
import waiting
from rules import CODE, OTHERS, cut, early, hidden_focus, moving, pages, settle, sideways, whole
from test_first_screen import CORES, opening, size, uncaptioned

pytestmark = pytest.mark.browser

# Rules that light and dark decide; all the others read the same page.
OF_COLOUR = ["color-contrast", "link-in-text-block"]


def judge(kept: list[str], listed: set[str], name: str) -> list[str]:
    """A page on a waiting list must still break the rule, another one must keep it."""
    if name not in listed:
        return kept
    return [] if kept else [f"{name} keeps this rule now: take it off the list in tests/book/waiting.py"]


def drawn(page) -> None:
    """Until the page has been drawn anew."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def resize(page, width: int, height: int) -> None:
    """Another window, and all laid out in it."""
    page.set_viewport_size({"width": width, "height": height})
    drawn(page)


@pytest.mark.parametrize("name", pages())
def test_page_keeps_every_rule(visit, book_served, violations, name):
    address = f"{book_served}/{name}.html"
    options = {"color_scheme": "light", "reduced_motion": "reduce"}
    with visit(address, viewport={"width": 1366, "height": 768}, **options) as page:
        settle(page)
        # As it comes: what it loaded, its first screen, its length.
        breaches = [*whole(page, name), *early(page.seen.asked, name), *moving(page)]
        if name in CORES:
            opened = opening(page)
            resize(page, 1280, 800)
            opened += size(name, page) + uncaptioned(page)
            breaches += judge(opened, waiting.NOT_BROUGHT_OVER, name)
            resize(page, 1366, 768)
        breaches += [f"light: {found}" for found in violations(page)]
        breaches += hidden_focus(page)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        drawn(page)
        breaches += [f"dark: {found}" for found in violations(page, only=OF_COLOUR)]
        # Unfolded, ever narrower: a laptop, 200 % zoom, a telephone, 400 % zoom.
        page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
        breaches += judge(cut(page, f"{CODE}, {OTHERS}"), waiting.CUT_WHEN_WIDE, name)
        resize(page, 640, 400)
        breaches += sideways(page) + cut(page, OTHERS)
        resize(page, 360, 740)
        # What a cell printed is code, and scrolls in its own block.
        breaches += sideways(page) + judge(cut(page, OTHERS), waiting.CUT_WHEN_NARROW, name)
        page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = false; })")
        resize(page, 320, 700)
        breaches += sideways(page)
        breaches += [f"320 dots wide: {found}" for found in violations(page, leave=OF_COLOUR)]
    assert breaches == []


@pytest.mark.parametrize("name", pages())
def test_page_is_whole_from_a_disk(visit, book_html, name):
    with visit(f"{book_html.as_uri()}/{name}.html") as page:
        settle(page)
        assert whole(page, name) == []
