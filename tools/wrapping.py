"""Code of a notebook laid out in 84 columns, the width of a page's column, where that is safe.

The formatter breaks statements; comments move above their line or are wrapped; long strings within brackets
are cut at spaces. A cell is left as it was when its syntax tree would not be the same.
"""

import ast
import io
import re
import subprocess
import textwrap
import tokenize

from ruff.__main__ import find_ruff_bin  # called by itself: once a cell, starting Python would take longer

WIDTH = 84
_MAGIC = re.compile(r"(?m)^([ \t]*)([%!].*)$")
# What a comment says to a tool about its own line stays there.
_FOR_TOOLS = re.compile(r"magic:|# (?:noqa|type|pyright|fmt)\b")
_HIDDEN = re.compile(r"pass  # magic:(.*)$", re.MULTILINE)


def long_lines(source: str) -> list[str]:
    """The lines that are wider than a page's column."""
    return [line for line in source.splitlines() if len(line) > WIDTH]


def wrapped(source: str) -> str:
    """The cell's code within the width, or as near to it as is safe."""
    if not long_lines(source):
        return source
    code = _MAGIC.sub(r"\1pass  # magic:\2", source)
    try:
        meant = _meaning(code)
    except SyntaxError:
        return source
    for step in (
        _documentation_wrapped,
        _comments_above,
        _formatted,
        _strings_cut,
        _formatted,
        _comments_above,
    ):
        changed = step(code)
        if _meaning(changed) == meant:
            code = changed
    return _HIDDEN.sub(r"\1", code).rstrip("\n")


def _meaning(code: str) -> str:
    """The code's syntax tree, the spaces in its documentation aside."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            node.value.value = " ".join(node.value.value.split())
    return ast.dump(tree)


def _documentation_wrapped(code: str) -> str:
    """The lines of a docstring that are wider than the page, each broken at spaces."""
    lines = code.splitlines()
    for token in reversed(_tokens(code)):
        if token.type != tokenize.STRING or not token.string.startswith('"""'):
            continue
        first, last = token.start[0], token.end[0]
        if lines[first - 1].strip().startswith('"""') and lines[last - 1].strip().endswith('"""'):
            made: list[str] = []
            for line in lines[first - 1 : last]:
                indent = " " * (len(line) - len(line.lstrip()))
                made += textwrap.wrap(
                    line.strip(),
                    WIDTH,
                    initial_indent=indent,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                ) or [""]
            lines[first - 1 : last] = made
    return "\n".join(lines) + "\n"


def _formatted(code: str) -> str:
    command = [find_ruff_bin(), "format", "--isolated", "--line-length", str(WIDTH), "-"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=True)
    return done.stdout


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(code).readline))


def _comments_above(code: str) -> str:
    """A comment that ends beyond the width moves above its line, or is wrapped where it has one to itself."""
    lines = code.splitlines()
    above: dict[int, list[str]] = {}
    planted = False  # the mistakes of an exercise are code in comments
    for token in _tokens(code):
        row, column = token.start
        if token.type != tokenize.COMMENT:
            continue
        if token.string in ("# BEGIN PLANTED", "# END PLANTED"):
            planted = token.string == "# BEGIN PLANTED"
        if planted or len(lines[row - 1]) <= WIDTH or _FOR_TOOLS.search(token.string):
            continue
        before = lines[row - 1][:column].rstrip()
        indent = " " * (len(lines[row - 1]) - len(lines[row - 1].lstrip()))
        words = token.string.lstrip("# ")
        above[row] = textwrap.wrap(
            words, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
        lines[row - 1] = before
    made: list[str] = []
    for row, line in enumerate(lines, start=1):
        made += above.get(row, [])
        if line.strip() or row not in above:
            made.append(line)
    return "\n".join(made) + "\n"


def _strings_cut(code: str) -> str:
    """A string within brackets that ends beyond the width becomes several, one a line, cut at spaces."""
    lines = code.splitlines()
    depth = 0
    cuts = []
    for token in _tokens(code):
        if token.type == tokenize.OP and token.string in "([{":
            depth += 1
        elif token.type == tokenize.OP and token.string in ")]}":
            depth -= 1
        elif (
            token.type == tokenize.STRING
            and depth
            and token.start[0] == token.end[0]
            and token.end[1] >= WIDTH
            and len(lines[token.end[0] - 1]) > WIDTH
        ):
            cuts.append(token)
    for token in reversed(cuts):
        row, column = token.start
        pieces = _pieces(token.string, WIDTH - column - 1)
        line = lines[row - 1]
        joined = ("\n" + " " * column).join(pieces)
        lines[row - 1] = line[:column] + joined + line[token.end[1] :]
    return "\n".join(lines) + "\n"


def _pieces(literal: str, room: int) -> list[str]:
    """The literal as several of at most `room` characters; an f-string is not cut within its braces."""
    found = re.fullmatch(r"([fFrRbB]*)(\"|')(.*)\2", literal, re.DOTALL)
    if found is None or room < 30:
        return [literal]
    prefix, quote, body = found.groups()
    room -= len(prefix) + 2
    # Words with the space after them; what stands in braces is one word, an escape is never cut.
    word = r"(?:\{[^{}]*\}|\\.|[^\s\\])+\s*|\s+" if "f" in prefix.lower() else r"(?:\\.|[^\s\\])+\s*|\s+"
    words = re.findall(word, body)
    if "".join(words) != body:
        return [literal]
    pieces, now = [], ""
    for word in words:
        if now and len(now) + len(word.rstrip()) > room:
            pieces.append(now)
            now = ""
        now += word
    pieces.append(now)
    return [f"{prefix}{quote}{piece}{quote}" for piece in pieces]
