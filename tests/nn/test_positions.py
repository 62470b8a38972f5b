"""Positions against their papers' formulas, and what each kind promises."""

import math

import pytest
import torch

from attnbook.nn import (
    ALiBi,
    LearnedPositions,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
    T5Bias,
    base_for_longer,
    interpolated,
    interpolated_by_parts,
    rotary_frequencies,
)

LENGTH, D = 9, 8


def test_sinusoids_are_the_formula():
    table = SinusoidalPositions(D)(torch.zeros(LENGTH, D, dtype=torch.float64))
    for pos in range(LENGTH):
        for i in range(D // 2):
            angle = pos / 10000 ** (2 * i / D)
            assert table[pos, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert table[pos, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_a_shift_of_sinusoids_is_one_rotation_for_all_positions():
    table = SinusoidalPositions(D)(torch.zeros(40, D, dtype=torch.float64))
    matrix = torch.linalg.lstsq(table[:-5], table[5:]).solution
    torch.testing.assert_close(table[:-5] @ matrix, table[5:], atol=1e-9, rtol=0)


@pytest.mark.parametrize("positions", [SinusoidalPositions(D), LearnedPositions(20, D), RotaryPositions(D)])
def test_start_is_the_position_of_the_first_row(positions):
    x = torch.randn(2, LENGTH, D)
    torch.testing.assert_close(positions(x[:, 4:], start=4), positions(x)[:, 4:])
    assert positions.to(torch.float64)(x.double()).dtype == torch.float64
    assert positions(x[:, :0]).shape == (2, 0, D)


def test_rotary_is_the_formula():
    x = torch.randn(LENGTH, D, dtype=torch.float64)
    turned = RotaryPositions(D)(x)
    for m in range(LENGTH):
        for i in range(D // 2):
            angle = m * 10000 ** (-2 * i / D)
            rotation = torch.tensor(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64
            )
            torch.testing.assert_close(turned[m, 2 * i : 2 * i + 2], rotation @ x[m, 2 * i : 2 * i + 2])


def test_rotary_scores_depend_on_the_offset_alone():
    rotary, q, k = RotaryPositions(D), *torch.randn(2, D, dtype=torch.float64)
    scores = rotary(q.expand(30, D)) @ rotary(k.expand(30, D)).T
    for offset in range(-5, 6):
        diagonal = scores.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    shifted = rotary(q.expand(30, D), start=100) @ rotary(k.expand(30, D), start=100).T
    torch.testing.assert_close(shifted, scores)
    torch.testing.assert_close(rotary(q.expand(30, D)).norm(dim=-1), q.norm().expand(30))


@pytest.mark.parametrize(
    ("n_heads", "slopes"),
    [
        (1, [2**-8]),
        (4, [2**-2, 2**-4, 2**-6, 2**-8]),
        (8, [2**-h for h in range(1, 9)]),
        (6, [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]),
        (12, [*(2**-h for h in range(1, 9)), *(2 ** -(h + 0.5) for h in range(4))]),
    ],
)
def test_alibi_slopes(n_heads, slopes):
    torch.testing.assert_close(ALiBi(n_heads).slopes, torch.tensor(slopes))


def test_alibi_takes_off_slope_times_distance():
    alibi = ALiBi(2)
    bias = alibi(3, 5, start=2)
    for h, slope in enumerate((2**-4, 2**-8)):
        for i in range(3):
            for j in range(5):
                assert bias[h, i, j].item() == -slope * abs(i + 2 - j)


def test_relative_positions_are_shaws_sums():
    torch.manual_seed(0)
    relative = RelativePositions(D, 2).double()
    torch.nn.init.normal_(relative.value_table)
    query, weights = torch.randn(3, 4, D).double(), torch.randn(3, 4, 6).double()
    bias, context = relative.bias(query, 6, start=1), relative.context(weights, start=1)
    for b in range(3):
        for i in range(4):
            total = torch.zeros(D, dtype=torch.float64)
            for j in range(6):
                row = max(-2, min(2, j - (i + 1))) + 2
                expected = query[b, i] @ relative.key_table[row] / math.sqrt(D)
                torch.testing.assert_close(bias[b, i, j], expected)
                total = total + weights[b, i, j] * relative.value_table[row]
            torch.testing.assert_close(context[b, i], total)


def t5_bucket(distance, n_buckets, max_distance, bidirectional):
    """The bucket of a key ``distance`` positions to the right of the query, as T5's code counts it."""
    bucket = 0
    if bidirectional:
        n_buckets //= 2
        bucket += n_buckets if distance > 0 else 0
        distance = abs(distance)
    else:
        distance = max(-distance, 0)
    exact = n_buckets // 2
    if distance < exact:
        return bucket + distance
    far = math.log(distance / exact) / math.log(max_distance / exact)
    return bucket + min(n_buckets - 1, exact + int(far * (n_buckets - exact)))


@pytest.mark.parametrize(
    ("n_buckets", "max_distance", "bidirectional"),
    [(32, 128, True), (32, 128, False), (8, 20, True), (6, 17, False), (4, 3, True)],
)
def test_t5_buckets_are_those_of_its_code(n_buckets, max_distance, bidirectional):
    found = T5Bias(2, n_buckets, max_distance, bidirectional).buckets(40, 200, start=100)
    for i in range(40):
        for j in range(200):
            expected = t5_bucket(j - (100 + i), n_buckets, max_distance, bidirectional)
            assert found[i, j].item() == expected, (i, j)
    assert found.min() >= 0
    assert found.max() < n_buckets


def test_t5_bias_is_the_number_of_the_bucket_and_learns():
    bias = T5Bias(2, 8, 16)
    torch.nn.init.normal_(bias.table)
    query = torch.randn(3, 2, 5, D)
    given = bias.bias(query, 9, start=4)
    rows = bias.buckets(5, 9, start=4)
    for h in range(2):
        for i in range(5):
            for j in range(9):
                assert given[h, i, j] == bias.table[rows[i, j], h]
    given.sum().backward()
    assert bias.table.grad.sum() == 2 * 5 * 9
    assert T5Bias(2).bias(query, 9).abs().max() == 0  # before training it changes nothing


def test_interpolated_positions_stand_between_the_old_ones():
    x, plain = torch.randn(1, 9, D), RotaryPositions(D)
    closer = RotaryPositions(D, frequencies=interpolated(rotary_frequencies(D), 2))
    for position in (0, 2, 8):
        row = x[:, position : position + 1]
        torch.testing.assert_close(closer(row, start=position), plain(row, start=position // 2))


def test_only_slow_frequencies_are_interpolated_by_parts():
    frequencies = rotary_frequencies(32, 1000.0)
    turns = 40 * frequencies / (2 * math.pi)
    hard = interpolated_by_parts(frequencies, 4, 40, slow=1, fast=1)
    torch.testing.assert_close(hard, torch.where(turns < 1, frequencies / 4, frequencies))
    soft = interpolated_by_parts(frequencies, 4, 40, slow=0.5, fast=3)
    for given, old, turn in zip(soft.tolist(), frequencies.tolist(), turns.tolist(), strict=True):
        gamma = min(1.0, max(0.0, (turn - 0.5) / 2.5))  # the paper's ramp
        assert given == pytest.approx((1 - gamma) * old / 4 + gamma * old)
    assert soft.dtype == torch.float64


@pytest.mark.parametrize(("d_head", "factor", "base"), [(16, 4, 10000.0), (4, 2, 100.0), (64, 8, 500000.0)])
def test_a_larger_base_slows_the_slowest_by_the_factor_and_the_fastest_not(d_head, factor, base):
    old = rotary_frequencies(d_head, base)
    new = rotary_frequencies(d_head, base_for_longer(d_head, factor, base))
    assert new[0] == old[0] == 1
    assert (old[-1] / new[-1]).item() == pytest.approx(factor)
    slowed = old / new
    assert (slowed[1:] > slowed[:-1]).all()


def test_learned_positions_learn():
    positions = LearnedPositions(LENGTH, D)
    positions(torch.zeros(2, 4, D)).sum().backward()
    assert positions.table.grad[:4].eq(2).all()
    assert not positions.table.grad[4:].any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: SinusoidalPositions(7), ValueError, "2: expected a number that divides d_model = 7"),
        (lambda: RotaryPositions(7), ValueError, "d_head = 7"),
        (lambda: RotaryPositions(8, base=-1.0), ValueError, "base: expected a number above 0"),
        (
            lambda: LearnedPositions(4, D)(torch.zeros(5, D)),
            ValueError,
            "x: expected positions below max_length = 4",
        ),
        (lambda: LearnedPositions(4, D)(torch.zeros(1, D), start=4), ValueError, "positions up to 4"),
        (
            lambda: SinusoidalPositions(D)(torch.zeros(5, 6)),
            ValueError,
            "x: expected last dimension size = 8",
        ),
        (
            lambda: SinusoidalPositions(D)(torch.zeros(5, D), start=-1),
            ValueError,
            "start: expected a whole number",
        ),
        (lambda: SinusoidalPositions(D)(torch.zeros(D)), ValueError, r"x: expected shape \(…, length, 8\)"),
        (lambda: RotaryPositions(D)(torch.zeros(5, D).long()), ValueError, "x: expected floating-point"),
        (lambda: ALiBi(0), ValueError, "n_heads: expected a whole number"),
        (
            lambda: ALiBi(4).bias(torch.zeros(1, 3, 2, 2), 2),
            ValueError,
            r"query: expected shape \(…, n_heads = 4",
        ),
        (lambda: RelativePositions(D, 0), ValueError, "max_distance: expected a whole number"),
        (lambda: T5Bias(2, 30), ValueError, "n_buckets: expected a multiple of 4, got 30"),
        (lambda: T5Bias(2, 7, bidirectional=False), ValueError, "n_buckets: expected a multiple of 2"),
        (lambda: T5Bias(2, 32, 8), ValueError, "max_distance: expected more than 8"),
        (lambda: T5Bias(4).bias(torch.zeros(1, 3, 2, 2), 2), ValueError, r"n_heads = 4"),
        (
            lambda: RotaryPositions(D, frequencies=torch.ones(3)),
            ValueError,
            r"frequencies: expected shape \(d_head / 2,\) = \(4,\), got \(3,\)",
        ),
        (lambda: rotary_frequencies(7), ValueError, "d_head = 7"),
        (lambda: interpolated(torch.ones(2), 0), ValueError, "factor: expected a number above 0"),
        (lambda: interpolated(torch.ones(2).long(), 2), ValueError, "frequencies: expected floating-point"),
        (
            lambda: interpolated_by_parts(torch.ones(2), 2, 32, slow=3, fast=2),
            ValueError,
            "slow: expected at most fast = 2",
        ),
        (lambda: base_for_longer(2, 4), ValueError, "d_head: expected a whole number"),
        (lambda: base_for_longer(8, None), ValueError, "factor: expected a number above 0"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
