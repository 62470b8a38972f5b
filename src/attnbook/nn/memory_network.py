"""A memory network: several glances at the same facts, each told by the one before.

Sukhbaatar, Szlam, Weston & Fergus 2015, "End-To-End Memory Networks",
https://arxiv.org/abs/1503.08895. The words x_ij of fact i are added up twice, as a
key m_i and as a value c_i, and those of the question once, as the first query u:

    m_i = Σ_j A x_ij + T_A(i)        c_i = Σ_j C x_ij + T_C(i)        u = Σ_j B q_j
    p = softmax(uᵀ m_i)              o = Σ_i p_i c_i                  one glance
    u ← H u + o                                                       the next query
    â = softmax(W u)                                                  after the last

T (temporal encoding, section 4.1) is a learned vector for the age of a fact, 0
being the newest. All glances share A, C, T and H: the paper's layer-wise weights
(section 2.2), with which more glances need no more parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.lookup import soft_lookup


class MemoryNetwork(nn.Module):
    """Facts and a question in, a score for each word as the answer out.

    Parameters
    ----------
    vocab : int
        Word numbers; 0 is padding.
    d_model : int
        Numbers in a query, a key, a value.
    hops : int
        Glances, 3 in most of the paper.
    max_facts : int
        Facts of the longest story.
    temporal : bool
        Whether facts carry their age.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or below 1.
    """

    def __init__(
        self,
        vocab: int,
        d_model: int,
        hops: int = 3,
        max_facts: int = 50,
        temporal: bool = True,
    ):
        super().__init__()
        checks.sizes(vocab=vocab, d_model=d_model, hops=hops, max_facts=max_facts)
        self.vocab, self.hops, self.max_facts = vocab, hops, max_facts
        self.A, self.B, self.C = (
            nn.Embedding(vocab, d_model, padding_idx=0) for _ in range(3)
        )
        self.T_A, self.T_C = (nn.Embedding(max_facts, d_model) for _ in range(2))
        self.H = nn.Linear(d_model, d_model, bias=False)
        self.W = nn.Linear(d_model, vocab, bias=False)
        for matrix in self.parameters():
            nn.init.normal_(matrix, std=0.1)
        with torch.no_grad():
            for words in (self.A, self.B, self.C):
                words.weight[0] = 0  # padding adds nothing
        self.temporal = temporal

    def forward(self, story: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Read the facts ``hops`` times.

        Parameters
        ----------
        story : (batch, facts, words) of int
            The oldest fact first. A fact of zeros alone is padding and never read.
        question : (batch, words) of int

        Returns
        -------
        logits : (batch, vocab)
        weights : (batch, hops, facts)
            All 0 for a story without facts.

        Raises
        ------
        TypeError, ValueError
            If story or question does not fit.
        """
        checks.stories("story", story, self.vocab, self.max_facts)
        checks.asked("question", question, self.vocab, story)
        checks.fits_parameters("story", story, self)
        mask = (story != 0).any(dim=-1)  # (batch, facts)
        key = self.A(story).sum(dim=2)  # (batch, facts, d_model)
        value = self.C(story).sum(dim=2)  # (batch, facts, d_model)
        if self.temporal:
            newer = mask.flip(1).cumsum(1).flip(1) - mask.long()  # (batch, facts)
            key, value = key + self.T_A(newer), value + self.T_C(newer)
        u = self.B(question).sum(dim=1)  # (batch, d_model)
        glances = []
        for _ in range(self.hops):
            o, p = soft_lookup(u.unsqueeze(1), key, value, mask.unsqueeze(1))
            u = self.H(u) + o.squeeze(1)  # (batch, d_model): the next query
            glances.append(p)
        return self.W(u), torch.cat(glances, dim=1)
