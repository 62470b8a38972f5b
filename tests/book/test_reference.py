"""The reference of the package: every public name is there, and every link to it arrives."""

import json
import re
import sys
from html import unescape

import pytest

import attnbook.nn
import attnbook.widgets
from cell_source import marker
from support import ROOT

PAGES = ("api", "api_package")


def text_of(html: str) -> str:
    """The words of a piece of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.fixture(scope="module")
def reference(book_html) -> dict[str, str]:
    """The pages of the reference."""
    return {name: (book_html / "book" / f"{name}.html").read_text(encoding="utf-8") for name in PAGES}


def test_every_public_name_has_its_place(reference):
    ids = {name: set(re.findall(r'id="(attnbook\.[\w.]+)"', page)) for name, page in reference.items()}
    assert {f"attnbook.nn.{name}" for name in attnbook.nn.__all__} <= ids["api"]
    assert {f"attnbook.widgets.{name}" for name in attnbook.widgets.__all__} <= ids["api_package"]
    assert {"attnbook.training.fit", "attnbook.exercises.check"} <= ids["api_package"]
    assert not ids["api"] & ids["api_package"]


def test_a_name_is_shown_with_signature_shapes_and_errors(reference):
    page = reference["api"]
    start = page.index('id="attnbook.nn.scaled_dot_product_attention"')
    section = text_of(page[start : page.index("</section>", start)])
    for words in (
        "scaled_dot_product_attention(",
        "query: Tensor",
        "(…, queries, d_k)",
        "Raises",
        "TypeError",
    ):
        assert words in section
    assert "``" not in section


def test_every_link_from_a_chapter_arrives_and_each_taught_mechanism_has_one(book_html, reference):
    places = {
        f"{name}.html#{id}" for name, page in reference.items() for id in re.findall(r'id="([^"]+)"', page)
    }
    taught = 0
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        html = (book_html / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        links = re.findall(r'href="\.\./book/(api(?:_package)?\.html#attnbook[^"]*)"', html)
        assert set(links) <= places
        notebook = json.loads(path.read_text(encoding="utf-8"))
        sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for module, names in (marked for marked in map(marker, sources) if marked):
            for name in names:
                homes = (f"{module}.{name}", f"{module.rpartition('.')[0]}.{name}")
                linked = any(link.endswith(f"#{home}") for link in links for home in homes)
                assert linked, f"{path.name} teaches {module}.{name}, and the page has no link to it"
                taught += 1
    assert taught > 20


def test_docstrings_become_paragraphs_lists_and_code():
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    from attnbook_pages.docstrings import paragraphs

    text = (
        "Two *great* ``words``, see :func:`~a.b`\nand https://arxiv.org/abs/1409.0473.\n\n"
        "- one\n- two\n  lines\n\n    a = 1\n"
    )
    first, second, third = paragraphs(text)
    assert [type(node).__name__ for node in first.children if node.astext() in ("words", "a.b")] == [
        "literal"
    ] * 2
    assert [type(node).__name__ for node in first.children if node.astext() == "great"] == ["emphasis"]
    assert first.children[-2]["refuri"] == "https://arxiv.org/abs/1409.0473"
    assert [item.astext() for item in second.children] == ["one", "two lines"]
    assert third.astext() == "a = 1"
