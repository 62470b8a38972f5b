"""A decoder of several layers that reads one fixed vector: the translators of 2014,
before attention.

Cho et al. 2014 (https://arxiv.org/abs/1406.1078): one layer, and the fixed vector c
is an input of every step. Sutskever et al. 2014 (https://arxiv.org/abs/1409.3215):
four layers of LSTM units, c only as the first state. Here the units are GRUs, the
number of layers is free, and c comes in both ways.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.seq2seq import DecoderState


class StackedGRUDecoder(nn.Module):
    """Writes the target word by word from one fixed vector c; each layer reads the
    state of the one below.

    For layers 1 to L::

        s¹_i = GRU¹([E y_{i−1}; c], s¹_{i−1})
        sˡ_i = GRUˡ(sˡ⁻¹_i, sˡ_{i−1})           l = 2 … L
        logits = W_o s^L_i

    Every layer starts from the same s_0. It fits ``Seq2Seq`` and the searches in
    the place of ``GRUDecoder``.

    Parameters
    ----------
    vocab : int
        Number of target tokens.
    d_embed, d_hidden, d_memory : int
        Sizes of a word's vector, of each layer's state, and of the fixed vector
        (``encoder.d_memory``).
    layers : int
    """

    def __init__(
        self,
        vocab: int,
        d_embed: int,
        d_hidden: int,
        d_memory: int,
        layers: int = 1,
    ):
        super().__init__()
        checks.sizes(
            vocab=vocab,
            d_embed=d_embed,
            d_hidden=d_hidden,
            d_memory=d_memory,
            layers=layers,
        )
        self.vocab, self.d_hidden, self.d_memory = vocab, d_hidden, d_memory
        self.embedding = nn.Embedding(vocab, d_embed)
        # what each layer reads
        reads = [d_embed + d_memory] + [d_hidden] * (layers - 1)
        self.cells = nn.ModuleList(nn.GRUCell(size, d_hidden) for size in reads)
        self.output = nn.Linear(d_hidden, vocab)  # W_o

    def start(
        self,
        memory: Tensor,
        summary: Tensor,
        hidden: Tensor,
        mask: Tensor | None = None,
    ) -> DecoderState:
        """The state before the first word.

        Parameters
        ----------
        memory : (batch, src, d_memory)
            Kept in the state, never looked at: that is the bottleneck.
        summary : (batch, d_memory)
            The fixed vector c.
        hidden : (batch, d_hidden)
            s_0.
        mask : (batch, src) of bool, optional
            True for real tokens.

        Raises
        ------
        TypeError, ValueError
            If a shape does not fit.
        """
        checks.decoder_start(
            memory, summary, hidden, mask, self.d_memory, self.d_hidden
        )
        if mask is None:
            mask = torch.ones(
                memory.shape[:2], dtype=torch.bool, device=memory.device
            )
        return DecoderState(
            (hidden,) * len(self.cells), None, memory, summary, mask, None
        )

    def step(
        self, token: Tensor, state: DecoderState
    ) -> tuple[Tensor, None, DecoderState]:
        """One word further: what comes after ``token``?

        Parameters
        ----------
        token : (batch,) of int
        state : DecoderState

        Returns
        -------
        logits : (batch, vocab)
        weights : None
        state : DecoderState

        Raises
        ------
        TypeError, ValueError
            If token is not (batch,) of this vocabulary.
        """
        checks.tokens("token", token, self.vocab, ("batch",))
        checks.same_batch("state", state.memory, "token", token)
        # (batch, d_embed + d_memory)
        read = torch.cat([self.embedding(token), state.summary], dim=-1)
        hidden = []
        for cell, last in zip(self.cells, state.hidden, strict=True):
            # (batch, d_hidden), and the next layer reads it
            read = cell(read, last)
            hidden.append(read)
        return (
            self.output(read),
            None,
            replace(state, hidden=tuple(hidden), position=state.position + 1),
        )

    def forward(self, tgt: Tensor, state: DecoderState) -> tuple[Tensor, None]:
        """Teacher forcing: after each of the right words, what comes next?

        Parameters
        ----------
        tgt : (batch, tgt) of int
            Begin-of-sentence, then the right words.
        state : DecoderState

        Returns
        -------
        logits : (batch, tgt, vocab)
        weights : None

        Raises
        ------
        TypeError, ValueError
            If the tokens do not fit.
        """
        checks.tokens("tgt", tgt, self.vocab, ("batch", "tgt"))
        logits = []
        for token in tgt.unbind(dim=1):
            after, _, state = self.step(token, state)
            logits.append(after)
        return torch.stack(logits, dim=1), None
