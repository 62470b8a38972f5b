"""What searches and previews read: one address a page, a map of all pages, a description."""

import re
from html import unescape

from support import ROOT


def pages(html):
    """Every page that the contents list, by its path."""
    found = [*html.glob("chapters/*.html"), *html.glob("book/*.html")]
    return {str(page.relative_to(html)): page.read_text(encoding="utf-8") for page in found}


def test_every_page_names_its_own_address_and_stands_in_the_map(book_html):
    listed = re.findall(r"<loc>(.*?)</loc>", (book_html / "sitemap.xml").read_text(encoding="utf-8"))
    home = "https://attnbook.github.io/attnbook/"
    assert listed == sorted(home + name for name in pages(book_html))
    for name, text in pages(book_html).items():
        assert re.findall(r'<link rel="canonical" href="([^"]*)"', text) == [home + name]
    assert f"Sitemap: {home}sitemap.xml" in (book_html / "robots.txt").read_text(encoding="utf-8")


def test_every_chapter_says_what_it_is_about_in_one_description(book_html):
    seen = {}
    for name, text in pages(book_html).items():
        described = re.findall(r'<meta name="description" content="([^"]*)"', text)
        if name.startswith("chapters/"):
            assert len(described) == 1, name
            assert 40 < len(unescape(described[0])) <= 203
            seen.setdefault(described[0], []).append(name)
            assert '"og:site_name" content="Attention, from Brains to Transformers"' in text
            titles = re.findall(r'<meta property="og:title" content="([^"]*)"', text)
            assert len(titles) == 1
            assert titles[0]
    assert len(seen) == len(list(ROOT.glob("chapters/*.ipynb"))), "no two pages are described alike"


def test_what_is_published_beside_the_pages_is_linked_whole(book_html):
    text = (book_html / "book" / "how_to_use.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="(https://attnbook\.github\.io/attnbook/take/[^"]+)"', text)
    assert [link.rpartition("/")[2] for link in linked] == ["attnbook.pdf", "attnbook-offline.zip"]
