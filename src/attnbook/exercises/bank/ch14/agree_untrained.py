"""14.7: how often weights and gradient × input agree before anything was learned."""

import math

import torch

from attnbook.exercises.spec import Measurement, Nearby

TEXTS, WORDS, D = 60, 12, 8


def reader() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Word vectors (60, 12, 8), query (8,) and output (8,): fixed, no random numbers, nothing learned."""
    number = torch.arange(TEXTS * WORDS * D, dtype=torch.float64)
    x = torch.sin(number**2 * 0.37 + number).view(TEXTS, WORDS, D)
    place = torch.arange(D, dtype=torch.float64)
    return x, 3 * torch.cos(1.7 * place), torch.sin(2.3 * place + 1)


def agreement(*, held: bool = False, signed: bool = False, scale: float = 1.0, length: bool = False) -> float:
    """The share of texts in which both name the same word."""
    x, query, w = reader()
    x.requires_grad_()
    weights = torch.softmax(scale * x @ query / math.sqrt(D), dim=1)
    used = weights.detach() if held else weights
    logits = torch.einsum("bw,bwd,d->b", used, x, w)
    (gradient,) = torch.autograd.grad(logits.sum(), x)
    importance = gradient.norm(dim=-1) if length else (gradient * x).sum(-1).detach()
    importance = importance if signed else importance.abs()
    return (weights.argmax(1) == importance.argmax(1)).double().mean().item()


EXERCISE = Measurement(
    id="14.7",
    title="Agreed before they have learned",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="agree_untrained = 0.5",
    reference=agreement,
    tolerance=0.004,
    nearby=(
        Nearby(
            1 / WORDS,
            "That would be two explanations that have nothing to do with each other. These two share the "
            "weights: measure it.",
            0.004,
        ),
        Nearby(
            agreement(held=True),
            "The weights were held constant in your gradient. A word's vector is a key as well.",
            0.004,
        ),
        Nearby(
            agreement(signed=True),
            "You took the word with the largest number *with its sign*. Important is what moves the answer, "
            "in either direction: take the absolute value.",
            0.004,
        ),
        Nearby(
            agreement(length=True),
            "You took the length of the gradient. Multiply it by the word's vector and add up.",
            0.004,
        ),
        Nearby(1 - agreement(), "That is the share of texts in which they disagree.", 0.004),
    ),
    hints=(
        "Write gradient × input as in exercise 14.4; all words are real here.",
        "`weights.argmax(1) == importance.abs().argmax(1)` says for each text whether both name one word.",
        "The share is the mean of that, as numbers.",
    ),
)
