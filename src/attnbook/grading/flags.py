"""What a person should look at. A flag never changes a mark."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize

from attnbook.exercises.spec import Exercise

# Library calls that answer most of these exercises by themselves.
READY_MADE = (
    "attnbook.nn",
    "scaled_dot_product_attention",
    "MultiheadAttention",
    "multi_head_attention_forward",
)


def library_calls(sources: list[str], exercises: list[Exercise]) -> list[str]:
    """One flag for each ready-made function whose name stands in the code, comments and strings aside."""
    names = set(READY_MADE).union(*(exercise.forbidden for exercise in exercises))
    text = "\n".join(map(_dotted_names, sources))
    return [f"uses {name}" for name in sorted(names) if f" {name}" in text or f".{name}" in text]


def _dotted_names(source: str) -> str:
    """The names of a cell's code, dotted ones joined, each after a space."""
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
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return "".join(f" {name}" for name in found)


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
