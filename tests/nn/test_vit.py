"""The Vision Transformer: against torch's own layers, and its tokens, positions and sizes."""

import pytest
import torch
from torch import nn

from attnbook.nn import ViT, interpolate_positions, patches


def vit(**options):
    torch.manual_seed(0)
    return ViT(**{"image_size": 8, "patch_size": 2, "n_classes": 5, "d_model": 12, "n_heads": 3,
                  "n_layers": 2, "d_ff": 20, **options})  # fmt: skip


def torchs_layer(layer):
    """torch's encoder layer with this one's weights."""
    theirs = nn.TransformerEncoderLayer(12, 3, 20, 0.0, "gelu", batch_first=True, norm_first=True)
    own = layer.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([own.W_q.weight, own.W_k.weight, own.W_v.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([own.W_q.bias, own.W_k.bias, own.W_v.bias]))
        for target, source in (
            (theirs.self_attn.out_proj, own.W_o),
            (theirs.linear1, layer.feed_forward.W_1),
            (theirs.linear2, layer.feed_forward.W_2),
            (theirs.norm1, layer.norm_1),
            (theirs.norm2, layer.norm_2),
        ):
            target.weight.copy_(source.weight)
            target.bias.copy_(source.bias)
    return theirs


def test_against_torchs_layers_and_a_convolution():
    model = vit(channels=3, image_size=(6, 8))
    nn.init.normal_(model.class_token)
    images = torch.randn(4, 3, 6, 8)
    embed = nn.Conv2d(3, 12, 2, stride=2)  # cutting and projecting is a convolution that does not overlap
    with torch.no_grad():
        embed.weight.copy_(model.W_patch.weight.reshape(12, 3, 2, 2))
        embed.bias.copy_(model.W_patch.bias)
        z = embed(images).flatten(2).transpose(1, 2)
        z = torch.cat([model.class_token.expand(4, 1, -1), z], dim=1) + model.positions
        for layer in model.layers:
            z = torchs_layer(layer)(z)
        expected = model.W_classes(model.norm(z)[:, 0])
        logits, weights = model(images)
    assert weights is None
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)


def test_weights_on_request():
    model = vit(n_registers=3)
    logits, weights = model(torch.randn(2, 1, 8, 8), need_weights=True)
    assert weights.shape == (2, 2, 3, 1 + 16 + 3, 1 + 16 + 3)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 3, 20))
    torch.testing.assert_close(model(torch.zeros(2, 1, 8, 8))[0][0], model(torch.zeros(2, 1, 8, 8))[0][1])
    assert logits.shape == (2, 5)


def test_patches_row_by_row():
    image = torch.arange(24.0).reshape(1, 1, 4, 6)
    cut = patches(image, 2)
    assert cut.shape == (1, 6, 4)
    assert cut[0, 0].tolist() == [0, 1, 6, 7]
    assert cut[0, 1].tolist() == [2, 3, 8, 9]
    assert cut[0, 3].tolist() == [12, 13, 18, 19]
    colours = patches(torch.cat([image, image + 100], dim=1), 2)
    assert colours[0, 0].tolist() == [0, 1, 6, 7, 100, 101, 106, 107]


def test_without_positions_the_order_of_patches_does_not_matter():
    model = vit()
    images = torch.randn(1, 1, 8, 8)
    swapped = images.clone()
    swapped[..., :2, :2], swapped[..., 6:, 6:] = images[..., 6:, 6:], images[..., :2, :2]
    assert not torch.allclose(model(images)[0], model(swapped)[0])
    nn.init.zeros_(model.positions)
    torch.testing.assert_close(model(images)[0], model(swapped)[0])


def test_registers_are_learned_and_stand_last():
    model = vit(n_registers=2)
    images = torch.randn(3, 1, 8, 8)
    z = model.embed(images)
    torch.testing.assert_close(z[:, -2:], model.registers.expand(3, -1, -1))
    model(images)[0].sum().backward()
    assert model.registers.grad.abs().sum() > 0
    assert model.class_token.grad.abs().sum() > 0
    assert vit().registers.shape == (0, 12)


def test_interpolation_keeps_the_class_token_and_the_corners():
    torch.manual_seed(1)
    positions = torch.randn(1 + 6, 5)
    same = interpolate_positions(positions, (2, 3), (2, 3))
    torch.testing.assert_close(same, positions)
    larger = interpolate_positions(positions, (2, 3), (3, 5))
    assert larger.shape == (16, 5)
    assert torch.equal(larger[0], positions[0])
    grid, old = larger[1:].reshape(3, 5, 5), positions[1:].reshape(2, 3, 5)
    torch.testing.assert_close(grid[0, 0], old[0, 0])
    torch.testing.assert_close(grid[2, 4], old[1, 2])
    torch.testing.assert_close(grid[0, 1], (old[0, 0] + old[0, 1]) / 2)
    torch.testing.assert_close(grid[1, 0], (old[0, 0] + old[1, 0]) / 2)


def test_resized_reads_larger_pictures_and_leaves_the_model_as_it_was():
    model = vit(n_registers=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    larger = model.resized((8, 12))
    logits, weights = larger(torch.randn(2, 1, 8, 12), need_weights=True)
    assert logits.shape == (2, 5)
    assert weights.shape[-1] == 1 + 24 + 1
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    images = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(model.resized(8)(images)[0], model(images)[0])
    with pytest.raises(
        ValueError, match=r"^images: expected pictures of 8 × 8 pixels, got 8 × 12; use .*resized"
    ):
        model(torch.randn(2, 1, 8, 12))


def test_gradients():
    model = vit(image_size=4, n_layers=1, n_registers=1).double()
    images = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda images: model(images)[0], (images,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"patch_size": 3}, r"^patch_size: expected a number that divides image_size = 8"),
        ({"n_heads": 5}, r"^n_heads: expected a number that divides d_model = 12"),
        ({"n_classes": 0}, r"^n_classes: "),
        ({"n_registers": -1}, r"^n_registers: "),
    ],
)
def test_bad_sizes_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        vit(**options)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^images: expected channels = 1"):
        vit()(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"^images: expected shape"):
        vit()(torch.zeros(8, 8))
    with pytest.raises(ValueError, match=r"^positions: expected 7 rows"):
        interpolate_positions(torch.zeros(6, 4), (2, 3), (4, 6))
    with pytest.raises(ValueError, match=r"^patch_size: expected a number that divides width = 6"):
        patches(torch.zeros(1, 1, 4, 6), 4)
