"""SelfAttentionPlayground: every word a query, with three matrices in the reader's hands."""

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle
from attnbook.widgets.state import Boolean, Choice, Matrix, Pair, State, Words, guess, hidden_outcome

# Factor of the scores: 1/√d_k (Vaswani et al. 2017, equation 1), none,
# or 1/d_k (the choice of Yang et al. 2022). A word has d_k = 2 numbers.
SCALES = {"sqrt": 2**-0.5, "none": 1.0, "d": 0.5}
MATRICES = ("w_q", "w_k", "w_v")
MOST_WORDS = 16
LARGEST = 1000
IDENTITY = ((1.0, 0.0), (0.0, 1.0))

STATE = State(
    tokens=Words(most=MOST_WORDS, why=", since every pair is a cell"),
    x=Matrix(
        rows="tokens", columns=2, low=-LARGEST, high=LARGEST, why=", one a token; assign() sets both at once"
    ),
    **{name: Matrix(rows=2, columns=2, low=-LARGEST, high=LARGEST) for name in MATRICES},
    causal=Boolean(),
    scale=Choice(options=tuple(SCALES)),
    cell=Pair(
        rows="tokens",
        columns="tokens",
        first="query",
        second="key",
        default=lambda state: [len(state["tokens"]) - 1, 0],
    ),
    **hidden_outcome(guess("tokens")),
)


class SelfAttentionPlayground(PredictFirst):
    """Words in the plane, each a query, a key and a value, and the three matrices that make them.

    One query that is given, and not made of a word, is :class:`~attnbook.widgets.QKVPlayground`.

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

    def _declare(self):
        return STATE

    def _compute(self, state):
        """``query key value context`` (n, 2), ``scores weights`` (n, n), the scores before scaling."""
        import torch

        from attnbook.nn import scaled_dot_product_attention

        x, *matrices = (torch.tensor(state[name], dtype=torch.float64) for name in ("x", *MATRICES))
        query, key, value = (x @ matrix.T for matrix in matrices)
        scale = SCALES[state["scale"]]
        context, weights = scaled_dot_product_attention(
            query, key, value, causal=state["causal"], scale=scale
        )
        parts = {"query": query, "key": key, "value": value, "scores": query @ key.T}
        parts |= {"weights": weights, "context": context}
        return {name: part.tolist() for name, part in parts.items()}

    def _derived(self, state):
        return {
            name: [[round(number, 6) for number in row] for row in rows]
            for name, rows in self._numbers(state).items()
        }

    def _options(self, state):
        return state["tokens"]

    def _outcome(self, state):
        row = self._numbers(state)["weights"][state["cell"][0]]
        best = max(range(len(row)), key=row.__getitem__)
        return best, row[best]

    def _edited(self, name, value, state):
        if name == "cell":  # another row is another question; what was in view stays in view
            return {**state, "prediction": None, "cell": value}
        if name == "tokens" and isinstance(value, list | tuple) and len(value) != len(state["tokens"]):
            return {**state, "prediction": None, "cell": None, "tokens": value}
        return super()._edited(name, value, state)

    def _sentence(self, state):
        tokens, (i, _) = state["tokens"], state["cell"]
        if not state["revealed"]:
            return f"The weights are hidden: predict which word “{tokens[i]}” looks at most, or skip."
        best, share = self._outcome(state)
        seen = i + 1 if state["causal"] else len(tokens)
        right, up = (values.fixed(number) for number in self._numbers(state)["context"][i])
        return (
            f"“{tokens[i]}” looks most at “{tokens[best]}”, {values.percent(share)} of the {seen} "
            f"{'words' if seen > 1 else 'word'} that it may see; its output is ({right}, {up})."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        tokens, n = state["tokens"], len(state["tokens"])
        figure = Figure(figsize=(7.2, 3.6))
        left, right = figure.subplots(1, 2)
        for token, (x, y) in zip(tokens, state["x"], strict=True):
            left.plot(x, y, "^", color="#1b1f24", ms=5)
            left.annotate(token, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
        left.axhline(0, color="#999", lw=0.5)
        left.axvline(0, color="#999", lw=0.5)
        left.set(title="the words, x")
        left.margins(0.3)
        shown = "    ".join(
            f"W_{name[-1].upper()} = ({a:g} {b:g}; {c:g} {d:g})"
            for name in MATRICES
            for (a, b), (c, d) in [state[name]]
        )
        figure.text(0.5, 0.02, shown, ha="center", fontsize=8)
        left.tick_params(labelsize=7)
        hidden = [[0.0] * n] * n
        weights = self._numbers(state)["weights"] if state["revealed"] else hidden
        right.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        if n <= 10:
            for i, row in enumerate(weights):
                for j, weight in enumerate(row):
                    text = f"{weight * 100:.0f}" if state["revealed"] else "?"
                    colour = "white" if weight > 0.6 else "#1b1f24"
                    right.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
        right.set_xticks(range(n), tokens, rotation=50, ha="right", fontsize=8)
        right.set_yticks(range(n), tokens, fontsize=8)
        right.set(title="weights in %, a row a query")
        figure.subplots_adjust(left=0.07, right=0.97, top=0.9, bottom=0.32, wspace=0.35)
        return figure
