"""Speed and memory of attnbook.nn beside torch's own, in one run.

    python benchmarks/nn.py [--repeats 20] [--device cpu] [--json FILE]

Two comparisons, each over several sizes. Both sides do the same mathematics (their outputs are compared
first) and take turns within one process (ours, torch's, torch's, ours, …):

- a training step (forward, loss, backward, Adam) of ``Transformer`` and of ``torch.nn.Transformer`` with
  the same embeddings, positions and tied output layer around it;
- ``scaled_dot_product_attention(…, need_weights=False)``, forward and backward, and torch's; beside it, for
  the reader, the taught form that also returns the weights.

Times are medians over the turns, and the ratio is that of the medians. On the CPU a time is the process's
CPU time on one thread, which other programs on the machine disturb far less than the clock on the wall; on
CUDA it is the wall's, after synchronising. Memory is the most that one call holds at a time beyond what was
there before it: by torch's counter on CUDA, and by torch's profiler on the CPU.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
import warnings

# The profiler's own log lines would bury the table; they are switched off before torch reads these.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import torch
import torch.nn.functional as F
from torch import nn

from attnbook.nn import SinusoidalPositions, Transformer, scaled_dot_product_attention

warnings.filterwarnings("ignore", message="enable_nested_tensor")

LIMIT = 1.1
# name, batch, src, tgt, d_model, heads, layers, d_ff, vocab, norm
STEPS = [
    ("chapter", 64, 16, 16, 96, 4, 2, 384, 600, "pre"),
    ("small", 32, 32, 32, 128, 4, 2, 512, 1000, "post"),
    ("medium", 8, 48, 48, 256, 8, 3, 1024, 4000, "pre"),
    ("base, cut to 2 layers", 4, 48, 48, 512, 8, 2, 2048, 8000, "post"),
]
# batch, heads, queries, keys, d_head, mask
CALLS = [
    (32, 4, 32, 32, 32, "none"),
    (32, 4, 32, 32, 32, "padding"),
    (8, 8, 128, 128, 64, "none"),
    (8, 8, 128, 128, 64, "causal"),
    (8, 8, 128, 128, 64, "padding"),
    (2, 8, 512, 512, 64, "causal"),
    (1, 8, 1024, 1024, 64, "none"),
    (16, 8, 1, 512, 64, "none"),
]


class TorchTranslator(nn.Module):
    """torch.nn.Transformer between the same embeddings, positions and tied output as our translator has."""

    def __init__(self, vocab, d_model, heads, layers, d_ff, norm):
        super().__init__()
        self.d_model = d_model
        self.src_embedding, self.tgt_embedding = nn.Embedding(vocab, d_model), nn.Embedding(vocab, d_model)
        self.positions = SinusoidalPositions(d_model)
        self.transformer = nn.Transformer(
            d_model, heads, layers, layers, d_ff, 0.0, batch_first=True, norm_first=norm == "pre"
        )
        if norm == "post":  # the paper has no norm after the last layer there
            self.transformer.encoder.norm = self.transformer.decoder.norm = None

    def forward(self, src, tgt, src_mask):
        scale = math.sqrt(self.d_model)
        causal = nn.Transformer.generate_square_subsequent_mask(tgt.shape[1], device=tgt.device)
        padding = torch.zeros(src.shape, device=src.device).masked_fill(~src_mask, -torch.inf)
        x = self.transformer(
            self.positions(self.src_embedding(src) * scale),
            self.positions(self.tgt_embedding(tgt) * scale),
            tgt_mask=causal,
            tgt_is_causal=True,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return x @ self.tgt_embedding.weight.T

    @torch.no_grad()
    def copy_from(self, ours):
        """Take our model's parameters, so that both give the same numbers."""
        self.src_embedding.load_state_dict(ours.src_embedding.state_dict())
        self.tgt_embedding.load_state_dict(ours.tgt_embedding.state_dict())
        if self.transformer.encoder.norm is not None:
            self.transformer.encoder.norm.load_state_dict(ours.encoder_norm.state_dict())
            self.transformer.decoder.norm.load_state_dict(ours.decoder_norm.state_dict())
        for theirs, layers in (
            (self.transformer.encoder.layers, ours.encoder),
            (self.transformer.decoder.layers, ours.decoder),
        ):
            for layer, mine in zip(theirs, layers, strict=True):
                pairs = [(layer.self_attn, mine.attention)]
                if hasattr(layer, "multihead_attn"):
                    pairs.append((layer.multihead_attn, mine.cross_attention))
                    layer.norm3.load_state_dict(mine.norm_3.state_dict())
                for attention, own in pairs:
                    parts = (own.W_q, own.W_k, own.W_v)
                    attention.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
                    attention.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
                    attention.out_proj.load_state_dict(own.W_o.state_dict())
                layer.linear1.load_state_dict(mine.feed_forward.W_1.state_dict())
                layer.linear2.load_state_dict(mine.feed_forward.W_2.state_dict())
                layer.norm1.load_state_dict(mine.norm_1.state_dict())
                layer.norm2.load_state_dict(mine.norm_2.state_dict())


def synchronise(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def clock(device):
    """Seconds, by the clock that the docstring above names."""
    synchronise(device)
    return time.perf_counter() if device.type == "cuda" else time.process_time()


def take_turns(functions, repeats, device, inner=1):
    """Seconds of each function, a list each: all in turn, ``repeats`` times, in reversed order every time."""
    times = [[] for _ in functions]
    for function in functions:
        for _ in range(3):
            function()
    for i in range(repeats):
        order = range(len(functions))
        for k in order if i % 2 == 0 else reversed(order):
            start = clock(device)
            for _ in range(inner):
                functions[k]()
            times[k].append((clock(device) - start) / inner)
    return times


def peak_bytes(function, device):
    """The most memory that one call holds at a time, beyond what was there before it."""
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        function()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with torch.profiler.profile(
        profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]
    ) as profile:
        function()
    held = peak = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def ratio(ours, theirs):
    return statistics.median(ours) / statistics.median(theirs)


def step_row(size, repeats, device):
    name, batch, src_len, tgt_len, d_model, heads, layers, d_ff, vocab, norm = size
    torch.manual_seed(0)
    ours = Transformer(vocab, vocab, d_model, heads, layers, d_ff, 0.0, norm).to(device)
    theirs = TorchTranslator(vocab, d_model, heads, layers, d_ff, norm).to(device)
    theirs.copy_from(ours)
    src = torch.randint(vocab, (batch, src_len), device=device)
    tgt = torch.randint(vocab, (batch, tgt_len + 1), device=device)
    lengths = torch.randint(src_len // 2, src_len + 1, (batch, 1), device=device)
    mask = torch.arange(src_len, device=device) < lengths
    with torch.no_grad():
        torch.testing.assert_close(
            ours(src, tgt[:, :-1], mask)[0], theirs(src, tgt[:, :-1], mask), rtol=1e-3, atol=1e-3
        )

    def training_step(model, logits_of):
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)

        def step():
            loss = F.cross_entropy(
                logits_of(model(src, tgt[:, :-1], mask)).flatten(0, 1), tgt[:, 1:].flatten()
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

        return step

    steps = training_step(ours, lambda out: out[0]), training_step(theirs, lambda out: out)
    mine, torchs = take_turns(steps, repeats, device)
    return {
        "what": "training step",
        "size": f"{name}: batch {batch}, {src_len}/{tgt_len} words, d {d_model}, {heads} heads, "
        f"{layers}+{layers} layers, {norm}-norm",
        "ours_ms": 1e3 * statistics.median(mine),
        "torch_ms": 1e3 * statistics.median(torchs),
        "ratio": ratio(mine, torchs),
        "ours_mb": peak_bytes(steps[0], device) / 1e6,
        "torch_mb": peak_bytes(steps[1], device) / 1e6,
    }


def call_rows(size, repeats, device):
    batch, heads, queries, keys, d_head, kind_of_mask = size
    torch.manual_seed(0)
    query, key, value = (
        torch.randn(batch, heads, n, d_head, device=device, requires_grad=True) for n in (queries, keys, keys)
    )
    direction = torch.randn(batch, heads, queries, d_head, device=device)
    mask, causal = None, kind_of_mask == "causal"
    if kind_of_mask == "padding":
        lengths = torch.randint(keys // 2, keys + 1, (batch, 1, 1, 1), device=device)
        mask = torch.arange(keys, device=device) < lengths  # (batch, 1, 1, keys)

    def ours():
        return scaled_dot_product_attention(query, key, value, mask, causal=causal, need_weights=False)[0]

    def theirs():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)

    def taught():
        return scaled_dot_product_attention(query, key, value, mask, causal=causal)[0]

    torch.testing.assert_close(ours(), theirs())
    torch.testing.assert_close(taught(), theirs(), rtol=1e-4, atol=1e-4)

    def no_gradient(function):
        def call():
            with torch.no_grad():
                function()

        return call

    def with_gradient(function):
        return lambda: torch.autograd.grad(function(), (query, key, value), direction)

    shape = f"batch {batch}, {heads} heads, {queries}×{keys}, d {d_head}, mask {kind_of_mask}"
    for kind, wrap in (("forward", no_gradient), ("forward and backward", with_gradient)):
        calls = [wrap(function) for function in (ours, theirs, taught)]
        calls[1]()
        # A turn of about 5 ms or more, so that the clock's own cost does not count.
        start = clock(device)
        calls[1]()
        inner = max(1, min(100, math.ceil(0.005 / (clock(device) - start))))
        times = take_turns(calls, repeats, device, inner)
        yield {
            "what": f"scaled_dot_product_attention, {kind}",
            "size": shape,
            "ours_ms": 1e3 * statistics.median(times[0]),
            "torch_ms": 1e3 * statistics.median(times[1]),
            "ratio": ratio(times[0], times[1]),
            "taught_ratio": ratio(times[2], times[1]),
            "ours_mb": peak_bytes(calls[0], device) / 1e6,
            "torch_mb": peak_bytes(calls[1], device) / 1e6,
            "taught_mb": peak_bytes(calls[2], device) / 1e6,
        }


def report(rows):
    for what in dict.fromkeys(row["what"] for row in rows):
        print(f"\n{what}: at most {LIMIT}× of torch's")
        print(
            f"{'ours ms':>9} {'torch ms':>9} {'ratio':>6} {'ours MB':>8} {'torch MB':>8}  taught form   size"
        )
        for row in (row for row in rows if row["what"] == what):
            taught = f"{row['taught_ratio']:.2f}×, {row['taught_mb']:.1f} MB" if "taught_ratio" in row else ""
            print(
                f"{row['ours_ms']:9.3f} {row['torch_ms']:9.3f} {row['ratio']:5.2f}× {row['ours_mb']:8.1f} "
                f"{row['torch_mb']:8.1f}  {taught:13}  {row['size']}"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=20, help="turns of each side (default 20)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", help="also write the rows to this file")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.set_num_threads(1 if device.type == "cpu" else torch.get_num_threads())
    machine = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"
    print(
        f"torch {torch.__version__}, {machine}, {torch.get_num_threads()} thread, {arguments.repeats} repeats"
    )
    rows = [step_row(size, arguments.repeats, device) for size in STEPS]
    for size in CALLS:
        rows += call_rows(size, arguments.repeats, device)
    report(rows)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "machine": machine, "rows": rows}, file, indent=1)
    worst = max(row["ratio"] for row in rows)
    print(f"\nlargest ratio {worst:.2f}×, limit {LIMIT}×: {'within' if worst <= LIMIT else 'BEYOND'}")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
