"""Does the saliency map of Itti, Koch & Niebur say where people look? OSIE's photographs and fixations.

Beside the model stand what could win: a Gaussian in the middle of the picture, the product of the two, and
people themselves, one viewer held out and foretold by the others. AUC, shuffled AUC and NSS for each, as
mean, standard deviation over the photographs and a 95 % bootstrap interval of the mean. Only the bootstrap
is random, so one seed says it all.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from attnbook.data.corpora import osie
from attnbook.extras import needs
from attnbook.nn import saliency as model
from attnbook.vision.metrics import auc, centred_gaussian, fixation_map, nss, shuffled_auc

with needs("vision"):
    from skimage.io import imread

ABOUT = "Itti-Koch saliency, a centred Gaussian, their product and other viewers against OSIE's eye fixations"
STEP = 4  # maps are compared at a quarter of the photographs' size, still finer than the model's own grid
PAIRS = (("product", "Gaussian"), ("Itti-Koch", "Gaussian"), ("14 other viewers", "product"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run saliency``."""
    parser.add_argument("--photos", type=int, default=None, metavar="N", help="only the first N photographs")
    parser.add_argument("--resamples", type=int, default=10_000, metavar="N", help="of the bootstrap")
    parser.add_argument(
        "--maps",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="measure another model's maps beside ours: grey pictures with the photographs' names, as PNG",
    )


def result_name(options: argparse.Namespace) -> str:
    """Where the results go: maps of another model get a file of their own."""
    return f"saliency_{options.maps.name}" if options.maps else "saliency"


def run_seed(options: argparse.Namespace, seed: int, device) -> dict[str, Any]:
    """Every map on every photograph; then mean, spread and interval over the photographs."""
    everything = osie.everything()
    photographs = [viewed for viewed in everything if viewed.path is not None][: options.photos]
    rows = []
    for viewed in tqdm(photographs, desc="photographs", unit="photo"):
        others = [other.fixations for other in everything if other.name != viewed.name]
        rows.append(measure(viewed, torch.cat(others) // STEP, options.maps))
    return {
        **summarise(rows, options.resamples, seed),
        "photographs": len(rows),
        "fixations": sum(len(viewed.fixations) for viewed in photographs),
        "by photograph": {
            metric: {name: [round(row[metric][name], 4) for row in rows] for name in rows[0][metric]}
            for metric in rows[0]
        },
    }


def candidate_maps(viewed: osie.Viewed, folder: Path | None = None) -> dict[str, Tensor]:
    """The maps to compare on one photograph, (150, 200) each."""
    found = model.itti_koch(viewed.image())
    here = found.saliency[::STEP, ::STEP].double()
    gaussian = centred_gaussian(*here.shape)
    maps = {"Itti-Koch": here, "Gaussian": gaussian, "product": here * gaussian}
    for channel, conspicuity in found.conspicuity.items():
        alone = model.enlarge(model.normalise_map(conspicuity), found.saliency.shape, 4)
        maps[f"only {channel}"] = alone[::STEP, ::STEP].double()
    maps["without N"] = plain_sum(found)[::STEP, ::STEP].double()
    if folder is not None:
        path = folder / f"{Path(viewed.name).stem}.png"
        maps[folder.name] = torch.from_numpy(imread(path, as_gray=True))[::STEP, ::STEP].double()
        maps[f"{folder.name} product"] = maps[folder.name] * gaussian
    return maps


def plain_sum(found: model.Saliency) -> Tensor:
    """The saliency map without N(·): each feature map by its largest value, all added, a channel a third."""
    goal = max(int(name.split()[1].split("-")[0]) for name in found.maps)
    sums: dict[str, list[Tensor]] = {}
    for name, contrast in found.maps.items():
        feature, scales = name.split()
        channel = {"intensity": "intensity"}.get(feature, "colour" if "-" in feature else "orientation")
        steps = goal - int(scales.split("-")[0])
        scaled = contrast / contrast.max().clamp(min=model.SMALLEST_RANGE)
        sums.setdefault(channel, []).append(model.pyramid(scaled, steps + 1)[-1])
    coarse = sum(sum(maps) / len(maps) for maps in sums.values()) / len(sums)
    return model.enlarge(coarse, found.saliency.shape, goal)


def measure(
    viewed: osie.Viewed, elsewhere: Tensor, folder: Path | None = None
) -> dict[str, dict[str, float]]:
    """AUC, shuffled AUC and NSS of each map on one photograph: {"auc": {"Itti-Koch": …}, …}."""
    maps = candidate_maps(viewed, folder)
    h, w = maps["Gaussian"].shape
    viewers = [fixations // STEP for fixations in viewed.viewers if len(fixations)]
    together = torch.cat(viewers)
    later = torch.cat([fixations[1:] for fixations in viewers])
    result = {
        "auc": {name: auc(each, together) for name, each in maps.items()},
        "shuffled auc": {name: shuffled_auc(each, together, elsewhere) for name, each in maps.items()},
        "nss": {name: nss(each, together) for name, each in maps.items()},
        "auc, first fixation left out": {name: auc(maps[name], later) for name in ("Itti-Koch", "Gaussian")},
    }
    held = {"auc": [], "shuffled auc": [], "nss": []}
    single = {"auc": [], "shuffled auc": [], "nss": []}
    for number, fixations in enumerate(viewers):
        rest = torch.cat([other for i, other in enumerate(viewers) if i != number])
        neighbour = viewers[(number + 1) % len(viewers)]
        for kept, seen in ((held, rest), (single, neighbour)):
            foretold = fixation_map(seen, h, w, osie.DEGREE / STEP)
            kept["auc"].append(auc(foretold, fixations))
            kept["shuffled auc"].append(shuffled_auc(foretold, fixations, elsewhere))
            kept["nss"].append(nss(foretold, fixations))
    for metric in held:
        result[metric]["14 other viewers"] = float(np.mean(held[metric]))
        result[metric]["1 other viewer"] = float(np.mean(single[metric]))
    return result


def summarise(rows: list[dict[str, dict[str, float]]], resamples: int, seed: int) -> dict[str, Any]:
    """Mean, standard deviation over photographs, and the bootstrap's 95 % interval of the mean.

    Differences are taken photograph by photograph before they are resampled.
    """
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(rows), size=(resamples, len(rows)))
    summary: dict[str, Any] = {}
    for metric in rows[0]:
        columns = {name: np.array([row[metric][name] for row in rows]) for name in rows[0][metric]}
        for first, second in PAIRS:
            if first in columns and second in columns:
                columns[f"{first} less {second}"] = columns[first] - columns[second]
        summary[metric] = {}
        for name, values in columns.items():
            low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
            summary[metric][name] = {
                "mean": float(values.mean()),
                "std over photographs": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
                "interval": [float(low), float(high)],
            }
    return summary
