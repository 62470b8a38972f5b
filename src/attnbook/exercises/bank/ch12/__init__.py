"""Exercises of chapter 12, attention that sees, in their order."""

from attnbook.exercises.bank.ch12 import (
    embed,
    gate_channels,
    local_attention,
    mass_in_box,
    non_local,
    patchify,
    read_places,
    resize_positions,
    rollout,
    share_of_convolution,
    shifted_windows,
    side_of_balance,
    write_patch,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        share_of_convolution,
        patchify,
        embed,
        gate_channels,
        non_local,
        resize_positions,
        rollout,
        side_of_balance,
        mass_in_box,
        local_attention,
        write_patch,
        read_places,
        shifted_windows,
    )
)
