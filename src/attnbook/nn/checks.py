"""Checks of arguments: every function here returns nothing, and raises one clear
sentence when something is wrong.

The mechanisms call these functions in statements of their own
(``checks.attention_inputs(query, key, value, mask)``), so that deleting the line
deletes the check and nothing of the mathematics.

A sentence names the argument, what was expected, what was given, and what to do.
Wrong kinds of object raise ``TypeError``; wrong shapes, values, dtypes, devices and
masks raise ``ValueError``.
"""

from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor


def tensor(name: str, given: object) -> None:
    """``given`` is a tensor."""
    if not isinstance(given, Tensor):
        raise TypeError(
            f"{name}: expected a torch.Tensor, got {type(given).__name__}; "
            "convert it with torch.as_tensor(...)"
        )


def floating(name: str, given: Tensor) -> None:
    """``given`` is a tensor of real floating-point numbers."""
    tensor(name, given)
    if not given.is_floating_point():
        raise ValueError(
            f"{name}: expected floating-point numbers, got {given.dtype}; convert "
            f"it with {name}.float()"
        )


def same_kind(first_name: str, first: Tensor, name: str, given: Tensor) -> None:
    """``given`` has the dtype and the device of ``first``; mixed precision may mix
    dtypes, since it casts.
    """
    if given.dtype != first.dtype and not torch.is_autocast_enabled(
        first.device.type
    ):
        raise ValueError(
            f"{name}: expected {first.dtype} as in {first_name}, got "
            f"{given.dtype}; convert it with {name}.to({first_name}.dtype)"
        )
    if given.device != first.device:
        raise ValueError(
            f"{name}: expected device {first.device} as in {first_name}, got "
            f"{given.device}; move it with {name}.to({first_name}.device)"
        )


def dimensions(name: str, given: Tensor, names: Sequence[str]) -> None:
    """``given`` has exactly the dimensions ``names``, for example ``("batch",
    "src")``.
    """
    if given.dim() != len(names):
        raise ValueError(
            f"{name}: expected {len(names)} dimensions ({', '.join(names)}), got "
            f"shape {tuple(given.shape)}; add or remove a dimension with unsqueeze "
            "or squeeze"
        )


def at_least_2d(name: str, given: Tensor, rows: str, columns: str) -> None:
    """``given`` has the shape ``(…, rows, columns)``."""
    if given.dim() < 2:
        raise ValueError(
            f"{name}: expected shape (…, {rows}, {columns}), got "
            f"{tuple(given.shape)}; add a dimension with unsqueeze"
        )


def last_size(name: str, given: Tensor, size: int, meaning: str) -> None:
    """The last dimension of ``given`` is ``size``."""
    if given.shape[-1] != size:
        raise ValueError(
            f"{name}: expected last dimension {meaning} = {size}, got shape "
            f"{tuple(given.shape)}; project {name} to {size} numbers, or build the "
            f"module for {given.shape[-1]}"
        )


def whole_number(name: str, given: object, least: int = 1) -> None:
    """``given`` is an integer of at least ``least``."""
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(
            f"{name}: expected a whole number of at least {least}, got {given!r}; "
            "pass an int"
        )
    if given < least:
        raise ValueError(
            f"{name}: expected a whole number of at least {least}, got {given}; "
            "choose a larger one"
        )


def number(name: str, given: object) -> None:
    """``given`` is None or a real number."""
    if given is not None and (
        not isinstance(given, Real) or isinstance(given, bool)
    ):
        raise TypeError(
            f"{name}: expected a number or None, got {given!r}; pass a Python float"
        )


def positive_number(name: str, given: object) -> None:
    """``given`` is None or a real number above zero."""
    number(name, given)
    if given is not None and not given > 0:
        raise ValueError(
            f"{name}: expected a number above 0, got {given}; leave it out to do "
            "without"
        )


def probability(name: str, given: object) -> None:
    """``given`` is a number from 0 up to, but not including, 1."""
    if not isinstance(given, Real) or isinstance(given, bool):
        raise TypeError(
            f"{name}: expected a number from 0 to below 1, got {given!r}; pass a "
            "Python float"
        )
    if not 0 <= given < 1:
        raise ValueError(
            f"{name}: expected a number from 0 to below 1, got {given}; 0 switches "
            "it off"
        )


def one_of(name: str, given: object, options: Sequence[str]) -> None:
    """``given`` is one of the words in ``options``."""
    if given not in options:
        named = " or ".join(repr(option) for option in options)
        raise ValueError(
            f"{name}: expected {named}, got {given!r}; choose one of these"
        )


def divides(name: str, divisor: int, whole_name: str, whole: int) -> None:
    """``whole`` can be split into ``divisor`` equal parts."""
    whole_number(name, divisor)
    whole_number(whole_name, whole)
    if whole % divisor:
        fitting = [n for n in range(1, whole + 1) if whole % n == 0]
        raise ValueError(
            f"{name}: expected a number that divides {whole_name} = {whole}, got "
            f"{divisor}; choose one of {', '.join(map(str, fitting))}"
        )


def broadcasts(name: str, given: Tensor, shape: Sequence[int], names: str) -> None:
    """``given`` broadcasts to ``shape`` without enlarging it."""
    # A plain loop: this runs before every masked call, where a generator's time
    # would show.
    sizes, extra = given.shape, len(shape) - given.dim()
    fits = extra >= 0
    for place, size in enumerate(sizes):
        if not fits:
            break
        fits = size == 1 or size == shape[place + extra]
    if not fits:
        raise ValueError(
            f"{name}: expected a shape that broadcasts to {names} = "
            f"{tuple(shape)}, got {tuple(given.shape)}; a padding mask of shape "
            f"(batch, keys) becomes {name}.unsqueeze(-2) for (batch, queries, keys)"
        )


def mask(
    name: str,
    given: Tensor | None,
    scores: Tensor,
    shape: Sequence[int],
    names: str,
) -> None:
    """``given`` is None, or boolean (True = may attend), or floating (added to the
    scores), and fits ``shape``.

    ``scores`` is any tensor with the dtype and the device of the scores.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool and not given.is_floating_point():
        raise ValueError(
            f"{name}: expected bool (True = may attend) or floating-point numbers "
            f"to add to the scores, got {given.dtype}; convert zeros and ones with "
            f"{name}.bool()"
        )
    if given.dtype != torch.bool and given.dtype != scores.dtype:
        raise ValueError(
            f"{name}: expected bool, or {scores.dtype} as in the scores, got "
            f"{given.dtype}; convert it with {name}.to({scores.dtype})"
        )
    if given.device != scores.device:
        raise ValueError(
            f"{name}: expected device {scores.device}, got {given.device}; "
            f"move it with {name}.to('{scores.device}')"
        )
    broadcasts(name, given, shape, names)


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


def score_inputs(score: torch.nn.Module, query: Tensor, key: Tensor) -> None:
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


def fits_parameters(name: str, given: Tensor, module: torch.nn.Module) -> None:
    """``given`` lives on the device of the module's parameters, and has their dtype
    if it is floating.
    """
    if torch.compiler.is_compiling():
        return
    parameter = next(module.parameters(), None)
    if parameter is None:
        return
    if given.device != parameter.device:
        raise ValueError(
            f"{name}: expected device {parameter.device}, where "
            f"{type(module).__name__}'s parameters are, got {given.device}; move "
            "one of them with .to(...)"
        )
    # Under autocast torch converts as it goes.
    floats = given.is_floating_point() and not torch.is_autocast_enabled(
        given.device.type
    )
    if floats and given.dtype != parameter.dtype:
        raise ValueError(
            f"{name}: expected {parameter.dtype}, as {type(module).__name__}'s "
            f"parameters have, got {given.dtype}; convert one of them with .to(...)"
        )


def tokens(name: str, given: Tensor, vocab: int, names: Sequence[str]) -> None:
    """``given`` holds token numbers from 0 to vocab - 1, in the dimensions
    ``names``.
    """
    tensor(name, given)
    if given.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"{name}: expected token numbers (int64), got {given.dtype}; convert "
            f"them with {name}.long()"
        )
    dimensions(name, given, names)
    # Looking at values would break a compiled graph in two, so a compiled model
    # trusts them.
    if torch.compiler.is_compiling() or given.numel() == 0 or given.is_meta:
        return
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= vocab:
        raise ValueError(
            f"{name}: expected token numbers from 0 to {vocab - 1}, got {low} to "
            f"{high}; use the vocabulary that the model was built for"
        )


def padding_mask(
    name: str, given: Tensor | None, sequence: Tensor, sequence_name: str
) -> None:
    """``given`` is None or boolean (batch, length), True for real tokens, the shape
    of ``sequence``.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool:
        raise ValueError(
            f"{name}: expected bool, True for real tokens, got {given.dtype}; "
            f"compare with the padding number, for example {sequence_name} != 0"
        )
    if given.shape != sequence.shape[:2]:
        raise ValueError(
            f"{name}: expected shape {tuple(sequence.shape[:2])} as in "
            f"{sequence_name}, got {tuple(given.shape)}; build it from "
            f"{sequence_name} itself"
        )
    if given.device != sequence.device:
        raise ValueError(
            f"{name}: expected device {sequence.device} as in {sequence_name}, got "
            f"{given.device}; move it with {name}.to({sequence_name}.device)"
        )


def padding_last(name: str, given: Tensor) -> None:
    """Each row of the mask starts with at least one True, and no True follows a
    False.
    """
    if torch.compiler.is_compiling():
        return
    if given.shape[1] == 0 or not bool(given[:, 0].all()):
        raise ValueError(
            f"{name}: expected at least one real token first in every sentence, "
            "got an empty sentence or padding in front; remove empty sentences and "
            "pad at the end"
        )
    if bool((given[:, 1:] & ~given[:, :-1]).any()):
        raise ValueError(
            f"{name}: expected real tokens first and padding last, got a real "
            "token after padding; pad at the end"
        )


def same_batch(first_name: str, first: Tensor, name: str, given: Tensor) -> None:
    """Both tensors have the same number of rows."""
    if first.shape[0] != given.shape[0]:
        raise ValueError(
            f"{name}: expected {first.shape[0]} rows as in {first_name}, got "
            f"{given.shape[0]}; pass the same sentences in the same order"
        )


def lengths(name: str, given: Tensor, size: int) -> None:
    """``given`` holds whole numbers from 0 to ``size``, one a sentence."""
    tensor(name, given)
    whole_number("size", size, least=0)
    if given.is_floating_point() or given.dtype == torch.bool:
        raise ValueError(
            f"{name}: expected whole numbers, got {given.dtype}; convert them with "
            f"{name}.long()"
        )
    dimensions(name, given, ("batch",))
    if torch.compiler.is_compiling() or given.numel() == 0:
        return
    if int(given.min()) < 0 or int(given.max()) > size:
        raise ValueError(
            f"{name}: expected numbers from 0 to size = {size}, got "
            f"{int(given.min())} to {int(given.max())}; no sentence is longer than "
            "the padded size"
        )


def mask_width(name: str, given: Tensor, n_keys: int) -> None:
    """``given`` is a mask of at most ``n_keys`` columns."""
    tensor(name, given)
    if given.shape[-1] > n_keys:
        raise ValueError(
            f"{name}: expected at most {n_keys} columns, one a key, got shape "
            f"{tuple(given.shape)}; cut it with {name}[..., :{n_keys}]"
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


def asks_keys(name: str, score: torch.nn.Module) -> None:
    """The score looks at keys, so that a few of them can be scored alone."""
    if hasattr(score, "max_length"):
        raise ValueError(
            f"{name}: expected a score that asks keys, got {type(score).__name__}, "
            "which scores all places at once; use LocalAttention"
        )


def score_attention_inputs(
    score: torch.nn.Module,
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


def sizes(**given: object) -> None:
    """Every keyword argument is a whole number of at least 1."""
    for name, size in given.items():
        whole_number(name, size)


def feeding_needs_current(name: str, given: bool, query: str) -> None:
    """Input feeding goes with the current state as query."""
    if given and query != "current":
        raise ValueError(
            f'{name}: expected False with query="{query}", got True; '
            'there the context is fed into the unit already: use query="current"'
        )


def decoder_start(
    memory: Tensor,
    summary: Tensor,
    hidden: Tensor,
    given_mask: Tensor | None,
    d_memory: int,
    d_hidden: int,
) -> None:
    """Memory (batch, src, d_memory), summary (batch, d_memory), hidden (batch,
    d_hidden), mask.
    """
    floating("memory", memory)
    dimensions("memory", memory, ("batch", "src", "d_memory"))
    last_size("memory", memory, d_memory, "d_memory")
    for name, given, size, meaning in (
        ("summary", summary, d_memory, "d_memory"),
        ("hidden", hidden, d_hidden, "d_hidden"),
    ):
        same_kind("memory", memory, name, given)
        dimensions(name, given, ("batch", meaning))
        last_size(name, given, size, meaning)
        same_batch("memory", memory, name, given)
    padding_mask("mask", given_mask, memory, "memory")


def same_memory(encoder: object, decoder: object) -> None:
    """The decoder was built for the annotations that the encoder makes."""
    if not hasattr(encoder, "d_memory") or not hasattr(decoder, "d_memory"):
        raise TypeError(
            "encoder, decoder: expected a GRUEncoder or LSTMEncoder, then a "
            "GRUDecoder or LSTMDecoder"
        )
    if encoder.d_memory != decoder.d_memory:
        raise ValueError(
            f"decoder: expected d_memory = {encoder.d_memory} as the encoder "
            f"makes, got {decoder.d_memory}; pass d_memory=encoder.d_memory"
        )


def boolean_mask(
    name: str, given: Tensor | None, scores: Tensor, names: str
) -> None:
    """``given`` is None, or boolean (True = may attend) and broadcasts to the shape
    of ``scores``.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool:
        raise ValueError(
            f"{name}: expected bool (True = may attend), got {given.dtype}; "
            f"convert zeros and ones with {name}.bool()"
        )
    mask(name, given, scores, scores.shape, names)


def temperature(name: str, given: object) -> None:
    """``given`` is a real number above zero, and not None."""
    if given is None:
        raise TypeError(
            f"{name}: expected a number above 0, got None; pass a Python float "
            "such as 1.0"
        )
    number(name, given)
    if not given > 0:
        raise ValueError(
            f"{name}: expected a number above 0, got {given}; for one winner that "
            "takes all, use hard_lookup"
        )


def known_size(name: str, given: int | None, score: object) -> None:
    """A size is known, from the caller or from the score."""
    if given is None:
        raise ValueError(
            f"{name}: expected a whole number, since {type(score).__name__} does "
            f"not know the size of a query, got None; pass {name}=..."
        )
    whole_number(name, given)


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
            f"{name}: expected RotaryPositions, ALiBi, RelativePositions or None, "
            f"got {given!r}; sinusoidal and learned positions are added to the "
            "words before the first layer"
        )
    if isinstance(given, type):
        raise TypeError(
            f"{name}: expected an instance, got the class {given.__name__}; call "
            "it with its sizes"
        )


def heads(name: str, given: object, n_layers: int, n_heads: int) -> None:
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
    cache: object,
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


def not_empty(name: str, given: Tensor) -> None:
    """There is at least one token a row."""
    if given.shape[1] == 0:
        raise ValueError(
            f"{name}: expected at least one token, got shape {tuple(given.shape)}; "
            "pass a prompt"
        )


def not_negative(name: str, given: object) -> None:
    """``given`` is a number of at least 0."""
    if not isinstance(given, Real) or isinstance(given, bool):
        raise TypeError(
            f"{name}: expected a number of at least 0, got {given!r}; pass a "
            "Python float"
        )
    if given < 0:
        raise ValueError(
            f"{name}: expected a number of at least 0, got {given}; choose 0 or "
            "more"
        )


def picture(name: str, given: Tensor) -> None:
    """``given`` is (h, w, 3), floating, from 0 to 1."""
    tensor(name, given)
    if given.dim() != 3 or given.shape[-1] != 3 or 0 in given.shape:
        raise ValueError(
            f"{name}: expected shape (h, w, 3) with red, green, blue last, got "
            f"{tuple(given.shape)}; use permute(1, 2, 0), or repeat a grey picture "
            "three times"
        )
    floating(name, given)
    if not (given.min() >= 0 and given.max() <= 1):
        raise ValueError(
            f"{name}: expected numbers from 0 to 1, got {given.min():.3g} to "
            f"{given.max():.3g}; divide a picture of bytes by 255"
        )


def same_shape(name: str, given: Tensor, other_name: str, other: Tensor) -> None:
    """``given`` has the shape, the dtype and the device of ``other``."""
    floating(name, given)
    same_kind(other_name, other, name, given)
    if given.shape != other.shape:
        raise ValueError(
            f"{name}: expected shape {tuple(other.shape)} as in {other_name}, got "
            f"{tuple(given.shape)}; resize one of the two"
        )


def scales_exist(scales: object, centre: int, surround: int) -> None:
    """A pyramid has both scales, and the surround is the coarser."""
    whole_number("centre", centre, least=0)
    whole_number("surround", surround, least=0)
    held = list(scales) if isinstance(scales, dict) else list(range(len(scales)))
    if not (centre < surround and centre in held and surround in held):
        raise ValueError(
            "centre, surround: expected centre < surround, both of the scales "
            f"{held[0]} to {held[-1]}, got {centre} and {surround}; build the "
            "pyramid with more levels, or choose a finer surround"
        )


def scale_choice(centres: Sequence[int], deltas: Sequence[int]) -> None:
    """Centre scales count from 0, distances to the surround from 1."""
    for name, given, least in (("centres", centres, 0), ("deltas", deltas, 1)):
        if (
            isinstance(given, (str, int))
            or len(given) == 0
            or len(set(given)) < len(given)
        ):
            raise ValueError(
                f"{name}: expected different whole numbers, got {given!r}; the "
                f"paper's are {(2, 3, 4) if name == 'centres' else (3, 4)}"
            )
        for number_ in given:
            whole_number(name, number_, least=least)


def saliency_extras(
    image: Tensor,
    gains: Sequence[float] | None,
    feature_gains: object,
    top_down: Tensor | None,
    previous: Tensor | None,
) -> None:
    """Gains for each channel and for named features, a top-down map, and a frame
    before.
    """
    channels = 3 if previous is None else 5
    features = ["intensity", "red-green", "blue-yellow", "0°", "45°", "90°", "135°"]
    if previous is not None:
        picture("previous", previous)
        same_shape("previous", previous, "image", image)
        features += ["flicker", "right", "up", "left", "down"]
    if gains is not None:
        if len(gains) != channels:
            raise ValueError(
                f"gains: expected {channels} numbers, one a channel, got "
                f"{len(gains)}; the order is intensity, colour, orientation (, "
                "flicker, motion)"
            )
        for gain in gains:
            not_negative("gains", gain)
    for feature, gain in (feature_gains or {}).items():
        one_of("feature_gains", feature, features)
        not_negative(f"feature_gains[{feature!r}]", gain)
    if top_down is not None:
        same_shape("top_down", top_down, "image[..., 0]", image[..., 0])


def scanpath_inputs(
    saliency: Tensor, n_fixations: int, radius: float | None, decay: float
) -> None:
    """A map of (h, w) without negative numbers or NaN, a number of looks, a radius
    and a decay.
    """
    floating("saliency", saliency)
    dimensions("saliency", saliency, ("h", "w"))
    if not bool((saliency >= 0).all()):
        raise ValueError(
            "saliency: expected numbers of at least 0, got negative ones or NaN; "
            "use saliency.clamp(min=0)"
        )
    whole_number("n_fixations", n_fixations)
    positive_number("radius", radius)
    not_negative("decay", decay)
    if decay > 1:
        raise ValueError(
            f"decay: expected a number from 0 to 1, got {decay}; 1 inhibits for "
            "ever"
        )


def recurrent_step(
    x: Tensor,
    states: dict[str, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    gates: int,
) -> None:
    """Input, states and parameters of one step of a GRU (3 blocks) or LSTM (4
    blocks) fit each other.
    """
    floating("x", x)
    dimensions("x", x, ("batch", "d_input"))
    for name, state in states.items():
        floating(name, state)
        dimensions(name, state, ("batch", "d_hidden"))
        same_kind("x", x, name, state)
        same_batch("x", x, name, state)
    first_name, first = next(iter(states.items()))
    d_input, d_hidden = x.shape[1], first.shape[1]
    for name, state in states.items():
        last_size(name, state, d_hidden, f"d_hidden of {first_name}")
    wanted = {
        "weight_ih": (weight_ih, (gates * d_hidden, d_input)),
        "weight_hh": (weight_hh, (gates * d_hidden, d_hidden)),
        "bias_ih": (bias_ih, (gates * d_hidden,)),
        "bias_hh": (bias_hh, (gates * d_hidden,)),
    }
    for name, (given, shape) in wanted.items():
        floating(name, given)
        same_kind("x", x, name, given)
        if given.shape != shape:
            raise ValueError(
                f"{name}: expected shape {shape} for {gates} blocks of d_hidden = "
                f"{d_hidden} and d_input = {d_input}, got {tuple(given.shape)}; "
                "pass the parameters of a torch cell of these sizes"
            )


def skip_gram_inputs(word: Tensor, near: Tensor, drawn: Tensor, vocab: int) -> None:
    """Word numbers (batch,), (batch,) and (batch, negatives)."""
    tokens("word", word, vocab, ("batch",))
    tokens("near", near, vocab, ("batch",))
    tokens("drawn", drawn, vocab, ("batch", "negatives"))
    same_batch("word", word, "near", near)
    same_batch("word", word, "drawn", drawn)


def counts(name: str, given: Tensor) -> None:
    """``given`` holds no number below 0, and not zeros alone."""
    if bool((given < 0).any()) or not bool(given.sum() > 0):
        raise ValueError(
            f"{name}: expected counts of at least 0 and not all 0, got values from "
            f"{given.min():g} to {given.max():g}; count the pairs of a text that "
            "has some"
        )


def drive_and_attention(
    drive: Tensor, attention: Tensor, sigma: float, pool: Tensor | None
) -> None:
    """Drive (…, neurons) of at least 0, attention that broadcasts to it, σ, and a
    pool (neurons, neurons).
    """
    floating("drive", drive)
    floating("attention", attention)
    not_negative("sigma", sigma)
    if drive.dim() == 0:
        raise ValueError(
            "drive: expected shape (…, neurons), got a single number; use "
            "drive.unsqueeze(0)"
        )
    if not (bool((drive >= 0).all()) and bool((attention >= 0).all())):
        raise ValueError(
            "drive, attention: expected numbers of at least 0; a neuron cannot "
            "fire below zero"
        )
    broadcasts("attention", attention, drive.shape, "(…, neurons)")
    n = drive.shape[-1]
    if pool is not None and tuple(pool.shape) != (n, n):
        raise ValueError(
            f"pool: expected shape (neurons, neurons) = ({n}, {n}), got "
            f"{tuple(pool.shape)}; one row a neuron"
        )
