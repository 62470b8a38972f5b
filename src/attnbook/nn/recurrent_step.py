"""One step of a GRU and of an LSTM, written out: what torch.nn.GRUCell and
torch.nn.LSTMCell do with a word.

Both take one vector for each sentence of a batch, and the state that the words
before it left. Weights and biases have the shapes and the order that torch stores,
so that ``gru_step(x, h, *cell.parameters())`` works for a ``cell`` of torch:
``weight_ih`` reads the input, ``weight_hh`` the state, and the blocks for the gates
lie one below the other.
"""

import torch
from torch import Tensor

from attnbook.nn import checks


def gru_step(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> Tensor:
    """One step of the gated recurrent unit of Cho et al. 2014,
    https://arxiv.org/abs/1406.1078.

    The update gate z = 1 keeps the old state, as in the paper's equation 7. The
    reset gate multiplies *after* the product with the state's weights, as in torch;
    the paper's equation 8 has it before.

    Parameters
    ----------
    x : (batch, d_input)
    h : (batch, d_hidden)
        The state before this step.
    weight_ih : (3 d_hidden, d_input)
    weight_hh : (3 d_hidden, d_hidden)
    bias_ih, bias_hh : (3 d_hidden,)
        Blocks in the order reset, update, candidate.

    Returns
    -------
    (batch, d_hidden)
        The state after this step.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes or devices do not fit; the sentence names the argument.
    """
    checks.recurrent_step(x, {"h": h}, weight_ih, weight_hh, bias_ih, bias_hh, 3)
    from_input = x @ weight_ih.T + bias_ih  # (batch, 3 d_hidden)
    from_state = h @ weight_hh.T + bias_hh  # (batch, 3 d_hidden)
    r_input, z_input, n_input = from_input.chunk(3, dim=-1)
    r_state, z_state, n_state = from_state.chunk(3, dim=-1)
    r = torch.sigmoid(r_input + r_state)  # reset gate
    z = torch.sigmoid(z_input + z_state)  # update gate
    n = torch.tanh(n_input + r * n_state)  # candidate
    return z * h + (1 - z) * n


def lstm_step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> tuple[Tensor, Tensor]:
    """One step of long short-term memory, with the forget gate of Gers, Schmidhuber
    and Cummins 2000.

    Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735,
    without a forget gate; Gers and others,
    https://doi.org/10.1162/089976600300015015, added it.

    Parameters
    ----------
    x : (batch, d_input)
    h, c : (batch, d_hidden)
        What the outside sees, and the memory cell, before this step.
    weight_ih : (4 d_hidden, d_input)
    weight_hh : (4 d_hidden, d_hidden)
    bias_ih, bias_hh : (4 d_hidden,)
        Blocks in the order input, forget, candidate, output.

    Returns
    -------
    h, c : (batch, d_hidden)

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes or devices do not fit; the sentence names the argument.
    """
    checks.recurrent_step(
        x, {"h": h, "c": c}, weight_ih, weight_hh, bias_ih, bias_hh, 4
    )
    # (batch, 4 d_hidden)
    together = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
    i, f, g, o = together.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
