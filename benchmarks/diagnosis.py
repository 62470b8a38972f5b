"""How well known mistakes are told apart: every known-wrong variant of every exercise, on many seeds.

python benchmarks/diagnosis.py [--seeds 50] [--exercise 2.7] [--chapter 13]

A variant is one combination of known mistakes. It should be rejected always, named (exactly this
combination and no other) on at least 95 % of seeds, and never misnamed. The last two columns try answers that
are wrong in no known way: rejected, and without a diagnosis.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from attnbook.exercises import exercises
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "exercises"))
from mutants import tally
from unrelated import unrelated_answers

HEAD = (
    "exercise",
    "variants",
    "tried",
    "rejected",
    "named",
    "misnamed",
    "ms each",
    "unrelated",
    "false names",
)


def unrelated(item, seeds) -> tuple[int, int]:
    """How many wrong answers of no known kind were tried, and how many got a name all the same."""
    tried = named = 0
    for seed in seeds:
        cases = item.make_cases(seed)
        for make in unrelated_answers(item):
            replies = [answer(make(case, seed), item.request(case)) for case in cases]
            verdict = judge(item, cases, replies)
            if verdict.passed:
                raise SystemExit(f"{item.id}: an unrelated answer passed on seed {seed}")
            tried += 1
            named += bool(verdict.named)
    return tried, named


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--exercise", default="")
    parser.add_argument("--chapter", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        wanted = exercises(options.chapter)
    except KeyError as error:
        parser.error(f"--chapter: {error.args[0]}")
    items = [item for item in wanted if item.has_inputs and options.exercise in ("", item.id)]
    if not items:
        parser.error(f"no exercise {options.exercise!r} with known mistakes by axis")
    rows, notes = [], []
    for item in tqdm(items, disable=not sys.stderr.isatty()):
        started = time.perf_counter()
        found = tally(item, range(options.seeds))
        taken = time.perf_counter() - started
        tried, false = unrelated(item, range(options.seeds))
        rows.append((f"{item.id} {item.name}", found, taken, tried, false))
        notes += [f"{item.id}: {note}" for note in found.notes[:5]]
    print(f"| {' | '.join(HEAD)} |\n|---|{'--:|' * (len(HEAD) - 1)}")
    for name, found, taken, tried, false in rows:
        print(
            _row(
                name,
                found.variants,
                found.tried,
                found.rejected,
                found.named,
                found.misnamed,
                taken,
                tried,
                false,
            )
        )
    sums = [
        sum(getattr(found, name) for _, found, *_ in rows)
        for name in ("variants", "tried", "rejected", "named", "misnamed")
    ]
    print(
        _row(
            "all",
            *sums,
            sum(row[2] for row in rows),
            sum(row[3] for row in rows),
            sum(row[4] for row in rows),
        )
    )
    for note in notes:
        print(note)
    tried, rejected, named, misnamed = sums[1:]
    reached = (
        rejected == tried and named >= 0.95 * tried and misnamed == 0 and not any(row[4] for row in rows)
    )
    print("reached" if reached else "NOT reached: 100 % rejected, 95 % named, 0 misnamed, 0 false names")
    return int(not reached)


def _row(name, variants, tried, rejected, named, misnamed, seconds, unrelated, false) -> str:
    return (
        f"| {name} | {variants} | {tried} | {rejected / tried:.1%} | {named / tried:.1%} | {misnamed} "
        f"| {1000 * seconds / tried:.1f} | {unrelated} | {false} |"
    )


if __name__ == "__main__":
    sys.exit(main())
