"""Build the book of this commit afresh in another folder, and name every file that differs.

    python tools/build_twice.py [--built FOLDER]

FOLDER holds pages that were built from the same commit, such as book/_build/html after `make book`; without
it both are built. The second build runs in a clone with another path, other file times and no cache.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from project import ROOT

DRAWN_LATER = "_static/attnbook/cards/"  # by Chromium, only where the book is published


def hashes(folder: Path) -> dict[str, str]:
    """The digest of each file below a folder, by its path.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if not found:
        raise ValueError(f"{folder} holds no file; run make book first")
    return {name: digest for name, digest in found.items() if not name.startswith(DRAWN_LATER)}


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """One line for each file that only one of them has, or that differs."""
    lines = [f"{name}: only in the first" for name in one.keys() - other.keys()]
    lines += [f"{name}: only in the second" for name in other.keys() - one.keys()]
    lines += [f"{name}: differs" for name in one.keys() & other.keys() if one[name] != other[name]]
    return sorted(lines)


def fresh(place: Path) -> Path:
    """The pages of the present commit, built in a clone at ``place``."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(place)], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", head.stdout.strip()], cwd=place, check=True)
    subprocess.run([sys.executable, str(place / "book" / "build.py")], check=True, stdout=subprocess.DEVNULL)
    return place / "book" / "_build" / "html"


def main(arguments: list[str] | None = None) -> int:
    """Build and compare; 1 when anything differs."""
    parser = argparse.ArgumentParser(description="Whether two builds of this commit are the same.")
    parser.add_argument("--built", type=Path, metavar="FOLDER", help="pages that are built already")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        try:
            first = hashes(chosen.built or fresh(Path(place) / "one"))
            second = hashes(fresh(Path(place) / "another one"))
        except ValueError as error:
            print(f"build_twice.py: {error}", file=sys.stderr)
            return 1
    found = differences(first, second)
    print("\n".join(found) or f"two builds of {len(first)} files are the same, byte for byte")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
