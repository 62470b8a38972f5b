"""Exercises of chapter 9, positions, in their order."""

from attnbook.exercises.bank.ch09 import (
    alibi,
    cached_attention,
    changed,
    move_on,
    reach,
    relative_scores,
    rotate,
    sinusoids,
    unfinished,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        changed,
        sinusoids,
        unfinished,
        move_on,
        alibi,
        rotate,
        cached_attention,
        relative_scores,
        reach,
    )
)
