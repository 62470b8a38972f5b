"""QKVPlayground: move a query, keys and values, and watch scores, weights and context follow."""

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle
from attnbook.widgets.state import (
    Booleans,
    Choice,
    Matrix,
    Number,
    State,
    Vector,
    Words,
    guess,
    hidden_outcome,
)

MODES = ("soft", "hard", "fixed")
MOST_KEYS = 128
_BOTH = "has; assign() sets both at once"

STATE = State(
    query=Vector(),
    key=Matrix(columns="query", most_rows=MOST_KEYS, why=f", as many columns as query {_BOTH}"),
    value=Matrix(rows="key", why=f", as many rows as key {_BOTH}"),
    labels=Words(length="key", default=lambda state: [f"word {i + 1}" for i in range(len(state["key"]))]),
    temperature=Number(low=0.01, high=100),
    mode=Choice(options=MODES),
    scale=Number(optional=True),
    mask=Booleans(length="key", why=" (True = may attend)", default=lambda state: [True] * len(state["key"])),
    fixed=Vector(length="key", low=0, high=1, optional=True, called="weights", why=" (one a word)"),
    **hidden_outcome(guess("labels")),
)


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

    def _declare(self):
        return STATE

    def _agree(self, state):
        if state["mode"] == "fixed" and state["fixed"] is None:
            # Begin from what softmax gives, so that switching modes moves nothing.
            soft = self._compute({**state, "mode": "soft"})["weights"]
            state["fixed"] = [values.compact(round(weight, 4)) for weight in soft]

    def _compute(self, state):
        """Scores and weights (n,), context (d_v,); if every key is masked, weights and context are 0."""
        import torch

        from attnbook.nn import masked_softmax

        query, key, value = (
            torch.tensor(state[part], dtype=torch.float64) for part in ("query", "key", "value")
        )
        mask = torch.tensor(state["mask"])
        scale = len(query) ** -0.5 if state["scale"] is None else state["scale"]
        # Row by row: a matrix product may round equal keys differently, and ties would fall otherwise than
        # in the page.
        scores = (key * query).sum(dim=-1)
        if state["mode"] == "fixed":
            weights = torch.tensor(state["fixed"], dtype=torch.float64) * mask
        elif state["mode"] == "hard" and mask.any():
            best = (scores * scale).masked_fill(~mask, -torch.inf).argmax()
            weights = torch.nn.functional.one_hot(best, len(key)).double()
        else:
            weights = masked_softmax(scores * scale, mask, state["temperature"])
        parts = {"scores": scores, "weights": weights, "context": weights @ value}
        return {name: part.tolist() for name, part in parts.items()}

    def _derived(self, state):
        return {name: [round(x, 6) for x in part] for name, part in self._numbers(state).items()}

    def _options(self, state):
        return state["labels"]

    def _outcome(self, state):
        weights = self._numbers(state)["weights"]
        best = max(range(len(weights)), key=weights.__getitem__)
        return best, weights[best]

    def _edited(self, name, value, state):
        if name == "weights":
            return {**state, "fixed": value, "mode": "fixed"}
        if name == "key":  # another number of words: what belonged to the old ones starts anew
            rows = len(values.matrix("key", value))
            if rows != len(state["labels"]):
                state = {**state, "labels": None, "mask": None, "fixed": None, "prediction": None}
        return super()._edited(name, value, state)

    def _sentence(self, state):
        labels = state["labels"]
        words = values.count_of(len(labels), "word")
        if not state["revealed"]:
            return f"Outcome hidden: predict which of {words} gets the largest share, or skip."
        if not any(state["mask"]):
            return "Every word is masked, so all weights and the context are 0."
        best, share = self._outcome(state)
        return (
            f"“{labels[best]}” has the largest share, {values.percent(share)} of {words}; "
            f"the context is {_short(self._numbers(state)['context'])}."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        shown = range(min(len(state["labels"]), 16))
        labels = [state["labels"][i] for i in shown]
        figure = Figure(figsize=(7.2, 3.2))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.2]})
        self._arrows(left, state, shown)
        right.set(xlim=(0, 1.15), xlabel="weight (share of 1)", title="weights")
        right.set_yticks(shown, labels)
        right.set_ylim(len(labels) - 0.5, -0.5)
        if state["revealed"]:
            weights = self._numbers(state)["weights"][: len(labels)]
            right.barh(shown, weights, color="#0060a8")
            for i, weight in enumerate(weights):
                right.text(weight + 0.02, i, values.percent(weight), va="center", fontsize=8)
        else:
            for i in shown:
                right.text(0.02, i, "?", va="center", fontsize=10)
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
