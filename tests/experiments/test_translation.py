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
from attnbook.experiments import translation
from attnbook.training.fit import fit

SMALL = "--pairs 120 --steps 6 --hidden 8 --test-pairs 24 --batch-size 16 --device cpu --threads 1"


def options(*words):
    parser = argparse.ArgumentParser()
    translation.add_arguments(parser)
    return parser.parse_args(words)


def attnbook(*words, cache, launcher=(), check=True):
    command = [sys.executable, *launcher, "-m", "attnbook.cli", "run", "translation", *SMALL.split(), *words]
    environment = {**os.environ, "ATTNBOOK_CACHE": str(cache), "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check, timeout=400)


@pytest.mark.parametrize("attention", translation.ATTENTIONS)
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
    assert translation.result_name(wanted) == f"translation_phrasebook_{attention}_{alignment}_current"


def test_a_window_needs_an_attention():
    with pytest.raises(ValueError, match="--alignment: local-m needs an attention"):
        translation.build(options("--attention", "none", "--alignment", "local-m"), 9, 9)


def test_the_phrasebooks_parts_do_not_overlap():
    wanted = options("--pairs", "400", "--test-pairs", "100")
    train, validation, test, src, tgt = translation.corpus(wanted)
    assert not {tuple(pair.src) for pair in train} & {tuple(pair.src) for pair in test + validation}
    assert max(len(pair.src) for pair in train) == 20
    assert sum(len(pair.src) > 20 for pair in test) == 50
    assert all(word in src for pair in train + test for word in pair.src)
    assert all(word in tgt for pair in train + test for word in pair.tgt)


def test_a_file_of_pairs_is_parted_and_cut_off(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("".join(f"word{i} is long\tmot{i} est long\n" for i in range(300)), encoding="utf-8")
    wanted = options("--data", str(path), "--vocabulary", "10")
    train, validation, test, src, tgt = translation.corpus(wanted)
    assert len(src) == len(tgt) == 14
    assert {"is", "long"} <= set(src.words)
    assert not {tuple(pair.src) for pair in train} & {tuple(pair.src) for pair in test + validation}
    assert translation.result_name(wanted) == "translation_mine_additive"
    path.write_text("one line\tune ligne\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no pair for"):
        translation.corpus(wanted)


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
    found = translation.forced_alignments(Mirror(), pairs, vocabulary, vocabulary)
    assert found == [{(2, 0), (1, 1), (0, 2)}, {(1, 0), (0, 1)}]


def test_results_hold_what_the_book_shows(tmp_path):
    out = tmp_path / "results.json"
    attnbook("--attention", "additive", "--seeds", "2", "--out", str(out), cache=tmp_path)
    stored = json.loads(out.read_text(encoding="utf-8"))
    assert set(stored["seeds"]) == {"0", "1"}
    assert stored["machine"]["processes"] == 1
    assert "torch" in stored["versions"]
    summary = stored["summary"]
    for name in ("bleu", "bleu long", "aer", "aer diagonal", "exact", "parameters", "steps per second"):
        assert summary[name]["n"] == 2, name
    assert any(name.startswith("bleu by length/") for name in summary)
    assert summary["parameters"]["std"] == 0
    assert summary["aer diagonal"]["mean"] < summary["aer"]["mean"] <= 1  # six steps teach no alignment
    assert not list((tmp_path / "checkpoints").glob("*.pt"))
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


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    """A seed that was cut off after some steps gives the numbers of an unbroken one."""
    arguments = ("--attention", "additive", "--seeds", "1", "--steps", "20")
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    attnbook(*arguments, "--out", str(whole), cache=tmp_path / "a")
    script = (
        "import attnbook.experiments.translation as t\n"
        "def stop(*a): raise KeyboardInterrupt\n"
        "t.measure = stop\n"  # cut off between training and measuring: the checkpoint is there, no result
        "import sys; from attnbook.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["run", "translation", *SMALL.split(), *arguments, "--out", str(parts)]
    environment = {**os.environ, "ATTNBOOK_CACHE": str(tmp_path / "b"), "TQDM_DISABLE": "1"}
    cut = subprocess.run([sys.executable, "-c", script, *words], env=environment, check=False, timeout=400)
    assert cut.returncode == 130
    assert not parts.exists()
    assert len(list((tmp_path / "b" / "checkpoints").glob("*.pt"))) == 1
    attnbook(*arguments, "--out", str(parts), cache=tmp_path / "b")

    def numbers(path):
        seed = json.loads(path.read_text(encoding="utf-8"))["seeds"]["0"]
        return {key: value for key, value in seed.items() if key not in ("seconds", "steps per second")}

    assert numbers(parts) == numbers(whole)


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
