"""Exercises of chapter 4, Bahdanau's attention, in their order."""

from attnbook.exercises.bank.ch04 import (
    additive_scores,
    alignment_error_rate,
    answer_picture,
    attend_packed,
    bahdanau_attention,
    diagonal_aer,
    join_directions,
    least_loss,
    query_to_weights,
    weight_of_each_word,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_picture,
        weight_of_each_word,
        additive_scores,
        attend_packed,
        bahdanau_attention,
        join_directions,
        alignment_error_rate,
        diagonal_aer,
        query_to_weights,
        least_loss,
    )
)
