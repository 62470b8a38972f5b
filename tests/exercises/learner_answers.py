"""Wrong answers as learners write them, and what each should be told.

Each is a mistake that was seen in public threads and repositories, or that somebody made who had not read the
list of known ones. ``says`` is a regular expression: words without which the sentence would not be about
*this* mistake, whether it is a known mistake's text or one on the shape, the line of an error, the rows of
NaN.
"""

from __future__ import annotations

import learner_answers_early
import learner_answers_late

from attnbook.exercises import exercises

ANSWERS = [*learner_answers_early.ANSWERS, *learner_answers_late.ANSWERS]
EXERCISES = {item.name: item for item in exercises()}
