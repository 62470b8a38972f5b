"""Chapter 12: its references agree with loops written from the papers; what is planted is found and named."""

import math

import nbformat
import pytest
import torch
from torch.nn.functional import conv2d, softmax

import make_exercises as generator
from attnbook.exercises import exercise, exercises
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer
from project import ROOT


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def patchify_by_slices(images, size):
    _, _, height, width = images.shape
    rows = [
        images[:, :, top : top + size, left : left + size].permute(0, 2, 3, 1).flatten(1)
        for top in range(0, height, size)
        for left in range(0, width, size)
    ]
    return torch.stack(rows, dim=1)


def embed_row_by_row(patches, class_token, positions):
    return torch.stack([torch.cat([class_token[None], picture]) + positions for picture in patches])


def gate_picture_by_picture(x, mask, W_1, b_1, W_2, b_2):
    gated, gates = [], []
    for picture, real in zip(x, mask, strict=True):
        z = picture[:, real].mean(dim=1)
        gates.append(torch.sigmoid(W_2 @ torch.relu(W_1 @ z + b_1) + b_2))
        gated.append(torch.einsum("chw,c->chw", picture, gates[-1]))
    return torch.stack(gated), torch.stack(gates)


def non_local_by_convolutions(x, W_theta, W_phi, W_g, W_z):
    def by_one(W, maps):
        return conv2d(maps, W[:, :, None, None])

    def largest(maps):
        return torch.maximum(
            torch.maximum(maps[..., ::2, ::2], maps[..., 1::2, ::2]),
            torch.maximum(maps[..., ::2, 1::2], maps[..., 1::2, 1::2]),
        )

    query, key, value = by_one(W_theta, x), largest(by_one(W_phi, x)), largest(by_one(W_g, x))
    weights = softmax(torch.einsum("bdhw,bdij->bhwij", query, key).flatten(3), dim=-1)
    found = torch.einsum("bhwn,bdn->bdhw", weights, value.flatten(2))
    return x + by_one(W_z, found), weights.flatten(1, 2)


def resized_by_hand(positions, extra, grid, new_grid):
    def matrix(old, new):
        """The share of each old place in each new one: middles are compared, edges coincide."""
        shares = torch.zeros(new, old)
        for place in range(new):
            where = min(max((place + 0.5) * old / new - 0.5, 0), old - 1)
            low = min(int(where), old - 2)
            shares[place, low], shares[place, low + 1] = 1 - (where - low), where - low
        return shares

    old = positions[extra:].view(*grid, -1)
    new = torch.einsum("ri,cj,ijd->rcd", matrix(grid[0], new_grid[0]), matrix(grid[1], new_grid[1]), old)
    return torch.cat([positions[:extra], new.flatten(0, 1)])


def rollout_from_above(weights):
    """From the class token down: a row is carried through the layers, the last one first."""
    row = torch.zeros(weights.shape[1], weights.shape[-1])
    row[:, 0] = 1
    for layer in weights.flip(0):
        row = row / 2 + torch.einsum("bi,bhij->bj", row, layer) / layer.shape[1] / 2
    return row[:, 1:]


def mass_pixel_by_pixel(weights, box, size):
    pixels = weights.repeat_interleave(size, 1).repeat_interleave(size, 2) / size**2
    mass, area = torch.zeros(len(box)), torch.zeros(len(box))
    for index, (top, left, bottom, right) in enumerate(box.tolist()):
        mass[index] = pixels[index, top:bottom, left:right].sum() / pixels[index].sum()
        area[index] = (bottom - top) * (right - left) / pixels[index].numel()
    return mass, mass / area


def local_pixel_by_pixel(query, key, value, rows, columns):
    batch, height, width, d = query.shape
    k, half = len(rows), d // 2
    context, weights = torch.zeros_like(query), torch.zeros(batch, height, width, k * k)
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                scores, places = [], []
                for place in range(k * k):
                    down, across = place // k - k // 2, place % k - k // 2
                    if 0 <= i + down < height and 0 <= j + across < width:
                        q = query[b, i, j]
                        scores.append(
                            q @ key[b, i + down, j + across]
                            + q[:half] @ rows[place // k]
                            + q[half:] @ columns[place % k]
                        )
                        places.append((place, i + down, j + across))
                shares = softmax(torch.stack(scores), dim=0)
                for share, (place, row, column) in zip(shares, places, strict=True):
                    weights[b, i, j, place] = share
                    context[b, i, j] += share * value[b, row, column]
    return context, weights


def write_number_by_number(patch, parameters, height, width):
    batch, n, _ = patch.shape
    canvas = torch.zeros(batch, height, width)
    for b in range(batch):
        g_x, g_y, log_variance, log_stride, log_gamma = parameters[b].tolist()
        stride = (max(height, width) - 1) / (n - 1) * math.exp(log_stride)

        def filter_of(i, g, side, stride=stride, log_variance=log_variance):
            mean = (side + 1) / 2 * (g + 1) + (i - n / 2 - 0.5) * stride
            values = [math.exp(-((a - mean) ** 2) / 2 / math.exp(log_variance)) for a in range(1, side + 1)]
            return torch.tensor([value / math.fsum(values) for value in values])

        for i in range(n):
            for j in range(n):
                spot = filter_of(i + 1, g_y, height)[:, None] * filter_of(j + 1, g_x, width)
                canvas[b] += patch[b, i, j] * spot / math.exp(log_gamma)
    return canvas


def places_by_more_rows(vectors, places, ridge):
    """The same ridge as least squares: √λ times the identity as further rows, whose places are 0."""
    read = []
    for left_out in range(len(vectors)):
        others = [index for index in range(len(vectors)) if index != left_out]
        mean, middle = vectors[others].mean(0), places[others].mean(0)
        d = vectors.shape[1]
        x = torch.cat([vectors[others] - mean, math.sqrt(ridge) * torch.eye(d)]).double()
        y = torch.cat([places[others] - middle, torch.zeros(d, 2)]).double()
        read.append((vectors[left_out] - mean) @ torch.linalg.lstsq(x, y).solution.float() + middle)
    return torch.stack(read)


def windows_without_a_roll(query, key, value, window, shift):
    """Full attention with a mask: two pixels see each other if the shifted grid's lines do not part them."""
    batch, height, width, d = query.shape
    rows = (torch.arange(height) - shift).div(window, rounding_mode="floor")  # −1 above the first line
    columns = (torch.arange(width) - shift).div(window, rounding_mode="floor")
    cell = (rows[:, None] * width + columns).flatten()
    allowed = cell[:, None] == cell
    flat = [maps.flatten(1, 2) for maps in (query, key, value)]
    scores = (flat[0] @ flat[1].mT / math.sqrt(d)).masked_fill(~allowed, -math.inf)
    return (softmax(scores, dim=-1) @ flat[2]).view(batch, height, width, d)


OTHER_WAYS = {
    "12.2": patchify_by_slices,
    "12.3": embed_row_by_row,
    "12.4": gate_picture_by_picture,
    "12.5": non_local_by_convolutions,
    "12.6": resized_by_hand,
    "12.7": rollout_from_above,
    "12.9": mass_pixel_by_pixel,
    "12.10": local_pixel_by_pixel,
    "12.11": write_number_by_number,
    "12.12": places_by_more_rows,
    "12.13": windows_without_a_roll,
}


def test_every_exercise_with_inputs_is_tried_another_way():
    assert set(OTHER_WAYS) == {item.id for item in exercises(12) if item.has_inputs}


@pytest.mark.parametrize("id", OTHER_WAYS)
def test_a_right_answer_in_another_way_passes(id):
    for seed in range(5):
        verdict = verdict_on(id, OTHER_WAYS[id], seed)
        assert verdict.passed, (seed, verdict)


def test_what_is_planted_runs_and_is_named():
    master = nbformat.read(ROOT / "solutions" / "12_vision_attention.ipynb", as_version=4)
    (source,) = [cell.source for cell in master.cells if "BEGIN PLANTED" in cell.source]
    names = {"torch": torch}
    exec(generator.stub(source).split("\n\n\n")[0], names)
    for seed in range(5):
        verdict = verdict_on("12.3", names["embed"], seed)
        assert not verdict.passed
        assert verdict.named == [{"place": "shifted"}]


def test_the_counts_are_those_of_torchs_layers():
    convolution = sum(p.numel() for p in torch.nn.Conv2d(64, 64, 7, bias=False).parameters())
    attention = sum(torch.nn.Linear(64, 64, bias=False).weight.numel() for _ in range(3)) + 2 * 7 * 32
    assert exercise("12.1").reference() == attention / convolution
    layer = torch.nn.TransformerEncoderLayer(768, 12, 3072, bias=False)
    matrices = sum(p.numel() for name, p in layer.named_parameters() if p.dim() == 2)
    side = exercise("12.8").reference()

    def pairs_less_matrices(side):
        tokens = (side // 16) ** 2 + 1
        return 2 * tokens**2 * 768 - tokens * matrices

    assert pairs_less_matrices(side) > 0 > pairs_less_matrices(side - 16)
