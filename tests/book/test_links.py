"""Every link within the built book leads to a file, and to a place that is there."""

from internal_links import broken, read


def test_every_link_of_this_book_leads_somewhere(book_html):
    assert broken(book_html) == []


def test_the_check_sees_the_books_links(book_html):
    page = read(book_html / "chapters" / "04_bahdanau.html")
    assert len(page.links) > 100
    assert "figure-4-2" in page.places
    assert any("#" in link and link.startswith("../book/glossary.html") for link in page.links)
