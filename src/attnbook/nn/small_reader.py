"""A model of words that is small enough to look into: every head in view, each of
them can be switched off.

Word vectors plus learned positions, then layers that are joined as in a pre-norm
transformer (Xiong et al. 2020, https://arxiv.org/abs/2002.04745), then a guess of a
word at every position:

    x = E[tokens] + P                           (batch, length, d_model)
    x = x + MultiHead(LayerNorm(x))             once a layer
    x = x + FeedForward(LayerNorm(x))           once a layer, where d_ff is given
    logits = LayerNorm(x) Oᵀ                    (batch, length, vocab)

To *ablate* a head is to replace what it hands on, for every word, by a constant: by
zeros, or by the mean of what it hands on over many sentences (Michel, Levy & Neubig
2019, https://arxiv.org/abs/1905.10650, use zeros).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.multi_head import MultiHeadAttention, merge_heads, split_heads
from attnbook.nn.positions import LearnedPositions
from attnbook.nn.transformer import FeedForward


class WordModel(nn.Module):
    """Guess a word at every position: the next word (``causal=True``), or a word
    that was hidden.

    Parameters
    ----------
    vocab : int
        Number of words.
    d_model, n_heads, n_layers : int
    max_length : int
        The longest sentence, in words.
    d_ff : int, optional
        Size inside the feed-forward networks; without it the layers are attention
        alone.
    causal : bool
        No word sees a later one.
    tied : bool
        The output matrix is the word vectors themselves.

    Attributes
    ----------
    head_means : (n_layers, n_heads, d_head)
        What each head hands on, on average; zeros until ``measure_head_means`` was
        called.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or n_heads does not divide d_model.
    """

    head_means: Tensor

    def __init__(
        self,
        vocab: int,
        d_model: int = 32,
        n_heads: int = 4,
        n_layers: int = 2,
        max_length: int = 32,
        d_ff: int | None = None,
        *,
        causal: bool = False,
        tied: bool = True,
    ):
        super().__init__()
        checks.sizes(vocab=vocab, n_layers=n_layers, max_length=max_length)
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.vocab, self.d_model, self.n_heads, self.n_layers = (
            vocab,
            d_model,
            n_heads,
            n_layers,
        )
        self.max_length, self.d_ff, self.causal, self.tied = (
            max_length,
            d_ff,
            causal,
            tied,
        )
        self.embedding = nn.Embedding(vocab, d_model)
        self.positions = LearnedPositions(max_length, d_model)
        self.layers = nn.ModuleList(
            WordLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.output = nn.Linear(d_model, vocab, bias=False)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)
        if tied:
            self.output.weight = self.embedding.weight
        self.register_buffer(
            "head_means", torch.zeros(n_layers, n_heads, d_model // n_heads)
        )

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        ablate: Iterable[tuple[int, int]] | None = None,
        ablation: str = "zero",
    ) -> tuple[Tensor, Tensor]:
        """Logits for a word at every position, and the weights of every head.

        Parameters
        ----------
        tokens : (batch, length) of int
        mask : (batch, length) of bool, optional
            True for real words.
        ablate : pairs (layer, head), optional
            The heads to switch off, counted from 0.
        ablation : "zero" or "mean"
            What an ablated head hands on instead: zeros, or its row of
            ``head_means``.

        Returns
        -------
        logits : (batch, length, vocab)
            With ``causal=True``, for the word after each position.
        weights : (batch, n_layers, n_heads, length, length)
            Also of the ablated heads, whose weights are made and not used.

        Raises
        ------
        TypeError, ValueError
            If tokens are not of this vocabulary or longer than max_length, or mask
            or ablate do not fit.
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "length"))
        checks.fits_parameters("tokens", tokens, self)
        checks.padding_mask("mask", mask, tokens, "tokens")
        checks.heads("ablate", ablate, self.n_layers, self.n_heads)
        checks.one_of("ablation", ablation, ("zero", "mean"))
        off = {tuple(pair) for pair in ablate or ()}
        # (batch, 1, keys): the same for all queries
        allowed = None if mask is None else mask.unsqueeze(1)
        x = self.positions(self.embedding(tokens))  # (batch, length, d_model)
        weights = []
        for i, layer in enumerate(self.layers):
            instead = {
                head: self.head_means[i, head]
                if ablation == "mean"
                else torch.zeros_like(self.head_means[i, head])
                for head in range(self.n_heads)
                if (i, head) in off
            }
            x, own = layer(x, allowed, causal=self.causal, instead=instead)
            weights.append(own)
        return self.output(self.norm(x)), torch.stack(weights, dim=1)

    @torch.no_grad()
    def measure_head_means(
        self, tokens: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Set ``head_means`` to what each head hands on, averaged over the real
        words of these sentences.

        Parameters
        ----------
        tokens : (batch, length) of int
        mask : (batch, length) of bool, optional
            True for real words.

        Returns
        -------
        (n_layers, n_heads, d_head)
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "length"))
        checks.fits_parameters("tokens", tokens, self)
        checks.padding_mask("mask", mask, tokens, "tokens")
        allowed = None if mask is None else mask.unsqueeze(1)
        real = torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask
        x = self.positions(self.embedding(tokens))
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, WordLayer)
            contexts, _ = head_contexts(
                layer.attention, layer.norm_1(x), allowed, self.causal
            )
            # over (words, n_heads, d_head)
            self.head_means[i] = contexts.transpose(1, 2)[real].mean(dim=0)
            x, _ = layer(x, allowed, causal=self.causal)
        return self.head_means


class WordLayer(nn.Module):
    """Self-attention with a shortcut, then, where ``d_ff`` is given, the
    feed-forward network with one.

    Parameters
    ----------
    d_model, n_heads : int
    d_ff : int, optional
    """

    def __init__(self, d_model: int, n_heads: int, d_ff: int | None = None):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.norm_1 = nn.LayerNorm(d_model)
        self.feed_forward = None if d_ff is None else FeedForward(d_model, d_ff)
        self.norm_2 = None if d_ff is None else nn.LayerNorm(d_model)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        instead: dict[int, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One layer.

        Parameters
        ----------
        x : (batch, length, d_model)
        mask : (batch, 1 or queries, keys), optional
            True = may attend.
        causal : bool
        instead : dict from a head to (d_head,), optional
            What this head hands on for every word, in place of its own context.

        Returns
        -------
        x : (batch, length, d_model)
        weights : (batch, n_heads, length, length)
        """
        if instead:
            contexts, weights = head_contexts(
                self.attention, self.norm_1(x), mask, causal
            )
            for head, constant in instead.items():
                contexts[:, head] = constant  # (batch, length, d_head)
            attended = self.attention.W_o(merge_heads(contexts))
        else:
            attended, weights = self.attention(
                self.norm_1(x), mask=mask, causal=causal
            )
        x = x + attended
        if self.feed_forward is not None and self.norm_2 is not None:
            x = x + self.feed_forward(self.norm_2(x))
        return x, weights


def head_contexts(
    attention: MultiHeadAttention,
    x: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """What each head of a self-attention hands on, before W_o puts the heads
    together.

    Parameters
    ----------
    attention : MultiHeadAttention
        With as many heads for keys and values as for queries.
    x : (batch, length, d_model)
    mask : (batch, 1 or queries, keys), optional
    causal : bool

    Returns
    -------
    contexts : (batch, n_heads, length, d_head)
    weights : (batch, n_heads, length, length)
    """
    q, k, v = (
        split_heads(W(x), attention.n_heads)
        for W in (attention.W_q, attention.W_k, attention.W_v)
    )
    return scaled_dot_product_attention(
        q, k, v, None if mask is None else mask.unsqueeze(1), causal=causal
    )
