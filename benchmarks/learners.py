"""What learners' own mistakes are told: named, told something true and useful, or left with two numbers.

    python benchmarks/learners.py [--seeds 5] [--list] [--table]

The answers stand in ``tests/exercises/learner_answers_early.py`` and ``…_late.py``, each with words that the
right sentence holds. ``--table`` prints a line an answer, with what ``check`` says of it.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "exercises"))
from learner_answers import ANSWERS, EXERCISES
from learners import KINDS, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="each answer that was not served well")
    parser.add_argument(
        "--table", action="store_true", help="each answer, and what is said of it, in Markdown"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    tally: Counter[str] = Counter()
    lines = []
    for answer in ANSWERS:
        texts: dict[str, str] = {}
        for seed in range(options.seeds):
            kind, text = told(answer, seed)
            texts.setdefault(kind, text)
        worst = max(texts, key=KINDS.index)
        tally[worst] += 1
        if options.list and worst not in ("named", "told"):
            print(f"{answer.exercise} {answer.what}: {worst}\n    {texts[worst]}")
        lines.append((EXERCISES[answer.exercise].id, answer, worst, texts[worst]))
    if options.table:
        print("| exercise | what was written | | what `check` says |\n|---|---|---|---|")
        for id, answer, kind, text in sorted(lines, key=lambda line: [int(n) for n in line[0].split(".")]):
            print(f"| {id} `{answer.exercise}` | {answer.what} | {kind} | {_in_a_cell(text)} |")
        print()
    print(f"{len(ANSWERS)} answers, {options.seeds} seeds each; the worst of its seeds counts")
    for kind in KINDS:
        print(f"  {kind:10} {tally[kind]:4}  {tally[kind] / len(ANSWERS):6.1%}")
    return 0


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
