"""Exercises of chapter 3, the bottleneck, in their order."""

from attnbook.exercises.bank.ch03 import (
    answer_teacher,
    greedy_decode,
    gru_step,
    modified_precision,
    numbers_per_word,
    padded_loss,
    sentence_bleu,
    share_read_back,
    teacher_forcing,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        answer_teacher,
        numbers_per_word,
        gru_step,
        teacher_forcing,
        padded_loss,
        greedy_decode,
        modified_precision,
        sentence_bleu,
        share_read_back,
    )
)
