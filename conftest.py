"""What every test run shares, nbval's among them."""

import os
import re

import pytest

pytest_plugins = ["pytester"]  # the choice of a chapter's tests is tested on tests

# A progress bar writes to stderr, which nbval compares: readers see bars, tests do not.
os.environ["TQDM_DISABLE"] = "1"
# Checks in notebooks keep a record of progress: a test leaves that of whoever runs it alone.
os.environ.setdefault("ATTNBOOK_PROGRESS", "off")


def pytest_addoption(parser):
    """``--chapter 07``, which `make test CHAPTER=07` passes on."""
    parser.addoption("--chapter", metavar="NN", help="run only the tests that name this chapter")


def pytest_collection_modifyitems(config, items):
    """Keep the chapter's notebooks and what names it: 07_self_attention, exercise 7.3, test_chapter_07."""
    chapter = config.getoption("--chapter")
    if not chapter:
        return
    number = int(chapter)
    named = re.compile(rf"(?<!\d){number:02}_|(?<![\d.]){number}\.\d|chapter_{number:02}\b|ch{number:02}\b")
    kept = [item for item in items if named.search(item.nodeid)]
    if not kept and items:
        raise pytest.UsageError(f"--chapter: no test names chapter {chapter}")
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def pytest_collectstart(collector):
    """A drawing is not compared, no more than a PNG is: its digits may differ from machine to machine."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare = (*collector.skip_compare, "image/svg+xml")
