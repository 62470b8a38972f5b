"""The picture beside a link to a chapter: its size, what stands on it, and that nothing is cut off."""

import struct

import pytest

from social_cards import FIT, Card, card, cards, draw, markup, shortened

HEAD = """<html><head><meta property="og:title" content="4 · Look &amp; see" />
<meta property="og:description" content="A long first paragraph …" />
<meta property="og:image" content="https://example.org/latest/_static/attnbook/cards/04_look.png" /></head>"""
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="80pt" height="40pt">'
    '<rect width="100%" height="100%" fill="red"/></svg>'
)


@pytest.fixture
def book(tmp_path):
    """One chapter with a figure, built."""
    for folder in ("chapters", "_images", "_static/attnbook"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "index.html").write_text("")
    (tmp_path / "_images" / "one.svg").write_text(PICTURE)
    (tmp_path / "chapters" / "04_look.html").write_text(
        f"{HEAD}<body><strong>Menu?</strong><article><p><strong>Bold.</strong> Words. "
        "What sees, <em>and</em>\n<strong>where does it\nlook?</strong> Here.</p>"
        "<p><strong>Second?</strong></p>"
        '<figure><img alt="" src="../_images/one.svg" width="107" height="53"></figure>'
        '<figure><img alt="" src="../_images/two.svg"></figure></article></body></html>',
        encoding="utf-8",
    )
    return tmp_path


def test_a_card_holds_title_question_and_first_picture(book):
    found = card(book / "chapters" / "04_look.html", book)
    assert (found.title, found.question) == ("4 · Look & see", "What sees, and where does it look?")
    assert found.picture == "_images/one.svg"
    assert found.ratio == pytest.approx(107 / 53)
    assert "Look &amp; see" in markup(found)


def test_a_question_whose_sentence_is_too_long_stands_alone(book):
    page = book / "chapters" / "04_look.html"
    page.write_text(page.read_text("utf-8").replace("sees,", "sees " * 40), encoding="utf-8")
    assert card(page, book).question == "Where does it look?"


def test_a_page_without_a_question_shows_its_first_sentences():
    assert shortened("A question is asked. " + "word " * 60) == "A question is asked."
    assert shortened("word " * 60).endswith("word …")
    assert len(shortened("word " * 60)) <= 192


def test_a_card_of_no_page_is_an_error(book):
    page = book / "chapters" / "04_look.html"
    page.write_text(page.read_text("utf-8").replace("cards/04_look", "cards/05_gone"), encoding="utf-8")
    with pytest.raises(ValueError, match="names the card 05_gone, and there is no chapter of this name"):
        cards(book)


@pytest.mark.browser
def test_a_drawn_card_has_its_size_and_its_picture(book, chromium_path):
    (drawn,) = draw(book)
    data = drawn.read_bytes()
    assert drawn == book / "_static" / "attnbook" / "cards" / "04_look.png"
    assert struct.unpack(">II", data[16:24]) == (1200, 630)
    assert sorted(path.name for path in drawn.parent.iterdir()) == ["04_look.png"]
    from PIL import Image

    with Image.open(drawn) as image:
        colours = image.convert("RGB").getcolors(1200 * 630)
    red = sum(count for count, colour in colours if colour == (255, 0, 0))
    assert red > 50_000, "the chapter's picture is on it"


@pytest.mark.browser
@pytest.mark.parametrize("ratio", [0.8, 3.0])
def test_long_words_stay_on_the_card(browser, ratio, tmp_path):
    long = Card("13 · Linear attention and the delta rule, chosen keys", "word " * 38, "x.svg", ratio)
    (tmp_path / "card.html").write_text(markup(long), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.goto((tmp_path / "card.html").as_uri())
    page.evaluate(FIT)
    words = page.locator(".words").evaluate(
        "(box) => [box.scrollHeight, box.clientHeight, box.scrollWidth, box.clientWidth]"
    )
    assert words[0] <= words[1]
    assert words[2] <= words[3]
    assert page.locator(".picture").bounding_box()["height"] > 150
    assert page.locator(".picture").evaluate("(box) => box.getBoundingClientRect().bottom") <= 630
    page.close()
