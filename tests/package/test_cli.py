"""The command line: one sentence an error, and results that survive an interruption."""

import json
import sys
import types

import pytest

from attnbook import cli
from attnbook.experiments import provenance, registry


@pytest.fixture
def coin(monkeypatch):
    """An experiment that fails when told to, and counts its runs."""
    module = types.ModuleType("coin")
    module.ABOUT = "Toss a coin."
    module.tossed = []

    def add_arguments(parser):
        parser.add_argument("--sides", type=int, default=2)
        parser.add_argument("--break-at", type=int, default=-1)

    def run_seed(options, seed, device):
        if seed == module.break_at:
            raise KeyboardInterrupt
        module.tossed.append(seed)
        return {"value": float(seed), "by part": {"a": 2.0 * seed, "words": "not a number"}}

    module.break_at = -1
    module.add_arguments, module.run_seed = add_arguments, run_seed
    monkeypatch.setitem(sys.modules, "attnbook.experiments.coin", module)
    monkeypatch.setitem(registry.experiments(), "coin", module.ABOUT)
    return module


def test_run_stores_seeds_spread_machine_and_versions(coin, tmp_path, capsys):
    out = tmp_path / "coin.json"
    assert cli.main(["run", "coin", "--seeds", "3", "--device", "cpu", "--out", str(out)]) == 0
    stored = json.loads(out.read_text())
    assert stored["summary"]["value"] == {"mean": 1.0, "std": 1.0, "min": 0.0, "max": 2.0, "n": 3}
    assert stored["summary"]["by part/a"]["mean"] == 2.0
    assert stored["options"] == {"sides": 2, "break_at": -1}
    assert stored["machine"]["device"] == "cpu"
    assert {"python", "torch", "attnbook"} <= set(stored["versions"])
    assert stored["command"].startswith("attnbook run coin --seeds 3")
    assert stored["commit"] == provenance.commit()
    assert "value" in capsys.readouterr().out


def test_every_experiment_is_found_and_is_one():
    names = registry.experiments()
    assert {"translation", "transformer", "translator_speed", "alignment"} <= set(names)
    assert not {"runner", "registry", "options", "translators", "training_rule", "together"} & set(names)
    for name, about in names.items():
        module = registry.load(name)
        assert about == module.ABOUT
        assert callable(module.add_arguments)
        assert callable(getattr(module, "run_seed", None) or module.runs), "it runs, or lists runs of others"
    with pytest.raises(ValueError, match="no experiment 'nothing'; choose one of alignment, "):
        registry.load("nothing")


def test_the_commit_is_gits_or_the_one_that_is_told(monkeypatch):
    provenance.commit.cache_clear()
    monkeypatch.setenv("ATTNBOOK_COMMIT", "abc1234")
    assert provenance.commit() == "abc1234"
    provenance.commit.cache_clear()
    monkeypatch.delenv("ATTNBOOK_COMMIT")
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() == "unknown"
    provenance.commit.cache_clear()


def test_only_what_can_be_shipped_has_the_option(coin, capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "coin", "--ship", "00_coin"])
    assert "--ship" in capsys.readouterr().err


def test_an_interrupted_run_goes_on_where_it_stopped(coin, tmp_path):
    out = tmp_path / "coin.json"
    coin.break_at = 2
    words = ["run", "coin", "--seeds", "4", "--device", "cpu", "--out", str(out)]
    assert cli.main(words) == 130
    assert coin.tossed == [0, 1]
    coin.break_at = -1
    assert cli.main(words) == 0
    assert coin.tossed == [0, 1, 2, 3]
    assert list(json.loads(out.read_text())["seeds"]) == ["0", "1", "2", "3"]


def test_results_of_other_options_are_not_overwritten(coin, tmp_path, capsys):
    out = tmp_path / "coin.json"
    cli.main(["run", "coin", "--seeds", "1", "--device", "cpu", "--out", str(out)])
    before = out.read_bytes()
    assert cli.main(["run", "coin", "--sides", "6", "--device", "cpu", "--out", str(out)]) == 1
    assert "holds results of other options" in capsys.readouterr().err
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "coin", "--seeds", "0"], "--seeds: expected at least 1"),
        (["run", "coin", "--threads", "0"], "--threads: expected at least 1"),
        (["run", "coin", "--device", "gpu"], "device: expected auto, cpu"),
        (["data", "fetch", "nothing"], "no corpus 'nothing'; choose one of"),
        (["data", "fetch"], "NAME: name a corpus to fetch"),
    ],
)
def test_bad_input_is_one_sentence_without_a_traceback(coin, words, sentence, capsys):
    assert cli.main(words) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


def test_damaged_results_are_named(coin, tmp_path, capsys):
    out = tmp_path / "coin.json"
    out.write_text("{", encoding="utf-8")
    assert cli.main(["run", "coin", "--device", "cpu", "--out", str(out)]) == 1
    assert "not readable as results" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "{"


def test_data_list_names_every_corpus(capsys):
    from attnbook.data import CORPORA

    assert cli.main(["data", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in CORPORA)
