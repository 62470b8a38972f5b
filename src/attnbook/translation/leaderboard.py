"""One leaderboard for the translators of the book: one JSON file a model, one row more each chapter.

A row is made from a results file of ``attnbook run translation``::

    python -m attnbook.translation.leaderboard translation_phrasebook_none \\
        --model "GRU, fixed vector" --chapter 3

and a chapter shows the rows up to itself::

    print(leaderboard.table(up_to_chapter=4))

All rows are trained by the rule of ``attnbook.experiments.training_rule`` and at equal terms: the same
sentences, batches and most steps. Their speeds are those of ``attnbook run translator_speed``, which times
all rows in one run.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from attnbook.results import FOLDER as RESULTS
from attnbook.results import results, write

FOLDER = RESULTS / "leaderboard"
SPEED = "steps per second"
# heading, number in the summary, decimals
COLUMNS = (
    ("loss", "validation loss", 3),
    ("BLEU", "bleu", 1),
    ("exact", "exact", 2),
    ("endless", "endless", 3),
    ("BLEU, long", "bleu long", 1),
    ("AER", "aer", 3),
    ("parameters", "parameters", 0),
    ("steps/s", SPEED, 1),
)
NOT_MEASURED = "–"
# What has to be equal in all rows, by its name in the options of their runs.
TERMS = ("data", "subset", "pairs", "longest", "test_pairs", "beam", "batch_size", "most_steps")


def add(result: str, model: str, chapter: int, folder: Path | None = None) -> Path:
    """Make a row of stored results.

    Parameters
    ----------
    result : str
        Name of the results file, such as ``"translation_phrasebook_additive"``.
    model : str
        What the row is called; one row a name.
    chapter : int
        The chapter that builds the model.
    folder : Path, optional
        Where rows are kept; the package's own by default.

    Returns
    -------
    Path
        The row's file.

    Raises
    ------
    ValueError
        If the results were not made by the rule of training, the chapter is negative, or the name has no
        letter or digit.
    FileNotFoundError
        If there are no such results.
    """
    stored = results(result)
    summary = stored["summary"]
    lacking = [key for key in ("bleu", "validation loss", "learning rate", "endless") if key not in summary]
    if lacking:
        raise ValueError(
            f"result: {result} lacks {', '.join(lacking)}; name results of attnbook run translation"
        )
    if isinstance(chapter, bool) or not isinstance(chapter, int) or chapter < 0:
        raise ValueError(f"chapter: expected a whole number from 0 up, got {chapter!r}")
    stem = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")
    if not stem:
        raise ValueError(f"model: expected a name with a letter or digit, got {model!r}")
    row = {
        "model": model,
        "chapter": chapter,
        "corpus": stored["options"]["data"],
        "result": result,
        "command": stored["command"],
        "commit": stored["commit"],
        "machine": stored["machine"],
        "seeds": len(stored["seeds"]),
        "terms": {name: stored["options"].get(name) for name in TERMS},
        "numbers": {key: summary[key] for _, key, _ in COLUMNS if key in summary},
    }
    path = (folder or FOLDER) / f"{chapter:02d}_{stem}.json"
    write(path, row)
    return path


def rows(up_to_chapter: int | None = None, folder: Path | None = None) -> list[dict[str, Any]]:
    """The rows of the chapters up to this one, in the order of chapters, then of names.

    A row's numbers hold its speed where ``translator_speed`` has timed it.

    Raises
    ------
    ValueError
        If a file is not a row, or a row was made at other terms than the others.
    """
    found: list[dict[str, Any]] = []
    speeds = _speeds()
    for path in sorted((folder or FOLDER).glob("*.json")):
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path}: not readable as a row ({error}); make it again") from None
        missing = {"model", "chapter", "numbers", "seeds", "terms"} - set(row)
        if missing:
            raise ValueError(f"{path}: not a row of the leaderboard, it lacks {', '.join(sorted(missing))}")
        if found and row["terms"] != found[0]["terms"]:
            other = [name for name in TERMS if row["terms"].get(name) != found[0]["terms"].get(name)]
            raise ValueError(
                f"{path}: made at other terms than {found[0]['model']} ({', '.join(other)}); run it again at "
                "equal terms, or take the row away"
            )
        found.append(row)
    found = [row for row in found if up_to_chapter is None or row["chapter"] <= up_to_chapter]
    for row in found:
        if row["model"] in speeds:
            row["numbers"][SPEED] = speeds[row["model"]]
    return sorted(found, key=lambda row: (row["chapter"], row["model"]))


def _speeds() -> dict[str, dict[str, float]]:
    """Steps a second of each model, all timed in one run."""
    try:
        summary = results("translator_speed")["summary"]
    except FileNotFoundError:
        return {}
    timed = ((name.rpartition("/"), number) for name, number in summary.items())
    return {model: number for (model, _, what), number in timed if what == SPEED}


def _cell(row: dict[str, Any], key: str, decimals: int) -> str:
    number = row["numbers"].get(key)
    if number is None:
        return NOT_MEASURED
    mean = f"{number['mean']:,.{decimals}f}"
    # the same model has as many parameters with every seed
    return mean if key == "parameters" or number["n"] < 2 else f"{mean} ± {number['std']:.{decimals}f}"


def cells(up_to_chapter: int | None = None, folder: Path | None = None) -> list[list[str]]:
    """The table as lines of cells, the first of them the headings; what no row has measured is no column."""
    shown = rows(up_to_chapter, folder)
    columns = [column for column in COLUMNS if any(column[1] in row["numbers"] for row in shown)]
    lines = [["chapter", "model", *(heading for heading, _, _ in columns), "seeds"]]
    for row in shown:
        numbers = [_cell(row, key, decimals) for _, key, decimals in columns]
        lines.append([str(row["chapter"]), row["model"], *numbers, str(row["seeds"])])
    return lines


def table(up_to_chapter: int | None = None, style: str = "text", folder: Path | None = None) -> str:
    """The leaderboard: mean ± standard deviation over seeds.

    Parameters
    ----------
    up_to_chapter : int, optional
        All rows if left out.
    style : "text" or "markdown"

    Returns
    -------
    str
        Lines of a table. The loss is that of the validation sentences, in nats a word. BLEU, exact matches,
        endless outputs (more than 1.3 times as long as the reference) and AER are measured on sentences as
        long as those in training, "BLEU, long" on longer ones; AER is – for a model without alignments.
    """
    if style not in ("text", "markdown"):
        raise ValueError(f"style: expected text or markdown, got {style!r}")
    lines = cells(up_to_chapter, folder)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def padded(line: list[str]) -> list[str]:  # the name to the left, numbers to the right
        pairs = enumerate(zip(line, widths, strict=True))
        return [cell.ljust(width) if i == 1 else cell.rjust(width) for i, (cell, width) in pairs]

    if style == "text":
        return "\n".join("  ".join(padded(line)).rstrip() for line in lines)
    rule = ["-" * width if i == 1 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in (padded(lines[0]), rule, *map(padded, lines[1:]))
    )


def main(words: list[str] | None = None) -> int:
    """Add a row (``RESULT --model NAME --chapter N``), and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m attnbook.translation.leaderboard", description=main.__doc__
    )
    parser.add_argument("result", nargs="?", help="stored results, such as translation_phrasebook_none")
    parser.add_argument("--model", help="what the row is called")
    parser.add_argument("--chapter", type=int)
    options = parser.parse_args(words)
    if options.result is not None:
        if options.model is None or options.chapter is None:
            parser.error("a row needs --model and --chapter")
        try:
            add(options.result, options.model, options.chapter)
        except (ValueError, FileNotFoundError) as error:
            print(f"attnbook.translation.leaderboard: {error}", file=sys.stderr)
            return 1
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
