"""The machine reader: an LSTM that keeps all its past states, and looks back at
them before each word.

Cheng, Dong & Lapata 2016, "Long Short-Term Memory-Networks for Machine Reading",
section 3.1, https://arxiv.org/abs/1601.06733. Where an LSTM has one cell c, this
reader has a *memory tape*, one cell for each word read, and beside it a *hidden
tape* of states h. At word t:

    a_i = vᵀ tanh(W_h h_i + W_x x_t + W_h̃ h̃_{t−1})            i = 1 … t − 1
    s = softmax(a)
    h̃_t = Σ_i s_i h_i        c̃_t = Σ_i s_i c_i
    [i; f; o; ĉ] = [σ; σ; σ; tanh] (W [h̃_t; x_t])
    c_t = f ⊙ c̃_t + i ⊙ ĉ        h_t = o ⊙ tanh(c_t)

Before the first word both tapes are empty, and h̃ and c̃ are zeros.
"""

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class LSTMN(nn.Module):
    """Reads from left to right; every word attends to the states of all words
    before it.

    Parameters
    ----------
    d_input : int
        Numbers in a word's vector.
    d_hidden : int
        Numbers in a state and in a cell.
    d_attention : int, optional
        Hidden units of the additive score; d_hidden if left out.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1.
    """

    def __init__(self, d_input: int, d_hidden: int, d_attention: int | None = None):
        super().__init__()
        d_attention = d_hidden if d_attention is None else d_attention
        checks.sizes(d_input=d_input, d_hidden=d_hidden, d_attention=d_attention)
        self.d_input, self.d_hidden = d_input, d_hidden
        self.W_h = nn.Linear(d_hidden, d_attention, bias=False)
        self.W_x = nn.Linear(d_input, d_attention)
        # W_h̃: of the last summary
        self.W_s = nn.Linear(d_hidden, d_attention, bias=False)
        self.v = nn.Linear(d_attention, 1, bias=False)
        # W: i, f, o and ĉ, one below the other
        self.gates = nn.Linear(d_hidden + d_input, 4 * d_hidden)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Read sentences word by word.

        Parameters
        ----------
        x : (batch, length, d_input)
            Padding, if any, at the end: no word looks to the right.

        Returns
        -------
        hidden : (batch, length, d_hidden)
            The hidden tape.
        weights : (batch, length, length)
            Row t: how word t shares its look among the words before it. The first
            row is all 0, every other one sums to 1; on the diagonal and to its
            right all is 0.

        Raises
        ------
        TypeError, ValueError
            If x does not fit.
        """
        checks.floating("x", x)
        checks.dimensions("x", x, ("batch", "length", "d_input"))
        checks.last_size("x", x, self.d_input, "d_input")
        checks.not_empty("x", x)
        checks.fits_parameters("x", x, self)
        length = x.shape[1]
        asked = self.W_x(x)  # (batch, length, d_attention)
        # h̃, c̃: both tapes are empty
        summary = cell = x.new_zeros(x.shape[0], self.d_hidden)
        hidden_tape, memory_tape, prepared, rows = [], [], [], []
        for t in range(length):
            row = x.new_zeros(x.shape[0], length)
            if t > 0:
                question = asked[:, t] + self.W_s(summary)  # (batch, d_attention)
                # (batch, t, d_attention)
                sums = torch.stack(prepared, dim=1) + question.unsqueeze(1)
                scores = self.v(torch.tanh(sums)).squeeze(-1)
                weights = torch.softmax(scores, dim=-1)  # (batch, t)
                w = weights.unsqueeze(1)  # (batch, 1, t)
                summary = (w @ torch.stack(hidden_tape, dim=1)).squeeze(1)  # h̃_t
                cell = (w @ torch.stack(memory_tape, dim=1)).squeeze(1)  # c̃_t
                row = torch.cat([weights, row[:, t:]], dim=-1)  # (batch, length)
            gates = self.gates(torch.cat([summary, x[:, t]], dim=-1))
            i, f, o, candidate = gates.chunk(4, dim=-1)
            # c_t
            c = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(candidate)
            h = torch.sigmoid(o) * torch.tanh(c)  # h_t
            hidden_tape.append(h)
            memory_tape.append(c)
            prepared.append(self.W_h(h))
            rows.append(row)
        return torch.stack(hidden_tape, dim=1), torch.stack(rows, dim=1)
