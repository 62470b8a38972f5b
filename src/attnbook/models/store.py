"""Save a trained model as one small file, and load it again with its checksum compared."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise

from attnbook.data.vocabulary import SPECIAL, Vocabulary
from attnbook.files import replacing, write_text
from attnbook.models.architectures import build
from attnbook.models.layout import pack, unpack

FOLDER = Path(__file__).resolve().parent
CHECKSUMS = "checksums.json"
MOST_BYTES = 2_000_000  # a file; all together 25 MB
FORMAT = 1


@dataclass(frozen=True)
class TrainedModel:
    """A model with all that is needed to use it.

    Attributes
    ----------
    name : str
    model : torch.nn.Module
        In evaluation mode, weights in 32 bits (as rounded as they are stored).
    src, tgt : Vocabulary
    architecture : str
        A key of ``ARCHITECTURES``.
    configuration : dict
        The arguments of that architecture.
    precision : "half" or "int8"
    made : dict
        ``command``, ``commit``, ``seed``, ``versions``, ``machine``.
    scores : dict
        What the stored weights scored on the command's own test sentences.
    """

    name: str
    model: torch.nn.Module
    src: Vocabulary
    tgt: Vocabulary
    architecture: str
    configuration: dict[str, Any]
    precision: str
    made: dict[str, Any]
    scores: dict[str, Any]


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
        "src": trained.src.words[len(SPECIAL) :],
        "tgt": trained.tgt.words[len(SPECIAL) :],
        "made": trained.made,
        "scores": trained.scores,
    }
    metadata = {"attnbook": json.dumps(description, ensure_ascii=False)}
    content = serialise(pack(trained.model.state_dict(), trained.precision), metadata)
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"{trained.name}: {len(content):,} bytes, and a model may have {MOST_BYTES:,}; make it smaller, "
            "or store it in int8"
        )
    path = folder / f"{trained.name}.safetensors"
    with replacing(path, "wb") as file:
        file.write(content)
    checksums = _checksums(folder) | {trained.name: hashlib.sha256(content).hexdigest()}
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
    folder = folder or FOLDER
    checksums = _checksums(folder)
    if name not in checksums:
        raise ValueError(f"name: no model {name!r}; choose one of {', '.join(sorted(checksums)) or '(none)'}")
    path = folder / f"{name}.safetensors"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        found = None
    if found != checksums[name]:
        state = "is missing" if found is None else "is not the file that was shipped (its checksum differs)"
        raise ValueError(f"name: {path} {state}; install attnbook again")
    try:
        with safe_open(path, "pt") as file:
            description = json.loads(file.metadata()["attnbook"])
            packed = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dictionary
        known = description["format"] == FORMAT
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"name: {path} holds no model of the book ({type(error).__name__}); make it again with "
            "attnbook run … --ship"
        ) from None
    if not known:
        raise ValueError(f"name: {path} was made by another version of attnbook; make it again")
    src, tgt = Vocabulary(description["src"]), Vocabulary(description["tgt"])
    model = build(description["architecture"], len(src), len(tgt), description["configuration"])
    set_weights(model, unpack(packed))
    return TrainedModel(
        name,
        model.to(device or "cpu").eval(),
        src,
        tgt,
        **{key: description[key] for key in ("architecture", "configuration", "precision", "made", "scores")},
    )


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
