"""Inputs that several exercises draw: padded sentences, sentences of words, losses over padding."""

from __future__ import annotations

from typing import Any

import torch

from attnbook.exercises.spec import Case, Draw

# What a case says of its padding.
PADDED_CASES: dict[str, dict[str, Any]] = {
    "full": {"group": "plain", "note": "no padding"},
    "padded": {"group": "mask", "note": "sentences end in padding"},
    "empty": {"group": "edge", "note": "one sentence is padding throughout"},
}


def source_mask(draw: Draw, batch: int, length: int) -> torch.Tensor:
    """True on words, False on the padding after them; no sentence without words, none without padding."""
    mask = torch.zeros(batch, length, dtype=torch.bool)
    for row in range(batch):
        mask[row, : draw.random.randint(1, length - 1)] = True
    return mask


def padding_mask(draw: Draw, kind: str, batch: int, length: int) -> torch.Tensor:
    """A mask of one of the kinds of ``PADDED_CASES``."""
    mask = torch.ones(batch, length, dtype=torch.bool) if kind == "full" else source_mask(draw, batch, length)
    if kind == "empty":
        mask[draw.random.randrange(batch)] = False
    return mask


def sentence_cases(draw: Draw) -> list[Case]:
    """Three batches ``tgt`` of word numbers, each sentence between the start word 1 and the stop word 2."""
    cases = []
    for _ in range(3):
        batch, shifted = draw.sizes(2, 3, 8)
        length = shifted + 1  # the shape of what comes back is (batch, shifted)
        tgt = draw.integers(batch, length, low=3, high=40)
        tgt[:, 0], tgt[:, -1] = 1, 2
        cases.append(Case({"tgt": tgt}))
    return cases


def loss_cases(draw: Draw) -> list[Case]:
    """Scores (batch, length, words), targets and masks (batch, length), the last two with padding."""
    cases = []
    for padded in (False, True, True):
        words, *others = draw.sizes(3, 4, 11)
        batch, length = sorted(others)  # so that each sentence can have a length of its own
        mask = torch.ones(batch, length, dtype=torch.bool)
        if padded:
            for row, real in enumerate(draw.random.sample([1, *range(1, length)], min(batch, length - 1))):
                mask[row, real:] = False
        target = draw.integers(batch, length, low=1, high=words)
        target[~mask] = 0
        cases.append(
            Case(
                {"scores": draw.normal(batch, length, words, scale=2.0), "target": target, "mask": mask},
                group="mask" if padded else "plain",
                note="some sentences end in padding" if padded else "no padding",
            )
        )
    return cases


def masked_cases(draw: Draw) -> list[Case]:
    """Queries, keys and values, all of them (batch, length, size), and a mask (batch, queries, keys)."""
    cases = []
    for kind in ("all", "some", "some", "empty row"):
        batch, queries, keys, d_k, d_v = draw.sizes(5, 3, 9)
        mask = (
            torch.ones(batch, queries, keys, dtype=torch.bool)
            if kind == "all"
            else draw.mask(batch, queries, keys)
        )
        if kind == "empty row":
            mask[draw.random.randrange(batch), draw.random.randrange(queries)] = False
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k, scale=1.5),
                    "key": draw.normal(batch, keys, d_k),
                    "value": draw.normal(batch, keys, d_v),
                    "mask": mask,
                },
                group={"all": "plain", "some": "mask", "empty row": "edge"}[kind],
                note={
                    "all": "the mask is True everywhere",
                    "some": "the mask forbids some keys",
                    "empty row": "one row of the mask is False throughout",
                }[kind],
            )
        )
    return cases
