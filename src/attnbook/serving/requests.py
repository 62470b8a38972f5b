"""Many requests and one memory: a small simulation of what reserving costs, and
what blocks save.

A step writes one token of each running request. A request joins as soon as there is
memory for it: with reservation, for the longest text that it may become; with
blocks, for its prompt and the first token, and each block that it grows into is
taken when it is needed. If none is free then, the youngest running request is sent
back to the queue, and everything it wrote has to be computed again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from attnbook.arguments import whole_number


@dataclass(frozen=True)
class Request:
    """Tokens of a prompt, and of the answer that will follow it, which nobody knows
    beforehand.

    Attributes
    ----------
    prompt, answer : int
    """

    prompt: int
    answer: int


@dataclass(frozen=True)
class Served:
    """What a simulation found.

    Attributes
    ----------
    steps : int
        Until all requests were answered.
    running : list of int
        Requests that ran, step by step.
    used : list of float
        Share of the memory given out that held a token, step by step.
    sent_back : int
        Requests that lost their memory and began again.
    """

    steps: int
    running: list[int]
    used: list[float]
    sent_back: int


def serve(
    requests: Sequence[Request],
    memory: int,
    longest: int,
    block_size: int | None = None,
) -> Served:
    """Answer all requests, in their order.

    Parameters
    ----------
    requests : sequence of Request
    memory : int
        Tokens whose keys and values fit.
    longest : int
        Tokens that a request may reach, prompt included.
    block_size : int, optional
        Give memory out in blocks; if left out, reserve ``longest`` tokens for each.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, a request is longer than ``longest``, or
        ``longest`` does not fit in memory.
    """
    whole_number("memory", memory)
    whole_number("longest", longest)
    if longest > memory:
        raise ValueError(
            f"longest: expected at most memory = {memory}, got {longest}"
        )
    if any(each.prompt + each.answer > longest for each in requests):
        raise ValueError(
            f"requests: expected at most longest = {longest} tokens in each"
        )
    unit = longest if block_size is None else block_size
    whole_number("block_size", unit)

    def needs(tokens: int) -> int:
        return math.ceil(tokens / unit) * unit

    queue, running = deque(requests), []  # pairs of a request and its tokens so far
    steps, sent_back, counts, used = 0, 0, [], []
    while queue or running:
        while (
            queue
            and sum(needs(n) for _, n in running) + needs(queue[0].prompt + 1)
            <= memory
        ):
            request = queue.popleft()
            running.append((request, request.prompt))
        running = [(request, n + 1) for request, n in running]
        while sum(needs(n) for _, n in running) > memory:
            queue.appendleft(running.pop()[0])
            sent_back += 1
        given = sum(needs(n) for _, n in running)
        counts.append(len(running))
        used.append(sum(n for _, n in running) / given)
        running = [
            (request, n)
            for request, n in running
            if n < request.prompt + request.answer
        ]
        steps += 1
    return Served(steps, counts, used, sent_back)
