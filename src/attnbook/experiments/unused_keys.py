"""What the shipped language model's attention leaves unused, and what it loses when keys are taken away.

The model is ``11_language_model``: 4 layers of 4 heads, rotary positions, trained on windows of 128 tokens that
begin anywhere. The text is the book's held-out prose.

*Used.* For the queries 64 to 127 of a window of 128: the number of keys that hold 95 % of the weight, by head.

*Taken away.* The same queries may attend to as many keys as a choice by blocks of 4 leaves them: the best by the
exact scores (``oracle``, which has to compute them all), the chosen ``blocks``, the latest (``window``), or blocks
by ``chance``. The error of a head's context, |c' - c| / |c|, is measured layer by layer on the whole model's
inputs; the loss with all layers restricted at once.

*Forgotten.* The text as streams of 384 tokens, read token by token through a cache of 32 keys (beside the token
itself): the latest 32; the first 4 and the latest 28; 4 drawn by chance and the latest 28; and a cache that
forgets nothing. Loss in bits a byte by position. For the last 128 tokens also the loss when the latest 33 tokens
are read anew each time.

*A sink that is there.* The same three caches, of 4 keys, on the reader of :mod:`attnbook.experiments.circuits` that
puts its weight on a start marker where it has nothing to say. If the caches can show a sink, they show it there.
"""  # noqa: E501

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.data import prose
from attnbook.experiments.circuits import TRIGGERS, QuietReader, distance, quiet_texts
from attnbook.experiments.extrapolation import NOTHING
from attnbook.experiments.options import at_least
from attnbook.models import TrainedModel, load
from attnbook.nn import GPTState, MultiHeadAttention, SinkCache, selected_keys
from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.masks import causal_mask
from attnbook.nn.multi_head import merge_heads, split_heads
from attnbook.training.fit import fit

ABOUT = "what the shipped language model's attention leaves unused, and caches that forget"

MODEL = "11_language_model"
WINDOW, FROM = 128, 64  # tokens of a window; queries are counted from this one on
STREAM = 384
CACHE_SIZE, FIRST = 32, 4
BUCKETS = ((0, 32), (32, 64), (64, 128), (128, 256), (256, 384))  # positions of the token that is guessed
BLOCK = 4
BUDGETS = (8, 16, 32)  # keys: so many blocks of 4, the last of them not full
CHOICES = ("oracle", "blocks", "window", "chance")
CACHES = ("everything", "window", "first", "chance")
HELD = 0.95
Choice = Callable[[Tensor, Tensor], Tensor]  # query and key to a mask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much text, and the training of the reader with a sink."""
    add = parser.add_argument
    add("--windows", type=int, default=31, metavar="N", help="of 128 tokens, at most 62 (default 31)")
    add("--streams", type=int, default=20, metavar="N", help="of 384 tokens, at most 20 (default 20)")
    add("--quiet-steps", type=int, default=500, metavar="N", help="of the reader with a sink (default 500)")


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """All four. The seed draws what chance chooses, and is that of the reader with a sink.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "windows", "streams", "quiet_steps")
    trained = load(MODEL)
    trained.model.to(device)
    return {
        "used": used(trained, options.windows),
        "taken away": taken_away(trained, options.windows, seed),
        "forgotten": forgotten(trained, options.streams, seed),
        "a sink that is there": with_a_sink(options.quiet_steps, seed, device),
    }


def pieces(trained: TrainedModel, n: int, length: int) -> Tensor:
    """The first ``n`` pieces of the held-out prose, (n, length) of int, none overlapping.

    Raises
    ------
    ValueError
        If the text is shorter.
    """
    tokenizer: Any = trained.tokenizer
    tokens = tokenizer.encode(prose.joined(prose.split()[1]))
    if n * length > len(tokens):
        raise ValueError(f"n: expected at most {len(tokens) // length} pieces of {length} tokens, got {n}")
    device = next(trained.model.parameters()).device
    return torch.tensor(tokens[: n * length], device=device).view(n, length)


def token_bytes(trained: TrainedModel, tokens: Tensor) -> Tensor:
    """How many bytes of text each token stands for, the shape of the tokens."""
    tokenizer: Any = trained.tokenizer
    sizes = [len(piece) for piece in tokenizer.tokens]
    return torch.tensor(sizes, device=tokens.device)[tokens]


# ---- used ------------------------------------------------------------------------------------------


def keys_that_hold(weights: Tensor, share: float = HELD) -> Tensor:
    """The smallest number of keys that together hold so much of a row's weight: (…, queries, keys) to
    (…, queries).
    """
    falling = weights.sort(dim=-1, descending=True).values.cumsum(dim=-1)
    return (falling < share).sum(dim=-1) + 1


@torch.no_grad()
def used(trained: TrainedModel, n: int) -> dict[str, Any]:
    """By layer and head: keys that hold 95 %, as a share of those in reach; and the weight on the first 4."""
    _, weights = trained.model(pieces(trained, n, WINDOW), need_weights=True)
    reach = torch.arange(FROM + 1, WINDOW + 1, device=weights[0].device)
    found: dict[str, Any] = {"share": [], "by window": [], "first four": []}
    for layer in weights:
        late = layer[:, :, FROM:]  # (n, heads, queries, keys)
        share = keys_that_hold(late) / reach
        found["share"].append(share.mean(dim=(0, 2)).tolist())
        found["by window"].append(share.mean(dim=2).T.tolist())  # heads, windows
        found["first four"].append(late[..., :FIRST].sum(dim=-1).mean(dim=(0, 2)).tolist())
    found["first four if even"] = (FIRST / reach).mean().item()
    return found


# ---- taken away ------------------------------------------------------------------------------------


def allowed(query: Tensor, key: Tensor, budget: int, choice: str, generator: torch.Generator) -> Tensor:
    """Which keys a choice leaves, (…, length, length) of bool; equally many in a row whatever the choice.

    Raises
    ------
    ValueError
        If the choice is none of ``CHOICES``.
    """
    if choice not in CHOICES:
        raise ValueError(f"choice: expected one of {', '.join(CHOICES)}, got {choice!r}")
    length, n_blocks = query.shape[-2], budget // BLOCK
    drawn = None
    if choice == "chance":
        blocks = -(-length // BLOCK)
        drawn = torch.rand(*query.shape[:-1], blocks, generator=generator).to(query.device)
    mask = selected_keys(query, key, BLOCK, n_blocks, drawn)
    if choice in ("blocks", "chance"):
        return mask
    count = mask.sum(dim=-1, keepdim=True)
    past = causal_mask(length, device=query.device)
    if choice == "window":
        place = torch.arange(length, device=query.device)
        return past & (place.unsqueeze(-1) - place < count)
    scores = (query @ key.transpose(-2, -1)).masked_fill(~past, -torch.inf)
    falling = scores.sort(dim=-1, descending=True).values
    return past & (scores >= falling.gather(-1, count - 1))


class Restricted(nn.Module):
    """A layer's attention over what ``choose(query, key)`` leaves. It notes how far the contexts are off."""

    def __init__(self, attention: MultiHeadAttention, choose: Choice, on: bool):
        super().__init__()
        self.attention, self.choose, self.on = attention, choose, on
        self.error = torch.zeros(0)

    def forward(self, x: Tensor, *_: object, **__: object) -> tuple[Tensor, None]:
        """(batch, length, d_model) → the same; the whole context goes on unless the restriction is on."""
        own: Any = self.attention
        query, key, value = (split_heads(w(x), own.n_heads) for w in (own.W_q, own.W_k, own.W_v))
        query, key = own.positions.rotate(query), own.positions.rotate(key)
        few = scaled_dot_product_attention(query, key, value, self.choose(query, key))[0]
        if not self.on:
            whole = scaled_dot_product_attention(query, key, value, causal=True)[0]
            off = (few - whole).norm(dim=-1) / whole.norm(dim=-1)  # (batch, heads, length)
            self.error = off[..., FROM:].mean(dim=(1, 2))  # of each window
            few = whole
        return own.W_o(merge_heads(few)), None


@contextmanager
def restricted(model: Any, choose: Choice, on: bool) -> Iterator[list[Restricted]]:
    """The model with every layer's attention restricted, for as long as the block lasts."""
    attentions = [layer.attention for layer in model.layers]
    changed = [Restricted(attention, choose, on) for attention in attentions]
    try:
        for layer, each in zip(model.layers, changed, strict=True):
            layer.attention = each
        yield changed
    finally:
        for layer, attention in zip(model.layers, attentions, strict=True):
            layer.attention = attention


@torch.no_grad()
def taken_away(trained: TrainedModel, n: int, seed: int) -> dict[str, Any]:
    """By choice and budget: the error of the contexts by layer, and bits a byte of each window."""
    model, tokens = trained.model.eval(), pieces(trained, n, WINDOW)
    sizes = token_bytes(trained, tokens)[:, FROM + 1 :]
    found: dict[str, Any] = {"bytes": sizes.sum(dim=1).tolist(), "whole": bits_of(model, tokens)}
    for choice in CHOICES:
        found[choice] = {}
        for budget in BUDGETS:
            generator = torch.Generator().manual_seed(seed)
            choose = partial(allowed, budget=budget, choice=choice, generator=generator)
            with restricted(model, choose, on=False) as layers:
                model(tokens)
                errors = [layer.error.tolist() for layer in layers]
            with restricted(model, choose, on=True):
                bits = bits_of(model, tokens)
            found[choice][str(budget)] = {"error by layer and window": errors, "bits": bits}
    return found


def bits_of(model: nn.Module, tokens: Tensor) -> list[float]:
    """Bits of the tokens behind the query 64 of each window, summed over the window."""
    logits, _ = model(tokens)
    losses = F.cross_entropy(logits[:, FROM:-1].transpose(1, 2), tokens[:, FROM + 1 :], reduction="none")
    return (losses.sum(dim=1) / math.log(2)).tolist()


# ---- forgotten -------------------------------------------------------------------------------------


class ChanceCache(SinkCache):
    """In place of the first tokens, some that chance draws among the first that fit the cache."""

    def __init__(self, n_first: int, window: int, rotary: Any = None, seed: int = 0):
        super().__init__(n_first, window, rotary)
        # Not the first ones, and none that the window of a full cache still holds when it first forgets.
        drawn = torch.randperm(max(1, window - n_first), generator=torch.Generator().manual_seed(seed))
        self.drawn = {n_first + int(i) for i in drawn[:n_first]}
        self.seed, self.read, self.numbers = seed, 0, []

    def survivors(self, length: int) -> Tensor:
        """Which rows are kept: those drawn, and the latest, as many as there is room for."""
        self.numbers += range(self.read, self.read + length - len(self.numbers))
        self.read = self.numbers[-1] + 1
        room = self.n_first + self.window
        latest = set(self.numbers[-self.window :])
        kept = [i for i, number in enumerate(self.numbers) if number in self.drawn or number in latest]
        while len(kept) < min(room, length):  # those drawn are still in the window
            kept = sorted({*kept, max(i for i in range(length) if i not in kept)})
        self.numbers = [self.numbers[i] for i in kept]
        return torch.tensor(kept)

    def copy(self) -> ChanceCache:
        """As its parent's, with what it remembers of its tokens."""
        twin = ChanceCache(self.n_first, self.window, self.rotary, self.seed)
        twin.key, twin.value = self.key, self.value
        twin.read, twin.numbers = self.read, list(self.numbers)
        return twin


def cache(name: str, size: int, n_first: int, rotary: Any, seed: int) -> SinkCache:
    """One of ``CACHES``, which holds ``size`` keys.

    Raises
    ------
    ValueError
        If the name is none of them.
    """
    if name not in CACHES:
        raise ValueError(f"name: expected one of {', '.join(CACHES)}, got {name!r}")
    if name == "everything":
        return SinkCache(0, 1_000_000, rotary)
    if name == "window":
        return SinkCache(0, size, rotary)
    if name == "first":
        return SinkCache(n_first, size - n_first, rotary)
    return ChanceCache(n_first, size - n_first, rotary, seed)


@torch.no_grad()
def streamed(model: Any, tokens: Tensor, name: str, seed: int = 0) -> Tensor:
    """Nats of every token but the first, (streams, length - 1), read token by token."""
    caches: Any = tuple(
        cache(name, CACHE_SIZE, FIRST, layer.attention.positions, seed) for layer in model.layers
    )
    state, losses = GPTState(caches), []
    for i in range(tokens.shape[1] - 1):
        logits, state = model.step(tokens[:, i : i + 1], state)
        losses.append(F.cross_entropy(logits, tokens[:, i + 1], reduction="none"))
    return torch.stack(losses, dim=1)


@torch.no_grad()
def read_anew(model: nn.Module, tokens: Tensor) -> Tensor:
    """Nats of the last bucket's tokens, when the latest 33 tokens are all that was ever read."""
    length, losses = CACHE_SIZE + 1, []
    for i in range(BUCKETS[-1][0] - 1, BUCKETS[-1][1] - 1):
        logits, _ = model(tokens[:, i + 1 - length : i + 1])
        losses.append(F.cross_entropy(logits[:, -1], tokens[:, i + 1], reduction="none"))
    return torch.stack(losses, dim=1)


def by_bucket(nats: Tensor, sizes: Tensor) -> list[list[float]]:
    """Bits a byte by bucket of positions and by stream."""
    rows = []
    for low, high in BUCKETS:  # the loss in column i is that of token i + 1
        part = slice(max(0, low - 1), high - 1)
        rows.append((nats[:, part].sum(1) / math.log(2) / sizes[:, part].sum(1)).tolist())
    return rows


def forgotten(trained: TrainedModel, n: int, seed: int) -> dict[str, Any]:
    """Bits a byte of each cache by bucket and stream."""
    model, tokens = trained.model.eval(), pieces(trained, n, STREAM)
    sizes = token_bytes(trained, tokens)[:, 1:]
    found: dict[str, Any] = {name: by_bucket(streamed(model, tokens, name, seed), sizes) for name in CACHES}
    late = sizes[:, BUCKETS[-1][0] - 1 :].sum(1)
    found["read anew"] = (read_anew(model, tokens).sum(1) / math.log(2) / late).tolist()
    return found


# ---- a sink that is there --------------------------------------------------------------------------


def with_a_sink(steps: int, seed: int, device: torch.device) -> dict[str, float]:
    """Right answers of a reader that has a sink, from the 8th symbol on, by cache; and the sink's weight."""
    torch.manual_seed(seed)
    model = QuietReader("softmax").to(device)
    generator = torch.Generator().manual_seed(seed)

    def batches(_: int) -> tuple[Tensor, Tensor]:
        text, right = quiet_texts(32, TRIGGERS, generator)
        return text.to(device), right.to(device)

    fit(model, batches, steps=steps, learning_rate=5e-3, seed=seed, loss=distance, progress=False)
    text, right = quiet_texts(256, TRIGGERS, torch.Generator().manual_seed(1_000_003))
    attention = MultiHeadAttention(64, 1, positions=model.attention.positions).to(device)
    attention.load_state_dict(model.attention.state_dict(), strict=False)
    found = {}
    with torch.no_grad():
        late = model.look(text.to(device))[1][:, 8:, 0].cpu()
        found["weight on the first"] = late[text[:, 8:] >= TRIGGERS].mean().item()
        for name in CACHES:
            x = model.vectors[text.to(device)]
            held = cache(name, 4, 1, None, seed)
            said = [
                attention(model.norm(x[:, i : i + 1]), causal=True, cache=held)[0] for i in range(x.shape[1])
            ]
            nearest = ((x + torch.cat(said, dim=1)) @ model.vectors.T).argmax(dim=-1).cpu()
            asked = (right != NOTHING)[:, 8:]
            found[name] = (nearest == right)[:, 8:][asked].float().mean().item()
    return found
