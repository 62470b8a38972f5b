"""The built pages in a browser: from a server and from a disk, light and dark, wide, narrow and printed."""

import re

import pytest

pytestmark = pytest.mark.browser

CHAPTER = "/chapters/sample.html"
LIVE = ".attnbook-widget[data-state=live]"


def wait_for_widgets(page) -> None:
    """Until both widgets of the sample chapter are drawn."""
    page.wait_for_function(f"document.querySelectorAll('{LIVE}').length === 2")


def no_sideways_scroll(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_chapter_is_whole_without_another_origin(visit, origin):
    with visit(origin + CHAPTER) as page:
        wait_for_widgets(page)
        assert page.locator(".attnbook-failure").count() == 0
        assert page.locator("math").count() == 4
        # The stored pictures have made way for the live widgets.
        assert page.locator(".attnbook-widget img").count() == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_chapter_has_no_accessibility_violation(visit, served, violations, scheme, width):
    size = {"width": width, "height": 800}
    with visit(served + CHAPTER, color_scheme=scheme, viewport=size) as page:
        wait_for_widgets(page)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert no_sideways_scroll(page)
        assert violations(page) == []


# The pages that the contents list are visited in test_chapters.py.
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_search_has_no_accessibility_violation(visit, served, violations, scheme):
    with visit(f"{served}/search.html?q=temperature", color_scheme=scheme) as page:
        page.wait_for_selector("#search-results li a")
        assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert no_sideways_scroll(page)


def test_formulas_are_drawn_in_our_font(visit, origin):
    with visit(origin + CHAPTER) as page:
        assert page.evaluate(
            "document.fonts.ready.then(() => document.fonts.check('16px \"Book Mathematics\"', '√'))"
        )
        loaded = page.evaluate(
            "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
        )
        assert any("Book Mathematics" in family for family in loaded)
        # ℝ and the root are there as characters, and wider than nothing.
        assert page.locator("math", has_text="ℝ").count() == 1
        assert page.locator("math msqrt").first.bounding_box()["width"] > 10


# At how many widths of its paragraph what stands behind a formula begins a line.
LEFT_ALONE = """(formula) => {
  const { style } = formula.closest("p");
  const mark = document.createRange();
  mark.selectNodeContents(formula.lastChild.data ? formula.lastChild : formula.nextSibling);
  mark.setEnd(mark.startContainer, 1);
  return Array.from({ length: 500 }, (_, i) => {
    style.width = `${200 + i}px`;
    const { bottom } = formula.querySelector("math").getBoundingClientRect();
    return mark.getBoundingClientRect().top >= bottom;
  }).filter(Boolean).length;
}"""


def test_what_touches_a_formula_stays_on_its_line(visit, served):
    with visit(served + CHAPTER) as page:
        formulas = page.locator("main p .math").all()[:2]
        assert [formula.inner_text()[-1] for formula in formulas] == [",", "."]
        for formula in formulas:
            assert formula.evaluate(LEFT_ALONE) == 0
            # The same text outside the formula's box: a browser leaves it alone.
            formula.evaluate("(formula) => formula.after(formula.lastChild)")
            assert formula.evaluate(LEFT_ALONE) > 0


def test_figures_carry_their_alternative_text(visit, served):
    with visit(served + CHAPTER) as page:
        texts = page.evaluate("[...document.querySelectorAll('main img')].map((image) => image.alt)")
        assert "Weights of two French words over two English words." in texts
        assert all(text.strip() for text in texts)


def test_stored_picture_and_sentence_stand_where_scripts_do_not_run(visit, served):
    with visit(served + CHAPTER, java_script_enabled=False) as page:
        pictures = page.locator(".attnbook-widget[data-class=QKVPlayground] img")
        assert pictures.count() == 1
        assert "largest share" in pictures.get_attribute("alt")
        assert page.locator(".attnbook-widget[data-class=Quiz]").inner_text().strip()
        assert page.locator("nav[aria-label=Main] a").count() > 3
        assert not page.locator("#theme-toggle").is_visible()


def test_plain_ipywidget_shows_its_stored_text(visit, served):
    with visit(served + CHAPTER) as page:
        assert page.get_by_text("IntSlider(value=3)").is_visible()


def test_marks_for_the_notebook_test_are_not_shown(sample_html):
    text = (sample_html / "chapters" / "sample.html").read_text(encoding="utf-8")
    assert "NBVAL" not in text


def test_page_embeds_no_widget_code(sample_html):
    text = (sample_html / "chapters" / "sample.html").read_text(encoding="utf-8")
    assert "_esm" not in text
    assert "_css" not in text
    assert len(text) < 60_000


def test_pages_without_widgets_load_no_widget_script(sample_html):
    text = (sample_html / "book" / "glossary.html").read_text(encoding="utf-8")
    assert re.findall(r'<script[^>]* src="([^"]+)"', text) == ["../_static/attnbook/page.js"]


def test_widgets_come_before_what_measures_the_page(sample_html):
    text = (sample_html / "chapters" / "sample.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script defer src="[^"]+/(\w+)\.js"', text)
    assert scripts[0] == "base"
    assert scripts[-2:] == ["host", "page"]


@pytest.mark.parametrize(("place", "waits"), [("", True), ("#quiz", False)])
def test_sections_wait_for_the_widgets_only_in_a_page_opened_at_its_top(visit, served, place, waits):
    # A page that is opened at a place in it must know how tall all that stands above is.
    classes = """
        window.seen = [];
        new MutationObserver(() => seen.push(document.documentElement.className))
          .observe(document, { attributes: true, subtree: true, attributeFilter: ["class"] });
        """
    with visit(served + "/book/glossary.html", own=served) as page:
        page.add_init_script(classes)
        page.goto(served + CHAPTER + place)
        wait_for_widgets(page)
        assert any("opening" in names for names in page.evaluate("seen")) == waits
        last = page.locator(".bd-article > section > section").last
        assert last.evaluate("(section) => getComputedStyle(section).contentVisibility") == "visible"
        assert page.evaluate("document.documentElement.classList.contains('opening')") is False


def test_launch_and_download_point_to_this_notebook(visit, served):
    import tomllib

    from support import ROOT

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"]["Repository"].removeprefix("https://")
    with visit(served + CHAPTER) as page:
        launch = page.locator("a.launch-button")
        assert launch.count() == 1
        colab = "https://colab.research.google.com/" + repository.replace(".com", "")
        wanted = f"{colab}/blob/main/chapters/sample.ipynb"
        assert launch.get_attribute("href") == wanted
        place = repository.partition("/")[2]
        binder = f"https://mybinder.org/v2/gh/{place}/main?urlpath=lab/tree/chapters/sample.ipynb"
        assert page.locator("a.binder-button").get_attribute("href") == binder
        href = page.locator("a.download-button").evaluate("(link) => link.href")
        answer = page.request.get(href)
        assert answer.ok
        assert answer.json()["nbformat"] == 4


@pytest.mark.parametrize("width", [320, 800, 1000, 1400])
def test_contents_open_and_close_at_every_width(visit, served, width):
    with visit(served + CHAPTER, viewport={"width": width, "height": 700}) as page:
        button, list_ = page.locator("#contents-toggle"), page.locator("#book-contents")
        open_at_first = width >= 992
        assert list_.is_visible() == open_at_first
        assert button.get_attribute("aria-expanded") == str(open_at_first).lower()
        button.click()
        assert list_.is_visible() != open_at_first
        if open_at_first:
            button.click()
        else:
            page.keyboard.press("Escape")
            assert page.evaluate("document.activeElement.id") == "contents-toggle"
        assert list_.is_visible() == open_at_first
        said = f'button => button.getAttribute("aria-expanded") === "{str(open_at_first).lower()}"'
        page.wait_for_function(said, arg=button.element_handle(), timeout=2000)  # an event later


def test_contents_lead_to_pages_from_a_narrow_screen(visit, served):
    with visit(served + CHAPTER, viewport={"width": 320, "height": 700}) as page:
        page.locator("#contents-toggle").click()
        page.locator("#contents-dialog").get_by_role("link", name="Glossary").click()
        page.wait_for_url("**/book/glossary.html")


def test_the_section_in_view_is_marked(visit, served):
    with visit(served + CHAPTER, viewport={"width": 1400, "height": 500}) as page:
        wait_for_widgets(page)
        current = page.locator(".page-toc a[aria-current]")
        assert current.count() == 0
        page.evaluate("document.getElementById('quiz').scrollIntoView()")
        current.wait_for()
        assert current.inner_text() == "Quiz"


def test_colours_change_and_are_remembered(visit, origin):
    with visit(origin + CHAPTER, color_scheme="light") as page:
        theme = "document.documentElement.dataset.theme"
        assert page.evaluate(theme) == "light"
        page.locator("#theme-toggle").click()
        assert page.evaluate(theme) == "dark"
        page.reload()
        assert page.evaluate(theme) == "dark"
        page.locator("#theme-toggle").click()
        page.locator("#theme-toggle").click()
        assert page.evaluate("document.documentElement.dataset.mode") == "auto"


def test_search_finds_a_section(visit, origin):
    with visit(origin + "/search.html?q=temperature") as page:
        page.wait_for_selector("#search-results li a")
        found = page.locator("#search-results li").all_inner_texts()
        assert any("Glossary" in text or "temperature" in text for text in found)


def test_motion_stops_where_the_reader_asks(visit, served):
    with visit(served + CHAPTER, reduced_motion="reduce") as page:
        wait_for_widgets(page)
        longest = page.evaluate(
            """Math.max(...[...document.querySelectorAll('*')].map((element) => {
                 const style = getComputedStyle(element);
                 return Math.max(parseFloat(style.transitionDuration), parseFloat(style.animationDuration));
               }))"""
        )
        assert longest <= 0.01


def test_bars_are_not_printed(visit, served):
    with visit(served + CHAPTER) as page:
        page.emulate_media(media="print")
        assert not page.locator(".book-bar").is_visible()
        assert not page.locator("#book-contents").is_visible()
        assert page.locator("h1").is_visible()


def test_what_scrolls_can_be_reached_by_keyboard(visit, served):
    with visit(served + CHAPTER, viewport={"width": 320, "height": 700}) as page:
        long = page.locator("pre", has_text="longlong").last
        assert long.get_attribute("tabindex") == "0"


def test_skip_link_is_the_first_stop(visit, served):
    with visit(served + CHAPTER) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip-link"
        page.keyboard.press("Enter")
        assert page.url.endswith("#main-content")


def test_the_copy_button_copies_the_code_and_says_so(visit, served):
    with visit(served + CHAPTER, permissions=["clipboard-read", "clipboard-write"]) as page:
        block = page.locator(".cell_input .highlight").first
        button = block.locator(".copy-button")
        assert button.get_attribute("aria-label") == "Copy this code"
        page.evaluate("navigator.clipboard.writeText('something else')")
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("(button) => button.textContent === 'Copied'", arg=button.element_handle())
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == block.locator("pre").evaluate("(code) => code.textContent")
        assert copied.strip()
