"""The command ``attnbook``: data, experiments, grading. Errors are one sentence, without a traceback."""

from __future__ import annotations

import argparse
import sys

from attnbook import __version__
from attnbook.extras import MissingExtra


def _list_or_fetch(arguments: argparse.Namespace) -> int:
    from attnbook.data import CORPORA
    from attnbook.data.corpora import fetch

    if arguments.action == "list":
        for name, corpus in CORPORA.items():
            print(f"{name:16s} {corpus.about} [{corpus.licence}]")
        return 0
    if arguments.name is None:
        raise ValueError(f"NAME: name a corpus to fetch: {', '.join(sorted(CORPORA))}")
    print(fetch(arguments.name))
    return 0


def parser(words: list[str]) -> argparse.ArgumentParser:
    """The command line's grammar, with the options of the experiment that ``words`` name."""
    top = argparse.ArgumentParser(prog="attnbook", description="Attention, from Brains to Transformers")
    top.add_argument("--version", action="version", version=f"attnbook {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    data = commands.add_parser("data", help="list the real corpora, or fetch one")
    data.add_argument("action", choices=["list", "fetch"])
    data.add_argument("name", nargs="?", metavar="NAME")
    data.set_defaults(function=_list_or_fetch)
    # What one command imports (torch, the exercises) the others need not wait for.
    if words[:1] == ["run"]:
        from attnbook.experiments.runner import add_parser as add_run

        add_run(commands, words)
    else:
        commands.add_parser("run", help="repeat an experiment over seeds and store its results")
    if words[:1] == ["grade"]:
        from attnbook.grading.command import add_parser as add_grade

        add_grade(commands)
    else:
        commands.add_parser("grade", help="grade a notebook, a folder of notebooks or a zip")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 after an error that the reader can mend, 130 after Ctrl-C."""
    try:
        words = sys.argv[1:] if arguments is None else arguments
        options = parser(words).parse_args(words)
        return options.function(options)
    except (ValueError, OSError, MissingExtra) as error:
        print(f"attnbook: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("attnbook: stopped; what was done so far is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
