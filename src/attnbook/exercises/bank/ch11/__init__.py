"""Exercises of chapter 11, language models, in their order."""

from attnbook.exercises.bank.ch11 import (
    answer_merge,
    attend_parts,
    attend_rolling,
    best_temperature,
    cache_megabytes,
    cached_step,
    grouped_attention,
    left_padded,
    penalise,
    perplexity,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_merge,
        cache_megabytes,
        penalise,
        left_padded,
        grouped_attention,
        perplexity,
        best_temperature,
        cached_step,
        attend_parts,
        attend_rolling,
    )
)
