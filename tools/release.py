"""Raise the version, and tag a release once every file agrees on it and every check passes.

    python tools/release.py raise 0.2.0     write the version into every file that states it; then commit
    python tools/release.py --check         say what would stop the release, tag nothing
    python tools/release.py                 check, run the tests unless this commit has passed them, tag

`make release` is the last of these. The tag is pushed by hand: from it Colab and pip install, and its pages
are published as a version of their own.
"""

import argparse
import datetime
import re
import subprocess
import sys

import passed
from passed import git
from project import ROOT, repository, version

UNRELEASED = "Unreleased"
_NUMBER = re.compile(r"\d+\.\d+\.\d+")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_DATE = re.compile(r"^date-released: (\S+)$", re.MULTILINE)


class ReleaseError(Exception):
    """Why the version cannot be raised, in one sentence."""


def sections() -> list[tuple[str, str]]:
    """Heading and text of each section of the list of changes, newest first."""
    parts = _HEADING.split((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    return [(heading.strip(), text.strip()) for heading, text in zip(parts[1::2], parts[2::2], strict=True)]


def obstacles() -> list[str]:
    """One sentence for each thing that stands between this checkout and a tag."""
    found = []
    number = version()
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    if f"version: {number}\n" not in citation:
        found.append(f"CITATION.cff: its version is not {number}, that of pyproject.toml")
    if not _DATE.search(citation):
        found.append("CITATION.cff: it has no line date-released; add the day of this release")
    changes = sections()
    if changes and changes[0][0] == UNRELEASED:
        if changes[0][1]:
            found.append(f"CHANGELOG.md: changes stand under {UNRELEASED}; raise the version first")
        changes = changes[1:]
    if not changes or changes[0][0] != number:
        found.append(f"CHANGELOG.md: no section {number} at its head; say what changed")
    elif not changes[0][1]:
        found.append(f"CHANGELOG.md: the section {number} is empty; say what changed")
    stale = [name for name in naming() if f"@v{number}" not in (ROOT / name).read_text(encoding="utf-8")]
    if stale:
        found.append(f"{stale[0]}: it installs another version than {number}; raise the version")
    if git("status", "--porcelain"):
        found.append("the working tree has changes; commit them")
    if git("tag", "--list", f"v{number}"):
        found.append(f"the tag v{number} exists; raise the version in pyproject.toml")
    return found


def naming() -> list[str]:
    """The files that tell a reader, or Colab, which tag to install."""
    mark = f"{repository()}@v"
    tracked = git("ls-files", "-z", "*.md", "*.ipynb").split("\0")
    return [name for name in filter(None, tracked) if mark in (ROOT / name).read_text(encoding="utf-8")]


def raise_version(number: str, today: datetime.date) -> list[str]:
    """Write a version into every file that states it; the files' names.

    What is checked is checked before the first file is written.

    Raises
    ------
    ReleaseError
        If ``number`` is no version above the present one, or nothing is noted as unreleased.
    """
    old = version()
    if not _NUMBER.fullmatch(number):
        raise ReleaseError(f"expected a version such as 0.2.0, got {number}")
    if tuple(map(int, number.split("."))) <= tuple(map(int, old.split("."))):
        raise ReleaseError(f"expected a version above {old}, that of pyproject.toml, got {number}")
    changes = sections()
    if not changes or changes[0][0] != UNRELEASED or not changes[0][1]:
        raise ReleaseError(f"CHANGELOG.md: nothing stands under {UNRELEASED}; say what changed")
    texts = {
        "pyproject.toml": [(f'version = "{old}"\n', f'version = "{number}"\n')],
        "CITATION.cff": [(f"version: {old}\n", f"version: {number}\n")],
        "CHANGELOG.md": [(f"## {UNRELEASED}\n", f"## {number}\n")],
    }
    for name in naming():
        # A notebook's first cell installs the tag, and has printed the version.
        texts[name] = [(f"{repository()}@v{old}", f"{repository()}@v{number}")]
        texts[name] += [(f"attnbook {old} on ", f"attnbook {number} on ")]
    for name, changed in texts.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for before, after in changed:
            text = text.replace(before, after)
        if name == "CITATION.cff":
            text = _DATE.sub(f"date-released: {today.isoformat()}", text)
        (ROOT / name).write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def release() -> int:
    """Run the checks unless this commit has passed them, and tag; 1 when something stands in the way."""
    found = obstacles()
    for sentence in found:
        print(f"release: {sentence}", file=sys.stderr)
    if found:
        return 1
    if passed.read() is None and subprocess.run([sys.executable, "tools/test.py"], cwd=ROOT).returncode:
        print("release: a check failed; nothing was tagged", file=sys.stderr)
        return 1
    note = passed.read()
    if note is None:
        print("release: the checks left no note of this commit; nothing was tagged", file=sys.stderr)
        return 1
    number = version()
    git("tag", "--annotate", f"v{number}", "--message", f"attnbook {number}\n\n{note}")
    print(f"tagged v{number}. {note}\npublish it with: git push origin v{number}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked; 1 and one sentence when it cannot be done."""
    parser = argparse.ArgumentParser(description="Raise the version, or tag a release.")
    parser.add_argument("--check", action="store_true", help="say what would stop the release, tag nothing")
    commands = parser.add_subparsers(dest="command")
    raising = commands.add_parser("raise", help="write a version into every file that states it")
    raising.add_argument("number", help="such as 0.2.0")
    chosen = parser.parse_args(arguments)
    if chosen.command == "raise":
        try:
            names = raise_version(chosen.number, datetime.date.today())
        except ReleaseError as error:
            print(f"release: {error}", file=sys.stderr)
            return 1
        print(f"{chosen.number} stands in {len(names)} files; look at them, and commit")
        return 0
    if chosen.check:
        found = obstacles()
        print("\n".join(found) or f"nothing stands in the way of {version()} but the tests")
        return int(bool(found))
    return release()


if __name__ == "__main__":
    sys.exit(main())
