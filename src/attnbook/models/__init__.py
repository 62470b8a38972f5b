"""Trained models that ship with the book: chapters load them, and the widgets of a page run the same weights.

>>> from attnbook import models
>>> trained = models.load("04_additive")
>>> trained.model, trained.vocabularies["src"], trained.configuration

Each is one file ``NAME.safetensors`` in this folder, of at most 2 MB, in the layout that
:mod:`attnbook.models.layout` describes and that a few lines of JavaScript can read. It holds the weights,
the vocabularies, the configuration, and how it was made: command, commit, seed, versions, and its scores.
``checksums.json`` holds the SHA-256 of each file, compared whenever one is loaded. ``attnbook run … --ship
NAME`` makes one; ``tools/retrain_models.py`` makes one again and compares. What a model is built with stands
in ``families/``, one file a family.

:func:`read_attention` takes the weights of a model of a reader's own, from Hugging Face.
"""

from attnbook.models.architectures import ARCHITECTURES, build
from attnbook.models.hugging_face import Reading, read_attention
from attnbook.models.store import FOLDER, TrainedModel, content, load, names, save

__all__ = [
    "ARCHITECTURES",
    "FOLDER",
    "Reading",
    "TrainedModel",
    "build",
    "content",
    "load",
    "names",
    "read_attention",
    "save",
]
