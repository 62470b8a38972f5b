"""Where the checkout and the tools are; what test files of several folders share."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def find_chromium() -> str | None:
    """Chromium's path: ATTNBOOK_CHROMIUM, or the first of the usual names on the PATH."""
    named = os.environ.get("ATTNBOOK_CHROMIUM")
    if named:
        return named
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
