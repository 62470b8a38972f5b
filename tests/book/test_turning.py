"""The end of a page: what the neighbours add, how long they take, where to ask."""

import re
from html import unescape

import pytest
import yaml

from support import ROOT

CHAPTER = "chapters/07_self_attention.html"


@pytest.fixture(scope="module")
def listed() -> list[str]:
    """Every page of the contents."""
    return re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def adds() -> dict[str, str]:
    """What each page adds."""
    return yaml.safe_load((ROOT / "book" / "adds.yml").read_text(encoding="utf-8"))


def test_every_page_says_what_it_adds_in_a_sentence_of_its_own(listed, adds):
    assert set(adds) == set(listed)
    assert len(set(adds.values())) == len(adds)
    for page, sentence in adds.items():
        assert 3 <= len(sentence.split()) <= 20, page
        assert not sentence.endswith("."), page


def test_a_chapter_names_its_neighbours_with_what_they_add_and_their_minutes(book_html, listed, adds):
    text = (book_html / CHAPTER).read_text(encoding="utf-8")
    end = unescape(text[text.index('<nav class="book-turn"') :])
    at = listed.index("chapters/07_self_attention")
    for neighbour in (listed[at - 1], listed[at + 1]):
        assert f"adds: {adds[neighbour]}" in end
        source = (ROOT / f"{neighbour}.ipynb").read_text(encoding="utf-8")
        minutes = re.search(r"\*\*Time\*\* (\d+) minutes", source)[1]
        assert f"· {minutes} minutes" in end


def test_every_page_has_a_place_to_ask_and_its_source(book_html, listed):
    for page in listed:
        text = unescape((book_html / f"{page}.html").read_text(encoding="utf-8"))
        asked = re.findall(r'<a href="([^"]*)">Ask or report it</a>', text)
        assert len(asked) == 1, page
        assert "template=mistake.yml&place=" in asked[0]
        kind, suffix = ("blob", "ipynb") if page.startswith("chapters/") else ("edit", "md")
        assert f"/{kind}/main/{page}.{suffix}" in text, page
    form = (ROOT / ".github" / "ISSUE_TEMPLATE" / "mistake.yml").read_text(encoding="utf-8")
    assert "id: place" in form


def test_a_file_that_is_no_list_of_sentences_is_named(tmp_path):
    from attnbook_pages.errors import PageError
    from attnbook_pages.turning import sentences

    path = tmp_path / "adds.yml"
    assert sentences(path) == {}
    for text in ("- one\n- two\n", "a: [1]\n", "a: b: c\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PageError, match=r"adds\.yml"):
            sentences(path)
