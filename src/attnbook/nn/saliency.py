"""The saliency map: where a picture draws the eye before anybody asks a question
about it.

Itti, Koch & Niebur 1998, "A model of saliency-based visual attention for rapid
scene analysis", https://doi.org/10.1109/34.730558. Flicker and motion after Itti,
Dhavale & Pighin 2003, https://doi.org/10.1117/12.512618.

What the papers leave open, and what is done here:

- *Pyramid*: 5-tap filter [1 4 6 4 1]/16 along rows and columns, edge pixels
  repeated outwards, every second pixel kept from the first on. A side of n pixels
  becomes (n + 1) // 2.
- *Bringing a coarse map to a finer grid*: since every second pixel is kept from the
  first on, pixel i of a map lies over pixel 2i of the finer one. So pixel j of the
  fine grid reads the coarse map at j / 2ᵏ, between its two neighbours in a straight
  line, and beyond the last coarse pixel the last one. (Bilinear interpolation that
  lines up the pictures' outer edges instead would shift a surround of scale 8 by
  120 pixels.)
- *Orientation*: the paper's "oriented Gabor pyramids" are those of Greenspan et al.
  1994 (https://doi.org/10.1109/CVPR.1994.323833). Each scale of the intensity is
  first freed of what its own smoothing keeps, so that only detail of about that
  size is left and an even ramp of light answers nowhere. Then it is filtered with a
  cosine and a sine of π/2 a pixel under the pyramid's own [1 4 6 4 1]/16 window;
  the answer is the length of the two, √(cosine² + sine²). The three pixels next to
  the border are turned down to 1/4, 2/4, 3/4, since their filters look past it (as
  in iNVT, the toolkit of the model's authors: filters of 5 pixels). θ = 0° answers
  to horizontal lines, 90° to vertical ones, 45° to lines that rise to the right.
- *Colour*: the paper prints RG(c, s) = |(R(c) − G(c)) ⊖ (G(s) − R(s))|. Taken by
  the letter that is large on a wall of even red. Meant is a centre that red excites
  and a surround that green excites, added: |(R − G)(c) ⊖ (R − G)(s)|. So it is
  here.
- *N(·)*: the range of a map is brought to [0, 1] (M = 1). A local maximum is a
  pixel above 1/10 of the range that is larger than its neighbours before it (above,
  and left in its row) and no smaller than those after it, eight in all, fewer at
  the edge. Differences of less than 1/65,536 of the range do not count: along an
  even edge they are rounding, and would make a maximum here and there. A map whose
  range is below 1e-5 holds rounding only, and becomes zero.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from attnbook.nn import checks

ORIENTATIONS = (0, 45, 90, 135)  # degrees; 0 is a horizontal line
# (rows, columns) a frame
DIRECTIONS = {"right": (0, 1), "up": (-1, 0), "left": (0, -1), "down": (1, 0)}
SMALLEST_RANGE = 1e-5  # what a map varies by less than this is rounding
LOWEST_MAXIMUM = 0.1  # of the range: lower bumps do not count as maxima
STEPS = 65536  # of the range: what differs by less than one counts as equal


@dataclass(frozen=True)
class Saliency:
    """What ``itti_koch`` found.

    Attributes
    ----------
    saliency : (h, w)
        The saliency map at the size of the picture.
    coarse : (h', w')
        The same at the scale where it was made, the largest centre scale (4 in the
        paper).
    conspicuity : dict of (h', w')
        One map a channel, before its last N(·): "intensity", "colour",
        "orientation", with frames also "flicker", "motion".
    maps : dict of (h_c, w_c)
        The feature maps, before N(·): 42 for a picture, named "intensity 2-5",
        "red-green 2-5", "blue-yellow 2-5", "0° 2-5" …: feature, centre scale,
        surround scale.
    """

    saliency: Tensor
    coarse: Tensor
    conspicuity: dict[str, Tensor] = field(repr=False)
    maps: dict[str, Tensor] = field(repr=False)


def smooth(image: Tensor) -> Tensor:
    """Smooth with [1 4 6 4 1]/16 in both directions, edges repeated, (h, w)."""
    checks.floating("image", image)
    checks.dimensions("image", image, ("h", "w"))
    taps = (
        torch.tensor([1, 4, 6, 4, 1], dtype=image.dtype, device=image.device) / 16
    )
    # edges repeated: (1, 1, h + 4, w + 4)
    padded = F.pad(image[None, None], (2, 2, 2, 2), mode="replicate")
    return F.conv2d(F.conv2d(padded, taps.view(1, 1, 5, 1)), taps.view(1, 1, 1, 5))[
        0, 0
    ]


def halve(image: Tensor) -> Tensor:
    """Smooth, then keep every second pixel: one step up a pyramid.

    Parameters
    ----------
    image : (h, w), floating

    Returns
    -------
    ((h + 1) // 2, (w + 1) // 2)
    """
    return smooth(image)[::2, ::2]


def pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """The picture at scales 0 to ``levels − 1``, each half as wide and high as the
    one before.

    Parameters
    ----------
    image : (h, w), floating
    levels : int
        9 in the paper: scale 8 is 1/256 of scale 0.
    """
    checks.whole_number("levels", levels)
    scales = [image]
    while len(scales) < levels:
        scales.append(halve(scales[-1]))
    return scales


def enlarge(coarse: Tensor, size: Sequence[int], steps: int) -> Tensor:
    """Bring a map that is ``steps`` scales coarser to the grid of ``size``, by
    straight lines between pixels.

    Parameters
    ----------
    coarse : (h', w'), floating
    size : (h, w)
        Of the finer grid.
    steps : int
        How many halvings lie between the two; pixel j of the fine grid reads the
        coarse map at j / 2**steps.

    Returns
    -------
    (h, w)
    """
    checks.floating("coarse", coarse)
    checks.whole_number("steps", steps, least=0)
    for dim in (0, 1):
        place = (
            torch.arange(size[dim], dtype=coarse.dtype, device=coarse.device)
            / 2**steps
        )
        place = place.clamp(max=coarse.shape[dim] - 1)
        before = place.floor().long()
        after = (before + 1).clamp(max=coarse.shape[dim] - 1)
        # how far towards the pixel after
        share = (place - before).unsqueeze(1 - dim)
        first, second = (
            coarse.index_select(dim, before),
            coarse.index_select(dim, after),
        )
        coarse = first * (1 - share) + second * share
    return coarse


def centre_surround(
    scales: Sequence[Tensor] | Mapping[int, Tensor], centre: int, surround: int
) -> Tensor:
    """|centre ⊖ surround|: how much a place differs from the region around it, at
    the centre's scale.

    Parameters
    ----------
    scales : list or dict of (h_i, w_i)
        A pyramid, by scale.
    centre, surround : int
        Two of its scales; the surround is the coarser.
    """
    checks.scales_exist(scales, centre, surround)
    fine, coarse = scales[centre], scales[surround]
    return (fine - enlarge(coarse, fine.shape, surround - centre)).abs()


def intensity_and_colours(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """I, R − G and B − Y of a picture, (h, w) each.

    I = (r + g + b)/3. Where I exceeds a tenth of its largest value r, g, b are
    divided by I, elsewhere they count as 0, since nobody sees the hue of the dark.
    R = r − (g + b)/2, G = g − (r + b)/2, B = b − (r + g)/2, Y = (r + g)/2 − |r −
    g|/2 − b, each at least 0.

    Parameters
    ----------
    image : (h, w, 3), floating, from 0 to 1
    """
    checks.picture("image", image)
    intensity = image.mean(dim=-1)
    bright = intensity > intensity.max() / 10
    safe = torch.where(bright, intensity, torch.ones_like(intensity))
    r, g, b = torch.where(
        bright.unsqueeze(-1), image / safe.unsqueeze(-1), 0
    ).unbind(dim=-1)
    red = (r - (g + b) / 2).clamp(min=0)
    green = (g - (r + b) / 2).clamp(min=0)
    blue = (b - (r + g) / 2).clamp(min=0)
    yellow = ((r + g) / 2 - (r - g).abs() / 2 - b).clamp(min=0)
    return intensity, red - green, blue - yellow


def gabor(theta: float, phase: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """A Gabor filter, (5, 5): stripes of period 4 along ``theta`` degrees under the
    window [1 4 6 4 1]/16 × [1 4 6 4 1]/16.

    ``phase`` 0 gives a cosine (a line), 90 a sine (an edge).
    """
    checks.number("theta", theta)
    checks.number("phase", phase)
    across = torch.arange(-2, 3, dtype=torch.float64, device="cpu")
    y, x = -across.unsqueeze(1), across.unsqueeze(0)  # y points up, rows point down
    angle = math.radians(theta)
    # from a line along theta through the middle
    distance = y * math.cos(angle) - x * math.sin(angle)
    taps = torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64, device="cpu") / 16
    stripes = torch.cos(math.pi / 2 * distance - math.radians(phase))
    return (torch.outer(taps, taps) * stripes).to(dtype)


def fade_border(image: Tensor, width: int = 3) -> Tensor:
    """Turn down the ``width`` pixels next to each border, evenly, (h, w).

    The outermost row is multiplied by 1/(width + 1), the next by 2/(width + 1), and
    so on; a corner is turned down twice. A side shorter than 2 · width has a width
    of half of it.
    """
    width = min(width, min(image.shape) // 2)
    for dim, size in enumerate(image.shape):
        place = torch.arange(size, device=image.device)
        steps = torch.minimum(place, size - 1 - place) + 1
        factor = (steps / (width + 1)).clamp(max=1).to(image.dtype)
        image = image * (factor.unsqueeze(1) if dim == 0 else factor)
    return image


def orientation(image: Tensor, theta: float) -> Tensor:
    """How much of each place runs along ``theta`` degrees, at this scale's size of
    detail, (h, w): √(cosine Gabor² + sine Gabor²) of what smoothing takes away.
    """
    checks.floating("image", image)
    checks.dimensions("image", image, ("h", "w"))
    detail = image - smooth(image)
    padded = F.pad(detail[None, None], (2, 2, 2, 2), mode="replicate")
    filters = torch.stack(
        [gabor(theta, phase, image.dtype) for phase in (0, 90)]
    ).to(image.device)
    answers = F.conv2d(padded, filters.unsqueeze(1))[0]  # (2, h, w)
    return fade_border(answers.square().sum(dim=0).sqrt())


def motion(image: Tensor, previous: Tensor, direction: str) -> Tensor:
    """How much each place moves by about a pixel a frame in ``direction``: a
    Reichardt detector, (h, w).

    With S the picture shifted by one pixel in that direction, the detector is I_t ·
    S_{t−1} − I_{t−1} · S_t, and 0 where that is negative, which is motion the other
    way.

    Parameters
    ----------
    image, previous : (h, w), floating
        Two frames.
    direction : "right", "up", "left" or "down"
    """
    checks.floating("image", image)
    checks.same_shape("previous", previous, "image", image)
    checks.one_of("direction", direction, tuple(DIRECTIONS))
    rows, columns = DIRECTIONS[direction]
    shifted = []
    for frame in (image, previous):
        padded = F.pad(frame[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
        h, w = frame.shape
        shifted.append(
            padded[1 - rows : 1 - rows + h, 1 - columns : 1 - columns + w]
        )
    return (image * shifted[1] - previous * shifted[0]).clamp(min=0)


def local_maxima(scaled: Tensor) -> Tensor:
    """True at the peaks of a map: above 1/10, larger than the neighbours before,
    not below those after.

    Parameters
    ----------
    scaled : (h, w), from 0 to 1

    Returns
    -------
    (h, w), bool
        A flat top counts once, at its first pixel in reading order.
    """
    h, w = scaled.shape
    peak = scaled > LOWEST_MAXIMUM
    scaled = (scaled * STEPS).round()
    padded = F.pad(scaled[None, None], (1, 1, 1, 1), value=-torch.inf)[0, 0]
    for row in (0, 1, 2):
        for column in (0, 1, 2):
            neighbour = padded[row : row + h, column : column + w]
            if (row, column) < (1, 1):
                peak = peak & (scaled > neighbour)
            elif (row, column) > (1, 1):
                peak = peak & (scaled >= neighbour)
    return peak


def normalise_map(feature_map: Tensor) -> Tensor:
    """N(·): keep a map with one outstanding peak, quieten a map with many alike.

    The map is brought to [0, 1] and multiplied by (1 − m̄)², m̄ the mean of all its
    local maxima *other* than the largest (0 if there is no other).

    Parameters
    ----------
    feature_map : (h, w), floating

    Returns
    -------
    (h, w)
        From 0 to (1 − m̄)².
    """
    checks.floating("feature_map", feature_map)
    checks.dimensions("feature_map", feature_map, ("h", "w"))
    low, high = feature_map.min(), feature_map.max()
    if high - low < SMALLEST_RANGE:
        return torch.zeros_like(feature_map)
    scaled = (feature_map - low) / (high - low)
    peaks = scaled[local_maxima(scaled)]
    others = len(peaks) - 1
    mean_of_others = (peaks.sum() - 1) / others if others > 0 else 0.0
    return scaled * (1 - mean_of_others) ** 2


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Each pixel becomes the mean of all, weighted by a Gaussian of their distance.

    At the border the Gaussian is cut off, and its weights still add up to 1: along
    each dimension they are the softmax of −distance² / (2 sigma²).

    Parameters
    ----------
    image : (h, w), floating
    sigma : float
        In pixels.

    Returns
    -------
    (h, w)
    """
    checks.floating("image", image)
    checks.dimensions("image", image, ("h", "w"))
    checks.positive_number("sigma", sigma)
    for dim, size in enumerate(image.shape):
        place = torch.arange(size, dtype=image.dtype, device=image.device)
        distance = place.unsqueeze(1) - place
        weights = torch.softmax(-(distance**2) / (2 * sigma**2), dim=1)
        image = weights @ image if dim == 0 else image @ weights.T
    return image


def compete(feature_map: Tensor, rounds: int = 10) -> Tensor:
    """The iterative N(·): a neighbourhood excites, a wide surround inhibits.

    The map is brought to [0, 1]. Then each round makes of it

    max(0, M + M ∗ DoG − 0.02 max M),  DoG = 0.5² G(σ_ex) − 1.5² G(σ_inh),

    G Gaussians whose weights add up to 1, σ_ex 2 % and σ_inh 25 % of the longer
    side. Itti & Koch 2000, https://doi.org/10.1016/S0042-6989(99)00163-7; form and
    constants as in the programs of the authors' groups (iNVT's
    ``maxNormalizeFancy``, SaliencyToolbox's ``maxNormalizeIterative``); there a
    Gaussian ends after half of the shorter side, here it reaches the whole map.

    Parameters
    ----------
    feature_map : (h, w), floating
    rounds : int

    Returns
    -------
    (h, w)
        At least 0; a peak that stands alone grows above 1.
    """
    checks.floating("feature_map", feature_map)
    checks.dimensions("feature_map", feature_map, ("h", "w"))
    checks.whole_number("rounds", rounds, least=0)
    low, high = feature_map.min(), feature_map.max()
    if high - low < SMALLEST_RANGE:
        return torch.zeros_like(feature_map)
    active = (feature_map - low) / (high - low)
    side = max(active.shape)
    for _ in range(rounds):
        excitation = 0.5**2 * gaussian_blur(active, 0.02 * side)
        inhibition = 1.5**2 * gaussian_blur(active, 0.25 * side)
        active = active + excitation - inhibition - 0.02 * active.max()
        active = active.clamp(min=0)
    return active


def feature_pyramids(
    image: Tensor, previous: Tensor | None, finest: int, levels: int
) -> dict[str, dict[str, dict[int, Tensor]]]:
    """Each channel's features, each at the scales ``finest`` to ``levels − 1``.

    Returns {"intensity": {"intensity": {2: (h_2, w_2), …}}, "colour": {"red-green":
    …, "blue-yellow": …}, …}.
    """
    wanted = range(finest, levels)
    intensity, red_green, blue_yellow = intensity_and_colours(image)
    scales = pyramid(intensity, levels)
    reds, blues = pyramid(red_green, levels), pyramid(blue_yellow, levels)
    channels = {
        "intensity": {"intensity": {i: scales[i] for i in wanted}},
        "colour": {
            "red-green": {i: reds[i] for i in wanted},
            "blue-yellow": {i: blues[i] for i in wanted},
        },
        "orientation": {
            f"{theta}°": {i: orientation(scales[i], theta) for i in wanted}
            for theta in ORIENTATIONS
        },
    }
    if previous is not None:
        earlier = pyramid(previous.mean(dim=-1), levels)
        channels["flicker"] = {
            "flicker": {i: (scales[i] - earlier[i]).abs() for i in wanted}
        }
        channels["motion"] = {
            name: {i: motion(scales[i], earlier[i], name) for i in wanted}
            for name in DIRECTIONS
        }
    return channels


def itti_koch(
    image: Tensor,
    *,
    centres: Sequence[int] = (2, 3, 4),
    deltas: Sequence[int] = (3, 4),
    gains: Sequence[float] | None = None,
    feature_gains: Mapping[str, float] | None = None,
    top_down: Tensor | None = None,
    previous: Tensor | None = None,
) -> Saliency:
    """The saliency map of a picture, by the model of Itti, Koch & Niebur 1998.

    Feature maps compare centre scales c with surround scales s = c + δ: 6 for
    intensity, 12 for colour, 24 for orientation. N(·) acts on each; maps of one
    channel are added at the largest centre scale (orientation: for each angle
    first, then N(·) again); N(·) acts on the channels; their mean is the saliency.

    Parameters
    ----------
    image : (h, w, 3), floating, from 0 to 1
        Red, green, blue.
    centres, deltas : sequences of int
        c and δ. A small picture needs smaller centres: at 96 × 128 pixels (0, 1, 2)
        serves.
    gains : sequence of float, optional
        One for each channel, in the order intensity, colour, orientation (,
        flicker, motion); all 1 if left out. Top-down attention may turn a channel
        up or down.
    feature_gains : mapping, optional
        Gains of single features, as {"red-green": 3.0, "45°": 0.0}; 1 for those not
        named.
    top_down : (h, w), optional
        Multiplied into the saliency at the picture's size; ``colour_match`` makes
        one.
    previous : (h, w, 3), optional
        The frame before, for the channels flicker and motion: 30 maps more.

    Raises
    ------
    TypeError, ValueError
        If an argument is no tensor, or sizes, scales or gains do not fit.
    """
    checks.picture("image", image)
    checks.scale_choice(centres, deltas)
    checks.saliency_extras(image, gains, feature_gains, top_down, previous)
    goal = max(centres)
    channels = feature_pyramids(
        image, previous, min(centres), goal + max(deltas) + 1
    )
    gains = [1.0] * len(channels) if gains is None else gains
    feature_gains = feature_gains or {}
    maps, conspicuity = {}, {}
    for channel, features in channels.items():
        total = image.new_zeros(())
        for feature, scales in features.items():
            added = image.new_zeros(())
            for c in centres:
                for s in (c + delta for delta in deltas):
                    contrast = centre_surround(scales, c, s)
                    maps[f"{feature} {c}-{s}"] = contrast
                    # to scale ``goal``
                    at_goal = pyramid(normalise_map(contrast), goal - c + 1)[-1]
                    added = added + at_goal
            if channel in ("orientation", "motion"):
                # angles compete with each other, colours do not
                added = normalise_map(added)
            total = total + feature_gains.get(feature, 1.0) * added
        conspicuity[channel] = total
    parts = [
        gain * normalise_map(part)
        for gain, part in zip(gains, conspicuity.values(), strict=True)
    ]
    coarse = sum(parts, image.new_zeros(())) / len(parts)
    saliency = enlarge(coarse, image.shape[:2], goal)
    if top_down is not None:
        saliency = saliency * top_down
    return Saliency(saliency, coarse, conspicuity, maps)


def colour_match(
    image: Tensor, colour: Sequence[float], width: float = 0.2
) -> Tensor:
    """How like ``colour`` each pixel is, (h, w), from 0 to 1: exp(−‖pixel −
    colour‖² / (2 width²)).

    What somebody who looks for a colour knows in advance; ``itti_koch(image,
    top_down=1 + 4 * colour_match(image, (0.8, 0.1, 0.1)))`` looks for red.
    """
    checks.picture("image", image)
    checks.positive_number("width", width)
    target = torch.as_tensor(colour, dtype=image.dtype, device=image.device)
    return torch.exp(-(image - target).square().sum(dim=-1) / (2 * width**2))


def winner_take_all(
    saliency: Tensor,
    n_fixations: int,
    radius: float | None = None,
    decay: float = 1.0,
) -> Tensor:
    """The scanpath: look at the most salient place, inhibit it, look at the next.

    An inhibition map starts at 0. Each look goes to the largest saliency · (1 −
    inhibition), the first in reading order among equals. Then inhibition is
    multiplied by ``decay``, and set to 1 within ``radius``.

    Parameters
    ----------
    saliency : (h, w), floating, at least 0
    n_fixations : int
    radius : float, optional
        Of the inhibited disc, in pixels; 1/6 of the shorter side if left out, as in
        the paper.
    decay : float, from 0 to 1
        What is left of inhibition after each further look: 1 for ever, 0 only the
        last place is inhibited.

    Returns
    -------
    (n, 2), int64
        Row and column of each look. n is smaller than ``n_fixations`` only if
        nothing salient is left.
    """
    checks.scanpath_inputs(saliency, n_fixations, radius, decay)
    h, w = saliency.shape
    radius = min(h, w) / 6 if radius is None else radius
    rows = torch.arange(h, device=saliency.device).unsqueeze(1)
    columns = torch.arange(w, device=saliency.device).unsqueeze(0)
    inhibition = torch.zeros_like(saliency)
    path = []
    for _ in range(n_fixations):
        remaining = saliency * (1 - inhibition)
        winner = int(remaining.argmax())
        row, column = winner // w, winner % w
        if remaining[row, column] <= 0:
            break
        path.append((row, column))
        inside = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        inhibition = torch.where(
            inside, torch.ones_like(inhibition), inhibition * decay
        )
    return torch.tensor(path, dtype=torch.int64).reshape(-1, 2)
