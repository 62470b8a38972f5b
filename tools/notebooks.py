"""Authors' commands for notebooks.

python tools/notebooks.py first-cell              print the common first cell
python tools/notebooks.py sync FILE…              copy package source into marked cells
python tools/notebooks.py execute FILE…           run afresh, store outputs, normalise
python tools/notebooks.py normalise FILE…         normalise without running
python tools/notebooks.py wrap FILE…              lay its code out in 84 columns
python tools/notebooks.py tag FILE…               fold the cells that only set up, draw or check
python tools/notebooks.py check FILE…             name every broken rule
"""

import os
import sys
import time
from pathlib import Path

from cell_source import marker, synced
from first_cell import first_cell
from folding import expected_folds, is_decided
from normalise import write
from notebook_rules import problems, read, width_problems
from wrapping import WIDTH, long_lines, wrapped


def execute(path: Path) -> None:
    """Run every cell in a fresh kernel; store nothing unless all of them pass."""
    from nbclient import NotebookClient

    os.environ["TQDM_DISABLE"] = "1"
    notebook = read(path)
    notebook.metadata.pop("widgets", None)
    started = time.monotonic()
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    write(notebook, path)
    print(f"{path}: {len(notebook.cells)} cells in {time.monotonic() - started:.1f} s", flush=True)


def sync(path: Path) -> None:
    """Bring marked cells and the first cell to the package's present source."""
    notebook = read(path)
    first = True
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = first_cell() if first else synced(cell.source)
            first = False
    write(notebook, path)


def tag(path: Path) -> None:
    """Tag each cell that should be folded and is not."""
    notebook = read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, fold in zip(code, expected_folds(code), strict=True):
        if fold and not is_decided(cell):
            cell.metadata.tags = [*cell.metadata.get("tags", ()), fold]
    write(notebook, path)


def wrap(path: Path) -> None:
    """Lay out the cells that are wider than a page; what comes from the package is left as it is there."""
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code" and marker(cell.source) is None and cell.source != first_cell():
            cell.source = wrapped(cell.source)
    write(notebook, path)
    wide = [line for cell in notebook.cells if cell.cell_type == "code" for line in long_lines(cell.source)]
    print(f"{path}: {len(wide)} lines are still over {WIDTH} columns" if wide else f"{path}: fits")


def store(path: Path) -> None:
    """Bring the file to its normal form."""
    write(read(path), path)


COMMANDS = {"sync": sync, "execute": execute, "normalise": store, "tag": tag, "wrap": wrap}


def main(arguments: list[str]) -> int:
    """Run one command over the files named; 1 when a file breaks a rule or fails to run."""
    if not arguments or arguments[0] not in {"first-cell", "check", *COMMANDS}:
        print(__doc__, file=sys.stderr)
        return 2
    command, files = arguments[0], [Path(name) for name in arguments[1:]]
    if command == "first-cell":
        print(first_cell())
        return 0
    failed = False
    for path in files:
        try:
            if command in COMMANDS:
                COMMANDS[command](path)
            else:
                for problem in [*problems(path), *width_problems(read(path))]:
                    failed = True
                    print(f"{path}: {problem}")
        except Exception as error:
            failed = True
            print(f"{path}: {error}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
