"""Maps over patches, on weights whose right map is known."""

import pytest
import torch
from torch import nn

from attnbook.analysis import patch_maps
from attnbook.nn import ViT


def test_rollout_by_hand():
    first = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    second = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    weights = torch.stack([first, second]).reshape(1, 2, 1, 2, 2)
    # 0.5 A + 0.5 I: [[.5, .5], [0, 1]] and [[1, 0], [.5, .5]]; the later layer stands on the left
    expected = torch.tensor([[[0.5, 0.5], [0.25, 0.75]]])
    torch.testing.assert_close(patch_maps.attention_rollout(weights), expected)


def test_rollout_averages_heads_and_keeps_rows_at_1():
    torch.manual_seed(0)
    weights = torch.rand(3, 4, 2, 6, 6).softmax(dim=-1)
    found = patch_maps.attention_rollout(weights)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(3, 6))
    averaged = weights.mean(dim=2, keepdim=True)
    torch.testing.assert_close(patch_maps.attention_rollout(averaged), found)
    all_own = patch_maps.attention_rollout(weights, own=1.0)
    torch.testing.assert_close(all_own, torch.eye(6).expand(3, -1, -1))
    with pytest.raises(ValueError, match="need_weights=True"):
        patch_maps.attention_rollout(weights[0])
    with pytest.raises(ValueError, match="^own: "):
        patch_maps.attention_rollout(weights, own=1.5)


def test_rollout_sees_attention_that_is_built_in():
    """A class token that attends to one patch alone, in a network that mixes nothing before."""
    weights = torch.eye(5).repeat(1, 3, 2, 1, 1)
    weights[:, 2, :, 0] = torch.eye(5)[3]
    row = patch_maps.class_row(patch_maps.attention_rollout(weights), 4)
    torch.testing.assert_close(row, torch.tensor([[0.0, 0, 1, 0]]))


def test_mass_ink_and_erasing():
    images = torch.zeros(1, 1, 4, 4)
    images[..., :2, :2], images[..., 2, 3] = 0.5, 1.0
    torch.testing.assert_close(patch_maps.ink(images, 2), torch.tensor([[2 / 3, 0, 0, 1 / 3]]))
    inside = torch.tensor([[True, False, False, False]])
    assert patch_maps.mass_inside(patch_maps.ink(images, 2), inside).item() == pytest.approx(2 / 3)
    left = patch_maps.erased(images, inside, 2)
    assert left[..., :2, :2].sum() == 0
    assert torch.equal(left[..., 2:, :], images[..., 2:, :])
    assert patch_maps.highest(torch.tensor([[0.1, 0.5, 0.2, 0.2001]]), 2).tolist() == [
        [False, True, False, True]
    ]
    with pytest.raises(ValueError, match="^inside: expected bool"):
        patch_maps.mass_inside(patch_maps.ink(images, 2), inside.float())


def test_gradient_times_input_of_a_known_line():
    line = nn.Sequential(nn.Flatten(), nn.Linear(16, 2, bias=False))
    with torch.no_grad():
        line[1].weight.zero_()
        line[1].weight[1, 0] = 3.0  # the upper left pixel
        line[1].weight[1, 15] = -1.0  # the lower right one
    found = patch_maps.gradient_times_input(line, torch.ones(1, 1, 4, 4), 2)
    torch.testing.assert_close(found, torch.tensor([[0.75, 0, 0, 0.25]]))


def test_attention_distance():
    model = ViT(8, 2, 3, d_model=8, n_heads=2, n_layers=1)
    weights = torch.zeros(1, 1, 2, 17, 17)
    weights[:, :, 0] = torch.eye(17)  # head 0: itself
    for patch in range(16):  # head 1: the right neighbour, the last of a row the left one
        weights[0, 0, 1, 1 + patch, 1 + (patch - 1 if patch % 4 == 3 else patch + 1)] = 1
    torch.testing.assert_close(patch_maps.attention_distance(model, weights), torch.tensor([[0.0, 2.0]]))
