"""Exercises of chapter 0, the preliminaries, in their order."""

from attnbook.exercises.bank.ch00 import (
    answer_neighbour,
    descend,
    how_many,
    largest_rate,
    look_up,
    lstm_step,
    masked_mean,
    new_state,
    shares,
    surprise,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        how_many,
        look_up,
        shares,
        descend,
        largest_rate,
        masked_mean,
        surprise,
        answer_neighbour,
        new_state,
        lstm_step,
    )
)
