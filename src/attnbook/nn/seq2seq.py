"""Recurrent encoder–decoder translators, with attention or with one fixed vector.

Cho et al. 2014 (https://arxiv.org/abs/1406.1078) squeeze the source sentence into
one vector. Bahdanau et al. 2015 (https://arxiv.org/abs/1409.0473) keep one vector
for each word, the *memory*, and look again before each word they write. Luong et
al. 2015 (https://arxiv.org/abs/1508.04025) look after updating the state instead of
before.

How the parts fit together, for a batch of sentences::

    memory, ends = encoder(src, src_mask)
    state = model.start(src, src_mask)  # everything a decoder needs to begin
    logits, weights, state = model.step(token, state)  # one word further
    logits, weights = model(src, tgt, src_mask)  # all steps: teacher forcing, fed
                                                 # with the right words

Shapes: src (batch, src) and tgt (batch, tgt) are token numbers; memory (batch, src,
d_memory); ends (batch, directions, d_hidden); logits (batch, vocab) a step, (batch,
tgt, vocab) a sentence; weights (batch, src) a step, (batch, tgt, src) a sentence,
None without attention.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnbook.nn import checks
from attnbook.nn.global_attention import Attention
from attnbook.nn.protocols import ScoredAttention


class GRUEncoder(nn.Module):
    """Reads the source word by word, in one direction or in both, and keeps what it
    held after each word.

    Bidirectional: the annotation h_j = [→h_j; ←h_j] of Bahdanau et al. 2015,
    section 3.2. The unit is torch.nn.GRU, in which the reset gate acts after the
    matrix product; in the papers it acts before it.

    Parameters
    ----------
    vocab : int
        Number of source tokens.
    d_embed, d_hidden : int
        Sizes of a word's vector and of the state, for each direction.
    bidirectional : bool
        Also read from the last word to the first.
    dropout : float
        Share of the word vectors' numbers set to zero in training.

    Attributes
    ----------
    d_memory : int
        Size of one annotation: d_hidden, or 2 d_hidden if bidirectional.
    """

    unit = nn.GRU

    def __init__(
        self,
        vocab: int,
        d_embed: int,
        d_hidden: int,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.sizes(vocab=vocab, d_embed=d_embed, d_hidden=d_hidden)
        checks.probability("dropout", dropout)
        self.vocab, self.d_hidden = vocab, d_hidden
        self.d_memory = 2 * d_hidden if bidirectional else d_hidden
        self.embedding = nn.Embedding(vocab, d_embed)
        self.dropout = nn.Dropout(dropout)
        self.rnn = self.unit(
            d_embed, d_hidden, batch_first=True, bidirectional=bidirectional
        )

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read the sentences.

        Parameters
        ----------
        src : (batch, src) of int
            Token numbers, padded at the end.
        src_mask : (batch, src) of bool, optional
            True for real tokens; all are real if left out.

        Returns
        -------
        memory : (batch, src, d_memory)
            One annotation a token; zeros at padding.
        ends : (batch, directions, d_hidden)
            The last state of each direction: forward after the last real word,
            backward after the first.

        Raises
        ------
        TypeError, ValueError
            If src holds no token numbers of this vocabulary, or src_mask does not
            fit, leaves a sentence empty, or has padding before a word.
        """
        checks.tokens("src", src, self.vocab, ("batch", "src"))
        checks.fits_parameters("src", src, self)
        checks.padding_mask("src_mask", src_mask, src, "src")
        if src_mask is None:
            src_mask = torch.ones_like(src, dtype=torch.bool)
        checks.padding_last("src_mask", src_mask)
        words = self.dropout(self.embedding(src))  # (batch, src, d_embed)
        # Packed, so that neither direction ever reads padding.
        lengths = src_mask.sum(dim=1).cpu()
        packed = pack_padded_sequence(
            words, lengths, batch_first=True, enforce_sorted=False
        )
        memory, ends = self.rnn(packed)
        memory, _ = pad_packed_sequence(
            memory, batch_first=True, total_length=src.shape[1]
        )
        # an LSTM also returns its memory cells, which nothing here needs
        if isinstance(ends, tuple):
            ends = ends[0]
        return memory, ends.transpose(0, 1)


class LSTMEncoder(GRUEncoder):
    """GRUEncoder with torch.nn.LSTM (Hochreiter & Schmidhuber 1997); same
    arguments, shapes and errors.
    """

    unit = nn.LSTM


@dataclass(frozen=True)
class DecoderState:
    """All that a decoder carries from one word to the next. Steps return a new one
    and leave the old as it was.

    Attributes
    ----------
    hidden : tuple of (batch, d_hidden)
        (h,) for a GRU, (h, c) for an LSTM.
    fed : (batch, d_hidden) or None
        The last attentional vector h̃, when input feeding is on.
    memory : (batch, src, d_memory)
    summary : (batch, d_memory)
        The fixed vector.
    mask : (batch, src) of bool
    prepared : (batch, src, …) or None
        What the score computed ahead from the memory.
    position : int
        Words written so far.
    """

    hidden: tuple[Tensor, ...]
    fed: Tensor | None
    memory: Tensor
    summary: Tensor
    mask: Tensor
    prepared: Tensor | None
    position: int = 0

    def select(self, rows: Tensor) -> DecoderState:
        """The state of these rows of the batch, in this order, repeats allowed:
        what beam search needs.

        Parameters
        ----------
        rows : (new batch,) of int
        """

        def pick(part: Tensor) -> Tensor:
            return part.index_select(0, rows)

        return DecoderState(
            hidden=tuple(pick(part) for part in self.hidden),
            fed=None if self.fed is None else pick(self.fed),
            memory=pick(self.memory),
            summary=pick(self.summary),
            mask=pick(self.mask),
            prepared=None if self.prepared is None else pick(self.prepared),
            position=self.position,
        )


class GRUDecoder(nn.Module):
    """Writes the target word by word; before or after each update of its state it
    may look at the memory.

    With ``query="previous"`` (Bahdanau et al. 2015, section 3.1 and appendix
    A.2.2)::

        c_i = attention(s_{i−1}, memory)
        s_i = GRU([E y_{i−1}; c_i], s_{i−1})
        t_i = maxout(U_o s_i + V_o E y_{i−1} + C_o c_i)
        logits = W_o t_i

    Maxout keeps the larger of each pair of 2 d_hidden numbers. The output is the
    paper's maxout layer, here with s_i, as its equation 4 has it (appendix A.2.2
    prints s_{i−1}).

    With ``query="current"`` (Luong et al. 2015, section 3, equations 5 and 6)::

        s_t = GRU(E y_{t−1}, s_{t−1})
        c_t = attention(s_t, memory)
        h̃_t = tanh(W_c [c_t; s_t])
        logits = W_s h̃_t

    Input feeding gives the unit the last h̃ as well: ``s_t = GRU([E y_{t−1};
    h̃_{t−1}], s_{t−1})``.

    With ``attention=None`` the same equations hold with one fixed vector c for
    every c_i: the encoder's last states (Cho et al. 2014). So two models that
    differ in ``attention`` alone differ in the attention alone.

    Parameters
    ----------
    vocab : int
        Number of target tokens.
    d_embed, d_hidden, d_memory : int
        Sizes of a word's vector, of the state, and of one annotation
        (``encoder.d_memory``).
    attention : torch.nn.Module or None
        A score such as ``AdditiveScore(d_hidden, d_memory, d_attention)``, which is
        wrapped in ``Attention``, or an attention over a score (``Attention``,
        ``LocalAttention``, ``HardAttention``), or None.
    input_feeding : bool
        Feed h̃ of the last step into the next (Luong et al. 2015, section 3.3);
        only with ``query="current"``.
    dropout : float
        Share of numbers set to zero in training, in the word vectors and before the
        output layer.
    query : "previous" or "current"
        Which state asks: the one before the update, or the one after it.
    """

    unit = nn.GRUCell

    def __init__(
        self,
        vocab: int,
        d_embed: int,
        d_hidden: int,
        d_memory: int,
        attention: nn.Module | None = None,
        input_feeding: bool = False,
        dropout: float = 0.0,
        query: str = "previous",
    ):
        super().__init__()
        checks.sizes(
            vocab=vocab, d_embed=d_embed, d_hidden=d_hidden, d_memory=d_memory
        )
        checks.attention_module("attention", attention)
        checks.probability("dropout", dropout)
        checks.one_of("query", query, ("previous", "current"))
        checks.feeding_needs_current("input_feeding", input_feeding, query)
        self.vocab, self.d_hidden, self.d_memory = vocab, d_hidden, d_memory
        self.query, self.input_feeding = query, input_feeding
        if hasattr(attention, "compare"):
            attention = Attention(attention)  # pyright: ignore[reportArgumentType]
        self.attention: ScoredAttention | None = attention  # pyright: ignore[reportAttributeAccessIssue]
        self.embedding = nn.Embedding(vocab, d_embed)
        self.dropout = nn.Dropout(dropout)
        if query == "previous":
            self.rnn = self.unit(d_embed + d_memory, d_hidden)
            # U_o, V_o, C_o side by side
            self.deep = nn.Linear(d_hidden + d_embed + d_memory, 2 * d_hidden)
        else:
            self.rnn = self.unit(
                d_embed + (d_hidden if input_feeding else 0), d_hidden
            )
            self.deep = nn.Linear(d_memory + d_hidden, d_hidden, bias=False)  # W_c
        self.output = nn.Linear(d_hidden, vocab)  # W_o, W_s

    def start(
        self,
        memory: Tensor,
        summary: Tensor,
        hidden: Tensor,
        mask: Tensor | None = None,
    ) -> DecoderState:
        """The state before the first word.

        Parameters
        ----------
        memory : (batch, src, d_memory)
        summary : (batch, d_memory)
            The fixed vector; used without attention only.
        hidden : (batch, d_hidden)
            s_0. An LSTM's memory cell starts at zero.
        mask : (batch, src) of bool, optional
            True for real tokens.

        Raises
        ------
        TypeError, ValueError
            If a shape does not fit.
        """
        checks.decoder_start(
            memory, summary, hidden, mask, self.d_memory, self.d_hidden
        )
        if mask is None:
            mask = torch.ones(
                memory.shape[:2], dtype=torch.bool, device=memory.device
            )
        return DecoderState(
            hidden=self.first(hidden),
            fed=torch.zeros_like(hidden) if self.input_feeding else None,
            memory=memory,
            summary=summary,
            mask=mask,
            prepared=None
            if self.attention is None
            else self.attention.score.prepare(memory),
        )

    def step(
        self, token: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """One word further: what comes after ``token``?

        Parameters
        ----------
        token : (batch,) of int
            The word before; at the first step the begin-of-sentence token.
        state : DecoderState

        Returns
        -------
        logits : (batch, vocab)
        weights : (batch, src), or None without attention
        state : DecoderState
            The next one; the given one is unchanged.

        Raises
        ------
        TypeError, ValueError
            If token is not (batch,) of this vocabulary.
        """
        checks.tokens("token", token, self.vocab, ("batch",))
        checks.fits_parameters("token", token, self)
        checks.same_batch("state", state.memory, "token", token)
        word = self.dropout(self.embedding(token))  # (batch, d_embed)
        features, weights, state = self.advance(word, state)
        return self.output(self.dropout(features)), weights, state

    def forward(
        self, tgt: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: after each of the right words, what comes next?

        Parameters
        ----------
        tgt : (batch, tgt) of int
            Begin-of-sentence, then the right words. Logits at position i are
            compared with word i + 1.
        state : DecoderState
            From ``start``.

        Returns
        -------
        logits : (batch, tgt, vocab)
        weights : (batch, tgt, src), or None without attention
        """
        checks.tokens("tgt", tgt, self.vocab, ("batch", "tgt"))
        checks.fits_parameters("tgt", tgt, self)
        checks.same_batch("state", state.memory, "tgt", tgt)
        words = self.dropout(self.embedding(tgt))  # (batch, tgt, d_embed)
        features, weights = [], []
        for word in words.unbind(dim=1):
            feature, weight, state = self.advance(word, state)
            features.append(feature)
            weights.append(weight)
        # The output layer is the largest by far: one product for all words is
        # faster than one a word.
        # (batch, tgt, vocab)
        logits = self.output(self.dropout(torch.stack(features, dim=1)))
        return logits, None if self.attention is None else torch.stack(
            weights, dim=1
        )

    def advance(
        self, word: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """One step of the equations above, up to t_i or h̃_t (batch, d_hidden),
        from a word's vector.
        """
        if self.query == "previous":
            context, weights = self.look(state.hidden[0], state)
            hidden = self.update(torch.cat([word, context], dim=-1), state.hidden)
            # (batch, 2 d_hidden), then maxout: (batch, d_hidden)
            pairs = self.deep(torch.cat([hidden[0], word, context], dim=-1))
            features = pairs.unflatten(-1, (-1, 2)).amax(dim=-1)
        else:
            fed = () if state.fed is None else (state.fed,)  # with input feeding
            read = torch.cat([word, *fed], dim=-1)
            hidden = self.update(read, state.hidden)
            context, weights = self.look(hidden[0], state)
            joined = torch.cat([context, hidden[0]], dim=-1)
            features = torch.tanh(self.deep(joined))  # h̃: (batch, d_hidden)
        fed = features if self.input_feeding else None
        return (
            features,
            weights,
            replace(state, hidden=hidden, fed=fed, position=state.position + 1),
        )

    def look(
        self, asking: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor | None]:
        """Context (batch, d_memory) and weights (batch, src) for one query (batch,
        d_hidden).
        """
        if self.attention is None:
            return state.summary, None
        context, weights = self.attention(
            asking.unsqueeze(1),  # (batch, 1, d_hidden)
            state.memory,
            state.memory,
            state.mask.unsqueeze(1),  # (batch, 1, src)
            prepared=state.prepared,
            position=state.position,
        )
        return context.squeeze(1), weights.squeeze(1)

    def first(self, hidden: Tensor) -> tuple[Tensor, ...]:
        """What the unit starts with: (h,)."""
        return (hidden,)

    def update(
        self, read: Tensor, hidden: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """The unit's next state from its input and its last state."""
        return (self.rnn(read, hidden[0]),)


class LSTMDecoder(GRUDecoder):
    """GRUDecoder with torch.nn.LSTMCell; same arguments, shapes and errors. Its
    state is (h, c).
    """

    unit = nn.LSTMCell

    def first(self, hidden: Tensor) -> tuple[Tensor, ...]:
        """What the unit starts with: (h, c), c at zero."""
        return (hidden, torch.zeros_like(hidden))

    def update(
        self, read: Tensor, hidden: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """The unit's next state from its input and its last state."""
        return self.rnn(read, hidden)


class Seq2Seq(nn.Module):
    """An encoder, a decoder, and the bridge between them: ``s_0 = tanh(W_s ←h_1)``.

    Bahdanau et al. 2015, appendix A.2.2: the decoder starts from the *backward*
    encoder's last state, which has just read the first word. An encoder of one
    direction has only →h_S, so that is used. Without attention the fixed vector is
    the last states of all directions, [→h_S; ←h_1].

    Parameters
    ----------
    encoder : GRUEncoder or LSTMEncoder
    decoder : GRUDecoder or LSTMDecoder
        With ``d_memory`` equal to ``encoder.d_memory``.
    """

    def __init__(self, encoder: GRUEncoder, decoder: GRUDecoder):
        super().__init__()
        checks.same_memory(encoder, decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.bridge = nn.Linear(encoder.d_hidden, decoder.d_hidden)  # W_s

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: logits for the word after each word of ``tgt``.

        Parameters
        ----------
        src : (batch, src) of int
        tgt : (batch, tgt) of int
            Begin-of-sentence, then the right words.
        src_mask : (batch, src) of bool, optional
            True for real tokens.

        Returns
        -------
        logits : (batch, tgt, vocab)
        weights : (batch, tgt, src), or None without attention
            Row i: where the decoder looked to write word i + 1. Zero at padding.

        Raises
        ------
        TypeError, ValueError
            If the tokens or the mask do not fit.
        """
        return self.decoder(tgt, self.start(src, src_mask))

    def start(self, src: Tensor, src_mask: Tensor | None = None) -> DecoderState:
        """Read the source; the state before the first target word."""
        memory, ends = self.encoder(src, src_mask)
        hidden = torch.tanh(self.bridge(ends[:, -1]))  # s_0: (batch, d_hidden)
        return self.decoder.start(memory, ends.flatten(1), hidden, src_mask)

    def step(
        self, token: Tensor, state: DecoderState
    ) -> tuple[Tensor, Tensor | None, DecoderState]:
        """One word further: token (batch,) → logits (batch, vocab), weights (batch,
        src) or None, next state.

        Greedy search feeds ``logits.argmax(-1)`` back; beam search also reorders
        with ``state.select(rows)``.
        """
        return self.decoder.step(token, state)
