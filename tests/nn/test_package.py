"""What the package promises as a whole: its names, one direction of imports, and docstrings."""

import ast
import inspect
from pathlib import Path

import pytest

import attnbook.nn

FOLDER = Path(attnbook.nn.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))


def test_every_promised_name_is_there():
    promised = """scaled_dot_product_attention Attention LocalAttention HardAttention MultiHeadAttention
        KVCache AdditiveScore DotScore GeneralScore ConcatScore LocationScore Transformer GPT
        GRUEncoder GRUDecoder LSTMEncoder LSTMDecoder Seq2Seq
        SinusoidalPositions LearnedPositions RelativePositions RotaryPositions ALiBi"""
    assert set(promised.split()) <= set(attnbook.nn.__all__)
    for name in attnbook.nn.__all__:
        assert getattr(attnbook.nn, name).__doc__, name


def test_signature_of_the_central_function():
    parameters = inspect.signature(attnbook.nn.scaled_dot_product_attention).parameters
    assert list(parameters) == [
        *("query", "key", "value", "mask"),
        *("causal", "scale", "softcap", "need_weights"),
    ]
    assert all(parameters[n].kind is inspect.Parameter.KEYWORD_ONLY for n in list(parameters)[4:])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_imports_run_one_way(path):
    allowed = {"torch", "copy", "math", "dataclasses", "typing", "collections", "numbers", "__future__"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in allowed or name.startswith(("attnbook.nn", "attnbook.arguments")), (
                f"{path.name} imports {name}"
            )


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parent == FOLDER], ids=lambda p: str(p.relative_to(FOLDER))
)
def test_checks_stand_in_statements_of_their_own(path):
    """So that a chapter can leave them out. checks.scores_shape is for checks.py itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "checks":
            assert id(node) in statements, f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_public_functions_and_classes_are_documented_and_typed(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            inner = isinstance(node, ast.FunctionDef) and node.name in ("pick", "inside")
            overload = "overload" in map(ast.unparse, node.decorator_list)  # says what its function says
            assert inner or overload or ast.get_docstring(node), (
                f"{path.name}:{node.lineno} {node.name} has no docstring"
            )
        if isinstance(node, ast.FunctionDef):
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if argument.arg != "self":
                    assert argument.annotation, f"{path.name}:{node.lineno} {argument.arg} has no type"
