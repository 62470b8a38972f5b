"""Exercises of chapter 6, soft and hard attention, in their order."""

from attnbook.exercises.bank.ch06 import (
    doubly_stochastic_penalty,
    draw_attention,
    expected_reward,
    gumbel_softmax,
    leave_one_out_gradient,
    lucky_share,
    reinforce_gradient,
    reward_and_gradient,
    sum_and_sample,
    unbiased_baseline,
    where_it_looks,
)

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        expected_reward,
        unbiased_baseline,
        reward_and_gradient,
        where_it_looks,
        reinforce_gradient,
        doubly_stochastic_penalty,
        gumbel_softmax,
        draw_attention,
        lucky_share,
        leave_one_out_gradient,
        sum_and_sample,
    )
)
