"""Blocks: what is read is what was written, shared or not, and none is lost."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.serving import BlockAllocator, PagedRows

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["append", "append", "append", "fork", "release"]), st.integers(0, 5)),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(ACTIONS, st.integers(1, 4))
def test_against_plain_lists(actions, block_size):
    paged, plain, forks = PagedRows(12, block_size, 2), {}, 0
    allocator = paged.allocator
    for number, (action, i) in enumerate(actions):
        name = f"s{i}"
        if action == "append":
            row = torch.tensor([float(number), -1.0])
            before = (list(allocator.free), dict(allocator.lengths))
            try:
                paged.append(name, row)
            except MemoryError:
                assert (allocator.free, allocator.lengths) == before == ([], before[1])
                continue
            plain[name] = [*plain.get(name, []), row]
        elif action == "fork" and name in plain:
            forks += 1
            allocator.fork(name, f"fork{forks}")
            plain[f"fork{forks}"] = list(plain[name])
        elif action == "release" and name in plain:
            allocator.release(name)
            del plain[name]
        for each, rows in plain.items():
            assert torch.equal(paged.rows(each), torch.stack(rows))
        held = [block for table in allocator.tables.values() for block in table]
        assert allocator.users == [held.count(block) for block in range(12)]
        assert sorted({*held, *allocator.free}) == list(range(12))
        assert len(allocator.free) == len(set(allocator.free)) == 12 - len(set(held))
        for each, rows in plain.items():  # no sequence wastes a whole block
            assert len(allocator.tables[each]) == -(-len(rows) // block_size)


def test_a_shared_block_is_copied_when_it_is_written_and_not_before():
    allocator = BlockAllocator(4, 4)
    for _ in range(6):
        allocator.append("prompt")
    for twin in ("a", "b"):
        allocator.fork("prompt", twin)
    assert len(allocator.free) == 2  # nothing was copied
    first, second = allocator.append("a"), allocator.append("b")
    assert first.copied_from == second.copied_from == allocator.tables["prompt"][1]
    assert len({first.block, second.block, first.copied_from}) == 3
    assert allocator.tables["a"][0] == allocator.tables["b"][0] == allocator.tables["prompt"][0]
    assert allocator.append("a").copied_from is None  # it is its own now


def test_the_last_user_of_a_block_does_not_copy_it():
    allocator = BlockAllocator(3, 4)
    allocator.append("prompt")
    allocator.fork("prompt", "a")
    allocator.release("prompt")
    assert allocator.append("a").copied_from is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: BlockAllocator(0, 4), ValueError, "n_blocks: expected"),
        (lambda a: BlockAllocator(4, 1.5), TypeError, "block_size: expected"),
        (lambda a: a.fork("nobody", "b"), ValueError, "name, twin: expected one of"),
        (lambda a: a.fork("a", "a"), ValueError, "name, twin: expected one of .* and a new name"),
        (lambda a: a.release("nobody"), ValueError, r"name: expected one of \['a'\]"),
    ],
)
def test_bad_input_is_named(call, error, message):
    allocator = BlockAllocator(2, 2)
    allocator.append("a")
    with pytest.raises(error, match=message):
        call(allocator)
