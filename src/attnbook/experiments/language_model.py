"""A small GPT on the book's own prose, and Kneser–Ney counting on the same tokens.

``attnbook run language_model`` trains on the sections of :mod:`attnbook.data.prose` that are not held out, or
on a share of them, with the tokenizer learned from the same training text. The best weights on the held-out
sections are kept, so their loss is a little better than that of a third text would be. Loss is in nats a
token and, to compare tokenizers, in bits a byte. ``--ship NAME`` stores the model with its tokenizer.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from attnbook.analysis.ngrams import KneserNey
from attnbook.data import prose
from attnbook.data.byte_pairs import N_BYTES, BytePairTokenizer
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.experiments.shipping import Trained
from attnbook.experiments.training_rule import checkpoint_path, forget
from attnbook.models import build
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import fit
from attnbook.training.schedules import warmup_linear

ABOUT = "a small GPT on the book's own prose, against counting"

WINDOW = 128  # tokens that the model reads at once
ORDERS = (1, 2, 3, 4, 5, 6)
_FITTED: dict[tuple[str, int], tuple[nn.Module, dict[str, Any]]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size of the model, of the text and of the training."""
    add = parser.add_argument
    add("--share", type=float, default=1.0, metavar="S", help="of the training sections (default 1)")
    add("--vocab", type=int, default=1024, metavar="N", help="tokens (default 1,024)")
    add("--d-model", type=int, default=96, metavar="N", help="(default 96)")
    add("--layers", type=int, default=4, metavar="N", help="(default 4)")
    add("--heads", type=int, default=4, metavar="N", help="(default 4)")
    add("--dropout", type=float, default=0.15, metavar="P", help="(default 0.15)")
    add("--steps", type=int, default=4000, metavar="N", help="at most (default 4,000)")
    add("--batch-size", type=int, default=8, metavar="N", help="windows of 128 tokens a step (default 8)")
    add("--learning-rate", type=float, default=3e-3, metavar="R", help="the largest (default 0.003)")
    add("--validate-every", type=int, default=200, metavar="N", help="steps (default 200)")
    add("--patience", type=int, default=6, metavar="N", help="validations without a better one (default 6)")


def result_name(options: argparse.Namespace) -> str:
    """``language_model``, or with the share of the text behind it."""
    return "language_model" if options.share == 1 else f"language_model_{options.share:g}"


def texts(share: float) -> tuple[str, str]:
    """Training text and held-out text. A share is taken evenly from the whole book.

    Raises
    ------
    ValueError
        If the share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"--share: expected a number above 0 and at most 1, got {share}")
    train, held_out = prose.split()
    kept = [section for place, section in enumerate(train) if int((place + 1) * share) > int(place * share)]
    return prose.joined(kept), prose.joined(held_out)


@torch.no_grad()
def nats(model: nn.Module, tokens: Sequence[int], window: int = WINDOW, stride: int | None = None) -> float:
    """−Σ ln p of all tokens but the first.

    Parameters
    ----------
    model : GPT
    tokens : sequence of int
    window : int
        The model reads this many tokens at once.
    stride : int, optional
        By how much the window moves: a token is counted with at least ``window − stride`` tokens before it,
        where the text has them. ``window`` if left out.
    """
    stride = stride or window
    device = next(model.parameters()).device
    text = torch.tensor([int(token) for token in tokens], device=device)
    total, counted = 0.0, 1
    with evaluating(model):
        for start in range(0, len(text) - 1, stride):
            read = text[start : start + window + 1]
            logits, _ = model(read[:-1].unsqueeze(0))
            losses = cross_entropy(logits[0], read[1:], reduction="none")
            new = start + len(read) - counted  # tokens that no window before has counted
            total += losses[len(losses) - new :].sum().item()
            counted += new
            if start + window + 1 >= len(text):
                break
    return total


def bits_a_byte(total: float, text: str) -> float:
    """From nats of a whole text to bits a byte, which no tokenizer changes the meaning of."""
    return total / math.log(2) / len(text.encode("utf-8"))


class Windows:
    """``windows(step)``: random windows of the text, (batch, window + 1), the same for a step every time."""

    def __init__(self, tokens: Sequence[int], batch_size: int, seed: int) -> None:
        self.tokens, self.batch_size, self.seed = torch.tensor(tokens), batch_size, seed

    def __call__(self, step: int) -> Tensor:
        """The batch of this step."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        starts = torch.randint(len(self.tokens) - WINDOW, (self.batch_size, 1), generator=generator)
        return self.tokens[starts + torch.arange(WINDOW + 1)]


def next_token_loss(model: nn.Module, windows: Tensor) -> Tensor:
    """Mean nats a token: each window's tokens predict those one place further."""
    logits, _ = model(windows[:, :-1])
    return cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def configuration(options: argparse.Namespace, vocab: int) -> dict[str, Any]:
    """What ``models.build("gpt", …)`` is called with."""
    return {
        "vocab": vocab, "d_model": options.d_model, "n_heads": options.heads, "n_layers": options.layers,
        "max_length": WINDOW, "dropout": options.dropout, "positions": "rotary",
    }  # fmt: skip


def fitted(
    options: argparse.Namespace, seed: int, device: torch.device
) -> tuple[nn.Module, BytePairTokenizer, dict[str, Any]]:
    """The trained model with its tokenizer, and how its training went."""
    at_least(options, 1, "d_model", "layers", "heads", "steps", "batch_size", "validate_every", "patience")
    at_least(options, N_BYTES, "vocab")
    train, held_out = texts(options.share)
    tokenizer = BytePairTokenizer.train(train, options.vocab - N_BYTES)
    tokens, unseen = tokenizer.encode(train), tokenizer.encode(held_out)
    if len(tokens) <= WINDOW:
        raise ValueError(f"--share: {options.share:g} of the text is shorter than a window; take more")
    key = (str(sorted(vars(options).items(), key=lambda item: item[0])), seed)
    if key not in _FITTED:
        set_seed(seed)
        model = build("gpt", configuration(options, len(tokenizer))).to(device)
        checkpoint = checkpoint_path(options, seed, "language_model", add_arguments)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        history = fit(
            model,
            Windows(tokens, options.batch_size, seed),
            steps=options.steps,
            loss=next_token_loss,
            optimiser=partial(torch.optim.AdamW, betas=(0.9, 0.98), weight_decay=0.1),
            learning_rate=options.learning_rate,
            schedule=warmup_linear(min(100, options.steps - 1), options.steps),
            seed=seed,
            precision="float32",
            validate=lambda each: nats(each, unseen) / (len(unseen) - 1),
            validate_every=options.validate_every,
            patience=options.patience,
            keep_best=True,
            checkpoint=checkpoint,
            checkpoint_every=options.validate_every,
            description="language model",
        )
        _FITTED[key] = (
            model,
            {
                "steps": len(history.losses),
                "best step": history.best_step,
                "capped": not history.stopped_early,
                "cpu seconds": history.cpu_seconds,
                "curve": [[step, loss] for step, loss in history.validations],
                "training loss": sum(history.losses[-50:]) / len(history.losses[-50:]),
            },
        )
        forget([checkpoint], False)
    model, trained = _FITTED[key]
    return model, tokenizer, trained


def measured(model: nn.Module, tokenizer: BytePairTokenizer, text: str) -> dict[str, float]:
    """Loss on a text, each token with at least 64 tokens before it where there are as many."""
    tokens = tokenizer.encode(text)
    total = nats(model, tokens, stride=WINDOW // 2)
    mean = total / (len(tokens) - 1)
    return {"nats a token": mean, "perplexity": math.exp(mean), "bits a byte": bits_a_byte(total, text)}


def by_section(model: nn.Module, counting: KneserNey, tokenizer: BytePairTokenizer) -> list[list[float]]:
    """[bytes, nats of the model, nats of counting] of each held-out section, from which an interval comes."""
    rows = []
    for section in prose.split()[1]:
        text = prose.joined([section])
        tokens = tokenizer.encode(text)
        total = nats(model, tokens, stride=WINDOW // 2)
        rows.append([len(text.encode("utf-8")), round(total, 2), round(counting.nats(tokens), 2)])
    return rows


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Losses of the model and of counting on the held-out sections.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    model, tokenizer, trained = fitted(options, seed, device)
    train, held_out = texts(options.share)
    tokens, unseen = tokenizer.encode(train), tokenizer.encode(held_out)
    counting = {}
    for order in ORDERS:
        counts = KneserNey(tokens, order, len(tokenizer))
        total = counts.nats(unseen)
        counting[str(order)] = {
            "nats a token": total / (len(unseen) - 1),
            "bits a byte": bits_a_byte(total, held_out),
        }
    best = min(ORDERS, key=lambda order: counting[str(order)]["nats a token"])
    return {
        "GPT": measured(model, tokenizer, held_out),
        "counting": counting,
        "sections": by_section(model, KneserNey(tokens, best, len(tokenizer)), tokenizer),
        "text": {
            "characters": len(train),
            "tokens": len(tokens),
            "held-out tokens": len(unseen),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        },
        "training": trained,
    }


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> Trained:
    """The model of this seed, to ship."""
    model, tokenizer, _ = fitted(options, seed, device)
    _, held_out = texts(options.share)
    return Trained(
        "gpt",
        configuration(options, len(tokenizer)),
        model,
        lambda: measured(model, tokenizer, held_out),
        room={"nats a token": 0.1},
        tokenizer=tokenizer,
    )
