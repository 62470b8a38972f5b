"""The process that reads one notebook: ``python -I reader.py PATH NAME…``, started by ``look_through``.

It takes little memory and time, by limits that it sets itself before it opens the file. What it finds it says
in lines of JSON, one after the other, so that what was found before a limit was met is not lost.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

PROCESSOR_SECONDS = 20


def say(**found) -> None:
    """One line for the judge."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main(path: Path, names: list[str]) -> None:
    """Content, then cells or a problem, then flags and fingerprint."""
    from attnbook.grading import flags, notebook

    with suppress(ImportError):
        import resource

        with suppress(ValueError, OSError):  # macOS knows no limit on address space
            resource.setrlimit(resource.RLIMIT_AS, (notebook.MEMORY, notebook.MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        content = notebook.content_of(path)
        say(content=notebook.digest(content))
        cells = notebook.cells_of(content)
    except notebook.Unreadable as reason:
        say(problem=str(reason))
        return
    say(cells=cells, problem="", flags=[notebook.NOT_LOOKED_THROUGH])
    del content
    sources = [source for _, source in cells]
    fingerprint = flags.fingerprint(sources) if sources else ""
    say(flags=flags.library_calls(sources, names), fingerprint=fingerprint)


if __name__ == "__main__":
    # Started with `python -I`: the package that this file belongs to is not on the path by itself.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(Path(sys.argv[1]), sys.argv[2:])
