"""Pictures drawn step by step, by a network that chooses where to read and where to
write.

Gregor, Danihelka, Graves, Rezende & Wierstra 2015, "DRAW: A Recurrent Neural
Network For Image Generation", https://arxiv.org/abs/1502.04623. It is a variational
autoencoder (Kingma & Welling 2014, https://arxiv.org/abs/1312.6114) whose encoder
and decoder take turns: at each step the encoder reads, a few numbers z pass to the
decoder, and the decoder adds something to a canvas.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from attnbook.nn import checks
from attnbook.nn.filter_bank import FilterBank


@dataclass(frozen=True)
class Drawing:
    """Every step of one drawing.

    Attributes
    ----------
    canvases : (batch, steps, height, width)
        After each step, in logits: the sigmoid of the last one is the picture.
    kl : (batch, steps)
        KL(q(z_t | picture) ‖ N(0, 1)) in nats; zeros where z came from the prior.
    read, write : (batch, steps, 5) or None
        Windows: x, y, stride, variance, intensity. None without attention; ``read``
        also where no picture was read.
    """

    canvases: Tensor
    kl: Tensor
    read: Tensor | None
    write: Tensor | None


def kl_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) in nats, summed over the last dimension.

    Parameters
    ----------
    mean, log_std : (…, latent)

    Returns
    -------
    (…,)

    Raises
    ------
    TypeError, ValueError
        If the two do not have the same shape.
    """
    checks.floating("mean", mean)
    checks.same_shape("log_std", log_std, "mean", mean)
    return (mean**2 + torch.exp(2 * log_std) - 1 - 2 * log_std).sum(dim=-1) / 2


def bernoulli_nats(logits: Tensor, picture: Tensor) -> Tensor:
    """−log p(picture) in nats, if each pixel is on with probability
    sigmoid(logit).

    Parameters
    ----------
    logits : (…, height, width)
    picture : (…, height, width)
        Pixels 0 or 1.

    Returns
    -------
    (…,)

    Raises
    ------
    TypeError, ValueError
        If the two do not have the same shape, or a pixel is not between 0 and 1.
    """
    checks.floating("logits", logits)
    checks.same_shape("picture", picture, "logits", logits)
    checks.probabilities("picture", picture)
    # softplus(c) − x c is −log σ(c) for x = 1 and −log(1 − σ(c)) for x = 0
    return (softplus(logits) - picture * logits).sum(dim=(-2, -1))


class DRAW(nn.Module):
    """Deep Recurrent Attentive Writer, the paper's equations 3 to 8, with the
    windows of section 3.3 or, without attention, of section 3.1.

    Parameters
    ----------
    height, width : int
        Of the pictures, in pixels.
    steps : int
        T, how often it reads and writes.
    hidden : int
        Numbers in the state of the encoder and of the decoder.
    latent : int
        Numbers in z_t.
    read_size, write_size : int or None
        N of the windows; None reads, or writes, the whole picture at each step.
    inside : bool
        Keep the windows on the picture; False is the paper's way.
    start : float
        Of all pixels of the first canvas, as a logit, before training. A canvas as
        faint as the average picture saves the steps that would only wipe it.
    """

    def __init__(
        self,
        height: int,
        width: int,
        steps: int = 6,
        hidden: int = 96,
        latent: int = 8,
        read_size: int | None = 5,
        write_size: int | None = 5,
        inside: bool = False,
        start: float = 0.0,
    ):
        super().__init__()
        checks.sizes(
            height=height, width=width, steps=steps, hidden=hidden, latent=latent
        )
        self.height, self.width, self.steps = height, width, steps
        self.hidden, self.latent = hidden, latent
        pixels = height * width
        self.reader = self.writer = None
        if read_size is not None:
            self.reader = FilterBank(read_size, height, width, inside)
            self.read_window = nn.Linear(hidden, 5)
        if write_size is not None:
            self.writer = FilterBank(write_size, height, width, inside)
            self.write_window = nn.Linear(hidden, 5)
        seen = pixels if read_size is None else read_size**2
        drawn = pixels if write_size is None else write_size**2
        # the picture and what is still wrong with the canvas
        self.encoder = nn.LSTMCell(2 * seen + hidden, hidden)
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.LSTMCell(latent, hidden)
        self.patch = nn.Linear(hidden, drawn)
        self.first_canvas = nn.Parameter(torch.full((height, width), float(start)))

    def forward(self, picture: Tensor, noise: Tensor | None = None) -> Drawing:
        """Read a picture and draw it again.

        Parameters
        ----------
        picture : (batch, height, width)
            Pixels from 0 to 1.
        noise : (batch, steps, latent), optional
            Standard normal numbers for the draws of z; drawn if left out.

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit, or a pixel is not between 0
            and 1.
        """
        checks.grey_pictures("picture", picture, self.height, self.width)
        checks.fits_parameters("picture", picture, self)
        checks.probabilities("picture", picture)
        if noise is None:
            size = (picture.shape[0], self.steps, self.latent)
            noise = torch.randn(size, dtype=picture.dtype, device=picture.device)
        checks.noise("noise", noise, self.steps, self.latent, picture.shape[0])
        return self._draw(picture, noise)

    def generate(self, noise: Tensor) -> Drawing:
        """Draw without a picture: z_t is the noise, as if from the prior.

        Parameters
        ----------
        noise : (batch, steps, latent)
            Standard normal numbers.

        Raises
        ------
        TypeError, ValueError
            If shape, dtype or device do not fit.
        """
        checks.noise("noise", noise, self.steps, self.latent, None)
        checks.fits_parameters("noise", noise, self)
        return self._draw(None, noise)

    def bound(self, picture: Tensor, noise: Tensor | None = None) -> Tensor:
        """An upper bound on −log p(picture) in nats, equations 9 to 12: (batch,).

        Of pixels that are 0 or 1; see ``forward`` for the arguments.
        """
        drawing = self(picture, noise)
        wrong = bernoulli_nats(drawing.canvases[:, -1], picture)
        return wrong + drawing.kl.sum(dim=-1)

    def _draw(self, picture: Tensor | None, noise: Tensor) -> Drawing:
        canvas = self.first_canvas.expand(len(noise), -1, -1)
        nothing = noise.new_zeros(len(noise), self.hidden)
        h_enc = c_enc = h_dec = c_dec = nothing
        canvases, divergences, reads, writes = [], [], [], []
        for z in noise.unbind(dim=1):
            if picture is not None:
                seen, window = self.look(picture, canvas, h_dec)
                reads.append(window)
                h_enc, c_enc = self.encoder(
                    torch.cat([seen, h_dec], dim=-1), (h_enc, c_enc)
                )
                mean, log_std = self.posterior(h_enc).chunk(2, dim=-1)
                divergences.append(kl_to_standard(mean, log_std))
                z = mean + torch.exp(log_std) * z  # (batch, latent)
            h_dec, c_dec = self.decoder(z, (h_dec, c_dec))
            added, window = self.add(h_dec)
            writes.append(window)
            canvas = canvas + added
            canvases.append(canvas)
        none = noise.new_zeros(noise.shape[:2])
        return Drawing(
            torch.stack(canvases, dim=1),
            torch.stack(divergences, dim=1) if divergences else none,
            torch.stack(reads, dim=1) if self.reader and reads else None,
            torch.stack(writes, dim=1) if self.writer else None,
        )

    def look(
        self, picture: Tensor, canvas: Tensor, h_dec: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Read the picture, and what is still wrong: (batch, seen) and the window
        (batch, 5).

        Parameters
        ----------
        picture, canvas : (batch, height, width)
            The canvas in logits.
        h_dec : (batch, hidden)
            The decoder's state, which says where.
        """
        wrong = picture - torch.sigmoid(canvas)
        if self.reader is None:
            return torch.cat([picture.flatten(1), wrong.flatten(1)], dim=-1), None
        window = self.reader.window(self.read_window(h_dec))
        F_y, F_x = self.reader.filters(
            window
        )  # once for both, as reader.read has it
        gamma = window[:, 4, None, None]
        seen = [gamma * (F_y @ p @ F_x.mT) for p in (picture, wrong)]
        return torch.stack(seen, dim=1).flatten(1), window

    def add(self, h_dec: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the decoder's state (batch, hidden) adds to the canvas: (batch,
        height, width), and the window (batch, 5).
        """
        patch = self.patch(h_dec)
        if self.writer is None:
            return patch.unflatten(-1, (self.height, self.width)), None
        window = self.writer.window(self.write_window(h_dec))
        patch = patch.unflatten(-1, (self.writer.size, self.writer.size))
        return self.writer.write(patch, window), window


class VAE(nn.Module):
    """A variational autoencoder that draws in one step: Kingma & Welling 2014,
    https://arxiv.org/abs/1312.6114, section 3 and appendix C.1.

    Parameters
    ----------
    height, width : int
        Of the pictures, in pixels.
    hidden : int
        Numbers in the hidden layer of the encoder and of the decoder.
    latent : int
        Numbers in z.
    start : float
        Of the pixels' biases, as a logit, before training; see ``DRAW``.
    """

    def __init__(
        self,
        height: int,
        width: int,
        hidden: int = 96,
        latent: int = 48,
        start: float = 0.0,
    ):
        super().__init__()
        checks.sizes(height=height, width=width, hidden=hidden, latent=latent)
        self.height, self.width, self.latent = height, width, latent
        self.encoder = nn.Linear(height * width, hidden)
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.Linear(latent, hidden)
        self.picture = nn.Linear(hidden, height * width)
        nn.init.constant_(self.picture.bias, float(start))

    def bound(self, picture: Tensor, noise: Tensor | None = None) -> Tensor:
        """An upper bound on −log p(picture) in nats: (batch,).

        Parameters
        ----------
        picture : (batch, height, width)
            Pixels 0 or 1.
        noise : (batch, latent), optional
            Standard normal numbers for the draw of z; drawn if left out.

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit, or a pixel is not between 0
            and 1.
        """
        checks.grey_pictures("picture", picture, self.height, self.width)
        checks.fits_parameters("picture", picture, self)
        hidden = torch.tanh(self.encoder(picture.flatten(1)))
        mean, log_std = self.posterior(hidden).chunk(2, dim=-1)
        if noise is None:
            noise = torch.randn_like(mean)
        z = mean + torch.exp(log_std) * noise  # (batch, latent)
        wrong = bernoulli_nats(self.generate(z), picture)
        return wrong + kl_to_standard(mean, log_std)

    def generate(self, z: Tensor) -> Tensor:
        """The picture of z (batch, latent), in logits: (batch, height, width).

        Raises
        ------
        TypeError, ValueError
            If ``z`` is no floating tensor of that shape.
        """
        checks.floating("z", z)
        checks.dimensions("z", z, ("batch", "latent"))
        checks.last_size("z", z, self.latent, "latent")
        logits = self.picture(torch.tanh(self.decoder(z)))
        return logits.unflatten(-1, (self.height, self.width))
