"""Exercises of chapter 0, the preliminaries, in their order."""

from attnbook.exercises.bank.ch00 import (
    answer_loss,
    how_many,
    largest_rate,
    masked_max,
    new_state,
    shares,
    softmax_backward,
    standardise,
    surprise,
    table_gradient,
    tosses_by_heart,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        how_many,
        answer_loss,
        shares,
        standardise,
        largest_rate,
        masked_max,
        surprise,
        table_gradient,
        new_state,
        softmax_backward,
        tosses_by_heart,
    )
)
