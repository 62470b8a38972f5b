"""Stand-alone self-attention in two dimensions, against a loop over pixels written from the paper."""

import pytest
import torch

from attnbook.nn import StandAloneSelfAttention2d


def loop(layer, x):
    """Equation 3 of Ramachandran et al. 2019 for every head, pixel and neighbour."""
    n, k, radius = layer.n_heads, layer.window, layer.window // 2
    batch, _, h, w = x.shape
    size = layer.d_out // n
    context = torch.zeros(batch, layer.d_out, h, w, dtype=x.dtype)
    weights = torch.zeros(batch, n, h, w, k, k, dtype=x.dtype)
    for head in range(n):
        channels = slice(head * layer.d_in // n, (head + 1) * layer.d_in // n)
        own = slice(head * size, (head + 1) * size)
        W_q, W_k, W_v = (each.weight[own, :, 0, 0] for each in (layer.W_q, layer.W_k, layer.W_v))
        for b in range(batch):
            for i in range(h):
                for j in range(w):
                    q, scores, values, where = W_q @ x[b, channels, i, j], [], [], []
                    for down in range(-radius, radius + 1):
                        for right in range(-radius, radius + 1):
                            a, c = i + down, j + right
                            if not (0 <= a < h and 0 <= c < w):
                                continue
                            r = torch.cat(
                                [
                                    layer.row_offsets[head, down + radius],
                                    layer.column_offsets[head, right + radius],
                                ]
                            )
                            scores.append(q @ (W_k @ x[b, channels, a, c]) + q @ r)
                            values.append(W_v @ x[b, channels, a, c])
                            where.append((down + radius, right + radius))
                    share = torch.softmax(torch.stack(scores), dim=0)
                    context[b, own, i, j] = sum(s * v for s, v in zip(share, values, strict=True))
                    for s, place in zip(share, where, strict=True):
                        weights[(b, head, i, j, *place)] = s
    return context, weights


@pytest.mark.parametrize(
    ("d_in", "d_out", "window", "heads", "h", "w"),
    [(2, 4, 3, 1, 4, 3), (6, 8, 5, 2, 3, 4), (4, 4, 1, 2, 2, 3)],
)
def test_against_a_loop_over_pixels(d_in, d_out, window, heads, h, w):
    torch.manual_seed(0)
    layer = StandAloneSelfAttention2d(d_in, d_out, window, heads).double()
    x = torch.randn(2, d_in, h, w, dtype=torch.float64)
    with torch.no_grad():
        context, weights = layer(x)
        expected, expected_weights = loop(layer, x)
    torch.testing.assert_close(context, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_weights_of_a_pixel_sum_to_1_and_are_0_outside():
    torch.manual_seed(1)
    layer = StandAloneSelfAttention2d(2, 4, 3)
    _, weights = layer(torch.randn(1, 2, 4, 5))
    torch.testing.assert_close(weights.sum(dim=(-1, -2)), torch.ones(1, 1, 4, 5))
    assert weights[0, 0, 0, 0, 0].eq(0).all()
    assert weights[0, 0, 0, 0, :, 0].eq(0).all()
    assert weights[0, 0, 1, 1].gt(0).all()


def test_a_shifted_picture_gives_shifted_vectors():
    """As a convolution does: positions are relative."""
    torch.manual_seed(2)
    layer, x = StandAloneSelfAttention2d(2, 4, 3), torch.randn(1, 2, 7, 7)
    here, shifted = layer(x)[0], layer(x.roll(1, dims=3))[0]
    torch.testing.assert_close(shifted[..., 1:-1, 2:-1], here[..., 1:-1, 1:-2])


def test_the_window_is_the_limit_and_positions_are_used():
    torch.manual_seed(3)
    layer, x = StandAloneSelfAttention2d(2, 4, 3), torch.randn(1, 2, 6, 6)
    changed = x.clone()
    changed[..., 5, 5] += 1
    before, after = layer(x)[0], layer(changed)[0]
    assert torch.equal(before[..., :4, :4], after[..., :4, :4])
    assert not torch.equal(before[..., 4, 4], after[..., 4, 4])
    flipped = layer(x.flip(-1))[0].flip(-1)
    assert not torch.allclose(flipped, before)


def test_gradients_reach_the_offsets():
    torch.manual_seed(4)
    layer = StandAloneSelfAttention2d(2, 4, 3, 2).double()
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    rows, columns = layer.row_offsets, layer.column_offsets
    assert torch.autograd.gradcheck(lambda x, rows, columns: layer(x)[0], (x, rows, columns))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^window: expected an odd number"):
        StandAloneSelfAttention2d(2, 4, 4)
    with pytest.raises(ValueError, match=r"^n_heads: "):
        StandAloneSelfAttention2d(3, 4, 3, 2)
    with pytest.raises(ValueError, match=r"^2: expected a number that divides d_out / n_heads"):
        StandAloneSelfAttention2d(3, 3, 3)
    with pytest.raises(ValueError, match=r"^x: expected channels = 2"):
        StandAloneSelfAttention2d(2, 4, 3)(torch.zeros(1, 1, 3, 3))
