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
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
