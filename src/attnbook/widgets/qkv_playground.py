"""QKVPlayground: move a query, keys and values, and watch scores, weights and context follow."""

from attnbook.widgets import values
from attnbook.widgets.attend import attend
from attnbook.widgets.base import Mirror, PredictFirst, bundle

MODES = ("soft", "hard", "fixed")
MOST_KEYS = 128


def _short(vector) -> str:
    """A vector in words: at most four numbers."""
    more = ", …" if len(vector) > 4 else ""
    return f"({', '.join(values.fixed(x) for x in vector[:4])}{more})"


class QKVPlayground(PredictFirst):
    """Attention of one query over a few words, in the reader's hands.

    Self-attention, where every word is a query, is
    :class:`~attnbook.widgets.SelfAttentionPlayground`.

    Parameters
    ----------
    query : (d_k,)
        What is looked for.
    key : (n, d_k)
        What each word offers to be found by.
    value : (n, d_v)
        What each word gives when it is found.
    labels : n strings, optional
        The words; "word 1", "word 2", … if absent.
    temperature : float, default 1.0
        From 0.01 to 100. Scaled scores are divided by it before the softmax.
    mode : "soft", "hard" or "fixed"
        Softmax; the largest score takes all; or weights that you set by hand.
    scale : float or None
        Factor of the scores; None is 1/sqrt(d_k), as in Vaswani et al. (2017), equation 1.
    mask : n booleans, optional
        True = may attend. All True if absent.
    challenge : str
        What to try, shown above the vectors.
    predict : bool, default True
        Whether the outcome stays hidden until the reader predicts it or skips.
    theme : "auto", "light" or "dark"

    Attributes
    ----------
    scores, weights : lists of n numbers
        Dot products before scaling, and shares. Assigning ``weights`` sets mode "fixed".
    context : list of d_v numbers
        The sum of the values, each times its weight.
    prediction : dict or None
        ``{"choice": index, "share": 0 to 1}``; once made also ``"answer"`` and ``"actual"``.
    score : float or None
        Half for the right word, half for how near the share was.

    Raises
    ------
    ValueError
        From the constructor, for a wrong shape or value. Assignments raise ``traitlets.TraitError`` with the
        same sentence and leave the state as it was.
    """

    _esm = bundle("QKVPlayground.js")
    _css = bundle("QKVPlayground.css")

    query = Mirror("what is looked for, (d_k,)")
    key = Mirror("one row a word, (n, d_k)")
    value = Mirror("one row a word, (n, d_v)")
    labels = Mirror("the words")
    temperature = Mirror("what scaled scores are divided by")
    scale = Mirror("factor of the scores; None is 1/sqrt(d_k)")
    mode = Mirror("soft, hard or fixed")
    mask = Mirror("True = may attend")
    scores = Mirror("query · key for each word; set query or key", derived=True)
    weights = Mirror("the share of each word")
    context = Mirror("the weighted sum of the values; set query, key, value or weights", derived=True)

    def __init__(
        self,
        query,
        key,
        value,
        labels=None,
        *,
        temperature=1.0,
        mode="soft",
        scale=None,
        mask=None,
        challenge="",
        predict=True,
        theme="auto",
    ):
        state = {
            "query": query,
            "key": key,
            "value": value,
            "labels": labels,
            "temperature": temperature,
            "mode": mode,
            "scale": scale,
            "mask": mask,
            "fixed": None,
            **self._unpredicted(predict),
        }
        super().__init__(state, challenge=challenge, theme=theme)

    def _check(self, state):
        query = values.vector("query", state.get("query"))
        both = "has; assign() sets both at once"
        key = values.matrix(
            "key", state.get("key"), columns=len(query), why=f", as many columns as query {both}"
        )
        n = len(key)
        if n > MOST_KEYS:
            raise ValueError(f"key: expected at most {MOST_KEYS} rows, since each is drawn, got {n}.")
        value = values.matrix("value", state.get("value"), rows=n, why=f", as many rows as key {both}")
        labels = state.get("labels")
        labels = [f"word {i + 1}" for i in range(n)] if labels is None else values.words("labels", labels, n)
        mask = state.get("mask")
        scale = state.get("scale")
        checked = {
            "version": self._version,
            "query": query,
            "key": key,
            "value": value,
            "labels": labels,
            "temperature": values.number("temperature", state.get("temperature"), 0.01, 100),
            "mode": values.choice("mode", state.get("mode"), MODES),
            "scale": None if scale is None else values.number("scale", scale),
            "mask": [True] * n if mask is None else values.flags("mask", mask, n),
            "fixed": state.get("fixed"),
            "prediction": None,
            "revealed": self._flag("revealed", state),
            "score": None,
        }
        if checked["fixed"] is not None:
            checked["fixed"] = values.vector("weights", checked["fixed"], n, " (one a word)")
            if not all(0 <= weight <= 1 for weight in checked["fixed"]):
                raise ValueError(f"weights: expected shares from 0 to 1, got {checked['fixed']!r}.")
        elif checked["mode"] == "fixed":
            # Begin from what softmax gives, so that switching modes moves nothing.
            soft = attend(**{**self._inputs(checked), "mode": "soft"})["weights"]
            checked["fixed"] = [values.compact(round(float(weight), 4)) for weight in soft]
        guessed = self._guessed(state.get("prediction"), labels, lambda: self._outcome(checked))
        return {**checked, **guessed}

    def _outcome(self, state):
        """The word with the largest share, and that share."""
        weights = attend(**self._inputs(state))["weights"]
        best = int(weights.argmax())
        return best, float(weights[best])

    @staticmethod
    def _inputs(state):
        names = ("query", "key", "value", "temperature", "scale", "mask", "mode", "fixed")
        return {name: state[name] for name in names}

    def _mirrors(self, state):
        out = attend(**self._inputs(state))
        derived = {name: [round(float(x), 6) for x in out[name]] for name in ("scores", "weights", "context")}
        names = (*self._inputs(state), "labels", "prediction", "revealed", "score")
        return {**{name: state[name] for name in names if name != "fixed"}, **derived}

    def _edited(self, name, value, state):
        if name == "weights":
            return {**state, "fixed": value, "mode": "fixed"}
        if name == "key":  # another number of words: what belonged to the old ones starts anew
            rows = len(values.matrix("key", value))
            if rows != len(state["labels"]):
                state = {**state, "labels": None, "mask": None, "fixed": None, "prediction": None}
        return super()._edited(name, value, state)

    def _sentence(self, state, *, outcome=False):
        labels = state["labels"]
        if not (outcome or state["revealed"]):
            n = len(labels)
            return f"Outcome hidden: predict which of {n} words gets the largest share, or skip."
        out = attend(**self._inputs(state))
        weights = out["weights"]
        if not any(state["mask"]):
            return "Every word is masked, so all weights and the context are 0."
        best = int(weights.argmax())
        return (
            f"“{labels[best]}” has the largest share, {values.percent(weights[best])} "
            f"of {len(labels)} words; "
            f"the context is {_short(out['context'])}."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        out = attend(**self._inputs(state))
        shown = range(min(len(state["labels"]), 16))
        figure = Figure(figsize=(7.2, 3.2))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.2]})
        self._arrows(left, state, shown)
        right.barh([state["labels"][i] for i in shown], [out["weights"][i] for i in shown], color="#0060a8")
        for i in shown:
            right.text(
                out["weights"][i] + 0.02, i, values.percent(out["weights"][i]), va="center", fontsize=8
            )
        right.invert_yaxis()
        right.set(xlim=(0, 1.15), xlabel="weight (share of 1)", title="weights")
        right.tick_params(labelsize=8)
        figure.subplots_adjust(left=0.08, right=0.97, top=0.9, bottom=0.26, wspace=0.4)
        return figure

    @staticmethod
    def _arrows(axes, state, shown):
        """The query and the keys as arrows, first two numbers of each."""
        span = 0.1
        for label, vector, colour in [
            ("query", state["query"], "#0060a8"),
            *((state["labels"][i], state["key"][i], "#a84300") for i in shown),
        ]:
            x, y = vector[0], vector[1] if len(vector) > 1 else 0.0
            span = max(span, abs(x), abs(y))
            axes.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour})
            axes.text(x, y, label, fontsize=8, color=colour)
        span *= 1.2
        axes.axhline(0, color="#999", lw=0.5)
        axes.axvline(0, color="#999", lw=0.5)
        axes.set(xlim=(-span, span), ylim=(-span, span), title="query and keys")
        axes.set_aspect("equal")
        axes.tick_params(labelsize=7)
