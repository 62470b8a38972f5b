"""AttentionWindow: the whole sentence, one word of it, or a window that moves along it."""

import base64
import math
import struct
from typing import Any

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.state import (
    Absent,
    Choice,
    Index,
    Integer,
    Number,
    Record,
    State,
    Vector,
    hidden_outcome,
)

MODES = ("soft", "hard", "local-m", "local-p")
# The names that attnbook.nn.LocalAttention uses.
ALIASES = {"monotonic": "local-m", "predictive": "local-p"}
MOST_WORDS = 64
MOST_DRAWS = 1000
SHARE = 0.9  # of the soft weights' mass, which the reader's window has to cover


def window_weights(scores, mode="local-p", centre=0.0, window=1, temperature=1.0) -> dict:
    """What soft, hard and local attention make of the same scores.

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
    dict of lists
        ``soft`` (S,), the weights of global soft attention; ``inside`` (S,), whether a word is in the window;
        ``weights`` (S,), all 0 if the window holds no word; and ``covered``, the share of the soft weights
        that lies inside.
    """
    import torch

    from attnbook.nn import DotScore, LocalAttention, masked_softmax

    scaled = torch.as_tensor(scores, dtype=torch.float64) / temperature
    distance = (torch.arange(len(scaled)) - centre).abs()
    inside = distance <= window if mode.startswith("local") else torch.ones(len(scaled), dtype=torch.bool)
    soft = weights = masked_softmax(scaled)
    if mode == "hard":
        weights = torch.nn.functional.one_hot(scaled.argmax(), len(scaled)).double()
    elif mode != "soft":
        # A key is one number, the score itself; the reader's p_t stands where the network's would.
        local = LocalAttention(DotScore(), window)
        local.alignment = "predictive" if mode == "local-p" else "monotonic"
        local.centre = lambda *_: torch.tensor([[centre]], dtype=torch.float64)
        one, key = torch.ones(1, 1, dtype=torch.float64), scaled[:, None]
        weights = local(one, key, key)[1][0]
    return {
        "soft": soft.tolist(),
        "inside": inside.tolist(),
        "weights": weights.tolist(),
        "covered": soft[inside].sum().item(),
    }


def least_window(soft, centre) -> int:
    """The smallest whole D, from 1, whose window around ``centre`` covers 90 % of the soft weights."""
    window = 1
    while covers(soft, centre, window) < SHARE - 1e-9:
        window += 1
    return window


def covers(soft, centre, window) -> float:
    """The share of the soft weights within ``window`` of ``centre``."""
    return sum(weight for s, weight in enumerate(soft) if abs(s - centre) <= window)


def draw_counts(odds, draws, seed) -> list[int]:
    """How often each word comes up in ``draws`` draws with these odds; the page draws the very same."""
    counts = [0] * len(odds)
    numbers = generator(seed)
    for _ in range(draws):
        left = next(numbers)
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
            wanted = values.count_of(len(self._keys), "string")
            raise ValueError(f"tokens: expected one a key, {wanted}, got {len(self._tokens)}.")
        self._trained: Any = None if trained is None else _trained(trained, self._keys, len(self._tokens))
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
            "mode": _mode(mode),
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
            off = float(np.abs(np.array(made) - self._trained["weights"][t]).max())
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

    def _declare(self):
        n, keys = len(self._tokens), self._keys
        rows = len(self._trained["target"]) if self._trained else 0
        return State(
            mode=Choice(options=MODES),
            centre=Number(),
            window=Integer(low=1, high=MOST_WORDS),
            temperature=Number(low=0.01, high=100),
            query=Absent(why=", since this widget has no keys; set scores")
            if keys is None
            else Vector(length=keys.shape[1], optional=True, why=", as many as a key has"),
            scores=Vector(length=n, optional=True, why=" (one a word)"),
            step=Index(of=rows, optional=True, why=", a target word, or None")
            if rows
            else Absent(why=", since trained is absent"),
            samples=Integer(low=0, high=MOST_DRAWS),
            seed=Integer(low=0, high=2**32 - 1),
            **hidden_outcome(
                Record(
                    optional=True,
                    wanted='{"window": D} or {"share": 0 to 1}',
                    parts={
                        "window": Integer(low=1, high=MOST_WORDS, optional=True),
                        "share": Number(low=0, high=1, optional=True),
                        "answer": Integer(low=1, high=3 * MOST_WORDS, optional=True),
                        "actual": Number(low=0, high=1),
                    },
                )
            ),
        )

    def _agree(self, state):
        n, mode, centre = len(self._tokens), state["mode"], state["centre"]
        most = n + MOST_WORDS if mode == "local-m" else n
        if not 0 <= centre <= most or (mode == "local-m" and centre != int(centre)):
            wanted = f"t, a whole number from 0 to {most}" if mode == "local-m" else f"p_t from 0 to S = {n}"
            raise ValueError(f"centre: expected {wanted}, got {centre:g}.")
        if state["query"] is None and state["scores"] is None and state["step"] is None:
            raise ValueError("query: expected keys and a query, or scores, or a trained row; there are none.")

    def _completed(self, prediction, state):
        seen = self._numbers(state)
        if seen["soft"] is None:
            raise ValueError("prediction: expected None, since this stored row has no scores to predict.")
        local = state["mode"].startswith("local")
        asked, other = ("window", "share") if local else ("share", "window")
        if prediction.get(asked) is None or prediction.get(other) is not None:
            wanted = '{"window": D}' if local else '{"share": 0 to 1}'
            raise ValueError(f"prediction: expected {wanted} in mode {state['mode']}, got {prediction!r}.")
        if "actual" in prediction:
            if local == (prediction.get("answer") is None):
                raise ValueError(
                    f"prediction answer: expected one in a local mode alone, got {prediction!r}."
                )
            return prediction
        if not local:
            return {**prediction, "actual": min(1.0, max(seen["soft"]))}
        window = self._part("window", prediction, state)
        covered = min(1.0, covers(seen["soft"], state["centre"], window))
        return {**prediction, "answer": least_window(seen["soft"], state["centre"]), "actual": covered}

    def _graded(self, prediction, state):
        if prediction["window"] is not None:
            off = abs(prediction["window"] - prediction["answer"]) / len(self._tokens)
        else:
            off = abs(prediction["share"] - prediction["actual"])
        return math.floor(max(0, 1 - off) * 100 + 0.5) / 100

    def _compute(self, state):
        """Scores and all that follows from them; a stored row has weights alone."""
        step = state["step"]
        if step is not None and self._trained["scores"] is None:
            weights = self._trained["weights"][step].tolist()
            return {"scores": None, "soft": None, "weights": weights, "covered": None}
        if step is not None:
            scores = self._trained["scores"][step].tolist()
        elif state["scores"] is not None:
            scores = state["scores"]
        else:
            scores = (self._keys @ np.array(state["query"])).tolist()
        settings = {name: state[name] for name in ("mode", "centre", "window", "temperature")}
        return {"scores": scores, **window_weights(scores, **settings)}

    def _derived(self, state):
        seen = self._numbers(state)

        def rounded(row):
            return None if row is None else [round(float(x), 6) for x in row]

        soft = seen["soft"]
        return {
            "tokens": self._tokens,
            "key": None if self._keys is None else [rounded(row) for row in self._keys],
            **{name: rounded(seen[name]) for name in ("scores", "soft", "weights")},
            "covered": None if seen["covered"] is None else round(seen["covered"], 6),
            "counts": None if soft is None else draw_counts(soft, state["samples"], state["seed"]),
        }

    def _edited(self, name, value, state):
        if name == "mode":
            value = _mode(value)
        if name in ("query", "scores"):
            return {**state, "scores": None, name: value, "step": None, "prediction": None}
        if name == "step" and type(value) is int and self._trained and 0 <= value < len(self._trained["p_t"]):
            centre = _centre(state["mode"], self._trained["p_t"][value], len(self._tokens))
            return {**state, "step": value, "centre": centre, "prediction": None}
        if name in ("mode", "centre", "window", "temperature"):
            if state["step"] is not None and self._trained["scores"] is None:
                state = {**state, "step": None}  # a stored row cannot follow
            if name == "mode":  # another question
                state = {**state, "centre": _centre(value, state["centre"], len(self._tokens))}
                return {**state, "mode": value, "prediction": None}
        return super()._edited(name, value, state)

    def _sentence(self, state):
        seen = self._numbers(state)
        tokens, mode, step = self._tokens, state["mode"], state["step"]
        weights = seen["weights"]
        top = max(range(len(weights)), key=weights.__getitem__)
        best, words = tokens[top], values.count_of(len(tokens), "word")
        stored = seen["soft"] is None
        if stored:
            text = (
                f"the model's weights as stored, largest on “{best}” with "
                f"{values.percent(weights[top])}; they add up to "
                f"{values.fixed(sum(weights))}"
            )
        elif not state["revealed"]:
            text = "the weights are hidden: predict and commit, or skip"
        elif mode == "soft":
            every = "all " if len(tokens) > 1 else ""
            text = (
                f"soft attention over {every}{words} gives “{best}” the largest share, "
                f"{values.percent(max(seen['soft']))}"
            )
        elif mode == "hard":
            counts = draw_counts(seen["soft"], state["samples"], state["seed"])
            draws = values.count_of(state["samples"], "draw")
            drawn = f"; of {draws}, {counts[top]} fell on it" if state["samples"] else ""
            text = f"hard attention takes “{best}”, whose odds are {values.percent(max(seen['soft']))}{drawn}"
        else:
            place = f"p_t = {values.fixed(state['centre'])} with D = {state['window']}"
            held = sum(seen["inside"])
            text = (
                f"the window around {place} holds {held} of {words} and "
                f"{values.percent(seen['covered'])} of the soft weights; its weights add up to "
                f"{values.fixed(sum(weights))}"
                if held
                else f"the window around {place} holds no word, so every weight is 0"
            )
        lead = f"Target word “{self._trained['target'][step]}”: " if step is not None else ""
        return f"{lead or text[0].upper()}{text if lead else text[1:]}."

    def _figure(self):
        from matplotlib.figure import Figure

        state, seen, n = self.state, self._numbers(self.state), len(self._tokens)
        hidden = seen["soft"] is not None and not state["revealed"]
        places = np.arange(n)
        figure = Figure(figsize=(7.2, 3.4))
        axes = figure.add_subplot()
        if hidden:
            for place in places:
                axes.text(place, 0.05, "?", ha="center", fontsize=10)
        elif seen["soft"] is not None:
            axes.bar(
                places, seen["soft"], width=0.8, fill=False, ec="#535b65", ls="--", label="soft attention"
            )
        if not hidden:
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
        axes.set(xlim=(-0.6, n - 0.4), ylim=(0, 1.05), ylabel="weight (share of 1)")
        axes.tick_params(axis="y", labelsize=8)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False, loc="upper right")
        figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.38)
        return figure


def _mode(mode):
    """A mode by its name here; the names of LocalAttention are taken too."""
    return ALIASES.get(mode, mode) if isinstance(mode, str) else mode


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
