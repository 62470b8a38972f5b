"""Exercises of chapter 2, attention as lookup, in their order."""

from attnbook.exercises.bank.ch02 import (
    answer_order,
    attention_weights,
    joined_lookup,
    lookup_or_nothing,
    paired_ratio,
    query_for,
    query_pooling,
    scaled_lookup,
    share_after_shift,
    temperature_for,
    temperature_of_half,
    temperature_softmax,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_order,
        share_after_shift,
        attention_weights,
        scaled_lookup,
        temperature_softmax,
        temperature_of_half,
        query_for,
        joined_lookup,
        query_pooling,
        lookup_or_nothing,
        paired_ratio,
        temperature_for,
    )
)
