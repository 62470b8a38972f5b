"""Exercises of chapter 1, biological attention, in their order."""

from attnbook.exercises.bank.ch01 import (
    answer_squared,
    attention_field,
    guided_slope,
    height,
    hit_rates,
    information_gain,
    looks_for_two,
    nss,
    others_map,
    slope_error,
    stands_out,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        guided_slope,
        height,
        stands_out,
        others_map,
        nss,
        answer_squared,
        information_gain,
        slope_error,
        attention_field,
        hit_rates,
        looks_for_two,
    )
)
