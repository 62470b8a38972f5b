"""Global attention over any score: every key is asked, softmax shares out the
weight, values are mixed.

Bahdanau et al. 2015, equations 5 and 6; Luong et al. 2015, equation 7 (global
attention):

    α_ij = exp(e_ij) / Σ_k exp(e_ik)        c_i = Σ_j α_ij h_j
"""

from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import masked_scores, softmax_or_zeros
from attnbook.nn.protocols import Score


class Attention(nn.Module):
    """Scores from a score function, weights by softmax, context as the weighted sum
    of the values.

    Parameters
    ----------
    score : torch.nn.Module
        Has ``prepare(key)`` and ``compare(query, prepared)``, as every class in
        ``attnbook.nn.scores``.
    """

    def __init__(self, score: Score):
        super().__init__()
        checks.score_module("score", score)
        self.score = score

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        prepared: Tensor | None = None,
        position: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Attend with every query to all keys.

        Parameters
        ----------
        query : (…, queries, d_query)
        key : (…, keys, d_key)
        value : (…, keys, d_v)
        mask : broadcasts to (…, queries, keys), optional
            True = may attend. A padding mask (batch, keys) becomes
            ``mask.unsqueeze(-2)``.
        prepared : optional
            ``score.prepare(key)``, if a caller that asks the same keys again and
            again has kept it.
        position : int
            Position of the first query in its sentence. Of no use here; local
            attention needs it.

        Returns
        -------
        context : (…, queries, d_v)
        weights : (…, queries, keys)
            Rows sum to 1, or are all 0 where everything is masked.

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit.
        """
        checks.score_attention_inputs(self.score, query, key, value, mask, prepared)
        if prepared is None:
            prepared = self.score.prepare(key)
        scores = self.score.compare(query, prepared)  # (…, queries, keys)
        # (…, queries, keys)
        weights = softmax_or_zeros(masked_scores(scores, mask))
        context = weights @ value  # (…, queries, d_v)
        return context, weights
