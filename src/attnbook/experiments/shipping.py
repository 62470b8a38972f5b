"""From a trained model to one that ships: what ``attnbook run … --ship NAME`` asks of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from attnbook.data.byte_pairs import BytePairTokenizer
from attnbook.data.vocabulary import Vocabulary
from attnbook.data.word_pairs import WordPairs
from attnbook.models.store import TrainedModel, rounded, save

# About three times what seeds differ by.
TRANSLATORS_ROOM = {"bleu": -5.0, "exact": -0.10, "aer": 0.08, "endless": 0.05}


@dataclass(frozen=True)
class Trained:
    """What an experiment's ``trained(options, seed, device)`` returns.

    Attributes
    ----------
    architecture, configuration
        For ``models.build``: the configuration is of what JSON can hold.
    model : torch.nn.Module
    measure : callable
        The model's scores as it is when called: a dictionary of what JSON can hold. It is called after the
        weights were rounded as they are stored.
    room : dict
        Score → by how much it may differ for the worse when the model is trained again: below 0 where a
        lower score is worse. ``tools/retrain_models.py`` compares these.
    vocabularies : dict of Vocabulary
        By name; of a model without words none.
    familiar : WordPairs, optional
        Of a translator whose page says what it never read.
    tokenizer : BytePairTokenizer, optional
        Of a language model.
    """

    architecture: str
    configuration: dict[str, Any]
    model: torch.nn.Module
    measure: Callable[[], dict[str, Any]]
    room: dict[str, float]
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    familiar: WordPairs | None = None
    tokenizer: BytePairTokenizer | None = None


def ship(
    name: str, trained: Trained, made: dict[str, Any], precision: str = "half", folder: Path | None = None
) -> Path:
    """Round the weights, measure what they score then, and store them as the model ``name``.

    Parameters
    ----------
    name : str
        Such as ``"06_captioner"``.
    trained : Trained
    made : dict
        How it was made: ``command``, ``commit``, ``seed``, ``machine``, ``versions``.
    precision : "half" or "int8"
    folder : Path, optional
        Another folder than the package's own.

    Returns
    -------
    Path
        The model's file.

    Raises
    ------
    ValueError
        If the model cannot be stored (see ``models.save``), or ``room`` names a score that was not measured.
    """
    rounded(trained.model, precision)
    scores = trained.measure()
    unknown = [score for score in trained.room if score not in scores]
    if unknown or not trained.room:
        raise ValueError(f"room: expected scores among {', '.join(scores)}, got {unknown or 'none'}")
    stored = TrainedModel(
        name,
        trained.model,
        trained.architecture,
        trained.configuration,
        precision,
        {**made, "room": trained.room},
        scores,
        trained.vocabularies,
        trained.familiar,
        trained.tokenizer,
    )
    return save(stored, folder)
