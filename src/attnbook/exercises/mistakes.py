"""Families of mistakes that several exercises share: the same code and the same words.

``only``, ``also``, ``reworded`` and ``under`` fit a family to an exercise.
"""

from __future__ import annotations

import math

import torch

from attnbook.exercises.spec import Mistakes, Wrong


def softmax(scores: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Exponentials divided by their sum along ``dim``, without overflow."""
    powers = torch.exp(scores - scores.amax(dim=dim, keepdim=True))
    return powers / powers.sum(dim=dim, keepdim=True)


def _masked_with_infinity(scores, mask, dim):
    return torch.softmax(scores.masked_fill(~mask, -math.inf), dim)


# What becomes of a row without anything to attend to: (scores, mask, dim) → weights.
EMPTY = Mistakes(
    "empty",
    right=lambda scores, mask, dim: _masked_with_infinity(scores, mask, dim).nan_to_num(0.0),
    nan=Wrong(
        _masked_with_infinity,
        "A row in which nothing may be attended to gives NaN: the softmax divides 0 by 0. Such a row should "
        "give zeros.",
    ),
    uniform=Wrong(
        lambda scores, mask, dim: softmax(scores.masked_fill(~mask, -1e9), dim),
        "A row in which nothing may be attended to gets equal weights on all the forbidden positions. That "
        "happens when a large negative number stands in for −∞. Such a row should give zeros.",
    ),
)

# How the mask is used: (scores, mask, empty, dim) → weights.
MASK = Mistakes(
    "placed",
    right=lambda scores, mask, empty, dim: empty(scores, mask, dim),
    ignored=Wrong(
        lambda scores, mask, empty, dim: softmax(scores, dim),
        "The mask is never used: positions that may not be attended to keep their weight. It has to come in "
        "between the scores and the softmax.",
    ),
    inverted=Wrong(
        lambda scores, mask, empty, dim: empty(scores, ~mask, dim),
        "The mask is read the wrong way round. In this book True means *may attend*; your weights sit "
        "exactly on the positions that are forbidden.",
    ),
    after=Wrong(
        lambda scores, mask, empty, dim: softmax(scores, dim) * mask,
        "The mask is applied after the softmax. The forbidden weights are 0, but they had already taken "
        "their share, so a row with a forbidden position adds up to less than 1.",
    ),
    zero=Wrong(
        lambda scores, mask, empty, dim: softmax(scores.masked_fill(~mask, 0.0), dim),
        "The forbidden scores are set to 0. A score of 0 still gets a weight, since exp(0) = 1; which score "
        "does exp turn into 0?",
    ),
)

# The same for exercises without an empty row, where what a mask the wrong way round leaves is seen by itself.
MASK_OR_NAN = MASK.also(
    inverted_nan=Wrong(
        lambda scores, mask, empty, dim: torch.softmax(scores.masked_fill(mask, -math.inf), dim),
        "The mask is read the wrong way round. In this book True means *may attend*: a `~` is missing or too "
        "many. Where everything may be attended to nothing is left, and the softmax over nothing is NaN.",
    ),
    inverted_equal=Wrong(
        lambda scores, mask, empty, dim: softmax(scores.masked_fill(mask, -1e9), dim),
        "The mask is read the wrong way round. In this book True means *may attend*: a `~` is missing or too "
        "many. Where everything may be attended to, all weights come out equal.",
    ),
)

# What becomes of an empty row is a mistake of its own only where scores are masked with −∞.
EMPTY_UNREACHED = tuple((EMPTY, MASK[name]) for name in ("ignored", "after", "zero"))

# Into heads: x (batch, length, d_model), n_heads → (batch, n_heads, length, d_head).
SPLIT = Mistakes(
    "split",
    right=lambda x, n_heads: x.reshape(*x.shape[:2], n_heads, -1).transpose(1, 2),
    at_once=Wrong(
        lambda x, n_heads: x.reshape(x.shape[0], n_heads, x.shape[1], -1),
        "The tensor is viewed as (batch, n_heads, length, d_head) at once. The shape is right, and the rows "
        "are not: a head gets several pieces of the same word, and other words not at all. Cut each word "
        "into heads first, (batch, length, n_heads, d_head), then exchange two axes.",
    ),
    dealt=Wrong(
        lambda x, n_heads: x.reshape(*x.shape[:2], -1, n_heads).permute(0, 3, 1, 2),
        "The numbers of a word are dealt out to the heads one by one, like cards: head 0 gets numbers 0, "
        "n_heads, 2·n_heads and so on. Each head should get a run of d_head neighbours: n_heads comes before "
        "d_head in the view.",
    ),
)

# Back: heads (batch, n_heads, length, d_head) → (batch, length, d_model).
MERGE = Mistakes(
    "merge",
    right=lambda heads: heads.transpose(1, 2).flatten(2),
    at_once=Wrong(
        lambda heads: heads.reshape(heads.shape[0], heads.shape[2], -1),
        "The heads are put together without exchanging the axes first. Memory still lies head after head, so "
        "a word of your result holds one head's numbers for several words. Bring (batch, length, n_heads, "
        "d_head) about, then reshape.",
    ),
)


def _blocks(matrix: torch.Tensor, n_heads: int) -> torch.Tensor:
    """The matrix with zeros wherever a head would read another head's piece of a word."""
    return matrix * torch.block_diag(*[torch.ones(len(matrix) // n_heads, len(matrix) // n_heads)] * n_heads)


# To queries, keys and values: (query, memory, W_q, W_k, W_v, n_heads) → three times (batch, length, d_model).
PROJECT = Mistakes(
    "project",
    right=lambda query, memory, W_q, W_k, W_v, n_heads: (query @ W_q.T, memory @ W_k.T, memory @ W_v.T),
    turned=Wrong(
        lambda query, memory, W_q, W_k, W_v, n_heads: (query @ W_q, memory @ W_k, memory @ W_v),
        "The words are multiplied with `W` and not with `W.T`. The matrices are square, so no shape "
        "complains. As in `torch.nn.Linear`, a row of W makes one number: `x @ W.T`.",
    ),
    sliced=Wrong(
        lambda query, memory, W_q, W_k, W_v, n_heads: (
            query @ _blocks(W_q, n_heads).T,
            memory @ _blocks(W_k, n_heads).T,
            memory @ _blocks(W_v, n_heads).T,
        ),
        "Each head reads only its own piece of a word. A head reads all d_model numbers: project first, with "
        "whole rows of W, and cut the result.",
    ),
    exchanged=Wrong(
        lambda query, memory, W_q, W_k, W_v, n_heads: (query @ W_q.T, memory @ W_v.T, memory @ W_k.T),
        "Keys and values are exchanged: W_k makes the keys that the scores are made of, W_v the values that "
        "are mixed.",
    ),
)

# What the scores of a head are divided by, and its weights after the softmax:
# (d_head, d_model, n_keys) → (divisor before, divisor after).
HEAD_SCALE = Mistakes(
    "scale",
    right=lambda d_head, **sizes: (math.sqrt(d_head), 1.0),
    d_model=Wrong(
        lambda d_head, d_model, **sizes: (math.sqrt(d_model), 1.0),
        "The scores are divided by √d_model. Each head compares vectors of d_head = d_model / n_heads "
        "numbers, so it is √d_head; your weights are flatter than they should be.",
    ),
    none=Wrong(
        lambda d_head, **sizes: (1.0, 1.0),
        "The scores are not divided by √d_head, so your weights are more peaked than they should be.",
    ),
    d_head=Wrong(
        lambda d_head, **sizes: (float(d_head), 1.0),
        "The scores are divided by d_head instead of √d_head: your weights are flatter than they should be.",
    ),
)

# How the merged heads are mixed: (merged, W_o) → context.
MIX = Mistakes(
    "output",
    right=lambda merged, W_o: merged @ W_o.T,
    none=Wrong(
        lambda merged, W_o: merged,
        "The heads are put side by side and returned. The last step is missing: W_o, which mixes them.",
    ),
    turned=Wrong(
        lambda merged, W_o: merged @ W_o,
        "The heads are multiplied with W_o the wrong way round. As in `torch.nn.Linear`, a row of W_o makes "
        "one number of the output: `merged @ W_o.T`.",
    ),
)

# One number from the losses (batch, length) of the places where the mask is True: (losses, mask) → loss.
AVERAGE = Mistakes(
    "share",
    right=lambda losses, mask: (losses * mask).sum() / mask.sum(),
    all_positions=Wrong(
        lambda losses, mask: (losses * mask).mean(),
        "The sum is divided by all positions, padding included. A batch with much padding then looks better "
        "than it is.",
    ),
    sum=Wrong(
        lambda losses, mask: (losses * mask).sum(),
        "The losses are added up and not divided: a bigger batch gets a bigger loss.",
    ),
    batch=Wrong(
        lambda losses, mask: (losses * mask).sum() / len(losses),
        "The sum is divided by the number of sentences. Then long sentences weigh more, and the loss is no "
        "longer one of a word: divide by the number of real words.",
    ),
    sentences=Wrong(
        lambda losses, mask: ((losses * mask).sum(-1) / mask.sum(-1)).mean(),
        "The mean is taken sentence by sentence and then over the sentences, so a word of a short sentence "
        "counts for more than one of a long sentence.",
    ),
)

# What several families say of a divisor.
BY_N_KEYS = (
    "The scores are divided by the root of the number of keys. A score is a sum of d_k products, however "
    "many keys there are: look which axis of the shape you take."
)
BY_EIGHT = (
    "The scores are divided by 8, whatever the length of the vectors. That is √64, right for the 64 numbers "
    "of a head in the paper; here it is the root of the length that the queries really have."
)
DIVIDED_AFTER = (
    "The division by √d_k comes after the softmax: it makes the weights smaller, so that a row adds up "
    "to 1/√d_k, and does nothing about large scores. It belongs to the scores."
)

# How products of queries and keys are scaled: (scores, d_k) → scores.
KEY_SCALE = Mistakes(
    "scale",
    right=lambda scores, d_k: scores / math.sqrt(d_k),
    none=Wrong(
        lambda scores, d_k: scores,
        "The scores are not divided by √d_k. With long vectors the scores grow with √d_k, so your weights "
        "are more peaked than they should be.",
    ),
    d_k=Wrong(
        lambda scores, d_k: scores / d_k,
        "The scores are divided by d_k instead of √d_k. They become too small, and your weights are flatter "
        "than they should be, the more so the longer the vectors.",
    ),
    n_keys=Wrong(lambda scores, d_k: scores / math.sqrt(scores.shape[-1]), BY_N_KEYS),
    eight=Wrong(lambda scores, d_k: scores / 8.0, BY_EIGHT),
)

# The axis of the scores (…, queries, keys) that the softmax runs over.
OVER = Mistakes(
    "over",
    right=-1,
    queries=Wrong(
        -2,
        "The softmax runs over the queries instead of the keys. Each column of your weights adds up to 1, "
        "not each row: the queries compete for a key, where the keys should compete for a query. Look at the "
        "`dim` of the softmax.",
    ),
)
# The same where the batch could be taken for it.
OVER_OR_BATCH = OVER.also(
    batch=Wrong(
        0,
        "The softmax runs over the batch: sentences that have nothing to do with each other compete for "
        "weight. Look at the `dim` of the softmax.",
    ),
)

# What scores are divided by before the softmax, and weights after it; for exercises that know all the sizes:
# (d_k, d_model, d_v, n_keys, n_queries) → (divisor before, divisor after). Sizes that an exercise lacks stay
# out with ``only``.
KEY_DIVISOR = Mistakes(
    "scale",
    right=lambda d_k, **sizes: (math.sqrt(d_k), 1.0),
    none=Wrong(lambda d_k, **sizes: (1.0, 1.0), KEY_SCALE["none"].text),
    d_k=Wrong(lambda d_k, **sizes: (float(d_k), 1.0), KEY_SCALE["d_k"].text),
    d_model=Wrong(
        lambda d_k, d_model, **sizes: (math.sqrt(d_model), 1.0),
        "The scores are divided by √d_model. What counts is the length of the vectors that are compared, "
        "queries and keys: d_k.",
    ),
    d_v=Wrong(
        lambda d_k, d_v, **sizes: (math.sqrt(d_v), 1.0),
        "The scores are divided by √d_v, the length of a value. Values are not compared with anything: what "
        "counts is the length of queries and keys.",
    ),
    n_keys=Wrong(
        lambda d_k, n_keys, **sizes: (math.sqrt(n_keys), 1.0),
        BY_N_KEYS,
    ),
    n_queries=Wrong(
        lambda d_k, n_queries, **sizes: (math.sqrt(n_queries), 1.0),
        "The scores are divided by the root of the number of queries. A score is a sum of d_k products: look "
        "which axis of the shape you take.",
    ),
    multiplied=Wrong(
        lambda d_k, **sizes: (1 / math.sqrt(d_k), 1.0),
        "The scores are multiplied by √d_k. They have to be divided, so that long vectors do not make large "
        "scores.",
    ),
    after=Wrong(
        lambda d_k, **sizes: (1.0, math.sqrt(d_k)),
        DIVIDED_AFTER,
    ),
    eight=Wrong(lambda d_k, **sizes: (8.0, 1.0), BY_EIGHT),
)
