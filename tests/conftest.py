"""Shared by all tests: where the tools are, and skips that cannot pass unseen."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "exercises"), str(HERE.parent / "tools")]

from support import CHROMIUM_FLAGS, find_chromium  # noqa: E402 - found on the path above

# What no install step can add to a machine: the only reasons for a skip where ATTNBOOK_NO_SKIPS is set.
UNAVOIDABLE = ("CUDA", "GPU", "Windows", "macOS", "torch is not the pinned version")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Chromium's path; the test is skipped, loudly, where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium, or set ATTNBOOK_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def browser(chromium_path):
    """A headless Chromium that Playwright drives."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path, headless=True, args=CHROMIUM_FLAGS
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora that ATTNBOOK_DATA names."""
    folder = os.environ.get("ATTNBOOK_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real corpora are not here: set ATTNBOOK_DATA to a folder that holds them")
    return Path(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything was installed, a skip is a failure."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("ATTNBOOK_NO_SKIPS") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    data_missing = "ATTNBOOK_DATA" in reason and "ATTNBOOK_DATA" not in os.environ
    if data_missing or any(word in reason for word in UNAVOIDABLE):
        return
    report.outcome = "failed"
    report.longrepr = f"{item.nodeid} was skipped where nothing may be: {reason}"
