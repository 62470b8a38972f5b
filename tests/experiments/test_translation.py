"""``attnbook run translation``: every option builds, two processes equal one, a cut-off run goes on."""

import argparse
import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from attnbook.data import phrasebook
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.experiments import translation, translators
from attnbook.models.families.translators import ATTENTIONS
from attnbook.training.fit import fit

SMALL = (
    "--pairs 120 --most-steps 6 --validate-every 3 --learning-rates .01 --hidden 8 --test-pairs 24 "
    "--batch-size 16 --device cpu --threads 1"
)


def options(*words):
    parser = argparse.ArgumentParser()
    translation.add_arguments(parser)
    return parser.parse_args(words)


def attnbook(*words, cache, launcher=(), check=True):
    command = [sys.executable, *launcher, "-m", "attnbook.cli", "run", "translation", *SMALL.split(), *words]
    environment = {**os.environ, "ATTNBOOK_CACHE": str(cache), "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check, timeout=400)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(("unit", "query"), [("gru", "previous"), ("lstm", "current")])
def test_every_model_builds_and_takes_a_step(attention, unit, query):
    wanted = options("--attention", attention, "--unit", unit, "--query", query, "--hidden", "8")
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    model = translation.build(wanted, len(src), len(tgt))
    batches = Batches(phrasebook.sample(20, 0), src, tgt, 10)
    history = fit(model, batches, steps=1, progress=False)
    assert 4 < history.losses[0] < 8
    _, weights = model(batches(0).src, batches(0).tgt, batches(0).src_mask)
    assert (weights is None) == (attention == "none")


@pytest.mark.parametrize("alignment", ["local-m", "local-p"])
@pytest.mark.parametrize("attention", ["dot", "general", "location"])
def test_every_window_builds_and_looks_through_it(attention, alignment):
    wanted = options("--attention", attention, "--alignment", alignment, "--window", "2",
                     "--query", "current", "--hidden", "8")  # fmt: skip
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    model = translation.build(wanted, len(src), len(tgt))
    batches = Batches(phrasebook.sample(20, 0), src, tgt, 10)
    assert 4 < fit(model, batches, steps=1, progress=False).losses[0] < 8
    _, weights = model(batches(0).src, batches(0).tgt, batches(0).src_mask)
    assert ((weights > 0).sum(-1) <= 5).all()
    assert (weights > 0).any()
    assert translation.result_name(wanted) == f"translation_phrasebook_{attention}_{alignment}_current_8"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--attention none --alignment local-m", "--alignment: local-m needs an attention"),
        ("--attention dot --query previous-word", "--query: previous-word makes the query longer"),
        ("--unit lstm --query previous-word", "--query: previous-word makes the query longer"),
        ("--attention dot --identity", "--identity: goes with general attention"),
        ("--attention general --query previous-word --identity", "--identity: goes with general attention"),
    ],
)
def test_choices_that_do_not_go_together_are_named(words, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        translation.build(options(*words.split()), 9, 9)


def test_general_from_the_identity_begins_as_dot():
    models = []
    for words in (("dot",), ("general", "--identity")):
        wanted = options("--attention", *words, "--query", "current", "--hidden", "8")
        models.append(translation.build(wanted, 30, 30))
    dot, general = models
    missing = general.load_state_dict(dot.state_dict(), strict=False)
    assert len(missing.missing_keys) == 1  # W_a alone
    assert not missing.unexpected_keys
    src, tgt = torch.randint(4, 30, (3, 7)), torch.randint(4, 30, (3, 5))
    for one, other in zip(dot(src, tgt), general(src, tgt), strict=True):
        torch.testing.assert_close(one, other)


def test_a_second_beam_is_measured_on_the_same_sentences():
    wanted = options("--pairs", "60", "--test-pairs", "24", "--hidden", "8", "--second-beam", "1")
    data = translators.corpus(wanted)
    model = translation.build(wanted, len(data.src), len(data.tgt))
    numbers = translators.measure(model, data, wanted)
    again = numbers["beam of 1"]  # greedy search once more
    assert {"bleu", "exact", "bleu long", "exact long", "endless by length"} <= set(again)
    assert again == {key: numbers[key] for key in again}


def test_the_phrasebooks_parts_do_not_overlap():
    wanted = options("--pairs", "400", "--test-pairs", "100")
    data = translators.corpus(wanted)
    held_out = {tuple(pair.src) for pair in data.test + data.validation}
    assert not {tuple(pair.src) for pair in data.train} & held_out
    assert max(len(pair.src) for pair in data.train) == 20
    assert sum(len(pair.src) > 20 for pair in data.test) == 50
    assert all(word in data.src for pair in data.train + data.test for word in pair.src)
    assert all(word in data.tgt for pair in data.train + data.test for word in pair.tgt)


def test_a_file_of_pairs_is_parted_and_cut_off(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("".join(f"word{i} is long\tmot{i} est long\n" for i in range(300)), encoding="utf-8")
    wanted = options("--data", str(path), "--vocabulary", "10")
    data = translators.corpus(wanted)
    assert len(data.src) == len(data.tgt) == 14
    assert {"is", "long"} <= set(data.src.words)
    held_out = {tuple(pair.src) for pair in data.test + data.validation}
    assert not {tuple(pair.src) for pair in data.train} & held_out
    assert translation.result_name(wanted) == "translation_mine_additive"
    path.write_text("one line\tune ligne\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no pair for"):
        translators.corpus(wanted)


def test_forced_alignments_are_where_the_weights_are_largest():
    class Mirror(torch.nn.Module):
        """Looks at the source from its end to its beginning."""

        def __init__(self):
            super().__init__()
            self.anything = torch.nn.Parameter(torch.zeros(1))

        def forward(self, src, tgt, src_mask):
            weights = torch.zeros(*tgt.shape, src.shape[1])
            for row, length in enumerate(src_mask.sum(1).tolist()):
                for t in range(tgt.shape[1]):
                    weights[row, t, max(0, length - 1 - t)] = 1.0
            return None, weights

    vocabulary = Vocabulary(["a", "b", "c"])
    pairs = [Pair(["a", "b", "c"], ["c", "b", "a"]), Pair(["a", "b"], ["b", "a"])]
    found = translators.forced_alignments(Mirror(), pairs, vocabulary, vocabulary)
    assert found == [{(2, 0), (1, 1), (0, 2)}, {(1, 0), (0, 1)}]


def test_distances_count_the_words_between_the_largest_weight_and_the_sure_link():
    gold = frozenset({(0, 0, "S"), (1, 1, "S"), (3, 1, "S"), (2, 2, "P"), (9, 3, "S"), (5, 4, "S")})
    pair = Pair(["w"] * 10, ["v"] * 5, gold)
    links = {(1, 0), (2, 1), (0, 2), (4, 3), (5, 4)}  # after by 1; between two; no sure link; far; right
    found = translators.distances([links], [pair])
    assert found == {"further before": 0.25, "-1": 0.25, "0": 0.25, "+1": 0.25, "further after": 0}


def test_all_sizes_are_equal_whatever_the_score():
    sizes = {}
    for attention in ("dot", "general", "concat", "location"):
        model = translation.build(options("--attention", attention, "--query", "current"), 20, 30)
        sizes[attention] = (model.encoder.d_memory, model.decoder.d_hidden)
    for attention in ("none", "additive", "dot"):
        model = translation.build(options("--attention", attention), 20, 30)
        sizes[attention, "before"] = (model.encoder.d_memory, model.decoder.d_hidden)
    assert set(sizes.values()) == {(256, 256)}


def test_every_bucket_has_every_score(tmp_path):
    data = translators.corpus(options("--pairs", "60", "--test-pairs", "40"))
    model = translation.build(options("--hidden", "8"), len(data.src), len(data.tgt))
    numbers = translators.measure(model, data, options())
    counts = numbers["sentences by length"]
    assert sum(counts.values()) == 40
    for name in ("bleu", "chrf", "exact", "endless", "aer"):
        assert numbers[f"{name} by length"].keys() == counts.keys(), name
    inside = sum(n for bucket, n in counts.items() if int(bucket.split("-")[1]) <= 20)
    weighted = sum(counts[b] * numbers["endless by length"][b] for b in counts if int(b.split("-")[1]) <= 20)
    assert weighted / inside == pytest.approx(numbers["endless"])
    assert sum(numbers["distance of the largest weight"].values()) == pytest.approx(1)


def test_results_hold_what_the_book_shows(tmp_path):
    out = tmp_path / "results.json"
    attnbook("--attention", "additive", "--seeds", "2", "--out", str(out), cache=tmp_path)
    stored = json.loads(out.read_text(encoding="utf-8"))
    assert set(stored["seeds"]) == {"0", "1"}
    assert stored["machine"]["processes"] == 1
    assert "torch" in stored["versions"]
    summary = stored["summary"]
    for name in ("validation loss", "learning rate", "steps", "hit the cap", "bleu", "bleu long", "chrf",
                 "exact", "endless", "endless long", "aer", "aer diagonal", "parameters"):  # fmt: skip
        assert summary[name]["n"] == 2, name
    assert any(name.startswith("bleu by length/") for name in summary)
    assert summary["parameters"]["std"] == 0
    assert summary["aer diagonal"]["mean"] < summary["aer"]["mean"] <= 1  # six steps teach no alignment
    assert stored["commit"]
    # the same command again has nothing left to do, and one more seed adds one
    again = attnbook("--attention", "additive", "--seeds", "3", "--out", str(out), cache=tmp_path)
    assert "3 seeds" in again.stdout
    more = json.loads(out.read_text(encoding="utf-8"))
    assert more["seeds"]["0"] == stored["seeds"]["0"]


def test_no_attention_no_error_rate(tmp_path):
    out = tmp_path / "results.json"
    attnbook("--attention", "none", "--seeds", "1", "--out", str(out), cache=tmp_path)
    summary = json.loads(out.read_text(encoding="utf-8"))["summary"]
    assert "aer" not in summary
    assert "bleu" in summary


PROCESSES = """
import sys, torch, torch.distributed as dist
from attnbook.training.fit import fit
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(rank)  # different on purpose: the first process's weights must win
model = torch.nn.Linear(3, 1)
generator = torch.Generator().manual_seed(0)
pair = lambda: (torch.randn(4, 3, generator=generator), torch.randn(4, 1, generator=generator))
batches = [pair() for _ in range(10)]
loss = lambda m, b: ((m(b[0]) - b[1]) ** 2).mean()
history = fit(model, batches, steps=5, loss=loss, optimiser=torch.optim.SGD, learning_rate=0.1, clip=None,
              seed=None, progress=False)
torch.save({"weights": model.state_dict(), "losses": history.losses}, f"{sys.argv[1]}/{rank}.pt")
dist.destroy_process_group()
"""


def torchrun(n=2):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ("-m", "torch.distributed.run", f"--nproc-per-node={n}", f"--master-port={port}")


def test_two_processes_equal_one_with_batches_twice_as_large(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(PROCESSES, encoding="utf-8")
    command = [sys.executable, *torchrun(), str(script), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=400)
    one, two = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(one["weights"][name], two["weights"][name]) for name in one["weights"])
    assert one["losses"] == two["losses"]
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    generator = torch.Generator().manual_seed(0)
    halves = [
        (torch.randn(4, 3, generator=generator), torch.randn(4, 1, generator=generator)) for _ in range(10)
    ]
    batches = [
        tuple(torch.cat(both) for both in zip(halves[i], halves[i + 1], strict=True)) for i in range(0, 10, 2)
    ]
    alone = fit(
        model, batches, steps=5, loss=lambda m, b: ((m(b[0]) - b[1]) ** 2).mean(), optimiser=torch.optim.SGD,
        learning_rate=0.1, clip=None, seed=None, progress=False,
    )  # fmt: skip
    torch.testing.assert_close(one["weights"]["weight"], model.weight.detach(), atol=1e-6, rtol=1e-5)
    assert one["losses"] == pytest.approx(alone.losses, rel=1e-5)


def test_the_command_under_torchrun(tmp_path):
    out = tmp_path / "results.json"
    done = attnbook(
        "--attention", "dot", "--seeds", "1", "--out", str(out), cache=tmp_path, launcher=torchrun()
    )  # fmt: skip
    stored = json.loads(out.read_text(encoding="utf-8"))
    assert stored["machine"]["processes"] == 2
    assert set(stored["seeds"]) == {"0"}
    assert done.stdout.count("1 seeds") == 1  # the first process speaks for all
