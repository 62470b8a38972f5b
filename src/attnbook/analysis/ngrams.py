"""A language model that only counts: how often did which token follow these few?

Interpolated Kneser–Ney smoothing (Kneser and Ney 1995; Chen and Goodman 1999, section 3,
https://doi.org/10.1006/csla.1999.0128), with one discount for each order. It is the baseline that a neural
language model has to beat.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from attnbook.arguments import whole_number

Context = tuple[int, ...]


class KneserNey:
    """Odds of the next token from the ``order`` − 1 tokens before it.

    Parameters
    ----------
    tokens : sequence of int
        The text to count.
    order : int
        1 counts single tokens, 2 pairs, 3 triples and so on.
    vocab : int
        Number of tokens.

    Raises
    ------
    ValueError
        If order or vocab is below 1, or the text is shorter than the order.
    """

    def __init__(self, tokens: Sequence[int], order: int, vocab: int) -> None:
        whole_number("order", order)
        whole_number("vocab", vocab)
        if len(tokens) < order:
            raise ValueError(f"tokens: expected at least {order}, as many as the order, got {len(tokens)}")
        self.order, self.vocab = order, vocab
        text = [int(token) for token in tokens]
        # n-gram → its count; of orders below the highest: how many different tokens stood before it
        counts: list[Counter[Context]] = [Counter() for _ in range(order + 1)]
        for place in range(len(text) - order + 1):
            counts[order][tuple(text[place : place + order])] += 1
        for n in range(order - 1, 0, -1):
            longer = {tuple(text[place : place + n + 1]) for place in range(len(text) - n)}
            counts[n] = Counter(gram[1:] for gram in longer)
        self._counts = counts
        self._totals: list[defaultdict[Context, int]] = [defaultdict(int) for _ in range(order + 1)]
        self._followers: list[defaultdict[Context, int]] = [defaultdict(int) for _ in range(order + 1)]
        self._discounts = [0.0]
        for n in range(1, order + 1):
            for gram, count in counts[n].items():
                self._totals[n][gram[:-1]] += count
                self._followers[n][gram[:-1]] += 1
            ones = sum(count == 1 for count in counts[n].values())
            twos = sum(count == 2 for count in counts[n].values())
            self._discounts.append(ones / (ones + 2 * twos) if ones else 0.5)

    def probability(self, token: int, context: Sequence[int]) -> float:
        """p(token | context), of which the last ``order`` − 1 tokens count."""
        known = tuple(int(each) for each in context[max(0, len(context) - self.order + 1) :])
        p = 1 / self.vocab
        for n in range(1, len(known) + 2):
            before = known[len(known) - n + 1 :]
            total = self._totals[n].get(before, 0)
            if not total:
                break  # this context was never read, nor was a longer one
            discount = self._discounts[n]
            count = self._counts[n].get((*before, token), 0)
            p = (max(count - discount, 0.0) + discount * self._followers[n][before] * p) / total
        return p

    def nats(self, tokens: Sequence[int]) -> float:
        """−Σ ln p of all tokens but the first, each after those before it."""
        width = self.order - 1
        return -sum(
            math.log(self.probability(tokens[place], tokens[max(0, place - width) : place]))
            for place in range(1, len(tokens))
        )
