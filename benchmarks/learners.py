"""What learners' own mistakes are told: named, told something true and useful, or left with two numbers.

    python benchmarks/learners.py [--seeds 5] [--list]

The answers stand in ``tests/exercises/learner_answers.py``, each with words that the right sentence holds.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "exercises"))
from learner_answers import ANSWERS, GONE
from learners import KINDS, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="each answer that was not served well")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tally: Counter[str] = Counter()
    for answer in ANSWERS:
        kinds = Counter()
        for seed in range(options.seeds):
            kind, text = told(answer, seed)
            kinds[kind] += 1
        worst = max(kinds, key=KINDS.index)
        tally[worst] += 1
        if options.list and worst not in ("named", "told"):
            print(f"{answer.exercise} {answer.what}: {dict(kinds)}\n    {text}")
    print(f"{len(ANSWERS)} answers, {options.seeds} seeds each; the worst of its seeds counts")
    if GONE:
        print(f"left out, since their exercises are gone: {', '.join(GONE)}")
    for kind in KINDS:
        print(f"  {kind:10} {tally[kind]:4}  {tally[kind] / len(ANSWERS):6.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
