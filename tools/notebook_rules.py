"""What CONTRIBUTING.md asks of a stored notebook, checked by reading it; nothing is run."""

import re
from pathlib import Path

import nbformat

from cell_source import synced
from first_cell import first_cell
from folding import FOLDS, OTHER_TAGS, expected_folds, fold_of, is_decided
from wrapping import WIDTH, long_lines

MAX_NOTEBOOK_BYTES = 2_000_000
MAX_IMAGE_BYTES = 200_000
DIRECTIVE = re.compile(r"(?m)^(:::|```)\{")
CAPTION = re.compile(r"Figure (\d+\.[A-Z]?\d+)\. ")
WIDGET = "application/vnd.jupyter.widget-view+json"
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
    if fold_of(cell) == "check":  # it compares by itself
        return True
    return any(o.output_type == "stream" or "text/plain" in o.get("data", {}) for o in cell.outputs)


def fold_problems(code: list) -> list[str]:
    """Cells that stand open although they only set up, draw or check; tags that nothing reads."""
    found = []
    for number, (cell, fold) in enumerate(zip(code, expected_folds(code), strict=True), start=1):
        if fold and not is_decided(cell):
            found.append(
                f"code cell {number} is to be folded as {fold}; run: python tools/notebooks.py tag, "
                "or tag it shown"
            )
        for tag in sorted(set(cell.metadata.get("tags", ())) - {*FOLDS, *OTHER_TAGS}):
            found.append(
                f"code cell {number} has the tag {tag}; use one of {', '.join((*FOLDS, *OTHER_TAGS))}"
            )
    return found


def _picture_problems(output) -> list[str]:
    """What is wrong with a stored picture; a widget's own carries the widget's sentence as its words."""
    data = output.get("data", {})
    found = []
    for kind, share in (("image/png", 3 / 4), ("image/svg+xml", 1)):  # base64 is a third longer
        size = len(data.get(kind, "")) * share
        if size > MAX_IMAGE_BYTES:
            found.append(f"a picture of {size / 1000:.0f} kB, over {MAX_IMAGE_BYTES // 1000}")
        named = WIDGET in data or data.get("text/plain", "").startswith("Figure: ")
        if size and not named:
            found.append("a picture without alt text; use attnbook.plots.show")
    return found


def caption_problems(notebook, path: Path) -> list[str]:
    """Figures are numbered in order, by chapter and, in a lab, letter; the text refers to those there are."""
    texts = [
        output["data"].get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "text/markdown" in output.get("data", {})
    ]
    numbers = [match[1] for match in map(CAPTION.match, texts) if match]
    lab = re.match(r"\d\d_lab_", path.name)
    chapter = int(path.name[:2]) if path.name[:2].isdigit() else 0
    pattern = rf"{chapter}\.([A-Z])(\d+)" if lab else rf"{chapter}\.()(\d+)"
    parts = [re.fullmatch(pattern, number) for number in numbers]
    found = []
    if any(part is None for part in parts) or len({part[1] for part in parts if part}) > 1:
        asked = f"{chapter}.A1" if lab else f"{chapter}.1"
        found.append(f"its figures are numbered {', '.join(numbers)}; number them {asked} and on")
    elif [int(part[2]) for part in parts] != list(range(1, len(parts) + 1)):
        found.append(f"its figures are numbered {', '.join(numbers)}; number them in order")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    known = {f"figure-{number.replace('.', '-').lower()}" for number in numbers}
    for name in sorted(set(re.findall(r"\]\(#(figure-[\w-]+)\)", prose)) - known):
        found.append(f"its text refers to #{name}, which no figure's caption gives")
    return found


def width_problems(notebook) -> list[str]:
    """Lines of code that a page's column would cut off."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        f"code cell {number} has a line of {len(line)} columns, over {WIDTH}; run: notebooks.py wrap"
        for number, cell in enumerate(code, start=1)
        for line in long_lines(cell.source)
    ]


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
    if path.parent.name == "chapters":  # in an exercise every cell is the learner's
        found += fold_problems(code)
    if not executed:
        return found
    if [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        found.append("not executed from top to bottom; run: python tools/notebooks.py execute")
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {number} holds an error output: {output.ename}")
            found += [f"code cell {number} holds {breach}" for breach in _picture_problems(output)]
    found += caption_problems(notebook, path)
    told = [cell for cell in code if fold_of(cell) != "setup"]
    share = sum(map(_compared, told)) / len(told) if told else 1
    if share < 0.5:
        found.append(f"only {share:.0%} of its code cells have a text output that is compared")
    return found
