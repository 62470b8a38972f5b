"""Save a trained model as one small file, and load it again with its checksum compared."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise

from attnbook.data.byte_pairs import BytePairTokenizer
from attnbook.data.vocabulary import SPECIAL, Vocabulary
from attnbook.data.word_pairs import WordPairs
from attnbook.files import replacing, write_text
from attnbook.models.architectures import build
from attnbook.models.layout import pack, unpack

FOLDER = Path(__file__).resolve().parent
CHECKSUMS = "checksums.json"
MOST_BYTES = 2_000_000  # a file; all together 25 MB
FORMAT = 2  # 1 was for translators alone: "src" and "tgt" where now are "vocabularies"


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that is needed to use it.

    Attributes
    ----------
    name : str
    model : torch.nn.Module
        In evaluation mode, weights in 32 bits (as rounded as they are stored).
    architecture : str
        A key of ``ARCHITECTURES``.
    configuration : dict
        The arguments of that architecture.
    precision : "half" or "int8"
    made : dict
        ``command``, ``commit``, ``seed``, ``versions``, ``machine``; ``room``, how much worse each score may
        be when the model is trained again.
    scores : dict
        What the stored weights scored on the command's own test examples.
    vocabularies : dict of Vocabulary
        Those of the words that the model reads or writes, by name; empty for a model without words.
    familiar : WordPairs, optional
        Of a translator: which words of "src" stood side by side in training, to say what it never read.
    tokenizer : BytePairTokenizer, optional
        Of a language model, which reads text and not words.
    """

    name: str
    model: torch.nn.Module
    architecture: str
    configuration: dict[str, Any]
    precision: str
    made: dict[str, Any]
    scores: dict[str, Any]
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    familiar: WordPairs | None = None
    tokenizer: BytePairTokenizer | None = None

    @property
    def src(self) -> Vocabulary:
        """The words that a translator reads."""
        return self._vocabulary("src")

    @property
    def tgt(self) -> Vocabulary:
        """The words that a translator writes."""
        return self._vocabulary("tgt")

    def _vocabulary(self, name: str) -> Vocabulary:
        if name not in self.vocabularies:
            given = ", ".join(self.vocabularies) or "none"
            raise AttributeError(f"{name}: {self.name} has no vocabulary of that name; it has {given}")
        return self.vocabularies[name]


def names(folder: Path | None = None) -> list[str]:
    """The names of the models that ship, in alphabetical order."""
    return sorted(_checksums(folder or FOLDER))


def save(trained: TrainedModel, folder: Path | None = None) -> Path:
    """Write the model's file and its checksum.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the name is no plain word, the precision is unknown, or the file would be larger than 2 MB.
    """
    folder = folder or FOLDER
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", trained.name):
        raise ValueError(
            f"name: expected small letters, digits and _, such as 04_additive, got {trained.name!r}"
        )
    description = {
        "format": FORMAT,
        "architecture": trained.architecture,
        "configuration": trained.configuration,
        "precision": trained.precision,
        "vocabularies": {name: words.words[len(SPECIAL) :] for name, words in trained.vocabularies.items()},
        "made": trained.made,
        "scores": trained.scores,
    }
    if trained.familiar is not None:
        description["familiar"] = trained.familiar.packed()
    if trained.tokenizer is not None:
        description["merges"] = trained.tokenizer.merges
    metadata = {"attnbook": json.dumps(description, ensure_ascii=False)}
    packed = serialise(pack(trained.model.state_dict(), trained.precision), metadata)
    if len(packed) > MOST_BYTES:
        raise ValueError(
            f"{trained.name}: {len(packed):,} bytes, and a model may have {MOST_BYTES:,}; make it smaller, "
            "or store it in int8"
        )
    path = _path(trained.name, folder)
    with replacing(path, "wb") as file:
        file.write(packed)
    checksums = _checksums(folder) | {trained.name: hashlib.sha256(packed).hexdigest()}
    text = json.dumps(dict(sorted(checksums.items())), indent=1) + "\n"
    write_text(folder / CHECKSUMS, text)
    return path


def load(name: str, device: torch.device | str | None = None, folder: Path | None = None) -> TrainedModel:
    """A model that ships.

    Parameters
    ----------
    name : str
        Such as ``"04_additive"``; :func:`names` lists them.
    device : torch.device or str, optional
        Where the model goes; the CPU if left out.
    folder : Path, optional
        Another folder than the package's own.

    Raises
    ------
    ValueError
        If there is no model of that name, its file is not the one that was shipped, or it cannot be read.
    """
    content(name, folder)
    path = _path(name, folder)
    try:
        with safe_open(path, "pt") as file:
            description = json.loads(file.metadata()["attnbook"])
            packed = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dictionary
        known = description["format"] in (1, FORMAT)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"name: {path} holds no model of the book ({type(error).__name__}); make it again with "
            "attnbook run … --ship"
        ) from None
    if not known:
        raise ValueError(f"name: {path} was made by another version of attnbook; make it again")
    if description["format"] == 1:
        description["vocabularies"] = {side: description[side] for side in ("src", "tgt")}
    vocabularies = {side: Vocabulary(words) for side, words in description["vocabularies"].items()}
    model = build(description["architecture"], description["configuration"], vocabularies)
    set_weights(model, unpack(packed))
    familiar = description.get("familiar")
    return TrainedModel(
        name,
        model.to(device or "cpu").eval(),
        vocabularies=vocabularies,
        familiar=familiar and WordPairs.unpacked(familiar, vocabularies["src"]),
        tokenizer=BytePairTokenizer(description["merges"]) if "merges" in description else None,
        **{key: description[key] for key in ("architecture", "configuration", "precision", "made", "scores")},
    )


def content(name: str, folder: Path | None = None) -> bytes:
    """The file of a model that ships, as it lies on the disk: what a page's widget runs.

    Parameters
    ----------
    name : str
    folder : Path, optional
        Another folder than the package's own.

    Raises
    ------
    ValueError
        If there is no model of that name, or its file is not the one that was shipped.
    """
    checksums = _checksums(folder or FOLDER)
    if name not in checksums:
        raise ValueError(f"name: no model {name!r}; choose one of {', '.join(sorted(checksums)) or '(none)'}")
    path = _path(name, folder)
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"name: {path} is missing; install attnbook again") from None
    if hashlib.sha256(found).hexdigest() != checksums[name]:
        raise ValueError(
            f"name: {path} is not the file that was shipped (its checksum differs); install attnbook again"
        )
    return found


def _path(name: str, folder: Path | None) -> Path:
    return (folder or FOLDER) / f"{name}.safetensors"


def set_weights(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Give the model these weights; those that it shares (a tied output layer) need one name only.

    Raises
    ------
    ValueError
        If a name is unknown, or a weight is not given.
    """
    state = model.state_dict()
    given = {state[name].data_ptr() for name in weights if name in state}
    missing = [name for name, tensor in state.items() if tensor.data_ptr() not in given]
    unknown = [name for name in weights if name not in state]
    if missing or unknown:
        raise ValueError(f"weights: missing {missing}, unknown {unknown}; they are those of another model")
    model.load_state_dict(weights, strict=False)


def rounded(model: torch.nn.Module, precision: str) -> None:
    """Round the weights in place as ``save`` will, so that what is measured is what ships."""
    set_weights(model, unpack(pack(model.state_dict(), precision)))


def _checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
