"""The heads of a translator: three kinds of attention, and what is left of each row when words are hidden.

A softmax over the keys that are left needs their scores only up to a number that a row has in common, and
the logarithms of its weights are just that. So log-weights travel, ten bits each, in steps of 1/64 nat down
to exp(-16). What is shown equals what this module computes within 1e-5, and the model's own weights within
0.005, whichever words are hidden, as long as those that are left had 1 % of the row's weight.

Hiding changes each softmax alone and leaves every score as it was. The model itself, run with the word
masked everywhere, would keep the scores of the first layer's self-attention and have others in every layer
that reads what the masked layer handed on.
"""

import base64

import numpy as np

from attnbook.widgets.heads_shared import (
    MOST_HEADS,
    MOST_LAYERS,
    VIEWS,
    a_head,
    amount,
    checked_array,
    heads_figure,
    largest,
    pictures,
    sentence_words,
)
from attnbook.widgets.state import Choice, Index, State, Subset, guess, hidden_outcome

KINDS = {
    "encoder": "Encoder self-attention",
    "decoder": "Decoder self-attention",
    "cross": "Cross-attention",
}
MOST_SENTENCES = 12
STEPS = 64  # log-weights travel in 64ths, from 0 down to -1022/64; JavaScript has the same number
CODES = 1023


class TranslationHeads:
    """What :class:`~attnbook.widgets.HeadExplorer` shows of translations.

    Parameters
    ----------
    translations : attnbook.translation.Translation, or a list of 1 to 12

    Attributes
    ----------
    content : dict
        Words and packed log-weights, as they travel.
    sizes : (n_layers, n_heads)
    """

    what = "translations"

    def __init__(self, translations):
        several = isinstance(translations, list | tuple)
        given = list(translations) if several else [translations]
        if not 1 <= len(given) <= MOST_SENTENCES:
            raise ValueError(f"translations: expected 1 to {MOST_SENTENCES}, got {len(given)}.")
        names = [f"translations[{i}]" if several else "translations" for i in range(len(given))]
        packed, sizes, self._logs = [], None, {}
        for index, (name, one) in enumerate(zip(names, given, strict=True)):
            entry, logs = _taken(name, one, sizes)
            packed.append(entry)
            for kind, rows in logs.items():
                sizes = sizes or rows.shape[:2]
                self._logs[index, kind] = rows
        kinds = [kind for kind in KINDS if all((index, kind) in self._logs for index in range(len(given)))]
        if len(self._logs) != len(kinds) * len(given):
            raise ValueError("translations: expected the same kinds of attention in each of them.")
        self.sizes = sizes
        self.content = {"translations": packed, "kinds": kinds, "sizes": list(sizes)}

    def labels(self, state) -> tuple[list[str], list[str]]:
        """The words of the rows and of the columns."""
        one = self.content["translations"][state["sentence"]]
        src, tgt = one["src"], one["tgt"]
        if state["kind"] == "encoder":
            return src, src
        return tgt, _written(tgt) if state["kind"] == "decoder" else src

    def declare(self) -> State:
        """The parts of the state."""
        return State(
            sentence=Index(of=len(self.content["translations"])),
            kind=Choice(options=tuple(self.content["kinds"])),
            head=a_head(self.sizes),
            other=a_head(self.sizes),
            view=Choice(options=VIEWS),
            row=Index(of="rows"),
            column=Index(of="columns", optional=True),
            hidden=Subset(of="src"),
            hidden_written=Subset(of="tgt"),
            **hidden_outcome(guess("columns")),
        )

    def measured(self, state) -> dict:
        """The sizes that the declaration names."""
        rows, columns = self.labels(state)
        one = self.content["translations"][state["sentence"]]
        return {"rows": rows, "columns": columns, "src": one["src"], "tgt": one["tgt"]}

    def agree(self, state) -> None:
        """Every part that is right by itself fits the others."""

    def edited(self, name, value, state) -> dict:
        """``state`` after ``name`` was assigned ``value``."""
        was = state["kind"]
        if name in ("sentence", "kind", "head", "row"):
            state = {**state, "prediction": None, "score": None}  # another question
        if name == "sentence":
            return {**state, "sentence": value, "column": None, "row": 0, "hidden": [], "hidden_written": []}
        if name == "kind":
            state = {**state, "kind": value, "column": None}
            return {**state, "row": 0} if value != was and "encoder" in (value, was) else state
        if name == "row":
            value = self.row_of(value, state)
        if name in ("hidden", "hidden_written") and isinstance(value, list | tuple):
            value = [place for i, place in enumerate(value) if place not in value[:i]]
        return {**state, name: value}

    def row_of(self, row, state):
        """A row by its place, where it is named by its word."""
        rows, _ = self.labels(state)
        return rows.index(row) if isinstance(row, str) and row in rows else row

    def options(self, state) -> list[str]:
        """The words among which the reader chooses."""
        return self.labels(state)[1]

    def outcome(self, state, numbers) -> tuple[int, float]:
        """The word that the head looks at most, and its share."""
        layer, head = state["head"]
        return largest(numbers["weights"][layer, head, state["row"]])

    def compute(self, state) -> dict:
        """``weights`` (n_layers, n_heads, n_queries, n_keys) without the hidden words."""
        import torch

        from attnbook.nn import masked_softmax

        logs = torch.from_numpy(self._logs[state["sentence"], state["kind"]])
        allowed = logs > -torch.inf
        allowed[..., state[_hidden(state)]] = False
        return {"weights": masked_softmax(logs.masked_fill(~allowed, 0.0), allowed).numpy()}

    def derived(self, state, numbers) -> dict:
        """The mirrors that are no part of the state."""
        queries, keys = self.labels(state)
        return {
            "query_words": list(queries),
            "key_words": list(keys),
            "weights": np.round(numbers["weights"], 6).tolist(),
        }

    def sentence(self, state, numbers) -> str:
        """What is in view, in one sentence."""
        queries, keys = self.labels(state)
        word, (layer, head) = queries[state["row"]], state["head"]
        who = f"from “{word}”" if state["kind"] == "encoder" else f"to write “{word}”"
        if not state["revealed"]:
            return (
                f"The weights are hidden: predict where layer {layer + 1}, head {head + 1} looks most {who}, "
                "or skip."
            )
        text = []
        for name, rows, signed in pictures(state, numbers["weights"]):
            best, weight = largest(rows[state["row"]])
            if weight:
                verb = "differs" if signed else "looks"
                text.append(f"{name} {verb} most at “{keys[best]}”, {amount(weight, signed)}, {who}.")
            else:
                text.append(f"{name}: no {'difference' if signed else 'word is left to look at'}, {who}.")
        if off := state[_hidden(state)]:
            text.append(f"Hidden: {', '.join(f'“{keys[place]}”' for place in off)}.")
        return f"{KINDS[state['kind']]}. {' '.join(text)}"

    def figure(self, state, numbers):
        """Every head as a small picture."""
        return heads_figure(numbers["weights"], *self.labels(state), hidden=not state["revealed"])


def _hidden(state) -> str:
    """The part of the state that lists the keys that are hidden."""
    return "hidden_written" if state["kind"] == "decoder" else "hidden"


def _written(tgt) -> list[str]:
    """The keys of the decoder: what it has read when it writes each word of ``tgt``."""
    return ["<bos>", *tgt[:-1]]


def _taken(name, translation, sizes):
    """What travels of one translation, and its log-weights by kind as they arrive."""
    try:
        src, tgt = (
            sentence_words(f"{name}.{part}", list(getattr(translation, part))) for part in ("src", "tgt")
        )
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
        array = checked_array(f"{name}.{kind}", weights, shape)
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
