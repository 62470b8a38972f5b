"""``attnbook run transformer``: models, the head that aligns, cut-off runs, bad options."""

import argparse
import json
import math
from types import SimpleNamespace

import pytest
import torch

from attnbook import nn
from attnbook.cli import main
from attnbook.data import phrasebook
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.experiments import training_rule, transformer, translators
from attnbook.nn.transformer import TransformerWeights
from attnbook.results import results
from attnbook.training.fit import Diverged, fit
from attnbook.translation import leaderboard
from attnbook.translation.metrics import alignment_error_rate
from attnbook.translation.search import greedy

TINY = (
    "--pairs 60 --steps 4 --warmup 1 --d-model 16 --heads 2 --layers 1 --d-ff 8 --test-pairs 12 --device cpu "
    "--batch-size 16 --learning-rates .003 --most-steps 4 --validate-every 2"
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in this process, with a cache of its own; its results, or its exit status."""
    monkeypatch.setattr(training_rule, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("TQDM_DISABLE", "1")

    def attnbook(*words, out="results.json"):
        status = main(["run", "transformer", *TINY.split(), *words, "--out", str(tmp_path / out)])
        if status:
            return status
        return json.loads((tmp_path / out).read_text(encoding="utf-8"))

    return attnbook


def options(*words):
    parser = argparse.ArgumentParser()
    transformer.add_arguments(parser)
    return parser.parse_args(words)


def numbers(stored, seed="0"):
    """A seed's numbers that do not depend on the clock."""

    def still(value):
        if isinstance(value, dict):
            return {k: still(v) for k, v in value.items() if k != "seconds"}
        return value

    return still(stored["seeds"][seed])


# ---- models ----------------------------------------------------------------------------------------------


def test_the_plain_variant_is_the_books_transformer():
    torch.manual_seed(0)
    ours = transformer.build(options(), 20, 30)
    torch.manual_seed(0)
    theirs = nn.Transformer(20, 30, 96, 4, 2, 192, dropout=0.0, norm="pre")
    src, tgt = torch.randint(4, 20, (2, 5)), torch.randint(4, 30, (2, 6))
    assert torch.equal(ours(src, tgt)[0], theirs(src, tgt)[0])


def test_what_is_left_out_is_left_out():
    src = torch.tensor([[4, 5, 6, 7]])
    model = transformer.build(options("--positions", "none"), 20, 30).eval()
    memory = model.encode(src)[0]
    # without positions the encoder's output follows the words, wherever they stand
    torch.testing.assert_close(model.encode(src.flip(1))[0], memory.flip(1))
    ordered = transformer.build(options(), 20, 30).eval()
    assert not torch.allclose(ordered.encode(src.flip(1))[0], ordered.encode(src)[0].flip(1), atol=1e-3)
    scaled, unscaled = (
        transformer.build(options("--positions", "none", *more), 20, 30).eval()
        for more in ((), ("--unscaled",))
    )
    unscaled.load_state_dict(scaled.state_dict())
    ratio = scaled.embed(scaled.src_embedding, src) / unscaled.embed(unscaled.src_embedding, src)
    torch.testing.assert_close(ratio, torch.full_like(ratio, math.sqrt(96)))
    untied = transformer.build(options("--untied"), 20, 30)
    assert untied.output.weight is not untied.tgt_embedding.weight
    learned = transformer.build(options("--positions", "learned", "--longest", "20"), 20, 30)
    greedy(learned, torch.randint(4, 20, (1, 40)), most=80)  # as long as a test may be


@pytest.mark.parametrize(
    ("vary", "name"), [(vary, name) for vary, found in transformer.VARIANTS.items() for name in found]
)
def test_every_variant_differs_in_what_it_says_and_takes_a_step(vary, name):
    base = options("--d-model", "16", "--d-ff", "8", "--steps", "9", "--warmup", "2")
    one = transformer.with_options(base, transformer.VARIANTS[vary][name])
    changed = {key for key in vars(base) if vars(base)[key] != vars(one)[key]}
    same = {key for key, value in transformer.VARIANTS[vary][name].items() if vars(base)[key] == value}
    assert changed == set(transformer.VARIANTS[vary][name]) - same
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    model = transformer.build(one, len(src), len(tgt))
    batches = Batches(phrasebook.sample(10, 0), src, tgt, 10)
    history = fit(model, batches, steps=1, schedule=transformer.schedule(one), progress=False)
    assert 4 < history.losses[0] < 9


def test_heads_of_equal_width_have_equally_many_parameters():
    base, parts = options(), transformer.VARIANTS["parts"]
    sizes = {
        sum(p.numel() for p in transformer.build(transformer.with_options(base, more), 205, 318).parameters())
        for more in (parts["whole"], parts["1 head"], parts["16 heads"])
    }
    assert len(sizes) == 1


def test_positions_inside_attention_hold_no_more_parameters_than_their_vectors():
    def size(scheme):
        return sum(
            p.numel() for p in transformer.build(options("--positions", scheme), 205, 318).parameters()
        )

    assert size("rotary") == size("sinusoidal") == size("none")
    assert size("relative") - size("none") == 4 * 2 * 33 * 24  # layers, keys and values, distances, d_head


def test_both_curves_reach_the_same_height_at_the_end_of_warm_up():
    for curve in ("linear", "inverse-sqrt"):
        factor = transformer.schedule(options("--curve", curve, "--warmup", "20", "--steps", "100"))
        values = [factor(step) for step in range(100)]
        assert max(values) == values[19] == pytest.approx(1)
        assert values[0] == pytest.approx(1 / 20)
        assert values[99] < 0.5
    assert transformer.schedule(options("--warmup", "0"))(0) == 1


def test_names_of_results():
    for words, name in (
        ("", "transformer_phrasebook"),
        ("--data tatoeba --layers 3", "transformer_tatoeba"),
        ("--vary positions", "transformer_positions"),
        ("--vary norms --layers 6", "transformer_norms_6_layers"),
        ("--vary parts --data some/where/mine.tsv", "transformer_parts_mine"),
    ):
        assert transformer.result_name(options(*words.split())) == name


# ---- alignments ------------------------------------------------------------------------------------------


class Planted(torch.nn.Module):
    """Two layers of two heads. The second head of layer 1 looks at word i's source while it writes word i;
    the first head of layer 2, while it reads word i; the others look at the first word.
    """

    def __init__(self, sources):
        super().__init__()
        self.sources = sources  # a list of source positions for each sentence
        self.anything = torch.nn.Parameter(torch.zeros(1))
        self.decoder = [SimpleNamespace(cross_attention=SimpleNamespace(n_heads=2)) for _ in range(2)]

    def forward(self, src, tgt, src_mask, need_weights):
        assert need_weights
        cross = torch.zeros(2, len(src), 2, tgt.shape[1], src.shape[1])
        cross[..., 0] = 0.5
        for i, places in enumerate(self.sources):
            for word, source in enumerate(places):
                cross[0, i, 1, word, source] = 1.0
                cross[1, i, 0, word + 1, source] = 1.0
        return None, TransformerWeights([], [], list(cross))


def test_the_aligning_head_is_found_and_its_row_named():
    words = Vocabulary(["a", "b", "c"])
    places = [[2, 1, 0, 1], [1, 0]]
    pairs = [
        Pair(["a", "b", "c"], ["c", "b", "a", "b"], frozenset((s, t, "S") for t, s in enumerate(places[0]))),
        Pair(["a", "b"], ["b", "a"], frozenset((s, t, "S") for t, s in enumerate(places[1]))),
    ]
    model = Planted(places)
    found = transformer.head_alignments(model, pairs, words, words)
    assert len(found) == 8
    right = [{(s, t) for t, s in enumerate(row)} for row in places]
    assert found[0, 1, "writing"] == right
    assert found[1, 0, "reading"] == right
    assert found[0, 0, "writing"] == [{(0, t) for t in range(len(row))} for row in places]
    measured = transformer.aligning_head(model, pairs, pairs, words, words)
    assert measured["aer"] == 0
    assert measured["aer head"] == "layer 1, head 2, writing"
    assert measured["aer by row"] == {"writing": 0, "reading": 0}
    off = alignment_error_rate(found[0, 1, "reading"], [pair.alignment for pair in pairs])
    assert dict(measured["aer of all heads"])["layer 1, head 2, reading"] == off > 0.5


def test_the_head_is_not_chosen_on_the_sentences_that_it_is_measured_on():
    words = Vocabulary(["a", "b"])
    straight, crossed = (
        [Pair(["a", "b"], ["b", "a"], frozenset({(x, 0, "S"), (1 - x, 1, "S")}))] for x in (0, 1)
    )
    measured = transformer.aligning_head(Planted([[1, 0]]), straight, crossed, words, words)
    assert measured["aer"] > min(error for _, error in measured["aer of all heads"]) == 0


# ---- the command -----------------------------------------------------------------------------------------


def test_results_make_a_row_of_the_leaderboard(run, tmp_path, monkeypatch):
    stored = run("--seeds", "2")
    assert set(stored["seeds"]) == {"0", "1"}
    summary = stored["summary"]
    for name in ("bleu", "bleu long", "aer", "aer diagonal", "exact", "endless", "parameters", "steps"):
        assert summary[name]["n"] == 2, name
    assert summary["steps"]["mean"] == 4
    assert summary["hit the cap"]["mean"] == 1
    assert numbers(stored)["aer"] in dict(numbers(stored)["aer of all heads"]).values()
    assert numbers(stored)["aer head"].startswith("layer 1, head ")
    results_of = {"transformer_phrasebook": stored, "translator_speed": {"summary": {}}}
    monkeypatch.setattr(leaderboard, "results", results_of.__getitem__)
    row = leaderboard.add("transformer_phrasebook", "Transformer", 10, tmp_path / "rows")
    assert json.loads(row.read_text(encoding="utf-8"))["numbers"].keys() == {
        "validation loss", "bleu", "exact", "endless", "bleu long", "aer", "parameters"
    }  # fmt: skip


@pytest.mark.parametrize("more", [(), ("--vary", "norms")])
def test_a_run_that_was_cut_off_goes_on(run, tmp_path, monkeypatch, more):
    with monkeypatch.context() as patch:
        patch.setattr(training_rule, "CACHE", tmp_path / "another cache")
        whole = run("--seeds", "1", *more, out="whole.json")
        # of the seed on which rates are chosen all stay, for the seeds that follow
        assert len(list((tmp_path / "another cache" / "checkpoints").glob("*.pt"))) == (4 if more else 1)
    with monkeypatch.context() as patch:
        calls = []

        def stop(*arguments):
            calls.append(1)
            if len(calls) == (2 if more else 1):  # in the middle of the variants
                raise KeyboardInterrupt
            return measure(*arguments)

        measure = translators.measure
        patch.setattr(translators, "measure", stop)
        assert run("--seeds", "1", *more, out="parts.json") == 130
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "checkpoints").glob("*.pt")}
    assert len(kept) == (2 if more else 1)
    parts = run("--seeds", "1", *more, out="parts.json")
    assert numbers(parts) == numbers(whole)
    left = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "checkpoints").glob("*.pt")}
    assert {path: left[path] for path in kept} == kept  # a finished run was not trained again
    run("--seeds", "1", "--first-seed", "1", *more, out="another seed.json")
    assert len(list((tmp_path / "cache" / "checkpoints").glob("*.pt"))) == (4 if more else 2)


def test_each_variant_is_trained_at_its_best_rate(run, monkeypatch):
    monkeypatch.setitem(transformer.VARIANTS, "norms", {"post-norm": {"norm": "post"}})
    stored = run("--seeds", "2", "--vary", "norms", "--learning-rates", ".01", "1e-9")
    for seed in ("0", "1"):
        found = numbers(stored, seed)["post-norm"]
        assert found["learning rate"] == 0.01  # chosen on seed 0, by validation loss
        assert [rate for rate, _ in found["rates tried"]] == [1e-9, 0.01]
        assert found["rates tried"][0][1] > found["rates tried"][1][1]
        assert found["diverged"] == 0
    assert numbers(stored)["post-norm"]["validation loss"] == found["rates tried"][1][1]


def test_a_variant_that_diverges_is_measured_and_said_to_have(run, monkeypatch):
    def diverging(*_, **__):
        raise Diverged("loss: not finite")

    monkeypatch.setitem(transformer.VARIANTS, "norms", {"post-norm": {"norm": "post"}})
    monkeypatch.setattr(transformer, "fit", diverging)
    found = numbers(run("--seeds", "1", "--vary", "norms"))["post-norm"]
    assert found["diverged"] == 1
    assert "validation loss" not in found
    assert found["bleu"] < 20


@pytest.mark.parametrize(("given", "reaches"), [("0", None), ("2.5", 2.5)])
def test_clipping_reaches_the_training(run, monkeypatch, given, reaches):
    seen = []

    def recording(*arguments, clip, **more):
        seen.append(clip)
        return fit(*arguments, clip=clip, **more)

    monkeypatch.setitem(transformer.VARIANTS, "norms", {"post-norm": {"norm": "post"}})
    monkeypatch.setattr(transformer, "fit", recording)
    run("--seeds", "1", "--vary", "norms", "--clip", given)
    assert seen == [reaches]


def test_variants_share_their_seed_and_data(run, monkeypatch):
    stored = run("--seeds", "1", "--vary", "norms")
    found = numbers(stored)
    assert set(found) == set(transformer.VARIANTS["norms"])
    assert found["pre-norm"]["validation loss"] != found["post-norm"]["validation loss"]
    monkeypatch.setitem(transformer.VARIANTS, "norms", {"post-norm": {"norm": "post"}})
    alone = numbers(run("--seeds", "1", "--vary", "norms", out="alone.json"))
    assert found["post-norm"] == alone["post-norm"]  # a variant does not depend on those before it
    assert stored["summary"]["post-norm/bleu"]["n"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--heads", "3"), "n_heads"),
        (("--d-model", "15", "--heads", "1"), "d_model"),
        (("--warmup", "-1"), "--warmup: expected at least 0, got -1"),
        (("--vary", "positions", "--warmup", "4"), "warmup: expected a whole number from 0 to 3, got 4"),
        (
            ("--vary", "positions", "--curve", "inverse-sqrt", "--warmup", "0"),
            "warmup: expected a whole number of at least 1",
        ),
        (("--layers", "0"), "n_layers"),
        (("--vary", "norms", "--clip", "-1"), "--clip: expected at least 0"),
        (("--vary", "norms", "--learning-rates", "0"), "--learning-rates: expected numbers above 0"),
        (("--vary", "parts", "--d-model", "24"), "n_heads"),
        (("--dropout", "1.5"), "dropout"),
        (("--longest", "1"), "--longest: expected 2 to"),
        (("--data", "nowhere.tsv"), "nowhere.tsv: no such file"),
    ],
)
def test_bad_options_are_named_before_training(run, capsys, words, message):
    assert run("--seeds", "1", *words) == 1
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("attnbook: ")  # below the bar
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error


# ---- what is stored --------------------------------------------------------------------------------------


def test_stored_results_are_whole():
    stored = results("transformer_tatoeba")
    assert len(stored["seeds"]) == 3
    assert "/" not in stored["command"]
    vary = stored["options"]["vary"]
    for found in stored["seeds"].values():
        for one in [found] if vary is None else [found[variant] for variant in transformer.VARIANTS[vary]]:
            assert 0 <= one["bleu"] <= 100
            assert 0 <= one["bleu long"] < max(one["bleu"], 1)  # some learn nothing at all


def test_label_smoothing_reaches_the_loss(run, monkeypatch, smoothed):
    """The published row "no label smoothing" hangs on it."""
    parts = transformer.VARIANTS["parts"]
    both = {name: parts[name] for name in ("whole", "no label smoothing")}
    monkeypatch.setitem(transformer.VARIANTS, "parts", both)
    run("--seeds", "1", "--vary", "parts", "--smoothing", "0.3")
    assert smoothed == [0.3, 0.0]
