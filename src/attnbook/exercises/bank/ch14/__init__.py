"""Exercises of chapter 14, using attention, in their order."""

from attnbook.exercises.bank.ch14 import (
    agree_untrained,
    answer_kind,
    deal_weights,
    decoder_layer,
    gradient_times_input,
    other_weights,
    patched_answers,
    weight_distances,
    weighted_norms,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_kind,
        weight_distances,
        deal_weights,
        gradient_times_input,
        patched_answers,
        decoder_layer,
        agree_untrained,
        other_weights,
        weighted_norms,
    )
)
