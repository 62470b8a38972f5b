"""The simulation: every request is answered, memory is never exceeded, and the counts add up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.serving import Request, serve

REQUESTS = st.lists(st.builds(Request, st.integers(1, 10), st.integers(1, 10)), min_size=1, max_size=12)


@settings(deadline=None, max_examples=80)
@given(REQUESTS, st.integers(20, 80), st.sampled_from([None, 1, 2, 4, 5]))
def test_all_are_answered(requests, memory, block_size):
    if block_size is not None:  # a single request must fit in whole blocks
        memory += block_size
    found = serve(requests, memory, 20, block_size)
    assert len(found.running) == len(found.used) == found.steps
    assert sum(found.running) >= sum(each.answer for each in requests)
    if found.sent_back == 0:
        assert sum(found.running) == sum(each.answer for each in requests)
    assert all(0 < share <= 1 for share in found.used)
    if block_size == 1:
        assert set(found.used) == {1.0}
    if block_size is None:
        assert found.sent_back == 0
        assert max(found.running) <= memory // 20


def test_by_hand():
    """Two requests of 2 + 2 tokens, a memory of 8: reserving 8 lets one run at a time, blocks of 2 both."""
    two = [Request(2, 2)] * 2
    alone = serve(two, 8, 8)
    assert (alone.steps, alone.running, alone.used) == (4, [1] * 4, [3 / 8, 4 / 8] * 2)
    blocks = serve(two, 8, 8, 2)
    assert (blocks.steps, blocks.running, blocks.used) == (2, [2, 2], [6 / 8, 1.0])


def test_a_request_is_sent_back_when_blocks_run_out():
    found = serve([Request(1, 6)] * 2, 8, 8, 1)
    assert found.sent_back > 0
    assert sum(found.running) > 12


@pytest.mark.parametrize(
    ("memory", "longest", "block_size", "message"),
    [
        (0, 4, None, "memory: expected"),
        (8, 9, None, "longest: expected at most memory = 8"),
        (8, 5, None, "requests: expected at most longest = 5"),
        (8, 8, 0, "block_size: expected"),
    ],
)
def test_bad_input_is_named(memory, longest, block_size, message):
    with pytest.raises(ValueError, match=message):
        serve([Request(3, 3)], memory, longest, block_size)
