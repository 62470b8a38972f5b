"""What attention, its scores, its positions and its caches are given."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.masks import mask
from attnbook.nn.checks.tensors import (
    at_least_2d,
    dimensions,
    fits_parameters,
    floating,
    last_size,
    same_batch,
    same_kind,
    tensor,
    tokens,
)
from attnbook.nn.protocols import Cache, Score


def attention_inputs(
    query: Tensor, key: Tensor, value: Tensor, given_mask: Tensor | None
) -> None:
    """Shapes (…, queries, d_k), (…, keys, d_k), (…, keys, d_v), and a mask for (…,
    queries, keys).
    """
    key_and_value(query, key, value)
    if key.shape[-1] != query.shape[-1]:
        raise ValueError(
            f"key: expected last dimension d_k = {query.shape[-1]} as in query, "
            f"got shape {tuple(key.shape)}; project query and key to the same size "
            "first"
        )
    if given_mask is not None:
        mask(
            "mask",
            given_mask,
            query,
            scores_shape(query, key),
            "(…, queries, keys)",
        )


def key_and_value(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Query, key and value are floating, of one dtype and device, in one batch;
    keys and values pair up.
    """
    floating("query", query)
    at_least_2d("query", query, "queries", "d_query")
    leading = query.shape[:-2]
    for name, given, columns in (("key", key, "d_key"), ("value", value, "d_v")):
        floating(name, given)
        at_least_2d(name, given, "keys", columns)
        same_kind("query", query, name, given)
        if given.shape[:-2] == leading:
            continue
        try:
            leading = torch.broadcast_shapes(leading, given.shape[:-2])
        except RuntimeError:
            raise ValueError(
                f"{name}: expected leading dimensions that broadcast with query's "
                f"{tuple(query.shape[:-2])}, got shape {tuple(given.shape)}; batch "
                "(and heads) must agree"
            ) from None
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"value: expected one row for each of the {key.shape[-2]} keys, got "
            f"shape {tuple(value.shape)}; key and value must come from the same "
            "positions"
        )


def scores_shape(query: Tensor, key: Tensor) -> tuple[int, ...]:
    """The shape (…, queries, keys) of the scores. The one function here that
    returns something.
    """
    if query.shape[:-2] == key.shape[:-2]:
        return (*query.shape[:-1], key.shape[-2])
    leading = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    return (*leading, query.shape[-2], key.shape[-2])


def score_inputs(score: Score, query: Tensor, key: Tensor) -> None:
    """Query (…, queries, d_query) and key (…, keys, d_key) for a score function."""
    key_and_value(query, key, key)
    fits_parameters("query", query, score)
    d_query, d_key = getattr(score, "d_query", None), getattr(score, "d_key", None)
    if d_query is not None:
        last_size("query", query, d_query, "d_query")
    if d_key is not None:  # a location score has none: it never looks at the keys
        last_size("key", key, d_key, "d_key")
    if d_query is None and d_key is None and query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"key: expected last dimension {query.shape[-1]} as in query (a dot "
            f"product needs equal sizes), got shape {tuple(key.shape)}; use "
            "GeneralScore for different sizes"
        )


def score_module(name: str, given: object) -> None:
    """``given`` is a score function: a module with ``prepare`` and ``compare``."""
    if isinstance(given, type) or not (
        hasattr(given, "prepare") and hasattr(given, "compare")
    ):
        raise TypeError(
            f"{name}: expected a score such as AdditiveScore(...) or DotScore(), "
            f"got {given!r}; pass an instance, not a class or a name"
        )


def asks_keys(name: str, score: Score) -> None:
    """The score looks at keys, so that a few of them can be scored alone."""
    if hasattr(score, "max_length"):
        raise ValueError(
            f"{name}: expected a score that asks keys, got {type(score).__name__}, "
            "which scores all places at once; use LocalAttention"
        )


def score_attention_inputs(
    score: Score,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    given_mask: Tensor | None,
    prepared: Tensor | None,
) -> None:
    """Query, key, value and mask for an attention over ``score``."""
    key_and_value(query, key, value)
    score_inputs(score, query, key)
    if prepared is not None and prepared.shape[-2] != key.shape[-2]:
        raise ValueError(
            f"prepared: expected one row for each of the {key.shape[-2]} keys, got "
            f"shape {tuple(prepared.shape)}; pass score.prepare(key) of these keys"
        )
    mask("mask", given_mask, query, scores_shape(query, key), "(…, queries, keys)")


def attention_module(name: str, given: object) -> None:
    """``given`` is None, a score, or an attention over a score."""
    if given is None or (
        not isinstance(given, type)
        and hasattr(getattr(given, "score", given), "compare")
    ):
        return
    raise TypeError(
        f"{name}: expected None, a score such as AdditiveScore(...), or an "
        f"attention such as Attention(score), got {given!r}; pass an instance"
    )


def positioned(name: str, given: Tensor, size: int, start: int) -> None:
    """``given`` is (…, length, size), and starts at a position of at least 0."""
    floating(name, given)
    at_least_2d(name, given, "length", str(size))
    last_size(name, given, size, "size")
    whole_number("start", start, least=0)


def within(name: str, end: int, max_length: int) -> None:
    """No position lies beyond ``max_length``."""
    if end > max_length:
        raise ValueError(
            f"{name}: expected positions below max_length = {max_length}, got "
            f"positions up to {end - 1}; shorten the sequence, or build the module "
            "with a larger max_length"
        )


def head_count(name: str, given: Tensor, n_heads: int) -> None:
    """``given`` is (…, n_heads, length, d_head)."""
    if given.dim() < 3 or given.shape[-3] != n_heads:
        raise ValueError(
            f"{name}: expected shape (…, n_heads = {n_heads}, queries, d_head), "
            f"got {tuple(given.shape)}; build the positions for the same number of "
            "heads as the attention"
        )


def positions_in_attention(name: str, given: object) -> None:
    """``given`` is None, or positions that act inside attention."""
    if given is not None and not all(
        hasattr(given, method) for method in ("rotate", "bias", "context")
    ):
        raise TypeError(
            f"{name}: expected RotaryPositions, ALiBi, T5Bias, RelativePositions "
            f"or None, got {given!r}; sinusoidal and learned positions are added "
            "to the words before the first layer"
        )
    if isinstance(given, type):
        raise TypeError(
            f"{name}: expected an instance, got the class {given.__name__}; call "
            "it with its sizes"
        )


def heads(
    name: str, given: Iterable[Any] | None, n_layers: int, n_heads: int
) -> None:
    """``given`` is None, or pairs (layer, head) that exist."""
    pairs = [] if given is None else list(given)
    for pair in pairs:
        fine = (
            isinstance(pair, tuple | list)
            and len(pair) == 2
            and all(type(i) is int for i in pair)
        )
        if not fine or not (0 <= pair[0] < n_layers and 0 <= pair[1] < n_heads):
            raise ValueError(
                f"{name}: expected pairs (layer below {n_layers}, head below "
                f"{n_heads}), got {pair!r}; count both from 0, for example [(0, 1)]"
            )


def cache_entry(held: Tensor | None, key: Tensor, value: Tensor) -> None:
    """New keys and values fit each other, and those that the cache holds."""
    for name, given in (("key", key), ("value", value)):
        floating(name, given)
        dimensions(name, given, ("batch", "n_kv_heads", "new", "d_head"))
    if key.shape[:3] != value.shape[:3]:
        raise ValueError(
            f"value: expected shape {tuple(key.shape[:3])} and d_v, as in key, got "
            f"{tuple(value.shape)}; key and value must come from the same positions"
        )
    if held is None:
        return
    same_kind("cache", held, "key", key)
    if (held.shape[:2], held.shape[3]) != (key.shape[:2], key.shape[3]):
        raise ValueError(
            "key: expected (batch, n_kv_heads, new, d_head) like the cache's "
            f"{tuple(held.shape)}, got {tuple(key.shape)}; use one cache a layer "
            "and a batch"
        )


def multi_head_inputs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    given_mask: Tensor | None,
    cache: Cache | None,
    d_model: int,
    n_heads: int,
) -> None:
    """Query (batch, queries, d_model), key and value (batch, keys, d_model), a
    mask, a cache.
    """
    for name, given, rows in (
        ("query", query, "queries"),
        ("key", key, "keys"),
        ("value", value, "keys"),
    ):
        tensor(name, given)
        dimensions(name, given, ("batch", rows, "d_model"))
        last_size(name, given, d_model, "d_model")
        same_batch("query", query, name, given)
    key_and_value(query, key, value)
    n_keys = key.shape[1]
    if cache is not None:
        if not (hasattr(cache, "append") and hasattr(cache, "length")):
            raise TypeError(
                f"cache: expected a KVCache or None, got {cache!r}; make one with "
                "KVCache()"
            )
        if cache.key is not None and cache.key.shape[0] != query.shape[0]:
            raise ValueError(
                f"cache: expected {query.shape[0]} rows as in query, got "
                f"{cache.key.shape[0]}; use a new KVCache() for a new batch"
            )
        n_keys = cache.length + n_keys if cache.grows else cache.length or n_keys
    mask_of_heads(given_mask, query, n_heads, n_keys)


def mask_of_heads(
    given_mask: Tensor | None, query: Tensor, n_heads: int, n_keys: int
) -> None:
    """None, or a mask of two to four dimensions for query (batch, queries, d_model)
    in every head.
    """
    if given_mask is None:
        return
    tensor("mask", given_mask)
    if not 2 <= given_mask.dim() <= 4:
        raise ValueError(
            "mask: expected (queries, keys), (batch, queries, keys) or (batch, "
            f"n_heads, queries, keys), got shape {tuple(given_mask.shape)}; add "
            "dimensions of size 1 with unsqueeze"
        )
    batch, queries = query.shape[:2]
    if given_mask.dim() == 3:
        mask(
            "mask",
            given_mask,
            query,
            (batch, queries, n_keys),
            "(batch, queries, keys)",
        )
    else:
        mask(
            "mask",
            given_mask,
            query,
            (batch, n_heads, queries, n_keys),
            "(batch, n_heads, queries, keys)",
        )


def layer_input(x: Tensor, d_model: int) -> None:
    """``x`` is (batch, length, d_model)."""
    floating("x", x)
    dimensions("x", x, ("batch", "length", "d_model"))
    last_size("x", x, d_model, "d_model")


def shared_vocabulary(src_vocab: int, tgt_vocab: int, shared: bool) -> None:
    """One embedding for both languages needs one vocabulary."""
    if shared and src_vocab != tgt_vocab:
        raise ValueError(
            "shared: expected src_vocab = tgt_vocab for one embedding, got "
            f"{src_vocab} and {tgt_vocab}; build one vocabulary for both "
            "languages, or leave shared=False"
        )


def location_aware_inputs(
    score: Any, query: Tensor, key: Tensor, previous: Tensor
) -> None:
    """Query (batch, d_query), key (batch, keys, d_key), weights (batch, keys)."""
    floating("query", query)
    dimensions("query", query, ("batch", "d_query"))
    last_size("query", query, score.d_query, "d_query")
    fits_parameters("query", query, score)
    floating("key", key)
    dimensions("key", key, ("batch", "keys", "d_key"))
    last_size("key", key, score.d_key, "d_key")
    same_kind("query", query, "key", key)
    same_batch("query", query, "key", key)
    floating("previous", previous)
    same_kind("query", query, "previous", previous)
    if previous.shape != key.shape[:2]:
        raise ValueError(
            f"previous: expected shape {tuple(key.shape[:2])} (batch, keys), got "
            f"{tuple(previous.shape)}; pass the weights of the last step, or zeros "
            "at the first"
        )


def location_aware_values(
    value: Tensor, key: Tensor, given_mask: Tensor | None
) -> None:
    """Value (batch, keys, d_value) for these keys, and a mask (batch, keys)."""
    floating("value", value)
    dimensions("value", value, ("batch", "keys", "d_value"))
    if value.shape[:2] != key.shape[:2]:
        raise ValueError(
            f"value: expected one row for each key, (batch, keys) = "
            f"{tuple(key.shape[:2])}, got shape {tuple(value.shape)}; key and "
            "value must come from the same positions"
        )
    same_kind("key", key, "value", value)
    if given_mask is not None and (
        given_mask.dtype != torch.bool or given_mask.shape != key.shape[:2]
    ):
        raise ValueError(
            f"mask: expected bool of shape {tuple(key.shape[:2])} (batch, keys), "
            f"got {given_mask.dtype} of {tuple(given_mask.shape)}; give one True "
            "or False for each key"
        )


def final_distribution_inputs(
    generated: Tensor, weights: Tensor, p_gen: Tensor, src: Tensor, extended: int
) -> None:
    """Probabilities (batch, vocab), weights (batch, src), gates (batch,), and
    source numbers (batch, src) below ``extended``.
    """
    floating("generated", generated)
    dimensions("generated", generated, ("batch", "vocab"))
    whole_number("extended", extended)
    if extended < generated.shape[1]:
        raise ValueError(
            f"extended: expected at least vocab = {generated.shape[1]}, got "
            f"{extended}; count the vocabulary's words and the source's own"
        )
    for name, given, names in (
        ("weights", weights, ("batch", "src")),
        ("p_gen", p_gen, ("batch",)),
    ):
        floating(name, given)
        dimensions(name, given, names)
        same_kind("generated", generated, name, given)
        same_batch("generated", generated, name, given)
    tokens("src", src, extended, ("batch", "src"))
    if src.shape != weights.shape:
        raise ValueError(
            f"src: expected shape {tuple(weights.shape)} as weights, got "
            f"{tuple(src.shape)}; pass the words that were attended to"
        )


def pointer_inputs(
    layer: Any, state: Tensor, context: Tensor, word: Tensor
) -> None:
    """State (batch, d_state), context (batch, d_context), word (batch, d_input)."""
    fits_parameters("state", state, layer)
    for name, given, size in (
        ("state", state, layer.d_state),
        ("context", context, layer.d_context),
        ("word", word, layer.d_input),
    ):
        floating(name, given)
        dimensions(name, given, ("batch", "numbers"))
        last_size(name, given, size, "numbers")
        same_kind("state", state, name, given)
        same_batch("state", state, name, given)


def perceiver_inputs(model: Any, inputs: Tensor, given_mask: Tensor | None) -> None:
    """Inputs (batch, M, d_input), and a mask (batch, M) of bool."""
    floating("inputs", inputs)
    dimensions("inputs", inputs, ("batch", "M", "d_input"))
    last_size("inputs", inputs, model.d_input, "d_input")
    fits_parameters("inputs", inputs, model)
    if given_mask is None:
        return
    tensor("mask", given_mask)
    if given_mask.dtype != torch.bool or given_mask.shape != inputs.shape[:2]:
        raise ValueError(
            f"mask: expected bool of shape {tuple(inputs.shape[:2])} (batch, M), "
            f"got {given_mask.dtype} of {tuple(given_mask.shape)}; give one True "
            "or False for each input"
        )
