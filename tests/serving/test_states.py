"""Going on from a state and going back in it gives what reading everything gives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import GPT
from attnbook.serving import CachedReader, cropped, read

POSITIONS = ("learned", "rotary", "alibi", "none")


def model(positions="rotary", **options):
    torch.manual_seed(0)
    return GPT(9, 8, 4, 2, 40, positions=positions, **options).double()


@pytest.mark.parametrize("positions", POSITIONS)
@settings(deadline=None, max_examples=10)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(1, 5))
def test_back_and_on_again(positions, first, kept, more):
    gpt = model(positions, n_kv_heads=2)
    kept = min(kept, first)
    tokens, other = torch.randint(9, (2, first)), torch.randint(9, (2, more))
    logits, state = read(gpt, tokens, gpt.start())
    torch.testing.assert_close(logits, gpt(tokens)[0])
    again, later = read(gpt, other, cropped(state, kept))
    torch.testing.assert_close(again, gpt(torch.cat([tokens[:, :kept], other], 1))[0][:, kept:])
    assert (state.position, later.position) == (first, kept + more)  # the first state is unchanged


def test_a_state_cannot_be_cropped_to_more_than_it_read():
    gpt = model()
    with pytest.raises(ValueError, match="length: expected 0 to 0"):
        cropped(gpt.start(), 1)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=5), st.data())
def test_a_reader_says_what_the_model_says(sequences, data):
    gpt = model()
    reader = CachedReader(gpt, temperature=0.7)
    for words in sequences:
        tokens, n = torch.tensor(words), data.draw(st.integers(1, len(words)))
        expected = (gpt(tokens[None])[0][0, -n:] / 0.7).softmax(-1)
        torch.testing.assert_close(reader(tokens, n), expected)


def test_a_reader_reads_the_new_end_only():
    reader = CachedReader(model())
    reader(torch.tensor([1, 2, 3]), 1)
    reader(torch.tensor([1, 2, 3, 4]), 1)
    assert reader.tokens_read == 4
    reader(torch.tensor([1, 2, 5, 6]), 1)  # parts after two
    assert (reader.tokens_read, reader.calls) == (6, 3)
    with pytest.raises(ValueError, match="temperature: expected"):
        CachedReader(model(), 0)
