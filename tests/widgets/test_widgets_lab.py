"""A widget in a real JupyterLab: page and kernel move each other, and a notebook run twice is saved alike."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from widget_driver import settled

pytestmark = pytest.mark.browser

CELLS = [
    "from attnbook.widgets import QKVPlayground, Quiz\n"
    "w = QKVPlayground([1, 0], [[1, 0], [0, 1]], [[1, 0], [0, 1]], ['a', 'b'])\nw",
    "w.query = [0, 2]; w.challenge = 'From the kernel.'",
    "print('seen', w.query, w.mode, w.prediction['choice'], w.score is not None)",
    "try:\n    w.query = [1]\nexcept Exception as error:\n    print('no', type(error).__name__, w.query)",
    "from attnbook.widgets import AlignmentExplorer\n\ndef translate(words):\n"
    "    assert 'x' not in words, 'the model does not know x'\n"
    "    n = range(len(words))\n"
    "    weights = [[float(i == j) for j in n] for i in n]\n"
    "    return {'src': words, 'tgt': words, 'scorers': {'dot': {'weights': weights}}}\n\n"
    "e = AlignmentExplorer([translate(['a', 'b'])], 'dot', translate=translate, predict=False)\ne",
    "print(e.source, len(e.weights))",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab on an empty folder with one notebook."""
    nbformat = pytest.importorskip("nbformat", reason="SKIPPED: nbformat is missing: pip install jupyterlab")
    pytest.importorskip("jupyterlab", reason="SKIPPED: JupyterLab is missing: pip install jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / "sync.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [
        "--IdentityProvider.token=",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder / 'work'}",
    ]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert server.poll() is None, f"JupyterLab did not start: {(folder / 'log').read_text()[-800:]}"
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def test_page_and_kernel_move_each_other(lab, browser):
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/sync.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function(
        """() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status
             === 'idle'"""
    )

    def run(index):
        """Run one cell and return the text of its output."""
        done = f"[data-windowed-list-index='{index}'], .jp-CodeCell"
        page.evaluate(
            """async (index) => {
                 const notebook = jupyterapp.shell.currentWidget.content;
                 notebook.activeCellIndex = index;
                 notebook.deselectAll();
                 await jupyterapp.commands.execute('notebook:run-cell');
               }""",
            index,
        )
        assert page.locator(done).count()
        settled(page)
        return page.evaluate(
            """(index) => jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()
                 .map((output) => output.text || '').join('')""",
            index,
        )

    run(0)
    page.wait_for_selector(".ab .ab-handle")
    assert page.locator(".jp-OutputArea-output img").count() == 0, (
        "the live view stands alone, without its stand-in"
    )

    # Kernel to page.
    run(1)
    page.wait_for_function(
        "document.querySelector('.ab-handle.ab-query').ariaValueText === '0.00 across, 2.00 up'"
    )
    assert page.locator(".ab-challenge").inner_text() == "From the kernel."

    # Page to kernel, by keys that the notebook has shortcuts on.
    page.get_by_role("button", name="Commit").click()
    assert "Your guess lasts while the kernel runs" in page.locator(".ab > .ab-note").first.inner_text()
    page.locator(".ab-handle.ab-query").focus()
    for key in ["Enter", *["ArrowRight"] * 5, "Enter"]:
        page.keyboard.press(key)
    page.get_by_role("radio", name="Hard").click()
    settled(page)
    assert run(2).strip() == "seen [0.5, 2.0] hard 0 True"

    # What the kernel refuses, the page never shows.
    assert run(3).strip() == "no TraitError [0.5, 2.0]"
    assert page.locator(".ab-handle.ab-query").get_attribute("aria-valuetext") == "0.50 across, 2.00 up"
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 6, (
        "R or D did not reach the notebook"
    )

    # A sentence that the page does not hold is translated by the kernel, or refused in words.
    run(4)
    page.get_by_text("Your own sentence").click()
    page.get_by_label("source sentence").fill("c b a")
    page.get_by_role("button", name="Translate").click()
    page.wait_for_function("document.querySelectorAll('.ab-heat tbody td').length === 9")
    assert run(5).strip() == "c b a 3"
    page.get_by_label("source sentence").fill("a x")
    page.get_by_role("button", name="Translate").click()
    page.wait_for_function("document.body.innerText.includes('the model does not know x')")
    assert run(5).strip() == "c b a 3"
    page.close()


def test_a_notebook_executed_twice_is_saved_alike(tmp_path):
    """With widget state and outputs; only what time stamps differs."""
    nbformat = pytest.importorskip("nbformat", reason="SKIPPED: nbformat is missing")
    nbclient = pytest.importorskip("nbclient", reason="SKIPPED: nbclient is missing")
    saved = []
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELLS[0])])
        notebook.cells[0].id = "same"
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        widgets = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]
        assert len(widgets["state"]) == 1, "one model a widget"
        saved.append(
            (
                nbformat.writes(
                    nbformat.from_dict(
                        {"cells": [], "metadata": {"widgets": widgets}, "nbformat": 4, "nbformat_minor": 5}
                    )
                ),
                notebook.cells[0].outputs,
            )
        )
    assert saved[0] == saved[1]
    assert len(saved[0][0]) < 40_000
