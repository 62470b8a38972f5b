"""AttentionMap: all attentions of the book on one map; say what you need, and see what remains and why."""

import math
import re
from typing import cast

from attnbook.data import attention_map
from attnbook.data.attention_map import Place
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.state import Index, Integer, Record, State, Subset, hidden_outcome

SOURCES = "https://github.com/attnbook/attnbook/blob/main/chapters/"
SIGNS = {
    r"\,": " ", r"\;": " ", r"\cdot": "·", r"^\top": "ᵀ", r"\tanh": "tanh ", r"\exp": "exp", r"\max": "max",
    r"\bar h": "h̄", r"\tilde h": "h̃", r"\mu": "μ", r"\sigma": "σ", r"\beta": "β", r"\phi": "φ",
    r"\times": "×", "$": "",
}  # fmt: skip
PARTS = ("asks", "asked", "score", "normaliser", "mixed", "cost", "cache", "used")


class AttentionMap(HasContent, PredictFirst):
    """Every attention of the book, by whom it asks and how much of it a query meets.

    The reader chooses an attention for a task, then sees which remain for it and why the others go, and may
    pick other needs. An attention that is opened shows its formulas, its verdict for every need, and links
    to the sections that teach and justify them.

    Parameters
    ----------
    needs : list of str
        What the task asks for, one at least: ids of :func:`attnbook.data.attention_map.needs`, "long",
        "ordered", "explained", "steps", "data", "recall".
    task : str, optional
        The task in words, asked of the reader; made of the needs if absent.
    chosen : str, default "self"
        The id of the attention that is opened first.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    remaining : list of str, read-only
        Ids of what meets all needs that are picked.
    prediction : dict or None
        ``{"choice": id or number of a row}``; once made also ``"met"``: how many of the task's needs it
        meets.
    score : float or None
        The share of the task's needs that it meets.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("AttentionMap.js")
    _css = bundle("AttentionMap.css")

    content = traitlets.Dict(help="The map; read-only.").tag(sync=True)
    needs = Mirror("what is picked, as ids or numbers of needs")
    chosen = Mirror("the attention that is opened, as an id or a number")
    remaining = Mirror("what meets all needs that are picked; set needs", derived=True)

    def __init__(self, needs, *, task="", chosen="self", challenge="", predict=True, theme="auto"):
        self._rows, self._needs = attention_map.rows(), attention_map.needs()
        wanted = self._numbered("needs", needs)
        if not isinstance(wanted, list | tuple) or not wanted:
            raise ValueError(f"needs: expected a list of at least one need, got {needs!r}.")
        if not isinstance(task, str):
            raise ValueError(f"task: expected a string, got {task!r}.")
        self._task = State(needs=Subset(of=len(self._needs))).check({"needs": wanted})["needs"]
        self._content = self._made(task)
        state = {
            "needs": self._task,
            "chosen": self._numbered("chosen", chosen),
            **self._unpredicted(predict),
        }
        super().__init__(state, challenge=challenge, theme=theme, content=self._content)

    def _numbered(self, name, value):
        """Ids as numbers; anything else as it is, for the declaration to judge."""
        known = [one.id for one in (self._needs if name == "needs" else self._rows)]
        if isinstance(value, list | tuple):
            return [self._numbered(name, one) for one in value]
        if isinstance(value, str):
            if value not in known:
                raise ValueError(f"{name}: expected some of {', '.join(known)}, got {value!r}.")
            return known.index(value)
        return value

    def _made(self, task: str) -> dict:
        """What the page needs of the map."""
        reasons = list(attention_map.reasons().values())
        rows = []
        for row in self._rows:
            verdicts = [reasons.index(row.reason(need.id)) for need in self._needs]
            rows.append(
                {
                    "name": row.name,
                    "baseline": not row.attention,
                    "who": [one.id for one in attention_map.askers()].index(row.who),
                    "reach": [one.id for one in attention_map.reaches()].index(row.reach),
                    "reasons": verdicts,
                    **{part: plain(getattr(row, part)) or "–" for part in PARTS},
                    **_link(row.where),
                }
            )
        told = " and ".join(f"“{self._needs[i].name}”" for i in self._task)
        return {
            "rows": rows,
            "needs": [need.name for need in self._needs],
            "who": [one.name for one in attention_map.askers()],
            "reach": [one.name for one in attention_map.reaches()],
            "reasons": [{"stays": one.stays, "why": one.why, **_link(one.where)} for one in reasons],
            "asked": self._task,
            "sources": SOURCES,
            "task": task or f"Needed: {told}. Which attention would you take?",
        }

    def _declare(self):
        guess = Record(
            optional=True,
            asked_of_reader=("choice",),
            wanted='{"choice": the id or the number of an attention}',
            parts={"choice": Index(of=len(self._rows)), "met": Integer(low=0, high=len(self._task))},
        )
        return State(
            needs=Subset(of=len(self._needs)),
            chosen=Index(of=len(self._rows)),
            **hidden_outcome(guess),
        )

    def _edited(self, name, value, state):
        if name in ("needs", "chosen"):
            return {**state, name: self._numbered(name, value)}
        return super()._edited(name, value, state)

    def _compute(self, state):
        return attention_map.remaining(self._needs[i].id for i in state["needs"])

    def _derived(self, state):
        return {"remaining": [row.id for row in self._numbers(state)]}

    def _completed(self, prediction, state):
        choice = self._numbered("chosen", prediction["choice"])
        choice = self._declared.check_field(
            Index(of=len(self._rows)), "prediction choice", choice, state, self._sizes
        )
        row = self._rows[cast(int, choice)]
        met = sum(row.reason(self._needs[i].id).stays for i in self._task)
        return {"met": met, **prediction, "choice": choice}

    def _graded(self, prediction, state):
        return math.floor(prediction["met"] / len(self._task) * 100 + 0.5) / 100

    def _sentence(self, state):
        if not state["revealed"]:
            return f"The verdicts on {len(self._rows)} attentions are hidden: choose one, or skip."
        left, chosen = self._numbers(state), self._rows[state["chosen"]]
        if not state["needs"]:
            return f"No need is picked: all {len(self._rows)} remain. Opened: {chosen.name}."
        names = " and ".join(f"“{self._needs[i].name}”" for i in state["needs"])
        verdict = "stays" if chosen in left else "goes"
        return f"{names}: {len(left)} of {len(self._rows)} remain. Opened: {chosen.name}, which {verdict}."

    def _figure(self):
        left = self._numbers(self.state) if self.state["revealed"] else None
        return drawing(left, height=3.4, foot=0.5)


def drawing(left=None, width: float = 8.6, height: float = 2.6, foot: float = 0.0, size: float = 6.4):
    """The map as a matplotlib figure.

    Parameters
    ----------
    left : list of Row, optional
        What remains: the others are marked as gone. Without it no verdict is drawn.
    width, height, foot : float
        In inches; the foot stays empty.
    size : float
        Of the names, in points.
    """
    from matplotlib.figure import Figure

    askers, reaches = attention_map.askers(), attention_map.reaches()
    cells = {(who.id, reach.id): [] for who in askers for reach in reaches}
    for row in attention_map.rows():
        cells[row.who, row.reach].append(row)
    lines = {one: math.ceil(len(rows) / COLUMNS[one[0]][1]) for one, rows in cells.items()}
    down = [max(lines[who.id, reach.id] for who in askers) + 0.7 for reach in reaches]
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.95 / width, foot / height, 1 - 1 / width, 1 - (foot + 0.2) / height))
    axes.set(xlim=(0, sum(wide for wide, _ in COLUMNS.values())), ylim=(sum(down), 0))
    axes.axis("off")
    x = 0.0
    for who in askers:
        wide, columns = COLUMNS[who.id]
        axes.text(x + wide / 2, -0.25, who.name, ha="center", fontsize=size + 0.6, weight="bold")
        y = 0.0
        for reach, tall in zip(reaches, down, strict=True):
            corners = [x, x + wide, x + wide, x], [y, y, y + tall, y + tall]
            axes.fill(*corners, fc="#f4f6f8", ec="#8a939c", lw=0.7, clip_on=False)
            if not x:
                name = reach.name.removeprefix("meets ").replace(" of ", "\nof ")
                axes.text(
                    -0.1, y + tall / 2, name, ha="right", va="center", fontsize=size + 0.6, weight="bold"
                )
            down_to = lines[who.id, reach.id]
            for i, row in enumerate(cells[who.id, reach.id]):
                at_x = x + 0.05 + wide / columns * (i // down_to)
                at_y = y + tall / 2 + i % down_to - (down_to - 1) / 2
                _write(axes, at_x, at_y, row, None if left is None else row in left, size)
            y += tall
        x += wide
    return figure


# The map's columns as drawn: how wide, and in how many rows of names.
COLUMNS = {"one": (1.55, 1), "two": (1.5, 1), "self": (2.95, 2), "store": (1.6, 1)}


def _write(axes, x: float, y: float, row, stays: bool | None, size: float) -> None:
    """One name on the map; a sign, and not the colour alone, says whether it stays."""
    sign = {None: "", True: "✓ ", False: "✗ "}[stays]
    colour = {None: "#1b1f24", True: "#005a9c", False: "#6f6f6f"}[stays]
    style = "normal" if row.attention else "italic"
    name = f"{sign}{int(row.where.notebook[:2])} · {row.name}"
    axes.text(x, y, name, va="center", fontsize=size, color=colour, style=style)


def _link(place: Place) -> dict[str, str]:
    """A place as the page needs it."""
    return {"label": place.label, "notebook": place.notebook, "anchor": place.anchor}


def plain(text: str) -> str:
    """A formula for a page that sets none: signs for commands, ``_{…}`` and ``^{…}`` for small letters."""
    text = re.sub(r"\\text\{([^{}]*)\}", r"\1", text)
    for command, sign in SIGNS.items():
        text = text.replace(command, sign)
    return re.sub(r"\\sqrt\{((?:[^{}]|\{[^{}]*\})*)\}", r"√(\1)", text)
