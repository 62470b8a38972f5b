"""A cache in blocks: memory is given out a few tokens at a time, and sequences may
share blocks.

Kwon et al. 2023 (PagedAttention, vLLM), https://arxiv.org/abs/2309.06180, section
4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.serving import checks


@dataclass(frozen=True)
class Slot:
    """Where a token's keys and values go.

    Attributes
    ----------
    block, offset : int
    copied_from : int or None
        The block whose rows must be copied first, since another sequence still
        needs it.
    """

    block: int
    offset: int
    copied_from: int | None = None


class BlockAllocator:
    """Which block holds which tokens of which sequence. No tensor in it.

    Parameters
    ----------
    n_blocks : int
        All that there is.
    block_size : int
        Tokens that a block holds.

    Attributes
    ----------
    free : list of int
        Blocks that nobody holds.
    users : list of int
        How many sequences hold each block.
    tables : dict
        Sequence → its blocks, in order.
    lengths : dict
        Sequence → its tokens.
    """

    def __init__(self, n_blocks: int, block_size: int):
        checks.sizes(n_blocks=n_blocks, block_size=block_size)
        self.block_size = block_size
        self.free, self.users = list(range(n_blocks)), [0] * n_blocks
        self.tables: dict[str, list[int]] = {}
        self.lengths: dict[str, int] = {}

    def append(self, name: str) -> Slot:
        """A place for one more token of this sequence, which begins with its first.

        Raises
        ------
        MemoryError
            If a block is needed and none is free; nothing has changed then.
        """
        table, length = self.tables.get(name, []), self.lengths.get(name, 0)
        offset, copied_from = length % self.block_size, None
        if offset == 0:  # the last block is full, or there is none
            table = [*table, self.take()]
        elif self.users[table[-1]] > 1:  # copy on write
            copied_from = table[-1]
            table = [*table[:-1], self.take()]
            self.users[copied_from] -= 1
        self.tables[name], self.lengths[name] = table, length + 1
        return Slot(table[-1], offset, copied_from)

    def take(self) -> int:
        """A free block, which now has one user."""
        if not self.free:
            raise MemoryError("no block is free; release a sequence")
        block = self.free.pop()
        self.users[block] = 1
        return block

    def fork(self, name: str, twin: str) -> None:
        """Begin another sequence with all of this one's tokens. No block is copied.

        Raises
        ------
        ValueError
            If there is no sequence of the first name, or already one of the second.
        """
        checks.twin(name, twin, self.tables)
        self.tables[twin] = list(self.tables[name])
        self.lengths[twin] = self.lengths[name]
        for block in self.tables[twin]:
            self.users[block] += 1

    def release(self, name: str) -> None:
        """Forget a sequence; blocks that nobody else holds are free again.

        Raises
        ------
        ValueError
            If there is no such sequence.
        """
        checks.known(name, self.tables)
        for block in self.tables.pop(name):
            self.users[block] -= 1
            if self.users[block] == 0:
                self.free.append(block)
        del self.lengths[name]


class PagedRows:
    """Rows of numbers, such as keys, in the blocks of an allocator.

    Parameters
    ----------
    n_blocks, block_size : int
        As in BlockAllocator.
    size : int
        Numbers in a row.
    """

    def __init__(self, n_blocks: int, block_size: int, size: int):
        self.allocator = BlockAllocator(n_blocks, block_size)
        self.pool = torch.zeros(n_blocks, block_size, size)

    def append(self, name: str, row: Tensor) -> None:
        """Write the row (size,) of one more token."""
        slot = self.allocator.append(name)
        if slot.copied_from is not None:
            self.pool[slot.block] = self.pool[slot.copied_from]
        self.pool[slot.block, slot.offset] = row

    def rows(self, name: str) -> Tensor:
        """All rows of a sequence, gathered: (length, size)."""
        length = self.allocator.lengths[name]
        return self.pool[self.allocator.tables[name]].flatten(0, 1)[:length]
