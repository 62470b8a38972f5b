"""Word alignment without a neural network: the diagonal and IBM Model 1, against the Hansards' gold links.

The baselines that attention weights have to beat. Nothing here is random, so one seed says it all.
"""

from __future__ import annotations

import argparse
from typing import Any

from attnbook.data.corpora import hansards
from attnbook.data.pairs import Pair
from attnbook.translation.metrics import IBMModel1, alignment_error_rate, diagonal

ABOUT = "alignment error rate of the diagonal and of IBM Model 1 on the Hansards' gold alignments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run alignment``."""
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="rounds of EM (default 10)")


def run_seed(options: argparse.Namespace, seed: int, device) -> dict[str, Any]:
    """AER on the test pairs; IBM Model 1 learns from all pairs here (words only, no gold link)."""
    test = hansards.pairs("test")
    known = test + hansards.pairs("dev")
    gold = [pair.alignment or frozenset() for pair in test]
    forward = IBMModel1(known, options.rounds)
    backward = IBMModel1([Pair(pair.tgt, pair.src) for pair in known], options.rounds)
    to_french = [forward.links(pair.src, pair.tgt) for pair in test]
    to_english = [{(s, t) for t, s in backward.links(pair.tgt, pair.src)} for pair in test]
    both = [one & other for one, other in zip(to_french, to_english, strict=True)]
    lines = [diagonal(len(pair.src), len(pair.tgt)) for pair in test]
    return {
        "aer": {
            "diagonal": alignment_error_rate(lines, gold),
            "IBM Model 1, English to French": alignment_error_rate(to_french, gold),
            "IBM Model 1, French to English": alignment_error_rate(to_english, gold),
            "IBM Model 1, links of both directions": alignment_error_rate(both, gold),
        },
        "pairs": {"learned from": len(known), "test": len(test)},
    }
