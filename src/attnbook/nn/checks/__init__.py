"""Checks of arguments: every function here returns nothing, and raises one clear
sentence when something is wrong.

The mechanisms call these functions in statements of their own
(``checks.attention_inputs(query, key, value, mask)``), so that deleting the line
deletes the check and nothing of the mathematics.

A sentence names the argument, what was expected, what was given, and what to do.
Wrong kinds of object raise ``TypeError``; wrong shapes, values, dtypes, devices and
masks raise ``ValueError``.
"""

from attnbook.arguments import whole_number
from attnbook.nn.checks.attention import (
    asks_keys,
    attention_inputs,
    attention_module,
    cache_entry,
    head_count,
    heads,
    key_and_value,
    layer_input,
    multi_head_inputs,
    positioned,
    positions_in_attention,
    score_attention_inputs,
    score_inputs,
    score_module,
    scores_shape,
    shared_vocabulary,
    within,
)
from attnbook.nn.checks.captioner import annotations, forced_place, word_mask
from attnbook.nn.checks.drawing import (
    grey_pictures,
    noise,
    probabilities,
    raw_window,
    whole_window,
    window,
)
from attnbook.nn.checks.glimpses import glimpse_inputs
from attnbook.nn.checks.hopfield import connections, hopfield_inputs, signs
from attnbook.nn.checks.images import (
    feature_maps,
    odd,
    picture_size,
    pictures,
    position_rows,
)
from attnbook.nn.checks.latent import latent_cache_entry, latent_inputs
from attnbook.nn.checks.masks import (
    boolean_mask,
    lengths,
    mask,
    mask_width,
    padding_last,
    padding_mask,
)
from attnbook.nn.checks.memory import asked, stories
from attnbook.nn.checks.numbers import (
    divides,
    known_size,
    not_negative,
    number,
    one_of,
    positive_number,
    probability,
    sizes,
    temperature,
)
from attnbook.nn.checks.positions import (
    above_zero,
    distance_buckets,
    rotary_frequencies,
    turns,
)
from attnbook.nn.checks.recurrent import (
    decoder_start,
    feeding_needs_current,
    recurrent_step,
    same_memory,
    skip_gram_inputs,
)
from attnbook.nn.checks.saliency import (
    drive_and_attention,
    picture,
    saliency_extras,
    scale_choice,
    scales_exist,
    scanpath_inputs,
)
from attnbook.nn.checks.tensors import (
    at_least_2d,
    broadcasts,
    counts,
    dimensions,
    fits_parameters,
    floating,
    last_size,
    not_empty,
    same_batch,
    same_kind,
    same_shape,
    tensor,
    tokens,
)

__all__ = [
    "above_zero",
    "annotations",
    "asked",
    "asks_keys",
    "at_least_2d",
    "attention_inputs",
    "attention_module",
    "boolean_mask",
    "broadcasts",
    "cache_entry",
    "connections",
    "counts",
    "decoder_start",
    "dimensions",
    "distance_buckets",
    "divides",
    "drive_and_attention",
    "feature_maps",
    "feeding_needs_current",
    "fits_parameters",
    "floating",
    "forced_place",
    "glimpse_inputs",
    "grey_pictures",
    "head_count",
    "heads",
    "hopfield_inputs",
    "key_and_value",
    "known_size",
    "last_size",
    "latent_cache_entry",
    "latent_inputs",
    "layer_input",
    "lengths",
    "mask",
    "mask_width",
    "multi_head_inputs",
    "noise",
    "not_empty",
    "not_negative",
    "number",
    "odd",
    "one_of",
    "padding_last",
    "padding_mask",
    "picture",
    "picture_size",
    "pictures",
    "position_rows",
    "positioned",
    "positions_in_attention",
    "positive_number",
    "probabilities",
    "probability",
    "raw_window",
    "recurrent_step",
    "rotary_frequencies",
    "saliency_extras",
    "same_batch",
    "same_kind",
    "same_memory",
    "same_shape",
    "scale_choice",
    "scales_exist",
    "scanpath_inputs",
    "score_attention_inputs",
    "score_inputs",
    "score_module",
    "scores_shape",
    "shared_vocabulary",
    "signs",
    "sizes",
    "skip_gram_inputs",
    "stories",
    "temperature",
    "tensor",
    "tokens",
    "turns",
    "whole_number",
    "whole_window",
    "window",
    "within",
    "word_mask",
]
