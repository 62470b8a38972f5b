"""Pointer-generator: a decoder that writes a word of its vocabulary, or copies one
of the source.

See, Liu & Manning 2017, https://arxiv.org/abs/1704.04368, section 2.2. The weights
a of attention already point at words of the source. A gate p_gen decides how much
of the next word's probability comes from the vocabulary (equations 8 and 9):

    p_gen = σ(w_h*ᵀ h* + w_sᵀ s + w_xᵀ x + b_ptr)
    P(w) = p_gen P_vocab(w) + (1 − p_gen) Σ_{i: w_i = w} a_i

h* is the context, s the decoder's state, x its input. Words of the source that the
vocabulary lacks get numbers behind it, one sentence at a time: the *extended
vocabulary*.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks


def final_distribution(
    generated: Tensor,
    weights: Tensor,
    p_gen: Tensor,
    src: Tensor,
    extended: int,
) -> Tensor:
    """Probabilities over the extended vocabulary: equation 9.

    Parameters
    ----------
    generated : (batch, vocab)
        P_vocab: probabilities of the vocabulary's words, 1 in total.
    weights : (batch, src)
        a: attention to the words of the source, 1 in total.
    p_gen : (batch,)
        From 0 (copy) to 1 (write).
    src : (batch, src) of int
        Each source word's number in the extended vocabulary.
    extended : int
        Size of the extended vocabulary, at least vocab.

    Returns
    -------
    (batch, extended)
        1 in total. A word that stands twice in the source gets both weights.

    Raises
    ------
    TypeError, ValueError
        If shapes, numbers or dtypes do not fit.
    """
    checks.final_distribution_inputs(generated, weights, p_gen, src, extended)
    p_gen = p_gen.unsqueeze(-1)
    unseen = generated.new_zeros(len(generated), extended - generated.shape[1])
    written = torch.cat([p_gen * generated, unseen], dim=-1)
    return written.scatter_add(-1, src, (1 - p_gen) * weights)


class PointerGenerator(nn.Module):
    """The output layer of a decoder that can copy.

    Parameters
    ----------
    vocab, d_state, d_context, d_input : int
        Words of the vocabulary; sizes of the decoder's state s, of the context h*,
        and of its input x.

    Raises
    ------
    TypeError, ValueError
        If a size is not whole or below 1.
    """

    def __init__(self, vocab: int, d_state: int, d_context: int, d_input: int):
        super().__init__()
        checks.sizes(
            vocab=vocab, d_state=d_state, d_context=d_context, d_input=d_input
        )
        self.vocab, self.d_state = vocab, d_state
        self.d_context, self.d_input = d_context, d_input
        self.hidden = nn.Linear(d_state + d_context, d_state)  # V, b
        self.output = nn.Linear(d_state, vocab)  # V', b'
        self.gate = nn.Linear(d_context + d_state + d_input, 1)

    def forward(
        self,
        state: Tensor,
        context: Tensor,
        word: Tensor,
        weights: Tensor,
        src: Tensor,
        extended: int,
    ) -> tuple[Tensor, Tensor]:
        """One step.

        Parameters
        ----------
        state : (batch, d_state)
        context : (batch, d_context)
        word : (batch, d_input)
            x, the decoder's input: the vector of the word before.
        weights, src, extended
            As in ``final_distribution``.

        Returns
        -------
        probabilities : (batch, extended)
        p_gen : (batch,)

        Raises
        ------
        TypeError, ValueError
            If shapes, numbers or dtypes do not fit.
        """
        checks.pointer_inputs(self, state, context, word)
        hidden = self.hidden(torch.cat([state, context], dim=-1))
        generated = self.output(hidden).softmax(dim=-1)  # P_vocab
        gate = self.gate(torch.cat([context, state, word], dim=-1))
        p_gen = torch.sigmoid(gate).squeeze(-1)
        return (
            final_distribution(generated, weights, p_gen, src, extended),
            p_gen,
        )
