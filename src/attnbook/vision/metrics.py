"""How well does a map say where people look: AUC, shuffled AUC and NSS, with the baselines to beat.

Definitions as in Bylinskii et al. 2019, "What do different evaluation metrics tell us about saliency
models?", https://arxiv.org/abs/1604.03605.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def auc(saliency: Tensor, fixations: Tensor) -> float:
    """Chance that a fixated pixel has a larger value than a pixel drawn anywhere in the map; ties count half.

    The area under the ROC curve, 0.5 for a map that knows nothing. A fixation that several people share
    counts several times; the other side is every pixel of the map.

    Parameters
    ----------
    saliency : (h, w)
    fixations : (n, 2), int64
        Row and column.

    Raises
    ------
    ValueError
        If there is no fixation, one lies outside the map, or the map holds NaN.
    """
    return _larger(_values(saliency, fixations), saliency.flatten())


def shuffled_auc(saliency: Tensor, fixations: Tensor, elsewhere: Tensor) -> float:
    """Chance that a fixated pixel has a larger value than one where people looked *in other pictures*.

    People look at the middle of any picture, so the other side holds the middle as often. What is left is
    what the map knows of this picture; a centred Gaussian gets about 0.5.

    Parameters
    ----------
    saliency : (h, w)
    fixations : (n, 2), int64
    elsewhere : (m, 2), int64
        Fixations made on other pictures of the same size.
    """
    return _larger(_values(saliency, fixations), _values(saliency, elsewhere, "elsewhere"))


def nss(saliency: Tensor, fixations: Tensor) -> float:
    """Normalised scanpath saliency: the map's mean at the fixations, in standard deviations from its mean.

    0 for a map that knows nothing; 1 says that people look one standard deviation above the average place.

    Raises
    ------
    ValueError
        If the map is the same everywhere, or as for ``auc``.
    """
    values = _values(saliency, fixations).double()
    spread = saliency.double().std(correction=0)
    if spread == 0:
        raise ValueError("saliency: expected a map that varies, got the same number everywhere")
    return float((values.mean() - saliency.double().mean()) / spread)


def centred_gaussian(h: int, w: int, share: float = 0.25) -> Tensor:
    """What a photographer knows without the photograph: a Gaussian around the middle, (h, w), largest 1.

    ``share`` is its standard deviation as a share of each side.
    """
    if min(h, w) < 1 or not share > 0:
        raise ValueError(f"h, w, share: expected sizes of at least 1 and a share above 0, got {h, w, share}")
    rows = (torch.arange(h, dtype=torch.float64) - (h - 1) / 2) / (share * h)
    columns = (torch.arange(w, dtype=torch.float64) - (w - 1) / 2) / (share * w)
    return torch.exp(-(rows.unsqueeze(1) ** 2 + columns**2) / 2)


def fixation_map(fixations: Tensor, h: int, w: int, sigma: float) -> Tensor:
    """Each fixation as a Gaussian of ``sigma`` pixels, added up, (h, w): what other viewers foretell."""
    counts = torch.zeros(h, w, dtype=torch.float64)
    if len(fixations):
        _inside(counts, fixations, "fixations")
        ones = torch.ones(len(fixations), dtype=torch.float64)
        counts.index_put_((fixations[:, 0], fixations[:, 1]), ones, accumulate=True)
    reach = int(4 * sigma)
    bell = torch.exp(-(torch.arange(-reach, reach + 1, dtype=torch.float64) ** 2) / (2 * sigma**2))
    smooth = F.conv2d(counts[None, None], bell.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(smooth, bell.view(1, 1, 1, -1), padding=(0, reach))[0, 0]


def _larger(first: Tensor, second: Tensor) -> float:
    """Share of pairs in which the first is larger, ties as half."""
    ordered = second.sort().values
    below = torch.searchsorted(ordered, first, right=False)
    not_above = torch.searchsorted(ordered, first, right=True)
    return float((below + not_above).double().mean() / (2 * len(ordered)))


def _values(saliency: Tensor, fixations: Tensor, name: str = "fixations") -> Tensor:
    if bool(saliency.isnan().any()):
        raise ValueError("saliency: expected numbers, got NaN; look for a division by zero in the map")
    _inside(saliency, fixations, name)
    return saliency[fixations[:, 0], fixations[:, 1]]


def _inside(saliency: Tensor, fixations: Tensor, name: str) -> None:
    if fixations.dim() != 2 or fixations.shape[-1] != 2 or len(fixations) == 0:
        raise ValueError(
            f"{name}: expected shape (n, 2), rows and columns, n ≥ 1, got {tuple(fixations.shape)}"
        )
    if fixations.dtype not in (torch.int32, torch.int64):
        raise ValueError(f"{name}: expected whole numbers, got {fixations.dtype}; round them with .long()")
    size = torch.tensor(saliency.shape, device=fixations.device)
    if not bool(((fixations >= 0) & (fixations < size)).all()):
        raise ValueError(
            f"{name}: expected places inside the map of {tuple(saliency.shape)}, got some outside; "
            "are rows and columns exchanged?"
        )
