"""Vectors for words from the company that they keep: skip-gram with negative
sampling, and counting.

Both start from pairs (a word, a word that stands near it). Counting turns a table
of such pairs into numbers that say how much oftener two words meet than chance
would have it. Skip-gram learns vectors that tell pairs of the text from pairs drawn
at random; Levy and Goldberg 2014 show that it comes to much the same:
https://papers.nips.cc/paper/5477-neural-word-embedding-as-implicit-matrix-factorization.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from attnbook.nn import checks


class SkipGram(nn.Module):
    """Skip-gram with negative sampling, equation 4 of Mikolov et al. 2013,
    https://arxiv.org/abs/1310.4546.

    Every word has two vectors: one for when it stands in the middle, one for when
    it stands near. Those for the middle are the embedding that is kept. They begin
    as word2vec's own program has them: small random numbers in the middle, zeros
    around.

    Parameters
    ----------
    vocab : int
        Words.
    d_embed : int
        Numbers in a vector.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1.
    """

    def __init__(self, vocab: int, d_embed: int):
        super().__init__()
        checks.sizes(vocab=vocab, d_embed=d_embed)
        self.middle = nn.Embedding(vocab, d_embed)
        self.around = nn.Embedding(vocab, d_embed)
        nn.init.uniform_(self.middle.weight, -0.5 / d_embed, 0.5 / d_embed)
        nn.init.zeros_(self.around.weight)

    def forward(self, word: Tensor, near: Tensor, drawn: Tensor) -> Tensor:
        """The loss, one number: small when pairs of the text score high and drawn
        ones low.

        Parameters
        ----------
        word : (batch,) of int
            Words in the middle.
        near : (batch,) of int
            For each of them a word that stood near it.
        drawn : (batch, negatives) of int
            For each of them words drawn at random.

        Raises
        ------
        TypeError, ValueError
            If they are not whole numbers below ``vocab``, or their shapes do not
            fit each other.
        """
        checks.skip_gram_inputs(word, near, drawn, self.middle.num_embeddings)
        vector = self.middle(word)  # (batch, d_embed)
        # (batch,): dot products
        together = (vector * self.around(near)).sum(dim=-1)
        # (batch, negatives)
        by_chance = (self.around(drawn) @ vector.unsqueeze(-1)).squeeze(-1)
        return -(logsigmoid(together) + logsigmoid(-by_chance).sum(dim=-1)).mean()


def positive_pmi(counts: Tensor) -> Tensor:
    """How much oftener two words meet than if they met by chance, as a logarithm; 0
    where it is not oftener.

    Positive pointwise mutual information, ``max(0, log(p(a, b) / (p(a) p(b))))``.
    PMI for words is due to Church and Hanks 1990,
    https://aclanthology.org/J90-1003.

    Parameters
    ----------
    counts : (words, words)
        How often the word of a column stood near the word of a row; at least 0, not
        all 0.

    Returns
    -------
    (words, words)

    Raises
    ------
    TypeError, ValueError
        If counts is not a two-dimensional floating-point tensor without negative
        entries, or is all 0.
    """
    checks.floating("counts", counts)
    checks.dimensions("counts", counts, ("words", "words"))
    checks.counts("counts", counts)
    share = counts / counts.sum()  # p(a, b)
    # p(a) p(b)
    by_chance = share.sum(dim=1, keepdim=True) * share.sum(dim=0, keepdim=True)
    ratio = torch.where(share > 0, share / by_chance, 1.0)
    return ratio.log().clamp(min=0.0)
