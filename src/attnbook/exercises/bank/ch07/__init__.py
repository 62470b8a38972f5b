"""Exercises of chapter 7, self-attention, in their order."""

from attnbook.exercises.bank.ch07 import (
    answer_mask,
    causal_self_attention,
    fewer_directions,
    layers_needed,
    masked_attention,
    multiplications,
    order_from_a_mask,
    packed_mask,
    query_matrix,
    read_word,
    share_after,
    variance_of_scores,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_mask,
        share_after,
        causal_self_attention,
        masked_attention,
        read_word,
        variance_of_scores,
        multiplications,
        layers_needed,
        packed_mask,
        order_from_a_mask,
        query_matrix,
        fewer_directions,
    )
)
