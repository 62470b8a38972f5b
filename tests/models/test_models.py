"""Models that ship: saved small, loaded whole, checked, and made by a command that says so."""

import hashlib
import json
import struct
import sys
import types

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from attnbook import models, nn
from attnbook.cli import main, parser
from attnbook.data.vocabulary import Vocabulary
from attnbook.experiments import shipping, training_rule
from attnbook.experiments.shipping import TRANSLATORS_ROOM
from attnbook.models import architectures, layout, store
from support import ROOT

WORDS = Vocabulary(["a", "b", "c", "d"])
BOTH = {"src": WORDS, "tgt": WORDS}
RECURRENT = {"attention": "additive", "hidden": 6, "longest": 9}
TRANSFORMER = {"d_model": 8, "n_heads": 2, "n_layers": 1, "d_ff": 12, "tied": True}
MADE = {"command": "attnbook run …", "commit": "abc1234", "seed": 0}


def trained(architecture="recurrent", configuration=RECURRENT, precision="half", name="04_test"):
    torch.manual_seed(0)
    model = models.build(architecture, configuration, BOTH)
    scores = {"bleu": 50.0}
    return models.TrainedModel(name, model, architecture, configuration, precision, MADE, scores, BOTH)


def logits(model):
    torch.manual_seed(1)
    src, tgt = torch.randint(4, len(WORDS), (3, 5)), torch.randint(4, len(WORDS), (3, 4))
    with torch.no_grad():
        return model.eval()(src, tgt)[0]


@pytest.mark.parametrize("precision", layout.PRECISIONS)
@pytest.mark.parametrize(
    ("architecture", "configuration"), [("recurrent", RECURRENT), ("transformer", TRANSFORMER)]
)
def test_what_was_saved_is_loaded(architecture, configuration, precision, tmp_path):
    before = trained(architecture, configuration, precision)
    models.save(before, tmp_path)
    after = models.load("04_test", folder=tmp_path)
    assert models.names(tmp_path) == ["04_test"]
    assert not after.model.training
    assert (after.src.words, after.tgt.words) == (WORDS.words, WORDS.words)
    for part in ("architecture", "configuration", "precision", "made", "scores"):
        assert getattr(after, part) == getattr(before, part), part
    exact = logits(before.model)
    torch.testing.assert_close(logits(after.model), exact, atol=0.05, rtol=0.02)
    assert not torch.equal(logits(after.model), exact)  # it is rounded
    store.rounded(before.model, precision)
    assert torch.equal(logits(after.model), logits(before.model))


def test_rounding_to_whole_numbers_is_off_by_half_a_step_at_most():
    torch.manual_seed(0)
    weights = {
        "matrix": torch.randn(5, 7) * 10 ** torch.linspace(-4, 3, 5)[:, None],
        "vector": torch.randn(7),
    }
    packed = layout.pack(weights, "int8")
    assert packed["matrix"].dtype == torch.int8
    assert packed["vector"].dtype == torch.float16
    back = layout.unpack(packed)
    step = weights["matrix"].abs().amax(1, keepdim=True) / 127
    assert ((back["matrix"] - weights["matrix"]).abs() <= 0.5001 * step).all()
    assert torch.equal(
        layout.unpack(layout.pack({"zero": torch.zeros(2, 3)}, "int8"))["zero"], torch.zeros(2, 3)
    )


def test_a_number_too_large_for_half_precision_is_named():
    with pytest.raises(ValueError, match="big has a number that half precision cannot hold"):
        layout.pack({"big": torch.tensor([1e6])}, "half")


def test_shared_weights_are_stored_once(tmp_path):
    path = models.save(trained("transformer", TRANSFORMER), tmp_path)
    header = read_as_a_page_does(path)[0]
    model = models.load("04_test", folder=tmp_path).model
    assert model.output.weight is model.tgt_embedding.weight
    assert len({"output.weight", "tgt_embedding.weight"} & set(header)) == 1


def read_as_a_page_does(path):
    """Header and numbers, with nothing but the layout that the module describes."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    types = {"F16": "<f2", "F32": "<f4", "I8": "i1"}
    numbers = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(content[8 + length + begin : 8 + length + end], types[entry["dtype"]])
            numbers[name] = flat.reshape(entry["shape"])
    return header, numbers


@pytest.mark.parametrize("precision", layout.PRECISIONS)
def test_the_layout_is_the_one_that_is_described(precision, tmp_path):
    path = models.save(trained(precision=precision), tmp_path)
    header, numbers = read_as_a_page_does(path)
    described = json.loads(header["__metadata__"]["attnbook"])
    assert described["vocabularies"] == {side: WORDS.words[4:] for side in BOTH}
    assert described["configuration"] == RECURRENT
    state = models.load("04_test", folder=tmp_path).model.state_dict()
    for name, value in state.items():
        found = numbers[name].astype(np.float32)
        if numbers[name].dtype == np.int8:
            found = found * numbers[name + ".scale"][:, None]
        np.testing.assert_array_equal(found, value.numpy())


def test_a_model_without_words_is_saved_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "mean", lambda size: torch.nn.Linear(size, 1))
    model = models.build("mean", {"size": 3})
    models.save(models.TrainedModel("12_mean", model, "mean", {"size": 3}, "half", MADE, {}), tmp_path)
    found = models.load("12_mean", folder=tmp_path)
    torch.testing.assert_close(found.model.weight, model.weight, atol=1e-3, rtol=1e-3)
    assert found.vocabularies == {}
    with pytest.raises(AttributeError, match="src: 12_mean has no vocabulary of that name; it has none"):
        _ = found.src


def test_a_translator_of_the_first_format_loads(tmp_path):
    path = models.save(trained(), tmp_path)
    header, _ = read_as_a_page_does(path)
    description = json.loads(header["__metadata__"]["attnbook"])
    old = {"format": 1} | {
        key: value for key, value in description.items() if key not in ("format", "vocabularies")
    }
    old |= description["vocabularies"]
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dictionary
    content = serialise(tensors, {"attnbook": json.dumps(old)})
    path.write_bytes(content)
    checksums = {"04_test": hashlib.sha256(content).hexdigest()}
    (tmp_path / "checksums.json").write_text(json.dumps(checksums), encoding="utf-8")
    found = models.load("04_test", folder=tmp_path)
    assert (found.src.words, found.tgt.words) == (WORDS.words, WORDS.words)


def test_two_families_may_not_share_a_name(monkeypatch):
    twin = types.SimpleNamespace(ARCHITECTURES={"recurrent": None})
    monkeypatch.setattr(architectures, "import_module", lambda name: twin)
    both = [types.SimpleNamespace(name="one"), types.SimpleNamespace(name="two")]
    monkeypatch.setattr(architectures.pkgutil, "iter_modules", lambda path: both)
    with pytest.raises(ValueError, match="two names \\['recurrent'\\], which another family has"):
        architectures._of_all_families()


def test_what_is_not_measured_cannot_be_compared(tmp_path):
    made = trained()
    asked = shipping.Trained("recurrent", RECURRENT, made.model, lambda: {"bleu": 1.0}, {"aer": 0.1}, BOTH)
    with pytest.raises(ValueError, match=r"room: expected scores among bleu, got \['aer'\]"):
        shipping.ship("04_test", asked, MADE, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_nightly_job_knows_how_each_is_made_again(tmp_path):
    sys.path.insert(0, str(ROOT / "tools"))
    import retrain_models

    for name in models.names():
        words = retrain_models.command(models.load(name).made, name, tmp_path)
        assert words.count("--ship") == words.count("--out") == words.count("--seeds") == 1
        options = parser(words[3:]).parse_args(words[3:])
        assert options.seeds == 1
        assert options.models == tmp_path
        assert options.ship == name
    room = {"bleu": -5.0, "aer": 0.08}
    shipped = {"bleu": 90.0, "aer": 0.3}
    assert retrain_models.compare(shipped, {"bleu": 86.0, "aer": 0.2}, room) == []
    assert len(retrain_models.compare(shipped, {"bleu": 84.0, "aer": 0.4}, room)) == 2


def test_a_changed_or_missing_file_is_refused(tmp_path):
    path = models.save(trained(), tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match="is not the file that was shipped"):
        models.load("04_test", folder=tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match="is missing; install attnbook again"):
        models.load("04_test", folder=tmp_path)
    with pytest.raises(ValueError, match="no model '05_other'; choose one of 04_test"):
        models.load("05_other", folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a model", struct.pack("<Q", 2) + b"{}"])
def test_a_file_that_holds_no_model_is_named(content, tmp_path):
    models.save(trained(), tmp_path)
    (tmp_path / "04_test.safetensors").write_bytes(content)
    checksums = {"04_test": hashlib.sha256(content).hexdigest()}
    (tmp_path / "checksums.json").write_text(json.dumps(checksums), encoding="utf-8")
    with pytest.raises(ValueError, match="holds no model of the book"):
        models.load("04_test", folder=tmp_path)


def test_what_cannot_be_saved_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="name: expected small letters"):
        models.save(trained(name="../up"), tmp_path)
    with pytest.raises(ValueError, match="precision: expected one of half, int8"):
        models.save(trained(precision="double"), tmp_path)
    monkeypatch.setattr(store, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="and a model may have 100; make it smaller"):
        models.save(trained(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_weights_of_another_model_are_refused():
    model = nn.GRUEncoder(9, 4, 4)
    weights = {name: value for name, value in model.state_dict().items() if name != "rnn.bias_hh_l0"}
    weights["other"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"weights: missing \['rnn.bias_hh_l0'\], unknown \['other'\]"):
        store.set_weights(model, weights)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attention": "some"}, "attention: expected one of none, additive"),
        ({"unit": "rnn"}, "unit: expected one of gru, lstm"),
        ({"attention": "none", "alignment": "local-p"}, "alignment: local-p needs an attention"),
        ({"attention": "dot", "query": "previous-word"}, "query: previous-word makes the query longer"),
    ],
)
def test_bad_configurations_are_named(changed, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        models.build("recurrent", RECURRENT | changed, BOTH)
    with pytest.raises(ValueError, match="architecture: expected one of .*transformer.*, got 'perc"):
        models.build("perceptron", {})


def test_the_query_with_the_last_word_knows_it():
    """Only then do weights depend on the word that was written last."""

    def weights(query):
        torch.manual_seed(0)
        model = models.build("recurrent", RECURRENT | {"query": query}, BOTH)
        src = torch.tensor([[4, 5, 6]])
        return [model(src, torch.tensor([[1, word]]))[1][0, 1] for word in (4, 5)]

    one, other = weights("previous")
    torch.testing.assert_close(one, other)
    one, other = weights("previous-word")
    assert (one - other).abs().max() > 1e-6


def test_a_run_ships_its_first_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(store, "FOLDER", tmp_path / "models")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    words = "run translation --pairs 60 --test-pairs 12 --hidden 8 --batch-size 12 --validate-every 3 "
    words += "--most-steps 6 --learning-rates .01 --seeds 2 --first-seed 1 --device cpu --ship 04_tiny"
    assert main([*words.split(), "--out", str(tmp_path / "results.json")]) == 0
    shipped = models.load("04_tiny", folder=tmp_path / "models")
    stored = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert shipped.made["command"] == stored["command"]
    assert shipped.made["commit"] == stored["commit"]
    assert shipped.made["seed"] == 1
    assert shipped.scores["validation loss"] == pytest.approx(
        stored["seeds"]["1"]["validation loss"], rel=1e-3
    )
    assert shipped.made["room"].keys() == {"bleu", "exact", "aer", "endless"}
    assert shipped.scores["aer"] == pytest.approx(stored["seeds"]["1"]["aer"], abs=0.1)


# ---- what ships ------------------------------------------------------------------------------------------


def test_all_together_are_small():
    sizes = {path.stem: path.stat().st_size for path in models.FOLDER.glob("*.safetensors")}
    assert set(sizes) == set(models.names())
    assert all(size <= store.MOST_BYTES for size in sizes.values()), sizes
    assert sum(sizes.values()) <= 25_000_000


@pytest.mark.parametrize("name", models.names())
def test_every_model_loads_and_says_how_it_was_made(name):
    found = models.load(name)
    assert found.made["command"].startswith("attnbook run ")
    assert f"--ship {name}" in found.made["command"]
    assert not found.made["commit"].endswith("-dirty")
    assert isinstance(found.made["seed"], int)
    assert found.made.get("room", TRANSLATORS_ROOM).keys() & found.scores.keys()
    if "bleu" in found.scores:
        assert found.scores["bleu"] > 50


@pytest.mark.parametrize("name", models.names())
def test_its_content_is_what_its_checksum_says(name):
    checksums = json.loads((models.FOLDER / "checksums.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(models.content(name)).hexdigest() == checksums[name]
