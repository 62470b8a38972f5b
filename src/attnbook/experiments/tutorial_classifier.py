"""The models of the run ``sentiment_tutorial``: one LSTM, six ways to read its states.

As the tutorial has it in Keras: word vectors of 32 numbers, an LSTM of 100 units with dropout of 0.3 on its
inputs and 0.2 on its recurrent state, one line to a logit, and Keras's initial values, which are other ones
than torch's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn.lookup import AttentionPooling
from attnbook.nn.tutorial_attention import TutorialAttention

READINGS = (
    "plain LSTM",
    "masked LSTM",
    "with the layer",
    "layer, masked",
    "equal weights, masked",
    "learned query, masked",
)


class KerasLSTM(nn.Module):
    """torch's LSTM with Keras's initial values and dropout.

    Parameters
    ----------
    d_in, hidden : int
    dropout, recurrent_dropout : float
        On the inputs, where each sentence has a mask of its own, the same at every step; and on the state
        that a step receives, where all sentences of a batch share a mask (in Keras each has its own).
    """

    def __init__(self, d_in: int, hidden: int, dropout: float = 0.3, recurrent_dropout: float = 0.2):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(4 * hidden, d_in))  # gates: input, forget, cell, output
        self.recurrent = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[hidden : 2 * hidden] = 1.0  # the forget gate's
        self.hidden, self.dropout, self.recurrent_dropout = hidden, dropout, recurrent_dropout

    def forward(self, x: Tensor) -> Tensor:
        """States (batch, steps, hidden) of inputs x (batch, steps, d_in)."""
        recurrent = self.recurrent
        if self.training:
            x = x * _kept((len(x), 1, x.shape[2]), self.dropout, x)
            recurrent = recurrent * _kept((1, self.hidden), self.recurrent_dropout, x)
        start = x.new_zeros(1, len(x), self.hidden)
        parameters = [self.kernel, recurrent, self.bias, torch.zeros_like(self.bias)]
        states, _, _ = torch.lstm(
            x, (start, start), parameters, True, 1, 0.0, self.training, False, True
        )  # has_biases, num_layers, dropout between layers, train, bidirectional, batch_first
        return states


def _kept(shape: tuple[int, ...], dropout: float, like: Tensor) -> Tensor:
    """What dropout multiplies with: 0, or what keeps the mean as it is."""
    return torch.bernoulli(torch.full(shape, 1 - dropout, device=like.device)) / (1 - dropout)


class TutorialClassifier(nn.Module):
    """Word vectors, LSTM, one reading of its states, and a logit.

    Parameters
    ----------
    vocab : int
        Words, with 0 for padding.
    steps : int
        To which every sentence is padded.
    reading : str
        One of ``READINGS``. Those that are masked see words alone; "plain LSTM" and "with the layer" read
        through the padding after them, as the tutorial does.
    d_model, hidden : int
    """

    def __init__(self, vocab: int, steps: int, reading: str, d_model: int = 32, hidden: int = 100):
        super().__init__()
        if reading not in READINGS:
            raise ValueError(f"reading: expected one of {', '.join(READINGS)}, got {reading!r}")
        self.reading = reading
        self.embedding = nn.Embedding(vocab, d_model)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.lstm = KerasLSTM(d_model, hidden)
        self.output = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        # Last, so that embedding, LSTM and output start alike whatever the reading.
        self.layer = TutorialAttention()
        self.layer.build((0, steps, hidden))
        self.pooling = AttentionPooling(hidden)

    def forward(self, word_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch,) and the weights of the states (batch, steps).

        Parameters
        ----------
        word_ids : (batch, steps)
            Words first, then zeros.
        """
        mask = word_ids > 0
        lengths = mask.sum(dim=1).clamp(min=1)
        # Words do not see what follows them, so that a mask is a matter of reading the states alone.
        states = self.lstm(self.embedding(word_ids))
        if self.reading == "with the layer":
            context, weights = self.layer(states)
        elif self.reading == "layer, masked":
            context, weights = self.layer(states, mask)
        elif self.reading == "learned query, masked":
            context, weights = self.pooling(states, states, mask)
        elif self.reading == "equal weights, masked":
            weights = mask / lengths.unsqueeze(1)
            context = (weights.unsqueeze(-1) * states).sum(dim=1)
        else:
            steps = word_ids.shape[1]
            last = lengths - 1 if self.reading == "masked LSTM" else torch.full_like(lengths, steps - 1)
            weights = nn.functional.one_hot(last, steps).to(states)
            context = (weights.unsqueeze(-1) * states).sum(dim=1)
        return self.output(context).squeeze(-1), weights
