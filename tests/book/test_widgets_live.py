"""Widgets in the built pages: by mouse and by keyboard, shared by a link, honest when they cannot start."""

import re

import pytest
from playwright.sync_api import expect
from test_pages import CHAPTER, wait_for_widgets

pytestmark = pytest.mark.browser

PLAYGROUND = ".attnbook-widget[data-class=QKVPlayground]"


def table(page):
    """The widget's first table."""
    return page.locator(PLAYGROUND).locator("table").first


def skip_prediction(page) -> None:
    """Show the outcome without a guess, and wait until it is drawn."""
    page.locator(PLAYGROUND).get_by_role("button", name="Skip", exact=True).click()
    expect(table(page)).not_to_contain_text("?")


def wait_for_another(page, before: str) -> None:
    """Until the table says something else: a busy machine draws late."""
    page.wait_for_function(
        "([place, before]) => document.querySelector(place).innerText !== before",
        arg=[f"{PLAYGROUND} table", before],
    )


def test_the_outcome_is_hidden_until_the_reader_commits(visit, origin):
    with visit(origin + CHAPTER) as page:
        wait_for_widgets(page)
        assert "hidden" in page.locator(PLAYGROUND).inner_text()
        page.locator(PLAYGROUND).get_by_role("button", name="Commit").click()
        expect(table(page)).to_contain_text(re.compile(r"%|0\."))


def test_dragging_the_query_moves_the_weights(visit, origin):
    with visit(origin + CHAPTER) as page:
        wait_for_widgets(page)
        skip_prediction(page)
        before = page.locator(PLAYGROUND).locator("table").inner_text()
        handle = page.locator(PLAYGROUND).get_by_role("slider", name="query")
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 60, y + 40, steps=5)
        page.mouse.up()
        wait_for_another(page, before)


def test_keyboard_alone_moves_the_query_and_comes_back_out(visit, origin):
    with visit(origin + CHAPTER) as page:
        wait_for_widgets(page)
        skip_prediction(page)
        before = page.locator(PLAYGROUND).locator("table").inner_text()
        # One stop of the Tab key for the whole widget.
        assert page.locator(f"{PLAYGROUND} [tabindex='0']").count() == 1
        page.locator(PLAYGROUND).get_by_role("slider", name="query").focus()
        page.keyboard.press("Enter")
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        wait_for_another(page, before)
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        page.wait_for_selector(f"{PLAYGROUND} .ab[data-settled]")
        page.keyboard.press("Escape")
        assert not page.evaluate(
            "document.activeElement.closest && document.activeElement.closest('.attnbook-widget')"
        )


def test_tab_reaches_the_widget_and_leaves_it(visit, served):
    with visit(served + CHAPTER) as page:
        wait_for_widgets(page)
        where = """document.activeElement.closest('.attnbook-widget')?.dataset.class
                   || document.activeElement.className"""
        page.keyboard.press("Tab")
        stops = [page.evaluate(where)]
        while len(stops) < 80 and (len(stops) == 1 or stops[-1] != stops[0]):
            page.keyboard.press("Tab")
            stops.append(page.evaluate(where))
        assert stops[0] == "skip-link"
        assert stops.count("QKVPlayground") == 1


def shared_address(page) -> str:
    """The address after a change, as the reader would copy it."""
    skip_prediction(page)
    page.locator(PLAYGROUND).get_by_role("slider", name="query").focus()
    page.keyboard.press("Enter")
    for _ in range(7):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    page.wait_for_function("location.hash.includes('QKVPlayground')")
    page.wait_for_selector(f"{PLAYGROUND} .ab[data-settled]")
    return page.url


def test_a_shared_link_opened_afresh_shows_the_same(visit, origin):
    with visit(origin + CHAPTER) as page:
        wait_for_widgets(page)
        first = page.locator(PLAYGROUND).locator("table").inner_text()
        address = shared_address(page)
        wanted = page.locator(PLAYGROUND).locator("table").inner_text()
        assert wanted != first
    with visit(address) as page:
        wait_for_widgets(page)
        assert page.locator(PLAYGROUND).locator("table").inner_text() == wanted


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_corrupt_link_is_said_in_one_sentence_and_the_widget_works(visit, served, damage):
    with visit(served + CHAPTER) as page:
        wait_for_widgets(page)
        address = shared_address(page)
        name = page.url.split("#")[1].split("=")[0]
    broken = address[: len(address) * 3 // 4] if damage == "cut" else f"{served}{CHAPTER}#{name}=%00rubbish"
    with visit(broken) as page:
        wait_for_widgets(page)
        assert page.get_by_text("cannot be read").count() == 1
        skip_prediction(page)


def test_a_script_that_does_not_load_is_said_where_the_widget_should_be(visit, served):
    with visit("about:blank", expect_errors=True) as page:
        page.context.unroute_all()
        page.route("**/QKVPlayground.js", lambda route: route.abort())
        page.goto(served + CHAPTER)
        note = page.locator(f"{PLAYGROUND} .attnbook-failure")
        note.wait_for()
        assert "QKVPlayground.js did not load" in note.inner_text()
        # Its stored picture stays, and the other widget lives.
        assert page.locator(f"{PLAYGROUND} img").is_visible()
        page.wait_for_selector(".attnbook-widget[data-class=Quiz][data-state=live]")


@pytest.mark.parametrize("when", ["initialize", "render"])
def test_a_widget_that_throws_is_said_where_it_should_be(visit, served, when):
    script = f"attnbook.define('QKVPlayground', {{{when}() {{ throw new Error('the key is missing'); }}, "
    script += "render() { throw new Error('not reached'); }});" if when == "initialize" else "});"
    with visit("about:blank") as page:
        page.context.unroute_all()
        page.route(
            "**/QKVPlayground.js", lambda route: route.fulfill(body=script, content_type="text/javascript")
        )
        page.goto(served + CHAPTER)
        note = page.locator(f"{PLAYGROUND} .attnbook-failure")
        note.wait_for()
        assert "the key is missing" in note.inner_text()
        assert page.locator(f"{PLAYGROUND} img").is_visible()


def test_a_state_that_cannot_be_read_is_said(visit, served, sample_html):
    text = (sample_html / "chapters" / "sample.html").read_text(encoding="utf-8")
    broken = text.replace('id="attnbook-state">{', 'id="attnbook-state">{{')
    assert broken != text
    with visit("about:blank") as page:
        page.context.unroute_all()
        page.route("**/sample.html", lambda route: route.fulfill(body=broken, content_type="text/html"))
        page.goto(served + CHAPTER)
        page.wait_for_selector(".attnbook-failure")
        assert page.get_by_text("cannot be read").count() == 2
