"""How the book's models are trained: the loop, learning rate schedules, a model's evaluation mode."""

from attnbook.training.evaluating import evaluating
from attnbook.training.fit import Diverged, History, fit, translation_loss
from attnbook.training.schedules import warmup_inverse_sqrt, warmup_linear

__all__ = [
    "Diverged",
    "History",
    "evaluating",
    "fit",
    "translation_loss",
    "warmup_inverse_sqrt",
    "warmup_linear",
]
