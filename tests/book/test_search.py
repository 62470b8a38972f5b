"""The search: questions that readers type, each with the place that must be among the first five."""

import gzip
import json
import re
import subprocess

import pytest
from playwright.sync_api import expect
from search_queries import MISSPELT, QUERIES

LOADED = ("minisearch.js", "search_words.js", "search_content.js", "search.js")
# Answers all questions at once, outside of a browser: the page's own scripts, with the page's own index.
ASK = """
const [folder, package, queries] = process.argv.slice(1);
for (const name of ["search_words.js", "search_content.js", "search.js"]) require(`${folder}/${name}`);
const { find, meant } = attnbookSearch.prepare(require(package), attnbookSearch.content);
const answer = (query) => ({ ...find(query), meant: meant(query) });
console.log(JSON.stringify(JSON.parse(queries).map(answer)));
"""


@pytest.fixture(scope="module")
def ask(book_html):
    """Ask the search of the built book many questions."""
    from attnbook_pages.node import node
    from attnbook_pages.packages import npm_file

    package = npm_file("minisearch/dist/cjs/index.cjs")
    folder = book_html / "_static" / "attnbook"

    def answers(queries):
        command = [node(), "-e", ASK, str(folder), str(package), json.dumps(list(queries))]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return dict(zip(queries, json.loads(done.stdout), strict=True))

    return answers


def arrived(address: str, wanted: str) -> bool:
    """Whether a result is the place that is wanted; one without an anchor is the whole page."""
    return address == wanted if re.search(r"#.*[^.#]$", wanted) else address.startswith(wanted)


def test_what_readers_type_is_among_the_first_five(ask):
    answers = ask(QUERIES)
    missed = {
        query: [row[0] for row in answers[query]["found"][:5]]
        for query, places in QUERIES.items()
        if not any(arrived(row[0], place) for row in answers[query]["found"][:5] for place in places)
    }
    assert missed == {}


def test_what_has_a_name_comes_first(ask):
    first = {query: answer["found"][0][0] for query, answer in ask(["softmax", "GRUDecoder", "RoPE"]).items()}
    assert first == {
        "softmax": "book/glossary.html#softmax",
        "GRUDecoder": "book/api.html#attnbook.nn.GRUDecoder",
        "RoPE": "book/glossary.html#rope",
    }


def test_a_slip_is_offered_its_word(ask):
    answers = ask([*MISSPELT, "attention", "zqxjkv"])
    assert {query: answers[query]["meant"] for query in MISSPELT} == MISSPELT
    assert answers["attention"]["meant"] is None
    assert answers["zqxjkv"]["found"] == []


def test_every_result_is_a_place_of_its_page(book_html, ask):
    answers = ask(["attention", "mask", "torch", "words"]).values()
    rows = {row[0] for answer in answers for row in answer["found"]}
    assert len(rows) > 200
    pages = {}
    for address in rows:
        name, _, anchor = address.partition("#")
        text = pages.setdefault(name, (book_html / name).read_text(encoding="utf-8"))
        assert not anchor or f'id="{anchor}"' in text, address


def test_words_are_the_same_in_all_spellings(ask):
    pairs = [
        ("normalization", "normalisation"),
        ("masks", "mask"),
        ("color", "colour"),
        ("√d_k", "sqrt(d_k)"),
    ]
    answers = ask([word for pair in pairs for word in pair])
    for one, other in pairs:
        assert answers[one]["found"] == answers[other]["found"] != []


def test_what_the_page_of_the_search_loads_is_small(book_html):
    folder = book_html / "_static" / "attnbook"
    packed = {name: len(gzip.compress((folder / name).read_bytes(), 9)) for name in LOADED}
    assert sum(packed.values()) < 300_000, packed
    for page in [*book_html.glob("chapters/*.html"), *book_html.glob("book/*.html")]:
        assert "search_content" not in page.read_text(encoding="utf-8"), page.name


@pytest.mark.browser
@pytest.mark.parametrize("where", ["http", "file"])
def test_a_reader_searches_by_keyboard(visit, book_html, book_served, where):
    address = book_served if where == "http" else book_html.as_uri()
    with visit(f"{address}/search.html") as page:
        words = page.locator("#search-words")
        expect(words).to_be_focused()
        page.keyboard.type("GRUDecoder")
        expect(page.locator(".book-found li").first).to_contain_text("GRUDecoder")
        expect(page.locator("#search-progress")).to_contain_text("section")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".book-found a").first).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(words).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".book-found a").first).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/book/api.html#attnbook.nn.GRUDecoder")
        page.go_back()
        expect(words).to_have_value("GRUDecoder")
        words.fill("sofmax")
        page.get_by_role("link", name="softmax", exact=True).click()
        expect(words).to_have_value("softmax")
        more = page.get_by_role("button", name=re.compile("Show all"))
        more.click()
        assert page.locator(".book-found li").count() > 50
        words.fill("the")
        expect(page.locator("#search-progress")).to_contain_text("type one that is rarer")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_search_is_accessible(visit, book_served, violations, scheme):
    with visit(f"{book_served}/search.html?q=sofmax attention", color_scheme=scheme) as page:
        expect(page.locator(".book-meant")).to_be_visible()
        expect(page.locator(".book-found li").first).to_be_visible()
        assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"\operatorname{softmax}(x)_{i}", ["softmax"]),
        (r"\sqrt{d_{k}}", ["sqrt", "root", "d_k"]),
        (r"W_Q^{\top} W_K", ["W_Q", "W_K"]),
        (r"K\,V", ["KV"]),
        (r"d_\text{model} = 512", ["d_model"]),
    ],
)
def test_a_formula_is_found_by_what_it_says(tex, words):
    from attnbook_pages.sections import formula_words

    found = formula_words(tex).split()
    assert set(words) <= set(found)
    assert "top" not in found
