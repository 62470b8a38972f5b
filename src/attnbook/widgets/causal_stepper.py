"""CausalStepper: a language model reads one token after another; what it computes, reads and keeps."""

import math

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.state import Boolean, Choice, Integer, Record, State, hidden_outcome

VARIANTS = ("multi-head", "grouped", "multi-query", "latent")
MOST_TOKENS = 32
MOST_GUESS = 10**9


class CausalStepper(HasContent, PredictFirst):
    """The work of one attention layer while text is generated, token by token, with a cache and without.

    The reader predicts how many numbers the keys and values of one step take without a cache, then goes from
    token to token. For each token the page shows whether its query, keys and values are computed now,
    computed again, read from the cache or not needed; a table counts them, and bars compare the bytes that
    four kinds of attention keep.

    Parameters
    ----------
    tokens : list of str
        2 to 32 of them.
    n_heads, d_head : int, default 4 and 16
        Query heads, and the size of each.
    n_kv_heads : int, optional
        Heads of keys and values in the variant "grouped": divides ``n_heads``; half of them if absent.
    d_latent, d_rotary : int, default 24 and 8
        Of the variant "latent" (DeepSeek-V2): the size of the vector that is kept in place of all keys and
        values, and of the rotary key that all heads share.
    bytes_per_number : int, default 2
        2 in half precision.
    variant : "multi-head", "grouped", "multi-query" or "latent"
    step : int, default 1
        How many tokens have been read, the last of them in this step.
    cached : bool, default True
        Whether keys and values of earlier tokens are kept.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    computed : dict, read-only
        Numbers computed in this step by ``"queries"``, ``"kept"`` (keys and values, or latent vectors) and
        ``"scores"``.
    read : int, read-only
        Numbers read from the cache in this step.
    cache_bytes : int, read-only
        Size of the cache after this step; 0 without one.
    prediction : dict or None
        ``{"guess": whole number}``: how many numbers of keys and values multi-head attention computes at the
        last token without a cache; once made also ``"answer"``.
    score : float or None
        The smaller of guess and answer divided by the larger.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.

    Notes
    -----
    All counts are of one layer and one text. Without a cache the layer runs on the whole text at every step,
    as ``nn.GPT.forward`` does; a causal mask leaves t (t + 1) / 2 scores a head. The variant "latent" is
    counted in its absorbed form, in which a query has ``d_latent + d_rotary`` numbers a head and keys and
    values are never formed: https://arxiv.org/abs/2405.04434, section 2.1.
    """

    _esm = bundle("CausalStepper.js")
    _css = bundle("CausalStepper.css")

    content = traitlets.Dict(help="The tokens and all sizes; read-only.").tag(sync=True)
    step = Mirror("how many tokens have been read, from 1")
    variant = Mirror("multi-head, grouped, multi-query or latent")
    cached = Mirror("whether earlier keys and values are kept")
    computed = Mirror("numbers computed in this step; set step, variant or cached", derived=True)
    read = Mirror("numbers read from the cache; set step, variant or cached", derived=True)
    cache_bytes = Mirror("bytes in the cache; set step, variant or cached", derived=True)

    def __init__(
        self,
        tokens,
        *,
        n_heads=4,
        d_head=16,
        n_kv_heads=None,
        d_latent=24,
        d_rotary=8,
        bytes_per_number=2,
        variant="multi-head",
        step=1,
        cached=True,
        challenge="",
        predict=True,
        theme="auto",
    ):
        given = values.words("tokens", tokens.split() if isinstance(tokens, str) else tokens)
        if not 2 <= len(given) <= MOST_TOKENS:
            raise ValueError(f"tokens: expected 2 to {MOST_TOKENS} of them, got {len(given)}.")
        sizes = {
            "n_heads": n_heads,
            "n_kv_heads": max(1, n_heads // 2) if n_kv_heads is None else n_kv_heads,
            "d_head": d_head,
            "d_latent": d_latent,
            "d_rotary": d_rotary,
            "bytes_per_number": bytes_per_number,
        }
        for name, size in sizes.items():
            if type(size) is not int or not 1 <= size <= 4096:
                raise ValueError(f"{name}: expected a whole number from 1 to 4096, got {size!r}.")
        if n_heads % sizes["n_kv_heads"]:
            raise ValueError(f"n_kv_heads: expected a divisor of n_heads, {n_heads}, got {n_kv_heads}.")
        if n_heads > 16:
            raise ValueError(f"n_heads: expected at most 16, since each is drawn, got {n_heads}.")
        self._content = {"tokens": given, **sizes}
        state = {"step": step, "variant": variant, "cached": cached, **self._unpredicted(predict)}
        super().__init__(state, challenge=challenge, theme=theme, content=self._content)

    def _declare(self):
        guess = Record(
            optional=True,
            asked_of_reader=("guess",),
            wanted='{"guess": a whole number of at least 1}',
            parts={"guess": Integer(low=1, high=MOST_GUESS), "answer": Integer(low=1, high=MOST_GUESS)},
        )
        return State(
            step=Integer(low=1, high=len(self._content["tokens"])),
            variant=Choice(options=VARIANTS),
            cached=Boolean(),
            **hidden_outcome(guess),
        )

    def _compute(self, state):
        return counts(self._content, state["variant"], state["step"], state["cached"])

    def _derived(self, state):
        numbers = self._numbers(state)
        return {
            "computed": {name: numbers[name] for name in ("queries", "kept", "scores")},
            "read": numbers["read"],
            "cache_bytes": numbers["bytes"],
        }

    def _completed(self, prediction, state):
        last = len(self._content["tokens"])
        return {"answer": counts(self._content, "multi-head", last, False)["kept"], **prediction}

    def _graded(self, prediction, state):
        low, high = sorted((prediction["guess"], prediction["answer"]))
        return math.floor(low / high * 100 + 0.5) / 100

    def _sentence(self, state):
        tokens, step = self._content["tokens"], state["step"]
        if not state["revealed"]:
            return f"The counts of {len(tokens)} steps are hidden: predict one of them, or skip."
        numbers = self._numbers(state)
        computed = f"{numbers['kept']} numbers of {NAMES[state['variant']]} computed"
        text = (
            f"Step {step} of {len(tokens)} reads “{tokens[step - 1]}” with {state['variant']} attention and "
            f"{'a cache' if state['cached'] else 'no cache'}: {computed}"
        )
        if not state["cached"]:
            return f"{text}, nothing read, nothing kept."
        return f"{text}, {numbers['read']} read, and {numbers['bytes']} bytes kept."

    def _figure(self):
        from matplotlib.figure import Figure

        state, tokens = self.state, self._content["tokens"]
        figure = Figure(figsize=(6.8, 3.2))
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        rows = parts(self._content, state["variant"])
        left.set_xlim(-0.5, len(tokens) - 0.5)
        left.set_ylim(len(rows) - 0.5, -0.5)
        left.set_xticks(range(len(tokens)), tokens, rotation=60, ha="right", fontsize=8)
        left.set_yticks(range(len(rows)), rows, fontsize=8)
        colours = {"new": "#005a9c", "again": "#a33f00", "read": "#c8dcec"}
        for i, row in enumerate(rows):
            for j in range(len(tokens)):
                done = doing(row, j + 1, state["step"], state["cached"]) if state["revealed"] else "?"
                if done:
                    light = done in ("read", "?")
                    left.text(
                        j, i, done, ha="center", va="center", fontsize=7, color="black" if light else "white",
                        bbox={"fc": colours.get(done, "#eeeeee"), "ec": "none", "boxstyle": "round,pad=0.25"},
                    )  # fmt: skip
        left.set_title("what the step does", fontsize=10)
        sizes = [counts(self._content, one, state["step"], True)["bytes"] for one in VARIANTS]
        if state["revealed"]:
            right.barh(VARIANTS, sizes, color="#005a9c")
        else:
            right.set_yticks(range(len(VARIANTS)), VARIANTS)
            right.set_xticks([])
        right.invert_yaxis()
        right.tick_params(labelsize=8)
        right.set_title(f"bytes in the cache after step {state['step']}", fontsize=10)
        figure.subplots_adjust(left=0.17, right=0.98, top=0.9, bottom=0.36, wspace=0.42)
        return figure


# What is kept of a token, in words.
NAMES = {
    "multi-head": "keys and values",
    "grouped": "keys and values",
    "multi-query": "keys and values",
    "latent": "latent vectors",
}


def kv_heads(sizes: dict, variant: str) -> int:
    """Heads of keys and values of a variant; 0 for "latent", which forms none."""
    of = {"multi-head": sizes["n_heads"], "grouped": sizes["n_kv_heads"], "multi-query": 1, "latent": 0}
    return of[variant]


def kept_per_token(sizes: dict, variant: str) -> int:
    """Numbers that one layer keeps of one token, as ``js/mechanisms/caching.js`` counts them."""
    if variant == "latent":
        return sizes["d_latent"] + sizes["d_rotary"]
    return 2 * kv_heads(sizes, variant) * sizes["d_head"]


def counts(sizes: dict, variant: str, step: int, cached: bool) -> dict[str, int]:
    """What one layer computes, reads and keeps at a step.

    Parameters
    ----------
    sizes : dict
        ``n_heads n_kv_heads d_head d_latent d_rotary bytes_per_number``.
    variant : str
        One of ``VARIANTS``.
    step : int
        The number of tokens read, this step's among them.
    cached : bool

    Returns
    -------
    dict
        ``queries``, ``kept`` and ``scores``: numbers computed now; ``read``: numbers read from the cache;
        ``bytes``: the cache's size after the step.
    """
    of_query = sizes["d_latent"] + sizes["d_rotary"] if variant == "latent" else sizes["d_head"]
    kept = kept_per_token(sizes, variant)
    tokens = 1 if cached else step
    return {
        "queries": tokens * sizes["n_heads"] * of_query,
        "kept": tokens * kept,
        "scores": sizes["n_heads"] * (step if cached else step * (step + 1) // 2),
        "read": (step - 1) * kept if cached else 0,
        "bytes": step * kept * sizes["bytes_per_number"] if cached else 0,
    }


def parts(sizes: dict, variant: str) -> list[str]:
    """The rows of the picture: the queries, then what is kept of a token."""
    heads = sizes["n_heads"]
    if variant == "latent":
        return ["queries", "latent vector", "rotary key"]
    groups = kv_heads(sizes, variant)
    shared = heads // groups
    rows = ["queries"]
    for name in ("key", "value"):
        for group in range(groups):
            first, last = group * shared + 1, (group + 1) * shared
            of = f"head {first}" if shared == 1 else f"heads {first}–{last}"
            rows.append(f"{name}, {of}")
    return rows


def doing(part: str, token: int, step: int, cached: bool) -> str:
    """What a step does with a part of a token (from 1): "new", "again", "read", or "" for nothing."""
    if token > step:
        return ""
    if token == step:
        return "new"
    if not cached:
        return "again"
    return "" if part == "queries" else "read"
