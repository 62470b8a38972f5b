"""Exercises of chapter 15, beyond text and the map of all attentions, in their order."""

from attnbook.exercises.bank.ch15 import (
    collapse,
    complete,
    fits_best,
    how_many_kept,
    location_features,
    right_word,
    second_glance,
    settle,
    sharpness,
    skill,
    times_more,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        fits_best,
        times_more,
        complete,
        settle,
        second_glance,
        skill,
        location_features,
        collapse,
        right_word,
        how_many_kept,
        sharpness,
    )
)
