"""The names that ``attnbook run`` knows, each with the module behind it (imported when asked for)."""

from importlib import import_module
from types import ModuleType

EXPERIMENTS = {
    "alignment": "attnbook.experiments.alignment",
    "attention_cost": "attnbook.experiments.attention_cost",
    "bottleneck": "attnbook.experiments.bottleneck",
    "extrapolation": "attnbook.experiments.extrapolation",
    "saliency": "attnbook.experiments.saliency",
    "heads": "attnbook.experiments.heads",
    "layer_cost": "attnbook.experiments.layer_cost",
    "long_range": "attnbook.experiments.long_range",
    "machine_reader": "attnbook.experiments.machine_reader",
    "pronouns": "attnbook.experiments.pronouns",
    "scale_up": "attnbook.experiments.scale_up",
    "scaling": "attnbook.experiments.scaling",
    "sentiment": "attnbook.experiments.sentiment",
    "transformer": "attnbook.experiments.transformer",
    "translation": "attnbook.experiments.translation",
    "translator_speed": "attnbook.experiments.translator_speed",
    "word_vectors": "attnbook.experiments.word_vectors",
}


def load(name: str) -> ModuleType:
    """The experiment's module.

    Raises
    ------
    ValueError
        If there is no experiment of that name; the sentence lists the names.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"name: no experiment {name!r}; choose one of {', '.join(sorted(EXPERIMENTS))}")
    return import_module(EXPERIMENTS[name])
