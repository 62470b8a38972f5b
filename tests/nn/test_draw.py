"""Filter banks against the paper's formula written as loops, and the network that draws with them."""

import math

import pytest
import torch

from attnbook.nn import DRAW, VAE, FilterBank
from attnbook.nn.draw import bernoulli_nats, kl_to_standard

PAPER = "FilterBank, DRAW equations 19-29 as loops counted from 1"


def paper_window(raw, n, height, width):
    """Equations 21 to 24, for one picture, pixels counted from 1."""
    gx, gy, log_variance, log_stride, log_gamma = raw
    a, b = width, height
    return (
        (a + 1) / 2 * (gx + 1),
        (b + 1) / 2 * (gy + 1),
        (max(a, b) - 1) / (n - 1) * math.exp(log_stride),
        math.exp(log_variance),
        math.exp(log_gamma),
    )


def paper_filters(centre, stride, variance, n, pixels):
    """Equations 19 and 25, filters and pixels counted from 1."""
    rows = []
    for i in range(1, n + 1):
        mu = centre + (i - n / 2 - 0.5) * stride
        row = [math.exp(-((a - mu) ** 2) / (2 * variance)) for a in range(1, pixels + 1)]
        rows.append([weight / sum(row) for weight in row])
    return rows


def random_raw(batch=6):
    torch.manual_seed(3)
    return torch.randn(batch, 5, dtype=torch.float64) * torch.tensor([0.5, 0.5, 0.7, 0.4, 0.6])


@pytest.mark.parametrize(("n", "height", "width"), [(2, 7, 9), (5, 20, 20), (4, 12, 6)])
def test_filters_are_the_papers(conforms, n, height, width):
    bank = FilterBank(n, height, width)
    raw = random_raw()
    F_y, F_x = bank.filters(bank.window(raw))
    for row, (given_y, given_x) in enumerate(zip(F_y, F_x, strict=True)):
        gx, gy, stride, variance, _ = paper_window(raw[row].tolist(), n, height, width)
        wanted = torch.tensor(paper_filters(gy, stride, variance, n, height), dtype=torch.float64)
        conforms(PAPER, given_y, wanted, 1e-10, "F_y")
        wanted = torch.tensor(paper_filters(gx, stride, variance, n, width), dtype=torch.float64)
        conforms(PAPER, given_x, wanted, 1e-10, "F_x")


def test_reading_and_writing_are_the_papers(conforms):
    n, height, width = 3, 8, 11
    bank, raw = FilterBank(n, height, width), random_raw(2)
    window = bank.window(raw)
    picture = torch.rand(2, height, width, dtype=torch.float64)
    patch = torch.randn(2, n, n, dtype=torch.float64)
    read, written = bank.read(picture, window), bank.write(patch, window)
    for k in range(2):
        gx, gy, stride, variance, gamma = paper_window(raw[k].tolist(), n, height, width)
        F_x = paper_filters(gx, stride, variance, n, width)
        F_y = paper_filters(gy, stride, variance, n, height)
        seen = torch.zeros(n, n, dtype=torch.float64)
        drawn = torch.zeros(height, width, dtype=torch.float64)
        for j in range(n):
            for i in range(n):
                for b in range(height):
                    for a in range(width):
                        weight = F_y[j][b] * F_x[i][a]
                        seen[j, i] += gamma * weight * picture[k, b, a]
                        drawn[b, a] += weight * patch[k, j, i] / gamma
        conforms(PAPER, read[k], seen, 1e-10, "read")
        conforms(PAPER, written[k], drawn, 1e-10, "write")


def test_gradients_of_reading_and_writing():
    bank = FilterBank(3, 6, 7)
    raw = random_raw(2).requires_grad_()
    picture = torch.rand(2, 6, 7, dtype=torch.float64, requires_grad=True)
    patch = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p, r: bank.read(p, bank.window(r)), (picture, raw))
    assert torch.autograd.gradcheck(lambda p, r: bank.write(p, bank.window(r)), (patch, raw))
    inside = FilterBank(3, 6, 7, inside=True)
    assert torch.autograd.gradcheck(lambda p, r: inside.read(p, inside.window(r)), (picture, raw))


def test_a_sharp_window_of_stride_one_copies_pixels():
    bank = FilterBank(4, 10, 12)
    picture = torch.rand(1, 10, 12)
    # filters at columns 5 to 8 and rows 2 to 5
    window = torch.tensor([[6.5, 3.5, 1.0, 1e-3, 1.0]])
    torch.testing.assert_close(bank.read(picture, window)[0], picture[0, 2:6, 5:9])
    written = bank.write(torch.ones(1, 4, 4), window)
    assert written[0, 2:6, 5:9].allclose(torch.ones(4, 4))
    assert written.sum().item() == pytest.approx(16, abs=1e-4)


def test_rows_sum_to_one_even_far_outside():
    bank = FilterBank(5, 9, 9)
    window = torch.tensor([[500.0, -500.0, 3.0, 0.01, 1.0], [4.0, 4.0, 2.0, 1e6, 1.0]])
    for rows in bank.filters(window):
        torch.testing.assert_close(rows.sum(dim=-1), torch.ones(2, 5))


def test_windows_kept_inside_stay_there():
    bank = FilterBank(5, 14, 20, inside=True)
    raw = torch.randn(500, 5) * 6
    x, y, stride, _, _ = bank.window(raw).unbind(-1)
    half = 2 * stride
    for centre, pixels in ((x, 20), (y, 14)):
        assert (centre - half >= -1e-4).all()
        assert (centre + half <= pixels - 1 + 1e-4).all()
    # the paper's windows leave it
    free = FilterBank(5, 14, 20).window(raw)
    assert (free[:, 0] < 0).any()


def test_zeros_are_the_whole_picture_in_the_middle():
    x, y, stride, variance, intensity = FilterBank(5, 12, 21).window(torch.zeros(1, 5))[0].tolist()
    assert (x, y, stride, variance, intensity) == (10, 5.5, 5, 1, 1)


@pytest.fixture
def drawer():
    torch.manual_seed(0)
    return DRAW(9, 11, steps=4, hidden=12, latent=3, read_size=3, write_size=4)


def binary(batch=5, height=9, width=11):
    return (torch.rand(batch, height, width) > 0.7).float()


def test_shapes(drawer):
    drawing = drawer(binary())
    assert drawing.canvases.shape == (5, 4, 9, 11)
    assert drawing.kl.shape == (5, 4)
    assert drawing.read.shape == drawing.write.shape == (5, 4, 5)
    assert drawer.bound(binary()).shape == (5,)
    plain = DRAW(9, 11, steps=4, hidden=12, latent=3, read_size=None, write_size=None)
    drawing = plain(binary())
    assert drawing.canvases.shape == (5, 4, 9, 11)
    assert drawing.read is None
    assert drawing.write is None
    assert VAE(9, 11, hidden=7, latent=2).bound(binary()).shape == (5,)


@pytest.mark.parametrize("write_size", [4, None])
def test_the_canvas_is_the_sum_of_what_was_added(write_size):
    torch.manual_seed(0)
    model = DRAW(9, 11, steps=4, hidden=12, latent=3, read_size=3, write_size=write_size)
    with torch.no_grad():
        model.first_canvas.normal_()
    added = []
    original = model.add
    model.add = lambda state: added.append(original(state)) or added[-1]
    drawing = model(binary())
    total = model.first_canvas.expand(5, -1, -1)
    for step, (change, _) in enumerate(added):
        total = total + change
        torch.testing.assert_close(drawing.canvases[:, step], total)


def test_what_is_read_is_the_picture_and_what_is_still_wrong(drawer):
    picture, canvas, state = binary(), torch.randn(5, 9, 11), torch.randn(5, 12)
    seen, window = drawer.look(picture, canvas, state)
    wanted = [
        drawer.reader.read(each, window).flatten(1) for each in (picture, picture - torch.sigmoid(canvas))
    ]
    torch.testing.assert_close(seen, torch.cat(wanted, dim=-1))


def test_kl_is_torchs_and_never_negative():
    torch.manual_seed(1)
    mean, log_std = torch.randn(40, 6), torch.randn(40, 6)
    q = torch.distributions.Normal(mean, log_std.exp())
    wanted = torch.distributions.kl_divergence(q, torch.distributions.Normal(0, 1)).sum(-1)
    torch.testing.assert_close(kl_to_standard(mean, log_std), wanted)
    assert (wanted >= 0).all()
    assert kl_to_standard(torch.zeros(1, 6), torch.zeros(1, 6)).item() == 0


def test_nats_are_torchs():
    torch.manual_seed(1)
    logits, picture = torch.randn(4, 9, 11) * 5, binary(4)
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(logits, picture, reduction="none")
    torch.testing.assert_close(bernoulli_nats(logits, picture), wanted.sum(dim=(1, 2)))


def test_the_bound_lies_above_the_truth():
    """Two pixels and one number z: −log p(picture) by summing over a fine grid of z."""
    torch.manual_seed(4)
    model = VAE(1, 2, hidden=4, latent=1).double()
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)[:, None]
    density = torch.exp(-(z[:, 0] ** 2) / 2) / math.sqrt(2 * math.pi) * (16 / 4000)
    for pixels in ([0, 0], [0, 1], [1, 0], [1, 1]):
        picture = torch.tensor([[pixels]], dtype=torch.float64)
        with torch.no_grad():
            likelihood = torch.exp(-bernoulli_nats(model.generate(z), picture.expand(4001, 1, 2)))
            truth = -torch.log((likelihood * density).sum()).item()
            bound = model.bound(picture.expand(20_000, 1, 2)).mean().item()
        assert truth < bound < truth + 5


def test_the_bound_is_what_is_wrong_and_what_was_told(drawer):
    picture, noise = binary(), torch.randn(5, 4, 3)
    drawing = drawer(picture, noise)
    wanted = bernoulli_nats(drawing.canvases[:, -1], picture) + drawing.kl.sum(1)
    torch.testing.assert_close(drawer.bound(picture, noise), wanted)


def test_generating_needs_no_picture(drawer):
    noise = torch.randn(3, 4, 3)
    drawing = drawer.generate(noise)
    assert drawing.read is None
    assert not drawing.kl.any()
    # z of the prior: the same as reading with a posterior that is the prior
    with torch.no_grad():
        drawer.posterior.weight.zero_()
        drawer.posterior.bias.zero_()
    torch.testing.assert_close(drawer(binary(3), noise).canvases, drawing.canvases)


def test_it_learns():
    torch.manual_seed(0)
    model, picture = DRAW(6, 6, steps=3, hidden=16, latent=2, read_size=3, write_size=3), binary(8, 6, 6)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    first = model.bound(picture).mean().item()
    for _ in range(60):
        optimiser.zero_grad()
        model.bound(picture).mean().backward()
        optimiser.step()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.bound(picture).mean().item() < 0.8 * first


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: FilterBank(1, 5, 5), "size: expected a whole number of at least 2"),
        (lambda: FilterBank(3, 0, 5), "height: expected"),
        (lambda: FilterBank(3, 5, 5).window(torch.zeros(2, 4)), "raw: expected last dimension"),
        (lambda: FilterBank(3, 5, 5).filters(torch.zeros(2, 5)), "window: expected stride, variance"),
        (
            lambda: FilterBank(3, 5, 5).read(torch.zeros(2, 5, 6), torch.ones(2, 5)),
            "picture: expected pictures",
        ),
        (lambda: FilterBank(3, 5, 5).read(torch.zeros(2, 5, 5), torch.ones(3, 5)), "window: expected 2 rows"),
        (
            lambda: FilterBank(3, 5, 5).write(torch.zeros(2, 4, 4), torch.ones(2, 5)),
            "patch: expected pictures",
        ),
        (lambda: DRAW(5, 5, steps=0), "steps: expected"),
        (lambda: DRAW(5, 5)(torch.zeros(2, 5, 6)), "picture: expected pictures"),
        (lambda: DRAW(5, 5)(torch.full((2, 5, 5), 255.0)), "picture: expected numbers from 0 to 1"),
        (lambda: DRAW(5, 5)(torch.zeros(2, 5, 5), torch.zeros(2, 3, 8)), "noise: expected shape"),
        (lambda: DRAW(5, 5).generate(torch.zeros(2, 6, 7)), "noise: expected shape"),
        (lambda: VAE(5, 5).bound(torch.zeros(2, 4, 5)), "picture: expected pictures"),
        (lambda: VAE(5, 5).generate(torch.zeros(2, 3)), "z: expected last dimension"),
        (lambda: bernoulli_nats(torch.zeros(2, 2), torch.full((2, 2), 2.0)), "picture: expected numbers"),
        (lambda: kl_to_standard(torch.zeros(2, 2), torch.zeros(2, 3)), "log_std: expected shape"),
    ],
)
def test_bad_input_gets_one_sentence(call, says):
    with pytest.raises(ValueError, match=says) as error:
        call()
    assert "\n" not in str(error.value)
