"""Exercises of chapter 5, Luong's attention: many scores, global and local, in their order."""

from attnbook.exercises.bank.ch05 import (
    answer_pictures,
    biaffine_scores,
    decode_with_feeding,
    least_window,
    local_m_weights,
    luong_step,
    predicted_window,
    reach_of_the_gradient,
    scores_that_work,
    scores_with_coverage,
    sum_of_weights,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        scores_that_work,
        sum_of_weights,
        answer_pictures,
        biaffine_scores,
        local_m_weights,
        luong_step,
        least_window,
        predicted_window,
        decode_with_feeding,
        reach_of_the_gradient,
        scores_with_coverage,
    )
)
