"""What CONTRIBUTING.md asks of a stored notebook, checked by reading it; nothing is run."""

import re
from pathlib import Path

import nbformat

from cell_source import synced
from first_cell import first_cell

MAX_NOTEBOOK_BYTES = 500_000
MAX_IMAGE_BYTES = 60_000
DIRECTIVE = re.compile(r"(?m)^(:::|```)\{")
EXEMPT = re.compile(r"NBVAL_(IGNORE|SKIP)")


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook at ``path``, or ValueError with one sentence that says what is wrong with the file."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise ValueError(f"{path}: not a readable notebook ({reason}); restore it from git") from None
    return notebook


def _compared(cell) -> bool:
    if EXEMPT.search(cell.source):
        return False
    return any(o.output_type == "stream" or "text/plain" in o.get("data", {}) for o in cell.outputs)


def problems(path: Path, *, executed: bool = True) -> list[str]:
    """One sentence for each rule that the notebook breaks."""
    notebook = read(path)
    found: list[str] = []
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    if not code or code[0].source != first_cell():
        found.append("its first code cell is not the common one; run: python tools/notebooks.py first-cell")
    for number, cell in enumerate(code, start=1):
        if synced(cell.source) != cell.source:
            found.append(f"code cell {number} differs from the package; run: python tools/notebooks.py sync")
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    if DIRECTIVE.search(prose):
        found.append("a MyST directive, which shows raw in Jupyter and Colab")
    size = path.stat().st_size
    if size > MAX_NOTEBOOK_BYTES:
        found.append(f"{size // 1000} kB, over {MAX_NOTEBOOK_BYTES // 1000}")
    if not executed:
        return found
    if [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        found.append("not executed from top to bottom; run: python tools/notebooks.py execute")
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {number} holds an error output: {output.ename}")
            image = output.get("data", {}).get("image/png", "")
            if len(image) * 3 // 4 > MAX_IMAGE_BYTES:
                found.append(f"code cell {number} holds a picture of {len(image) * 3 // 4000} kB, over 60")
            # A widget's own picture carries the widget's sentence as its words.
            is_widget = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
            if image and not is_widget and not output["data"].get("text/plain", "").startswith("Figure: "):
                found.append(f"code cell {number} holds a picture without alt text; use attnbook.plots.show")
    share = sum(map(_compared, code)) / len(code) if code else 1
    if share < 0.5:
        found.append(f"only {share:.0%} of its code cells have a text output that is compared")
    return found
