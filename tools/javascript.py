"""The widgets' JavaScript: format and lint by biome, mechanisms tested by Node.

Its packages are installed from the lockfile, once for each state of it, with the Node that the book uses.
"""

import hashlib
import subprocess
import sys

from project import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

from attnbook_pages.errors import PageError
from attnbook_pages.node import npm

FOLDER = ROOT / "src" / "attnbook" / "widgets" / "js"


def run(*words: str) -> int:
    """One command of npm; its exit code."""
    return subprocess.run([*npm(), *words], cwd=FOLDER).returncode


def install() -> int:
    """``npm ci``, unless what the lockfile names is there."""
    digest = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return 0
    failed = run("ci", "--silent", "--no-audit", "--no-fund")
    if not failed:
        stamp.write_text(digest, encoding="utf-8")
    return failed


def main() -> int:
    """1 when something is not formatted, breaks a rule or fails; 2 when nothing could be tried."""
    try:
        if install():
            print("javascript.py: `npm ci` failed; is the npm registry within reach?", file=sys.stderr)
            return 2
        return int(any([run("run", "--silent", "lint"), run("test", "--silent")]))
    except PageError as error:
        print(f"javascript.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
