"""Which cells of a chapter are folded away, told from their code; what a notebook stores for it.

A fold is a tag of the cell:

- ``setup``   imports, seeds, settings
- ``draw``    draws a figure and does nothing else
- ``check``   holds a claim of the text, and shows the reader nothing
- ``quiz``    makes a quiz, with its answers

``picture`` stands beside ``draw`` on the one figure that opens a chapter; ``shown`` keeps a cell open
that would be folded otherwise.
"""

import ast
import re
import symtable

# What each fold stores beside its tag, for JupyterLab and Colab; nothing of it touches how a cell runs.
_SOURCE = {"cellView": "form", "jupyter": {"source_hidden": True}}
FOLDS = {
    "setup": _SOURCE,
    "draw": _SOURCE,
    "check": {"cellView": "form", "jupyter": {"source_hidden": True, "outputs_hidden": True}},
    "quiz": _SOURCE,
}
OTHER_TAGS = ("picture", "shown")

QUIZ = re.compile(r"(?m)^(\w+ = )?Quiz\(")
TAUGHT = "# The same source as "
_MAGIC = re.compile(r"(?m)^([ \t]*)[%!].*$")
_SETTINGS = {"seed", "manual_seed", "set_printoptions", "set_num_threads", "filterwarnings", "print"}
_TRAINING = {"backward", "fit", "train"}
_NOTHING_BUT_TRUE = re.compile(r"[^:]*:? *True\s*")
_CHECKING = {"assert_close", "assert_allclose", "assert_equal", "raises"}


def fold_of(cell) -> str | None:
    """The fold that the cell's tags name, or None."""
    return next((tag for tag in cell.metadata.get("tags", ()) if tag in FOLDS), None)


def is_decided(cell) -> bool:
    """Whether a tag says already that the cell is folded, or that it is not."""
    return fold_of(cell) is not None or "shown" in cell.metadata.get("tags", ())


def expected_folds(cells: list) -> list[str | None]:
    """For each code cell of a notebook the fold that its code asks for, or None where it is to be read.

    Parameters
    ----------
    cells : list of nbformat code cells, in the notebook's order
    """
    trees = [_parsed(cell.source) for cell in cells]
    return [_expected(cells[n], tree, trees[n + 1 :]) for n, tree in enumerate(trees)]


def _parsed(source: str) -> ast.Module | None:
    """The cell's syntax tree, a line of IPython's own taken as ``pass``; None where it is not Python."""
    try:
        return ast.parse(_MAGIC.sub(r"\1pass", source))
    except SyntaxError:
        return None


def _expected(cell, tree: ast.Module | None, later: list) -> str | None:
    if QUIZ.search(cell.source):
        return "quiz"
    if tree is None or cell.source.startswith(TAUGHT):
        return None
    printed = _printed(cell)
    if _only_sets_up(tree) and len(printed) <= 1:
        return "setup"
    calls = {_called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if _needed(tree, later):
        return None
    if _shows_a_figure(tree):
        # What such a cell prints stays in view: only its code is folded.
        return None if len(printed) > 2 or calls & _TRAINING else "draw"
    checks = calls & _CHECKING or any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    silent = not _displays(cell) and all(map(_NOTHING_BUT_TRUE.fullmatch, printed))
    return "check" if checks and silent else None


def _printed(cell) -> list[str]:
    text = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")
    return [line for line in text.splitlines() if line.strip()]


def _displays(cell) -> bool:
    return any(o.output_type in ("display_data", "execute_result") for o in cell.outputs)


def _called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _shows_a_figure(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "show"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("plots", "plt")
        for node in ast.walk(tree)
    )


def _only_sets_up(tree: ast.Module) -> bool:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return bool(imports) and all(map(_sets_up, tree.body))


def _sets_up(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return True
        case ast.Try():
            return all(map(_sets_up, [*statement.body, *(s for h in statement.handlers for s in h.body)]))
        case ast.Expr(value=ast.Call() as call):
            return _called(call) in _SETTINGS
        case ast.Assign(targets=[ast.Name(id="device")]):
            return True
    return False


def _needed(tree: ast.Module, later: list) -> bool:
    """Whether a later cell reads a name that this one binds."""
    names = set(_bound(tree))
    for other in later:
        if not names:
            return False
        if other is not None:
            if names & _read(other):
                return True
            names -= set(_bound(other))
    return False


_SCOPES = (
    ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)


def _outermost(tree: ast.AST):
    """The nodes of the cell's own scope, without what stands inside functions and comprehensions."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, _SCOPES):
            yield from _outermost(node)


def _bound(tree: ast.Module) -> dict[str, int]:
    """Each name that the cell binds for the cells below it, with the first line on which it does."""
    lines: dict[str, int] = {}
    for node in _outermost(tree):
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = [node.id]
        for name in names:
            lines[name] = min(lines.get(name, node.lineno), node.lineno)
    return lines


def _read(tree: ast.Module) -> set[str]:
    """The names that the cell takes from the cells above it."""
    stored = _bound(tree)
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    inside = {
        symbol.get_name()
        for child in _tables(table)
        for symbol in child.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }
    # A line that binds a name anew reads the right side first.
    outside = {
        node.id
        for node in _outermost(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.lineno <= stored.get(node.id, node.lineno)
    }
    return outside | (inside - set(stored))


def _tables(table: symtable.SymbolTable):
    for child in table.get_children():
        yield child
        yield from _tables(child)
