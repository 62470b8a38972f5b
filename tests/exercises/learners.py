"""How an answer of a learner's is served by a check."""

from __future__ import annotations

import re

from learner_answer import Answer
from learner_answers import EXERCISES

from attnbook.exercises.checking import try_answer

# From best to worst: a known mistake is named; a true and useful sentence; nothing but numbers; the name of
# another mistake; no objection at all.
KINDS = ("named", "told", "quiet", "misnamed", "accepted")


def told(answer: Answer, seed: int) -> tuple[str, str]:
    """Which of ``KINDS`` it is on the inputs of a seed, and the sentences."""
    verdict, _, _ = try_answer(EXERCISES[answer.exercise], answer.made(), seed)
    if verdict.passed:
        return "accepted", ""
    finding = verdict.finding
    diagnosis = " ".join([*verdict.diagnosis, verdict.in_part])
    if (verdict.named or verdict.in_part) and re.search(answer.says, diagnosis, re.DOTALL):
        return "named", diagnosis
    if verdict.named or verdict.in_part:
        return "misnamed", diagnosis
    text = "\n".join([finding.sentence, finding.detail])
    return ("told" if re.search(answer.says, text, re.DOTALL) else "quiet"), text
