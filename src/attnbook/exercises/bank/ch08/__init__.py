"""Exercises of chapter 8, multi-head attention, in their order."""

from attnbook.exercises.bank.ch08 import (
    answer_name,
    head_parts,
    largest_cost,
    least_d_head,
    merge_heads,
    multi_head,
    parameters,
    self_attention,
    share_at,
    split_heads,
    what_heads_copy,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        parameters,
        split_heads,
        merge_heads,
        multi_head,
        self_attention,
        head_parts,
        largest_cost,
        share_at,
        answer_name,
        least_d_head,
        what_heads_copy,
    )
)
