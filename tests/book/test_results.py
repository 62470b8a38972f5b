"""The page of results shows what is stored: every row of the leaderboard, every run."""

import re
from html import unescape

from attnbook.analysis import model_shapes
from attnbook.results import FOLDER
from attnbook.translation import leaderboard


def text_of(html: str) -> str:
    """The words of a piece of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_leaderboard_is_the_one_that_chapters_print(book_html):
    page = (book_html / "book" / "results.html").read_text(encoding="utf-8")
    plain = page.replace("\u202f", "").replace(",", "")
    drawn = [text_of(row) for row in re.findall(r"<tr.*?</tr>", plain, re.DOTALL)]
    rows = leaderboard.table().replace(",", "").splitlines()[1:]
    assert rows
    for row in rows:
        assert " ".join(row.split()) in drawn


def test_every_run_is_there_with_its_command(book_html):
    page = text_of((book_html / "book" / "results.html").read_text(encoding="utf-8"))
    stored = sorted(FOLDER.glob("*.json"))
    assert stored
    for path in stored:
        assert path.stem.replace("_", " ").capitalize() in page
    assert page.count("attnbook run ") >= len(stored)


def test_what_open_models_use_is_there_with_its_sources(book_html):
    page = (book_html / "book" / "results.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="(https://[^"]+)"', page))
    for model in model_shapes.MODELS:
        assert page.count(model.name) >= 2, "both tables have it"
        assert {cell.source for cell in model.cells} <= links
