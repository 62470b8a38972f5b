"""A small book to test the pages with: one notebook with every kind of output that a chapter stores."""

import base64
import io
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sample_core import core_notebook, lab_notebook

from support import ROOT

MARKDOWN = r"""# 9 · A sample chapter

A score is a number. Inline it looks like $\frac{q \cdot k}{\sqrt{d_k}}$, with $q \in \mathbb{R}^{d_k}$.

$$
\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^{\top}}{\sqrt{d_k}}\right) V
$$

$$
\begin{aligned}
\alpha_{tj} &= \frac{\exp(e_{tj})}{\sum_{k=1}^{T_x} \exp(e_{tk})} \\
c_t &= \sum_{j=1}^{T_x} \alpha_{tj} h_j
\end{aligned}
$$

See the [glossary](../book/glossary.md#softmax).

<details><summary>An answer</summary>

Forty-two.

</details>

| word | weight |
|---|---|
| je | 0.94 |
| t'aime | 0.06 |
"""


def text_cell(number: int, source: str, text: str) -> NotebookNode:
    """A cell that printed its value."""
    output = new_output("execute_result", {"text/plain": text}, execution_count=number)
    return new_code_cell(source, execution_count=number, outputs=[output])


def shown_cell(number: int, source: str, data: dict) -> NotebookNode:
    """A cell that displayed something."""
    return new_code_cell(source, execution_count=number, outputs=[new_output("display_data", data)])


def figure_data(alt: str = "Figure: Weights of two French words over two English words.") -> dict:
    """A figure as `attnbook.plots.show` stores it: the picture, and the alternative text after `Figure: `."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow([[0.9, 0.1], [0.2, 0.8]])
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": alt}


def widget_data(widget) -> dict:
    """A widget as Jupyter stores its output."""
    bundle = widget._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def sample_notebook() -> NotebookNode:
    """The notebook, with the states of its widgets, as execution would store them."""
    from ipywidgets import IntSlider, Widget

    from attnbook.widgets import QKVPlayground, Quiz

    playground = QKVPlayground(
        query=[1.0, 0.5],
        key=[[1.0, 0.0], [0.0, 1.0], [-0.5, 0.5]],
        value=[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]],
        labels=["I", "love", "you"],
        challenge="Give the word love more than half of the weight.",
    )
    quiz = Quiz(
        questions=[
            {
                "question": "What do the weights add up to?",
                "options": ["one", "the number of keys"],
                "answer": 0,
                "explanations": ["Softmax divides by the sum.", "Each weight is a share of one whole."],
            }
        ],
        name="sample",
    )
    slider = IntSlider(value=3)
    cells = [
        new_markdown_cell(MARKDOWN),
        text_cell(1, "torch.softmax(scores, dim=-1)  # (queries, keys)", "tensor([0.94, 0.02, 0.04])"),
        text_cell(2, "# NBVAL_IGNORE_OUTPUT\n'long' * 60", repr("long" * 60)),
        shown_cell(3, "plots.show(figure, alt=...)", figure_data()),
        new_markdown_cell("## Try it"),
        shown_cell(4, "playground", widget_data(playground)),
        new_markdown_cell("## Quiz\n\n### One question"),
        shown_cell(5, "quiz", widget_data(quiz)),
        shown_cell(6, "slider", widget_data(slider)),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    state = Widget.get_manager_state(widgets=[playground, quiz, slider])
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": state},
    }
    return new_notebook(cells=cells, metadata=metadata)


def write_sample_book(root: Path, chapters: dict[str, NotebookNode] | None = None) -> None:
    """A folder that `book/build.py --root` builds: the book's own settings and pages, and these chapters."""
    if chapters is None:
        chapters = {
            "sample": sample_notebook(),
            "09_sample_core": core_notebook(),
            "09_lab_sample": lab_notebook(),
        }
    (root / "book").mkdir(parents=True)
    (root / "chapters").mkdir()
    shutil.copyfile(ROOT / "_config.yml", root / "_config.yml")
    for page in ("glossary", "licences", "notation"):
        shutil.copyfile(ROOT / "book" / f"{page}.md", root / "book" / f"{page}.md")
    # The book's own first page links pages and chapters that this book lacks.
    intro = "# A sample book\n\n[How to use it](how_to_use.md).\n\n```{tableofcontents}\n```\n"
    (root / "book" / "intro.md").write_text(intro, encoding="utf-8")
    shutil.copyfile(ROOT / "book" / "references.bib", root / "book" / "references.bib")
    (root / "book" / "how_to_use.md").write_text("# How to use this book\n", encoding="utf-8")
    lines = ["format: jb-book", "root: book/intro", "chapters:"]
    for name in chapters:
        lines += ["    sections:"] * ("_lab_" in name) + [
            f"{'    ' * ('_lab_' in name)}  - file: chapters/{name}"
        ]
    lines += [f"  - file: book/{page}" for page in ("how_to_use", "notation", "glossary", "licences")]
    (root / "_toc.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, notebook in chapters.items():
        nbformat.write(notebook, root / "chapters" / f"{name}.ipynb")
