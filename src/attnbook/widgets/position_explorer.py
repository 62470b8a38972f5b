"""PositionExplorer: two words on a strip of places, and what six kinds of positions make of them."""

import functools
import math
from itertools import islice

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle
from attnbook.widgets.mulberry32 import generator

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
# Whole numbers of the state, and what each may be.
RANGES = {
    "length": (2, MOST_PLACES),
    "train_length": (1, MOST_PLACES),
    "d": (2, WIDEST),
    "n_heads": (1, 64),
    "max_distance": (1, MOST_PLACES - 1),
}


# --- The numbers, as js/positions.js has them ------------------------------------------------------------


@functools.cache
def random_table(seed: int, rows: int) -> np.ndarray:
    """Numbers of mean 0 and variance ½, as sines have, in rows of 16; the page draws the very same."""
    numbers = islice(generator(seed), rows * WIDEST)
    return (2 * np.fromiter(numbers, float).reshape(rows, WIDEST) - 1) * math.sqrt(1.5)


def learned_table(train_length: int, d: int) -> np.ndarray:
    """The widget's vectors of places 0 … train_length − 1, (train_length, d): random, as before training."""
    return random_table(1, MOST_PLACES)[:train_length, :d]


def distance_table(max_distance: int, d: int) -> np.ndarray:
    """The widget's vectors of distances −max_distance … max_distance, (2·max_distance + 1, d): random."""
    middle = MOST_PLACES - 1
    return random_table(2, 2 * middle + 1)[middle - max_distance : middle + max_distance + 1, :d]


def slope(n_heads: int, head: int) -> float:
    """What ALiBi takes off a score for each place of distance, in this head (counted from 0)."""
    power = 2 ** int(math.log2(n_heads))
    if head < power:
        return 2.0 ** (-8 * (head + 1) / power)
    return 2.0 ** (-8 * (2 * (head - power) + 1) / (2 * power))


def turn(vector, angles) -> np.ndarray:
    """Turn each pair of numbers (0, 1), (2, 3), … by its angle: vector (…, d), angles (…, d/2)."""
    first, second = vector[..., ::2], vector[..., 1::2]
    cos, sin = np.cos(angles), np.sin(angles)
    turned = np.stack([first * cos - second * sin, first * sin + second * cos], -1)
    return turned.reshape(*turned.shape[:-2], -1)


def content_vectors(state) -> tuple[np.ndarray, np.ndarray]:
    """What the query's word and the key's word bring along, (d,) each, before any position."""
    d = state["d"]
    unit = np.tile([1.0, 0.0], d // 2)
    if state["content"] == "same":
        query, key = unit, unit
    elif state["content"] == "back":
        query, key = turn(unit, -3 * rates(state)), unit
    elif state["content"] == "random":
        query, key = random_table(3, 2)[:, :d]
    else:
        query, key = (np.array(state["own"][name]) for name in ("query", "key"))
    return query * state["strength"], key * state["strength"]


def rates(state) -> np.ndarray:
    """θ, by which each pair's hand turns from one place to the next, in radians: (d/2,)."""
    return state["base"] ** (-np.arange(0, state["d"], 2) / state["d"])


def pair_scores(state, n: int | None = None) -> np.ndarray:
    """The score of the query at each place with the key at each place: (n, n), before the softmax.

    Scores are divided by √d, as in :func:`attnbook.nn.scaled_dot_product_attention`; ALiBi's slope comes
    after that. NaN where one of the two places has no vector.
    """
    kind, d = state["kind"], state["d"]
    n = state["length"] if n is None else n
    places = np.arange(n)
    query, key = content_vectors(state)
    far = places - places[:, None]  # key's place − query's place
    queries, keys = np.tile(query, (n, 1)), np.tile(key, (n, 1))
    angles = places[:, None] * rates(state)
    if kind == "sinusoidal":
        encoding = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(n, d)
        queries, keys = queries + encoding, keys + encoding
    elif kind == "learned":
        table = np.full((max(n, state["train_length"]), d), np.nan)
        table[: state["train_length"]] = learned_table(state["train_length"], d)
        queries, keys = queries + table[:n], keys + table[:n]
    elif kind == "rotary":
        queries, keys = turn(queries, angles), turn(keys, angles)
    scores = queries @ keys.T / math.sqrt(d)
    if kind == "relative":
        reach = state["max_distance"]
        by_distance = distance_table(reach, d) @ query / math.sqrt(d)
        scores = scores + by_distance[far.clip(-reach, reach) + reach]
    elif kind == "alibi":
        scores = scores - slope(state["n_heads"], state["head"]) * abs(far)
    return scores


def position_numbers(state) -> dict:
    """All that follows from a state, as js/positions.js computes it.

    Returns
    -------
    dict
        ``query key`` (d,); ``scores weights`` (length,), the query's row over the places, NaN and 0 where
        there is no vector (and 0 after the query when causal); ``angles`` (d/2,), place of the query − place
        of the key times θ; ``spread``, the largest difference between two scores at one distance.
    """
    m, n = state["query_position"], state["key_position"]
    query, key = content_vectors(state)
    every = pair_scores(state)
    scores = every[m]
    may = ~np.isnan(scores)
    if state["causal"]:
        may[m + 1 :] = False
    weights = np.zeros(len(scores))
    if may.any():
        weights[may] = np.exp(scores[may] - scores[may].max())
        weights /= weights.sum()
    diagonals = [np.diagonal(every, far) for far in range(1 - len(every), len(every))]
    known = [line[~np.isnan(line)] for line in diagonals]
    return {
        "query": query,
        "key": key,
        "scores": scores,
        "weights": weights,
        "angles": (m - n) * rates(state),
        "spread": max(float(np.ptp(line)) for line in known if line.size),
    }


def moved(state) -> dict:
    """What the prediction is about: the score before and after both words move by ``MOVE`` places."""
    m, n = state["query_position"], state["key_position"]
    every = pair_scores(state, max(m, n) + MOVE + 1)
    before, after = (_plain(every[m + by, n + by]) for by in (0, MOVE))
    if before is None or after is None:
        answer = "none"
    elif abs(after - before) < 1e-9:
        answer = "same"
    else:
        answer = "rises" if after > before else "falls"
    return {"answer": answer, "before": before, "after": after}


def _plain(number) -> float | None:
    """A number for JSON; None for NaN."""
    return None if math.isnan(number) else round(float(number), 6)


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

    def _check(self, state):
        checked = {
            "version": self._version,
            "kind": values.choice("kind", state.get("kind"), tuple(KINDS)),
            "query_position": None,
            "key_position": None,
            **{name: self._whole(name, state.get(name), *between) for name, between in RANGES.items()},
        }
        if checked["d"] % 2:
            raise ValueError(
                f"d: expected an even number, since numbers come in pairs, got {checked['d']!r}."
            )
        for name in ("query_position", "key_position"):
            checked[name] = self._whole(name, state.get(name), 0, checked["length"] - 1)
        checked |= {
            "head": self._whole("head", state.get("head"), 0, checked["n_heads"] - 1),
            "base": values.number("base", state.get("base"), 1, 1e6),
            "content": values.choice("content", state.get("content"), CONTENTS),
            "strength": values.number("strength", state.get("strength"), 0, 4),
            "own": self._own(state.get("own"), checked["d"]),
            "causal": self._flag("causal", state),
            "prediction": None,
            "revealed": self._flag("revealed", state),
            "score": None,
        }
        if checked["content"] == "own" and checked["own"] is None:
            raise ValueError(
                "content: expected 'same', 'back' or 'random', got 'own'; assign query or key first."
            )
        if state.get("prediction") is not None:
            prediction = self._predicted(state["prediction"], checked)
            score = float(prediction["choice"] == prediction["answer"])
            checked |= {"prediction": prediction, "revealed": True, "score": score}
        return checked

    @staticmethod
    def _whole(name, value, low, high):
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r}.")
        return value

    @staticmethod
    def _own(own, d):
        """The reader's own content, or None."""
        if own is None:
            return None
        if not isinstance(own, dict) or set(own) != {"query", "key"}:
            raise ValueError(f'own: expected {{"query": …, "key": …}} or None, got {own!r}.')
        why = " as d says; assign(query=…, key=…) sets all three"
        own = {name: values.vector(name, own[name], d, why) for name in ("query", "key")}
        for name, vector in own.items():
            if max(map(abs, vector)) > 100:
                raise ValueError(f"{name}: expected numbers from -100 to 100, got {vector!r}.")
        return own

    def _predicted(self, prediction, state):
        """The reader's guess beside what came out when it was made."""
        if not isinstance(prediction, dict) or "choice" not in prediction:
            raise ValueError(
                f'prediction: expected {{"choice": {" or ".join(map(repr, ANSWERS))}}}, got {prediction!r}.'
            )
        came = {**moved(state), **prediction}
        checked = {
            name: values.choice(f"prediction {name}", came[name], tuple(ANSWERS))
            for name in ("choice", "answer")
        }
        for name in ("before", "after"):
            checked[name] = None if came[name] is None else values.number(f"prediction {name}", came[name])
        return checked

    def _mirrors(self, state):
        names = set(state) - {"version", "own"}
        out = position_numbers(state)
        return {
            **{name: state[name] for name in names},
            **{name: [_plain(x) for x in out[name]] for name in ("query", "key", "scores", "weights")},
            "angles": [_plain(x) for x in out["angles"]],
            "slope": slope(state["n_heads"], state["head"]),
            "spread": _plain(out["spread"]),
        }

    def _edited(self, name, value, state):
        if name == "kind":  # another question; who skipped the last one is not asked again
            asks = state["prediction"] is not None and value != state["kind"]
            return {**state, "kind": value, **({"prediction": None, "revealed": False} if asks else {})}
        if name in ("query", "key"):
            # In assign() the other may follow, so that _check, not this, compares their sizes.
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

    def _sentence(self, state, *, outcome=False):
        m, n = state["query_position"], state["key_position"]
        label = KINDS[state["kind"]]
        where = f"{label}: query at place {m}, key at place {n} (distance {values.fixed(n - m, 0)})"
        if not (outcome or state["revealed"]):
            return f"{where}; the score is hidden: predict or skip."
        out = position_numbers(state)
        if math.isnan(out["scores"][n]):
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
        out = position_numbers(state)
        n, trained = state["length"], state["train_length"]
        m, key = state["query_position"], state["key_position"]
        figure = Figure(figsize=(6.8, 3.5))
        left, right = figure.subplots(1, 2)
        left.bar(range(n), out["weights"], color="#6aa9dc", width=0.8)
        top = max(out["weights"].max() * 1.2, 1e-9)
        for at, colour, mark, label in ((m, "#005a9c", "o", "query"), (key, "#a33f00", "s", "key")):
            left.axvline(at, color=colour, lw=0.8)
            left.plot(at, top * 0.94, mark, color=colour, ms=6, label=label)
        if trained < n:
            left.axvspan(trained - 0.5, n - 0.5, color="#bbb", alpha=0.35, lw=0, label="beyond training")
        left.set(title="weights of the query", xlabel="place", ylim=(0, top))
        every = pair_scores(state)
        far = np.arange(n)
        for probe in probes(n):
            right.plot(far - probe, every[probe], color="#777", lw=0.7)
        right.plot(far - m, every[m], color="#005a9c", lw=2, label=f"query at {m}")
        right.plot([], [], color="#777", lw=0.7, label="at other places")
        right.plot(key - m, every[m, key], "s", color="#a33f00", ms=6, label="key")
        right.set(title="score by distance", xlabel="key's place − query's place")
        for axes in (left, right):
            axes.tick_params(labelsize=7)
            axes.title.set_size(10)
            axes.xaxis.label.set_size(9)
            axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=3, frameon=False)
        figure.subplots_adjust(left=0.07, right=0.97, top=0.92, bottom=0.34, wspace=0.2)
        return figure


def probes(length: int) -> list[int]:
    """The places of the query that have a thin line of their own."""
    return [math.floor(i * (length - 1) / 4 + 0.5) for i in range(5)]
