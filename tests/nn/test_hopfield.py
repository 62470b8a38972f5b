"""Hopfield networks, held to loops written from the papers, and to what must be true of their energies."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import (
    classical_retrieval,
    hopfield_energy,
    hopfield_retrieval,
    hopfield_weights,
    scaled_dot_product_attention,
)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def signs(*shape, seed=0):
    return torch.where(numbers(*shape, seed=seed) > 0, 1.0, -1.0)


def loop(state, patterns, beta):
    """Equation 3 in Python's own numbers: states (S, d), patterns (N, d)."""
    moved = torch.zeros_like(state)
    for s, xi in enumerate(state.tolist()):
        shares = [math.exp(beta * sum(a * b for a, b in zip(x, xi, strict=True))) for x in patterns.tolist()]
        for share, x in zip(shares, patterns, strict=True):
            moved[s] += share / sum(shares) * x
    return moved


def energy_loop(xi, patterns, beta):
    """Equation 2, for one state."""
    scores = [sum(a * b for a, b in zip(x, xi, strict=True)) for x in patterns]
    lse = math.log(sum(math.exp(beta * z) for z in scores)) / beta
    longest = max(sum(a * a for a in x) for x in patterns)
    return -lse + sum(a * a for a in xi) / 2 + math.log(len(patterns)) / beta + longest / 2


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
def test_one_step_and_the_energy_equal_the_equations(beta):
    state, patterns = numbers(3, 5), numbers(4, 5, seed=1)
    moved, weights = hopfield_retrieval(state, patterns, beta=beta)
    torch.testing.assert_close(moved, loop(state, patterns, beta))
    torch.testing.assert_close(weights @ patterns, moved)
    expected = [energy_loop(xi, patterns.tolist(), beta) for xi in state.tolist()]
    torch.testing.assert_close(hopfield_energy(state, patterns, beta), torch.tensor(expected).double())


def test_steps_repeat_and_batches_stand_alone():
    state, patterns = numbers(2, 3, 5), numbers(2, 4, 5, seed=1)
    moved, _ = hopfield_retrieval(state, patterns, beta=0.7, steps=3)
    for b in range(2):
        single = state[b]
        for _ in range(3):
            single = loop(single, patterns[b], 0.7)
        torch.testing.assert_close(moved[b], single)
    shared, _ = hopfield_retrieval(state, patterns[0], beta=0.7)  # one memory for all
    torch.testing.assert_close(shared[1], loop(state[1], patterns[0], 0.7))


def test_it_is_attention_with_one_matrix_for_keys_and_values():
    state, patterns = numbers(1, 3, 8), numbers(1, 6, 8, seed=1)
    attended, _ = scaled_dot_product_attention(state, patterns, patterns)
    moved, _ = hopfield_retrieval(state, patterns, beta=8**-0.5)
    torch.testing.assert_close(moved, attended)
    torch.testing.assert_close(
        moved, torch.nn.functional.scaled_dot_product_attention(state, patterns, patterns)
    )


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), beta=st.floats(0.05, 20.0), n=st.integers(1, 7), d=st.integers(1, 6))
def test_no_step_raises_the_energy_and_it_is_never_below_0(seed, beta, n, d):
    patterns, state = numbers(n, d, seed=seed), 3 * numbers(4, d, seed=seed + 1)
    energy = hopfield_energy(state, patterns, beta)
    assert (energy >= -1e-9).all()
    for _ in range(4):
        state, _ = hopfield_retrieval(state, patterns, beta=beta)
        lower = hopfield_energy(state, patterns, beta)
        assert (lower <= energy + 1e-9).all()
        energy = lower


def test_what_the_mask_forbids_is_not_retrieved_and_nothing_is_nan():
    state = numbers(3, 5).requires_grad_()
    patterns = numbers(4, 5, seed=1).requires_grad_()
    mask = torch.tensor([[True] * 4, [False, True, False, False], [False] * 4])
    moved, weights = hopfield_retrieval(state, patterns, mask, beta=2.0, steps=2)
    torch.testing.assert_close(moved[1], patterns[1])
    assert torch.equal(moved[2], torch.zeros(5, dtype=torch.float64))
    assert torch.equal(weights[2], torch.zeros(4, dtype=torch.float64))
    moved.sum().backward()
    assert state.grad.isfinite().all()
    assert patterns.grad.isfinite().all()
    assert torch.equal(state.grad[2], torch.zeros(5, dtype=torch.float64))


def test_gradients():
    state, patterns = numbers(2, 3).requires_grad_(), numbers(4, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, x: hopfield_retrieval(s, x, beta=1.5, steps=2)[0],
                                    (state, patterns))  # fmt: skip
    assert torch.autograd.gradcheck(lambda s, x: hopfield_energy(s, x, 1.5), (state, patterns))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    patterns = signs(6, 64)
    moved, _ = hopfield_retrieval(patterns.to(dtype), patterns.to(dtype), beta=4.0)
    torch.testing.assert_close(moved.float(), patterns.float())
    assert hopfield_energy(patterns.to(dtype), patterns.to(dtype), 4.0).isfinite().all()


def test_hebb_s_rule_and_the_projection():
    patterns = signs(3, 7)
    weights = hopfield_weights(patterns)
    for i in range(7):
        for j in range(7):
            expected = 0.0 if i == j else sum((x[i] * x[j]).item() for x in patterns) / 7
            assert weights[i, j].item() == pytest.approx(expected)
    projection = hopfield_weights(patterns, rule="pseudo-inverse")
    torch.testing.assert_close(projection @ projection, projection)
    torch.testing.assert_close(patterns @ projection, patterns)  # every pattern stays as it is


def test_one_position_after_the_other():
    weights, state = hopfield_weights(signs(4, 9)), signs(9, seed=5)
    expected = state.tolist()
    for _ in range(2):
        for place in range(9):
            said = sum(w * x for w, x in zip(weights[place].tolist(), expected, strict=True))
            if abs(said) > 1e-12:
                expected[place] = math.copysign(1.0, said)
    assert classical_retrieval(state, weights, sweeps=2).tolist() == expected
    assert state.tolist() == signs(9, seed=5).tolist()  # what was given stays as it was


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), rule=st.sampled_from(["hebb", "pseudo-inverse"]))
def test_the_classical_energy_never_rises(seed, n, rule):
    weights, state = hopfield_weights(signs(n, 16, seed=seed), rule), signs(5, 16, seed=seed + 1)
    energy = -((state @ weights) * state).sum(-1) / 2
    for _ in range(3):
        state = classical_retrieval(state, weights, sweeps=1)
        lower = -((state @ weights) * state).sum(-1) / 2
        assert (lower <= energy + 1e-9).all()
        energy = lower


def test_a_few_patterns_are_completed():
    patterns = signs(4, 64)
    damaged = patterns.clone()
    damaged[:, :6] *= -1
    assert torch.equal(classical_retrieval(damaged, hopfield_weights(patterns)), patterns)
    assert torch.equal(hopfield_retrieval(damaged, patterns)[0].sign(), patterns)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hopfield_retrieval(numbers(3), numbers(2, 3)), r"^state: expected shape \(…, states, d\)"),
        (lambda: hopfield_retrieval(numbers(2, 3), numbers(2, 4)), r"^patterns: expected last .* d = 3"),
        (lambda: hopfield_retrieval(numbers(2, 3), numbers(0, 3)), r"^patterns: expected at least one"),
        (lambda: hopfield_energy(numbers(2, 3), numbers(0, 3)), r"^patterns: expected at least one"),
        (lambda: hopfield_retrieval(numbers(2, 3), numbers(4, 3), beta=0), r"^beta: "),
        (lambda: hopfield_retrieval(numbers(2, 3), numbers(4, 3), steps=0), r"^steps: "),
        (lambda: hopfield_weights(numbers(2, 3)), r"^patterns: expected the numbers -1 and 1"),
        (lambda: hopfield_weights(signs(2, 3), rule="oja"), r"^rule: expected 'hebb' or 'pseudo-inverse'"),
        (lambda: classical_retrieval(numbers(2, 3), torch.eye(3).double()), r"^state: expected the numb"),
        (lambda: classical_retrieval(signs(2, 3), torch.eye(4)), r"^state: expected last dimension d = 4"),
        (lambda: classical_retrieval(signs(2, 3), torch.eye(3), sweeps=0), r"^sweeps: "),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
