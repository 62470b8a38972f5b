"""SelfAttentionPlayground: every word a query, with three matrices in the reader's hands."""

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle

SCALES = ("sqrt", "none", "d")
MOST_WORDS = 16
IDENTITY = ((1.0, 0.0), (0.0, 1.0))


def self_attention(x, w_q, w_k, w_v, causal=False, scale="sqrt") -> dict:
    """Self-attention of words in the plane, as js/self_attention.js computes it.

    Parameters
    ----------
    x : (n, 2)
        A row a word.
    w_q, w_k, w_v : (2, 2)
        The query of word i is W_Q x_i, and so on: the layout of ``torch.nn.Linear.weight``.
    causal : bool
        A word may look at itself and at those before it.
    scale : "sqrt", "none" or "d"
        Scores are divided by √2, by nothing, or by 2 (d instead of √d: a widespread slip).

    Returns
    -------
    dict
        ``query key value context`` (n, 2), ``scores weights`` (n, n), the scores before scaling.
    """
    x, *matrices = (np.asarray(part, dtype=np.float64) for part in (x, w_q, w_k, w_v))
    query, key, value = (x @ matrix.T for matrix in matrices)
    scores = query @ key.T
    scaled = scores * factor(scale)
    if causal:
        scaled = np.where(np.tri(len(x), dtype=bool), scaled, -np.inf)
    exps = np.exp(scaled - scaled.max(1, keepdims=True))
    weights = exps / exps.sum(1, keepdims=True)
    return {
        "query": query,
        "key": key,
        "value": value,
        "scores": scores,
        "weights": weights,
        "context": weights @ value,
    }


def factor(scale) -> float:
    """What scores are multiplied with."""
    return {"sqrt": 2**-0.5, "none": 1.0, "d": 0.5}[scale]


class SelfAttentionPlayground(PredictFirst):
    """Words in the plane, each a query, a key and a value: the self-attention mode of QKVPlayground.

    Parameters
    ----------
    tokens : n strings
        The words, at most 16, since every pair of them is a cell.
    x : (n, 2)
        Where each word stands.
    w_q, w_k, w_v : (2, 2), default the identity
        What makes queries, keys and values of the words: W_Q x_i, W_K x_i, W_V x_i, as
        ``torch.nn.Linear.weight`` has it.
    causal : bool, default False
        Whether a word may look only at itself and at those before it.
    scale : "sqrt", "none" or "d", default "sqrt"
        What scores are divided by: √2 (Vaswani et al. 2017, equation 1, for d_k = 2), nothing, or 2.
    cell : [i, j], optional
        The query and the key whose arithmetic is shown; the last word and the first if absent.
    name : str, optional
        Names this widget in a shared link; its class and order do if absent.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    query, key, value, context : (n, 2) lists
    scores, weights : (n, n) lists
        A row a query; scores before scaling.
    prediction : dict or None
        ``{"choice": a word or its index, "share": 0 to 1}``: what the word of ``cell`` looks at most; once
        made also ``"answer"`` and ``"actual"``.
    score : float or None
        Half for the right word, half for how near the share was.

    Raises
    ------
    ValueError
        From the constructor, for a wrong shape or value. Assignments raise ``traitlets.TraitError`` with the
        same sentence and leave the state as it was.
    """

    _esm = bundle("SelfAttentionPlayground.js")
    _css = bundle("SelfAttentionPlayground.css")

    tokens = Mirror("the words")
    x = Mirror("where each word stands, (n, 2)")
    w_q = Mirror("(2, 2), makes queries")
    w_k = Mirror("(2, 2), makes keys")
    w_v = Mirror("(2, 2), makes values")
    causal = Mirror("whether later words are masked")
    scale = Mirror("sqrt, none or d")
    cell = Mirror("query and key of the arithmetic")
    query = Mirror("W_Q x of each word; set x or w_q", derived=True)
    key = Mirror("W_K x of each word; set x or w_k", derived=True)
    value = Mirror("W_V x of each word; set x or w_v", derived=True)
    scores = Mirror("query · key for each pair; set x, w_q or w_k", derived=True)
    weights = Mirror("a row a query; set x, w_q or w_k", derived=True)
    context = Mirror("the mixed values; set x or a matrix", derived=True)

    def __init__(
        self,
        tokens,
        x,
        w_q=IDENTITY,
        w_k=IDENTITY,
        w_v=IDENTITY,
        *,
        causal=False,
        scale="sqrt",
        cell=None,
        name=None,
        challenge="",
        predict=True,
        theme="auto",
    ):
        state = {
            "tokens": tokens,
            "x": x,
            "w_q": w_q,
            "w_k": w_k,
            "w_v": w_v,
            "causal": causal,
            "scale": scale,
            "cell": cell,
            **self._unpredicted(predict),
        }
        super().__init__(state, challenge=challenge, theme=theme, address=name)

    def _check(self, state):
        tokens = values.words("tokens", state.get("tokens"))
        n = len(tokens)
        if not 1 <= n <= MOST_WORDS:
            raise ValueError(
                f"tokens: expected 1 to {MOST_WORDS} words, since every pair is a cell, got {n}."
            )
        both = ", one a token; assign() sets both at once"
        checked = {
            "version": self._version,
            "tokens": tokens,
            "x": values.matrix("x", state.get("x"), n, 2, both),
            **{name: values.matrix(name, state.get(name), 2, 2) for name in ("w_q", "w_k", "w_v")},
            "causal": self._flag("causal", state),
            "scale": values.choice("scale", state.get("scale"), SCALES),
            "cell": state.get("cell"),
            "prediction": None,
            "revealed": self._flag("revealed", state),
            "score": None,
        }
        for name in ("x", "w_q", "w_k", "w_v"):
            if any(abs(number) > 1000 for row in checked[name] for number in row):
                raise ValueError(f"{name}: expected numbers from -1000 to 1000, got {checked[name]!r}.")
        cell = [n - 1, 0] if checked["cell"] is None else checked["cell"]
        if (
            not isinstance(cell, list | tuple)
            or len(cell) != 2
            or not all(type(i) is int and 0 <= i < n for i in cell)
        ):
            raise ValueError(f"cell: expected [query, key], both from 0 to {n - 1}, got {cell!r}.")
        checked["cell"] = list(cell)
        guessed = self._guessed(state.get("prediction"), checked["tokens"], lambda: self._outcome(checked))
        return {**checked, **guessed}

    def _outcome(self, state):
        """The word that the query looks at most, and its share."""
        row = self._compute(state)["weights"][state["cell"][0]]
        return int(row.argmax()), float(row.max())

    @staticmethod
    def _compute(state):
        return self_attention(**{name: state[name] for name in ("x", "w_q", "w_k", "w_v", "causal", "scale")})

    def _mirrors(self, state):
        out = self._compute(state)
        names = ("tokens", "x", "w_q", "w_k", "w_v", "causal", "scale", "cell")
        return {
            **{name: state[name] for name in (*names, "prediction", "revealed", "score")},
            **{name: [[round(float(x), 6) for x in row] for row in rows] for name, rows in out.items()},
        }

    def _edited(self, name, value, state):
        if name == "cell":  # another row is another question; what was in view stays in view
            return {**state, "prediction": None, "cell": value}
        if name == "tokens" and isinstance(value, list | tuple) and len(value) != len(state["tokens"]):
            return {**state, "prediction": None, "cell": None, "tokens": value}
        return super()._edited(name, value, state)

    def _sentence(self, state, *, outcome=False):
        tokens, (i, _) = state["tokens"], state["cell"]
        if not (outcome or state["revealed"]):
            return f"The weights are hidden: predict which word “{tokens[i]}” looks at most, or skip."
        out = self._compute(state)
        row = out["weights"][i]
        best, seen = int(row.argmax()), i + 1 if state["causal"] else len(tokens)
        right, up = (values.fixed(number) for number in out["context"][i])
        return (
            f"“{tokens[i]}” looks most at “{tokens[best]}”, {values.percent(row[best])} of the {seen} "
            f"{'words' if seen > 1 else 'word'} that it may see; its output is ({right}, {up})."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        out = self._compute(state)
        tokens, n = state["tokens"], len(state["tokens"])
        figure = Figure(figsize=(7.2, 3.6))
        left, right = figure.subplots(1, 2)
        for token, (x, y) in zip(tokens, state["x"], strict=True):
            left.plot(x, y, "^", color="#1b1f24", ms=5)
            left.annotate(token, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
        left.axhline(0, color="#999", lw=0.5)
        left.axvline(0, color="#999", lw=0.5)
        left.set(title="the words, x")
        left.margins(0.25)
        left.tick_params(labelsize=7)
        right.imshow(out["weights"], cmap="Blues", vmin=0, vmax=1)
        if n <= 10:
            for i, j in np.ndindex(n, n):
                weight = out["weights"][i, j]
                right.text(
                    j,
                    i,
                    f"{weight * 100:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if weight > 0.6 else "#1b1f24",
                )
        right.set_xticks(range(n), tokens, rotation=50, ha="right", fontsize=8)
        right.set_yticks(range(n), tokens, fontsize=8)
        right.set(title="weights in %, a row a query")
        figure.subplots_adjust(left=0.07, right=0.97, top=0.9, bottom=0.32, wspace=0.35)
        return figure
