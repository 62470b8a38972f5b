"""A core and its lab as a chapter stores them: picture, folds, captions, links between both."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from first_cell import first_cell
from normalise import normalise

OPENING = """# 9 · A sample core

How does a word choose what to attend to? It asks. The picture shows the answer for one sentence.

After this chapter you can

- read a row of weights,
- work one out by hand,
- say where it fails.

**Time** 30 minutes to read, 20 seconds to run.
"""

SECTION = """## The weights of one word

[Figure 9.2](#figure-9-2) shows them; the [lab](09_lab_sample.ipynb) measures them.
"""


def shown(figure, **words: str) -> list[NotebookNode]:
    """What `attnbook.plots.show` displays, as outputs that a notebook stores."""
    import matplotlib as mpl
    from IPython import display

    from attnbook import plots

    mpl.use("Agg")
    outputs: list[NotebookNode] = []
    before = display.display
    display.display = lambda data, raw, metadata: outputs.append(
        new_output("display_data", data, metadata=metadata)
    )
    try:
        plots.show(figure, **words)
    finally:
        display.display = before
    return outputs


def code(source: str, outputs: list[NotebookNode] = (), tags: tuple[str, ...] = ()) -> NotebookNode:
    """A cell that ran."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def printed(text: str) -> list[NotebookNode]:
    """One line of output."""
    return [new_output("stream", name="stdout", text=text + "\n")]


def lines_figure():
    """A figure of lines and text."""
    from attnbook import plots

    figure, axes = plots.new_figure(7.4, 2.4)
    axes.plot([0, 1, 2], [0.2, 0.7, 0.1])
    return figure


def photograph_figure():
    """A figure of many pixels."""
    import numpy as np

    from attnbook import plots

    figure, axes = plots.new_figure(5, 4)
    axes.imshow(np.random.default_rng(0).random((300, 300)))
    return figure


def executed(*cells: NotebookNode) -> NotebookNode:
    """The notebook in its stored form, its code cells counted."""
    notebook = normalise(new_notebook(cells=list(cells)))
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code_cells, start=1):
        cell.execution_count = number
    return notebook


def core_notebook() -> NotebookNode:
    """The core."""
    picture = shown(
        lines_figure(), caption="Figure 9.1. One row of *weights*, $w_j$.", alt="A line with one peak."
    )
    second = shown(photograph_figure(), caption="Figure 9.2. Many weights.", alt="A grey square.")
    return executed(
        new_markdown_cell(OPENING),
        code(first_cell(), printed("attnbook 0.1.0 on cpu"), ("setup",)),
        code("import torch\nfrom attnbook import plots", tags=("setup",)),
        code("plots.show(figure, caption=..., alt=...)", picture, ("draw", "picture")),
        new_markdown_cell(SECTION),
        code(
            "weights = torch.softmax(scores, dim=-1)  # (queries, keys)\nprint(weights)",
            printed("0.20 0.70 0.10"),
        ),
        code(
            "# the weights add up to one\nassert weights.sum() == 1\nassert weights.min() > 0",
            tags=("check",),
        ),
        code("plots.show(figure, caption=..., alt=...)", second, ("draw",)),
        code(
            "# bars, one a word\nplots.show(bars, alt=...)",
            shown(lines_figure(), alt="Three bars."),
            ("draw",),
        ),
    )


def lab_notebook() -> NotebookNode:
    """Its lab."""
    return executed(
        new_markdown_cell(
            "# 9 lab · A sample lab\n\nBack to [the weights](09_sample_core.ipynb#the-weights-of-one-word)."
        ),
        code(first_cell(), printed("attnbook 0.1.0 on cpu"), ("setup",)),
        code(
            "plots.show(f)", shown(lines_figure(), caption="Figure 9.A1. A proof.", alt="A line."), ("draw",)
        ),
    )
