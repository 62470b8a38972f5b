"""Exercises of chapter 8, multi-head attention, in their order."""

from attnbook.exercises.bank.ch08 import (
    answer_name,
    dearest_cost,
    head_parts,
    merge_heads,
    multi_head,
    parameters,
    self_attention,
    share_at,
    split_heads,
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
        dearest_cost,
        share_at,
        answer_name,
    )
)
