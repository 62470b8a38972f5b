"""PositionExplorer: two words on a strip of places, and what six kinds of positions make of them."""

import functools
import math
from itertools import islice

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.state import (
    Boolean,
    Choice,
    Index,
    Integer,
    Number,
    Record,
    State,
    Vector,
    hidden_outcome,
)

KINDS = {
    "none": "None",
    "sinusoidal": "Sinusoidal",
    "learned": "Learned",
    "relative": "Relative",
    "rotary": "RoPE",
    "alibi": "ALiBi",
}
CONTENTS = ("same", "back", "random", "own")
ANSWERS = {
    "same": "stays the same",
    "rises": "rises",
    "falls": "falls",
    "none": "has no value",
}
MOST_PLACES = 128
WIDEST = 16
MOVE = 7  # places that the prediction is about
_AS_D = " as d says; assign(query=…, key=…) sets all three"

STATE = State(
    kind=Choice(options=tuple(KINDS)),
    length=Integer(low=2, high=MOST_PLACES),
    train_length=Integer(low=1, high=MOST_PLACES),
    d=Integer(low=2, high=WIDEST),
    n_heads=Integer(low=1, high=64),
    max_distance=Integer(low=1, high=MOST_PLACES - 1),
    query_position=Index(of="length"),
    key_position=Index(of="length"),
    head=Index(of="n_heads"),
    base=Number(low=1, high=1e6),
    content=Choice(options=CONTENTS),
    strength=Number(low=0, high=4),
    own=Record(
        optional=True,
        wanted='{"query": …, "key": …} or None',
        asked_of_reader=("query", "key"),
        parts={
            name: Vector(length="d", low=-100, high=100, called=name, why=_AS_D) for name in ("query", "key")
        },
    ),
    causal=Boolean(),
    **hidden_outcome(
        Record(
            optional=True,
            wanted=f'{{"choice": {" or ".join(map(repr, ANSWERS))}}}',
            asked_of_reader=("choice",),
            parts={
                "choice": Choice(options=tuple(ANSWERS)),
                "answer": Choice(options=tuple(ANSWERS)),
                "before": Number(optional=True),
                "after": Number(optional=True),
            },
        )
    ),
)


@functools.cache
def random_table(seed: int, rows: int) -> list[list[float]]:
    """Numbers of mean 0 and variance ½, as sines have, in rows of 16; the page draws the very same."""
    numbers = generator(seed)
    return [[(2 * x - 1) * math.sqrt(1.5) for x in islice(numbers, WIDEST)] for _ in range(rows)]


def learned_table(train_length: int, d: int) -> list[list[float]]:
    """The widget's vectors of places 0 … train_length − 1, (train_length, d): random, as before training."""
    return [row[:d] for row in random_table(1, MOST_PLACES)[:train_length]]


def distance_table(max_distance: int, d: int) -> list[list[float]]:
    """The widget's vectors of distances −max_distance … max_distance, (2·max_distance + 1, d): random."""
    middle = MOST_PLACES - 1
    table = random_table(2, 2 * middle + 1)[middle - max_distance : middle + max_distance + 1]
    return [row[:d] for row in table]


def content_vectors(state) -> list[list[float]]:
    """What the query's word and the key's word bring along, (2, d), before any position."""
    d, strength = state["d"], state["strength"]
    unit = [1.0, 0.0] * (d // 2)
    if state["content"] == "same":
        vectors = [unit, unit]
    elif state["content"] == "back":  # each pair (1, 0) turned by −3 θ
        angles = [-3 * rate for rate in rates(state)]
        vectors = [[f(angle) for angle in angles for f in (math.cos, math.sin)], unit]
    elif state["content"] == "random":
        vectors = [row[:d] for row in random_table(3, 2)]
    else:
        vectors = [state["own"]["query"], state["own"]["key"]]
    return [[x * strength for x in vector] for vector in vectors]


def rates(state) -> list[float]:
    """θ, by which each pair's hand turns from one place to the next, in radians: (d/2,)."""
    return [state["base"] ** (-pair / state["d"]) for pair in range(0, state["d"], 2)]


def pair_scores(state, n: int | None = None):
    """The score of the query at each place with the key at each place: an (n, n) tensor, before the softmax.

    Scores are divided by √d, as in :func:`attnbook.nn.scaled_dot_product_attention`; what Shaw's and ALiBi's
    positions add comes after that. NaN where one of the two places has no vector.
    """
    import torch

    from attnbook.nn import ALiBi, RelativePositions, RotaryPositions
    from attnbook.nn.attention import dot_product_scores

    kind, d = state["kind"], state["d"]
    n = state["length"] if n is None else n
    query, key = (torch.tensor(row, dtype=torch.float64).expand(n, d) for row in content_vectors(state))
    rotary = RotaryPositions(d, state["base"])
    if kind == "sinusoidal":
        # (1, 0) turned by an angle is (cos, sin); nn.SinusoidalPositions has (sin, cos), and no other base.
        unit = torch.tensor([1.0, 0.0] * (d // 2), dtype=torch.float64).expand(n, d)
        encoding = rotary(unit).unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
        query, key = query + encoding, key + encoding
    elif kind == "learned":
        table = torch.full((max(n, state["train_length"]), d), torch.nan, dtype=torch.float64)
        learned = learned_table(state["train_length"], d)
        table[: len(learned)] = torch.tensor(learned, dtype=torch.float64)
        query, key = query + table[:n], key + table[:n]
    elif kind == "rotary":
        query, key = rotary(query), rotary(key)
    scores = dot_product_scores(query, key)
    if kind == "relative":
        with torch.random.fork_rng(devices=[]):  # its first table is random, and the reader's seed not ours
            relative = RelativePositions(d, state["max_distance"]).double().requires_grad_(False)
        relative.key_table.copy_(torch.tensor(distance_table(state["max_distance"], d), dtype=torch.float64))
        scores = scores + relative.bias(query, n)
    elif kind == "alibi":
        heads = query.expand(state["n_heads"], n, d)
        scores = scores + ALiBi(state["n_heads"]).bias(heads, n)[state["head"]]
    return scores


def position_numbers(state) -> dict:
    """All that follows from a state.

    Returns
    -------
    dict
        ``query key`` (d,); ``scores weights`` (length,), the query's row over the places, None and 0 where
        there is no vector (and 0 after the query when causal); ``angles`` (d/2,), place of the query − place
        of the key times θ; ``spread``, the largest difference between two scores at one distance; ``slope``,
        ALiBi's; ``every`` (length, length), the scores of every place with every place.
    """
    import torch

    from attnbook.nn import ALiBi, masked_softmax

    m, n = state["query_position"], state["key_position"]
    query, key = content_vectors(state)
    every = pair_scores(state)
    scores = every[m]
    allowed = ~scores.isnan()
    if state["causal"]:
        allowed[m + 1 :] = False
    diagonals = [every.diagonal(far) for far in range(1 - len(every), len(every))]
    known = [line[~line.isnan()] for line in diagonals]
    return {
        "query": query,
        "key": key,
        "scores": _with_none(scores),
        "weights": masked_softmax(torch.nan_to_num(scores), allowed).tolist(),
        "angles": [(m - n) * rate for rate in rates(state)],
        "spread": max((line.max() - line.min()).item() for line in known if len(line)),
        "slope": ALiBi(state["n_heads"]).slopes[state["head"]].item(),
        "every": [_with_none(row) for row in every],
    }


def moved(state) -> dict:
    """What the prediction is about: the score before and after both words move by ``MOVE`` places."""
    m, n = state["query_position"], state["key_position"]
    every = pair_scores(state, max(m, n) + MOVE + 1)
    before, after = _with_none(every[[m, m + MOVE], [n, n + MOVE]])
    if before is None or after is None:
        answer = "none"
    elif abs(after - before) < 1e-9:
        answer = "same"
    else:
        answer = "rises" if after > before else "falls"
    return {"answer": answer, "before": before, "after": after}


def _with_none(numbers) -> list[float | None]:
    """A tensor as a list, None for NaN."""
    return [None if math.isnan(x) else x for x in numbers.tolist()]


def _rounded(x: float | None) -> float | None:
    return None if x is None else round(x, 6)


class PositionExplorer(PredictFirst):
    """Two words on a strip of places: move them, and see what each kind of positions makes of it.

    The same key word stands at every place, so whatever differs along the strip is the position's doing. In
    view are the weights of the query over all places, with the training length marked; for sinusoidal and
    RoPE a small clock for each pair of numbers, with a hand for the query's place, a hand for the key's and
    the angle between them; the score against distance, one line for each of five places of the query, which
    fall together where the distance alone counts; the arithmetic of the score; and a table of all numbers.
    Sliders move the query, the key, or both by the same distance.

    Parameters
    ----------
    kind : str, default "sinusoidal"
        "none", "sinusoidal", "learned", "relative", "rotary" (RoPE) or "alibi".
    query_position, key_position : int, default 20 and 14
        Where the two words stand, counted from 0, below ``length``.
    length : int, default 64
        Places on the strip, 2 to 128.
    train_length : int, default 32
        Places met in training, 1 to 128. Those beyond are marked, and a learned position has no vector there.
    d : int, default 8
        Size of query and key: even, 2 to 16, so that there are 1 to 8 clocks.
    base : float, default 10000
        Pair i turns by base^(−2i/d) radians from one place to the next (sinusoidal and RoPE), 1 to 1e6.
    n_heads, head : int, default 8 and 0
        ALiBi's heads, 1 to 64, and the one shown, counted from 0; the slope follows from both.
    max_distance : int, default 8
        Relative: distances to each side that have a vector of their own, 1 to 127.
    content : "same", "back" or "random", default "same"
        What the two words bring along. *same*: query = key = (1, 0, 1, 0, …). *back*: the same key, and a
        query turned by −3 θ, so that RoPE finds the key three places back. *random*: both random. The content
        is "own" once ``query`` and ``key`` are given.
    strength : float, default 2
        What query and key are multiplied with, 0 to 4. At 0 the words say nothing: positions speak alone.
    query, key : d numbers each, optional
        Content vectors of your own; both or none. ``d`` is their length then.
    causal : bool, default False
        Whether places after the query are masked.
    name : str, optional
        Names this widget in a shared link; its class and order do if absent.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`. What is predicted: whether the score stays the same,
        rises, falls or has no value when both words move seven places to the right. Another ``kind`` asks
        anew, unless the reader skipped.

    Attributes
    ----------
    query, key : d numbers
        The content vectors in use, times ``strength``. Assigning one makes it, as it is, the reader's own
        (``strength`` is 1 then); ``assign(query=…, key=…)`` sets both where the size changes.
    scores, weights : lists of ``length`` numbers, read-only
        The query's row over the places. Scores are divided by √d, and None where a place has no vector;
        weights are their softmax.
    angles : list of d/2 numbers, read-only
        The angle from the key's hand to the query's in each pair, in radians: (query_position −
        key_position)·θ, not folded back into one turn.
    slope : float, read-only
        ALiBi's slope of ``head``.
    spread : float, read-only
        The largest difference between two scores at the same distance, over all places: 0 where the distance
        alone counts.
    prediction : dict or None
        ``{"choice": "same", "rises", "falls" or "none"}``; once made also ``answer``, ``before`` and
        ``after``, the two scores.
    score : float or None
        1 for the right choice, 0 for another.

    Raises
    ------
    ValueError
        From the constructor, for a wrong value. Assignments raise ``traitlets.TraitError`` with the same
        sentence and leave the state as it was.

    Notes
    -----
    The tables of *learned* and *relative* are random numbers of the same variance as sines, as before
    training. Sinusoidal positions are added to query and key as if the projections were identities.
    """

    _esm = bundle("PositionExplorer.js")
    _css = bundle("PositionExplorer.css")

    kind = Mirror("none, sinusoidal, learned, relative, rotary or alibi")
    query_position = Mirror("the query's place, from 0")
    key_position = Mirror("the key's place, from 0")
    length = Mirror("places on the strip")
    train_length = Mirror("places met in training")
    d = Mirror("size of query and key")
    base = Mirror("how slowly the slowest pair turns")
    n_heads = Mirror("ALiBi's heads")
    head = Mirror("the head shown, from 0")
    max_distance = Mirror("distances with a vector of their own")
    content = Mirror("same, back, random or own")
    strength = Mirror("what query and key are multiplied with")
    query = Mirror("content of the query's word, d numbers")
    key = Mirror("content of the key's word, d numbers")
    causal = Mirror("whether later places are masked")
    scores = Mirror("the query's scores over the places; set kind or a position", derived=True)
    weights = Mirror("softmax of the scores; set kind or a position", derived=True)
    angles = Mirror("(query_position − key_position)·θ; set a position", derived=True)
    slope = Mirror("ALiBi's slope; set n_heads or head", derived=True)
    spread = Mirror("how far scores at one distance differ; set kind", derived=True)

    def __init__(
        self,
        kind="sinusoidal",
        query_position=20,
        key_position=14,
        *,
        length=64,
        train_length=32,
        d=8,
        base=10_000,
        n_heads=8,
        head=0,
        max_distance=8,
        content="same",
        strength=2.0,
        query=None,
        key=None,
        causal=False,
        name=None,
        challenge="",
        predict=True,
        theme="auto",
    ):
        state = {
            "kind": kind,
            "query_position": query_position,
            "key_position": key_position,
            "length": length,
            "train_length": train_length,
            "d": d,
            "base": base,
            "n_heads": n_heads,
            "head": head,
            "max_distance": max_distance,
            "content": content,
            "strength": strength,
            "own": None,
            "causal": causal,
            **self._unpredicted(predict),
        }
        if (query is None) != (key is None):
            missing, given = ("query", "key") if query is None else ("key", "query")
            raise ValueError(f"{missing}: expected a vector beside {given}, got None.")
        if query is not None:
            state |= self._made_own(query, key)
        super().__init__(state, challenge=challenge, theme=theme, address=name)

    @staticmethod
    def _made_own(query, key) -> dict:
        """The parts of a state that hold the reader's own content."""
        query, key = values.vector("query", query), values.vector("key", key)
        return {"content": "own", "own": {"query": query, "key": key}, "strength": 1.0, "d": len(query)}

    def _declare(self):
        return STATE

    def _agree(self, state):
        if state["d"] % 2:
            raise ValueError(f"d: expected an even number, since numbers come in pairs, got {state['d']!r}.")
        if state["content"] == "own" and state["own"] is None:
            raise ValueError(
                "content: expected 'same', 'back' or 'random', got 'own'; assign query or key first."
            )

    def _completed(self, prediction, state):
        return {**moved(state), **prediction}

    def _graded(self, prediction, state):
        return float(prediction["choice"] == prediction["answer"])

    def _compute(self, state):
        return position_numbers(state)

    def _derived(self, state):
        out = self._numbers(state)
        lists = ("query", "key", "scores", "weights", "angles")
        return {
            **{name: [_rounded(x) for x in out[name]] for name in lists},
            "slope": out["slope"],
            "spread": _rounded(out["spread"]),
        }

    def _edited(self, name, value, state):
        if name == "kind":  # another question; who skipped the last one is not asked again
            asks = state["prediction"] is not None and value != state["kind"]
            return {**state, "kind": value, **({"prediction": None, "revealed": False} if asks else {})}
        if name in ("query", "key"):
            # In assign() the other may follow, so that the declaration, not this, compares their sizes.
            vectors = dict(zip(("query", "key"), content_vectors(state), strict=True), **{name: value})
            return {**state, **self._made_own(**vectors)}
        if name == "d" and state["content"] != "own":
            return {**state, "own": None, "d": value}
        if name == "length" and type(value) is int and value > 0:
            ends = {at: min(state[at], value - 1) for at in ("query_position", "key_position")}
            return {**state, **ends, "length": value}
        if name == "n_heads" and type(value) is int and value > 0:
            return {**state, "head": min(state["head"], value - 1), "n_heads": value}
        return super()._edited(name, value, state)

    def _sentence(self, state):
        m, n = state["query_position"], state["key_position"]
        label = KINDS[state["kind"]]
        where = f"{label}: query at place {m}, key at place {n} (distance {values.fixed(n - m, 0)})"
        if not state["revealed"]:
            return f"{where}; the score is hidden: predict or skip."
        out = self._numbers(state)
        if out["scores"][n] is None:
            last = state["train_length"] - 1
            return f"{where}; no score, since the table ends at place {last}."
        weight = f"{values.fixed(100 * out['weights'][n], 1)} %"
        spread = values.fixed(out["spread"])
        return (
            f"{where}; score {values.fixed(out['scores'][n])}, weight {weight}. Over all places, "
            f"scores at one distance differ by up to {spread}."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        figure = Figure(figsize=(6.8, 3.5))
        left, right = figure.subplots(1, 2)
        self._draw_weights(left)
        self._draw_scores(right)
        for axes in (left, right):
            axes.tick_params(labelsize=7)
            axes.title.set_size(10)
            axes.xaxis.label.set_size(9)
            if not state["revealed"]:
                axes.text(0.5, 0.5, "?", transform=axes.transAxes, ha="center", va="center", fontsize=20)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=3, frameon=False)
        figure.subplots_adjust(left=0.07, right=0.97, top=0.92, bottom=0.34, wspace=0.2)
        return figure

    def _draw_weights(self, axes):
        state = self.state
        n, trained = state["length"], state["train_length"]
        top = 1.0
        if state["revealed"]:
            weights = self._numbers(state)["weights"]
            axes.bar(range(n), weights, color="#6aa9dc", width=0.8)
            top = max(max(weights) * 1.2, 1e-9)
        for name, colour, mark in (("query", "#005a9c", "o"), ("key", "#a33f00", "s")):
            place = state[f"{name}_position"]
            axes.axvline(place, color=colour, lw=0.8)
            axes.plot(place, top * 0.94, mark, color=colour, ms=6, label=name)
        if trained < n:
            axes.axvspan(trained - 0.5, n - 0.5, color="#bbb", alpha=0.35, lw=0, label="beyond training")
        axes.set(title="weights of the query", xlabel="place", ylim=(0, top))

    def _draw_scores(self, axes):
        state = self.state
        axes.set(title="score by distance", xlabel="key's place − query's place")
        if not state["revealed"]:
            axes.set(xticks=[], yticks=[])
            return
        n, m, key = state["length"], state["query_position"], state["key_position"]
        every = [[math.nan if x is None else x for x in row] for row in self._numbers(state)["every"]]
        for probe in probes(n):
            axes.plot([place - probe for place in range(n)], every[probe], color="#777", lw=0.7)
        axes.plot([place - m for place in range(n)], every[m], color="#005a9c", lw=2, label=f"query at {m}")
        axes.plot([], [], color="#777", lw=0.7, label="at other places")
        axes.plot(key - m, every[m][key], "s", color="#a33f00", ms=6, label="key")


def probes(length: int) -> list[int]:
    """The places of the query that have a thin line of their own."""
    return [math.floor(i * (length - 1) / 4 + 0.5) for i in range(5)]
