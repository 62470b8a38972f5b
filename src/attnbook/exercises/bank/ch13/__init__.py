"""Exercises of chapter 13, efficient attention, in their order."""

from attnbook.exercises.bank.ch13 import (
    chosen_blocks,
    crossover_length,
    delta_write,
    first_confusion,
    gated_step,
    hybrid_gigabytes,
    mask_blocks,
    merge_parts,
    reach,
    tiled_context,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        hybrid_gigabytes,
        reach,
        crossover_length,
        merge_parts,
        tiled_context,
        gated_step,
        delta_write,
        mask_blocks,
        chosen_blocks,
        first_confusion,
    )
)
