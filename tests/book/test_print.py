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
    text = print_book.whole(book_html)
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


def test_a_page_that_is_not_built_is_named(tmp_path):
    with pytest.raises(SystemExit, match="is missing; run: make book"):
        print_book.whole(tmp_path)
