"""What the saliency model, its scanpaths and the normalisation model are given."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.numbers import not_negative, one_of, positive_number
from attnbook.nn.checks.tensors import (
    broadcasts,
    dimensions,
    floating,
    same_shape,
    tensor,
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


def scales_exist(
    scales: Sequence[Tensor] | Mapping[int, Tensor], centre: int, surround: int
) -> None:
    """A pyramid has both scales, and the surround is the coarser."""
    whole_number("centre", centre, least=0)
    whole_number("surround", surround, least=0)
    held = list(scales) if isinstance(scales, Mapping) else list(range(len(scales)))
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
    feature_gains: Mapping[str, float] | None,
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
