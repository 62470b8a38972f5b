"""The book as one PDF: every page in it, links that lead within it, bookmarks, and nothing folded."""

import re
import shutil
import subprocess
import sys

import pikepdf
import pytest
from PIL import Image

from support import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import print_book
import widget_pictures


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
    # The widget is a sharp picture of its outcome; what its notebook stored, before a prediction, is gone.
    stored = print_book.read(html, root).whole()
    printed = (html.parent / "print" / "book.html").read_text(encoding="utf-8")
    place = r'<div class="attnbook-widget"[^>]* data-class="QKVPlayground">(.*?)</div>'
    before, after = (re.findall(place, text, re.DOTALL) for text in (stored, printed))
    assert len(before) == len(after) == 1
    assert "hidden" in before[0]
    shown = re.findall(r'<img class="print-widget" alt="([^"]*)" src="([^"]+)" />', after[0])
    assert re.sub(r"<img [^>]*>", "", after[0]) == ""
    assert "has the largest share" in shown[0][0]
    for _, address in shown:
        with Image.open(html.parent / "print" / address) as picture:
            assert picture.width >= 2 * print_book.PAPER
    # A quiz keeps its questions.
    assert printed.count('data-class="Quiz"') == stored.count('data-class="Quiz"') > 0
    with pikepdf.open(pdf) as document:
        assert len(document.pages) > 3
        with document.open_outline() as outline:
            titles = [item.title for item in outline.root]
            assert titles[0] == "Contents"
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


def test_a_tall_picture_is_cut_where_nothing_is_cut_through():
    whole = [[0, 300], [310, 500], [505, 900], [910, 1000]]
    places = widget_pictures.cuts(1000, whole, tall=600)
    assert places == [505]
    assert widget_pictures.cuts(1000, [[0, 1000]], tall=600) == []
    assert widget_pictures.cuts(600, whole, tall=600) == []


def test_pictures_take_the_place_of_what_is_stored_and_quizzes_stay(tmp_path):
    place = '<div class="attnbook-widget" data-model="m" data-class="{}">{}</div>'.format
    stored = place("HeadExplorer", "<div><div>hidden</div></div><p>?</p>")
    quiz = place("Quiz", "<div>a question</div>")
    picture = widget_pictures.Picture([tmp_path / "a-0.png", tmp_path / "a-1.png"], "“la” looks")
    images = (
        '<img class="print-widget" alt="“la” looks" src="w/a-0.png" />'
        '<img class="print-widget" alt="" src="w/a-1.png" />'
    )
    text = widget_pictures.put(f"<p>before</p>{stored}{quiz}<p>after</p>", [picture], "w/")
    assert text == f"<p>before</p>{place('HeadExplorer', images)}{quiz}<p>after</p>"
    with pytest.raises(ValueError, match="shorter"):
        widget_pictures.put(stored + stored, [picture], "w/")


def test_bookmarks_read_as_their_headings(tmp_path):
    pdf = tmp_path / "three.pdf"
    with pikepdf.new() as document:
        document.add_blank_page()
        with document.open_outline() as outline:
            for title in ("from Brains toTransformers", "SummarySummary", "chrF"):
                outline.root.append(pikepdf.OutlineItem(title, 0))
        document.save(pdf)
    print_book.mend_bookmarks(pdf, ["from Brains to\n  Transformers", "Summary"])
    with pikepdf.open(pdf) as document, document.open_outline() as outline:
        assert [item.title for item in outline.root] == ["from Brains to Transformers", "Summary", "chrF"]
