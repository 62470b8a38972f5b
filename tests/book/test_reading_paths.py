"""The ways through the book: lists that know what was read, a syllabus, one on a sheet of paper."""

import re

import pytest
import yaml
from playwright.sync_api import expect
from rules import leave

from support import ROOT

PAGE = "/book/paths.html"
CHAPTERS = sorted(path.stem for path in ROOT.glob("chapters/*.ipynb"))


@pytest.fixture(scope="module")
def ways() -> dict:
    """The ways as they are listed."""
    return yaml.safe_load((ROOT / "book" / "reading_paths.yml").read_text(encoding="utf-8"))


@pytest.fixture(params=["http", "file"])
def book(request, book_html, book_served) -> str:
    """Where the book is read from: a server, or the disk."""
    return book_served if request.param == "http" else book_html.as_uri()


def test_two_hours_are_two_hours(ways):
    assert 90 <= sum(step["minutes"] for step in ways["two-hours"]["steps"]) <= 120


def test_the_syllabus_has_every_chapter_and_lab_once_and_all_points(book_html):
    from attnbook_pages.progress import exercises

    page = (book_html / "book" / "paths.html").read_text(encoding="utf-8")
    syllabus = page[page.index('data-path="semester"') :]
    assert sorted(re.findall(r'data-read="(\w+)"', syllabus)) == CHAPTERS
    points = re.findall(r": (\d+) points(?:; for extra [\d., ]+: (\d+))?", syllabus)
    listed = exercises(ROOT / "book" / "exercises.md")
    assert sum(int(plain) + int(extra or 0) for plain, extra in points) == sum(entry[2] for entry in listed)
    for name in re.findall(r"<code>(\w+)\.ipynb</code>", syllabus):
        assert (ROOT / "exercises" / f"{name}.ipynb").is_file()


def test_a_chapter_that_was_read_is_ticked_and_a_tick_reads_the_chapter(visit, book):
    with visit(book + "/chapters/02_attention_as_lookup.html") as page:
        page.locator("#chapter-read").click()
        leave(page, lambda: page.goto(book + PAGE))
        for way in ("two-hours", "weekend", "semester"):
            place = page.locator(f"[data-path={way}]")
            expect(place.get_by_role("checkbox", name="2 · Attention as lookup")).to_be_checked()
        expect(page.locator("[data-path=two-hours] .reading-path__done")).to_contain_text("1 of 5 done")
        box = page.locator("[data-path=weekend]").get_by_role("checkbox", name="4 · Bahdanau")
        box.focus()
        page.keyboard.press("Space")
        expect(page.locator("[data-path=two-hours] .reading-path__done")).to_contain_text("2 of 5 done")
        expect(page.locator("#book-contents .book-tick")).to_have_count(2)
        translator = page.get_by_role("checkbox", name="Type a sentence: done")
        translator.check()
        leave(page, page.reload)
        expect(translator).to_be_checked()
        page.goto(book + "/chapters/04_bahdanau.html")
        expect(page.locator("#chapter-read")).to_have_attribute("aria-pressed", "true")


def test_solved_exercises_are_counted_in_the_syllabus(visit, book_served):
    with visit(book_served + PAGE) as page:
        page.evaluate("""localStorage.setItem("attnbook:exercises", JSON.stringify({"2.1": "2030-01-01"}))""")
        page.reload()
        expect(page.locator("[data-path=semester] [data-points='2']")).to_have_text("(1 point solved)")
        expect(page.locator("[data-exercise='2.1']")).to_have_class(re.compile("reading-path__solved"))


def test_one_list_alone_is_printed(visit, book_served):
    with visit(book_served + PAGE) as page:
        page.evaluate("window.print = () => {}")
        page.locator("[data-path=semester]").get_by_role("button", name="Print this list").click()
        page.emulate_media(media="print")
        assert page.locator("[data-path=semester]").is_visible()
        assert not page.locator("[data-path=weekend]").is_visible()
        assert not page.locator("[data-path=semester] button").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["paths", "troubleshooting"])
def test_the_pages_are_accessible(visit, book_served, violations, scheme, name):
    with visit(f"{book_served}/book/{name}.html", color_scheme=scheme) as page:
        assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    from attnbook_pages.errors import PageError
    from attnbook_pages.ways import ways

    path = tmp_path / "reading_paths.yml"
    assert ways(path) == {}
    for text in ("- a\n", "one: {name: One, about: it}\n", "one: {name: One, about: it, steps: [{do: x}]}\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PageError, match=r"reading_paths\.yml"):
            ways(path)
