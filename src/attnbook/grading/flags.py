"""What a person should look at. A flag never changes a mark."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the process that reads notebooks imports this file, and needs no torch
    from attnbook.exercises.spec import Exercise

# Library calls that answer most of these exercises by themselves.
READY_MADE = (
    "attnbook.nn",
    "scaled_dot_product_attention",
    "MultiheadAttention",
    "multi_head_attention_forward",
    "_scaled_dot_product_attention_math",
    "native_layer_norm",
)
MAX_NAME = 200  # characters of a module's name that is joined with what is imported from it


def looked_for(exercises: Iterable[Exercise]) -> list[str]:
    """The names of functions that answer one of these exercises by themselves."""
    return sorted(set(READY_MADE).union(*(exercise.forbidden for exercise in exercises)))


def library_calls(sources: Sequence[str], names: Iterable[str]) -> list[str]:
    """One flag for each of these names that stands in the code, comments and strings aside.

    A module under another name is followed: after ``import torch.nn.functional as TF``, ``TF.layer_norm`` is
    ``torch.nn.functional.layer_norm``.
    """
    aliases: dict[str, str] = {}
    text = "\n".join(_dotted_names(source, aliases) for source in sources)
    return [f"uses {name}" for name in sorted(set(names)) if f" {name}" in text or f".{name}" in text]


def _dotted_names(source: str, aliases: dict[str, str]) -> str:
    """The names of a cell's code, dotted ones joined, each after a space; new aliases are added."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return " " + source  # not Python by itself (a magic, say): its text has to do
    found, inner = [], set()
    for node in ast.walk(tree):  # from the outside in: of a.b.c, the whole is met first
        if isinstance(node, ast.Attribute):
            if node not in inner:
                found.append(_join(node, inner))
        elif isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
            _remember(aliases, node.names, "")
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(alias.name for alias in node.names)]
            if len(node.module) <= MAX_NAME:  # or the text would grow with the square of the code
                found += [f"{node.module}.{alias.name}" for alias in node.names]
                _remember(aliases, node.names, f"{node.module}.")
    return "".join(f" {_whole(name, aliases)}" for name in found)


def _remember(aliases: dict[str, str], imported: list[ast.alias], module: str) -> None:
    for alias in imported:
        if alias.asname and len(module) + len(alias.name) <= 2 * MAX_NAME:
            aliases[alias.asname] = module + alias.name


def _whole(name: str, aliases: dict[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return f"{name} {aliases[first]}{dot}{rest}" if first in aliases else name


def _join(node: ast.Attribute, inner_nodes: set) -> str:
    parts = [node.attr]
    inner = node.value
    while isinstance(inner, ast.Attribute):
        inner_nodes.add(inner)
        parts.append(inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        parts.append(inner.id)
    return ".".join(reversed(parts))


def fingerprint(sources: list[str]) -> str:
    """A digest of the code without comments, blank lines and spacing: equal for copied submissions."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(_essence(source).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _essence(source: str) -> str:
    kept = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE):
                kept.append(token.string.strip() if token.type != tokenize.STRING else token.string)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return "".join(source.split())
    return "\0".join(kept)
