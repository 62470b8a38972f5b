"""A cell's source as plain Python: what IPython would do beyond Python is done, or left out.

Only lines at which Python itself stumbles are touched, so that ``%`` in a formula that goes over two lines,
or in a text, stays what it is.
"""

from __future__ import annotations

import re
from pathlib import Path

TRANSPARENT = ("%%time", "%%timeit", "%%capture", "%%prun")  # cell magics whose body is ordinary code
_TIMED = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)")
_RUN = re.compile(r"^([ \t]*)%run[ \t]+(?:-i[ \t]+)?[\"']?([^\s\"']+)[\"']?[ \t]*$")
_ASSIGNED = re.compile(r"^([ \t]*[\w.]+[ \t]*=)[ \t]*([!%]).*$")
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.%]+\?{1,2}[ \t]*)$")
_FILE = re.compile(r"^%%writefile[ \t]+(-a[ \t]+|--append[ \t]+)?[\"']?(.+?)[\"']?[ \t]*$")


def plain_python(source: str, flags: int = 0) -> str:
    """A cell's source without IPython's magics; a cell of another language becomes empty.

    Parameters
    ----------
    source : str
    flags : int
        Of the compiler, for what an earlier cell imported from ``__future__``.
    """
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        written = _FILE.match(first)
        if written:
            with Path(written[2]).open("a" if written[1] else "w", encoding="utf-8") as opened:
                opened.write(rest if rest.endswith("\n") else f"{rest}\n")
        return plain_python(rest, flags) if first.split()[0] in TRANSPARENT else ""
    lines = source.split("\n")
    for _ in range(len(lines)):
        try:
            compile("\n".join(lines), "<cell>", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or not _mended(lines, at):
                break
        else:
            break
    return "\n".join(lines)


def _mended(lines: list[str], at: int) -> bool:
    """Replace the magic in one line, and the lines that continue it; False if there is none."""
    line = lines[at]
    if timed := _TIMED.match(line):
        lines[at] = timed[1] + line[timed.end() :]
        return True
    if run := _RUN.match(line):
        lines[at] = f"{run[1]}exec(open({run[2]!r}, encoding='utf-8').read())"
    elif assigned := _ASSIGNED.match(line):
        lines[at] = f"{assigned[1]} {'[]' if assigned[2] == '!' else None}"
    elif magic := _MAGIC.match(line):
        lines[at] = f"{magic[1]}pass"
    else:
        return False
    while line.endswith("\\") and at + 1 < len(lines):  # `!pip install \` goes on below
        at += 1
        line, lines[at] = lines[at], ""
    return True
