"""AlignmentExplorer: which source words each target word looks at, and what a fixed vector forgets."""

import base64
import struct
from functools import cached_property
from numbers import Integral

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.own_model import windowed
from attnbook.widgets.state import Boolean, Choice, Index, Number, Pair, Record, State, Words, hidden_outcome
from attnbook.widgets.trained import RunsModels, number_of

SCORERS = ("none", "additive", "dot", "general")
VIEWS = ("heatmap", "ribbons")
MOST_WORDS = 64


STATE = State(
    source=Words(most=MOST_WORDS),
    scorer=Choice(options=SCORERS),
    view=Choice(options=VIEWS),
    gold=Boolean(),
    cell=Pair(rows="rows", columns="source", optional=True),
    **hidden_outcome(
        Record(
            optional=True,
            asked_of_reader=("share",),
            wanted='{"choice": a word or its index, "share": 0 to 1}; of a fixed vector the share alone',
            parts={
                "choice": Index(of="source", optional=True),
                "share": Number(low=0, high=1),
                "answer": Index(of="source", optional=True),
                "actual": Number(low=0, high=1),
            },
        )
    ),
)


def alignment_weights(query, key, v=None, W=None) -> list[list[float]]:
    """Weights of every target word over the source words, as js/mechanisms/alignment.js computes them.

    Parameters
    ----------
    query : (tgt, d)
        What each target word asks with: for the additive score W_q s_(i-1), the bias included.
    key : (src, d)
        What each source word offers: for the additive score W_k h_j; with ``W`` (src, d_key), the states h_j
        themselves.
    v : (d,), optional
        With ``v`` the score is v · tanh(query + key) (Bahdanau et al. 2015, appendix A.1.2); without, it is
        query · key (dot; Luong et al. 2015, section 3.1).
    W : (d, d_key), optional
        With ``W`` the score is query · (W key) (general; the same section).

    Returns
    -------
    (tgt, src) lists
        Each row adds up to 1.
    """
    import torch

    from attnbook.nn import DotScore, masked_softmax

    query, key = (torch.as_tensor(part, dtype=torch.float64) for part in (query, key))
    if W is not None:
        key = key @ torch.as_tensor(W, dtype=torch.float64).T
    if v is None:
        scores = DotScore()(query, key)
    else:
        scores = torch.tanh(query[:, None] + key) @ torch.as_tensor(v, dtype=torch.float64)
    return masked_softmax(scores).tolist()


class AlignmentExplorer(RunsModels, PredictFirst):
    """Sentence pairs, the weights that trained scorers gave them, and gold links beside them.

    Parameters
    ----------
    examples : list of dicts
        Each has ``src`` and ``tgt`` (lists of words; no ``tgt`` where no right translation is known) and
        ``scorers``, a dict from a name in ("none", "additive", "dot", "general") to

        - for a scorer with attention: ``weights`` (rows, src), each row adding up to 1. Optional: ``output``,
          the words that the model wrote (one a row; absent: the rows are ``tgt``); ``query`` (rows, d),
          ``key`` (src, d) and, for "additive", ``v`` (d,), from which the page computes scores and weights
          itself and shows the arithmetic of a cell (see :func:`alignment_weights`). Of an
          :class:`attnbook.nn.AdditiveScore` these are ``score.W(states)``, ``score.prepare(annotations)`` and
          ``score.v.weight[0]``; of a :class:`attnbook.nn.DotScore` the ``states`` and ``annotations``; of a
          :class:`attnbook.nn.GeneralScore` the ``states`` and either ``score.prepare(annotations)``, or the
          ``annotations`` and ``W``, ``score.W.weight`` (d, d_key), whose part the page then shows too: d
          times d_key numbers an example, so for small models.
        - for "none", the fixed vector: ``output``, what it wrote. Optional: ``remembered``, for each source
          word the share of it, from 0 to 1, that came back; the reader then predicts their mean.

        Optional: ``gold``, links ``[t, s, "S" or "P"]`` (sure, possible) from 0, and ``ask``, the row of
        the question that the reader answers first (absent: the first row whose largest weight is off the
        diagonal). With ``models``, ``scorers`` may be left out: the models make them.
    scorer : str
        The scorer shown first.
    by_length : dict, optional
        What fades with length: ``{"measure": "BLEU", "buckets": [[5, 8], [9, 12], …], "scores": {"none":
        [57, 36, …], "additive": [100, …]}}``, one number from 0 to 100 a bucket.
    models : list of str, optional
        Names of shipped recurrent translators, such as ``["04_additive", "03_fixed_vector"]``, one a scorer.
        Then any sentence is translated: by JavaScript in the published page, by torch with a kernel, where
        ``w.source = "…"`` does the same.
    translate : callable, optional
        From a list of source words to an example as above: it runs the chapter's model. With it, ``w.source =
        "…"`` or the box in the widget takes any sentence while there is a kernel. Left out, ``models`` do it.
    edits : list of sentences, optional
        Sentences to translate now, so that the published page, which has no kernel, offers them as edits;
        :meth:`single_edits` lists those one step away. They need ``translate``.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Notes
    -----
    A recurrent encoder reads the whole sentence, so one changed word changes every annotation: an edit
    cannot be computed from the stored queries and keys. So an edit is real wherever it is offered: computed
    by the trained model itself in the page (``models``), or ahead of time (``edits``), or on the spot with a
    kernel; a page without ``models`` says how many sentences it holds. An edit of 12 words takes about 1 kB a
    scorer with ``weights`` alone; every number beside them takes 5 bytes.

    JavaScript writes the same words as torch and its weights differ by less than 1e-4, with the same rounded
    numbers of the model's file on both sides.

    Attributes
    ----------
    source : str
        The source words, joined by spaces. Assign a string or a list of words.
    scorer, view : str
    weights : (rows, src) lists, or None for "none"
    output : list of str
        What the rows are: the model's words.
    cell : [row, column] or None
        The cell whose arithmetic is shown.

    Raises
    ------
    ValueError
        From the constructor, naming the example and what is wrong. Assignments raise ``traitlets.TraitError``
        and leave the state as it was.
    """

    _esm = bundle("AlignmentExplorer.js")
    _css = bundle("AlignmentExplorer.css")

    examples = traitlets.List(help="What is shown, numbers packed as float32; read-only.").tag(sync=True)
    by_length = traitlets.Dict(help="Measure by sentence length; read-only.").tag(sync=True)
    notice = traitlets.Unicode("", help="What the kernel has to say about a sentence.").tag(sync=True)
    source = Mirror("the source sentence")
    scorer = Mirror("none, additive, dot or general")
    view = Mirror("heatmap or ribbons")
    gold = Mirror("whether gold links are drawn")
    cell = Mirror("row and column of the arithmetic")
    weights = Mirror("(rows, src); set source or scorer", derived=True)
    output = Mirror("the words of the rows; set source or scorer", derived=True)

    def __init__(
        self,
        examples,
        scorer="additive",
        *,
        by_length=None,
        models=(),
        translate=None,
        edits=(),
        view="heatmap",
        challenge="",
        predict=True,
        theme="auto",
    ):
        if not isinstance(examples, list | tuple) or not examples:
            raise ValueError(f"examples: expected a list of at least one dict, got {examples!r}.")
        if translate is not None and not callable(translate):
            raise ValueError(f"translate: expected a function of a list of words, got {translate!r}.")
        if translate is None and models:
            translate = Translators(models)
        if edits and translate is None:
            raise ValueError("edits: expected translate= beside them, since they have to be computed.")
        self._translate = translate
        self._known = {}
        self._by_length = _by_length(by_length)
        for index, example in enumerate(examples):
            if models and isinstance(example, dict) and "src" in example and "scorers" not in example:
                words = _words(f"examples[{index}] src", example["src"])
                example = {**example, "scorers": Translators(models)(words)["scorers"]}
            checked = _example(f"examples[{index}]", example)
            self._known[tuple(checked["src"])] = {**checked, "given": True}
        for index, edit in enumerate(edits):
            self._look_up(_words(f"edits[{index}]", edit))
        first = next(iter(self._known.values()))
        state = {
            "source": first["src"],
            "scorer": scorer,
            "view": view,
            "gold": False,
            "cell": None,
            **self._unpredicted(predict),
        }
        super().__init__(
            state,
            models=models,
            challenge=challenge,
            theme=theme,
            examples=self._packed(),
            by_length=self._by_length,
        )
        self.on_msg(self._asked)

    @classmethod
    def from_transformers(
        cls,
        model,
        tokenizer,
        text,
        *,
        tgt=None,
        row=0,
        merge=False,
        layer=-1,
        head=None,
        start=0,
        view="heatmap",
        challenge="",
        predict=True,
        theme="auto",
    ):
        """The cross-attention of an encoder–decoder of Hugging Face, as an alignment.

        A fused kernel never holds the attention weights: load the model with
        ``attn_implementation="eager"``.

        Parameters
        ----------
        model, tokenizer, text, tgt, row, merge
            As in ``HeadExplorer.from_transformers``. Each row bears the token that is written from it.
        layer : int
            Of the decoder; -1 is the last.
        head : int, optional
            Left out: the mean over the layer's heads.
        start : int or (row, column)
            Where the window on a long text begins.
        view, challenge, predict, theme
            As in :class:`AlignmentExplorer`.

        Raises
        ------
        ValueError
            In one sentence: what ``attnbook.models.read_attention`` refuses, a model without
            cross-attention, or an option out of range.
        """
        from attnbook.models import read_attention

        reading = read_attention(model, tokenizer, text, tgt=tgt, row=row, merge=merge)
        if "cross" not in reading.kinds:
            raise ValueError(
                "model: expected an encoder and a decoder with attention between them, got "
                f"{type(model).__name__}; HeadExplorer.from_transformers shows self-attention."
            )
        shown = windowed(reading["cross"], start)
        n_layers, n_heads = shown.weights.shape[:2]
        if type(layer) is not int or not -n_layers <= layer < n_layers:
            raise ValueError(f"layer: expected -{n_layers} to {n_layers - 1}, got {layer!r}.")
        if head is not None and (type(head) is not int or not 0 <= head < n_heads):
            raise ValueError(f"head: expected None or 0 to {n_heads - 1}, got {head!r}.")
        weights = shown.weights[layer].mean(dim=0) if head is None else shown.weights[layer, head]
        scored = {"output": shown.rows, "weights": weights}
        return cls(
            [{"src": shown.columns, "scorers": {"dot": scored}}],
            "dot",
            view=view,
            challenge=challenge,
            predict=predict,
            theme=theme,
        )

    @staticmethod
    def single_edits(source) -> list[list[str]]:
        """Every sentence that is ``source`` with one word dropped, or with two neighbours swapped.

        Parameters
        ----------
        source : str or list of str

        Returns
        -------
        list of lists of str
            Without ``source`` itself and without repeats.
        """
        words = _words("source", source)
        dropped = [words[:i] + words[i + 1 :] for i in range(len(words)) if len(words) > 1]
        swapped = [[*words[:i], words[i + 1], words[i], *words[i + 2 :]] for i in range(len(words) - 1)]
        return [list(edit) for edit in dict.fromkeys(map(tuple, dropped + swapped)) if list(edit) != words]

    def _look_up(self, source) -> dict:
        """The example of a source sentence: given, or translated now."""
        found = self._known.get(tuple(source))
        if found is None:
            if self._translate is None:
                raise ValueError(
                    f"source: expected one of the {len(self._known)} sentences that this widget holds, got "
                    f"{' '.join(source)!r}; pass models= or translate= to take any sentence."
                )
            try:
                made = self._translate(list(source))
            except Exception as error:
                raise ValueError(f"source: {' '.join(source)!r} could not be translated: {error}") from error
            found = _example(f"translation of {' '.join(source)!r}", made)
            if found["src"] != list(source):
                raise ValueError(
                    f"translate: expected an example whose src is {' '.join(source)!r}, "
                    f"got {' '.join(found['src'])!r}."
                )
            self._known[tuple(source)] = found
            if self.examples:  # before the state, so that the page has the numbers when the state names them
                self.examples = self._packed()
        return found

    def _packed(self):
        return [
            {**example, "scorers": {name: _pack(scorer) for name, scorer in example["scorers"].items()}}
            for example in self._known.values()
        ]

    @traitlets.validate("examples", "by_length")
    def _fixed(self, proposal):
        name = proposal["trait"].name
        if proposal["value"] != (self._packed() if name == "examples" else self._by_length):
            raise traitlets.TraitError(f"{name}: expected no assignment; make a new widget, or set source.")
        return proposal["value"]

    def _asked(self, _, content, buffers):
        """The page asks for a sentence that it does not hold."""
        if isinstance(content, dict) and content.get("type") == "translate":
            try:
                self.source = content.get("source")
                translate = self._translate
                known = isinstance(translate, Translators)
                self.notice = translate.doubts(self.state["source"]) if known else ""
            except traitlets.TraitError as error:
                self.notice = str(error)

    def _declare(self):
        return STATE

    def _sizes(self, state):
        _, shown = self._shown(state)
        if "weights" not in shown:
            raise ValueError("cell: expected None, since a fixed vector has no weights.")
        return {"rows": len(shown["output"])}

    def _agree(self, state):
        self._shown(state)

    def _shown(self, state):
        """The example and the part of it that the scorer gave."""
        example = self._look_up(_words("source", state["source"]))
        scorer = values.choice("scorer", state["scorer"], tuple(example["scorers"]))
        return example, example["scorers"][scorer]

    def _options(self, state):
        return state["source"]

    def _outcome(self, state):
        example, shown = self._shown(state)
        if "weights" not in shown:
            return None, sum(shown["remembered"]) / len(shown["remembered"])
        row = shown["weights"][ask_row(example, shown)]
        return _peak(row), max(row)

    def _completed(self, prediction, state):
        _, shown = self._shown(state)
        if "weights" in shown:
            return super()._completed(prediction, state)
        if "remembered" not in shown:
            raise ValueError("prediction: expected weights or remembered shares; there are none.")
        if prediction.get("choice") is not None or prediction.get("answer") is not None:
            raise ValueError(
                "prediction: expected a share alone, since a fixed vector has no weights, "
                f"got {prediction!r}."
            )
        actual = prediction.get("actual", self._outcome(state)[1])
        return {"choice": None, "share": prediction["share"], "answer": None, "actual": actual}

    def _edited(self, name, value, state):
        if name in ("source", "scorer"):
            # Another sentence or scorer is another question; what was in view stays in view.
            value = _words("source", value) if name == "source" else value
            state = {**state, "prediction": None, "cell": None, name: value}
            if name == "source":
                example = self._look_up(value)
                if state["scorer"] not in example["scorers"]:
                    state["scorer"] = next(iter(example["scorers"]))
            return state
        return super()._edited(name, value, state)

    def _derived(self, state):
        example, shown = self._shown(state)
        weights = shown.get("weights")
        return {
            "source": " ".join(example["src"]),
            "weights": weights and [[round(x, 6) for x in row] for row in weights],
            "output": shown["output"],
        }

    def _sentence(self, state):
        example, shown = self._shown(state)
        if "weights" not in shown:
            if "remembered" in shown and not state["revealed"]:
                return (
                    "What the fixed vector gives back is hidden: predict how much of the sentence, or skip."
                )
            return f"From one fixed vector, the decoder writes: {' '.join(shown['output'])}."
        word = shown["output"][ask_row(example, shown)]
        if not state["revealed"]:
            return f"The weights are hidden: predict which source word “{word}” looks at most, or skip."
        best, share = self._outcome(state)
        written = values.count_of(len(shown["output"]), "target word")
        read = values.count_of(len(example["src"]), "source word")
        return (
            f"“{word}” looks most at “{example['src'][best]}”, {values.percent(share)}: {state['scorer']} "
            f"score, {written} over {read}."
        )

    def _figure(self):
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        example, shown = self._shown(self.state)
        revealed = self.state["revealed"]
        src, rows = example["src"], shown["output"]
        if "weights" not in shown:
            figure = Figure(figsize=(7.2, 2.4))
            written = " ".join(rows) if revealed or "remembered" not in shown else "?"
            wanted = [f"wanted: {' '.join(example['tgt'])}"] if example["tgt"] else []
            lines = [f"source: {' '.join(src)}", *wanted, f"written: {written}"]
            figure.text(0.02, 0.9, "\n".join(_wrap(lines)), va="top", fontsize=9)
            return figure
        figure = Figure(figsize=(min(7.5, 2.2 + 0.42 * len(src)), min(7, 2.2 + 0.32 * len(rows))))
        axes = figure.add_subplot()
        hidden = [[0.0] * len(src)] * len(rows)
        axes.imshow(shown["weights"] if revealed else hidden, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        if not revealed:
            for t in range(len(rows)):
                for s in range(len(src)):
                    axes.text(s, t, "?", ha="center", va="center", fontsize=7)
        axes.set_xticks(range(len(src)), src, rotation=60, ha="left", fontsize=8)
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
        axes.xaxis.tick_top()
        if revealed and rows == example["tgt"]:
            for t, s, kind in example["gold"]:
                style = "-" if kind == "S" else ":"
                axes.add_patch(Rectangle((s - 0.5, t - 0.5), 1, 1, fill=False, ls=style, ec="#a33f00"))
        figure.subplots_adjust(left=0.24, right=0.94, top=0.7, bottom=0.16)
        return figure


class Translators:
    """Shipped translators, run by torch: from source words to an example, as the page's JavaScript makes it.

    Parameters
    ----------
    names : sequence of str
    """

    def __init__(self, names):
        self.names = names

    @cached_property
    def trained(self) -> dict:
        """Scorer → trained model."""
        from attnbook.models import load

        found = {}
        for name in self.names:
            model = load(name)
            scorer = model.configuration.get("attention")
            if scorer not in ("none", "additive") or scorer in found:
                raise ValueError(
                    "models: expected at most one translator with a fixed vector and one with additive "
                    f"attention, got {name}."
                )
            found[scorer] = model
        return found

    def __call__(self, words: list[str]) -> dict:
        return {
            "src": list(words),
            "scorers": {scorer: _written(model, words) for scorer, model in self.trained.items()},
        }

    def doubts(self, words: list[str]) -> str:
        """What a reader should know before believing a translation of these words."""
        model = next(iter(self.trained.values()))
        unknown = [word for word in dict.fromkeys(words) if number_of(word, model.src) == model.src.unk]
        said = []
        if unknown:
            named = ", ".join(f"“{word}”" for word in unknown)
            said.append(
                f"Not among the {len(model.src) - 4} words that it knows: {named}, read as <unk>, an unknown "
                "word."
            )
        longest = model.configuration["longest"]
        if len(words) > longest:
            said.append(
                f"The sentence has {len(words)} words; the longest that it was trained on had {longest}."
            )
        return " ".join(said)


def _written(trained, words) -> dict:
    """What the translator writes greedily, with the parts of its scores where it has some."""
    import torch

    model, tgt = trained.model, trained.tgt
    with torch.no_grad():
        state = model.start(torch.tensor([[number_of(word, trained.src) for word in words]]))
        token = torch.tensor([tgt.bos])
        output, weights, query = [], [], []
        score = model.decoder.attention and model.decoder.attention.score
        for _ in range(MOST_WORDS):
            asked = score and score.W(state.hidden[0])[0]
            logits, row, state = model.step(token, state)
            token = logits.argmax(-1)
            if token == tgt.eos:
                break
            output.append(tgt.words[token])
            if score:
                weights.append(row[0])
                query.append(asked)
        if not score or not output:
            return {"output": output}
        key, v = state.prepared[0], score.v.weight[0]
        return {
            "output": output,
            "weights": torch.stack(weights),
            "query": torch.stack(query),
            "key": key,
            "v": v,
        }


def ask_row(example, shown) -> int:
    """The row of the question: ``ask``, or the first whose largest weight is off the diagonal."""
    if example.get("ask") is not None and example["ask"] < len(shown["output"]):
        return example["ask"]
    peaks = map(_peak, shown["weights"])
    return next((t for t, s in enumerate(peaks) if s != t), 0)


def _peak(row) -> int:
    """Where the largest weight is; the first of equals."""
    return max(range(len(row)), key=row.__getitem__)


def _wrap(lines):
    import textwrap

    return [part for line in lines for part in textwrap.wrap(line, 90, subsequent_indent="    ")]


def _words(name, value) -> list[str]:
    """A sentence as a list of words."""
    words = values.words(name, value.split() if isinstance(value, str) else value)
    if any(len(word.split()) > 1 for word in words):
        raise ValueError(f"{name}: expected words without spaces in them, got {words!r}.")
    if not 1 <= len(words) <= MOST_WORDS:
        raise ValueError(f"{name}: expected 1 to {MOST_WORDS} words, got {len(words)}.")
    return words


def _example(name, example) -> dict:
    """One example, checked, with every row's words under ``output``."""
    wanted = {"src", "scorers"}
    allowed = wanted | {"tgt", "gold", "ask"}
    if not isinstance(example, dict) or not wanted <= set(example) <= allowed:
        given = sorted(example) if isinstance(example, dict) else example
        raise ValueError(
            f"{name}: expected a dict with src, scorers and perhaps tgt, gold and ask, got {given!r}."
        )
    src = _words(f"{name} src", example["src"])
    tgt = _words(f"{name} tgt", example["tgt"]) if example.get("tgt") else []
    scorers = example["scorers"]
    if not isinstance(scorers, dict) or not scorers or not set(scorers) <= set(SCORERS):
        given = list(scorers) if isinstance(scorers, dict) else scorers
        raise ValueError(f"{name} scorers: expected names among {SCORERS}, got {given!r}.")
    checked = {scorer: _scorer(f"{name} {scorer}", scorer, scorers[scorer], src, tgt) for scorer in scorers}
    gold = []
    for link in example.get("gold") or []:
        fine = isinstance(link, list | tuple) and len(link) == 3 and link[2] in ("S", "P")
        if not fine or not all(isinstance(i, Integral) for i in link[:2]):
            raise ValueError(f'{name} gold: expected links [t, s, "S" or "P"], got {link!r}.')
        t, s, kind = int(link[0]), int(link[1]), link[2]
        if not (0 <= t < len(tgt) and 0 <= s < len(src)):
            raise ValueError(f"{name} gold: expected t < {len(tgt)} and s < {len(src)}, got {link!r}.")
        gold.append([t, s, kind])
    ask = example.get("ask")
    if ask is not None and (type(ask) is not int or not 0 <= ask < len(tgt)):
        raise ValueError(
            f"{name} ask: expected the index of a target word (0 to {len(tgt) - 1}), got {ask!r}."
        )
    return {"src": src, "tgt": tgt, "gold": gold, "ask": ask, "scorers": checked}


def _scorer(name, scorer, parts, src, tgt) -> dict:
    """What one scorer gave, checked."""
    if not isinstance(parts, dict):
        raise ValueError(f"{name}: expected a dict, got {parts!r}.")
    allowed = (
        {"output", "remembered"} if scorer == "none" else {"output", "weights", "query", "key", "v", "W"}
    )
    if not set(parts) <= allowed:
        raise ValueError(f"{name}: expected keys among {sorted(allowed)}, got {sorted(parts)!r}.")
    output = parts.get("output")
    out = {"output": tgt if output is None else values.words(f"{name} output", output)}
    if len(out["output"]) > MOST_WORDS:
        raise ValueError(f"{name} output: expected at most {MOST_WORDS} words, got {len(out['output'])}.")
    if scorer == "none":
        if output is None:
            raise ValueError(f"{name}: expected output, the words that the fixed vector gave.")
        if parts.get("remembered") is not None:
            shares = values.vector(
                f"{name} remembered", parts["remembered"], len(src), " (one a source word)"
            )
            if not all(0 <= share <= 1 for share in shares):
                raise ValueError(f"{name} remembered: expected shares from 0 to 1, got {shares!r}.")
            out["remembered"] = shares
        return out
    rows = len(out["output"])
    if rows == 0:
        raise ValueError(f"{name} output: expected at least one word.")
    weights = values.matrix(
        f"{name} weights", parts.get("weights"), rows, len(src), " (target × source words)"
    )
    for t, row in enumerate(weights):
        if min(row) < 0 or abs(sum(row) - 1) > 1e-3:
            raise ValueError(
                f"{name} weights[{t}]: expected shares that add up to 1, got a sum of {sum(row):.4g}."
            )
    out["weights"] = weights
    if not {"query", "key", "v", "W"}.isdisjoint(parts):
        query = values.matrix(f"{name} query", parts.get("query"), rows, None, " (one row a target word)")
        d = len(query[0])
        extra = {"additive": "v", "general": "W"}.get(scorer)
        for other in {"v", "W"} - {extra}:
            if parts.get(other) is not None:
                raise ValueError(f"{name} {other}: expected none, since the {scorer} score has no {other}.")
        v = values.vector(f"{name} v", parts.get("v"), d) if scorer == "additive" else None
        W = None if parts.get("W") is None else values.matrix(f"{name} W", parts["W"], d)
        width = len(W[0]) if W else d
        key = values.matrix(f"{name} key", parts.get("key"), len(src), width, " (one row a source word)")
        made = alignment_weights(query, key, v, W)
        off = max(abs(x - y) for a, b in zip(made, weights, strict=True) for x, y in zip(a, b, strict=True))
        if off > 1e-4:
            named = f", key and {extra}" if v or W else ", key"
            raise ValueError(f"{name}: expected weights that query{named} give, got {off:.2g} off.")
        out.update(query=query, key=key)
        for part, value in (("v", v), ("W", W)):
            if value is not None:
                out[part] = value
    return out


def _pack(scorer) -> dict:
    """Numbers as float32 in base64: exactly torch's, at a third of the JSON."""
    packed = {}
    for name, value in scorer.items():
        if name in ("weights", "query", "key", "v", "W"):
            flat = [x for row in value for x in row] if isinstance(value[0], list) else value
            value = base64.b64encode(struct.pack(f"<{len(flat)}f", *flat)).decode()
        packed[name] = value
    return packed


def _by_length(given) -> dict:
    """The measure by length, checked; an empty dict for None."""
    if given is None:
        return {}
    keys = {"measure", "buckets", "scores"}
    if not isinstance(given, dict) or set(given) != keys:
        raise ValueError(f"by_length: expected a dict with measure, buckets and scores, got {given!r}.")
    measure = values.words("by_length measure", [given["measure"]])[0]
    buckets = [[int(x) for x in values.vector("by_length buckets", b, 2)] for b in given["buckets"]]
    if not buckets or not isinstance(given["scores"], dict) or not set(given["scores"]) <= set(SCORERS):
        raise ValueError(f"by_length: expected buckets, and scores by names among {SCORERS}, got {given!r}.")
    scores = {}
    for name, row in given["scores"].items():
        scores[name] = values.vector(f"by_length scores {name}", row, len(buckets), " (one a bucket)")
        if not all(0 <= x <= 100 for x in scores[name]):
            raise ValueError(
                f"by_length scores {name}: expected numbers from 0 to 100, got {scores[name]!r}."
            )
    return {"measure": measure, "buckets": buckets, "scores": scores}
