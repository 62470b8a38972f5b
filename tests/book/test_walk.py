"""A first visit by keyboard alone: from the first page to an exercise, and back to a card that is due."""

import json
import re

import pytest
from playwright.sync_api import expect
from rules import leave

from support import ROOT

FOCUSED = """() => {
  const one = document.activeElement;
  const words = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent;
  return words.replace("✓", "").trim();
}"""


def reach(page, words: str, key: str = "Tab", most: int = 60) -> int:
    """Press Tab until what has this name has the focus; how many times that took."""
    passed = []
    for count in range(1, most + 1):
        page.keyboard.press(key)
        passed.append(page.evaluate(FOCUSED))
        if passed[-1] == words:
            return count
    raise AssertionError(f"no {words!r} within {most} stops, but {passed}")


def open_text(page) -> None:
    """Go past the list of chapters, by the first stop of each page."""
    assert reach(page, "Skip to the text", most=1) == 1
    page.keyboard.press("Enter")


def follow(page, words: str, most: int = 60) -> None:
    """Reach a link and open it."""
    reach(page, words, most=most)
    with page.expect_navigation():
        leave(page, lambda: page.keyboard.press("Enter"))
    page.wait_for_load_state()


def test_every_chapter_hands_out_its_exercises(book_html):
    for file in sorted(ROOT.glob("exercises/*.ipynb")):
        page = book_html / "chapters" / f"{file.stem}.html"
        text = page.read_text(encoding="utf-8")
        assert f"colab.research.google.com/github/attnbook/attnbook/blob/main/exercises/{file.name}" in text
        (handed_out,) = re.findall(rf'href="\.\./(_downloads/[^"]+/{file.name})"', text)
        assert (book_html / handed_out).read_bytes() == file.read_bytes(), file.name
        assert f"/{file.name}" in (book_html / "book" / "exercises.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_from_the_first_page_to_an_exercise_and_a_card_that_is_due(visit, book_served, tmp_path):
    with visit(book_served + "/book/intro.html") as page:
        open_text(page)
        follow(page, "Each of them is a list that you tick off")
        open_text(page)
        follow(page, "4 · Bahdanau: look at every word")

        # The chapter says where its exercises are solved, and hands them out; no widget on the way is a trap.
        open_text(page)
        reach(page, "exercise notebook", most=400)
        reach(page, "open the notebook in Colab", most=1)
        reach(page, "download it", most=1)
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        download.value.save_as(tmp_path / "exercises.ipynb")
        cells = json.loads((tmp_path / "exercises.ipynb").read_text(encoding="utf-8"))["cells"]
        assert 'check("4.3"' in "".join("".join(cell["source"]) for cell in cells)

        # What comes next stands at the chapter's end.
        reach(page, "I have read this")
        page.keyboard.press("Enter")
        expect(page.locator("#chapter-read-note")).to_contain_text("come back in your review")
        follow(page, "Your progress", most=1)

        # The page says which file it wants; `check` wrote it where the notebook ran.
        expect(page.get_by_role("main")).to_contain_text("print(records.path())")
        solved = tmp_path / "progress.jsonl"
        solved.write_text('{"id": "4.3", "passed": true, "when": "2030-01-01T10:00:00+00:00"}\n')
        open_text(page)
        reach(page, "Import an exported file, or the exercises you solved in Jupyter (progress.jsonl):")
        # A window of the system opens on a click, and may not on a machine under load: look for the click.
        page.evaluate("() => document.activeElement.addEventListener('click', () => (window.asked = true))")
        page.keyboard.press("Enter")
        assert page.evaluate("window.asked") is True
        page.set_input_files("#reader-file", solved)
        expect(page.get_by_role("status").last).to_contain_text("1 solved exercise")
        expect(page.get_by_role("region", name="Chapters")).to_contain_text("3 of 27 points")

        # And the cards of the chapter that was read are due.
        review = page.get_by_role("region", name="Due today")
        expect(review).to_contain_text("10 cards are due")
        reach(page, "Show the answer", key="Shift+Tab")
        page.keyboard.press("Enter")
        expect(review.get_by_role("button", name="I knew it")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").last).to_contain_text("It comes back on")
        expect(review).to_contain_text("9 cards are due")
