"""The machine reader against its paper's equations, written out in loops."""

import pytest
import torch

from attnbook.nn import LSTMN


def by_the_paper(reader, x):
    """Equations of section 3.1 for one sentence (length, d_input), with one number after the other."""
    hidden, cells, rows = [], [], []
    last_summary = torch.zeros(reader.d_hidden, dtype=x.dtype)
    for t in range(len(x)):
        h_summary = c_summary = torch.zeros(reader.d_hidden, dtype=x.dtype)
        row = torch.zeros(len(x), dtype=x.dtype)
        if t:
            scores = []
            for i in range(t):
                total = reader.W_h.weight @ hidden[i] + reader.W_x.weight @ x[t] + reader.W_x.bias
                total = total + reader.W_s.weight @ last_summary
                scores.append(reader.v.weight[0] @ torch.tanh(total))
            share = torch.exp(torch.stack(scores)) / torch.exp(torch.stack(scores)).sum()
            h_summary = sum(share[i] * hidden[i] for i in range(t))
            c_summary = sum(share[i] * cells[i] for i in range(t))
            row[:t] = share
        every = reader.gates.weight @ torch.cat([h_summary, x[t]]) + reader.gates.bias
        d = reader.d_hidden
        i, f, o = (torch.sigmoid(every[k * d : (k + 1) * d]) for k in range(3))
        c = f * c_summary + i * torch.tanh(every[3 * d :])
        hidden.append(o * torch.tanh(c))
        cells.append(c)
        rows.append(row)
        last_summary = h_summary
    return torch.stack(hidden), torch.stack(rows)


def test_the_equations_letter_by_letter():
    torch.manual_seed(0)
    reader = LSTMN(3, 4, 5).double()
    x = torch.randn(2, 6, 3, dtype=torch.float64)
    hidden, weights = reader(x)
    for b in range(2):
        expected, rows = by_the_paper(reader, x[b])
        torch.testing.assert_close(hidden[b], expected)
        torch.testing.assert_close(weights[b], rows)


def test_rows_look_back_only_and_sum_to_one():
    torch.manual_seed(1)
    _, weights = LSTMN(3, 4)(torch.randn(2, 5, 3))
    assert weights.triu().abs().sum() == 0
    torch.testing.assert_close(weights.sum(dim=-1)[:, 1:], torch.ones(2, 4))


def test_nothing_looks_to_the_right_and_everything_learns():
    torch.manual_seed(2)
    reader, x = LSTMN(3, 4), torch.randn(1, 5, 3)
    changed = x.clone()
    changed[0, 4] += 1
    assert torch.equal(reader(x)[0][0, :4], reader(changed)[0][0, :4])
    assert not torch.equal(reader(x)[0][0, 4], reader(changed)[0][0, 4])
    reader(x)[0].pow(2).sum().backward()
    for name, parameter in reader.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_the_first_word_is_an_lstm_with_an_empty_past():
    torch.manual_seed(3)
    reader, x = LSTMN(3, 4), torch.randn(2, 1, 3)
    cell = torch.nn.LSTMCell(3, 4)
    i, f, o, new = reader.gates.weight[:, 4:].chunk(4)
    bi, bf, bo, bnew = reader.gates.bias.chunk(4)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.cat([i, f, new, o]))  # torch's order
        cell.bias_ih.copy_(torch.cat([bi, bf, bnew, bo]))
        cell.bias_hh.zero_()
    torch.testing.assert_close(reader(x)[0][:, 0], cell(x[:, 0])[0])


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 5), (2, 0, 3)])
def test_bad_input_is_named(shape):
    with pytest.raises(ValueError, match="^x: "):
        LSTMN(3, 4)(torch.zeros(shape))
