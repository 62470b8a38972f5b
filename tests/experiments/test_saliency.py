"""AUC, shuffled AUC and NSS; OSIE's reader; and `attnbook run saliency` on a set made here."""

import argparse
import json

import numpy as np
import pytest
import scipy.io
import torch
from skimage.io import imsave
from sklearn.metrics import roc_auc_score

from attnbook.data.corpora import osie
from attnbook.experiments import saliency as experiment
from attnbook.results import results
from attnbook.vision.metrics import auc, centred_gaussian, fixation_map, nss, shuffled_auc


def places(n, h, w, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randint(side, (n,), generator=generator) for side in (h, w)], dim=1)


def test_auc_equals_scikit_learn():
    saliency = (torch.rand(20, 30, generator=torch.Generator().manual_seed(0)) * 8).floor()  # many ties
    here, there = places(40, 20, 30, 1), places(300, 20, 30, 2)
    values = saliency[here[:, 0], here[:, 1]]
    for other, ours in (
        (saliency.flatten(), auc(saliency, here)),
        (saliency[there[:, 0], there[:, 1]], shuffled_auc(saliency, here, there)),
    ):
        labels = np.r_[np.ones(len(values)), np.zeros(len(other))]
        assert ours == pytest.approx(roc_auc_score(labels, torch.cat([values, other]).numpy()), abs=1e-12)


def test_auc_knows_chance_and_perfection_and_no_monotone_change_moves_it():
    fixations = torch.tensor([[2, 3], [4, 4]])
    perfect = torch.zeros(8, 9)
    perfect[2, 3] = perfect[4, 4] = 1
    assert auc(perfect, fixations) == pytest.approx(1 - 1 / 72)  # its own pixels are among all
    assert auc(torch.ones(8, 9), fixations) == 0.5
    rough = torch.rand(8, 9, generator=torch.Generator().manual_seed(1))
    assert auc(rough, fixations) == auc(rough**3 * 7 + 2, fixations)
    assert auc(-rough, fixations) == pytest.approx(1 - auc(rough, fixations))


def test_nss_in_standard_deviations():
    saliency = torch.tensor([[0.0, 0.0], [0.0, 4.0]])
    assert nss(saliency, torch.tensor([[1, 1]])) == pytest.approx(3**0.5)
    assert nss(saliency, torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])) == pytest.approx(0)
    assert nss(saliency * 9 + 5, torch.tensor([[1, 1]])) == pytest.approx(3**0.5)


def test_a_centred_gaussian_gains_by_auc_and_not_by_shuffled_auc():
    generator = torch.Generator().manual_seed(4)

    def draw(n):
        return (torch.randn(n, 2, generator=generator) * 12 + 40).round().clamp(0, 79).long()

    blob = centred_gaussian(80, 80)
    here, there = draw(400), draw(4000)
    assert auc(blob, here) > 0.75
    assert abs(shuffled_auc(blob, here, there) - 0.5) < 0.05


def test_a_fixation_map_has_its_peaks_at_the_fixations():
    made = fixation_map(torch.tensor([[10, 20], [10, 20], [30, 5]]), 40, 50, 2.0)
    assert made.argmax() == 10 * 50 + 20
    assert made[30, 5] == pytest.approx(float(made[10, 20]) / 2, rel=1e-6)
    assert made.sum() == pytest.approx(3 * 2 * np.pi * 4, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: auc(torch.rand(4, 5), torch.zeros(0, 2, dtype=torch.int64)), r"fixations: expected shape"),
        (lambda: auc(torch.rand(4, 5), torch.tensor([[4, 1]])), "are rows and columns exchanged"),
        (lambda: auc(torch.rand(4, 5), torch.rand(3, 2)), "whole numbers"),
        (lambda: auc(torch.full((4, 5), torch.nan), torch.tensor([[1, 1]])), "NaN"),
        (lambda: nss(torch.ones(4, 5), torch.tensor([[1, 1]])), "a map that varies"),
        (
            lambda: shuffled_auc(torch.rand(4, 5), torch.tensor([[1, 1]]), torch.tensor([[9, 9]])),
            "elsewhere:",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.fixture
def little_osie(tmp_path, monkeypatch):
    """Three photographs of the right size and four sets of fixations, stored as OSIE stores them."""
    generator = np.random.default_rng(0)
    (tmp_path / "stimuli").mkdir()
    records = np.zeros(4, dtype=[("img", object), ("subjects", object)])
    for i in range(4):
        spot = generator.integers(150, 450, 2)
        if i < 3:
            photo = np.full((600, 800, 3), 120, dtype=np.uint8)
            photo[spot[0] - 30 : spot[0] + 30, spot[1] - 30 : spot[1] + 30] = (220, 30, 30)
            imsave(tmp_path / "stimuli" / f"{1001 + i}.png", photo, check_contrast=False)
        viewers = np.zeros(15, dtype=object)
        for v in range(15):
            rows = spot[0] + generator.normal(0, 20, 6)
            columns = spot[1] + generator.normal(0, 20, 6)
            rows[-1] = -3.0  # outside the photograph
            viewers[v] = {"fix_x": columns, "fix_y": rows, "fix_duration": np.ones(6)}
        records[i] = (f"{1001 + i}.png", viewers)
    scipy.io.savemat(tmp_path / "fixations.mat", {"fixations": records})
    monkeypatch.setattr(osie, "fetch", lambda name: tmp_path)
    return tmp_path


def options(**changes):
    return argparse.Namespace(**{"photos": None, "resamples": 200, "maps": None, **changes})


def test_osie_is_read(little_osie):
    everything = osie.everything()
    assert [viewed.name for viewed in everything] == ["1001.png", "1002.png", "1003.png", "1004.png"]
    assert all(len(viewed.viewers) == 15 for viewed in everything)
    assert all(len(fixations) == 5 for viewed in everything for fixations in viewed.viewers)
    assert everything[3].path is None
    assert everything[0].image().shape == (600, 800, 3)
    with pytest.raises(FileNotFoundError, match="only its fixations"):
        everything[3].image()


def test_another_file_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "fixations.mat", {"other": np.ones(3)})
    with pytest.raises(ValueError, match="not OSIE's fixations"):
        osie.read(tmp_path)


def test_the_experiment_finds_what_was_put_in(little_osie):
    numbers = experiment.run_seed(options(), 0, torch.device("cpu"))
    assert numbers["photographs"] == 3
    assert numbers["fixations"] == 3 * 15 * 5
    assert numbers["auc"]["Itti-Koch"]["mean"] > 0.9  # people look at the one thing there is
    assert numbers["shuffled auc"]["14 other viewers"]["mean"] > 0.9
    low, high = numbers["auc"]["Itti-Koch"]["interval"]
    assert low <= numbers["auc"]["Itti-Koch"]["mean"] <= high
    less = numbers["auc"]["product less Gaussian"]["mean"]
    assert less == pytest.approx(numbers["auc"]["product"]["mean"] - numbers["auc"]["Gaussian"]["mean"])
    assert numbers == experiment.run_seed(options(), 0, torch.device("cpu"))
    json.dumps(numbers)


def test_maps_of_another_model_are_measured_beside_ours(little_osie, tmp_path):
    folder = tmp_path / "others"
    folder.mkdir()
    for number in (1001, 1002, 1003):
        imsave(folder / f"{number}.png", np.tile(np.arange(800) / 4, (600, 1)).astype(np.uint8))
    numbers = experiment.run_seed(options(maps=folder, photos=2), 0, torch.device("cpu"))
    assert numbers["photographs"] == 2
    assert {"others", "others product"} <= set(numbers["auc"])
    assert experiment.result_name(options(maps=folder)) == "saliency_others"
    assert experiment.result_name(options()) == "saliency"


def test_the_stored_results_say_what_the_book_says():
    stored = results("saliency")["seeds"]["0"]
    assert stored["photographs"] == 58
    means = {
        metric: {n: row["mean"] for n, row in stored[metric].items()} for metric in ("auc", "shuffled auc")
    }
    low, high = stored["auc"]["Itti-Koch less Gaussian"]["interval"]
    assert low < 0 < high  # no order by plain AUC
    assert stored["auc"]["product less Gaussian"]["interval"][0] > 0
    assert means["shuffled auc"]["Gaussian"] == pytest.approx(0.5, abs=0.03)
    assert means["shuffled auc"]["Itti-Koch"] > 0.58
    assert "/" not in results("saliency")["command"]
