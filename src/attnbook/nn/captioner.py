"""Show, Attend and Tell: a sentence about an image, one attended place after the
other.

Xu et al. 2015, https://arxiv.org/abs/1502.03044. A convolutional network gives one
annotation for each place of the image, from a layer low enough to have places
still; an LSTM writes the caption, and asks the annotations before each word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.global_attention import Attention
from attnbook.nn.protocols import ScoredAttention


class ConvAnnotations(nn.Module):
    """Annotations from a convolutional layer that still has places: one vector for
    each 2 × 2 pixels.

    Two layers of 3 × 3, a maximum over 2 × 2, and ``deeper`` more layers of 3 × 3,
    each with a ReLU. Every further layer lets an annotation see two pixels more on
    each side: with ``deeper=1`` it sees 10 × 10 pixels, with ``deeper=3`` 18 × 18.
    The row and the column of the place, from −1 to 1, can stand behind the numbers.

    Parameters
    ----------
    channels : int
        Numbers that the last layer makes of each place.
    deeper : int
        Convolutions after the maximum.
    coordinates : bool
        Append row and column, so that ``d_annotation`` is ``channels + 2``.
    colours : int
        Numbers a pixel: 1 for grey, 3 for red, green and blue.
    """

    def __init__(
        self,
        channels: int = 64,
        deeper: int = 1,
        coordinates: bool = True,
        colours: int = 1,
    ):
        super().__init__()
        checks.sizes(channels=channels, deeper=deeper, colours=colours)
        self.channels, self.coordinates = channels, coordinates
        self.d_annotation = channels + 2 * coordinates
        layers = [
            *(nn.Conv2d(colours, 16, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        ]
        for depth in range(deeper):
            before = channels if depth else 32
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, colours, height, width) to annotations (batch, L,
        d_annotation), L = height/2 · width/2, row by row.

        Raises
        ------
        TypeError, ValueError
            If the images have another shape.
        """
        checks.floating("images", images)
        checks.dimensions("images", images, ("batch", "colours", "height", "width"))
        checks.fits_parameters("images", images, self)
        maps = self.layers(images)  # (batch, channels, height/2, width/2)
        if self.coordinates:
            rows, columns = (
                torch.linspace(-1, 1, n, device=maps.device, dtype=maps.dtype)
                for n in maps.shape[-2:]
            )
            row, column = torch.meshgrid(rows, columns, indexing="ij")
            where = torch.stack([row, column]).expand(len(maps), -1, -1, -1)
            maps = torch.cat([maps, where], dim=1)
        return maps.flatten(2).transpose(1, 2)


@dataclass(frozen=True)
class CaptionState:
    """What the captioner carries from word to word. Steps return a new one.

    Attributes
    ----------
    hidden, cell : (batch, d_hidden)
        h and c of the LSTM.
    annotations : (batch, L, d_annotation)
    fixed : (batch, d_annotation) or None
        The one vector for every word, of a captioner without attention.
    prepared : (batch, L, …) or None
        What the score computed ahead from the annotations.
    mask : (batch, 1, L) of bool or None
        True where attention may look.
    """

    hidden: Tensor
    cell: Tensor
    annotations: Tensor
    fixed: Tensor | None
    prepared: Tensor | None
    mask: Tensor | None


class ShowAttendTell(nn.Module):
    """Writes a caption from annotations; before each word it attends to them.

    Xu et al. 2015, equations 1 to 7 and section 4.2.1::

        α_t = attention's weights for the query h_{t−1}
        ẑ_t = φ(a, α_t)            soft: β_t Σ_i α_ti a_i; hard: β_t a_s, s drawn
        β_t = σ(f_β(h_{t−1}))                                             the gate
        h_t, c_t = LSTM([E y_{t−1}; ẑ_t], h_{t−1}, c_{t−1})
        logits = L_o (E y_{t−1} + L_h h_t + L_z ẑ_t)                  deep output

    With ``attention=None`` one fixed vector stands for every ẑ_t, a linear map of
    *all* annotations side by side, so that it may keep what is where.

    Parameters
    ----------
    encoder : torch.nn.Module
        Images to annotations (batch, L, d_annotation), such as ``ConvAnnotations``.
    vocab, d_annotation, d_embed, d_hidden : int
    attention : torch.nn.Module or None
        A score such as ``AdditiveScore(d_hidden, d_annotation, d_attention)`` (soft
        attention), or ``HardAttention`` over a score, or None.
    places : int or None
        L; needed without attention only.
    gate : bool
        Whether β is there; without it, 1.
    start : "mean" or "learned"
        h_0 and c_0 from the mean annotation, as in the paper, or the same learned
        vectors for every image.
    """

    def __init__(
        self,
        encoder: nn.Module,
        vocab: int,
        d_annotation: int,
        d_embed: int,
        d_hidden: int,
        attention: nn.Module | None = None,
        places: int | None = None,
        gate: bool = True,
        start: str = "mean",
    ):
        super().__init__()
        checks.sizes(
            vocab=vocab,
            d_annotation=d_annotation,
            d_embed=d_embed,
            d_hidden=d_hidden,
        )
        checks.attention_module("attention", attention)
        checks.one_of("start", start, ("mean", "learned"))
        if attention is None:
            checks.whole_number("places", places)
        self.encoder = encoder
        self.vocab, self.d_annotation, self.d_hidden = vocab, d_annotation, d_hidden
        if hasattr(attention, "compare"):
            attention = Attention(attention)  # pyright: ignore[reportArgumentType]
        self.attention: ScoredAttention | None = attention  # pyright: ignore[reportAttributeAccessIssue]
        self.embedding = nn.Embedding(vocab, d_embed)  # E
        self.lstm = nn.LSTMCell(d_embed + d_annotation, d_hidden)
        self.gate = nn.Linear(d_hidden, 1) if gate else None  # f_β
        if start == "mean":
            self.first_hidden = nn.Linear(d_annotation, d_hidden)  # f_init,h
            self.first_cell = nn.Linear(d_annotation, d_hidden)  # f_init,c
        else:
            self.first_hidden = self.first_cell = None
            self.learned = nn.Parameter(torch.zeros(2, d_hidden))
        if attention is None and places is not None:
            self.fixed = nn.Linear(places * d_annotation, d_annotation)
        self.from_hidden = nn.Linear(d_hidden, d_embed)  # L_h
        self.from_context = nn.Linear(d_annotation, d_embed)  # L_z
        self.output = nn.Linear(d_embed, vocab)  # L_o

    def forward(
        self, images: Tensor, tgt: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: after each of the right words, what comes next?

        Parameters
        ----------
        images : what the encoder takes
        tgt : (batch, tgt) of int
            Begin-of-sentence, then the right words.
        mask : (batch, L) of bool, optional
            True where attention may look.

        Returns
        -------
        logits : (batch, tgt, vocab)
        weights : (batch, tgt, L), or None without attention
            Row t: where it looked to write word t + 1.

        Raises
        ------
        TypeError, ValueError
            If tokens, annotations or mask do not fit.
        """
        return self.decode(self.encoder(images), tgt, mask)

    def decode(
        self, annotations: Tensor, tgt: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """As ``forward``, from annotations (batch, L, d_annotation) that somebody
        kept.
        """
        checks.tokens("tgt", tgt, self.vocab, ("batch", "tgt"))
        state = self.start(annotations, mask)
        checks.same_batch("annotations", annotations, "tgt", tgt)
        logits, weights = [], []
        for word in self.embedding(tgt).unbind(dim=1):
            scored, weight, state = self.advance(word, state)
            logits.append(scored)
            weights.append(weight)
        if self.attention is None:
            return torch.stack(logits, dim=1), None
        return torch.stack(logits, dim=1), torch.stack(weights, dim=1)

    def start(
        self, annotations: Tensor, mask: Tensor | None = None
    ) -> CaptionState:
        """The state before the first word, from annotations (batch, L,
        d_annotation) and a mask (batch, L) of bool, True where attention may look.
        """
        checks.annotations(annotations, mask, self)
        if self.first_hidden is not None and self.first_cell is not None:
            mean = annotations.mean(dim=1)  # (batch, d_annotation)
            hidden = torch.tanh(self.first_hidden(mean))
            cell = torch.tanh(self.first_cell(mean))
        else:
            hidden, cell = (
                vector.expand(len(annotations), -1) for vector in self.learned
            )
        fixed = prepared = None
        if self.attention is None:
            fixed = torch.tanh(self.fixed(annotations.flatten(1)))
        else:
            prepared = self.attention.score.prepare(annotations)
        seen = None if mask is None else mask.unsqueeze(1)
        return CaptionState(hidden, cell, annotations, fixed, prepared, seen)

    def step(
        self, token: Tensor, state: CaptionState, place: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, CaptionState]:
        """One word further: what comes after ``token``?

        Parameters
        ----------
        token : (batch,) of int
        state : CaptionState
        place : (batch,) of int, optional
            Look there and nowhere else, whatever the weights say.

        Returns
        -------
        logits : (batch, vocab)
        weights : (batch, L), or None without attention
            What attention chose, also where ``place`` overrules it.
        state : CaptionState
            The next one; the given one is unchanged.

        Raises
        ------
        TypeError, ValueError
            If token is not (batch,) of this vocabulary, place not (batch,) of
            places of the annotations, or there is a place and no attention.
        """
        checks.tokens("token", token, self.vocab, ("batch",))
        checks.same_batch("state", state.annotations, "token", token)
        if place is not None:
            checks.forced_place(place, state.annotations, self.attention)
        return self.advance(self.embedding(token), state, place)

    def advance(
        self, word: Tensor, state: CaptionState, place: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, CaptionState]:
        """One step of the equations above, from a word's vector (batch,
        d_embed).
        """
        context, weights = self.look(state)
        if place is not None and weights is not None:
            rows = torch.arange(len(place), device=place.device)
            context = state.annotations[rows, place]
        if self.gate is not None:
            context = torch.sigmoid(self.gate(state.hidden)) * context  # β_t ẑ_t
        read = torch.cat([word, context], dim=-1)
        hidden, cell = self.lstm(read, (state.hidden, state.cell))
        deep = word + self.from_hidden(hidden) + self.from_context(context)
        logits = self.output(deep)  # (batch, vocab)
        return logits, weights, replace(state, hidden=hidden, cell=cell)

    def look(self, state: CaptionState) -> tuple[Tensor, Tensor | None]:
        """Context (batch, d_annotation) and weights (batch, L) for the query
        h_{t−1}.
        """
        if self.attention is None:
            assert state.fixed is not None
            return state.fixed, None
        context, weights = self.attention(
            state.hidden.unsqueeze(1),
            state.annotations,
            state.annotations,
            state.mask,
            prepared=state.prepared,
        )
        return context.squeeze(1), weights.squeeze(1)

    @torch.no_grad()
    def caption(
        self, images: Tensor, bos: int, eos: int, longest: int = 20
    ) -> tuple[list[list[int]], Tensor | None]:
        """Greedy captions: the most probable word, again and again. As in
        evaluation, also while the model trains: hard attention takes the likeliest
        place and draws none.

        Parameters
        ----------
        images : what the encoder takes
        bos, eos : int
            Where a caption begins and ends.
        longest : int
            Words after which an endless caption is cut.

        Returns
        -------
        captions : list of list of int
            Without ``bos`` and ``eos``.
        weights : (batch, steps, L), or None without attention
            Row t: where it looked to write word t, of a caption that has one.
        """
        checks.whole_number("longest", longest)
        # One by one, because a frozen encoder may be in evaluation already.
        training = [module for module in self.modules() if module.training]
        self.eval()
        try:
            return self.write(images, bos, eos, longest)
        finally:
            for module in training:
                module.training = True

    def write(
        self, images: Tensor, bos: int, eos: int, longest: int
    ) -> tuple[list[list[int]], Tensor | None]:
        """``caption`` in the mode in which the model is."""
        state = self.start(self.encoder(images))
        token = torch.full((len(images),), bos, device=images.device)
        words, weights = [], []
        for _ in range(longest):
            logits, weight, state = self.step(token, state)
            token = logits.argmax(dim=-1)
            words.append(token)
            weights.append(weight)
            if (torch.stack(words) == eos).any(dim=0).all():
                break
        rows = torch.stack(words, dim=1).tolist()
        captions = [row[: row.index(eos)] if eos in row else row for row in rows]
        if self.attention is None:
            return captions, None
        return captions, torch.stack(weights, dim=1)


def doubly_stochastic_penalty(
    weights: Tensor, mask: Tensor | None = None
) -> Tensor:
    """``Σ_i (1 − Σ_t α_ti)²``, averaged over the batch: asks each place to get
    about as much attention as any other over the whole caption.

    Xu et al. 2015, section 4.2.1, equation 14. Each row of weights sums to 1 over
    the places by softmax; this asks for the same over the words.

    Parameters
    ----------
    weights : (batch, tgt, L)
    mask : (batch, tgt) of bool, optional
        True for words that count.

    Returns
    -------
    A number (a tensor without dimensions).

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit.
    """
    checks.floating("weights", weights)
    checks.dimensions("weights", weights, ("batch", "tgt", "L"))
    if mask is not None:
        checks.word_mask(mask, weights)
        weights = weights.masked_fill(~mask.unsqueeze(-1), 0.0)
    received = weights.sum(dim=1)  # (batch, L)
    return ((1 - received) ** 2).sum(dim=-1).mean()
