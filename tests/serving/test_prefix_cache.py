"""Shared beginnings are read once, and change nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import GPT
from attnbook.serving import PrefixCache


def model():
    torch.manual_seed(0)
    return GPT(9, 8, 2, 2, 64, positions="rotary").double()


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=14), min_size=1, max_size=6), st.integers(1, 5)
)
def test_logits_are_those_of_the_whole_prompt(prompts, block_size):
    gpt = model()
    cache = PrefixCache(gpt, block_size)
    seen = set()
    for words in prompts:
        tokens = torch.tensor(words)
        logits, state, reused = cache.read(tokens)
        torch.testing.assert_close(logits, gpt(tokens[None])[0][:, -1])
        assert state.position == len(words)
        best = [n for n in range(0, len(words), block_size) if n == 0 or tuple(words[:n]) in seen]
        assert reused == max(best)  # as much as can be, but never the last token
        seen |= {tuple(words[:n]) for n in range(block_size, len(words) + 1, block_size)}


def test_a_stored_prefix_is_not_changed_by_what_followed_it():
    gpt = model()
    cache = PrefixCache(gpt, 2)
    cache.read(torch.tensor([1, 2, 3]))
    for last in (4, 5):
        tokens = torch.tensor([1, 2, last])
        logits, _, reused = cache.read(tokens)
        assert reused == 2
        torch.testing.assert_close(logits, gpt(tokens[None])[0][:, -1])


def test_blocks_have_a_size():
    with pytest.raises(ValueError, match="block_size: expected"):
        PrefixCache(model(), 0)
