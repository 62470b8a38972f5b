"""Positions: attention sees a set of words, so where each one stands has to be
told. Six ways.

Two are *added to the words' vectors*, before the first layer, and are called as
``positions(x, start)``: SinusoidalPositions, LearnedPositions. Four act *inside
attention*, on every layer, and are given to ``MultiHeadAttention(positions=…)``:
ALiBi, T5Bias, RelativePositions, RotaryPositions.

Rotary positions can be made to reach further than a model was trained with other
frequencies: interpolated, interpolated_by_parts, base_for_longer.

``start`` is the position of the first row, counted from 0: more than 0 when earlier
words are in a cache.
"""

import math

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class SinusoidalPositions(nn.Module):
    """Add ``PE(pos, 2i) = sin(pos / 10000^(2i/d_model))`` and ``PE(pos, 2i+1) =
    cos(the same)``. Nothing is learned.

    Vaswani et al. 2017, section 3.5, https://arxiv.org/abs/1706.03762.

    Parameters
    ----------
    d_model : int
        Size of a word's vector; even, since sines and cosines come in pairs.
    """

    def __init__(self, d_model: int):
        super().__init__()
        checks.divides("2", 2, "d_model", d_model)
        self.d_model = d_model

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (…, length, d_model) plus the encoding of positions start … start +
        length − 1, the same shape.

        Raises
        ------
        TypeError, ValueError
            If x does not fit, or start is below 0.
        """
        checks.positioned("x", x, self.d_model, start)
        table = sinusoids(start, x.shape[-2], self.d_model)
        return x + table.to(x.dtype).to(x.device)


def sinusoids(start: int, length: int, d_model: int) -> Tensor:
    """The table PE for positions start … start + length − 1: (length, d_model), of
    float64, on the CPU, since Apple's GPUs have no float64.
    """
    position = torch.arange(start, start + length, device="cpu").double()
    pair = torch.arange(0, d_model, 2, device="cpu").double()  # 2i
    # (length, d_model / 2)
    angle = position.unsqueeze(-1) / 10000 ** (pair / d_model)
    # sin, cos, sin, cos, …
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class LearnedPositions(nn.Module):
    """Add a learned vector for each position; positions beyond ``max_length`` have
    none.

    Gehring et al. 2017, https://arxiv.org/abs/1705.03122; compared with sines in
    Vaswani et al. 2017, table 3, row E.

    Parameters
    ----------
    max_length : int
        Positions that have a vector.
    d_model : int
        Size of a word's vector.
    """

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        checks.sizes(max_length=max_length, d_model=d_model)
        self.max_length, self.d_model = max_length, d_model
        self.table = nn.Parameter(torch.randn(max_length, d_model) * d_model**-0.5)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (…, length, d_model) plus the vectors of positions start … start +
        length − 1, the same shape.

        Raises
        ------
        TypeError, ValueError
            If x does not fit, or reaches beyond max_length.
        """
        checks.positioned("x", x, self.d_model, start)
        checks.within("x", start + x.shape[-2], self.max_length)
        return x + self.table[start : start + x.shape[-2]]


class PositionsInAttention(nn.Module):
    """What MultiHeadAttention asks of positions that act inside it. Each method
    changes nothing until overridden.

    ``uses_weights`` says whether ``context`` has something to add, for which
    weights must be made.
    """

    uses_weights = False

    def rotate(self, x: Tensor, start: int = 0) -> Tensor:
        """Queries or keys (…, length, d_head), before they are compared."""
        return x

    def bias(self, query: Tensor, n_keys: int, start: int = 0) -> Tensor | None:
        """What to add to the scores (…, queries, keys); query 0 stands at position
        ``start``.
        """
        return None

    def context(self, weights: Tensor, start: int = 0) -> Tensor:
        """What to add to the context (…, queries, d_head), from the weights (…,
        queries, keys).
        """
        return weights.new_zeros(())


class RotaryPositions(PositionsInAttention):
    """Turn each pair of numbers by an angle that grows with the position: ``θ_i =
    base^(−2i/d)``, pair i by ``m θ_i``.

    Su et al. 2021 (RoFormer), equations 14 to 16, https://arxiv.org/abs/2104.09864.
    Query and key are turned, values are not. A dot product depends on the angle
    between two vectors, so the score depends on the two words and on how far apart
    they stand, not on where. Pairs are neighbours, (0, 1), (2, 3), …, as in the
    paper.

    Parameters
    ----------
    d_head : int
        Size of a query in one head; even.
    base : float
        How slowly the slowest pair turns.
    frequencies : (d_head / 2,), optional
        Radians that each pair turns from one position to the next;
        ``rotary_frequencies(d_head, base)`` if left out.

    Raises
    ------
    TypeError, ValueError
        If d_head is odd, the base not above 0, or the frequencies are not
        d_head / 2 floating-point numbers.
    """

    def __init__(
        self,
        d_head: int,
        base: float = 10000.0,
        frequencies: Tensor | None = None,
    ):
        super().__init__()
        checks.divides("2", 2, "d_head", d_head)
        if frequencies is None:
            frequencies = rotary_frequencies(d_head, base)
        checks.rotary_frequencies("frequencies", frequencies, d_head)
        self.d_head = d_head
        # On the CPU, since Apple's GPUs have no float64.
        self.frequencies = frequencies.detach().cpu().double()

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (…, length, d_head), turned by its positions start … start + length −
        1, the same shape.

        Raises
        ------
        TypeError, ValueError
            If x does not fit, or start is below 0.
        """
        checks.positioned("x", x, self.d_head, start)
        end = start + x.shape[-2]
        position = torch.arange(start, end, device="cpu").double()
        # (length, d_head / 2)
        angle = position.unsqueeze(-1) * self.frequencies
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        return self.turn(x, cos.to(x.device), sin.to(x.device))

    def turn(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Turn the pairs of x by angles with these cosines and sines, (…, length,
        d_head / 2).
        """
        # the two numbers of each pair
        first, second = x.unflatten(-1, (-1, 2)).unbind(dim=-1)
        turned = torch.stack(
            [first * cos - second * sin, first * sin + second * cos], dim=-1
        )
        return turned.flatten(-2)

    def rotate(self, x: Tensor, start: int = 0) -> Tensor:
        """The same as calling the module: what MultiHeadAttention uses."""
        return self(x, start)


def rotary_frequencies(d_head: int, base: float = 10000.0) -> Tensor:
    """Radians that each pair turns from one position to the next, ``base^(−2i/d)``:
    (d_head / 2,) of float64 on the CPU, the fastest first.

    Su et al. 2021, equation 15, https://arxiv.org/abs/2104.09864.

    Raises
    ------
    TypeError, ValueError
        If d_head is odd, or the base not above 0.
    """
    checks.divides("2", 2, "d_head", d_head)
    checks.above_zero("base", base)
    pair = torch.arange(0, d_head, 2, device="cpu").double()  # 2i
    return base ** (-pair / d_head)


def interpolated(frequencies: Tensor, factor: float) -> Tensor:
    """All frequencies divided by ``factor``, the same shape: position m turns as
    far as m / factor did.

    Position interpolation, Chen et al. 2023, equation 4,
    https://arxiv.org/abs/2306.15595.

    Raises
    ------
    TypeError, ValueError
        If frequencies is no floating-point tensor, or the factor not above 0.
    """
    checks.floating("frequencies", frequencies)
    checks.above_zero("factor", factor)
    return frequencies / factor


def interpolated_by_parts(
    frequencies: Tensor,
    factor: float,
    trained_length: int,
    slow: float = 1.0,
    fast: float = 32.0,
) -> Tensor:
    """The slow frequencies divided by ``factor``, the fast ones left alone, the
    same shape.

    A pair that made fewer than ``slow`` turns over the trained length is
    interpolated in full, one that made more than ``fast`` is not; in between the
    two are mixed. "NTK-by-parts", the frequencies of YaRN: Peng et al. 2023,
    https://arxiv.org/abs/2309.00071, whose α and β are ``slow`` and ``fast``. (YaRN
    also scales the scores; that is not done here.)

    Parameters
    ----------
    frequencies : (d_head / 2,)
    factor : float
        How many times longer the text may become.
    trained_length : int
        Positions of a text in training.
    slow, fast : float
        Turns. With slow = fast there is no mixing.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or slow is above fast.
    """
    checks.floating("frequencies", frequencies)
    checks.above_zero("factor", factor)
    checks.whole_number("trained_length", trained_length)
    checks.turns(slow, fast)
    turns = trained_length * frequencies / (2 * math.pi)
    if slow == fast:
        kept = (turns >= fast).to(frequencies.dtype)
    else:
        kept = ((turns - slow) / (fast - slow)).clamp(0, 1)
    return kept * frequencies + (1 - kept) * frequencies / factor


def base_for_longer(d_head: int, factor: float, base: float = 10000.0) -> float:
    """A larger base, ``base · factor^(d/(d − 2))``: the slowest frequency is
    divided by the factor, the fastest stays, and those between change by degrees.

    "NTK-aware" interpolation, as in Peng et al. 2023,
    https://arxiv.org/abs/2309.00071.

    Raises
    ------
    TypeError, ValueError
        If d_head is odd or below 4, or a number not above 0.
    """
    checks.divides("2", 2, "d_head", d_head)
    checks.whole_number("d_head", d_head, least=4)
    checks.above_zero("factor", factor)
    checks.above_zero("base", base)
    return base * factor ** (d_head / (d_head - 2))


class ALiBi(PositionsInAttention):
    """Take off the score a number that grows with the distance: ``score_ij − m_h ·
    |i − j|``. Nothing is learned.

    Press, Smith & Lewis 2022, section 3, https://arxiv.org/abs/2108.12409: the
    slopes m of n heads are 2^(−8/n), 2^(−16/n), …, 2^(−8). If n is no power of 2,
    the slopes of the power below come first, then every other slope of the power
    above. The paper is about causal attention, where j ≤ i; in both directions, the
    distance counts.

    Parameters
    ----------
    n_heads : int
        One slope each.
    """

    slopes: Tensor

    def __init__(self, n_heads: int):
        super().__init__()
        checks.whole_number("n_heads", n_heads)
        power = 2 ** math.floor(math.log2(n_heads))
        slopes = [2 ** (-8 * (h + 1) / power) for h in range(power)]
        slopes += [
            2 ** (-8 * (h + 1) / (2 * power)) for h in range(0, 2 * power, 2)
        ][: n_heads - power]
        self.n_heads = n_heads
        self.register_buffer("slopes", torch.tensor(slopes), persistent=False)

    def forward(self, n_queries: int, n_keys: int, start: int = 0) -> Tensor:
        """What to add to the scores: (n_heads, queries, keys), 0 at distance 0,
        below 0 elsewhere.

        Raises
        ------
        TypeError, ValueError
            If a number is not whole, or below 0.
        """
        checks.whole_number("n_queries", n_queries, least=0)
        checks.whole_number("n_keys", n_keys, least=0)
        checks.whole_number("start", start, least=0)
        device = self.slopes.device
        i = torch.arange(start, start + n_queries, device=device)  # (queries,)
        j = torch.arange(n_keys, device=device)  # (keys,)
        return -self.slopes[:, None, None] * (i[:, None] - j).abs()

    def bias(self, query: Tensor, n_keys: int, start: int = 0) -> Tensor:
        """(n_heads, queries, keys), for query (batch, n_heads, queries, d_head)."""
        checks.head_count("query", query, self.n_heads)
        return self(query.shape[-2], n_keys, start).to(query.dtype)


class T5Bias(PositionsInAttention):
    """Add to the score one learned number for each head and each range of
    distances.

    Raffel et al. 2020 (T5), section 2.1, https://arxiv.org/abs/1910.10683. Half of
    the buckets hold one distance each; those of the other half grow wider and
    wider, up to ``max_distance``, beyond which all distances share the last. T5 has
    32 buckets up to 128, and one table for all layers.

    Parameters
    ----------
    n_heads : int
        A number in each bucket for each.
    n_buckets : int
        Even; a multiple of 4 if bidirectional.
    max_distance : int
        Beyond it there is one bucket; more than the distances that have one of
        their own.
    bidirectional : bool
        Half of the buckets are for keys after the query. Without, such keys count
        as distance 0: for causal attention, which masks them.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or the buckets do not fit.
    """

    def __init__(
        self,
        n_heads: int,
        n_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
    ):
        super().__init__()
        checks.sizes(n_heads=n_heads, max_distance=max_distance)
        checks.distance_buckets(n_buckets, max_distance, bidirectional)
        self.n_heads, self.n_buckets = n_heads, n_buckets
        self.max_distance, self.bidirectional = max_distance, bidirectional
        self.table = nn.Parameter(torch.zeros(n_buckets, n_heads))

    def buckets(self, n_queries: int, n_keys: int, start: int = 0) -> Tensor:
        """Which row of the table stands for query i and key j: (queries, keys)."""
        device = self.table.device
        i = torch.arange(start, start + n_queries, device=device).unsqueeze(-1)
        j = torch.arange(n_keys, device=device)
        if self.bidirectional:
            n, distance = self.n_buckets // 2, (i - j).abs()
        else:
            n, distance = self.n_buckets, (i - j).clamp(min=0)
        exact = n // 2  # distances with a bucket of their own
        # from 0 at distance ``exact`` to 1 at ``max_distance``
        far = (distance.clamp(min=1) / exact).log() / math.log(
            self.max_distance / exact
        )
        wide = (exact + far * (n - exact)).long().clamp(max=n - 1)
        bucket = torch.where(distance < exact, distance, wide)
        return bucket + n * (j > i) if self.bidirectional else bucket

    def bias(self, query: Tensor, n_keys: int, start: int = 0) -> Tensor:
        """(n_heads, queries, keys), for query (batch, n_heads, queries, d_head)."""
        checks.head_count("query", query, self.n_heads)
        rows = self.buckets(query.shape[-2], n_keys, start)
        return self.table[rows].permute(2, 0, 1).to(query.dtype)


class RelativePositions(PositionsInAttention):
    """A learned vector for each distance, added to the key, and another, added to
    the value.

    Shaw, Uszkoreit & Vaswani 2018, equations 3 and 4,
    https://arxiv.org/abs/1803.02155:

        e_ij = q_i · (k_j + a^K_ij) / √d_head        z_i = Σ_j α_ij (v_j + a^V_ij)

    Distances j − i beyond ±max_distance share the outermost vector. Heads share the
    vectors.

    Parameters
    ----------
    d_head : int
        Size of a query in one head.
    max_distance : int
        Distances that have a vector of their own, to each side.
    """

    uses_weights = True

    def __init__(self, d_head: int, max_distance: int):
        super().__init__()
        checks.sizes(d_head=d_head, max_distance=max_distance)
        self.d_head, self.max_distance = d_head, max_distance
        distances = 2 * max_distance + 1
        self.key_table = nn.Parameter(  # a^K
            torch.randn(distances, d_head) * d_head**-0.5
        )
        self.value_table = nn.Parameter(torch.zeros(distances, d_head))  # a^V

    def rows(self, n_queries: int, n_keys: int, start: int = 0) -> Tensor:
        """Which row of the tables stands for query i and key j: (queries, keys)."""
        device = self.key_table.device
        i = torch.arange(start, start + n_queries, device=device).unsqueeze(-1)
        j = torch.arange(n_keys, device=device)
        return (j - i).clamp(
            -self.max_distance, self.max_distance
        ) + self.max_distance

    def bias(self, query: Tensor, n_keys: int, start: int = 0) -> Tensor:
        """``q_i · a^K_ij / √d_head``, (…, queries, keys), for queries (…, queries,
        d_head).
        """
        checks.positioned("query", query, self.d_head, start)
        # (…, queries, distances)
        by_distance = query @ self.key_table.T / math.sqrt(self.d_head)
        rows = self.rows(query.shape[-2], n_keys, start)
        return by_distance.gather(-1, rows.expand(*query.shape[:-2], *rows.shape))

    def context(self, weights: Tensor, start: int = 0) -> Tensor:
        """``Σ_j α_ij a^V_ij``, (…, queries, d_head), for weights (…, queries,
        keys).
        """
        rows = self.rows(weights.shape[-2], weights.shape[-1], start)
        return torch.einsum("...qk,qkd->...qd", weights, self.value_table[rows])
