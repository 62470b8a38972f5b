"""Links: those within the book by a parser of HTML, those to other sites by an opener without a network."""

import socket
import time
from email.message import Message
from urllib.error import HTTPError, URLError

import pytest

import external_links
import internal_links
from external_links import Answer, ask, check, links, report, trimmed
from internal_links import broken


def page(folder, name, body):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<!DOCTYPE html><html><body>{body}</body></html>", encoding="utf-8")


def test_whole_links_are_not_reported(tmp_path):
    page(
        tmp_path,
        "a/one.html",
        '<h1 id="α-β">x</h1><a name="old"></a><a href="#">top</a><a href="#%CE%B1-%CE%B2">y</a>',
    )
    page(
        tmp_path,
        "two.html",
        '<a href="a/one.html?w=1#old">1</a><img src="my%20picture.png" srcset="my%20picture.png 2x">'
        '<a href="https://example.org/gone">2</a><a href="mailto:a@b.c">3</a><a href="a/one.html#α-β">4</a>',
    )
    (tmp_path / "my picture.png").write_bytes(b"")
    assert broken(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="gone.html">x</a>', "two.html: gone.html names a file that is not there"),
        ("<img src=gone.png alt=''>", "gone.png names a file"),  # as a parser reads it, without quotes
        ('<a title="a > b" href="#gone">x</a>', "#gone names a place that is not in that page"),
        ('<a href="one.html#gone">x</a>', "one.html#gone names a place"),
        ('<a href="/one.html">x</a>', "/one.html leads out of the book"),
        ('<a href="../other/one.html">x</a>', "leads out of the book"),
        ('<meta http-equiv="Refresh" content="0; url=gone.html">', "gone.html names a file"),
        ('<!-- <a href="one.html"> --><a href="gone2.html">', "gone2.html names a file"),
    ],
)
def test_a_broken_link_is_named_with_its_page(tmp_path, body, words):
    page(tmp_path, "one.html", "")
    page(tmp_path, "two.html", body)
    (line,) = broken(tmp_path)
    assert words in line


def test_a_folder_without_pages_is_an_error(tmp_path, capsys):
    assert internal_links.main([str(tmp_path)]) == 1
    assert "has no page; run make book first" in capsys.readouterr().out


def test_links_are_read_from_prose_notebooks_and_references():
    texts = [
        ("a.md", "See [x](https://one.org/a_(b)) and https://two.org/c. Not https://example.org/no."),
        ("b.ipynb", '"source": ["[y](https://one.org/a_(b)#part)\\n", "url=\\"https://three.org/\\""]'),
        ("c.bib", "url = {https://two.org/c},"),
        ("d.md", "https://github.com/me/mine/blob/x https://colab.research.google.com/github/me/mine/x"),
        ("e.py", "http://127.0.0.1:8000 http://{host}/x"),
    ]
    assert links(texts, "https://github.com/me/mine") == {
        "https://one.org/a_(b)": ["a.md", "b.ipynb"],
        "https://three.org/": ["b.ipynb"],
        "https://two.org/c": ["a.md", "c.bib"],
    }
    assert trimmed("https://a.org/x**).") == "https://a.org/x"


class Site:
    """An opener that answers from a list, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, request, timeout):
        assert timeout > 0
        self.asked.append(request.get_method())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def error(code, **headers):
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return HTTPError("https://one.org", code, "words", message, None)


@pytest.mark.parametrize(
    ("answers", "expected", "asked", "slept"),
    [
        ([200], Answer("there"), ["HEAD"], []),
        ([error(405), 200], Answer("there"), ["HEAD", "GET"], []),
        ([error(404), error(404)], Answer("gone", "HTTP 404"), ["HEAD", "GET"], []),
        (
            [error(403), error(403)],
            Answer("not known", "HTTP 403: the site turns machines away"),
            ["HEAD", "GET"],
            [],
        ),
        ([error(429, Retry_After="7"), 200], Answer("there"), ["HEAD", "HEAD"], [7.0]),
        ([error(429, Retry_After="900")], Answer("not known", "HTTP 429: asks to wait 900 s"), ["HEAD"], []),
        ([error(503)] * 3, Answer("not known", "HTTP 503"), ["HEAD"] * 3, [1.0, 2.0]),
        ([TimeoutError("timed out")] * 3, Answer("not known", "timed out"), ["HEAD"] * 3, [1.0, 2.0]),
        ([URLError(OSError("reset")), 200], Answer("there"), ["HEAD"] * 2, [1.0]),
    ],
)
def test_what_an_answer_says_of_a_link(answers, expected, asked, slept):
    site, waited = Site(*answers), []
    assert ask("https://one.org/a", site, waited.append) == expected
    assert site.asked == asked
    assert waited == slept


def test_a_site_that_no_longer_exists_is_gone_but_only_after_three_tries():
    site = Site(*[URLError(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))] * 3)
    answer = ask("https://one.org/a", site, lambda seconds: None)
    assert answer.state == "gone"
    assert len(site.asked) == 3
    assert ask(
        "https://one.org/a", Site(URLError(socket.gaierror(-3, "again")), 200), lambda s: None
    ) == Answer("there")


def test_one_site_is_asked_one_page_at_a_time_and_with_a_pause():
    busy, most, pauses = [], [], []

    def opener(request, timeout):
        busy.append(request.host)
        most.append(busy.count("one.org"))
        time.sleep(0.01)
        busy.remove(request.host)

    addresses = [f"https://one.org/{n}" for n in range(4)] + ["https://two.org/x"]
    answers = check(addresses, opener, pauses.append)
    assert set(answers) == set(addresses)
    assert max(most) == 1
    assert pauses == [external_links.PAUSE] * 3


def test_the_report_names_each_link_that_is_gone_with_its_files(monkeypatch, capsys):
    places = {"https://a.org/": ["x.md"], "https://b.org/": ["x.md", "y.md"], "https://c.org/": ["z.md"]}
    answers = dict(
        zip(places, (Answer("there"), Answer("gone", "HTTP 404"), Answer("not known", "slow")), strict=True)
    )
    text = report(answers, places)
    assert (
        "gone:\n  https://b.org/ (HTTP 404) in x.md, y.md\nnot known:\n  https://c.org/ (slow) in z.md"
        in text
    )
    assert text.endswith("1 of 3 links are there")
    monkeypatch.setattr(external_links, "sources", lambda: [("x.md", "https://b.org/")])
    for state, code in (("gone", 1), ("not known", 0)):
        monkeypatch.setattr(external_links, "check", lambda found, s=state: {a: Answer(s) for a in found})
        assert external_links.main([]) == code
    capsys.readouterr()


def test_the_books_own_sources_are_read():
    found = links(external_links.sources(), external_links.repository())
    assert len(found) > 200
    assert any("arxiv.org" in address for address in found)
    assert not [address for address in found if address.endswith((".", ",", ")")) and "(" not in address]
