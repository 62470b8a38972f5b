"""The sample book, built once, and pages of it opened with every request to another origin refused."""

import functools
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from building import build  # noqa: E402 - found on the path above
from sample_book import write_sample_book  # noqa: E402

from support import ROOT  # noqa: E402

sys.path.insert(0, str(ROOT / "book" / "_ext"))


@pytest.fixture(scope="session")
def sample_html(tmp_path_factory) -> Path:
    """The built pages of the sample book."""
    root = tmp_path_factory.mktemp("sample") / "root"
    write_sample_book(root)
    done = build(root)
    assert done.returncode == 0, done.stderr
    html = root / "book" / "_build" / "html"
    assert done.stdout.strip() == str(html / "index.html")
    return html


class Quiet(SimpleHTTPRequestHandler):
    """A file server that keeps its log to itself."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def book_html(tmp_path_factory) -> Path:
    """The built pages of this very book, built once for all processes of a test run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    output, built = shared / "this-book", shared / "this-book-is-built"
    with FileLock(shared / "this-book.lock"):
        if not built.is_file():
            done = build(ROOT, "--output", str(output))
            assert done.returncode == 0, done.stderr
            built.touch()
    return output / "_build" / "html"


@contextmanager
def server(html: Path):
    """Serve a folder; its address."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="session")
def served(sample_html) -> str:
    """The address under which the sample book is served."""
    with server(sample_html) as address:
        yield address


@pytest.fixture(scope="session")
def book_served(book_html) -> str:
    """The address under which this very book is served."""
    with server(book_html) as address:
        yield address


@pytest.fixture(params=["http", "file"])
def origin(request, served, sample_html) -> str:
    """Where a page is read from: a server, or the disk."""
    return served if request.param == "http" else sample_html.as_uri()


@dataclass
class Visit:
    """What a page said and asked for while it was open."""

    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser):
    """Open a page; when the test ends, nothing was asked of another origin and nothing failed."""

    @contextmanager
    def opened(address: str, expect_errors: bool = False, own: str | None = None, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        seen = Visit()
        own = own or address.split("/chapters/")[0].split("/book/")[0].split("/search")[0]

        def route(request_route):
            url = request_route.request.url
            seen.asked.append(url)
            if url.startswith((own, "data:", "blob:")):
                request_route.continue_()
            else:
                seen.refused.append(url)
                request_route.abort()

        context.route("**/*", route)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and seen.errors.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.seen = seen
        page.goto(address)
        try:
            yield page
            assert seen.refused == []
            assert expect_errors or seen.errors == []
        finally:
            context.close()

    return opened


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The accessibility checker, from the packages that the lockfile names."""
    from attnbook_pages.packages import npm_file

    return npm_file("axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def violations(axe_source):
    """The accessibility rules that a page breaks, each with the elements that break it.

    Of axe's rules all that are on by default, and the size of targets (WCAG 2.2, 2.5.8), which is not.
    """

    def check(page, only=(), leave=()) -> list[str]:
        options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
        options["rules"] |= {name: {"enabled": False} for name in leave}
        if only:
            options = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": list(only)}}
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe_source)
        result = page.evaluate("(options) => axe.run(document, options)", options)
        assert result["passes"], "axe examined nothing"
        return [
            f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]

    return check
