"""A transformer in mixed precision, compiled, and on two processes gives what the plain one gives."""

import shutil
import socket
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn as torch_nn

from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.nn import Transformer
from attnbook.training.fit import fit, translation_loss

WORDS = [Vocabulary(words) for words in phrasebook.vocabulary("small")]
PAIRS = phrasebook.sample(60, 0, "small", (4, 7))


def translator(dropout=0.0):
    torch.manual_seed(0)
    return Transformer(len(WORDS[0]), len(WORDS[1]), 16, 2, 1, 24, dropout=dropout, norm="pre")


# The gradient of a key's bias is zero but for rounding, which Adam's usual 1e-8 would blow up to whole steps.
Gentle = partial(torch.optim.Adam, eps=1e-3)


def batches():
    return Batches(PAIRS, *WORDS, 12, seed=0)


def line(model, batch):
    return ((model(batch[0]) - batch[1]) ** 2).mean()


def points(rows):
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(n, 3, generator=generator), torch.randn(n, 1, generator=generator)) for n in rows]


def weights_close(one, other, **options):
    ours, theirs = one.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], **options)


# ---- mixed precision


def test_mixed_precision_keeps_weights_in_float32_and_the_loss():
    plain, mixed = translator(), translator()
    exact = fit(plain, batches(), steps=12, precision="float32", progress=False)
    rough = fit(mixed, batches(), steps=12, precision="mixed", progress=False)
    assert {parameter.dtype for parameter in mixed.parameters()} == {torch.float32}
    assert rough.losses != exact.losses  # bfloat16 has eight bits for the fraction and its leading one
    assert rough.losses == pytest.approx(exact.losses, rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU: bfloat16 and compiled training")
@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_the_transformer_on_a_gpu(compile):
    exact = fit(translator(), batches(), steps=12, precision="float32", progress=False)
    model = translator()
    rough = fit(model, batches(), steps=12, device="cuda", compile=compile, progress=False)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert rough.losses == pytest.approx(exact.losses, rel=0.03)


# ---- compiled


def test_a_traced_transformer_trains_as_the_plain_one():
    """Traced and run graph by graph, in batches of several shapes. Tracing needs no compiler."""
    plain, traced = translator(), translator()
    torch._dynamo.reset()
    eager = fit(plain, batches(), steps=8, progress=False)
    graph = fit(
        torch.compile(traced, fullgraph=True, dynamic=True, backend="aot_eager"),
        batches(), steps=8, progress=False,
    )  # fmt: skip
    assert graph.losses == pytest.approx(eager.losses, rel=1e-5)
    weights_close(traced, plain, atol=1e-4, rtol=1e-3)


def compiler():
    if shutil.which("g++") is None:
        pytest.skip(
            "no C++ compiler on this machine: compiled training was checked by tracing only; install g++"
        )


def test_compiled_training_and_its_checkpoint(tmp_path):
    """Machine code for batches of two sizes; a run begun compiled goes on plain, and the reverse."""
    compiler()

    def straight():
        torch.manual_seed(1)
        return torch_nn.Linear(3, 1)

    data = points([8, 8, 5, 8, 5, 5])
    run = partial(fit, batches=data, loss=line, progress=False)
    plain = straight()
    losses = run(plain, steps=12).losses
    torch._dynamo.reset()
    for first, second in ((True, False), (False, True)):
        path = tmp_path / f"{first}.pt"
        begun, ended = straight(), straight()
        run(begun, steps=6, compile=first, checkpoint=path)
        assert set(torch.load(path)["model"]) == {"weight", "bias"}  # no prefix of the compiled wrapper's
        history = run(ended, steps=12, compile=second, checkpoint=path)
        assert history.resumed_from == 6
        assert history.losses == pytest.approx(losses, rel=1e-5)
        weights_close(ended, plain, atol=1e-6, rtol=1e-5)


def test_without_a_compiler_it_says_so(monkeypatch):
    monkeypatch.setenv("CXX", "a-compiler-that-is-not-here")
    model = translator()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"^compile: torch.compile needs a C\+\+ compiler, and a-compiler"):
        fit(model, batches(), steps=1, compile=True, progress=False)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


# ---- two processes

PROCESSES = """
import runpy, sys, torch, torch.distributed as dist
from attnbook.training.fit import fit
here = runpy.run_path(sys.argv[2])
torch.set_num_threads(1)
dist.init_process_group("gloo")
model = here["translator"]()
history = fit(model, here["batches"](), steps=6, optimiser=here["Gentle"], progress=False)
torch.save({"weights": model.state_dict(), "losses": history.losses}, f"{sys.argv[1]}/{dist.get_rank()}.pt")
dist.destroy_process_group()
"""


def test_two_processes_equal_one_that_averages_two_batches(tmp_path):
    """Adam, clipping and padding included: gradients are averaged before anything is done with them."""
    script = tmp_path / "two.py"
    script.write_text(PROCESSES, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}"]
    command = [sys.executable, *launcher, str(script), str(tmp_path), __file__]
    subprocess.run(command, check=True, capture_output=True, timeout=400)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
    assert first["losses"] == second["losses"]
    both = batches()
    alone = translator()
    history = fit(
        alone,
        lambda step: (both(2 * step), both(2 * step + 1)),
        loss=lambda model, pair: sum(translation_loss(model, batch) for batch in pair) / 2,
        steps=6, optimiser=Gentle, progress=False,
    )  # fmt: skip
    assert first["losses"] == pytest.approx(history.losses, rel=1e-5)
    for name, tensor in alone.state_dict().items():
        torch.testing.assert_close(first["weights"][name], tensor, atol=1e-5, rtol=1e-4)
