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
from attnbook.data.vocabulary import Vocabulary

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
    assert set(found["tensors"]) == set(state)
    for name, value in state.items():
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
