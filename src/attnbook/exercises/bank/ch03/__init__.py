"""Exercises of chapter 3, the bottleneck, in their order."""

from attnbook.exercises.bank.ch03 import (
    beam_search,
    clipped_matches,
    corpus_bleu,
    gate_of_half,
    greedy_decode,
    gru_step,
    last_state,
    padded_loss,
    share_read_back,
    untrained_memory,
    words_that_fit,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        gate_of_half,
        words_that_fit,
        gru_step,
        last_state,
        padded_loss,
        greedy_decode,
        clipped_matches,
        corpus_bleu,
        share_read_back,
        untrained_memory,
        beam_search,
    )
)
