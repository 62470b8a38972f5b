"""What 10.8 and 10.10 share: a sublayer's inputs, its layer norm, and which mistakes go together."""

import torch

from attnbook.exercises.bank.ch10.layer_norm import AFFINE, SPREAD, layer_norm
from attnbook.exercises.spec import Draw

MATRICES = ("W_q", "W_k", "W_v", "W_o")
NORM_SPREAD = SPREAD.only("unbiased")  # a layer norm that was written wrongly in 10.2
NORM_AFFINE = AFFINE.only("none", "no_gamma", "no_beta")


def plain_norm(x, gamma, beta, spread=NORM_SPREAD.right, affine=NORM_AFFINE.right):
    """Layer normalisation with the usual epsilon."""
    return layer_norm(x, gamma, beta, 1e-5, spread=spread, affine=affine)


def head_sizes(draw: Draw, count: int) -> tuple[list[int], int]:
    """``count`` sizes and n_heads, all different, and d_model = 3 · n_heads different from all of them."""
    while True:
        *sizes, n_heads = draw.sizes(count + 1, 2, 8)
        if 3 * n_heads not in sizes:
            return sizes, n_heads


def layer_parameters(draw: Draw, d_model: int, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Four matrices of attention, and gamma and beta for each norm, by name."""
    return {
        **{name: draw.normal(d_model, d_model, scale=1.5 * d_model**-0.5) for name in MATRICES},
        **{f"gamma{name}": draw.uniform(d_model, low=0.5, high=2.0) for name in names},
        **{f"beta{name}": draw.normal(d_model, scale=0.5) for name in names},
    }


def wiring_with_attention(switches: dict[str, str]) -> bool:
    """Single mistakes, and two together: one in how a layer is wired, one in its attention; or any one and a
    layer norm that was written wrongly before."""
    if len(switches) == 1:
        return True
    if switches.get("placed") == "inverted_nan":
        return False  # all is NaN, whatever else was done
    if "spread" in switches:
        return switches.get("normalised") != "none"
    wiring = {"normalised", "place", "shortcut"} & set(switches)
    return bool(wiring) and ("scale" in switches or switches.get("placed") == "ignored")
