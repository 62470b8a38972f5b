"""TranslatorExplorer: type a sentence; a trained transformer translates it, all its attention in view."""

from collections.abc import Sequence
from typing import Any

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.heads_shared import heads_figure
from attnbook.widgets.state import Choice, Pair, State, Words, guess, hidden_outcome
from attnbook.widgets.trained import RunsModels, loaded, number_of

KINDS = {
    "encoder": "Encoder self-attention",
    "decoder": "Decoder self-attention",
    "cross": "Cross-attention",
}
VIEWS = ("head", "mean")
MOST_WORDS = 64
MOST_ROWS = 2 * MOST_WORDS + 21  # as many words as the model may write for the longest sentence, and <eos>


class TranslatorExplorer(RunsModels, HasContent, PredictFirst):
    """A trained transformer that translates what the reader types, and every attention weight of it.

    The reader predicts which English word the decoder weighs most at one word of the translation, then
    chooses among the encoder's, the decoder's and the cross-attention, layers and heads, and types sentences.
    The model runs in the page; its file is fetched when the reader first touches the widget. Beside a
    translation stands what speaks against it: words that the model does not know, words that never stood side
    by side in its training, a length that it never met, a word that it is unsure of, a missing end.

    Parameters
    ----------
    examples : list of sentences
        Strings of words; the first one is shown, all are offered.
    more : list of sentences, optional
        What the button "Surprise me" draws from.
    model : str
        A shipped model (``attnbook.models``) of the architecture "transformer", with ``familiar``.
    kind : "encoder", "decoder" or "cross"
    head : (layer, head), from 0, optional
        Shown first; the first head of the last layer if absent.
    view : "head" or "mean"
        One head, or the mean over the heads of its layer.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Notes
    -----
    JavaScript writes the same words as torch, and its weights differ by less than 1e-4.

    Attributes
    ----------
    source : list of str
        The English words. Assign a list or a string.
    translation : list of str, read-only
        What the model writes.
    shares : list of float, read-only
        The probability of each word of ``translation``, and of ``<eos>`` where it came.
    doubts : list of str, read-only
        What speaks against the translation, one sentence each.
    weights : (rows, columns) lists, read-only
        Of the head or the mean that is shown.
    cell : [row, column] or None
        What is pointed at; beyond the words it counts as the last of them.
    prediction : dict or None
        ``{"choice": index of a source word, "share": 0 to 1}``: the English word with the largest
        cross-attention weight at the row of the question, in the last layer, on average over the heads.
    score : float or None

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("TranslatorExplorer.js")
    _css = bundle("TranslatorExplorer.css")

    content = traitlets.Dict(help="The sentences offered, and sizes; read-only.").tag(sync=True)
    source = Mirror("the English words")
    kind = Mirror("encoder, decoder or cross")
    head = Mirror("[layer, head], from 0")
    view = Mirror("head or mean")
    cell = Mirror("row and column that is pointed at")
    translation = Mirror("the words written; set source", derived=True)
    shares = Mirror("the probability of each word; set source", derived=True)
    doubts = Mirror("what speaks against the translation; set source", derived=True)
    weights = Mirror("(rows, columns) of what is shown; set head, view or kind", derived=True)

    def __init__(
        self,
        examples,
        *,
        more=(),
        model="10_transformer",
        kind="cross",
        head=None,
        view="mean",
        challenge="",
        predict=True,
        theme="auto",
    ):
        self._trained = _loaded(model)
        sizes = self._trained.configuration
        given = [_words(f"examples[{i}]", one) for i, one in enumerate(_listed("examples", examples))]
        others = [_words(f"more[{i}]", one) for i, one in enumerate(_listed("more", more, least=0))]
        self._written: dict[tuple[str, ...], dict] = {}
        first = self._translated(given[0])
        self._content = {
            "examples": given,
            "more": others,
            "heads": [sizes["n_layers"], sizes["n_heads"]],
            "first": {"output": first["output"], "ask": first["ask"]},
        }
        state = {
            "source": given[0],
            "kind": kind,
            "head": [sizes["n_layers"] - 1, 0] if head is None else head,
            "view": view,
            "cell": None,
            **self._unpredicted(predict),
        }
        options = {"challenge": challenge, "theme": theme, "content": self._content}
        super().__init__(state, models=[model], **options)

    def _declare(self):
        layers, heads = self._content["heads"]
        return State(
            source=Words(most=MOST_WORDS),
            kind=Choice(options=tuple(KINDS)),
            head=Pair(rows=layers, columns=heads, first="layer", second="head"),
            view=Choice(options=VIEWS),
            cell=Pair(rows=MOST_ROWS, columns=MOST_ROWS, optional=True),
            **hidden_outcome(guess("source")),
        )

    def _translated(self, words) -> dict:
        """What :func:`translated` makes of these words, once a sentence."""
        key = tuple(words)
        if key not in self._written:
            self._written[key] = translated(self._trained, list(words))
        return self._written[key]

    def _compute(self, state):
        """What the model writes, with its weights, (layers, heads, rows, columns) of each kind."""
        return self._translated(state["source"])

    def _labels(self, state) -> tuple[list[str], list[str]]:
        """The words of the rows and of the columns."""
        numbers = self._numbers(state)
        rows = [*numbers["output"], *["<eos>"] * numbers["finished"]]
        if state["kind"] == "encoder":
            return state["source"], state["source"]
        return rows, ["<bos>", *rows[:-1]] if state["kind"] == "decoder" else state["source"]

    def _shown(self, state):
        """The weights of the view, (rows, columns)."""
        layer, head = state["head"]
        weights = self._numbers(state)[state["kind"]][layer]
        return weights[head] if state["view"] == "head" else weights.mean(0)

    def _edited(self, name, value, state):
        if name == "source":
            # Another sentence is another question; what was in view stays in view.
            return {**state, "source": _words("source", value), "prediction": None, "cell": None}
        return super()._edited(name, value, state)

    def _derived(self, state):
        numbers = self._numbers(state)
        return {
            "translation": list(numbers["output"]),
            "shares": [round(x, 6) for x in numbers["shares"]],
            "doubts": doubts(self._trained, state["source"], numbers),
            "weights": [[round(x, 6) for x in row] for row in self._shown(state).tolist()],
        }

    def _options(self, state):
        return state["source"]

    def _outcome(self, state):
        numbers = self._numbers(state)
        row = numbers["cross"][-1].mean(0)[numbers["ask"]]
        best = int(row.argmax())
        return best, values.compact(float(row[best]))

    def _sentence(self, state):
        numbers = self._numbers(state)
        text = " ".join(numbers["output"]) or "no word"
        if not state["revealed"]:
            return f"The model writes: {text}. Its weights are hidden: predict, or skip."
        best, share = self._outcome(state)
        rows = [*numbers["output"], "<eos>"]
        return (
            f"The model writes: {text}. At “{rows[numbers['ask']]}” the last layer's cross-attention weighs "
            f"“{state['source'][best]}” most, {values.percent(share)} on average over the heads."
        )

    def _figure(self):
        state = self.state
        weights = self._numbers(state)[state["kind"]].numpy()
        return heads_figure(weights, *self._labels(state), hidden=not state["revealed"])


def translated(trained: Any, words: list[str]) -> dict:
    """What a transformer writes greedily, as ``js/inference/transformer.js`` does.

    Parameters
    ----------
    trained : attnbook.models.TrainedModel
        Its model in float64.
    words : list of str
        Looked up as they are typed, in small letters, or with a capital; else read as ``<unk>``.

    Returns
    -------
    dict
        ``output``, ``finished``, ``unknown``, ``shares``; ``encoder``, ``decoder`` and ``cross``, (layers,
        heads, rows, columns), the last row that of ``<eos>`` where it came; ``ask``, the row of the question:
        the first whose largest weight is off the diagonal.
    """
    import torch

    model, tgt = trained.model, trained.tgt
    numbers = [number_of(word, trained.src) for word in words]
    src = torch.tensor([numbers])
    output: list[str] = []
    written, shares = [tgt.bos], []
    with torch.no_grad():
        state = model.start(src)
        while len(output) < 2 * len(words) + 20:
            logits, _, state = model.step(torch.tensor(written[-1:]), state, need_weights=False)
            share, token = logits[0].softmax(-1).max(-1)
            written.append(int(token))
            shares.append(float(share))
            if token == tgt.eos:
                break
            output.append(tgt.words[token])
        _, weights = model(src, torch.tensor([written[:-1]]), need_weights=True)
    kinds = {kind: torch.cat(getattr(weights, kind)) for kind in KINDS}
    peaks = kinds["cross"][-1].mean(0)[: len(output)].argmax(-1).tolist()
    return {
        "output": output,
        "finished": written[-1] == tgt.eos,
        "unknown": [word for word, number in zip(words, numbers, strict=True) if number == trained.src.unk],
        "shares": shares,
        "ask": next((t for t, s in enumerate(peaks) if s != t), 0),
        **kinds,
    }


UNSURE = 0.5  # a word with less is named


def doubts(trained: Any, words: Sequence[str], written: dict) -> list[str]:
    """What a reader should know before believing a translation: the sentences that the page says, too."""
    known, familiar = len(trained.src) - 4, trained.familiar
    said = []
    if written["unknown"]:
        named = _quoted(written["unknown"])
        said.append(f"Not among the {known} words that it knows: {named}, read as <unk>, an unknown word.")
    if not familiar.shortest <= len(words) <= familiar.longest:
        said.append(
            f"The sentence has {len(words)} {'word' if len(words) == 1 else 'words'}; those that it was "
            f"trained on had {familiar.shortest} to {familiar.longest}."
        )
    spelled = [trained.src.words[number_of(word, trained.src)] for word in words]
    unseen = [_pair(*pair) for pair in familiar.unseen(spelled)]
    if unseen:
        more = f", and {len(unseen) - 3} more" if len(unseen) > 3 else ""
        said.append(f"Unlike its training, where this never stood: {', '.join(unseen[:3])}{more}.")
    rows = [*written["output"], "the end"]
    least = min(range(len(written["shares"])), key=written["shares"].__getitem__)
    if written["shares"][least] < UNSURE:
        named = rows[least] if least == len(written["output"]) else f"“{rows[least]}”"
        said.append(f"It is unsure of {named}: {values.percent(written['shares'][least])}.")
    if not written["finished"]:
        said.append("It did not end by itself.")
    return said


def _pair(first: str, second: str) -> str:
    """Two neighbours in words; the ends of a sentence by their names."""
    if first == "<bos>":
        return f"“{second}” at the beginning"
    return f"“{first}” at the end" if second == "<eos>" else f"“{first} {second}”"


def _quoted(words) -> str:
    return ", ".join(f"“{word}”" for word in dict.fromkeys(words))


def _listed(name, sentences, least=1) -> list:
    """A list of sentences, of at least so many."""
    if not isinstance(sentences, list | tuple) or len(sentences) < least:
        raise ValueError(f"{name}: expected a list of sentences, got {sentences!r}.")
    return list(sentences)


def _words(name, value) -> list[str]:
    """A sentence as a list of words."""
    words = values.words(name, value.split() if isinstance(value, str) else value)
    if not 1 <= len(words) <= MOST_WORDS or any(len(word.split()) > 1 for word in words):
        raise ValueError(f"{name}: expected 1 to {MOST_WORDS} words without spaces in them, got {words!r}.")
    return words


def _loaded(name: str) -> Any:
    """The model of this name, in float64."""
    trained = loaded(name, "transformer")
    if trained.familiar is None:
        raise ValueError(f"model: expected a transformer that knows what it read, and {name!r} is not one.")
    return trained
