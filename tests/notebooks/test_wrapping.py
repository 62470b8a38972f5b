"""Code in 84 columns: the command lays it out without changing it; notebooks keep within it."""

import ast
import re

import pytest

from notebook_rules import read, width_problems
from support import ROOT
from wrapping import WIDTH, long_lines, wrapped

STORED = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("solutions/*.ipynb")])


def meaning(code):
    """The syntax tree without documentation, which may be broken into lines."""
    return re.sub(r"Expr\(value=Constant\(value='[^']*'\)\)", "", ast.dump(ast.parse(code)))


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_line_is_wider_than_the_page(path):
    assert width_problems(read(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "weights = softmax(scores, dim=-1)  # (batch, heads, queries, keys): a row a query, adding up to one",
        "# " + "word " * 40,
        'def f(x):\n    """' + "word " * 20 + '(n,)."""\n    return x',
        f"print({'a' * 30}, {'b' * 30}, {'c' * 30})",
        "print('" + "some words " * 12 + "', end='')",
        "print(f'" + "some words {x + 1:.2f} " * 6 + "')",
        "alt = dict(words='it is \\'said\\' " + "again and again " * 8 + "')",
        "%pip install -q something\nprint(" + ", ".join(["number"] * 20) + ")",
        "def f(x):\n    if x:\n        return {'a': x, 'b': x + 1, 'c': x + 2}"
        "  # (n,): some words too many for the line",
    ],
)
def test_wide_code_is_laid_out_and_means_the_same(source):
    made = wrapped(source)
    assert long_lines(source)
    assert long_lines(made) == []
    magic = source.split("\n")[0] if source.startswith("%") else None
    assert magic is None or made.startswith(magic)
    strip = (lambda code: code.split("\n", 1)[1]) if magic else (lambda code: code)
    assert meaning(strip(made)) == meaning(strip(source))
    assert wrapped(made) == made
    for word in ("(n,)", "adding up to one", "word"):
        assert made.count(word) == source.count(word)


def test_what_fits_and_what_is_not_python_is_left_alone():
    for source in ("x = [1,2]", "x = (" + "1, " * 60, 'a = "' + "x" * WIDTH + '"'):
        assert wrapped(source) == source


def test_what_a_comment_says_to_a_tool_stays_on_its_line():
    line = "from somewhere import a_very_long_name_that_is_not_used_here  # noqa: F401 - it registers itself"
    assert wrapped(line).endswith("registers itself")
    assert "\n# noqa" not in "\n" + wrapped(line)


def test_a_planted_mistake_stays_on_its_line():
    line = (
        "# return torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dim=-2) @ value"
    )
    source = f"def f():\n    # BEGIN PLANTED\n    {line}\n    # END PLANTED\n    return 1"
    assert line in wrapped(source)
