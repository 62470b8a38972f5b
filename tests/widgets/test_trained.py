"""A trained model reaches the page when it is asked for, from disk or from the kernel, or it is said why."""

import subprocess

import pytest
import traitlets
from widget_examples import playground
from widget_page import JS

from attnbook import models
from attnbook.widgets.state import Boolean, State
from attnbook.widgets.trained import RunsModels

NAME = "04_additive"
LOADED = """async (name) => {
  const { architecture, configuration, vocabularies, tensors } = await attnbook.loadModel({}, name);
  return { architecture, configuration, words: vocabularies.tgt.length, tensors: tensors.size };
}"""


class Example(RunsModels):
    """The least widget that runs a model."""

    def _declare(self):
        return State(ready=Boolean())

    def _sentence(self, state):
        return "Ready."


@pytest.fixture
def example():
    """One that runs one model."""
    return Example({"ready": True}, models=[NAME])


@pytest.fixture
def asking():
    """A widget with a page, which asks for nothing itself."""
    made = playground()
    made.models = [NAME]
    return made


def answers(widget, content):
    """What the kernel sends back."""
    sent = []
    widget.send = lambda message, buffers=None: sent.append((message, buffers))
    widget._asked_for_a_model(widget, content, [])
    return sent


def test_the_kernel_sends_the_file_that_ships(example):
    [(message, [file])] = answers(example, {"type": "model", "name": NAME})
    assert message == {"type": "model", "name": NAME}
    assert file == models.content(NAME)


def test_what_cannot_be_sent_is_said(example, monkeypatch):
    [(message, _)] = answers(example, {"type": "model", "name": "03_fixed_vector"})
    assert message["fault"] == "this widget runs no model '03_fixed_vector'"
    monkeypatch.setattr(models.store, "FOLDER", models.FOLDER / "nowhere")
    [(message, _)] = answers(example, {"type": "model", "name": NAME})
    assert "no model '04_additive'" in message["fault"]
    assert answers(example, {"type": "translate"}) == answers(example, None) == []


def test_models_are_named_once_and_for_all(example):
    with pytest.raises(traitlets.TraitError, match="models: expected no assignment"):
        example.models = []
    with pytest.raises(ValueError, match="models: expected names among"):
        RunsModels({}, models=["99_other"])
    with pytest.raises(ValueError, match="models: expected a list of names, got '04_additive'"):
        RunsModels({}, models=NAME)


@pytest.mark.browser
def test_the_page_loads_a_model_when_it_is_asked(page_of, asking):
    page = page_of([asking])
    scripts = "[...document.scripts].map((one) => one.src.split('/attnbook/')[1]).filter(Boolean)"
    before = page.evaluate(scripts)
    assert before == ["base.js", "QKVPlayground.js"], "nothing of a model before somebody asks"
    found = page.evaluate(LOADED, NAME)
    trained = models.load(NAME)
    assert found["architecture"] == trained.architecture
    assert found["configuration"] == trained.configuration
    assert found["words"] == len(trained.tgt)
    assert found["tensors"] == len(trained.model.state_dict())
    page.evaluate(LOADED, NAME)
    after = page.evaluate(scripts)
    assert sorted(after) == sorted([*before, "inference.js", f"models/{NAME}.js"]), "once, however often"


@pytest.mark.browser
def test_a_model_that_does_not_load_is_said_and_may_be_asked_again(page_of, asking, tmp_path):
    page = page_of([asking])
    ask = "name => attnbook.loadModel({}, name).then(() => 'loaded', (error) => error.message)"
    file = tmp_path / "attnbook" / "models" / f"{NAME}.js"
    whole = file.read_text(encoding="utf-8")
    file.write_text("// cut off", encoding="utf-8")
    assert page.evaluate(ask, NAME) == f"models/{NAME}.js did not load"
    file.write_text(whole, encoding="utf-8")
    assert page.evaluate(ask, NAME) == "loaded"


@pytest.mark.browser
def test_a_notebook_asks_its_kernel(page_of, asking, node_modules):
    """What a notebook's module holds sends a message and takes the answer's buffer."""
    esbuild = [str(node_modules / ".bin" / "esbuild"), "lib/model_weights.js"]
    options = ["--bundle", "--format=esm", "--define:BOOK=false"]
    module = subprocess.run([*esbuild, *options], cwd=JS, check=True, capture_output=True, text=True).stdout
    page = page_of([asking])
    file = list(models.content(NAME))
    found = page.evaluate(
        """async ([source, name, file]) => {
             const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
             const { loadModel } = await import(url);
             const heard = [];
             const model = {
               on: (event, f) => heard.push(f),
               off: (event, f) => heard.splice(heard.indexOf(f), 1),
               send({ type, name }) {
                 const bytes = Uint8Array.from(file);
                 const answer = { type, name, fault: name === "none" ? "there is none" : undefined };
                 setTimeout(() => [...heard].forEach((f) => f(answer, [new DataView(bytes.buffer)])));
               },
             };
             const { tensors } = await loadModel({ model }, name);
             const fault = await loadModel({ model }, "none").catch((error) => error.message);
             return [tensors.size, fault, heard.length];
           }""",
        [module, NAME, file],
    )
    assert found == [len(models.load(NAME).model.state_dict()), "there is none", 0]
