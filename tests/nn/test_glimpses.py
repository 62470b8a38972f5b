"""Glimpses: what the sensor sees, and that looking is learned by REINFORCE alone."""

import pytest
import torch

from attnbook.nn.glimpses import GlimpseSensor, RecurrentAttentionModel, glimpse_loss, multiply_adds


def image(batch=2, height=7, width=9):
    torch.manual_seed(0)
    return torch.rand(batch, height, width)


def window_by_loops(picture, location, size, shrink):
    """One patch of one image, number by number, from the paper's words."""
    height, width = picture.shape
    middle = [round(float((at + 1) / 2 * (n - 1))) for at, n in zip(location, (height, width), strict=True)]
    patch = torch.zeros(size, size)
    for row in range(size * shrink):
        for column in range(size * shrink):
            y, x = middle[0] + row - size * shrink // 2, middle[1] + column - size * shrink // 2
            if 0 <= y < height and 0 <= x < width:
                patch[row // shrink, column // shrink] += picture[y, x] / shrink**2
    return patch


@pytest.mark.parametrize(("size", "scales", "growth"), [(4, 2, 2), (3, 3, 2), (2, 2, 4), (5, 1, 2)])
def test_patches_are_the_means_of_ever_wider_windows(size, scales, growth):
    pictures = image()
    # corners, edges and the inside; away from halves, which round to even
    for location in ([-1.0, -1.0], [1.0, 1.0], [0.1, -0.3], [-0.9, 0.6]):
        at = torch.tensor([location, [-location[0], location[1]]])
        seen = GlimpseSensor(size, scales, growth)(pictures, at)
        assert seen.shape == (2, scales, size, size)
        for each in range(2):
            for k in range(scales):
                expected = window_by_loops(pictures[each], at[each], size, growth**k)
                torch.testing.assert_close(seen[each, k], expected)


def test_what_the_widest_window_does_not_cover_is_not_seen():
    pictures = image(height=30, width=30).requires_grad_()
    GlimpseSensor(4, 2, 2)(pictures, torch.zeros(2, 2)).sum().backward()
    touched = pictures.grad[0].nonzero()
    assert touched.amin(dim=0).tolist() == [10, 10]
    assert touched.amax(dim=0).tolist() == [17, 17]


@pytest.mark.parametrize(
    ("pictures", "location", "named"),
    [
        (torch.rand(7, 9), torch.zeros(2, 2), "image"),
        (torch.rand(2, 7, 9), torch.zeros(2, 3), "location"),
        (torch.rand(2, 7, 9), torch.zeros(3, 2), "location"),
        (torch.zeros(2, 7, 9, dtype=torch.int64), torch.zeros(2, 2), "image"),
    ],
)
def test_bad_inputs_are_named(pictures, location, named):
    with pytest.raises(ValueError, match=f"^{named}: "):
        GlimpseSensor()(pictures, location)


def small(**options):
    torch.manual_seed(1)
    sizes = {"size": 4, "growth": 2, "d_patch": 5, "d_glimpse": 6, "d_hidden": 7}
    return RecurrentAttentionModel(3, **{**sizes, **options})


def test_shapes_and_the_given_start():
    found = small(n_glimpses=3)(image(), start=torch.full((2, 2), 0.25))
    assert found.logits.shape == (2, 3)
    assert found.locations.shape == (2, 3, 2)
    assert found.log_prob.shape == found.baseline.shape == (2, 3)
    assert (found.locations[:, 0] == 0.25).all()
    assert (found.log_prob[:, 0] == 0).all()
    assert (found.locations.abs() <= 1).all()


def test_one_step_by_hand():
    model = small(n_glimpses=1).eval()
    pictures, start = image(), torch.tensor([[0.2, -0.4], [0.0, 0.9]])
    with torch.no_grad():
        seen = model.sensor(pictures, start).flatten(1)
        what = torch.relu(seen @ model.what.weight.T + model.what.bias)
        where = torch.relu(start @ model.where.weight.T + model.where.bias)
        g = torch.relu(model.join_what(what) + model.join_where(where))
        hidden = torch.relu(model.keep.bias + model.take(g))  # the state before is 0
        torch.testing.assert_close(model(pictures, start).logits, model.classify(hidden))


def test_evaluation_looks_at_the_mean_and_draws_nothing():
    model = small().eval()
    start = torch.zeros(2, 2)
    first, second = model(image(), start), model(image(), start)
    assert torch.equal(first.locations, second.locations)
    assert (first.log_prob == 0).all()


def test_random_glimpses_ignore_the_image_and_have_nothing_to_learn():
    model = small(policy="random")
    start = torch.zeros(2, 2)
    pictures = image()
    torch.manual_seed(3)
    on_one = model(pictures, start).locations
    torch.manual_seed(3)
    assert torch.equal(on_one, model(torch.zeros(2, 7, 9), start).locations)
    loss, _ = glimpse_loss(model(image()), torch.tensor([0, 1]))
    loss.backward()
    assert model.locate.weight.grad is None or not model.locate.weight.grad.any()


def test_density_has_the_gaussian_slope():
    model = small(deviation=0.3)
    pictures, hidden = image(4), torch.rand(4, 7)
    torch.manual_seed(5)
    drawn, density = model.next_location(pictures, hidden)
    torch.manual_seed(5)
    mean = torch.tanh(model.locate(hidden))
    unclipped = (mean + 0.3 * torch.randn_like(mean)).detach()
    gaussian = torch.distributions.Normal(mean, 0.3).log_prob(unclipped).sum(dim=1)
    wanted = torch.autograd.grad(gaussian.sum(), model.locate.weight)[0]
    torch.testing.assert_close(torch.autograd.grad(density.sum(), model.locate.weight)[0], wanted)
    torch.testing.assert_close(drawn, unclipped.clamp(-1, 1))


def test_only_the_reward_teaches_where_to_look():
    model = small()
    found = model(image(), torch.zeros(2, 2))
    said = torch.nn.functional.cross_entropy(found.logits, torch.tensor([0, 1]))
    gradients = torch.autograd.grad(
        said, [model.locate.weight, model.expect.weight, model.what.weight], allow_unused=True
    )
    assert gradients[0] is None
    assert gradients[1] is None
    assert gradients[2].any()


def test_without_the_stop_the_reward_teaches_the_state_too():
    for stop in (True, False):
        found = small(stop_gradient=stop)
        looked = found(image(), torch.zeros(2, 2)).log_prob.sum()
        (slope,) = torch.autograd.grad(looked, found.what.weight, allow_unused=True)
        assert (slope is None) == stop
        assert stop or slope.any()


def test_hybrid_loss_by_hand():
    found = small()(image(), torch.zeros(2, 2))
    target = torch.stack([found.logits[0].argmax(), (found.logits[1].argmax() + 1) % 3])
    loss, reward = glimpse_loss(found, target)
    assert reward.tolist() == [1.0, 0.0]
    expected = torch.nn.functional.cross_entropy(found.logits, target)
    for each in range(2):
        for t in range(1, 4):  # the first glimpse was not chosen
            advantage = reward[each] - found.baseline[each, t]
            expected = expected - advantage.detach() * found.log_prob[each, t] / 2
            expected = expected + advantage**2 / 2
    torch.testing.assert_close(loss, expected)


def test_reinforce_finds_the_bright_half():
    """A reward for looking right, and nothing else, moves the looks to the right."""
    model = small(n_glimpses=2)
    optimiser = torch.optim.Adam(model.locate.parameters(), lr=0.05)
    pictures, start = image(32), torch.zeros(32, 2)
    before = model.eval()(pictures, start).locations[:, 1, 1].mean().item()
    model.train()
    for _ in range(60):
        found = model(pictures, start)
        reward = found.locations[:, 1, 1].detach()
        loss = -((reward - reward.mean()) * found.log_prob[:, 1]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = model.eval()(pictures, start).locations[:, 1, 1].mean().item()
    assert after > before + 0.5


def test_multiplications_are_counted_from_what_runs():
    """Against a count of every matrix product in one evaluation."""
    model = small(n_glimpses=3).eval()
    counted = 0

    def count(layer, args, output):
        nonlocal counted
        counted += layer.weight.numel()

    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Linear) and name != "expect":
            layer.register_forward_hook(count)
    model(image(1), torch.zeros(1, 2))
    assert multiply_adds(model) == counted
