"""One GRU and one LSTM step, held to torch's cells and to Python loops written from the equations."""

import math

import pytest
import torch

from attnbook.nn import gru_step, lstm_step

BATCH, D_INPUT, D_HIDDEN = 2, 3, 5


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters(gates):
    size = gates * D_HIDDEN
    return (
        drawn(size, D_INPUT, seed=1),
        drawn(size, D_HIDDEN, seed=2),
        drawn(size, seed=3),
        drawn(size, seed=4),
    )


@pytest.mark.parametrize("seed", range(5))
def test_gru_step_equals_torch(seed):
    torch.manual_seed(seed)
    cell = torch.nn.GRUCell(D_INPUT, D_HIDDEN, dtype=torch.float64)
    x, h = drawn(BATCH, D_INPUT, seed=seed), drawn(BATCH, D_HIDDEN, seed=seed + 50)
    torch.testing.assert_close(gru_step(x, h, *cell.parameters()), cell(x, h))


@pytest.mark.parametrize("seed", range(5))
def test_lstm_step_equals_torch(seed):
    torch.manual_seed(seed)
    cell = torch.nn.LSTMCell(D_INPUT, D_HIDDEN, dtype=torch.float64)
    x, h, c = (drawn(BATCH, size, seed=seed + n) for n, size in enumerate((D_INPUT, D_HIDDEN, D_HIDDEN)))
    for ours, theirs in zip(lstm_step(x, h, c, *cell.parameters()), cell(x, (h, c)), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_equal_torchs():
    cell = torch.nn.GRUCell(D_INPUT, D_HIDDEN, dtype=torch.float64)
    x, h = drawn(BATCH, D_INPUT), drawn(BATCH, D_HIDDEN)
    ours = torch.autograd.grad(gru_step(x, h, *cell.parameters()).sum(), list(cell.parameters()))
    theirs = torch.autograd.grad(cell(x, h).sum(), list(cell.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def line(matrix, bias, vector, row):
    return sum(a * b for a, b in zip(matrix[row].tolist(), vector.tolist(), strict=True)) + bias[row].item()


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


@pytest.mark.parametrize("reset", ["after the product", "before the product"])
def test_gru_step_against_a_loop_and_where_the_reset_gate_acts(reset):
    """The loop agrees with the reset gate after the product, and not with the paper's placement before it."""
    w, u, b, b_state = parameters(3)
    x, h = drawn(BATCH, D_INPUT, seed=5), drawn(BATCH, D_HIDDEN, seed=6)
    wanted = torch.zeros(BATCH, D_HIDDEN, dtype=torch.float64)
    for row in range(BATCH):
        r = [sigmoid(line(w, b, x[row], k) + line(u, b_state, h[row], k)) for k in range(D_HIDDEN)]
        for k in range(D_HIDDEN):
            z = sigmoid(line(w, b, x[row], D_HIDDEN + k) + line(u, b_state, h[row], D_HIDDEN + k))
            candidate = 2 * D_HIDDEN + k
            if reset == "after the product":
                from_state = r[k] * line(u, b_state, h[row], candidate)
            else:
                from_state = line(u, b_state, torch.tensor(r, dtype=torch.float64) * h[row], candidate)
            n = math.tanh(line(w, b, x[row], candidate) + from_state)
            wanted[row, k] = z * h[row, k] + (1 - z) * n
    ours = gru_step(x, h, w, u, b, b_state)
    assert torch.allclose(ours, wanted) == (reset == "after the product")


def test_lstm_step_against_a_loop():
    w, u, b, b_state = parameters(4)
    x, h, c = drawn(BATCH, D_INPUT, seed=5), drawn(BATCH, D_HIDDEN, seed=6), drawn(BATCH, D_HIDDEN, seed=7)
    new_h, new_c = lstm_step(x, h, c, w, u, b, b_state)
    for row in range(BATCH):
        for k in range(D_HIDDEN):
            i, f, g, o = (
                line(w, b, x[row], block * D_HIDDEN + k) + line(u, b_state, h[row], block * D_HIDDEN + k)
                for block in range(4)
            )
            cell = sigmoid(f) * c[row, k].item() + sigmoid(i) * math.tanh(g)
            assert new_c[row, k].item() == pytest.approx(cell)
            assert new_h[row, k].item() == pytest.approx(sigmoid(o) * math.tanh(cell))


def test_gates_at_their_ends():
    """An update gate of 1 keeps the state; forget 1 and input 0 keep the memory cell."""
    x, h, c = drawn(BATCH, D_INPUT), drawn(BATCH, D_HIDDEN, seed=1), drawn(BATCH, D_HIDDEN, seed=2)
    w, u, b, b_state = (torch.zeros_like(p) for p in parameters(3))
    b[D_HIDDEN : 2 * D_HIDDEN] = 50.0
    torch.testing.assert_close(gru_step(x, h, w, u, b, b_state), h)
    w, u, b, b_state = (torch.zeros_like(p) for p in parameters(4))
    b[:D_HIDDEN], b[D_HIDDEN : 2 * D_HIDDEN] = -50.0, 50.0
    torch.testing.assert_close(lstm_step(x, h, c, w, u, b, b_state)[1], c)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": torch.zeros(3)}, ValueError, "x: expected 2 dimensions"),
        ({"x": [[1.0]]}, TypeError, "x: expected a torch.Tensor"),
        ({"x": torch.zeros(2, 3, dtype=torch.long)}, ValueError, "x: expected floating-point"),
        ({"h": torch.zeros(4, 5, dtype=torch.float64)}, ValueError, "h: expected 2 rows as in x"),
        ({"h": torch.zeros(2, 5)}, ValueError, "h: expected torch.float64 as in x"),
        ({"weight_ih": drawn(15, 4)}, ValueError, r"weight_ih: expected shape \(15, 3\)"),
        ({"weight_hh": drawn(20, 5)}, ValueError, "weight_hh: expected shape .* for 3 blocks"),
        ({"bias_hh": drawn(14)}, ValueError, "bias_hh: expected shape"),
    ],
)
def test_bad_input_is_one_sentence(change, error, words):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    given = {
        "x": drawn(BATCH, D_INPUT),
        "h": drawn(BATCH, D_HIDDEN),
        **dict(zip(names, parameters(3), strict=True)),
    }
    with pytest.raises(error, match=words):
        gru_step(**{**given, **change})


def test_an_lstms_two_states_have_one_size():
    with pytest.raises(ValueError, match="c: expected last dimension d_hidden of h = 5"):
        lstm_step(drawn(BATCH, D_INPUT), drawn(BATCH, D_HIDDEN), drawn(BATCH, 4), *parameters(4))
