"""Trained models in the page: their files are read whole, and every routine gives torch's numbers."""

import json
import os
import subprocess

import pytest
import torch
from torch_numbers import STORED, numbers
from widget_driver import run_js
from widget_page import JS

from attnbook import models
from attnbook.data import phrasebook
from attnbook.data.vocabulary import Vocabulary
from attnbook.translation import search
from attnbook.widgets.alignment_explorer import MOST_WORDS, Translators

READ = f"""
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
const {{ tensors, ...rest }} = readModel(new Uint8Array(readFileSync(data)));
const entries = [...tensors].map(([name, {{ shape, data }}]) => [name, {{ shape, data: [...data] }}]);
console.log(JSON.stringify({{ ...rest, tensors: Object.fromEntries(entries) }}));
"""


def same_as_torch(found, trained):
    """Every number, to the bit."""
    assert found["architecture"] == trained.architecture
    assert found["configuration"] == trained.configuration
    assert found["vocabularies"] == {name: words.words for name, words in trained.vocabularies.items()}
    state = trained.model.state_dict()
    firsts = {value.data_ptr(): name for name, value in reversed(state.items())}
    assert set(found["tensors"]) == set(firsts.values()), "a matrix that is shared is stored once"
    assert found.get("familiar") == (trained.familiar and trained.familiar.packed())
    for name in firsts.values():
        value = state[name]
        assert found["tensors"][name]["shape"] == list(value.shape)
        assert found["tensors"][name]["data"] == value.flatten().tolist(), name


@pytest.mark.parametrize("name", models.names())
def test_javascript_reads_the_models_that_ship(node, tmp_path, name):
    found = run_js(node, tmp_path, READ, str(models.FOLDER / f"{name}.safetensors"))
    same_as_torch(found, models.load(name))


@pytest.mark.parametrize("precision", ["half", "int8"])
def test_javascript_reads_both_precisions(node, tmp_path, precision):
    words = {"src": Vocabulary(["a", "é"]), "tgt": Vocabulary(["b"])}
    configuration = {"hidden": 3, "longest": 5}
    torch.manual_seed(0)
    model = models.build("recurrent", configuration, words)
    models.save(
        models.TrainedModel("04_test", model, "recurrent", configuration, precision, {}, {}, words), tmp_path
    )
    found = run_js(node, tmp_path, READ, str(tmp_path / "04_test.safetensors"))
    same_as_torch(found, models.load("04_test", folder=tmp_path))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_routine_equals_torch_on_random_inputs(node, tmp_path, seed):
    path = tmp_path / "numbers.json"
    path.write_text(json.dumps(numbers(seed, rounds=12)), encoding="utf-8")
    done = subprocess.run(
        [node, "--test", "inference/tensors.test.js"],
        cwd=JS,
        env={**os.environ, "ATTNBOOK_NUMBERS": str(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_stored_numbers_are_torchs():
    kept = json.loads(STORED.read_text(encoding="utf-8"))
    made = numbers(seed=0, rounds=2)
    assert [each["routine"] for each in kept] == [each["routine"] for each in made]
    for old, new in zip(kept, made, strict=True):
        torch.testing.assert_close(
            torch.tensor(old["expected"]["data"]), torch.tensor(new["expected"]["data"]), atol=1e-6, rtol=1e-6
        )


TRANSLATE = f"""
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ translator }} from {(JS / "inference" / "translator.js").as_uri()!r};
const [path, sentences, most] = data;
const translate = translator(readModel(new Uint8Array(readFileSync(path))));
console.log(JSON.stringify(sentences.map((words) => {{
  const found = translate(words, most);
  return {{ ...found, weights: found.weights?.map((row) => [...row]) }};
}})));
"""
ODD = [["The", "King", "sleeps"], ["i", "am", "tired"], ["the", "zebra", "sees", "the", "the"], ["cat"] * 40]


def sentences():
    """200 of the test sentences, some longer than any in training, and odd ones."""
    found = phrasebook.sample(180, 2, "small", (2, 20), "test") + phrasebook.sample(
        20, 3, "small", (21, 30), "test"
    )
    return [list(pair.src) for pair in found] + ODD


@pytest.mark.parametrize("name", ["03_fixed_vector", "04_additive"])
def test_javascript_translates_as_torch_does(node, tmp_path, name):
    """The same words, and weights, queries and keys within 1e-4, with the rounded numbers of the file."""
    path = str(models.FOLDER / f"{name}.safetensors")
    given = sentences()
    translate = Translators([name])
    for words, js in zip(given, run_js(node, tmp_path, TRANSLATE, [path, given, MOST_WORDS]), strict=True):
        [torchs] = translate(words)["scorers"].values()
        assert js["output"] == torchs["output"], " ".join(words)
        for part in ("weights", "query", "key", "v"):
            if part in torchs:
                torch.testing.assert_close(torch.tensor(js[part]), torchs[part], atol=1e-4, rtol=1e-4)
        assert js["unknown"] == (["zebra"] if "zebra" in words else [])
        assert js["finished"] or len(js["output"]) == MOST_WORDS


@pytest.mark.parametrize("name", ["03_fixed_vector", "04_additive"])
def test_the_widget_writes_what_greedy_search_writes(name):
    trained = models.load(name)
    translate = Translators([name])
    for words in sentences()[::20]:
        [made] = translate(words)["scorers"].values()
        src = torch.tensor([trained.src.encode(words)])
        if any(word not in trained.src for word in words):
            continue
        [found] = search.greedy(trained.model, src, most=MOST_WORDS)
        assert made["output"] == trained.tgt.decode(found.tokens)
        if found.weights is not None:
            torch.testing.assert_close(made["weights"], found.weights, atol=1e-6, rtol=0)
