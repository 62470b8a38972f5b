"""A cache that forgets: what it keeps, where what it keeps stands, and what a model makes of it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import GPT, ALiBi, GPTState, KVCache, MultiHeadAttention, RotaryPositions, SinkCache


@settings(max_examples=30, deadline=None)
@given(
    n_first=st.integers(0, 4),
    window=st.integers(1, 6),
    pieces=st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_it_holds_the_first_and_the_latest(n_first, window, pieces):
    cache, read = SinkCache(n_first, window), 0
    for new in pieces:
        rows = torch.arange(read, read + new).view(1, 1, new, 1).expand(2, 1, new, 4).float()
        before = cache.length
        shown, _ = cache.append(rows, rows)
        assert shown.shape[-2] == before + new
        read += new
        kept = cache.value[0, 0, :, 0].int().tolist()
        expected = [p for p in range(read) if p < n_first or p >= read - window]
        # what a call forgot stays forgotten, and nothing else is
        assert kept == expected
        assert cache.length <= n_first + window


def by_hand(attention, x, n_first, window):
    """The paper's way: keys as they were before rotation, all turned anew by their place in the cache."""
    n_heads = attention.n_heads
    project = lambda w: w(x).unflatten(-1, (n_heads, -1)).transpose(1, 2)  # noqa: E731
    query, key, value = (project(w) for w in (attention.W_q, attention.W_k, attention.W_v))
    contexts = []
    for t in range(x.shape[1]):
        seen = [s for s in range(t) if s < n_first or s >= t - window] + [t]
        k, v = key[:, :, seen], value[:, :, seen]
        q = query[:, :, t : t + 1]
        if attention.positions is not None:
            q = attention.positions.rotate(q, len(seen) - 1)
            k = attention.positions.rotate(k)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if attention.positions is not None:
            bias = attention.positions.bias(q, len(seen), len(seen) - 1)
            scores = scores if bias is None else scores + bias
        contexts.append((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
    return attention.W_o(torch.cat(contexts, dim=1))


@pytest.mark.parametrize("positions", [None, RotaryPositions(6), ALiBi(2)], ids=["none", "rotary", "ALiBi"])
@pytest.mark.parametrize(("n_first", "window"), [(0, 3), (2, 4), (4, 1), (4, 100)])
def test_attention_by_steps_is_that_of_the_paper(positions, n_first, window):
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(12, 2, positions=positions), torch.randn(2, 40, 12)
    cache = SinkCache(n_first, window, positions if isinstance(positions, RotaryPositions) else None)
    steps = [attention(x[:, t : t + 1], causal=True, cache=cache)[0] for t in range(40)]
    torch.testing.assert_close(
        torch.cat(steps, dim=1), by_hand(attention, x, n_first, window), atol=1e-5, rtol=1e-5
    )


def test_a_large_one_is_a_plain_cache_and_a_language_model_takes_it():
    torch.manual_seed(0)
    model = GPT(11, 8, 2, 2, positions="rotary").eval()
    tokens = torch.randint(11, (2, 9))
    state = GPTState(tuple(SinkCache(2, 50, layer.attention.positions) for layer in model.layers))
    plain = model.start()
    for t in range(9):
        ours, state = model.step(tokens[:, t : t + 1], state)
        theirs, plain = model.step(tokens[:, t : t + 1], plain)
        torch.testing.assert_close(ours, theirs)
    assert isinstance(plain.caches[0], KVCache)
    assert state.select(torch.tensor([1, 1])).caches[0].length == 9


def test_long_texts_stay_exact_and_half_precision_stays_half():
    rotary = RotaryPositions(8)
    cache = SinkCache(1, 3, rotary)
    key = torch.randn(1, 1, 1, 8)
    for t in range(500):  # the same key again and again, turned five hundred times in all
        at = min(t, 4)
        cache.append(rotary.rotate(key, at), key)
    torch.testing.assert_close(
        cache.key[0, 0], rotary.rotate(key.expand(1, 1, 4, 8))[0, 0], atol=1e-5, rtol=0
    )
    half = SinkCache(1, 2, rotary)
    for _ in range(5):
        half.append(key.half(), key.half())
    assert half.key.dtype == torch.float16


def test_bad_arguments_are_named_and_the_cache_stays():
    with pytest.raises(ValueError, match="^window"):
        SinkCache(4, 0)
    with pytest.raises(ValueError, match="^n_first"):
        SinkCache(-1, 3)
    with pytest.raises(TypeError, match="^rotary: expected RotaryPositions"):
        SinkCache(4, 3, ALiBi(2))
    cache = SinkCache(1, 2)
    assert cache.held() is None
    assert cache.copy().select(torch.tensor([0])).length == 0
    cache.append(torch.ones(1, 1, 2, 4), torch.ones(1, 1, 2, 4))
    with pytest.raises(ValueError, match="^key"):
        cache.append(torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))
    assert cache.length == 2
    twin = cache.copy()
    twin.append(torch.ones(1, 1, 1, 4), torch.ones(1, 1, 1, 4))
    assert (cache.length, twin.length) == (2, 3)
    assert twin.held()[0].shape == (1, 1, 3, 4)
