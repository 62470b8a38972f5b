"""HeadExplorer: every head of a small model, what it looks at, and what is lost without it."""

import base64
import struct

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, Widget, bundle, traitlets

VIEWS = ("one", "compare", "difference", "average")
ABLATIONS = ("zero", "mean")
MOST_WORDS = 64
MOST_HEADS = 16  # in a layer
MOST_LAYERS = 8
HIDDEN = "Match each head with its role, or skip."
MOST_NUMBERS = 50_000  # of a model: 200 kB as float32, 267 kB in a notebook


class Reader:
    """A small trained model in float64 NumPy, as js/word_model.js computes it.

    Parameters
    ----------
    sizes : dict
        ``vocab, d_model, n_heads, n_layers, max_length``, ``d_ff`` (0: none), ``causal``, ``tied``, ``norms``
        (whether there are layer norms), ``bias`` (how many numbers the output layer adds: vocab or 0),
        ``hidden`` (the token number of a hidden word, or -1).
    numbers : sequence of float
        All parameters, one after the other, in the order in which ``__init__`` takes them.
    """

    def __init__(self, sizes: dict, numbers):
        self.sizes = sizes
        left = np.asarray(numbers, dtype=np.float64)
        d, d_ff = sizes["d_model"], sizes["d_ff"]

        def take(*shape):
            nonlocal left
            part, left = left[: int(np.prod(shape))], left[int(np.prod(shape)) :]
            return part.reshape(shape)

        self.embedding, self.positions = take(sizes["vocab"], d), take(sizes["max_length"], d)
        self.layers = []
        for _ in range(sizes["n_layers"]):
            layer = {"norm_1": (take(d), take(d)) if sizes["norms"] else None}
            layer.update({name: (take(d, d), take(d)) for name in ("q", "k", "v", "o")})
            if d_ff:
                layer.update(
                    norm_2=(take(d), take(d)), W_1=(take(d_ff, d), take(d_ff)), W_2=(take(d, d_ff), take(d))
                )
            self.layers.append(layer)
        self.norm = (take(d), take(d)) if sizes["norms"] else None
        self.output = self.embedding if sizes["tied"] else take(sizes["vocab"], d)
        self.bias = take(sizes["bias"]) if sizes["bias"] else 0.0
        self.means = take(2, sizes["n_layers"], d)  # of visible words, of hidden ones

    def __call__(self, tokens, ablated=(), ablation="zero") -> dict:
        """``logits`` (length, vocab) and ``weights`` (n_layers, n_heads, length, length)."""
        n_heads = self.sizes["n_heads"]
        d_head = self.sizes["d_model"] // n_heads
        hidden = (np.asarray(tokens) == self.sizes["hidden"]).astype(int)
        x = self.embedding[list(tokens)] + self.positions[: len(tokens)]
        all_weights = []
        for i, layer in enumerate(self.layers):
            inside = _norm(x, layer["norm_1"])
            q, k, v = (
                (inside @ layer[name][0].T + layer[name][1]).reshape(-1, n_heads, d_head).transpose(1, 0, 2)
                for name in "qkv"
            )
            scores = q @ k.transpose(0, 2, 1) / np.sqrt(d_head)
            if self.sizes["causal"]:
                scores = np.where(np.tri(len(x), dtype=bool), scores, -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            contexts = weights @ v  # (n_heads, length, d_head)
            for at, head in ablated:
                if at == i:
                    mean = self.means[hidden, i, head * d_head : (head + 1) * d_head]  # (length, d_head)
                    contexts[head] = mean if ablation == "mean" else 0.0
            merged = contexts.transpose(1, 0, 2).reshape(len(x), -1)
            x = x + merged @ layer["o"][0].T + layer["o"][1]
            if "W_1" in layer:
                inner = _norm(x, layer["norm_2"]) @ layer["W_1"][0].T + layer["W_1"][1]
                x = x + np.maximum(inner, 0) @ layer["W_2"][0].T + layer["W_2"][1]
            all_weights.append(weights)
        return {"logits": _norm(x, self.norm) @ self.output.T + self.bias, "weights": np.stack(all_weights)}


def _norm(x, learned):
    if learned is None:
        return x
    gain, bias = learned
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gain + bias


class HeadExplorer(Widget):
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
    64 words, 8 layers and 16 heads.

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
    weights : (layers, heads, n_tgt, n_src) lists
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

    content = traitlets.Dict(help="Words, roles and numbers, packed as float32; read-only.").tag(sync=True)
    tokens = Mirror("the words of the rows")
    head = Mirror("[layer, head] that is shown large, from 0")
    other = Mirror("[layer, head] beside it, from 0")
    view = Mirror("one, compare, difference or average")
    ablated = Mirror("list of [layer, head] that are switched off, from 0")
    ablation = Mirror("zero or mean")
    ask = Mirror("the word at which the output is shown, or None")
    cell = Mirror("row and column of the arithmetic")
    revealed = Mirror("whether the roles are in view")
    weights = Mirror("(layers, heads, n_tgt, n_src); set tokens, ask or ablated", derived=True)
    probabilities = Mirror("the model's shares before and after the ablation", derived=True)
    loss = Mirror("minus the logarithm of the true word's share, before and after", derived=True)

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
        _model=None,
    ):
        if not isinstance(predict, bool):
            raise ValueError(f"predict: expected True or False, got {predict!r}.")
        self._reader = self._outputs = self._static_weights = None
        if _model is None:
            words = _words("tokens", tokens)
            columns = words if src is None else _words("src", src)
            self._static_weights = _weights(weights, len(words), len(columns))
            n_layers, n_heads = self._static_weights.shape[:2]
            content = {"sentences": [words], "src": None if src is None else columns, "verb": "look at "}
            content["weights"] = _pack(self._static_weights)
            if outputs is not None:
                self._outputs = _array("outputs", outputs, (n_layers, n_heads, len(words), None))
                content["outputs"] = _pack(self._outputs)
            ask = 0 if ask is None else ask
        else:
            content, self._reader = _model
            n_layers, n_heads = (self._reader.sizes[name] for name in ("n_layers", "n_heads"))
        if not (1 <= n_layers <= MOST_LAYERS and 1 <= n_heads <= MOST_HEADS):
            raise ValueError(
                f"weights: expected at most {MOST_LAYERS} layers and {MOST_HEADS} heads, got {n_layers} and "
                f"{n_heads}."
            )
        self._sizes = n_layers, n_heads
        asked, options = _roles(roles, other_roles, n_layers, n_heads)
        self._content = {**content, "sizes": [n_layers, n_heads], "roles": asked, "options": options}
        self._last = None
        super().__init__(
            {
                "tokens": content["sentences"][0],
                "head": head,
                "other": [0, min(1, n_heads - 1)] if head in ((0, 0), [0, 0]) else [0, 0],
                "view": view,
                "ablated": [],
                "ablation": "zero",
                "ask": ask,
                "cell": None,
                "prediction": None,
                "revealed": not (predict and asked),
                "score": None,
            },
            challenge=challenge,
            theme=theme,
            content=self._content,
        )

    @classmethod
    def from_model(
        cls, model, sentences, vocabulary, *, mask_word=None, head_means=None, ask="last", **options
    ):
        """A widget that runs a small trained model in the page.

        Parameters
        ----------
        model : attnbook.nn.WordModel or attnbook.nn.MaskedWordModel
            At most 50,000 parameters, at 5.3 bytes each in the notebook: two layers with d_model = 32 and 100
            words are about 15,000, so 80 kB. They are rounded to float32; weights, probabilities and loss
            equal the model's within 1e-5.
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
        **options
            ``roles, other_roles, head, view, challenge, predict, theme`` as in :class:`HeadExplorer`.

        Raises
        ------
        ValueError
            If the model is too large, or a word is not in the vocabulary.
        """
        words = values.words("vocabulary", list(vocabulary))
        sizes, parameters, means = _taken_apart(model)
        if head_means is not None:
            means = head_means
        if len(words) != sizes["vocab"] or len(set(words)) != len(words):
            raise ValueError(
                f"vocabulary: expected {sizes['vocab']} different words, one a token number of the model, "
                f"got {len(set(words))} different of {len(words)}."
            )
        several = isinstance(sentences, list | tuple) and sentences and not isinstance(sentences[0], str)
        given = [
            _words(f"sentences[{i}]", one) for i, one in enumerate(sentences if several else [sentences])
        ]
        longest = max(map(len, given))
        if longest > sizes["max_length"]:
            raise ValueError(
                f"sentences: expected at most {sizes['max_length']} words, as the model reads, got {longest}."
            )
        if sizes["causal"] and mask_word is not None:
            raise ValueError("mask_word: expected none, since a causal model guesses the next word.")
        if not sizes["causal"] and mask_word not in words:
            raise ValueError(
                "mask_word: expected the word of the vocabulary that stands for a hidden one, got "
                f"{mask_word!r}."
            )
        sizes["max_length"] = longest  # positions beyond it stay behind
        parameters[1] = parameters[1][:longest]
        sizes["hidden"] = -1 if mask_word is None else words.index(mask_word)
        parameters.append(_head_means(means, sizes))
        numbers = np.concatenate([_numpy(part).ravel() for part in parameters]).astype("f4")
        if len(numbers) > MOST_NUMBERS:
            raise ValueError(
                f"model: expected at most {MOST_NUMBERS:,} parameters, since they travel in the notebook, "
                f"got {len(numbers):,}; make d_model, d_ff or the vocabulary smaller."
            )
        packed = {**sizes, "vocabulary": words, "mask": mask_word, "numbers": _pack(numbers)}
        packed["means"] = means is not None
        content = {"sentences": given, "src": None, "model": packed}
        content["verb"] = "guess after " if sizes["causal"] else "hide "
        if ask == "last":
            ask = max(0, len(given[0]) - 1 - sizes["causal"])
        return cls(given[0], None, ask=ask, **options, _model=(content, Reader(sizes, numbers)))

    @staticmethod
    def from_translation(translations, **options):
        """A widget for a translator: encoder self-attention, decoder self-attention and cross-attention.

        The reader chooses a sentence, a kind and a head, predicts where it looks, steps through the words
        that were written, and hides words: every head's weights are computed anew in the page.

        Parameters
        ----------
        translations : attnbook.translation.Translation, or a list of 1 to 12
            As ``translator.explain(text)`` gives them, all of one model. One of 16 words from a model of two
            layers with four heads takes 9 kB in the notebook, so six take 55.
        **options
            ``sentence=0`` : which one is shown first.
            ``kind="cross"`` : or "encoder", "decoder".
            ``head=(0, 0)`` : layer and head, from 0.
            ``row=0`` : the word that looks, as a position or as the word itself, such as ``"traversé"``; the
            prediction asks about this row of this head.
            ``view="one"`` : or "compare", "difference", "average".
            ``challenge="", predict=True, theme="auto"`` : as in :class:`~attnbook.widgets.QKVPlayground`.

        Returns
        -------
        HeadExplorerCross
            Its traits ``sentence, kind, head, row, hidden, weights, …`` are described there.

        Raises
        ------
        ValueError
            Naming the translation or the option and what is wrong with it.
        """
        from attnbook.widgets.head_explorer_cross import HeadExplorerCross  # which builds on this module

        return HeadExplorerCross(translations, **options)

    @traitlets.validate("content")
    def _fixed(self, proposal):
        if proposal["value"] != self._content:
            raise traitlets.TraitError("content: expected no assignment; make a new widget, or set tokens.")
        return proposal["value"]

    def _check(self, state):
        model = self._content.get("model")
        tokens = _words("tokens", state.get("tokens"))
        if model is None and tokens != self._content["sentences"][0]:
            raise ValueError(
                "tokens: expected those of the weights; only a widget with a model can edit them."
            )
        if model is not None:
            unknown = [word for word in tokens if word not in model["vocabulary"]]
            if unknown:
                raise ValueError(f"tokens: expected words of the model's vocabulary, got {unknown[0]!r}.")
            if len(tokens) > model["max_length"]:
                raise ValueError(
                    f"tokens: expected at most {model['max_length']} words, as the longest sentence that "
                    f"this widget was made with, got {len(tokens)}."
                )
        n_columns = len(self._content["src"] or tokens)
        checked = {
            "version": self._version,
            "tokens": tokens,
            "head": self._pair("head", state.get("head"), *self._sizes),
            "other": self._pair("other", state.get("other"), *self._sizes),
            "view": values.choice("view", state.get("view"), VIEWS),
            "ablated": state.get("ablated"),
            "ablation": values.choice("ablation", state.get("ablation"), ABLATIONS),
            "ask": state.get("ask"),
            "cell": state.get("cell"),
            "prediction": state.get("prediction"),
            "revealed": state.get("revealed"),
            "score": None,
        }
        if not isinstance(checked["ablated"], list | tuple):
            raise ValueError(f"ablated: expected a list of [layer, head], got {checked['ablated']!r}.")
        pairs = [self._pair("ablated", pair, *self._sizes) for pair in checked["ablated"]]
        checked["ablated"] = [list(pair) for pair in sorted(set(map(tuple, pairs)))]
        if pairs and model is None and self._outputs is None:
            raise ValueError("ablated: expected none, since there is no model and no outputs= to change.")
        if checked["ablation"] == "mean" and not (model and model["means"]):
            raise ValueError("ablation: expected 'zero', since this widget has no head_means.")
        ask = checked["ask"]
        if (ask is None and model is None) or (
            ask is not None and (type(ask) is not int or not 0 <= ask < len(tokens))
        ):
            raise ValueError(f"ask: expected the index of a word (0 to {len(tokens) - 1}), got {ask!r}.")
        if checked["cell"] is not None:
            checked["cell"] = self._pair("cell", checked["cell"], len(tokens), n_columns, "row", "column")
        if not isinstance(checked["revealed"], bool):
            raise ValueError(f"revealed: expected True or False, got {checked['revealed']!r}.")
        if checked["prediction"] is not None:
            asked, options = self._content["roles"], self._content["options"]
            guess = checked["prediction"]
            if not isinstance(guess, list | tuple) or len(guess) != len(asked) or not asked:
                raise ValueError(
                    f"prediction: expected one role for each of {len(asked)} heads, got {guess!r}."
                )
            checked["prediction"] = [values.choice("prediction", one, tuple(options)) for one in guess]
            checked["revealed"] = True
            right = sum(one == role for one, (_, _, role, _) in zip(guess, asked, strict=True))
            checked["score"] = np.floor(100 * right / len(asked) + 0.5) / 100
        return checked

    @staticmethod
    def _pair(name, pair, rows, columns, first="layer", second="head"):
        fine = isinstance(pair, list | tuple) and len(pair) == 2 and all(type(i) is int for i in pair)
        if not fine or not (0 <= pair[0] < rows and 0 <= pair[1] < columns):
            raise ValueError(f"{name}: expected [{first} < {rows}, {second} < {columns}], got {pair!r}.")
        return list(pair)

    def _edited(self, name, value, state):
        if name == "prediction" and value is None:
            return {**state, "prediction": None, "revealed": False}
        if name == "tokens":
            value = _words("tokens", value)
            if len(value) != len(state["tokens"]):
                ask = state["ask"]
                state = {**state, "cell": None, "ask": ask and min(ask, len(value) - 1)}
        return {**state, name: value}

    def _run(self, state) -> dict:
        """What the page computes: words as the model reads them, weights, shares and loss."""
        key = repr([state[name] for name in ("tokens", "ask", "ablated", "ablation")])
        if self._last and self._last[0] == key:
            return self._last[1]
        tokens, ask = state["tokens"], state["ask"]
        out = {"words": tokens, "columns": self._content["src"] or tokens, "shares": None, "truth": None}
        if self._reader is None:
            out["weights"] = self._static_weights
        else:
            model = self._content["model"]
            if model["mask"] is not None and ask is not None:
                out["words"] = out["columns"] = [
                    model["mask"] if i == ask else w for i, w in enumerate(tokens)
                ]
            numbers = [model["vocabulary"].index(word) for word in out["words"]]
            before = self._reader(numbers)
            after = self._reader(numbers, state["ablated"], state["ablation"]) if state["ablated"] else before
            out["weights"] = after["weights"]
            if ask is not None:
                logits = [run["logits"][ask] - run["logits"][ask].max() for run in (before, after)]
                out["shares"] = [np.exp(row) / np.exp(row).sum() for row in logits]
                true = ask if model["mask"] is not None else ask + 1
                out["truth"] = tokens[true] if true < len(tokens) else None
        self._last = key, out
        return out

    def _mirrors(self, state):
        run = self._run(state)
        names = (
            "tokens",
            "head",
            "other",
            "view",
            "ablated",
            "ablation",
            "ask",
            "cell",
            "prediction",
            "revealed",
            "score",
        )
        probabilities = loss = None
        if run["shares"]:
            vocabulary = self._content["model"]["vocabulary"]
            probabilities = {
                name: {word: values.compact(p) for word, p in zip(vocabulary, row.tolist(), strict=True)}
                for name, row in zip(("before", "after"), run["shares"], strict=True)
            }
            if run["truth"] is not None:
                true = vocabulary.index(run["truth"])
                loss = [values.compact(float(-np.log(row[true]))) for row in run["shares"]]
        return {
            **{name: state[name] for name in names},
            "weights": np.round(run["weights"], 6).tolist(),
            "probabilities": probabilities,
            "loss": loss,
        }

    def _sentence(self, state, *, outcome=False):
        run = self._run(state)
        row = state["cell"][0] if state["cell"] else state["ask"] or 0
        text = [] if outcome or state["revealed"] else [HIDDEN]
        for name, rows, signed in pictures(state, run["weights"]):
            best = int(np.argmax(np.abs(rows[row])))
            amount = values.fixed(100 * float(rows[row][best]), 1) + (" points" if signed else " %")
            verb = "differs" if signed else "looks"
            text.append(f"{name}: “{run['words'][row]}” {verb} most at “{run['columns'][best]}”, {amount}.")
        off, of = len(state["ablated"]), self._sizes[0] * self._sizes[1]
        start = f"Without {off} of {of} heads" if off else "With all heads"
        if run["shares"]:
            vocabulary = self._content["model"]["vocabulary"]
            before, after = run["shares"]
            truth = run["truth"]
            word = int(np.argmax(after)) if truth is None else vocabulary.index(truth)

            def tell(say):
                now = say(float(after[word]))
                return f"{now} instead of {say(float(before[word]))}" if off else now

            loss = "" if truth is None else f", a loss of {tell(lambda p: values.fixed(-np.log(p)))}"
            text.append(f"{start} the model gives “{vocabulary[word]}” {tell(values.percent)}{loss}.")
        elif off:
            text.append(f"{start}.")
        return " ".join(text)

    def _figure(self):
        run = self._run(self.state)
        named = {(layer, head): role for layer, head, role, _ in self._content["roles"]}
        return heads_figure(run["weights"], run["words"], run["columns"], named)


def pictures(state, weights) -> list[tuple]:
    """What stands large, one or two of (name, rows, signed); weights are (n_layers, n_heads, …)."""
    (a, b), (c, d) = state["head"], state["other"]
    first, second = f"Layer {a + 1}, head {b + 1}", f"Layer {c + 1}, head {d + 1}"
    if state["view"] == "compare":
        return [(first, weights[a, b], False), (second, weights[c, d], False)]
    if state["view"] == "difference":
        return [(f"{first} minus {second}", weights[a, b] - weights[c, d], True)]
    if state["view"] == "average":
        return [(f"Layer {a + 1}, mean of its heads", weights[a].mean(0), False)]
    return [(first, weights[a, b], False)]


def heads_figure(weights, rows, columns, named=None):
    """Every head as a small picture; ``named`` gives the role of some, by (layer, head)."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    n_layers, n_heads = weights.shape[:2]
    blues = colormaps["Blues"].resampled(12)  # few colours, a small file
    size = 1.1 if len(rows) > 24 else 1.5
    figure = Figure(figsize=(min(7.5, 1.2 + size * n_heads), 1.0 + (size + 0.1) * n_layers))
    all_axes = figure.subplots(n_layers, n_heads, squeeze=False)
    for layer, line in enumerate(all_axes):
        for head, axes in enumerate(line):
            axes.imshow(weights[layer, head], cmap=blues, vmin=0, vmax=1, aspect="auto")
            role = (named or {}).get((layer, head))
            axes.set_title(f"{layer + 1}.{head + 1}" + (f" {role}" if role else ""), fontsize=7)
            axes.set_xticks([])
            axes.set_yticks([])
            if head == 0 and len(rows) <= 16:
                axes.set_yticks(range(len(rows)), rows, fontsize=5)
            if layer == n_layers - 1 and len(columns) <= 16:
                axes.set_xticks(range(len(columns)), columns, fontsize=5, rotation=90)
    figure.subplots_adjust(left=0.12, right=0.98, top=0.92, bottom=0.24, hspace=0.3, wspace=0.15)
    return figure


def _taken_apart(model):
    """Sizes of a model, its parameters in the order in which Reader takes them, its head_means or None."""
    try:
        layers, embedding = list(model.layers), model.embedding.weight
        attentions = [getattr(layer, "attention", layer) for layer in layers]
        linears = [[layer.W_q, layer.W_k, layer.W_v, layer.W_o] for layer in attentions]
        table, output = model.positions.table, model.output
        n_heads = attentions[0].n_heads
    except (AttributeError, IndexError, TypeError):
        raise ValueError(
            f"model: expected an attnbook.nn.WordModel or MaskedWordModel, got {type(model).__name__}."
        ) from None
    norm, d_ff = getattr(model, "norm", None), getattr(model, "d_ff", None)
    sizes = {
        "vocab": embedding.shape[0],
        "d_model": embedding.shape[1],
        "n_heads": n_heads,
        "n_layers": len(layers),
        "max_length": table.shape[0],
        "d_ff": d_ff or 0,
        "causal": getattr(model, "causal", False),
        "tied": output.weight is embedding,
        "norms": norm is not None,
        "bias": 0 if output.bias is None else len(output.bias),
    }
    parameters = [embedding, table]
    for layer, four in zip(layers, linears, strict=True):
        parts = [layer.norm_1] if sizes["norms"] else []
        parts += four
        if d_ff:
            parts += [layer.norm_2, layer.feed_forward.W_1, layer.feed_forward.W_2]
        parameters += [number for part in parts for number in (part.weight, part.bias)]
    if sizes["norms"]:
        parameters += [norm.weight, norm.bias]
    if not sizes["tied"]:
        parameters.append(output.weight)
    if sizes["bias"]:
        parameters.append(output.bias)
    means = getattr(model, "head_means", None)  # zeros until they were measured
    return sizes, parameters, means if means is not None and _numpy(means).any() else None


def _head_means(means, sizes) -> np.ndarray:
    """(2, n_layers, n_heads, d_head): what heads hand on for visible words, then for hidden ones."""
    shape = sizes["n_layers"], sizes["n_heads"], sizes["d_model"] // sizes["n_heads"]
    if means is None:
        return np.zeros((2, *shape))
    if np.ndim(_numpy(means)) == 4:
        return _array("head_means", means, (*shape[:2], 2, shape[2])).transpose(2, 0, 1, 3)
    return np.stack([_array("head_means", means, shape)] * 2)


def _numpy(part):
    return np.asarray(part.detach().cpu() if hasattr(part, "detach") else part, dtype=np.float64)


def _words(name, value) -> list[str]:
    words = values.words(name, value.split() if isinstance(value, str) else value)
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValueError(f"{name}: expected 1 to {MOST_WORDS} words, got {len(words)}.")
    return words


def _array(name, value, shape) -> np.ndarray:
    """A finite array of this shape, where None is any size; rounded to float32, as it travels."""
    try:
        array = _numpy(value).astype("f4").astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected an array of numbers, got {type(value).__name__}.") from None
    wanted = ", ".join("any" if size is None else str(size) for size in shape)
    fits = array.ndim == len(shape) and array.size
    if not fits or any(size not in (None, got) for size, got in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity.")
    return array


def _weights(value, n_rows, n_columns) -> np.ndarray:
    weights = _array("weights", value, (None, None, n_rows, n_columns))
    sums = weights.sum(-1)
    wrong = (weights < 0).any(-1) | ((np.abs(sums - 1) > 1e-3) & (sums != 0))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"weights{list(at)}: expected shares that add up to 1 (or are all 0), got a sum of "
            f"{sums[at]:.4g}."
        )
    return weights


def _roles(roles, others, n_layers, n_heads):
    """Roles as [[layer, head, role, why], …] in order, and the names to choose from."""
    if roles is not None and not isinstance(roles, dict):
        raise ValueError(f"roles: expected a dict from (layer, head) to (role, why), got {roles!r}.")
    asked = []
    for pair, told in (roles or {}).items():
        layer, head = HeadExplorer._pair("roles", pair, n_layers, n_heads)
        if not isinstance(told, list | tuple) or len(told) != 2:
            raise ValueError(f"roles[{pair!r}]: expected (role, why), got {told!r}.")
        asked.append([layer, head, *values.words(f"roles[{pair!r}]", list(told))])
    names = [role for _, _, role, _ in sorted(asked)] + values.words("other_roles", list(others))
    return sorted(asked), sorted(set(names))


def _pack(numbers) -> str:
    """Numbers as float32 in base64."""
    flat = np.asarray(numbers).ravel().tolist()
    return base64.b64encode(struct.pack(f"<{len(flat)}f", *flat)).decode()
