"""The package's source as a chapter shows it.

A cell that introduces a mechanism begins with a marker line such as

    # The same source as attnbook.nn.scores: AdditiveScore, DotScore

(long names stand on a line of their own below the colon, ``# AdditiveScore, DotScore``) and holds,
below it, the source of these objects as the package has it, less what a reader of the chapter does
not need there: docstrings, statements that only check arguments (``checks.…(…)``), and remarks for the type
checker (``# pyright: …``).
"""

import ast
import re
from pathlib import Path

from project import ROOT

MARKER = re.compile(r"# The same source as (attnbook(?:\.\w+)+):(?:\n#)? (\w+(?:, \w+)*)(?=\n|\Z)")

REMARK = re.compile(r"  # pyright: .*$")


def marker(source: str) -> tuple[str, list[str]] | None:
    """Module and names that a cell's first line promises, or None for an ordinary cell."""
    match = MARKER.match(source)
    return (match[1], match[2].split(", ")) if match else None


def _module_file(module: str) -> Path:
    base = ROOT / "src" / Path(*module.split("."))
    path = base.with_suffix(".py")
    if not path.exists():
        path = base / "__init__.py"
    if not path.exists():
        raise LookupError(f"{module}: no such module under src; mend the cell's first line")
    return path


def _is_check(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    target = call.func if isinstance(call, ast.Call) else None
    return (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "checks"
    )


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _lines_to_drop(definition: ast.AST) -> set[int]:
    drop: set[int] = set()
    for node in ast.walk(definition):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        has_docstring = isinstance(node, ast.FunctionDef | ast.ClassDef) and _is_docstring(body[0])
        for position, statement in enumerate(body):
            if (position == 0 and has_docstring) or _is_check(statement):
                drop.update(range(statement.lineno, statement.end_lineno + 1))
    return drop


def taught_source(module: str, names: list[str]) -> str:
    """The objects' source for a cell, joined by two empty lines.

    Raises
    ------
    LookupError
        If the module, or one of the names in it, does not exist.
    """
    text = _module_file(module).read_text(encoding="utf-8")
    lines = text.splitlines()
    definitions = {
        node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    parts = []
    for name in names:
        if name not in definitions:
            raise LookupError(f"{module} has no function or class {name}; mend the cell's first line")
        node = definitions[name]
        start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        drop = _lines_to_drop(node)
        kept = [REMARK.sub("", lines[n - 1]) for n in range(start, node.end_lineno + 1) if n not in drop]
        # A blank line that stood between a docstring and the body would now open it.
        tidy = [
            line
            for n, line in enumerate(kept)
            if line.strip() or (n > 0 and kept[n - 1].strip() and not kept[n - 1].rstrip().endswith(":"))
        ]
        parts.append("\n".join(tidy).rstrip())
    return "\n\n\n".join(parts)


def synced(source: str) -> str:
    """The cell's source with the package's code below its marker; an ordinary cell as it was."""
    match = MARKER.match(source)
    if match is None:
        return source
    return f"{match[0]}\n{taught_source(match[1], match[2].split(', '))}"
