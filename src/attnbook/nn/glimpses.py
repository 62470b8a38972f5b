"""Glimpses: a network that sees a small window of an image at a time, and chooses
where to put the next one.

Mnih et al. 2014, "Recurrent Models of Visual Attention",
https://arxiv.org/abs/1406.6247, sections 3 and 4. The window is hard attention: its
position is drawn, so the network that places it learns by REINFORCE.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class GlimpseSensor(nn.Module):
    """Windows of several widths around one position, all shrunk to one size (the
    paper's ρ): sharp in the middle, coarse further out.

    Parameters
    ----------
    size : int
        Width and height of every patch that comes out.
    scales : int
        How many windows.
    growth : int
        How much wider each window is than the one before (paper: 2). Window k is
        ``size · growth^k`` pixels wide, and each number of its patch is the mean of
        ``growth^k · growth^k`` pixels.
    """

    def __init__(self, size: int = 10, scales: int = 2, growth: int = 4):
        super().__init__()
        checks.sizes(size=size, scales=scales, growth=growth)
        self.size, self.scales, self.growth = size, scales, growth

    def forward(self, image: Tensor, location: Tensor) -> Tensor:
        """Look at one position of each image.

        Parameters
        ----------
        image : (batch, height, width)
        location : (batch, 2)
            Row and column of the middle, from −1 (the first) to 1 (the last).
            Pixels outside of the image are 0. No gradient flows into it.

        Returns
        -------
        (batch, scales, size, size)

        Raises
        ------
        TypeError, ValueError
            If an argument is no floating-point tensor, or the shapes do not fit.
        """
        checks.glimpse_inputs(image, location)
        span = image.new_tensor(image.shape[1:]) - 1
        middle = ((location.detach() + 1) / 2 * span).round().long()  # (batch, 2)
        border = self.size * self.growth ** (self.scales - 1) // 2
        padded = nn.functional.pad(image, (border,) * 4)
        patches = []
        for k in range(self.scales):
            shrink = self.growth**k
            width = self.size * shrink
            # (batch, …, …, width, width): the window that begins at each pixel
            windows = padded.unfold(1, width, 1).unfold(2, width, 1)
            top, left = (middle + border - width // 2).unbind(dim=1)
            every = torch.arange(len(image), device=image.device)
            patches.append(
                nn.functional.avg_pool2d(windows[every, top, left], shrink)
            )
        return torch.stack(patches, dim=1)


@dataclass(frozen=True)
class Glimpses:
    """What a recurrent attention model did on a batch.

    Attributes
    ----------
    logits : (batch, classes)
        After the last glimpse.
    locations : (batch, n_glimpses, 2)
        Where it looked: row and column, from −1 to 1.
    log_prob : (batch, n_glimpses)
        Logarithm of the density of each drawn location, less a constant; 0 for the
        first glimpse, which the network does not choose, and where nothing was
        drawn.
    baseline : (batch, n_glimpses)
        The reward that the network expected before each glimpse.
    """

    logits: Tensor
    locations: Tensor
    log_prob: Tensor
    baseline: Tensor


class RecurrentAttentionModel(nn.Module):
    """Look, remember, look elsewhere; say at the end what it was.

    Parameters
    ----------
    classes : int
    size, scales, growth : int
        Of the ``GlimpseSensor``.
    n_glimpses : int
        How often it looks.
    d_patch, d_glimpse, d_hidden : int
        Sizes of the layers for "what" and "where", of the glimpse vector and of the
        state (paper: 128, 256, 256).
    deviation : float
        Standard deviation σ of the location that is drawn around the predicted
        one, in training.
    policy : "learned" or "random"
        Random: each location is uniform over the image, in training and in
        evaluation. That is the control: the same network without a choice.
    stop_gradient : bool
        REINFORCE teaches the layer that predicts the location alone, and not what
        the state in front of it holds.
    """

    def __init__(
        self,
        classes: int,
        size: int = 10,
        scales: int = 2,
        growth: int = 4,
        n_glimpses: int = 4,
        d_patch: int = 64,
        d_glimpse: int = 128,
        d_hidden: int = 128,
        deviation: float = 0.15,
        policy: str = "learned",
        stop_gradient: bool = True,
    ):
        super().__init__()
        checks.sizes(
            classes=classes,
            n_glimpses=n_glimpses,
            d_patch=d_patch,
            d_glimpse=d_glimpse,
            d_hidden=d_hidden,
        )
        checks.positive_number("deviation", deviation)
        checks.one_of("policy", policy, ("learned", "random"))
        self.sensor = GlimpseSensor(size, scales, growth)
        self.n_glimpses, self.deviation, self.policy = n_glimpses, deviation, policy
        self.stop_gradient = stop_gradient
        self.what = nn.Linear(scales * size**2, d_patch)
        self.where = nn.Linear(2, d_patch)
        self.join_what = nn.Linear(d_patch, d_glimpse)
        self.join_where = nn.Linear(d_patch, d_glimpse)
        self.keep = nn.Linear(d_hidden, d_hidden)
        self.take = nn.Linear(d_glimpse, d_hidden)
        self.locate = nn.Linear(d_hidden, 2)
        self.expect = nn.Linear(d_hidden, 1)
        self.classify = nn.Linear(d_hidden, classes)

    def glimpse(self, image: Tensor, location: Tensor) -> Tensor:
        """The paper's g_t, (batch, d_glimpse): what was seen, and where."""
        patches = self.sensor(image, location).flatten(1)
        what = torch.relu(self.what(patches))
        where = torch.relu(self.where(location))
        return torch.relu(self.join_what(what) + self.join_where(where))

    def forward(
        self,
        image: Tensor,
        start: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Glimpses:
        """Look ``n_glimpses`` times at each image.

        Parameters
        ----------
        image : (batch, height, width)
        start : (batch, 2), optional
            Location of the first glimpse; uniform over the image if left out.
        told : (batch, n_glimpses − 1, 2), optional
            Locations of the glimpses after it, in place of the network's choice.

        Returns
        -------
        Glimpses

        Raises
        ------
        TypeError, ValueError
            If an argument is no floating-point tensor, or the shapes do not fit.
        """
        location = self.anywhere(image) if start is None else start
        hidden = image.new_zeros(len(image), self.keep.out_features)
        nothing = image.new_zeros(len(image))
        locations, log_prob, baseline = [location], [nothing], [nothing]
        for t in range(self.n_glimpses):
            g = self.glimpse(image, location)
            hidden = torch.relu(self.keep(hidden) + self.take(g))
            if t == self.n_glimpses - 1:
                break
            if told is None:
                read = hidden.detach() if self.stop_gradient else hidden
                location, density = self.next_location(image, read)
            else:
                location, density = told[:, t], nothing
            locations.append(location)
            log_prob.append(density)
            baseline.append(self.expect(hidden.detach()).squeeze(-1))
        return Glimpses(
            self.classify(hidden),
            torch.stack(locations, dim=1),
            torch.stack(log_prob, dim=1),
            torch.stack(baseline, dim=1),
        )

    def anywhere(self, image: Tensor) -> Tensor:
        """A location for each image, uniform over it: (batch, 2)."""
        return 2 * torch.rand(len(image), 2, device=image.device) - 1

    def next_location(self, image: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Where to look next, (batch, 2), and the logarithm of its density,
        (batch).
        """
        if self.policy == "random":
            return self.anywhere(image), image.new_zeros(len(image))
        mean = torch.tanh(self.locate(hidden))  # (batch, 2)
        if not self.training:
            return mean, image.new_zeros(len(image))
        drawn = (mean + self.deviation * torch.randn_like(mean)).detach()
        # the Gaussian's density, less what does not depend on the mean
        density = -((drawn - mean) ** 2).sum(dim=-1) / (2 * self.deviation**2)
        return drawn.clamp(-1, 1), density


def glimpse_loss(found: Glimpses, target: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's hybrid loss (section 3): cross-entropy for what the model says,
    REINFORCE for where it looked, and a squared error for the baseline.

    Parameters
    ----------
    found : Glimpses
    target : (batch) of int

    Returns
    -------
    loss : one number
    reward : (batch)
        1 where the model was right, else 0.
    """
    reward = (found.logits.argmax(dim=-1) == target).to(found.logits.dtype)
    advantage = reward.unsqueeze(1) - found.baseline  # (batch, n_glimpses)
    said = nn.functional.cross_entropy(found.logits, target)
    looked = -(advantage.detach() * found.log_prob).sum(dim=1).mean()
    # the first glimpse was not chosen, and nothing was expected before it
    expected = (advantage[:, 1:] ** 2).sum(dim=1).mean()
    return said + looked + expected, reward


def multiply_adds(model: RecurrentAttentionModel) -> int:
    """Multiplications (each with its addition) for one image: those of every matrix
    product. The baseline is left out, since it is needed in training alone.
    """
    every = (model.what, model.where, model.join_what, model.join_where)
    each = sum(layer.weight.numel() for layer in (*every, model.keep, model.take))
    choosing = model.locate.weight.numel() if model.policy == "learned" else 0
    steps = model.n_glimpses
    return steps * each + (steps - 1) * choosing + model.classify.weight.numel()
