"""What searches and previews read: one address a page, a map of all pages, a description."""

import re
import shutil
from html import unescape

import pytest

from support import ROOT


def pages(html):
    """Every page that the contents list, by its path."""
    found = [*html.glob("chapters/*.html"), *html.glob("book/*.html")]
    return {str(page.relative_to(html)): page.read_text(encoding="utf-8") for page in found}


def test_every_page_names_its_own_address_and_stands_in_the_map(book_html):
    listed = re.findall(r"<loc>(.*?)</loc>", (book_html / "sitemap.xml").read_text(encoding="utf-8"))
    home = "https://attnbook.github.io/attnbook/latest/"
    assert listed == sorted(home + name for name in pages(book_html))
    for name, text in pages(book_html).items():
        assert re.findall(r'<link rel="canonical" href="([^"]*)"', text) == [home + name]
    # Both lie at the site's root when its versions are put together.
    assert f"Sitemap: {home.removesuffix('latest/')}sitemap.xml" in (book_html / "robots.txt").read_text(
        encoding="utf-8"
    )


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


def test_every_page_names_a_picture_for_previews_that_can_be_drawn(book_html):
    from social_cards import cards

    place = "https://attnbook.github.io/attnbook/latest/_static/attnbook/cards/"
    for name, text in pages(book_html).items():
        named = dict(re.findall(r'<meta property="(og:image[^"]*)" content="([^"]*)"', text))
        assert named["og:image"].startswith(place), name
        assert (named["og:image:width"], named["og:image:height"]) == ("1200", "630")
        assert named["og:image:alt"]
        assert '<meta name="twitter:card" content="summary_large_image" />' in text
        if name.startswith("chapters/") and "_lab_" not in name:
            assert named["og:image"] == f"{place}{name.removeprefix('chapters/').removesuffix('.html')}.png"
    drawn = cards(book_html)
    cores = {path.stem for path in ROOT.glob("chapters/*.ipynb") if "_lab_" not in path.name}
    assert cores | {"book"} <= drawn.keys()
    for name, card in drawn.items():
        assert card.picture, name
        assert (book_html / card.picture).is_file(), name
        assert name == "book" or card.title.split(" · ")[0].split()[0] == str(int(name[:2]))
        assert 10 < len(card.question) <= 192, name


@pytest.mark.browser
def test_versions_are_chosen_by_plain_links_and_old_pages_say_so(visit, book_html, tmp_path):
    from assemble_site import assemble

    site, build = tmp_path / "site", tmp_path / "build"
    # Three pages of the book, as three releases: what the tool looks for stands in real ones.
    for name in ("index.html", "versions.html", "robots.txt", "sitemap.xml", "_static", "search.html"):
        (shutil.copytree if (book_html / name).is_dir() else shutil.copyfile)(*make(book_html, build, name))
    for name in ("book/intro.html", "book/notation.html", "chapters/04_bahdanau.html"):
        shutil.copyfile(*make(book_html, build, name))
        for card in re.findall(
            r'og:image" content="[^"]*/latest/([^"]*)"', (build / name).read_text("utf-8")
        ):
            (build / card).parent.mkdir(parents=True, exist_ok=True)
            (build / card).write_bytes(b"drawn elsewhere")
    for folder, number in (("0.1", "0.1.0"), ("0.2", "0.2.0"), ("latest", "0.2.0")):
        assemble(site, build, folder, number)
    old = (site / "0.1/book/notation.html").as_uri()
    with visit(old, own=site.as_uri(), java_script_enabled=False) as page:
        note = page.locator("#version-note")
        assert note.inner_text().startswith("This is version 0.1.0; the newest is 0.2.0.")
        page.locator("a.book-version").click()
        listed = page.locator("#versions a").all_inner_texts()
        assert listed == ["Latest (0.2.0 and what has changed since)", "0.2.0", "0.1.0"]
        page.goto(old)
        note.get_by_role("link").click()
        page.wait_for_url("**/0.2/book/notation.html")
        assert not note.is_visible()


def make(source, target, name):
    """Where a file comes from and where it goes, in a folder that is there."""
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    return source / name, target / name


def test_what_is_published_beside_the_pages_is_linked_whole(book_html):
    text = (book_html / "book" / "how_to_use.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="(https://attnbook\.github\.io/attnbook/latest/take/[^"]+)"', text)
    assert [link.rpartition("/")[2] for link in linked] == ["attnbook.pdf", "attnbook-offline.zip"]
