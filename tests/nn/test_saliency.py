"""The saliency map against a NumPy version written from the paper, and what it has to do on made pictures."""

import math

import numpy as np
import pytest
import torch

from attnbook.nn import saliency as model


def blur_and_halve(image):
    taps = np.array([1, 4, 6, 4, 1]) / 16
    h, w = image.shape
    result = np.zeros(((h + 1) // 2, (w + 1) // 2))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            for a, left in enumerate(taps):
                for b, right in enumerate(taps):
                    row = min(max(2 * i + a - 2, 0), h - 1)
                    column = min(max(2 * j + b - 2, 0), w - 1)
                    result[i, j] += left * right * image[row, column]
    return result


def bring(coarse, shape, steps):
    result = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            y, x = min(i / 2**steps, coarse.shape[0] - 1), min(j / 2**steps, coarse.shape[1] - 1)
            r, c = int(y), int(x)
            below, right = min(r + 1, coarse.shape[0] - 1), min(c + 1, coarse.shape[1] - 1)
            up = coarse[r, c] * (1 - (x - c)) + coarse[r, right] * (x - c)
            down = coarse[below, c] * (1 - (x - c)) + coarse[below, right] * (x - c)
            result[i, j] = up * (1 - (y - r)) + down * (y - r)
    return result


def gabor_response(image, theta):
    """Greenspan's way round: modulate the whole band-passed picture, then smooth it."""
    h, w = image.shape
    taps = np.array([1, 4, 6, 4, 1]) / 16

    def smooth(picture):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(picture, 2, mode="edge"), (5, 5))
        return (windows * np.outer(taps, taps)).sum(axis=(2, 3))

    band = np.pad(image - smooth(image), 2, mode="edge")
    angle = math.radians(theta)
    rows, columns = np.mgrid[-2 : h + 2, -2 : w + 2]
    turned = band * np.exp(1j * math.pi / 2 * (-rows * math.cos(angle) - columns * math.sin(angle)))
    windows = np.lib.stride_tricks.sliding_window_view(turned, (5, 5))
    energy = np.abs((windows * np.outer(taps, taps)).sum(axis=(2, 3)))
    width = min(3, h // 2, w // 2)
    for i in range(h):
        for j in range(w):
            for edge in (min(i, h - 1 - i), min(j, w - 1 - j)):
                energy[i, j] *= min(1, (edge + 1) / (width + 1))
    return energy


def n_of(image):
    low, high = image.min(), image.max()
    if high - low < 1e-5:
        return np.zeros_like(image)
    scaled = (image - low) / (high - low)
    peaks = []
    h, w = scaled.shape
    stepped = np.round(scaled * 65536)
    for i in range(h):
        for j in range(w):
            value = stepped[i, j]
            others = [
                (stepped[a, b], (a, b) < (i, j))
                for a in range(max(i - 1, 0), min(i + 2, h))
                for b in range(max(j - 1, 0), min(j + 2, w))
                if (a, b) != (i, j)
            ]
            if scaled[i, j] > 0.1 and all(
                value > other if before else value >= other for other, before in others
            ):
                peaks.append(scaled[i, j])
    rest = sorted(peaks)[:-1]
    return scaled * (1 - (np.mean(rest) if rest else 0.0)) ** 2


def by_the_paper(image, centres, deltas):
    """Saliency at the coarse scale, by plain loops."""
    intensity = image.mean(axis=2)
    bright = intensity > intensity.max() / 10
    r, g, b = (np.where(bright, image[..., k] / np.where(bright, intensity, 1), 0) for k in range(3))
    red, green = np.maximum(r - (g + b) / 2, 0), np.maximum(g - (r + b) / 2, 0)
    blue, yellow = (
        np.maximum(b - (r + g) / 2, 0),
        np.maximum((r + g) / 2 - np.abs(r - g) / 2 - b, 0),
    )
    goal, levels = max(centres), max(centres) + max(deltas) + 1

    def scales(picture):
        held = [picture]
        while len(held) < levels:
            held.append(blur_and_halve(held[-1]))
        return held

    def add(pyramid):
        total = 0
        for c in centres:
            for delta in deltas:
                contrast = n_of(np.abs(pyramid[c] - bring(pyramid[c + delta], pyramid[c].shape, delta)))
                for _ in range(goal - c):
                    contrast = blur_and_halve(contrast)
                total = total + contrast
        return total

    light = scales(intensity)
    colour = add(scales(red - green)) + add(scales(blue - yellow))
    angles = sum(n_of(add([gabor_response(s, theta) for s in light])) for theta in (0, 45, 90, 135))
    return (n_of(add(light)) + n_of(colour) + n_of(angles)) / 3


@pytest.mark.parametrize(("centres", "deltas"), [((0, 1, 2), (3, 4)), ((1, 2), (2, 3))])
def test_equals_loops_written_from_the_paper(centres, deltas):
    image = torch.rand(29, 38, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours = model.itti_koch(image, centres=centres, deltas=deltas)
    np.testing.assert_allclose(ours.coarse.numpy(), by_the_paper(image.numpy(), centres, deltas), atol=1e-12)


def test_forty_two_maps_and_seventy_two_with_a_frame_before():
    image = torch.rand(40, 56, 3, generator=torch.Generator().manual_seed(0))
    found = model.itti_koch(image)
    assert len(found.maps) == 42
    assert found.saliency.shape == (40, 56)
    assert list(found.conspicuity) == ["intensity", "colour", "orientation"]
    moving = model.itti_koch(image, previous=image.roll(1, 1))
    assert len(moving.maps) == 72
    assert list(moving.conspicuity)[3:] == ["flicker", "motion"]


def test_an_even_wall_of_any_colour_is_not_salient():
    for colour in ((0.8, 0.1, 0.1), (0.2, 0.2, 0.2), (0.0, 0.0, 0.0), (1.0, 1.0, 0.0)):
        wall = torch.tensor(colour).expand(64, 80, 3)
        assert model.itti_koch(wall).saliency.max() == 0


def test_an_odd_spot_wins_wherever_it_stands():
    generator = torch.Generator().manual_seed(3)
    for _ in range(5):
        row, column = torch.randint(16, 80, (2,), generator=generator).tolist()
        wall = torch.tensor([0.7, 0.2, 0.2]).repeat(96, 96, 1)
        wall[row - 4 : row + 4, column - 4 : column + 4] = torch.tensor([0.2, 0.6, 0.2])
        first = model.winner_take_all(model.itti_koch(wall, centres=(0, 1, 2)).saliency, 1)[0]
        assert abs(int(first[0]) - row) <= 6
        assert abs(int(first[1]) - column) <= 6


def test_pixel_j_of_the_fine_grid_reads_the_coarse_map_at_j_over_two_to_the_k():
    ramp = torch.arange(6.0).repeat(4, 1)
    torch.testing.assert_close(
        model.enlarge(ramp, (4, 17), 2)[0], (torch.arange(17) / 4).clamp(max=5.0), atol=0, rtol=0
    )
    # Halving an upright ramp and bringing it back shifts nothing, away from the edges.
    fine = torch.arange(33.0).repeat(33, 1)
    back = model.enlarge(model.halve(fine), (33, 33), 1)
    torch.testing.assert_close(back[:, 2:-4], fine[:, 2:-4])


def test_each_angle_prefers_its_own_line():
    for theta in model.ORIENTATIONS:
        image = torch.zeros(41, 41)
        for step in torch.linspace(-25, 25, 400).tolist():
            row = round(20 - step * math.sin(math.radians(theta)))
            column = round(20 + step * math.cos(math.radians(theta)))
            if 0 <= row < 41 and 0 <= column < 41:
                image[row, column] = 1
        answers = {other: model.orientation(image, other)[20, 20].item() for other in model.ORIENTATIONS}
        assert max(answers, key=answers.get) == theta


def test_an_even_ramp_of_light_has_no_orientation():
    ramp = torch.linspace(0, 1, 512).repeat(512, 1)
    for scale, image in enumerate(model.pyramid(ramp, 6)):
        inner = model.orientation(image, 90)[4:-4, 4:-4]
        assert inner.max() < 1e-3, f"scale {scale}"
    step = (torch.arange(64) >= 32).float().repeat(64, 1)
    assert model.orientation(step, 90)[32].max() > 0.1


def test_the_border_is_turned_down_evenly_and_a_corner_twice():
    faded = model.fade_border(torch.ones(9, 12))
    assert faded[4].tolist() == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert faded[0, 0] == 0.0625
    assert model.fade_border(torch.ones(1, 1)).tolist() == [[1.0]]
    assert model.fade_border(torch.ones(3, 2)).min() > 0


def test_motion_answers_to_its_direction_alone():
    before = (torch.rand(40, 40, generator=torch.Generator().manual_seed(0)) < 0.05).float()
    for name, step in model.DIRECTIONS.items():
        after = before.roll(step, (0, 1))
        inner = (slice(2, -2), slice(2, -2))
        answers = {
            other: model.motion(after, before, other)[inner].mean().item() for other in model.DIRECTIONS
        }
        opposite = {"right": "left", "left": "right", "up": "down", "down": "up"}[name]
        assert max(answers, key=answers.get) == name
        assert answers[opposite] < answers[name] / 3
    assert model.motion(before, before, "right").max() == 0


def test_n_keeps_one_peak_and_quietens_many():
    one, many = torch.zeros(9, 9), torch.zeros(9, 9)
    one[4, 4] = 7.0
    many[1::3, 1::3] = 7.0
    assert model.normalise_map(one).max() == 1
    assert model.normalise_map(many).max() == 0
    assert model.local_maxima(many / 7).sum() == 9
    mixed = torch.zeros(9, 9)
    mixed[1, 1], mixed[1, 7], mixed[7, 4] = 1.0, 0.2, 0.4
    torch.testing.assert_close(model.normalise_map(mixed).max(), torch.tensor((1 - 0.3) ** 2))
    assert model.normalise_map(torch.full((5, 5), 3.0)).max() == 0


def test_one_round_of_competition_by_hand():
    """A spike in five places: σ_inh = 1.25, σ_ex = 0.1 reaches no neighbour."""
    spike = torch.tensor([[0.0, 0.0, 3.0, 0.0, 0.0]])
    # e^(−1/3.125) = 0.7261 and e^(−4/3.125) = 0.2780, so that 1 / (1 + 2 · 0.7261 + 2 · 0.2780) = 0.3324 of
    # the wide Gaussian lies on the spike: 1 + 0.25 − 2.25 · 0.3324 − 0.02 = 0.4821 of it is left.
    after = model.compete(spike, rounds=1)
    torch.testing.assert_close(after, torch.tensor([[0.0, 0.0, 0.4821, 0.0, 0.0]]), atol=1e-4, rtol=0)
    # every term is proportional to the map, so a second round leaves the same share again
    torch.testing.assert_close(
        model.compete(spike, rounds=2).max(), torch.tensor(0.4821**2), atol=1e-4, rtol=0
    )


def competition_by_loops(image, rounds):
    """Sums over all pairs of places, from the formula."""
    h, w = image.shape
    image = (image - image.min()) / (image.max() - image.min())
    for _ in range(rounds):
        after = np.zeros_like(image)
        for i, j in np.ndindex(h, w):
            total = image[i, j] - 0.02 * image.max()
            for strength, part in ((0.5**2, 0.02), (-(1.5**2), 0.25)):
                sigma = part * max(h, w)
                weight = np.array(
                    [
                        [np.exp(-((i - y) ** 2 + (j - x) ** 2) / (2 * sigma**2)) for x in range(w)]
                        for y in range(h)
                    ]
                )
                total += strength * (weight * image).sum() / weight.sum()
            after[i, j] = max(total, 0.0)
        image = after
    return image


def test_competition_equals_loops_written_from_the_formula():
    image = np.random.default_rng(0).random((9, 14))
    found = model.compete(torch.from_numpy(image), rounds=3)
    np.testing.assert_allclose(found.numpy(), competition_by_loops(image, 3), atol=1e-12)
    assert 0 < (found > 0).sum() < found.numel()


def test_competition_keeps_two_equal_peaks_that_n_silences():
    y, x = torch.meshgrid(torch.arange(49.0), torch.arange(49.0), indexing="ij")

    def peaks(*places):
        return sum(torch.exp(-((y - row) ** 2 + (x - column) ** 2) / 8) for row, column in places)

    one, two = peaks((24, 24)), peaks((24, 12), (24, 36))
    many = peaks(*((6 + 12 * i, 6 + 12 * j) for i in range(4) for j in range(4)))
    assert model.normalise_map(two).max() < 1e-6
    left = model.compete(two)
    assert left[24, 12] > 1
    torch.testing.assert_close(left[24, 12], left[24, 36])
    assert model.compete(one).max() > left.max() > model.compete(many).max() > 0
    assert model.compete(torch.full((5, 5), 3.0)).max() == 0
    torch.testing.assert_close(
        model.compete(5 * one + 2, rounds=0), (one - one.min()) / (one.max() - one.min())
    )


def test_a_flat_top_counts_once():
    flat = torch.zeros(7, 7)
    flat[2:5, 3:6] = 1.0
    assert model.local_maxima(flat).sum() == 1


def test_gains_turn_channels_features_and_places_up():
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(2))
    plain = model.itti_koch(image, centres=(0, 1, 2))
    parts = [
        model.itti_koch(image, centres=(0, 1, 2), gains=gains).coarse
        for gains in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    torch.testing.assert_close(sum(parts), plain.coarse)
    doubled = model.itti_koch(image, centres=(0, 1, 2), gains=(2, 2, 2))
    torch.testing.assert_close(doubled.coarse, 2 * plain.coarse)
    colours = model.itti_koch(image, centres=(0, 1, 2), feature_gains={"red-green": 0, "blue-yellow": 0})
    assert colours.conspicuity["colour"].max() == 0
    match = model.colour_match(image, (0.9, 0.1, 0.1))
    looking = model.itti_koch(image, centres=(0, 1, 2), top_down=1 + 4 * match)
    torch.testing.assert_close(looking.saliency, plain.saliency * (1 + 4 * match))


def test_colour_match_is_one_on_the_colour_itself():
    image = torch.tensor([[[0.2, 0.4, 0.6], [0.2, 0.4, 0.8]]])
    match = model.colour_match(image, (0.2, 0.4, 0.6), width=0.2)
    torch.testing.assert_close(match, torch.tensor([[1.0, math.exp(-0.5)]]))


def test_the_scanpath_inhibits_and_recovers():
    five = torch.tensor([[0.2, 1.0, 0.1, 0.8, 0.3]])

    def path(**options):
        return model.winner_take_all(five, 5, radius=0.5, **options)[:, 1].tolist()

    assert path() == [1, 3, 4, 0, 2]
    assert path(decay=0.0) == [1, 3, 1, 3, 1]
    assert path(decay=0.8) == [1, 3, 4, 1, 3]
    assert model.winner_take_all(torch.zeros(4, 4), 3).shape == (0, 2)
    assert len(model.winner_take_all(five, 9, radius=0.5)) == 5


def test_looks_are_further_apart_than_the_radius():
    saliency = torch.rand(40, 50, generator=torch.Generator().manual_seed(0))
    path = model.winner_take_all(saliency, 6, radius=9.0).double()
    apart = torch.cdist(path, path) + 100 * torch.eye(6)
    assert apart.min() > 9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model.itti_koch(torch.rand(3, 20, 20)), r"image: expected shape \(h, w, 3\).*permute"),
        (lambda: model.itti_koch(torch.rand(20, 20, 3) * 255), r"image: expected numbers from 0 to 1.*255"),
        (lambda: model.itti_koch(torch.rand(20, 20, 3) * torch.nan), r"image: expected numbers from 0 to 1"),
        (lambda: model.itti_koch(torch.zeros(20, 20, 3, dtype=torch.uint8)), r"image: expected floating"),
        (lambda: model.itti_koch(torch.rand(20, 20, 3), centres=()), r"centres: expected different whole"),
        (lambda: model.itti_koch(torch.rand(20, 20, 3), deltas=(0,)), r"deltas: .* at least 1, got 0"),
        (lambda: model.itti_koch(torch.rand(20, 20, 3), gains=(1, 1)), r"gains: expected 3 numbers.*got 2"),
        (
            lambda: model.itti_koch(torch.rand(20, 20, 3), feature_gains={"red": 1}),
            r"feature_gains: expected 'intensity' or 'red-green'",
        ),
        (
            lambda: model.itti_koch(torch.rand(20, 20, 3), top_down=torch.ones(20, 21)),
            r"top_down: expected shape \(20, 20\).*got \(20, 21\)",
        ),
        (
            lambda: model.itti_koch(torch.rand(20, 20, 3), previous=torch.rand(20, 22, 3)),
            r"previous: expected shape \(20, 20, 3\)",
        ),
        (lambda: model.winner_take_all(torch.rand(5, 5) - 0.5, 3), r"saliency: .* at least 0.*clamp"),
        (lambda: model.winner_take_all(torch.rand(5, 5), 0), r"n_fixations: .* at least 1, got 0"),
        (lambda: model.winner_take_all(torch.rand(5, 5), 2, decay=1.5), r"decay: .* from 0 to 1, got 1.5"),
        (
            lambda: model.centre_surround(model.pyramid(torch.rand(20, 20), 3), 1, 3),
            r"centre < surround.*scales 0 to 2",
        ),
        (lambda: model.compete(torch.rand(5, 5), rounds=-1), r"rounds: .* at least 0, got -1"),
        (lambda: model.compete(torch.rand(5)), r"feature_map: .*\(h, w\)"),
        (lambda: model.gaussian_blur(torch.rand(5, 5), 0.0), r"sigma: .*got 0"),
        (lambda: model.motion(torch.rand(5, 5), torch.rand(5, 5), "north"), r"direction: expected 'right'"),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, words):
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
