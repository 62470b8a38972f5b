"""What a reader keeps: chapters read, cards that come back, files out and in; a term's meaning beside it."""

import re

import pytest
from building import script_value
from playwright.sync_api import expect
from rules import early, leave

from support import ROOT

pytestmark = pytest.mark.browser

CHAPTER = "/chapters/02_attention_as_lookup.html"
PROGRESS = "/book/progress.html"


@pytest.fixture(params=["http", "file"])
def book(request, book_html, book_served) -> str:
    """Where the book is read from: a server, or the disk."""
    return book_served if request.param == "http" else book_html.as_uri()


def test_every_link_of_a_term_leads_to_its_entry(book_html):
    glossary = (book_html / "book" / "glossary.html").read_text(encoding="utf-8")
    entries = set(re.findall(r'<section id="([^"]+)"', glossary))
    linked = 0
    for page in book_html.glob("chapters/*.html"):
        anchors = re.findall(r'class="term[^"]*" href="\.\./book/glossary\.html#([^"]+)"', page.read_text())
        assert set(anchors) <= entries, page.name
        assert len(set(anchors)) == len(anchors), f"{page.name}: the first use alone is linked"
        linked += len(anchors)
    assert linked > 100


def test_the_cards_hold_every_entry_and_every_question(book_html):
    terms = script_value(book_html, "terms")
    wanted = re.findall(r"^## ", (ROOT / "book" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(terms) == len(wanted)
    assert all(term["text"].startswith("<p>") for term in terms.values())
    quizzes = script_value(book_html, "quizzes")
    names = [quiz["name"] for quiz in quizzes]
    assert len(set(names)) == len(names), "two quizzes of one name would keep each other's answers"
    cores = {path.stem for path in ROOT.glob("chapters/*.ipynb") if "_lab_" not in path.stem}
    assert {quiz["page"] for quiz in quizzes} >= cores


def test_a_term_is_explained_at_its_first_use(visit, book):
    with visit(book + CHAPTER) as page:
        link = page.locator("a.term").first
        card = page.locator("#term-card")
        assert early(page.seen.asked, CHAPTER) == []
        link.focus()
        expect(card).to_be_visible()
        assert [address.rsplit("/")[-1] for address in early(page.seen.asked, CHAPTER)] == ["terms.js"]
        assert len(card.inner_text()) > 40
        assert link.get_attribute("aria-describedby") == "term-card"
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        link.scroll_into_view_if_needed()
        link.hover()
        expect(card).to_be_visible()
        box = card.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1280
        page.mouse.move(5, 5)
        expect(card).to_be_hidden()


def test_a_walk_by_keyboard_from_reading_to_a_card_that_comes_back(visit, book):
    with visit(book + CHAPTER) as page:
        page.locator("#chapter-read").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#chapter-read-note")).to_contain_text("come back in your review")
        expect(page.locator("#book-contents .book-tick")).to_have_count(1)
        leave(page, lambda: page.goto(book + PROGRESS))
        expect(page.get_by_role("checkbox", name="2 · Attention as lookup")).to_be_checked()
        review = page.get_by_role("region", name="Due today")
        expect(review).to_contain_text("10 cards are due")
        show = review.get_by_role("button", name="Show the answer")
        show.focus()
        page.keyboard.press("Enter")
        expect(review.get_by_role("button", name="I knew it")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").last).to_contain_text("It comes back on")
        expect(review).to_contain_text("9 cards are due")
        front = review.locator("div").nth(1).inner_text()
        page.keyboard.press("Enter")
        review.get_by_role("button", name="Not yet").click()
        expect(review).to_contain_text("9 cards are due")
        assert review.locator("div").nth(1).inner_text() != front
        leave(page, page.reload)
        expect(review).to_contain_text("9 cards are due")


def test_a_page_shows_what_another_tab_keeps(visit, book_served):
    with visit(book_served + PROGRESS) as page:
        box = page.get_by_role("checkbox", name="2 · Attention as lookup")
        expect(box).not_to_be_checked()
        chapter = page.context.new_page()
        chapter.goto(book_served + CHAPTER)
        chapter.locator("#chapter-read").click()
        expect(box).to_be_checked()
        expect(page.get_by_role("region", name="Due today")).to_contain_text("10 cards are due")
        box.uncheck()
        expect(chapter.locator("#chapter-read")).to_have_attribute("aria-pressed", "false")


def test_cards_that_were_known_come_back_when_their_day_has_come(visit, book_html, book_served):
    name = "02_attention_as_lookup"
    terms = [term for term in script_value(book_html, "terms").values() if term["chapters"][:1] == [name]]
    quizzes = [quiz for quiz in script_value(book_html, "quizzes") if quiz["page"] == name]
    cards = len(terms) + sum(len(quiz["questions"]) for quiz in quizzes)
    assert cards > 10
    with visit(book_served + PROGRESS) as page:
        page.clock.install(time="2030-01-01T12:00:00")
        page.evaluate(
            """(name) => localStorage.setItem("attnbook:read", JSON.stringify({[name]: "2030-01-01"}))""",
            name,
        )
        page.reload()
        review = page.get_by_role("region", name="Due today")
        for _ in range(10):
            review.get_by_role("button", name="Show the answer").click()
            review.get_by_role("button", name="I knew it").click()
        expect(review).to_contain_text("The next card comes on 2030-01-02")
        page.clock.set_system_time("2030-01-02T12:00:00")
        page.reload()
        expect(review).to_contain_text(f"{min(cards, 20)} cards are due")


def test_progress_goes_out_and_comes_back(visit, book_served, tmp_path):
    with visit(book_served + PROGRESS) as page:
        status = page.get_by_role("status").last
        files = page.locator("#reader-file")
        solved = tmp_path / "progress.jsonl"
        solved.write_text(
            '{"id": "2.3", "passed": true, "when": "2030-01-01T10:00:00+00:00"}\nnot a line\n'
            '{"id": "2.4", "passed": false, "when": "2030-01-01T10:00:00+00:00"}\n'
            '{"id": "99.9", "passed": true, "when": "2030-01-01T10:00:00+00:00"}\n'
        )
        files.set_input_files(solved)
        expect(status).to_contain_text("1 solved exercise")
        record = page.get_by_role("region", name="A record to print")
        expect(record.locator("tbody tr")).to_have_count(1)
        expect(record).to_contain_text("2030-01-01")
        page.get_by_role("checkbox", name="4 · Bahdanau").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export my progress").click()
        exported = tmp_path / download.value.suggested_filename
        download.value.save_as(exported)
        erase = page.get_by_role("button", name="Erase everything")
        erase.click()
        expect(record.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Really erase").click()
        expect(record.locator("tbody tr")).to_have_count(0)
        assert (
            page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('attnbook:')).length")
            == 0
        )
        other = tmp_path / "other.json"
        other.write_text('{"a": 1}')
        files.set_input_files(other)
        expect(status).to_contain_text("Nothing was changed")
        files.set_input_files(exported)
        expect(record.locator("tbody tr")).to_have_count(1)
        expect(page.get_by_role("checkbox", name="4 · Bahdanau")).to_be_checked()


def test_cards_for_anki_are_one_line_each(visit, book_served, book_html, tmp_path):
    path = tmp_path / "cards.txt"
    with visit(book_served + PROGRESS) as page:
        with page.expect_download() as download:
            page.get_by_role("button", name="Cards for Anki").click()
        download.value.save_as(path)
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert "#separator:tab" in head
    questions = sum(len(quiz["questions"]) for quiz in script_value(book_html, "quizzes"))
    introduced = [term for term in script_value(book_html, "terms").values() if term["chapters"]]
    assert len(lines) == questions + len(introduced)
    assert {line.count("\t") for line in lines} == {2}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(visit, book_served, violations, scheme):
    with visit(book_served + CHAPTER, color_scheme=scheme) as page:
        page.locator("#chapter-read").click()
        page.locator("a.term").first.focus()
        expect(page.locator("#term-card")).to_be_visible()
        assert violations(page) == []
        page.goto(book_served + PROGRESS)
        page.get_by_role("button", name="Show the answer").click()
        page.evaluate("scrollTo(0, 0)")  # a box that has gone half under the bar is no small target
        assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_only_the_record_is_printed(visit, book_served):
    with visit(book_served + PROGRESS) as page:
        page.evaluate("window.print = () => {}")
        page.get_by_role("button", name="Print this record").click()
        page.emulate_media(media="print")
        assert page.locator(".reader-record").is_visible()
        assert not page.locator(".reader-card").is_visible()
        assert not page.locator(".reader-table").is_visible()
