"""Self-attention: every word of a sentence asks all words of the same sentence.

Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762, with one head:

    Q = X W^Q        K = X W^K        V = X W^V
    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

A word is a row of X. ``torch.nn.Linear(d_model, d_k)`` keeps its weight as (d_k,
d_model) and computes ``x @ weight.T``, so ``W_q.weight`` is the paper's W^Q on its
side.
"""

from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import scaled_dot_product_attention


class SelfAttention(nn.Module):
    """Three projections of the same rows, query, key and value, and one look.

    Parameters
    ----------
    d_model : int
        Numbers in a row that comes in.
    d_k : int, optional
        Numbers in a query and in a key; d_model if left out.
    d_v : int, optional
        Numbers in a value, and so in a row that goes out; d_k if left out.
    bias : bool
        Whether the projections add a learned constant. The paper has none.
    scale : float, optional
        What the products of query and key are multiplied with; 1/√d_k if left out.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1, or scale not a number.
    """

    def __init__(
        self,
        d_model: int,
        d_k: int | None = None,
        d_v: int | None = None,
        *,
        bias: bool = False,
        scale: float | None = None,
    ):
        super().__init__()
        d_k = d_model if d_k is None else d_k
        d_v = d_k if d_v is None else d_v
        checks.sizes(d_model=d_model, d_k=d_k, d_v=d_v)
        checks.number("scale", scale)
        self.d_model, self.scale = d_model, scale
        self.W_q = nn.Linear(d_model, d_k, bias=bias)
        self.W_k = nn.Linear(d_model, d_k, bias=bias)
        self.W_v = nn.Linear(d_model, d_v, bias=bias)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, *, causal: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Let every row attend to every row.

        Parameters
        ----------
        x : (…, length, d_model)
        mask : broadcasts to (…, length, length), optional
            True = this row (query) may attend to this row (key); floating: added to
            the scores. A padding mask (batch, length) becomes
            ``mask.unsqueeze(-2)``.
        causal : bool
            A row may attend to itself and to those before it, in addition to
            ``mask``.

        Returns
        -------
        context : (…, length, d_v)
            A row that may attend to nothing gets zeros.
        weights : (…, length, length)
            Each row sums to 1, or is all 0 where it may attend to nothing.

        Raises
        ------
        TypeError, ValueError
            If x or the mask does not fit.
        """
        checks.floating("x", x)
        checks.at_least_2d("x", x, "length", "d_model")
        checks.last_size("x", x, self.d_model, "d_model")
        checks.fits_parameters("x", x, self)
        # (…, length, d_k or d_v)
        query, key, value = self.W_q(x), self.W_k(x), self.W_v(x)
        return scaled_dot_product_attention(
            query, key, value, mask, causal=causal, scale=self.scale
        )
