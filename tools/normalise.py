"""One form for every stored notebook, so that a diff shows what an author changed and nothing else."""

import hashlib

import nbformat

from attnbook.files import write_text
from folding import FOLDS, QUIZ, fold_of

KEPT_METADATA = ("kernelspec", "language_info", "widgets")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Hash cell ids from their content, drop timing and machine metadata, keep tags and outputs.

    A tag that folds a cell on the page brings what folds it in JupyterLab and Colab. The code of a quiz
    holds its answers, so it has its tag from here.
    """
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        tags = set(cell.metadata.get("tags", ()))
        if cell.cell_type == "code" and QUIZ.search(cell.source):
            tags = {"quiz"}
        cell.metadata = nbformat.NotebookNode({"tags": sorted(tags)} if tags else {})
        cell.metadata.update(nbformat.from_dict(FOLDS.get(fold_of(cell), {})))
        if cell.cell_type == "code":
            # Progress and warnings: nothing a reader of the page needs.
            cell.outputs = _joined([o for o in cell.outputs if o.get("name") != "stderr"])
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata = _size_of_picture(output.metadata)
    metadata = {key: notebook.metadata[key] for key in KEPT_METADATA if key in notebook.metadata}
    metadata["kernelspec"] = KERNEL
    metadata["language_info"] = {"name": "python"}  # the rest names the machine's Python
    notebook.metadata = nbformat.NotebookNode(metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _size_of_picture(metadata: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """How large a picture is to be shown; nothing else of an output's metadata is kept."""
    size = metadata.get("image/png", {})
    kept = {key: size[key] for key in ("height", "width") if key in size}
    return nbformat.from_dict({"image/png": kept} if kept else {})


def _joined(outputs: list) -> list:
    """Printed text that arrived in pieces as one output: where it is cut is a matter of timing."""
    joined: list = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" == last.get("output_type") and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def as_text(notebook: nbformat.NotebookNode) -> str:
    """The normalised notebook's file, the same bytes each time: keys sorted, a newline at the end."""
    text = nbformat.writes(normalise(notebook), version=4, indent=1, sort_keys=True, ensure_ascii=False)
    return text.rstrip("\n") + "\n"


def write(notebook: nbformat.NotebookNode, path) -> None:
    """Store the normalised notebook."""
    write_text(path, as_text(notebook))
