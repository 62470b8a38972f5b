"""HeadExplorerCross: the heads of a translator, its three kinds of attention, and what is left of each row
when words are hidden."""

import base64

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.head_explorer import (
    MOST_HEADS,
    MOST_LAYERS,
    VIEWS,
    HeadExplorer,
    _array,
    _words,
    heads_figure,
    pictures,
)

KINDS = {
    "encoder": "Encoder self-attention",
    "decoder": "Decoder self-attention",
    "cross": "Cross-attention",
}
MOST_SENTENCES = 12
STEPS = 64  # log-weights travel in 64ths, from 0 down to -1022/64; JavaScript has the same number
CODES = 1023


class HeadExplorerCross(PredictFirst):
    """Every head of a translator: encoder self-attention, decoder self-attention, cross-attention.

    Made by :meth:`HeadExplorer.from_translation`, which says what the arguments are.

    The reader chooses a sentence, a kind of attention and a head, steps through the words that were written,
    and hides words: the page takes each hidden key out of the softmax and computes every row of every head
    anew. First the reader predicts where the head looks.

    Notes
    -----
    A softmax over the keys that are left needs their scores only up to a number that a row has in common, and
    the logarithms of its weights are just that. So log-weights travel, ten bits each, in steps of 1/64 nat
    down to exp(-16). What is shown equals what this class computes within 1e-5, and the model's own weights
    within 0.005, whichever words are hidden, as long as those that are left had 1 % of the row's weight.

    Hiding changes each softmax alone and leaves every score as it was. The model itself, run with the word
    masked everywhere, would keep the scores of the first layer's self-attention and have others in every
    layer that reads what the masked layer handed on.

    Attributes
    ----------
    sentence : int
        Which of the translations, from 0.
    kind : "encoder", "decoder" or "cross"
    head, other : [layer, head]
        Counted from 0 here, shown to the reader from 1.
    view : "one", "compare", "difference" or "average"
    row : int
        The query: the source word that looks (encoder), or the word that is being written (decoder, cross).
        A word's position, from 0; a word can be assigned, its first place is taken.
    column : int or None
        The key whose arithmetic is shown; None is the largest weight.
    hidden : list of int
        Source words that no query may look at, in the encoder and in cross-attention.
    hidden_written : list of int
        The same for the decoder's keys, ``<bos>`` and the words written so far.
    query_words, key_words : list of str
        The words of the rows and of the columns.
    weights : (n_layers, n_heads, n_queries, n_keys) lists
        Of this sentence and kind, without the hidden words. A row with nothing left is all 0.
    revealed : bool
        Whether the weights are in view.
    """

    _esm = bundle("HeadExplorerCross.js")
    _css = bundle("HeadExplorerCross.css")

    content = traitlets.Dict(help="Words and packed log-weights; read-only.").tag(sync=True)
    sentence = Mirror("which translation, from 0")
    kind = Mirror("encoder, decoder or cross")
    head = Mirror("[layer, head] that is shown large, from 0")
    other = Mirror("[layer, head] beside it, from 0")
    view = Mirror("one, compare, difference or average")
    row = Mirror("the query, from 0")
    column = Mirror("the key whose arithmetic is shown, or None")
    hidden = Mirror("source words that are hidden, from 0")
    hidden_written = Mirror("keys of the decoder that are hidden, from 0")
    query_words = Mirror("the words of the rows; set sentence or kind", derived=True)
    key_words = Mirror("the words of the columns; set sentence or kind", derived=True)
    weights = Mirror("(n_layers, n_heads, n_queries, n_keys); set sentence, kind or hidden", derived=True)

    def __init__(
        self,
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
        several = isinstance(translations, list | tuple)
        given = list(translations) if several else [translations]
        if not 1 <= len(given) <= MOST_SENTENCES:
            raise ValueError(f"translations: expected 1 to {MOST_SENTENCES}, got {len(given)}.")
        names = [f"translations[{i}]" if several else "translations" for i in range(len(given))]
        packed, sizes, self._logs = [], None, {}
        for index, (name, one) in enumerate(zip(names, given, strict=True)):
            entry, logs = _taken(name, one, sizes)
            packed.append(entry)
            for found, rows in logs.items():
                sizes = sizes or rows.shape[:2]
                self._logs[index, found] = rows
        kinds = [found for found in KINDS if all((index, found) in self._logs for index in range(len(given)))]
        if len(self._logs) != len(kinds) * len(given):
            raise ValueError("translations: expected the same kinds of attention in each of them.")
        self._kinds = tuple(kinds)
        self._sizes = sizes
        self._content = {"translations": packed, "kinds": kinds, "sizes": list(sizes)}
        self._last = None
        state = {
            "sentence": sentence,
            "kind": kind,
            "head": head,
            "other": [0, min(1, sizes[1] - 1)] if head in ((0, 0), [0, 0]) else [0, 0],
            "view": view,
            "row": row,
            "column": None,
            "hidden": [],
            "hidden_written": [],
            **self._unpredicted(predict),
        }
        super().__init__(state, challenge=challenge, theme=theme, content=self._content)

    @traitlets.validate("content")
    def _fixed(self, proposal):
        if proposal["value"] != self._content:
            raise traitlets.TraitError("content: expected no assignment; make a new widget.")
        return proposal["value"]

    def _labels(self, state):
        """The words of the rows and of the columns."""
        one = self._content["translations"][state["sentence"]]
        src, tgt = one["src"], one["tgt"]
        if state["kind"] == "encoder":
            return src, src
        return tgt, _written(tgt) if state["kind"] == "decoder" else src

    def _check(self, state):
        n = len(self._content["translations"])
        checked = {
            "version": self._version,
            "sentence": _index("sentence", state.get("sentence"), n),
            "kind": values.choice("kind", state.get("kind"), self._kinds),
            "head": HeadExplorer._pair("head", state.get("head"), *self._sizes),
            "other": HeadExplorer._pair("other", state.get("other"), *self._sizes),
            "view": values.choice("view", state.get("view"), VIEWS),
            "row": state.get("row"),
            "column": state.get("column"),
            "hidden": state.get("hidden"),
            "hidden_written": state.get("hidden_written"),
            "prediction": None,
            "revealed": self._flag("revealed", state),
            "score": None,
        }
        queries, keys = self._labels(checked)
        if isinstance(checked["row"], str) and checked["row"] in queries:
            checked["row"] = queries.index(checked["row"])
        checked["row"] = _index("row", checked["row"], len(queries))
        if checked["column"] is not None:
            checked["column"] = _index("column", checked["column"], len(keys))
        one = self._content["translations"][checked["sentence"]]
        for name, words in (("hidden", one["src"]), ("hidden_written", one["tgt"])):
            if not isinstance(checked[name], list | tuple):
                raise ValueError(f"{name}: expected a list of positions, got {checked[name]!r}.")
            checked[name] = sorted({_index(name, place, len(words)) for place in checked[name]})
        guessed = self._guessed(state.get("prediction"), keys, lambda: self._outcome(checked))
        return {**checked, **guessed}

    def _outcome(self, state):
        """The word that the head looks at most, and its share."""
        layer, head = state["head"]
        shares = self._run(state)[layer, head, state["row"]]
        return int(shares.argmax()), float(shares.max())

    def _edited(self, name, value, state):
        was = state["kind"]
        if name in ("sentence", "kind", "head", "row"):
            state = {**state, "prediction": None, "score": None}  # another question
        if name in ("sentence", "kind"):
            state = {**state, name: value, "column": None}
            if name == "sentence":
                return {**state, "row": 0, "hidden": [], "hidden_written": []}
            return {**state, "row": 0} if value != was and "encoder" in (value, was) else state
        return super()._edited(name, value, state)

    def _run(self, state) -> np.ndarray:
        """Weights (n_layers, n_heads, n_queries, n_keys) without the hidden words, as the page has them."""
        off = state["hidden_written" if state["kind"] == "decoder" else "hidden"]
        key = state["sentence"], state["kind"], tuple(off)
        if self._last is None or self._last[0] != key:
            logs = self._logs[key[:2]].copy()
            logs[..., list(off)] = -np.inf
            top = logs.max(-1, keepdims=True)
            exps = np.exp(logs - np.where(np.isfinite(top), top, 0))
            total = exps.sum(-1, keepdims=True)
            self._last = key, np.divide(exps, total, out=np.zeros_like(exps), where=total > 0)
        return self._last[1]

    def _mirrors(self, state):
        names = (
            *("sentence", "kind", "head", "other", "view", "row", "column", "hidden", "hidden_written"),
            *("prediction", "revealed", "score"),
        )
        queries, keys = self._labels(state)
        return {
            **{name: state[name] for name in names},
            "query_words": list(queries),
            "key_words": list(keys),
            "weights": np.round(self._run(state), 6).tolist(),
        }

    def _sentence(self, state, *, outcome=False):
        queries, keys = self._labels(state)
        word, (layer, head) = queries[state["row"]], state["head"]
        who = f"from “{word}”" if state["kind"] == "encoder" else f"to write “{word}”"
        if not (outcome or state["revealed"]):
            return (
                f"The weights are hidden: predict where layer {layer + 1}, head {head + 1} looks most {who}, "
                "or skip."
            )
        text = []
        for name, rows, signed in pictures(state, self._run(state)):
            shares = rows[state["row"]]
            best = int(np.abs(shares).argmax())
            amount = values.fixed(100 * float(shares[best]), 1) + (" points" if signed else " %")
            if shares.any():
                text.append(
                    f"{name} {'differs' if signed else 'looks'} most at “{keys[best]}”, {amount}, {who}."
                )
            else:
                text.append(f"{name}: no {'difference' if signed else 'word is left to look at'}, {who}.")
        off = state["hidden_written" if state["kind"] == "decoder" else "hidden"]
        if off:
            text.append(f"Hidden: {', '.join(f'“{keys[place]}”' for place in off)}.")
        return f"{KINDS[state['kind']]}. {' '.join(text)}"

    def _figure(self):
        queries, keys = self._labels(self.state)
        return heads_figure(self._run(self.state), queries, keys)


def _written(tgt) -> list[str]:
    """The keys of the decoder: what it has read when it writes each word of ``tgt``."""
    return ["<bos>", *tgt[:-1]]


def _index(name, value, n) -> int:
    if type(value) is not int or not 0 <= value < n:
        raise ValueError(f"{name}: expected a position from 0 to {n - 1}, got {value!r}.")
    return value


def _taken(name, translation, sizes):
    """What travels of one translation, and its log-weights by kind as they arrive."""
    try:
        src, tgt = (_words(f"{name}.{part}", list(getattr(translation, part))) for part in ("src", "tgt"))
        parts = {kind: getattr(translation, kind) for kind in KINDS}
    except (AttributeError, TypeError):
        raise ValueError(
            f"{name}: expected an attnbook.translation.Translation, got {type(translation).__name__}."
        ) from None
    rows, columns = {"encoder": len(src)}, {"decoder": len(tgt)}
    entry, logs = {"src": src, "tgt": tgt}, {}
    for kind, weights in parts.items():
        if weights is None:  # a model without this kind
            continue
        shape = (*(sizes or (None, None)), rows.get(kind, len(tgt)), columns.get(kind, len(src)))
        array = _array(f"{name}.{kind}", weights, shape)
        if array.shape[0] > MOST_LAYERS or array.shape[1] > MOST_HEADS:
            raise ValueError(
                f"{name}.{kind}: expected at most {MOST_LAYERS} layers and {MOST_HEADS} heads, got "
                f"{array.shape[0]} and {array.shape[1]}."
            )
        sizes = array.shape[:2]
        sums = array.sum(-1)
        if (array < 0).any() or (np.abs(sums - 1) > 1e-3).any():
            worst = tuple(int(i) for i in np.unravel_index(np.abs(sums - 1).argmax(), sums.shape))
            raise ValueError(
                f"{name}.{kind}{list(worst)}: expected shares that add up to 1, got a sum of "
                f"{sums[worst]:.4g}."
            )
        if kind == "decoder" and np.triu(array, 1).any():
            raise ValueError(f"{name}.decoder: expected no weight on words that are not written yet.")
        codes = _codes(array)
        read = np.ones(array.shape, dtype=bool)
        if kind == "decoder":
            read = np.tril(read)
        entry[kind] = _pack(codes[read])
        logs[kind] = np.where(codes > 0, (codes - CODES) / STEPS, -np.inf)
    if not logs:
        raise ValueError(f"{name}: expected encoder, decoder or cross weights, got none of them.")
    return entry, logs


def _codes(weights) -> np.ndarray:
    """Log-weights as numbers from 1 to 1023, in steps of 1/64 below 0; 0 is a weight of exactly 0."""
    with np.errstate(divide="ignore"):
        steps = np.floor(np.log(weights) * STEPS + CODES + 0.5)
    return np.where(weights > 0, np.clip(steps, 1, CODES), 0).astype(int)


def _pack(codes) -> str:
    """Numbers below 1024, ten bits each, the highest first, in base64."""
    bits = (np.asarray(codes)[:, None] >> np.arange(9, -1, -1)) & 1
    return base64.b64encode(np.packbits(bits.astype(np.uint8)).tobytes()).decode()
