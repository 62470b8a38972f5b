"""Exercises of chapter 9, positions, in their order."""

from attnbook.exercises.bank.ch09 import (
    alibi,
    cached_attention,
    changed,
    larger_base,
    move_on,
    relative_scores,
    rotate,
    slow_ones,
    unfinished,
    window_on_majority,
    window_weights,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        changed,
        unfinished,
        window_weights,
        move_on,
        alibi,
        rotate,
        cached_attention,
        slow_ones,
        relative_scores,
        larger_base,
        window_on_majority,
    )
)
