"""Every link within the built book leads to a file, and to a place that is there."""

import re

from internal_links import broken, read


def test_every_link_of_this_book_leads_somewhere(book_html):
    assert broken(book_html) == []


def test_the_check_sees_the_books_links(book_html):
    page = read(book_html / "chapters" / "04_bahdanau.html")
    assert len(page.links) > 100
    assert "figure-4-2" in page.places
    assert any("#" in link and link.startswith("../book/glossary.html") for link in page.links)


def test_an_address_with_several_parts_is_escaped_once(book_html):
    page = (book_html / "chapters" / "02_attention_as_lookup.html").read_text(encoding="utf-8")
    assert re.search(
        r'href="https://en\.wikipedia\.org/w/[^"]*&amp;action=history&amp;offset=\d{14}&amp;limit=1"', page
    )
    twice = re.compile(r'href="[^"]*&amp;(?:amp|lt|gt|quot);')
    assert [
        path.name for path in book_html.rglob("*.html") if twice.search(path.read_text(encoding="utf-8"))
    ] == []
