"""The book as one PDF: every page in it, links that lead within it, bookmarks, and nothing folded."""

import re
import shutil
import subprocess
import sys

import pikepdf
import pytest

from support import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import print_book


def test_the_document_holds_every_page_and_its_links_lead_within_it(book_html):
    text = print_book.read(book_html).whole()
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(set(ids)) == len(ids)
    links = set(re.findall(r' href="#([^"]*)"', text))
    assert links <= set(ids)
    for page in ROOT.glob("chapters/*.ipynb"):
        assert f'id="chapters-{page.stem}"' in text
    assert not re.search(r' href="(?!#|https?:|\.\./html/_static/|mailto:)', text)
    pictures = set(re.findall(r' src="\.\./html/([^"]+)"', text))
    assert pictures
    assert all((book_html / picture).is_file() for picture in pictures)


@pytest.mark.browser
def test_the_sample_book_is_printed(sample_html, tmp_path):
    html = tmp_path / "_build" / "html"
    shutil.copytree(sample_html, html)
    root = sample_html.parents[2]
    pdf = tmp_path / "sample.pdf"
    # In a process of its own: the browser of these tests runs in this one.
    command = [sys.executable, str(ROOT / "tools" / "print_book.py")]
    command += ["--html", str(html), "--root", str(root), "--pdf", str(pdf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "MB" in done.stdout
    with pikepdf.open(pdf) as document:
        assert len(document.pages) > 3
        with document.open_outline() as outline:
            assert outline.root
        assert document.Root.MarkInfo.Marked
        links = [
            link
            for page in document.pages
            for link in page.get("/Annots", [])
            if link.get("/Subtype") == "/Link"
        ]
        addresses = [str(link.A.URI) for link in links if "/A" in link and "/URI" in link.A]
        assert len(links) > len(addresses), "some lead within the document"
        assert not [address for address in addresses if address.startswith("file:")]
        # The contents say on which page each part begins, and paper is upright.
        begins = print_book.page_numbers(pdf, print_book.read(html, root))
        assert list(begins.values()) == sorted(begins.values())
        contents = document.pages[1 : begins["book/intro"] - 1]
        for page in contents:
            page.contents_coalesce()
        shown = b"".join(page.Contents.read_bytes() for page in contents)
        assert re.findall(rb"\((\d+)\) Tj ET EMC", shown) == [b"%d" % number for number in begins.values()]
        assert {float(page.mediabox[3]) > float(page.mediabox[2]) for page in document.pages} == {True}


def test_a_pages_own_style_is_held_to_its_part():
    page = "<style>html, body { font-size: 6pt } .bd-article table { color: red } @page { size: A4; }</style>"
    text = print_book.within(page, "book/sheet", {"book/sheet"})
    assert text == (
        "<style>@page book-sheet { size: A4; }#book-sheet { page: book-sheet; } "
        "@scope (#book-sheet) {:scope { font-size: 6pt } :scope table { color: red } }</style>"
    )


def test_a_page_that_is_not_built_is_named(tmp_path):
    with pytest.raises(SystemExit, match="is missing; run: make book"):
        print_book.read(tmp_path)
