"""Slides: a deck a chapter, whole in one file, turned by keys, printed one slide a page."""

import re
from html import unescape

import pytest
from building import script_value

from support import ROOT

LINK = re.compile(r'href="([^"]*)"')


def decks(html):
    """Every deck by the name of its chapter."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((html / "slides").glob("*.html"))}


def cores():
    """The names of the chapters."""
    return sorted(path.stem for path in ROOT.glob("chapters/*.ipynb") if "_lab_" not in path.stem)


@pytest.fixture
def deck(sample_html):
    """The deck of the sample core."""
    return sample_html / "slides" / "09_sample_core.html"


def test_every_chapter_has_a_deck_that_its_page_and_the_instructors_page_link(book_html):
    assert list(decks(book_html)) == cores()
    instructors = (book_html / "book" / "instructors.html").read_text(encoding="utf-8")
    for name in cores():
        page = (book_html / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        assert page.count(f'href="../slides/{name}.html"') == 2, "in the bar and at the end"
        assert f'href="../slides/{name}.html"' in instructors


def test_a_deck_shows_what_the_chapter_shows(book_html):
    quizzes = script_value(book_html, "quizzes")
    for name, text in decks(book_html).items():
        page = (book_html / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        captions = set(re.findall(r"<strong>(Figure [\d.]+?)\.</strong>", page))
        assert captions
        assert captions == set(re.findall(r"<figcaption><strong>(Figure [\d.]+?)\.</strong>", text)), name
        assert text.count('<div class="formula">') == page.count('<div class="math-block'), name
        asked = sum(len(quiz["questions"]) for quiz in quizzes if quiz["page"] == name)
        assert text.count('class="slide slide-question"') == asked, name
        assert text.count('class="slide slide-answer"') == asked, name
        assert text.count("Live in the page") == len(
            re.findall(r'<div class="attnbook-widget" data-model="\w+" data-class="(?!Quiz")', page)
        )
        assert "After this chapter you can" in text
        assert re.search(r"Summary</h2>", text)


def test_a_claim_says_what_a_figure_shows_and_not_only_how_to_read_it(book_html):
    claims = [
        re.sub(r"<[^>]+>", "", claim)
        for path in sorted((book_html / "slides").glob("*.html"))
        for claim in re.findall(r'<p class="claim">(.*?)</p>', path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert len(claims) > 30
    assert [claim for claim in claims if re.fullmatch(r"(Read|Begin|Look)\b[^.!?]*[.!?]\s*", claim)] == []
    assert [claim for claim in claims if claim.rstrip().endswith("?")] == []


def test_every_link_of_a_deck_leads_somewhere(book_html):
    pages = {}
    for name, text in decks(book_html).items():
        for address in {unescape(address) for address in LINK.findall(text)}:
            if address.startswith(("https:", "http:")):
                continue
            path, _, fragment = address.partition("#")
            there = (book_html / "slides" / path).resolve()
            assert there.is_file(), f"{name}: {address}"
            if there not in pages:
                pages[there] = set(re.findall(r' id="([^"]+)"', there.read_text(encoding="utf-8")))
            assert not fragment or fragment in pages[there], f"{name}: {address}"


def test_a_deck_needs_no_other_file(sample_html, deck):
    text = deck.read_text(encoding="utf-8")
    assert not re.search(r'<link\b|<script\b[^>]*\bsrc=|<(?:img|source)\b[^>]*\bsrc="(?!data:)', text)
    assert not re.search(r"url\((?![\"']?(?:data:|#|%23))|@import", text)
    assert re.findall(r'<img src="data:[^"]*" alt="([^"]+)"', text) == [
        "A line with one peak.",
        "A grey square.",
    ]
    assert 'href="../chapters/09_lab_sample.html"' in text, "links of the chapter lead back to the book"
    assert not (sample_html / "slides" / "09_lab_sample.html").exists(), "labs have none"


@pytest.mark.browser
def test_keys_and_addresses_turn_the_slides(visit, deck):
    with visit(deck.as_uri() + "#2") as page:
        page.wait_for_selector("html[data-settled]")
        shown = lambda: page.evaluate("[...document.querySelectorAll('.slide:not([hidden])')].map(s => s.id)")  # noqa: E731
        last = page.locator(".slide").count()
        assert shown() == ["2"]
        keys = {"ArrowRight": 3, "ArrowLeft": 2, " ": 3, "Shift+ ": 2, "Home": 1}
        keys |= {"End": last, "PageDown": last, "PageUp": last - 1}
        for key, expected in keys.items():
            page.keyboard.press(key)
            assert shown() == [str(expected)], key
            assert page.url.endswith(f"#{expected}")
        assert page.evaluate("document.activeElement.closest('.slide').id") == str(last - 1)
        page.evaluate("location.hash = '#1'")
        page.wait_for_function("!document.getElementById('1').hidden")
        assert not page.locator(".notes").first.is_visible()
        page.keyboard.press("n")
        assert page.locator(".notes").first.is_visible()
        assert page.locator("#notes").get_attribute("aria-pressed") == "true"


@pytest.mark.browser
def test_a_deck_prints_one_slide_a_page(visit, deck, tmp_path):
    import pikepdf

    with visit(deck.as_uri()) as page:
        page.wait_for_selector("html[data-settled]")
        slides = page.locator(".slide").count()
        page.pdf(path=tmp_path / "deck.pdf", prefer_css_page_size=True)
    with pikepdf.open(tmp_path / "deck.pdf") as document:
        assert len(document.pages) == slides
        _, _, width, height = (float(value) for value in document.pages[0].mediabox)
        assert width / height == pytest.approx(16 / 9, rel=0.01)


@pytest.mark.browser
def test_nothing_of_a_slide_is_cut_and_no_rule_of_accessibility_is_broken(visit, violations, deck):
    with visit(deck.as_uri(), viewport={"width": 1366, "height": 768}) as page:
        page.wait_for_selector("html[data-settled]")
        page.keyboard.press("n")
        for _ in range(page.locator(".slide").count()):
            assert violations(page) == []
            cut = page.evaluate(
                "() => { const b = document.querySelector('.slide:not([hidden]) .body');"
                " return b.scrollHeight > b.clientHeight + 4 || b.scrollWidth > b.clientWidth + 4; }"
            )
            assert not cut
            page.keyboard.press("ArrowRight")
    with visit(deck.as_uri(), viewport={"width": 360, "height": 700}) as page:
        page.wait_for_selector("html[data-settled]")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
def test_without_scripts_a_deck_is_one_page(visit, deck):
    with visit(deck.as_uri(), java_script_enabled=False) as page:
        visible = [slide.is_visible() for slide in page.locator(".slide").all()]
        assert all(visible)
        assert len(visible) > 3
        assert not page.locator(".bar").is_visible()
