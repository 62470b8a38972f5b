"""Makes what is handed out from what is solved.

python tools/make_exercises.py                 solutions/*.ipynb → exercises/*.ipynb, and book/exercises.md
python tools/make_exercises.py --check         say what differs, change nothing (1 when something does)

The headings of a master and its line of totals are written from the specs. What stands between
``# BEGIN SOLUTION`` and ``# END SOLUTION`` is taken out of what is handed out:

- inside a function or a class, ``raise NotImplementedError`` takes its place;
- at the top of a cell each name that is assigned there becomes None, so that the cells below still run;
- where comments between ``# BEGIN PLANTED`` and ``# END PLANTED`` follow, they are uncommented and take its
  place: a mistake to find.

Outputs are dropped, a Colab badge stands on top, and cell ids come from the cells' content, so that the same
masters give the same bytes.
"""

import ast
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from attnbook.files import write_text
from exercise_headers import with_headers
from exercise_listing import listing
from normalise import as_text
from project import ROOT, repository

BLOCK = re.compile(
    r"(?m)^(?P<indent>[ ]*)# BEGIN SOLUTION\n(?P<solution>(?:.*\n)*?)(?P=indent)# END SOLUTION(?:\n|\Z)"
    r"(?:(?P=indent)# BEGIN PLANTED\n(?P<planted>(?:[ ]*#.*\n)*?)(?P=indent)# END PLANTED(?:\n|\Z))?"
)


def stub(source: str) -> str:
    """The source of a cell with its solutions taken out."""
    made = BLOCK.sub(_replacement, source)
    for marker in ("BEGIN SOLUTION", "END SOLUTION", "BEGIN PLANTED", "END PLANTED"):
        if marker in made:
            raise ValueError(f"a # {marker} without its partner, or not alone on its line")
    return made


def _replacement(found: re.Match) -> str:
    indent = found["indent"]
    if found["planted"] is not None:
        return re.sub(r"(?m)^([ ]*)# ?", r"\1", found["planted"])
    if indent:
        return f"{indent}raise NotImplementedError\n"
    names = []
    for statement in ast.parse(found["solution"]).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names.append(statement.targets[0].id)
    if not names:
        return "raise NotImplementedError\n"
    return f"{names[-1]} = None  # your answer\n"


def badge(path: str) -> str:
    """A link that opens the notebook in Colab."""
    address = repository().replace("https://github.com/", "https://colab.research.google.com/github/")
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address}/blob/main/{path})"


def master(solution: Path) -> NotebookNode:
    """The solution notebook with its headings as the specs have them."""
    return with_headers(nbformat.read(solution, as_version=4), solution)


def exercise_notebook(solution: Path) -> str:
    """The text of the notebook that is handed out."""
    notebook = master(solution)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                cell.source = stub(cell.source)
            except ValueError as error:
                raise ValueError(
                    f"{solution}: {error}, in the cell that begins {cell.source[:40]!r}"
                ) from None
            cell.outputs = []
            cell.execution_count = None
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        raise ValueError(f"{solution}: its first cell should be Markdown with the title")
    title, _, rest = first.source.partition("\n")
    title = title.replace(" · solutions", "")
    first.source = f"{title}\n\n{badge(f'exercises/{solution.name}')}\n{rest}"
    return as_text(notebook)


def wanted() -> dict[Path, str]:
    """Every generated file and what should stand in it."""
    files = {}
    for solution in sorted(ROOT.glob("solutions/*.ipynb")):
        files[solution] = as_text(master(solution))
        files[ROOT / "exercises" / solution.name] = exercise_notebook(solution)
    files[ROOT / "book" / "exercises.md"] = listing()
    return files


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        files = wanted()
    except ValueError as error:
        print(f"make_exercises.py: {error}", file=sys.stderr)
        return 1
    stale = [path for path in sorted(ROOT.glob("exercises/*.ipynb")) if path not in files]
    differing = [
        path for path, text in files.items() if not path.exists() or path.read_bytes() != text.encode("utf-8")
    ]
    if arguments:
        for path in (*differing, *stale):
            print(f"{path.relative_to(ROOT)} is not what its master and the specs give; run: make exercises")
        return int(bool(differing or stale))
    for path in differing:
        write_text(path, files[path])
    for path in stale:
        path.unlink()
    print(f"{len(files)} files, {len(differing)} written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
