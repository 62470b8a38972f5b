"""A Hugging Face GPT-2 as arguments and weights of :class:`attnbook.nn.GPT`.

It needs no import of transformers: a configuration and tensors are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor


def gelu_tanh(x: Tensor) -> Tensor:
    """GELU as GPT-2 computes it, by a formula with tanh in place of the error
    function; the same shape.
    """
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu_new": gelu_tanh,  # GPT-2's own
    "gelu_pytorch_tanh": gelu_tanh,
    "gelu": F.gelu,
    "relu": F.relu,
}


def arguments(configuration: Any) -> dict[str, Any]:
    """What GPT is built with.

    Raises
    ------
    ValueError
        If the model is no GPT-2, or has a part that the book's GPT lacks.
    """
    kind = getattr(configuration, "model_type", type(configuration).__name__)
    if kind != "gpt2":
        raise ValueError(
            "model: expected a GPT-2 with its output layer (GPT2LMHeadModel), "
            f"got {kind}; other models have other layers"
        )
    for name, wanted in {
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "add_cross_attention": False,
    }.items():
        if getattr(configuration, name, wanted) != wanted:
            raise ValueError(
                f"model: expected {name}={wanted} in its configuration, "
                f"got {not wanted}; the book's GPT has no such option"
            )
    if configuration.activation_function not in ACTIVATIONS:
        raise ValueError(
            f"model: expected an activation among {', '.join(ACTIVATIONS)}, "
            f"got {configuration.activation_function}"
        )
    return {
        "vocab": configuration.vocab_size,
        "d_model": configuration.n_embd,
        "n_heads": configuration.n_head,
        "n_layers": configuration.n_layer,
        "max_length": configuration.n_positions,
        "d_ff": configuration.n_inner or 4 * configuration.n_embd,
    }


def renamed(weights: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """GPT-2's weights under the names of GPT.

    GPT-2 keeps its matrices as (inputs, outputs), so they are transposed, and the
    projections to queries, keys and values side by side in one.

    Raises
    ------
    ValueError
        If a weight is missing, such as the output layer of a GPT2Model.
    """
    if "lm_head.weight" not in weights:
        raise ValueError(
            "model: expected a GPT-2 with its output layer (GPT2LMHeadModel), "
            "got one without"
        )
    found = {
        "embedding.weight": weights["transformer.wte.weight"],
        "positions.table": weights["transformer.wpe.weight"],
        "output.weight": weights["lm_head.weight"],
        "norm.weight": weights["transformer.ln_f.weight"],
        "norm.bias": weights["transformer.ln_f.bias"],
    }
    for number in range(n_layers):
        theirs, ours = f"transformer.h.{number}.", f"layers.{number}."
        for norm in ("1", "2"):
            for part in ("weight", "bias"):
                found[f"{ours}norm_{norm}.{part}"] = weights[
                    f"{theirs}ln_{norm}.{part}"
                ]
        together = weights[f"{theirs}attn.c_attn.weight"].T.chunk(3)
        biases = weights[f"{theirs}attn.c_attn.bias"].chunk(3)
        for name, weight, bias in zip("qkv", together, biases, strict=True):
            found[f"{ours}attention.W_{name}.weight"] = weight
            found[f"{ours}attention.W_{name}.bias"] = bias
        for name, part in {
            "attention.W_o": "attn.c_proj",
            "feed_forward.W_1": "mlp.c_fc",
            "feed_forward.W_2": "mlp.c_proj",
        }.items():
            found[f"{ours}{name}.weight"] = weights[f"{theirs}{part}.weight"].T
            found[f"{ours}{name}.bias"] = weights[f"{theirs}{part}.bias"]
    return found
