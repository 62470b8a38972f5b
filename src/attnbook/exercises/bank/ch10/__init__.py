"""Exercises of chapter 10, the transformer, in their order."""

from attnbook.exercises.bank.ch10 import (
    both_ends,
    cross_attention,
    decoder_mask,
    encoder_layer,
    layer_norm,
    learning_rate,
    next_word,
    padding_sorted,
    parameters_of_gpt2,
    share_attention,
    smoothed_loss,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        share_attention,
        layer_norm,
        learning_rate,
        both_ends,
        decoder_mask,
        next_word,
        smoothed_loss,
        cross_attention,
        padding_sorted,
        encoder_layer,
        parameters_of_gpt2,
    )
)
