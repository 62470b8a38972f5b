"""SearchAndCueing: two classical experiments that the reader does, with their own reaction times."""

import math
from statistics import fmean, median

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.state import (
    Boolean,
    Each,
    Integer,
    Listing,
    Number,
    Record,
    State,
    hidden_outcome,
)

TASKS = ("cueing", "search")
CUES = ("valid", "neutral", "invalid")
# (kind, target there) of search, in the order of every table: kind 0 is a feature, 1 a conjunction.
CONDITIONS = ((0, 1), (0, 0), (1, 1), (1, 0))
MOST_TRIALS = 960
# Of 100 simulated runs with a true difference of 40 ms, those that come out reversed: a test counts them.
REVERSED_IN_20, REVERSED_IN_120 = 12, 1


class SearchAndCueing(PredictFirst):
    """Posner's cueing task, or visual search for a feature and for a conjunction, done by the reader.

    Reaction times come from the page, where one frame of the screen (about 17 ms) is the limit; delays of
    keyboard and screen add to all trials alike. The tasks are visual; for whoever cannot or would not do
    them, ``simulate`` makes data of a reader whose times are known.

    Parameters
    ----------
    task : "cueing" or "search"
        *Cueing* (Posner 1980): a cross, an arrow that is right in 80 % of the trials that have one, a disc to
        the left or right; the reader presses a key once it appears. From 60 trials on a sixth has a neutral
        cue.
        *Search* (Treisman & Gelade 1980): is an orange, filled square among the items? The others are blue
        outlines (a feature tells) or orange discs and blue squares (a conjunction).
    trials : int, optional
        How many trials the reader is offered first: 120 for cueing, 64 for search. Search needs a multiple of
        four times the number of ``sizes``.
    seed : int
        Fixes the order of the trials. Every further run adds 1.
    sizes : list of int
        How many items a display of search may have, 2 to 48.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    results : list of lists
        Cueing: ``[kind, ms]`` a trial, kind 0 valid, 1 neutral, 2 invalid; ms 0 is a press that came too
        early, −1 a miss, and both are left out. Search: ``[kind, size, present, ms, right]``; wrong answers
        are left out of the slopes. Assignable, as from :meth:`simulate`.
    simulated : bool
        Whether the results are made up.
    medians : dict from cue to ms, read-only (cueing)
    slopes : dict from (display, present or absent) to ms an item, read-only (search)
    effect : float or None, read-only
        What the reader predicts: ms that an invalid cue costs against a valid one; ms an item in a
        conjunction whose target is there.
    prediction : dict or None
        ``{"guess": ms}``; ``actual`` stands beside it once there are results.
    score : float or None
        1 for the right number, 0 for 100 ms beside it.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("SearchAndCueing.js")
    _css = bundle("SearchAndCueing.css")

    task = traitlets.Unicode(help="cueing or search; read-only.").tag(sync=True)
    sizes = traitlets.List(help="Items in a display of search; read-only.").tag(sync=True)
    offers = traitlets.List(help="Numbers of trials to choose from; read-only.").tag(sync=True)
    warning = traitlets.Unicode(help="What few trials can show; read-only.").tag(sync=True)
    trials = Mirror("how many trials the next run has")
    seed = Mirror("what fixes the order of the trials")
    results = Mirror("one list a trial")
    simulated = Mirror("whether the results are made up")
    medians = Mirror("of the reaction times by cue; set results", derived=True)
    slopes = Mirror("in ms an item; set results", derived=True)
    effect = Mirror("what the reader predicts; set results", derived=True)

    def __init__(
        self,
        task="cueing",
        trials=None,
        *,
        seed=1,
        sizes=(4, 8, 16, 32),
        challenge="",
        predict=True,
        theme="auto",
    ):
        unpredicted = self._unpredicted(predict)
        values.choice("task", task, TASKS)
        sizes = values.vector("sizes", sizes)
        if (
            sorted(set(sizes)) != sizes
            or not all(x == int(x) and 2 <= x <= 48 for x in sizes)
            or len(sizes) < 2
        ):
            raise ValueError(
                f"sizes: expected rising whole numbers from 2 to 48, two at least, got {sizes!r}."
            )
        cells = 4 * len(sizes)
        usual = (20, 120) if task == "cueing" else (2 * cells, 4 * cells)
        trials = usual[1] if trials is None else trials
        self._fixed = {
            "task": task,
            "sizes": [int(x) for x in sizes],
            "warning": few(20) if task == "cueing" else "",
        }
        Integer(low=5, high=MOST_TRIALS).check("trials", trials, lambda size: size)
        self._fixed["offers"] = sorted({*usual, trials})
        state = {
            "trials": trials,
            "seed": seed,
            "results": [],
            "simulated": False,
            **unpredicted,
        }
        super().__init__(state, challenge=challenge, theme=theme, **self._fixed)

    @traitlets.validate("task", "sizes", "offers", "warning")
    def _as_made(self, proposal):
        name = proposal["trait"].name
        if proposal["value"] != self._fixed[name]:
            raise traitlets.TraitError(f"{name}: expected no assignment; make a new widget.")
        return proposal["value"]

    def simulate(self) -> None:
        """Fill ``results`` with those of a made-up reader, for the present number of trials and seed.

        Its benefit is 25 ms and its cost 40 ms; an item costs it 3 ms where a feature tells, in a conjunction
        28.7 ms with and 67.1 ms without a target (Treisman & Gelade's slopes).
        """
        made = simulate(self._fixed["task"], self.trials, self.seed, self._fixed["sizes"])
        self.assign(results=made, simulated=True)

    def _declare(self):
        cueing = self._fixed["task"] == "cueing"
        bounds = ((0, 2), (-1, 60_000)) if cueing else ((0, 1), (1, 48), (0, 1), (1, 60_000), (0, 1))
        trial = Each(
            parts=tuple(Integer(low=low, high=high) for low, high in bounds),
            why=", [kind 0 to 2, ms]" if cueing else ", [kind 0 or 1, size, present, ms, right]",
        )
        return State(
            trials=Integer(low=5, high=MOST_TRIALS),
            seed=Integer(low=0, high=10**9),
            results=Listing(of=trial, most=MOST_TRIALS, why=" trials"),
            simulated=Boolean(),
            **hidden_outcome(
                Record(
                    optional=True,
                    asked_of_reader=("guess",),
                    wanted='{"guess": milliseconds}',
                    parts={"guess": Number(low=-100, high=200), "actual": Number(optional=True)},
                )
            ),
        )

    def _agree(self, state):
        sizes = self._fixed["sizes"]
        cells = 4 * len(sizes)
        if self._fixed["task"] == "search" and state["trials"] % cells:
            raise ValueError(
                f"trials: expected a multiple of {cells} (2 kinds × {len(sizes)} sizes × with and without "
                f"target), got {state['trials']!r}."
            )

    def _completed(self, prediction, state):
        self._part("actual", prediction, state)
        return {**prediction, "actual": self._numbers(state)["effect"]}

    def _graded(self, prediction, state):
        return score(prediction["guess"], self._numbers(state)["effect"])

    def _edited(self, name, value, state):
        if name == "results":
            return {**state, "results": value, "simulated": False}
        return super()._edited(name, value, state)

    def _compute(self, state):
        task, results = self._fixed["task"], state["results"]
        out = {"effect": effect(task, results), "medians": None, "slopes": None}
        if task == "cueing":
            out["medians"] = {cue: _median(times) for cue, times in zip(CUES, by_cue(results), strict=True)}
        else:
            fits = (line(points(results, *condition)) for condition in CONDITIONS)
            names = [(("feature", "conjunction")[k], ("absent", "present")[p]) for k, p in CONDITIONS]
            out["slopes"] = {name: fit and fit[0] for name, fit in zip(names, fits, strict=True)}
        return out

    def _derived(self, state):
        return self._numbers(state)

    def _sentence(self, state):
        task, results = self._fixed["task"], state["results"]
        if not results:
            if task == "cueing":
                return "Cueing, not done yet: watch the cross, press as soon as the disc appears."
            return "Visual search, not done yet: say whether the orange square is there."
        n = len(results)
        if not state["revealed"]:
            return f"{n} trials are done; predict, or skip, to see what they say."
        who = "a simulated reader" if state["simulated"] else "you"
        if task == "cueing":
            times = by_cue(results)
            valid, neutral, invalid = self._numbers(state)["medians"].values()

            def gap(a, b):
                return _ms(None if a is None or b is None else a - b)

            return (
                f"{n} trials by {who}: median {_ms(valid)} ms after valid, {_ms(neutral)} ms after neutral, "
                f"{_ms(invalid)} ms after invalid cues; benefit {gap(neutral, valid)} ms, "
                f"cost {gap(invalid, neutral)} ms, {n - sum(map(len, times))} discarded."
            )
        a, b, c, d = (
            "–" if slope is None else values.fixed(slope, 1)
            for slope in self._numbers(state)["slopes"].values()
        )
        wrong = sum(not one[4] for one in results)
        return (
            f"{n} trials by {who}, {wrong} wrong: each item costs {c} ms in a conjunction with its target, "
            f"{d} ms without, {a} and {b} ms where one feature tells."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 3.2))
        if self._fixed["task"] == "cueing":
            _draw_cueing(figure)
        else:
            _draw_search(figure, self.seed)
        figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.14, wspace=0.08)
        return figure


def few(trials) -> str:
    """What so few trials can show."""
    return (
        f"{trials} trials hold {trials // 5} wrong arrows and no neutral cue. In simulations of a reader "
        f"whose times spread by about 60 ms, a true difference of 40 ms came out the wrong way round in "
        f"{REVERSED_IN_20} of 100 runs of {trials} trials, and in {REVERSED_IN_120} of 100 runs of 120: take "
        "what you see here as a taste."
    )


# --- The numbers, as js/mechanisms/timing.js has them -------------------------------------------------------


def _shuffle(items, draw):
    for i in range(len(items) - 1, 0, -1):
        j = math.floor(next(draw) * (i + 1))
        items[i], items[j] = items[j], items[i]
    return items


def plan(task, trials, seed, sizes=(4, 8, 16, 32)) -> list[list[int]]:
    """The trials in their order.

    Returns
    -------
    list of lists
        Cueing: ``[kind, side, wait in ms]``. Search: ``[kind, size, present]``.
    """
    draw = generator(seed)
    if task == "cueing":
        neutral = 0 if trials < 60 else math.floor(trials / 6 + 0.5)
        invalid = math.floor((trials - neutral) / 5 + 0.5)
        kinds = [1] * neutral + [2] * invalid + [0] * (trials - neutral - invalid)
        return [
            [kind, int(next(draw) < 0.5), 300 + math.floor(next(draw) * 600)]
            for kind in _shuffle(kinds, draw)
        ]
    cells = [[kind, size, present] for kind in (0, 1) for size in sizes for present in (0, 1)]
    return _shuffle([cells[i % len(cells)] for i in range(trials)], draw)


def simulate(task, trials, seed, sizes=(4, 8, 16, 32), effects=(0, 25, 65)) -> list[list[int]]:
    """Results of a made-up reader: a normal-like spread of 40 ms (search 60) and a tail of 50 ms (60).

    Parameters
    ----------
    effects : three numbers
        Milliseconds that a valid, a neutral and an invalid cue add in cueing.
    """
    draw = generator(seed + 1000003)
    out = []
    for trial in plan(task, trials, seed, sizes):
        noise = (next(draw) + next(draw) + next(draw) - 1.5) * 2
        tail = -math.log(1 - next(draw))
        if task == "cueing":
            out.append([trial[0], math.floor(300 + effects[trial[0]] + 40 * noise + 50 * tail + 0.5)])
        else:
            kind, size, present = trial
            slope = (28.7 if present else 67.1) if kind else 3
            ms = math.floor(450 + slope * size + 60 * noise + 60 * tail + 0.5)
            out.append([kind, size, present, ms, int(next(draw) >= 0.04)])
    return out


def by_cue(results) -> list[list[int]]:
    """Reaction times after valid, neutral and invalid cues, without early presses and misses."""
    return [[ms for kind, ms in results if kind == cue and ms > 0] for cue in range(3)]


def points(results, kind, present) -> list[tuple[int, int]]:
    """(size, ms) of the right answers of one condition of search."""
    return [(size, ms) for k, size, p, ms, right in results if (k, p) == (kind, present) and right]


def line(pairs) -> tuple[float, float] | None:
    """Least squares: slope in ms an item and intercept in ms, or None where sizes do not differ."""
    if not pairs:
        return None
    mx, my = fmean(x for x, _ in pairs), fmean(y for _, y in pairs)
    square = math.fsum((x - mx) ** 2 for x, _ in pairs)
    if not square:
        return None
    slope = math.fsum((x - mx) * (y - my) for x, y in pairs) / square
    return slope, my - slope * mx


def effect(task, results) -> float | None:
    """The number that the reader predicts, in ms; None where there is too little to compute it."""
    if task == "cueing":
        valid, _, invalid = map(_median, by_cue(results))
        return None if valid is None or invalid is None else invalid - valid
    fit = line(points(results, 1, 1))
    return fit and fit[0]


def score(guess, actual) -> float | None:
    """1 for the right number, 0 for 100 ms beside it."""
    if actual is None:
        return None
    return math.floor(max(0, 1 - abs(guess - actual) / 100) * 100 + 0.5) / 100


def _median(times):
    return median(times) if times else None


def _ms(x) -> str:
    return "–" if x is None else values.fixed(x, 0)


# --- The stand-in -----------------------------------------------------------------------------------------


def _draw_cueing(figure) -> None:
    """Four moments of a trial, side by side."""
    steps = (
        ("a cross", None, False),
        ("a cue", 1, False),
        ("valid: 80 %", 1, True),
        ("invalid: 20 %", -1, True),
    )
    for axes, (title, arrow, target) in zip(figure.subplots(1, 4), steps, strict=True):
        axes.set_title(title, fontsize=9)
        for x in (-1, 1):
            axes.plot([x - 0.3, x + 0.3, x + 0.3, x - 0.3, x - 0.3], [-0.3, -0.3, 0.3, 0.3, -0.3], "k-", lw=1)
        if arrow is None:
            axes.plot(0, 0, "k+", ms=10)
        else:
            axes.annotate("", (0.35, 0), (-0.35, 0), arrowprops={"arrowstyle": "->", "lw": 2})
        if target:
            axes.plot(arrow, 0, "ko", ms=10)
        axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xticks=[], yticks=[], aspect="equal")


def _draw_search(figure, seed) -> None:
    """A display that one feature tells, and a conjunction, 16 items each with the target."""
    draw = generator(seed)
    for axes, kind, title in zip(
        figure.subplots(1, 2), (0, 1), ("a feature tells", "a conjunction"), strict=True
    ):
        axes.set_title(title, fontsize=9)
        for i, place in enumerate(_shuffle(list(range(48)), draw)[:16]):
            square, orange = (1, 1) if i == 0 else (i % 2, 1 - i % 2 if kind else 0)
            x, y = place % 8 + 0.5 * next(draw), place // 8 + 0.5 * next(draw)
            colour = "#a33f00" if orange else "#005a9c"
            axes.plot(
                x, y, "s" if square else "o", mec=colour, mfc=colour if orange else "none", ms=8, mew=1.6
            )
        axes.set(xlim=(-1, 8.5), ylim=(-1, 6.5), xticks=[], yticks=[])
