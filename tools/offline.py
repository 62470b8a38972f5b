"""The book in one zip, for reading without a network: pages, notebooks, the package and how to start.

    make offline        (or: python tools/offline.py [--html FOLDER] [--wheel FILE] [--zip FILE])

The same pages, notebooks and wheel give the same bytes: entries are sorted and carry the date of
SOURCE_DATE_EPOCH.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from project import ROOT, version

PAGES = ROOT / "book" / "_build" / "html"
NOTEBOOKS = ("chapters", "exercises")
EARLIEST = 315532800  # 1980, before which a zip knows no date
README = """\
Open book/index.html in a browser: text, figures and widgets work there without a network.
To run the code, install Python 3.11 or later and, while there is a network, type in this folder:

    python -m pip install "./{wheel}[experiments]" jupyterlab

Then start Jupyter here, with or without a network, and open a chapter:

    jupyter lab notebooks
"""


def build_wheel(folder: Path) -> Path:
    """The package as a wheel.

    Raises
    ------
    SystemExit
        If it cannot be built; the sentence holds pip's own.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit(f"offline.py: the wheel cannot be built ({last}); run: make test")
    return next(folder.glob("attnbook-*.whl"))


def contents(html: Path, wheel: Path, root: Path = ROOT) -> Iterator[tuple[str, bytes]]:
    """Every entry of the zip, sorted by name: its name and its bytes."""
    pages = [path for path in html.rglob("*") if path.is_file() and path.name != ".buildinfo"]
    # Where a site is put together by hand, the last zip lies among the pages.
    pages = [path for path in pages if path.relative_to(html).parts[0] != "take"]
    files = {f"book/{path.relative_to(html).as_posix()}": path for path in pages}
    for folder in NOTEBOOKS:
        files |= {f"notebooks/{folder}/{path.name}": path for path in (root / folder).glob("*.ipynb")}
    files[wheel.name] = wheel
    yield "README.txt", README.format(wheel=wheel.name).encode()
    for name in sorted(files):
        yield name, files[name].read_bytes()


def write_zip(target: Path, top: str, entries: Iterator[tuple[str, bytes]], epoch: int) -> None:
    """Write the entries into one folder of a zip, all of one date."""
    date = time.gmtime(max(epoch, EARLIEST))[:6]
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(f"{top}/{name}", date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def main(arguments: list[str] | None = None) -> int:
    """Write the zip; print its path and size."""
    parser = argparse.ArgumentParser(description="the book in one zip, for reading without a network")
    parser.add_argument("--html", type=Path, default=PAGES, metavar="FOLDER", help="the built pages")
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="the package (default: built anew)")
    top = f"attnbook-{version()}-offline"
    target = ROOT / "dist" / f"{top}.zip"
    parser.add_argument("--zip", type=Path, default=target, metavar="FILE", help=f"default: dist/{top}.zip")
    chosen = parser.parse_args(arguments)
    if not (chosen.html / "index.html").is_file():
        sys.exit(f"offline.py: {chosen.html / 'index.html'} is missing; run: make book")
    if chosen.wheel is not None and not chosen.wheel.is_file():
        sys.exit(f"offline.py: --wheel: {chosen.wheel} is no file; leave the option out to build the package")
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST))
    with tempfile.TemporaryDirectory() as folder:
        wheel = chosen.wheel or build_wheel(Path(folder))
        write_zip(chosen.zip, top, contents(chosen.html, wheel), epoch)
    print(f"{chosen.zip}: {chosen.zip.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
