"""HeadExplorer: every head of a model, what it looks at, and what is lost without it."""

from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.heads_of_translation import TranslationHeads
from attnbook.widgets.heads_of_words import WordHeads
from attnbook.widgets.heads_shared import beside
from attnbook.widgets.own_model import thinned, windowed


class HeadExplorer(PredictFirst):
    """Layers × heads as small pictures, one of them large; compare, average, ablate, edit, match to roles.

    Make it from a model with :meth:`from_model`, and everything recomputes in the page: weights, and beside
    them the model's guess with and without the heads that are switched off. Or from weights alone:

    Parameters
    ----------
    tokens : list of words
        The rows: what asks.
    weights : (layers, heads, n_tgt, n_src)
        Each row adds up to 1, or is all 0. n_tgt is the number of tokens.
    src : list of words, optional
        The columns, where they are other words than the rows; the tokens themselves if left out. For all
        three kinds of attention of a translator see :meth:`from_translation`.
    outputs : (layers, heads, n_tgt, d), optional
        What each head adds to its layer's output, after W_o. With them heads can be switched off: the page
        shows how much shorter the sum gets at a word.
    roles : dict, optional
        ``{(layer, head): (role, why)}``, counted from 0: what a rule says that the head does, and one
        sentence on what the rule measured. The reader matches heads and roles first.
    other_roles : list of str, optional
        More names to choose from, which no head has.
    head : (layer, head)
        Shown first.
    ask : int, optional
        The word at which the output is shown: without a model the first if left out; see ``from_model``.
    view : "one", "compare", "difference" or "average"
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`. Without roles there is nothing to predict.

    Notes
    -----
    Layers and heads are counted from 0 here, as tensors are, and shown to the reader from 1. At most
    64 words, 12 layers and 16 heads.

    Attributes
    ----------
    tokens : list of str
        With a model, assign other words of its vocabulary.
    head, other : [layer, head]
    ablated : list of [layer, head]
    ablation : "zero" or "mean"
        What an ablated head hands on: zeros, or its mean over many sentences (``model.head_means``).
    ask : int or None
    cell : [row, column] or None
        The cell whose arithmetic is shown.
    sentence, kind, row, column, hidden, hidden_written
        Of translations: see :meth:`from_translation`.
    weights : (layers, heads, n_tgt, n_src) lists
    query_words, key_words : list of str, or None
        Of translations: the words of the rows and of the columns.
    probabilities : dict, or None
        ``before`` and ``after`` the ablation, one share a word of the vocabulary.
    loss : [before, after], or None
        Minus the logarithm of the true word's share, in nats.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("HeadExplorer.js")
    _css = bundle("HeadExplorer.css")

    content = traitlets.Dict(help="Words, roles and packed numbers; read-only.").tag(sync=True)
    head = Mirror("[layer, head] that is shown large, from 0")
    other = Mirror("[layer, head] beside it, from 0")
    view = Mirror("one, compare, difference or average")
    weights = Mirror("(layers, heads, n_tgt, n_src); set what they follow from", derived=True)
    # Of words.
    tokens = Mirror("the words of the rows")
    ablated = Mirror("list of [layer, head] that are switched off, from 0")
    ablation = Mirror("zero or mean")
    ask = Mirror("the word at which the output is shown, or None")
    cell = Mirror("row and column of the arithmetic")
    probabilities = Mirror("the model's shares before and after the ablation", derived=True)
    loss = Mirror("minus the logarithm of the true word's share, before and after", derived=True)
    # Of translations.
    sentence = Mirror("which translation, from 0")
    kind = Mirror("encoder, decoder or cross")
    row = Mirror("the query, from 0")
    column = Mirror("the key whose arithmetic is shown, or None")
    hidden = Mirror("source words that are hidden, from 0")
    hidden_written = Mirror("keys of the decoder that are hidden, from 0")
    query_words = Mirror("the words of the rows; set sentence or kind", derived=True)
    key_words = Mirror("the words of the columns; set sentence or kind", derived=True)

    def __init__(
        self,
        tokens,
        weights,
        *,
        src=None,
        outputs=None,
        roles=None,
        other_roles=(),
        head=(0, 0),
        ask=None,
        view="one",
        challenge="",
        predict=True,
        theme="auto",
    ):
        heads = WordHeads.of_weights(tokens, weights, src, outputs, roles, other_roles)
        ask = 0 if ask is None else ask
        self._show_words(heads, head, ask, view, predict, challenge=challenge, theme=theme)

    def _show_words(self, heads, head, ask, view, predict, **traits):
        unpredicted = self._unpredicted(predict)
        state = {
            "tokens": heads.content["sentences"][0],
            "head": head,
            "other": beside(head, heads.sizes[1]),
            "view": view,
            "ablated": [],
            "ablation": "zero",
            "ask": ask,
            "cell": None,
            **unpredicted,
            "revealed": unpredicted["revealed"] or not heads.content["roles"],
        }
        self._heads = heads
        super().__init__(state, content=heads.content, **traits)

    @classmethod
    def from_model(
        cls,
        model,
        sentences,
        vocabulary,
        *,
        mask_word=None,
        head_means=None,
        ask="last",
        roles=None,
        other_roles=(),
        head=(0, 0),
        view="one",
        challenge="",
        predict=True,
        theme="auto",
    ):
        """A widget that runs a small trained model in the page.

        Parameters
        ----------
        model : attnbook.nn.WordModel or attnbook.nn.MaskedWordModel
            At most 50,000 parameters, at 5.3 bytes each in the notebook: two layers with d_model = 32 and 100
            words are about 15,000, so 80 kB. It is half of that where half precision holds every parameter
            as it is, as in the models that ship; others are rounded to float32. Weights, probabilities and
            loss equal the model's within 1e-5.
        sentences : list of words, or list of such lists
            Those that the reader can choose; the first is shown. Any word of theirs can be changed to
            another of the vocabulary.
        vocabulary : list of str
            The word of every token number.
        mask_word : str, optional
            For a model that is not causal: the word of the vocabulary that stands for a hidden one. The word
            at ``ask`` is hidden from the model, which guesses it. A causal model guesses the word after
            ``ask``.
        head_means : (n_layers, n_heads, d_head) or (n_layers, n_heads, 2, d_head), optional
            What each head hands on, before W_o, on average over many sentences; with a dimension of 2, for
            visible words and for hidden ones. If left out, the model's own ``head_means``. Without any, a
            head can only be ablated to zeros.
        ask : int, None or "last"
            Where the model is asked first; "last": the last word that can be. None: nowhere.
        roles, other_roles, head, view, challenge, predict, theme
            As in :class:`HeadExplorer`.

        Raises
        ------
        ValueError
            If the model is too large, or a word is not in the vocabulary.
        """
        heads = WordHeads.of_model(model, sentences, vocabulary, mask_word, head_means, roles, other_roles)
        if ask == "last":
            ask = max(0, len(heads.content["sentences"][0]) - 1 - heads.content["model"]["causal"])
        made = cls.__new__(cls)
        made._show_words(heads, head, ask, view, predict, challenge=challenge, theme=theme)
        return made

    @classmethod
    def from_translation(
        cls,
        translations,
        *,
        sentence=0,
        kind="cross",
        head=(0, 0),
        row=0,
        view="one",
        challenge="",
        predict=True,
        theme="auto",
    ):
        """A widget for a translator: encoder self-attention, decoder self-attention and cross-attention.

        The reader chooses a sentence, a kind and a head, predicts where it looks, steps through the words
        that were written, and hides words: every head's weights are computed anew in the page.

        Parameters
        ----------
        translations : attnbook.translation.Translation, or a list of 1 to 12
            As ``translator.explain(text)`` gives them, all of one model. One of 16 words from a model of two
            layers with four heads takes 9 kB in the notebook, so six take 55.
        sentence : int
            Which one is shown first.
        kind : "encoder", "decoder" or "cross"
        head : (layer, head), from 0
        row : int or str
            The word that looks, as a position or as the word itself, such as ``"traversé"``; the prediction
            asks about this row of this head.
        view, challenge, predict, theme
            As in :class:`HeadExplorer`.

        Returns
        -------
        HeadExplorer
            With the traits ``sentence, kind, head, other, view``; ``row``, the query, by its position or by
            its word: the source word that looks (encoder), or the word that is being written (decoder,
            cross); ``column``, the key whose arithmetic is shown, None for the largest weight; ``hidden``,
            source words that no query may look at, in the encoder and in cross-attention;
            ``hidden_written``, the same for the decoder's keys, ``<bos>`` and the words written so far; and
            ``query_words, key_words, weights`` of this sentence and kind, without the hidden words: a row
            with nothing left is all 0. See :mod:`attnbook.widgets.heads_of_translation` for how near they
            are to the model's own.

        Raises
        ------
        ValueError
            Naming the translation or the option and what is wrong with it.
        """
        made = cls.__new__(cls)
        made._show_translation(
            TranslationHeads(translations),
            sentence,
            kind,
            head,
            row,
            view,
            predict,
            challenge=challenge,
            theme=theme,
        )
        return made

    @classmethod
    def from_transformers(
        cls,
        model,
        tokenizer,
        text,
        *,
        kind=None,
        tgt=None,
        row=0,
        merge=False,
        start=0,
        layers=None,
        heads=None,
        head=(0, 0),
        view="one",
        challenge="",
        theme="auto",
    ):
        """A widget for a model of Hugging Face: an encoder, a decoder, or both.

        A fused kernel never holds the attention weights: load the model with
        ``attn_implementation="eager"``.

        Parameters
        ----------
        model : of transformers
        tokenizer : of transformers
            The model's own.
        text : str, list of str, or the tokenizer's output
            Of a batch, ``row`` is shown, without its padding.
        kind : "encoder", "decoder" or "cross", optional
            Of a model with both an encoder and a decoder; left out: the encoder.
        tgt : str or list of str, optional
            Of such a model: what the decoder reads. Left out, the model writes it.
        row : int
        merge : bool
            Show words instead of pieces of words.
        start : int or (row, column)
            Where the window on a text of more than 64 tokens begins; the weight on all that is outside stands
            in a column of its own.
        layers, heads : list of int, optional
            Which are shown, from 0. Left out: all, or as many as fit, spread evenly.
        head, view, challenge, theme
            As in :class:`HeadExplorer`.

        Returns
        -------
        HeadExplorer
            The weights travel, not the model: 4 bytes a weight, and a third more as text.

        Raises
        ------
        ValueError
            In one sentence: what ``attnbook.models.read_attention`` refuses, or an option out of range.
        """
        from attnbook.models import read_attention

        reading = read_attention(model, tokenizer, text, tgt=tgt, row=row, merge=merge)
        shown = windowed(reading[next(iter(reading.kinds)) if kind is None else kind], start)
        weights, which = thinned(shown.weights, layers, heads)
        same = shown.rows == shown.columns
        return cls(
            shown.rows,
            weights,
            src=None if same else shown.columns,
            head=head,
            view=view,
            challenge=" ".join(filter(None, (challenge, which))),
            predict=False,
            theme=theme,
        )

    def _show_translation(self, heads, sentence, kind, head, row, view, predict, **traits):
        state = {
            "sentence": sentence,
            "kind": kind,
            "head": head,
            "other": beside(head, heads.sizes[1]),
            "view": view,
            "row": row,
            "column": None,
            "hidden": [],
            "hidden_written": [],
            **self._unpredicted(predict),
        }
        if isinstance(row, str) and sentence in range(len(heads.content["translations"])):
            state["row"] = heads.row_of(row, state)
        self._heads = heads
        super().__init__(state, content=heads.content, **traits)

    @traitlets.validate("content")
    def _fixed(self, proposal):
        if proposal["value"] != self._heads.content:
            raise traitlets.TraitError("content: expected no assignment; make a new widget, or set tokens.")
        return proposal["value"]

    # All that differs between words and translations is said by WordHeads and TranslationHeads.

    def _declare(self):
        return self._heads.declare()

    def _sizes(self, state):
        return self._heads.measured(state)

    def _agree(self, state):
        self._heads.agree(state)

    def _compute(self, state):
        return self._heads.compute(state)

    def _derived(self, state):
        return self._heads.derived(state, self._numbers(state))

    def _options(self, state):
        return self._heads.options(state)

    def _outcome(self, state):
        return self._heads.outcome(state, self._numbers(state))

    def _completed(self, prediction, state):
        # Roles are matched, not guessed with a share: what came out stands in the content.
        return prediction if isinstance(self._heads, WordHeads) else super()._completed(prediction, state)

    def _graded(self, prediction, state):
        if isinstance(self._heads, WordHeads):
            return self._heads.graded(prediction)
        return super()._graded(prediction, state)

    def _edited(self, name, value, state):
        if name not in self._declared.parts:
            raise ValueError(f"{name}: expected no assignment, since this widget shows {self._heads.what}.")
        if name == "prediction" and value is None:
            return super()._edited(name, value, state)
        return self._heads.edited(name, value, state)

    def _sentence(self, state):
        return self._heads.sentence(state, self._numbers(state))

    def _figure(self):
        return self._heads.figure(self.state, self._numbers(self.state))
