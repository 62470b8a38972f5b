"""Ring attention: the merge against the whole, one process, and pieces that no process has."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import ring_attention, scaled_dot_product_attention
from attnbook.nn.ring import bytes_sent, merged, partial_attention


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    scale=st.sampled_from([0.1, 1.0, 40.0]),
)
def test_parts_merge_to_the_whole_in_any_order(seed, cuts, scale):
    generator = torch.Generator().manual_seed(seed)
    query = scale * torch.randn(2, 3, 4, generator=generator)
    key, value = (torch.randn(2, sum(cuts), 4, generator=generator) for _ in range(2))
    parts = [
        partial_attention(query, k, v) for k, v in zip(key.split(cuts, 1), value.split(cuts, 1), strict=True)
    ]
    whole, _ = scaled_dot_product_attention(query, key, value)
    for order in (parts, parts[::-1]):
        found = order[0]
        for part in order[1:]:
            found = merged(found, part)
        torch.testing.assert_close(found[0], whole, atol=1e-5, rtol=1e-5)
    log_sum = (query @ key.transpose(1, 2) / 2).logsumexp(-1, keepdim=True)
    torch.testing.assert_close(found[1], log_sum)


def test_nothing_merged_with_nothing_stays_nothing():
    nothing = torch.zeros(2, 3), torch.full((2, 1), -torch.inf)
    context, log_sum = merged(nothing, nothing)
    assert not context.any()
    assert (log_sum == -torch.inf).all()
    something = torch.ones(2, 3), torch.zeros(2, 1)
    assert torch.equal(merged(nothing, something)[0], torch.ones(2, 3))


@pytest.mark.parametrize("causal", [False, True])
def test_one_process_alone_is_plain_attention(causal):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 5).unbind(0)
    expected, _ = scaled_dot_product_attention(query, key, value, causal=causal)
    torch.testing.assert_close(ring_attention(query, key, value, causal), expected)


def test_bytes_and_bad_shapes():
    key = value = torch.zeros(2, 3, 5, 4)
    assert bytes_sent(key, value, 4) == 3 * 2 * (2 * 3 * 5 * 4) * 4
    assert bytes_sent(key, value, 1) == 0
    with pytest.raises(ValueError, match="^value: expected one row for each"):
        ring_attention(key, key, value[:, :, :4])
