"""`jupyter nbconvert --to html` with our settings, opened without network: figure and sentence are there."""

import subprocess
import sys

import nbformat
import pytest

from support import ROOT

CONFIG = ROOT / "tools" / "nbconvert_config.py"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A notebook with two widgets, converted as a reader would convert it."""
    from ipywidgets import Widget

    from attnbook.widgets import QKVPlayground, Quiz

    playground = QKVPlayground(
        query=[1.0, 0.5], key=[[1.0, 0.0], [0.0, 1.0]], value=[[1.0, 0.0], [0.0, 1.0]], labels=["I", "you"]
    )
    quiz = Quiz(
        [
            {
                "question": "What is it?",
                "options": ["this", "that"],
                "answer": 0,
                "explanations": ["Yes.", "No."],
            }
        ],
        name="sample",
    )
    cells = []
    for widget in (playground, quiz):
        bundle = widget._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        cells.append(
            nbformat.v4.new_code_cell("widget", outputs=[nbformat.v4.new_output("display_data", data)])
        )
    state = Widget.get_manager_state(widgets=[playground, quiz])
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"widgets": {"application/vnd.jupyter.widget-state+json": state}}
    )
    folder = tmp_path_factory.mktemp("converted")
    nbformat.write(notebook, folder / "notebook.ipynb")
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--config",
        str(CONFIG),
        "--to",
        "html",
        str(folder / "notebook.ipynb"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "notebook.html", [repr(playground), repr(quiz)]


@pytest.mark.browser
def test_figure_and_sentence_stand_there_without_network(page, browser):
    path, sentences = page
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.route("http*://**", lambda route: route.abort())
    opened.goto(path.as_uri())
    for sentence in sentences:
        first = " ".join(sentence.split())[:60]
        assert opened.locator("figcaption", has_text=first).first.is_visible()
    picture = opened.locator("figure img, figure svg").first
    assert picture.bounding_box()["height"] > 100
    context.close()


def test_no_state_and_no_script_of_a_widget_is_left(page):
    text = page[0].read_text(encoding="utf-8")
    assert "widget-state" not in text
    assert "_esm" not in text
