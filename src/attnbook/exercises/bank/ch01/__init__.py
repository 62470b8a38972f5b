"""Exercises of chapter 1, biological attention, in their order."""

from attnbook.exercises.bank.ch01 import (
    answer_line,
    auc,
    centre_surround,
    factor,
    normalisation_model,
    normalise_map,
    nss,
    slope_ratio,
    winner_take_all,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_line,
        factor,
        centre_surround,
        normalise_map,
        winner_take_all,
        auc,
        nss,
        normalisation_model,
        slope_ratio,
    )
)
