"""AttentionWindow: the whole sentence, one word of it, or a window that moves along it."""

import base64
import math
import struct

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets

MODES = ("soft", "hard", "local-m", "local-p")
# The names that attnbook.nn.LocalAttention uses.
ALIASES = {"monotonic": "local-m", "predictive": "local-p"}
MOST_WORDS = 64
MOST_DRAWS = 1000
SHARE = 0.9  # of the soft weights' mass, which the reader's window has to cover


def window_weights(scores, mode="local-p", centre=0.0, window=1, temperature=1.0) -> dict:
    """What soft, hard and local attention make of the same scores, as js/window.js computes it.

    Parameters
    ----------
    scores : (S,)
        How well each word fits the query.
    mode : "soft", "hard", "local-m" or "local-p"
        Softmax over all words; the largest score (the first of equals) takes all; softmax over the words
        within ``window`` of ``centre``; that, times a Gaussian of σ = window / 2 around ``centre`` (Luong et
        al. 2015, equation 10).
    centre : float
        p_t, counted from 0.
    window : int
        D.
    temperature : float
        Scores are divided by it.

    Returns
    -------
    dict
        ``soft`` (S,), the weights of global soft attention; ``inside`` (S,), whether a word is in the window;
        ``gauss`` (S,); ``weights`` (S,), all 0 if the window holds no word; ``covered``, the share of the
        soft weights that lies inside.
    """
    scaled = np.asarray(scores, dtype=np.float64) / temperature
    places = np.arange(len(scaled))
    local = mode.startswith("local")
    distance = np.abs(places - centre)
    inside = distance <= window if local else np.ones(len(scaled), dtype=bool)
    soft = _softmax(scaled, np.ones(len(scaled), dtype=bool))
    gauss = np.exp(-2 * distance**2 / window**2) if mode == "local-p" else np.ones(len(scaled))
    weights = _softmax(scaled, inside) * gauss
    if mode == "hard":
        weights = np.where(places == scaled.argmax(), 1.0, 0.0)
    return {
        "soft": soft,
        "inside": inside,
        "gauss": gauss,
        "weights": weights,
        "covered": float(soft[inside].sum()),
    }


def _softmax(scores, may):
    """Softmax over those that may be attended to; zeros for the others."""
    if not may.any():
        return np.zeros(len(scores))
    exps = np.where(may, np.exp(np.minimum(scores - scores[may].max(), 0)), 0.0)
    return exps / exps.sum()


def least_window(soft, centre) -> int:
    """The smallest whole D, from 1, whose window around ``centre`` covers 90 % of the soft weights."""
    soft = np.asarray(soft)
    distance = np.abs(np.arange(len(soft)) - centre)
    window = 1
    while soft[distance <= window].sum() < SHARE - 1e-9:
        window += 1
    return window


def draw_counts(odds, draws, seed) -> list[int]:
    """How often each word comes up in ``draws`` draws with these odds; the page draws the very same.

    The generator is mulberry32, of 32 bits: enough to look at chance, and the same in two languages.
    """
    counts = [0] * len(odds)
    state = seed
    for _ in range(draws):
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ state >> 15) * (state | 1)) & 0xFFFFFFFF
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & 0xFFFFFFFF
        left = (mixed ^ mixed >> 14) / 2**32
        word = 0
        while word < len(odds) - 1:
            left -= odds[word]
            if left < 0:
                break
            word += 1
        counts[word] += 1
    return counts


class AttentionWindow(PredictFirst):
    """One query over a sentence: look at all of it, at one word, or at a window around a centre p_t.

    Parameters
    ----------
    keys : (S, d), optional
        What each word offers; scores are query · key. (For Luong's general score pass W h_s as keys.)
    query : (d,), optional
        What is looked for.
    tokens : S strings, optional
        The words; "word 1", "word 2", … if absent.
    mode : "soft", "hard", "local-m" or "local-p"
        Global soft attention; one word, by argmax or by draws; local attention with p_t = t; local attention
        with any p_t and the Gaussian. "monotonic" and "predictive", as
        :class:`attnbook.nn.LocalAttention` has them, are taken for local-m and local-p.
    centre : float
        p_t, counted from 0: t for local-m, any number from 0 to S for local-p.
    window : int, default 2
        D, from 1. The window is [p_t − D, p_t + D].
    scores : (S,), optional
        Scores, where there are no keys and query.
    temperature : float, default 1.0
        From 0.01 to 100; scores are divided by it.
    trained : dict, optional
        What a trained model did, a row a target word: ``target`` (T words) and ``weights`` (T, S). Optional:
        ``p_t`` (T,), absent: 0, 1, 2, …; and either ``scores`` (T, S) or ``query`` (T, d), the model's
        queries for ``keys``. With one of these the page computes every row itself, and the reader can move
        the window of every target word; ``weights`` may then be left out. Without, a row is shown as stored.
    name : str, optional
        Names this widget in a shared link; its class and order do if absent.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    key : (S, d) lists or None
        The keys.
    weights : list of S numbers
        In "hard" a single 1 at the largest score. Local-p's weights are not divided by their sum after the
        Gaussian, so they add up to less than 1.
    soft, covered : list of S numbers, number
        The weights of global soft attention, and the share of them that lies in the window. None for a
        stored row without scores.
    samples, seed, counts : int, int, list of S whole numbers
        Draws with ``soft`` as the odds, and how often each word came up.
    step : int or None
        The target word whose trained row is shown.
    prediction : dict or None
        Local modes: ``{"window": D}``, the reader's D that covers 90 % of the soft weights; once made also
        ``"answer"``, the least D that does, and ``"actual"``, what the reader's D covers. Else ``{"share": 0
        to 1}``, the soft weight of the word with the largest score; once made also ``"actual"``.
    score : float or None
        1 for the least D, less by 1/S for each step beside it; else 1 less the difference of the shares.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and the remedy. Assignments raise ``traitlets.TraitError``
        and leave the state as it was.
    """

    _esm = bundle("AttentionWindow.js")
    _css = bundle("AttentionWindow.css")

    memory = traitlets.Dict(help="Words, keys and trained rows, packed as float32; read-only.").tag(sync=True)
    tokens = Mirror("the words; make a new widget for others", derived=True)
    # Not `keys`: ipywidgets has that name for itself.
    key = Mirror("(S, d), the keys; make a new widget for others", derived=True)
    query = Mirror("what is looked for, (d,)")
    scores = Mirror("how well each word fits the query, (S,)")
    mode = Mirror("soft, hard, local-m or local-p")
    centre = Mirror("p_t")
    window = Mirror("D")
    temperature = Mirror("what scores are divided by")
    samples = Mirror("how many draws were made")
    seed = Mirror("where the draws begin")
    step = Mirror("the target word of the trained row, or None")
    weights = Mirror("(S,); set query, scores, mode, centre or window", derived=True)
    soft = Mirror("weights of global soft attention, (S,); set query or scores", derived=True)
    covered = Mirror("share of the soft weights in the window; set centre or window", derived=True)
    counts = Mirror("how often each word was drawn; set samples or seed", derived=True)

    def __init__(
        self,
        keys=None,
        query=None,
        tokens=None,
        *,
        mode="local-p",
        centre=None,
        window=2,
        scores=None,
        temperature=1.0,
        trained=None,
        name=None,
        challenge="",
        predict=True,
        theme="auto",
    ):
        self._keys = None if keys is None else _float32(values.matrix("keys", keys))
        self._tokens = self._checked_tokens(tokens, scores, trained)
        if self._keys is not None and len(self._keys) != len(self._tokens):
            raise ValueError(
                f"tokens: expected one a key, {len(self._keys)} strings, got {len(self._tokens)}."
            )
        self._trained = None if trained is None else _trained(trained, self._keys, len(self._tokens))
        self._packed = {
            "tokens": self._tokens,
            "keys": _pack(self._keys),
            "trained": self._trained
            and {**self._trained, **{k: _pack(self._trained[k]) for k in ("weights", "scores")}},
        }
        own = query is not None or scores is not None
        step = None if own or trained is None else 0
        if centre is None:
            middle = (len(self._tokens) - 1) / 2
            centre = _centre(mode, middle if step is None else self._trained["p_t"][0], len(self._tokens))
        state = {
            "mode": mode,
            "centre": centre,
            "window": window,
            "temperature": temperature,
            "query": query,
            "scores": scores,
            "step": step,
            "samples": 0,
            "seed": 1,
            **self._unpredicted(predict),
        }
        super().__init__(state, challenge=challenge, theme=theme, address=name, memory=self._packed)
        self._compare(trained)

    def _checked_tokens(self, tokens, scores, trained):
        """The words, or as many names as there are keys or scores."""
        if tokens is None:
            rows = self._keys
            if rows is None and scores is not None:
                rows = values.vector("scores", scores)
            if rows is None:
                raise ValueError("tokens: expected the words, or keys, or scores; there is none of them.")
            tokens = [f"word {i + 1}" for i in range(len(rows))]
        tokens = values.words("tokens", tokens)
        if not 1 <= len(tokens) <= MOST_WORDS:
            raise ValueError(
                f"tokens: expected 1 to {MOST_WORDS} words, since each is drawn, got {len(tokens)}."
            )
        return tokens

    def _compare(self, trained):
        """What the page computes for the trained rows has to be what the model computed."""
        if trained is None or self._trained["scores"] is None or trained.get("weights") is None:
            return
        mode, window = self.state["mode"], self.state["window"]
        if mode == "hard" or self.state["temperature"] != 1:
            return
        for t, row in enumerate(self._trained["scores"]):
            made = window_weights(row, mode, self._trained["p_t"][t], window)["weights"]
            off = float(np.abs(made - self._trained["weights"][t]).max())
            if off > 1e-4:
                raise ValueError(
                    f"trained weights[{t}]: expected what {mode} with window={window} and p_t = "
                    f"{self._trained['p_t'][t]:g} makes of the scores, got {off:.2g} off; pass the model's "
                    "own mode and window."
                )

    @traitlets.validate("memory")
    def _fixed(self, proposal):
        if proposal["value"] != self._packed:
            raise traitlets.TraitError("memory: expected no assignment; make a new widget.")
        return proposal["value"]

    def _check(self, state):
        n = len(self._tokens)
        mode = state.get("mode")
        mode = values.choice("mode", ALIASES.get(mode, mode) if isinstance(mode, str) else mode, MODES)
        centre = values.number("centre", state.get("centre"))
        most = n + MOST_WORDS if mode == "local-m" else n
        if not 0 <= centre <= most or (mode == "local-m" and centre != int(centre)):
            wanted = f"t, a whole number from 0 to {most}" if mode == "local-m" else f"p_t from 0 to S = {n}"
            raise ValueError(f"centre: expected {wanted}, got {centre:g}.")
        query, scores = state.get("query"), state.get("scores")
        if query is not None:
            if self._keys is None:
                raise ValueError("query: expected None, since this widget has no keys; set scores.")
            query = values.vector("query", query, self._keys.shape[1], ", as many as a key has")
        if scores is not None:
            scores = values.vector("scores", scores, n, " (one a word)")
        step = state.get("step")
        rows = 0 if self._trained is None else len(self._trained["target"])
        if step is not None and not (_whole(step) and 0 <= step < rows):
            held = f"None or a target word from 0 to {rows - 1}" if rows else "None, since trained is absent"
            raise ValueError(f"step: expected {held}, got {step!r}.")
        if query is None and scores is None and step is None:
            raise ValueError("query: expected keys and a query, or scores, or a trained row; there are none.")
        checked = {
            "version": self._version,
            "mode": mode,
            "centre": centre,
            "window": _within("window", state.get("window"), 1, MOST_WORDS),
            "temperature": values.number("temperature", state.get("temperature"), 0.01, 100),
            "query": query,
            "scores": scores,
            "step": step,
            "samples": _within("samples", state.get("samples"), 0, MOST_DRAWS),
            "seed": _within("seed", state.get("seed"), 0, 2**32 - 1),
            "prediction": None,
            "revealed": self._flag("revealed", state),
            "score": None,
        }
        if state.get("prediction") is not None:
            made = self._predicted(state["prediction"], checked)
            checked.update(prediction=made, revealed=True)
            off = (
                abs(made["window"] - made["answer"]) / n
                if "window" in made
                else made["share"] - made["actual"]
            )
            checked["score"] = math.floor(max(0, 1 - abs(off)) * 100 + 0.5) / 100
        return checked

    def _predicted(self, prediction, state):
        """The reader's guess beside what came out when it was made."""
        seen = self._see(state)
        if seen["soft"] is None:
            raise ValueError("prediction: expected None, since this stored row has no scores to predict.")
        local = state["mode"].startswith("local")
        guess = "window" if local else "share"
        if not isinstance(prediction, dict) or guess not in prediction:
            wanted = '{"window": D}' if local else '{"share": 0 to 1}'
            raise ValueError(f"prediction: expected {wanted} in mode {state['mode']}, got {prediction!r}.")
        actual = prediction.get("actual")
        if actual is not None:
            actual = values.number("prediction actual", actual, 0, 1)
        if not local:
            share = values.number("prediction share", prediction["share"], 0, 1)
            return {"share": share, "actual": _share(seen["soft"].max()) if actual is None else actual}
        window = _within("prediction window", prediction["window"], 1, MOST_WORDS)
        if actual is None:
            distance = np.abs(np.arange(len(self._tokens)) - state["centre"])
            answer = least_window(seen["soft"], state["centre"])
            actual = _share(seen["soft"][distance <= window].sum())
        else:
            answer = _within("prediction answer", prediction.get("answer"), 1, 3 * MOST_WORDS)
        return {"window": window, "answer": answer, "actual": actual}

    def _see(self, state):
        """Scores and all that follows from them; a stored row has weights alone."""
        step = state["step"]
        if step is not None and self._trained["scores"] is None:
            return {"scores": None, "soft": None, "weights": self._trained["weights"][step], "covered": None}
        if step is not None:
            scores = self._trained["scores"][step]
        elif state["scores"] is not None:
            scores = np.asarray(state["scores"])
        else:
            scores = self._keys @ np.asarray(state["query"])
        settings = {name: state[name] for name in ("mode", "centre", "window", "temperature")}
        return {"scores": scores, **window_weights(scores, **settings)}

    def _mirrors(self, state):
        seen = self._see(state)

        def listed(row):
            return None if row is None else [round(float(x), 6) for x in row]

        names = (
            *("mode", "centre", "window", "temperature", "query", "samples", "seed", "step"),
            *("prediction", "revealed", "score"),
        )
        return {
            **{name: state[name] for name in names},
            "tokens": self._tokens,
            "key": None if self._keys is None else [listed(row) for row in self._keys],
            **{name: listed(seen[name]) for name in ("scores", "soft", "weights")},
            "covered": None if seen["covered"] is None else round(seen["covered"], 6),
            "counts": None
            if seen["soft"] is None
            else draw_counts(seen["soft"].tolist(), state["samples"], state["seed"]),
        }

    def _edited(self, name, value, state):
        if name in ("query", "scores"):
            return {**state, "scores": None, name: value, "step": None, "prediction": None}
        if name == "step" and _whole(value) and self._trained and 0 <= value < len(self._trained["p_t"]):
            centre = _centre(state["mode"], self._trained["p_t"][value], len(self._tokens))
            return {**state, "step": value, "centre": centre, "prediction": None}
        if name in ("mode", "centre", "window", "temperature"):
            if state["step"] is not None and self._trained["scores"] is None:
                state = {**state, "step": None}  # a stored row cannot follow
            if name == "mode":  # another question
                state = {**state, "centre": _centre(value, state["centre"], len(self._tokens))}
                return {**state, "mode": value, "prediction": None}
        return super()._edited(name, value, state)

    def _sentence(self, state, *, outcome=False):
        seen = self._see(state)
        tokens, mode, step = self._tokens, state["mode"], state["step"]
        top = int(seen["weights"].argmax())
        best = tokens[top]
        stored = seen["soft"] is None
        if stored:
            text = (
                f"the model's weights as stored, largest on “{best}” with "
                f"{values.percent(seen['weights'].max())}; they add up to "
                f"{values.fixed(float(seen['weights'].sum()))}"
            )
        elif not (outcome or state["revealed"]):
            text = "the weights are hidden: predict and commit, or skip"
        elif mode == "soft":
            text = (
                f"soft attention over all {len(tokens)} words gives “{best}” the largest share, "
                f"{values.percent(seen['soft'].max())}"
            )
        elif mode == "hard":
            counts = draw_counts(seen["soft"].tolist(), state["samples"], state["seed"])
            drawn = f"; of {state['samples']} draws, {counts[top]} fell on it" if state["samples"] else ""
            text = (
                f"hard attention takes “{best}”, whose odds are {values.percent(seen['soft'].max())}{drawn}"
            )
        else:
            place = f"p_t = {values.fixed(state['centre'])} with D = {state['window']}"
            held = int(seen["inside"].sum())
            text = (
                f"the window around {place} holds {held} of {len(tokens)} words and "
                f"{values.percent(seen['covered'])} of the soft weights; its weights add up to "
                f"{values.fixed(float(seen['weights'].sum()))}"
                if held
                else f"the window around {place} holds no word, so every weight is 0"
            )
        lead = f"Target word “{self._trained['target'][step]}”: " if step is not None else ""
        return f"{lead or text[0].upper()}{text if lead else text[1:]}."

    def _figure(self):
        from matplotlib.figure import Figure

        state, seen, n = self.state, self._see(self.state), len(self._tokens)
        places = np.arange(n)
        figure = Figure(figsize=(7.2, 3.4))
        axes = figure.add_subplot()
        if seen["soft"] is not None:
            axes.bar(
                places, seen["soft"], width=0.8, fill=False, ec="#535b65", ls="--", label="soft attention"
            )
        axes.bar(places, seen["weights"], width=0.55, color="#005a9c", label=f"{state['mode']} weights")
        if state["mode"].startswith("local"):
            low, high = state["centre"] - state["window"], state["centre"] + state["window"]
            axes.axvspan(low, high, color="#a33f00", alpha=0.12, label="window")
            axes.axvline(state["centre"], color="#a33f00", lw=1)
            if state["mode"] == "local-p":
                x = np.linspace(low, high, 80)
                curve = np.exp(-2 * (x - state["centre"]) ** 2 / state["window"] ** 2)
                axes.plot(x, curve, color="#a33f00", lw=1, ls=":", label="Gaussian")
        axes.set_xticks(places, self._tokens, rotation=40, ha="right", fontsize=8)
        axes.set(ylim=(0, 1.05), ylabel="weight (share of 1)")
        axes.tick_params(axis="y", labelsize=8)
        axes.legend(fontsize=8, frameon=False, loc="upper right")
        figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.38)
        return figure


def _share(sum_of_weights) -> float:
    return values.compact(min(1.0, float(sum_of_weights)))


def _whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(name, value, low, high) -> int:
    """A whole number in ``[low, high]``."""
    if isinstance(value, np.integer):
        value = int(value)
    if not _whole(value) or not low <= value <= high:
        raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r}.")
    return value


def _centre(mode, centre, words) -> float:
    """The nearest centre that this mode can have."""
    if mode in ("local-m", "monotonic"):
        return float(int(centre + 0.5))
    return min(float(centre), float(words))


def _float32(rows) -> np.ndarray:
    """Numbers as the page has them, in float64."""
    return np.asarray(rows, dtype=np.float32).astype(np.float64)


def _pack(rows):
    """Numbers as float32 in base64: a third of the JSON."""
    return None if rows is None else base64.b64encode(struct.pack(f"<{rows.size}f", *rows.flat)).decode()


def _trained(given, keys, words) -> dict:
    """The trained rows, checked."""
    allowed = {"target", "p_t", "weights", "scores", "query"}
    if not isinstance(given, dict) or "target" not in given or not set(given) <= allowed:
        got = sorted(given) if isinstance(given, dict) else given
        raise ValueError(
            f"trained: expected a dict with target and weights, perhaps p_t, scores, query; got {got!r}."
        )
    target = values.words("trained target", given["target"])
    rows = len(target)
    if not rows:
        raise ValueError("trained target: expected at least one word.")
    p_t = given.get("p_t")
    p_t = list(map(float, range(rows))) if p_t is None else values.vector("trained p_t", p_t, rows)
    if not all(0 <= p <= words + MOST_WORDS for p in p_t):
        raise ValueError(f"trained p_t: expected positions from 0 to {words + MOST_WORDS}, got {p_t!r}.")
    out = {"target": target, "p_t": p_t, "weights": None, "scores": None}
    shape = " (target × source words)"
    if given.get("scores") is not None:
        out["scores"] = _float32(values.matrix("trained scores", given["scores"], rows, words, shape))
    elif given.get("query") is not None:
        if keys is None:
            raise ValueError("trained query: expected keys beside it.")
        query = values.matrix("trained query", given["query"], rows, keys.shape[1], ", as wide as keys")
        out["scores"] = _float32(np.asarray(query) @ keys.T)
    if given.get("weights") is not None:
        out["weights"] = _float32(values.matrix("trained weights", given["weights"], rows, words, shape))
        for t, row in enumerate(out["weights"]):
            if row.min() < 0 or row.sum() > 1.001:
                raise ValueError(
                    f"trained weights[{t}]: expected shares with a sum of at most 1, got {row.sum():.4g}."
                )
    if out["weights"] is None and out["scores"] is None:
        raise ValueError("trained: expected weights, or scores, or query beside keys; there are none.")
    return out
