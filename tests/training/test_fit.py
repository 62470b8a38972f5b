"""The training loop: it learns, goes on after a kill as if nothing had happened, and says what went wrong."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from torch import nn

from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.nn import AdditiveScore, GRUDecoder, GRUEncoder, Seq2Seq
from attnbook.training.fit import Diverged, fit, translation_loss


def line(model, batch):
    """Squared error of a linear model on (x, y)."""
    x, y = batch
    return ((model(x) - y) ** 2).mean()


def line_batches(n=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    xs = [torch.randn(16, 3, generator=generator) for _ in range(n)]
    return [(x, x @ torch.tensor([[1.0], [-2.0], [0.5]])) for x in xs]


def linear():
    torch.manual_seed(1)
    return nn.Linear(3, 1)


def run(model, steps=20, **options):
    return fit(model, line_batches(), steps=steps, loss=line, progress=False, **options)


def test_it_learns_and_remembers_every_loss():
    model = linear()
    history = run(model, steps=400, learning_rate=0.05)
    assert len(history.losses) == 400
    assert history.losses[-1] < 1e-3 < history.losses[0]
    torch.testing.assert_close(model.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=0.02, rtol=0)
    assert history.seconds > 0
    assert history.steps_per_second > 0
    assert model.training


def test_one_step_by_hand():
    """Plain gradient descent, and the clipped step: as long as the learning rate times the limit."""
    x, y = line_batches(1)[0]
    for clip in (None, 0.1):
        model = linear()
        before = model.weight.detach().clone(), model.bias.detach().clone()
        gradients = torch.autograd.grad(line(model, (x, y)), list(model.parameters()))
        size = torch.sqrt(sum((g**2).sum() for g in gradients))
        fit(model, [(x, y)], steps=1, loss=line, optimiser=torch.optim.SGD, learning_rate=0.5, clip=clip,
            progress=False)  # fmt: skip
        factor = 1.0 if clip is None else clip / size
        assert size > 0.1
        torch.testing.assert_close(
            model.weight, before[0] - 0.5 * factor * gradients[0], atol=1e-6, rtol=1e-5
        )
        torch.testing.assert_close(model.bias, before[1] - 0.5 * factor * gradients[1], atol=1e-6, rtol=1e-5)


def test_the_schedule_multiplies_the_learning_rate():
    model, plain = linear(), linear()
    run(
        model,
        steps=3,
        optimiser=torch.optim.SGD,
        learning_rate=0.1,
        schedule=lambda step: 0.0 if step else 1.0,
    )
    run(plain, steps=1, optimiser=torch.optim.SGD, learning_rate=0.1)
    torch.testing.assert_close(model.weight, plain.weight, atol=0, rtol=0)


def test_batches_may_be_a_function_of_the_step():
    asked = []
    batches = line_batches()

    def batch(step):
        asked.append(step)
        return batches[step % 4]

    model, other = linear(), linear()
    fit(model, batch, steps=6, loss=line, progress=False)
    run(other, steps=6)
    assert asked == list(range(6))
    assert torch.equal(model.weight, other.weight)


def test_early_stop_goes_back_to_the_best_weights():
    model = linear()
    values = iter([3.0, 2.0, 2.5, 2.0, 9.0, 9.0])
    seen = []

    def validate(m):
        assert not m.training
        assert not torch.is_grad_enabled()
        seen.append(m.weight.detach().clone())
        return next(values)

    history = run(model, steps=100, validate=validate, validate_every=5, patience=2)
    assert history.stopped_early
    assert history.best_step == 10
    assert history.validations == [(5, 3.0), (10, 2.0), (15, 2.5), (20, 2.0)]
    assert len(history.losses) == 20
    assert torch.equal(model.weight, seen[1])


def test_keep_best_goes_back_without_stopping():
    model, seen = linear(), []
    values = iter([3.0, 1.0, 2.0, 1.5])

    def validate(m):
        seen.append(m.weight.detach().clone())
        return next(values)

    history = run(model, steps=8, validate=validate, validate_every=2, keep_best=True)
    assert len(history.losses) == 8
    assert not history.stopped_early
    assert history.best_step == 4
    assert torch.equal(model.weight, seen[1])
    assert not torch.equal(seen[1], seen[3])


# ---- checkpoints


def test_a_checkpoint_resumes_to_the_same_bits(tmp_path):
    whole, parts = linear(), linear()
    straight = run(whole, steps=30)
    path = tmp_path / "run.pt"
    run(parts, steps=11, checkpoint=path, checkpoint_every=4)
    assert not list(tmp_path.glob("*.part"))
    torch.rand(5)  # the state of the generators comes from the checkpoint, not from here
    fresh = linear()
    history = run(fresh, steps=30, checkpoint=path, checkpoint_every=4)
    assert history.resumed_from == 11
    assert history.losses == straight.losses
    assert torch.equal(fresh.weight, whole.weight)
    again = linear()
    done = run(again, steps=30, checkpoint=path)
    assert done.resumed_from == 30
    assert torch.equal(again.weight, whole.weight)


SCRIPT = """
import sys, time, torch
from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.nn import AdditiveScore, GRUDecoder, GRUEncoder, Seq2Seq
from attnbook.training.fit import fit
torch.set_num_threads(1)
torch.manual_seed(0)
src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
encoder = GRUEncoder(len(src), 12, 12, bidirectional=True, dropout=0.2)
model = Seq2Seq(encoder, GRUDecoder(len(tgt), 12, 12, 24, AdditiveScore(12, 24, 12), dropout=0.2))
batches = Batches(phrasebook.sample(200, 0, length=(3, 6)), src, tgt, 16, seed=0)
slow = float(sys.argv[3])
def batch(step):
    print(step, flush=True)
    time.sleep(slow)
    return batches(step)
history = fit(model, batch, steps=40, validate=lambda m: 1.0, validate_every=10, progress=False,
              checkpoint=sys.argv[1], checkpoint_every=7)
torch.save({"weights": model.state_dict(), "losses": history.losses, "validations": history.validations,
            "from": history.resumed_from}, sys.argv[2])
"""


def test_a_run_that_was_killed_ends_as_an_unbroken_one(tmp_path):
    """kill -9 in the middle, dropout on, then the same command again: every bit as without the kill."""
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")

    def command(name, slow):
        return [
            sys.executable,
            str(script),
            str(tmp_path / f"{name}.pt"),
            str(tmp_path / f"{name}.out"),
            slow,
        ]

    subprocess.run(command("straight", "0"), check=True, capture_output=True, timeout=300)
    victim = subprocess.Popen(command("broken", "0.05"), stdout=subprocess.PIPE, text=True)
    for text in victim.stdout:
        if int(text) == 24:
            break
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    assert not (tmp_path / "broken.out").exists()
    subprocess.run(command("broken", "0"), check=True, capture_output=True, timeout=300)
    straight, broken = (torch.load(tmp_path / f"{name}.out") for name in ("straight", "broken"))
    assert straight["from"] == 0
    assert broken["from"] in (14, 21)
    assert broken["losses"] == straight["losses"]
    assert broken["validations"] == straight["validations"]
    assert all(torch.equal(broken["weights"][name], tensor) for name, tensor in straight["weights"].items())


def test_a_foreign_or_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(linear(), steps=4, checkpoint=path)
    with pytest.raises(ValueError, match=r"belongs to another run \(seed: 0 there, 1 here\)"):
        run(linear(), steps=8, checkpoint=path, seed=1)
    with pytest.raises(ValueError, match=r"another run \(optimiser: 'Adam' there, 'SGD' here\)"):
        run(linear(), steps=8, checkpoint=path, optimiser=torch.optim.SGD)
    with pytest.raises(ValueError, match=r"another run \(parameters"):
        fit(nn.Linear(3, 2), line_batches(), steps=8, loss=line, checkpoint=path, progress=False)
    path.write_bytes(path.read_bytes()[:100])
    model = linear()
    before = model.weight.detach().clone()
    with pytest.raises(ValueError, match="cannot be read.*delete it to start afresh"):
        run(model, steps=8, checkpoint=path)
    assert torch.equal(model.weight, before)


# ---- numbers that are not finite


def test_nan_in_a_batch_stops_with_step_and_cause():
    batches = line_batches()
    batches[2] = (batches[2][0] * float("nan"), batches[2][1])
    model = linear()
    with pytest.raises(
        Diverged, match=r"^step 2: the loss is nan; weights and earlier losses were finite: likely a batch"
    ):
        fit(model, batches, steps=8, loss=line, progress=False)
    assert torch.isfinite(model.weight).all()


def test_a_learning_rate_that_explodes_is_named():
    with pytest.raises(Diverged, match=r"the loss rose from .* learning rate \(now 100\) is likely too high"):
        run(linear(), steps=200, optimiser=torch.optim.SGD, learning_rate=100.0, clip=None)


def test_a_weight_that_is_not_finite_is_named():
    model = linear()
    with torch.no_grad():
        model.bias.fill_(float("inf"))
    with pytest.raises(Diverged, match=r"^step 0: the loss is inf; parameter bias already held"):
        run(model)


def test_an_unbounded_slope_is_named():
    def root(model, batch):
        return (model(batch[0]) * 0.0).abs().sqrt().sum()

    with pytest.raises(
        Diverged, match=r"^step 0: a gradient is not finite; it is that of weight .* square root"
    ):
        fit(linear(), line_batches(), steps=2, loss=root, progress=False)


# ---- arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number of at least 1, got 0"),
        ({"steps": 2, "clip": 0}, "clip: expected a number above 0"),
        ({"steps": 2, "precision": "half"}, "precision: expected auto, float32 or mixed, got 'half'"),
        ({"steps": 2, "patience": 2}, "patience: stopping early needs validate"),
        ({"steps": 2, "keep_best": True}, "keep_best: the best weights need validate"),
        ({"steps": 2, "checkpoint_every": 0}, "checkpoint_every: expected a whole number"),
        ({"steps": 2, "validate_every": 1.5}, "validate_every: expected a whole number"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run(linear(), **options)


def test_a_loss_with_dimensions_no_batches_and_no_parameters():
    with pytest.raises(ValueError, match=r"loss: expected a tensor without dimensions, got \(16, 1\)"):
        fit(linear(), line_batches(), steps=1, loss=lambda m, b: m(b[0]), progress=False)
    with pytest.raises(ValueError, match="batches: expected at least one batch"):
        fit(linear(), [], steps=1, loss=line, progress=False)
    with pytest.raises(ValueError, match="model: expected at least one parameter"):
        fit(nn.ReLU(), line_batches(), steps=1, loss=line, progress=False)


# ---- translation


@pytest.fixture(scope="module")
def small():
    words = phrasebook.vocabulary("small")
    src, tgt = Vocabulary(words[0]), Vocabulary(words[1])
    torch.manual_seed(0)
    encoder = GRUEncoder(len(src), 24, 24, bidirectional=True)
    model = Seq2Seq(encoder, GRUDecoder(len(tgt), 24, 24, 48, AdditiveScore(24, 48, 24)))
    return model, Batches(phrasebook.sample(64, 0, length=(4, 6)), src, tgt, 32, seed=0)


def test_translation_loss_counts_real_words_alone(small):
    model, batches = small
    batch = batches(0)
    logits, _ = model(batch.src, batch.tgt[:, :-1], batch.src_mask)
    total, count = 0.0, 0
    for row in range(len(batch.tgt)):
        for position in range(1, int(batch.tgt_mask[row].sum())):
            total -= logits[row, position - 1].log_softmax(-1)[batch.tgt[row, position]].item()
            count += 1
    assert translation_loss(model, batch).item() == pytest.approx(total / count, rel=1e-5)
    assert count < batch.tgt[:, 1:].numel()


def test_a_translator_learns(small):
    model, batches = small
    history = fit(model, batches, steps=60, learning_rate=5e-3, progress=False)
    assert history.losses[-1] < 0.6 * history.losses[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU: mixed precision")
def test_mixed_precision_learns_on_a_gpu(small):
    model, batches = small
    history = fit(model, batches, steps=60, learning_rate=5e-3, device="cuda", progress=False)
    assert next(model.parameters()).dtype == torch.float32
    assert history.losses[-1] < 0.8 * history.losses[0]
    model.cpu()


def test_mixed_precision_runs_on_the_processor_too(small):
    model, batches = small
    history = fit(model, batches, steps=3, precision="mixed", progress=False)
    assert all(0 < loss < 10 for loss in history.losses)


def test_time_is_counted(small):
    model, batches = small
    started = time.monotonic()
    history = fit(model, batches, steps=2, progress=False)
    assert 0 < history.seconds <= time.monotonic() - started
    assert history.cpu_seconds > 0
