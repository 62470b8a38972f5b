"""AttentionBudget: the sizes of a language model, and what its attention keeps, moves and computes."""

from collections.abc import Mapping
from dataclasses import asdict

from attnbook.analysis import budget, model_shapes
from attnbook.analysis.budget import KINDS, THINNER, Shape
from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.state import Choice, Integer, Number, Record, State, Text, hidden_outcome

MOST_LAYERS = 128
MOST_TOKENS = 2**20
NONE_FITS = "none of them"
ANSWERS = (*THINNER, NONE_FITS)

# The most that each size may be, and whether it may be 0.
_SIZES = {
    "n_layers": (1, MOST_LAYERS),
    "n_heads": (1, 256),
    "n_kv_heads": (1, 256),
    "head_size": (1, 1024),
    "latent": (0, 4096),
    "rotary": (0, 1024),
    "window": (1, MOST_TOKENS),
    "chosen": (1, MOST_TOKENS),
    "index_heads": (0, 256),
    "index_size": (0, 1024),
    "state": (0, 2**24),
    "full_kv_heads": (0, 256),
    "full_head_size": (0, 1024),
    "bits": (1, 32),
}


class AttentionBudget(PredictFirst):
    """The cache, the operations, the bytes moved and the receptive field of a model's attention.

    The reader predicts with which pattern of layers the cache fits into a given memory, then chooses a model
    or its sizes, the pattern, the precision and the length. Bars show what each layer keeps, tables what
    follows for the newest token.

    Parameters
    ----------
    model : str or attnbook.analysis.budget.Shape
        A name of :data:`attnbook.analysis.model_shapes.MODELS`, or sizes of your own.
    length : int
        Tokens of the text, from 1 to 2²⁰.
    memory : float
        Gigabytes (10⁹ bytes) for the cache, from 0.1 to 10,000.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Attributes
    ----------
    shape : dict
        The sizes; takes a ``Shape`` too.
    cache_bytes, traffic_bytes : float, read-only
        What all layers keep, and what they move for the newest token.
    operations, prompt_operations : int, read-only
        Scores and weighted sums for the newest token, and for a prompt of ``length`` tokens.
    receptive_field : int, read-only
        Tokens that can change what is said of the newest one.
    prediction : dict or None
        ``{"choice": name}``, one of :data:`ANSWERS`: the first of these patterns whose cache fits; once made
        also ``"answer"``.
    score : float or None
        1 for the right pattern, 0.2 less for each step beside it.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.

    Notes
    -----
    All numbers are those of :mod:`attnbook.analysis.budget`: one text, without the model's weights,
    projections and feed-forward layers.
    """

    _esm = bundle("AttentionBudget.js")
    _css = bundle("AttentionBudget.css")

    named = traitlets.Dict(help="The sizes of the named models; read-only.").tag(sync=True)
    shape = Mirror("the sizes of the model")
    length = Mirror("tokens of the text")
    memory = Mirror("gigabytes for the cache")
    cache_bytes = Mirror("bytes that all layers keep; set shape or length", derived=True)
    operations = Mirror("operations for the newest token; set shape or length", derived=True)
    prompt_operations = Mirror("operations for the whole text; set shape or length", derived=True)
    traffic_bytes = Mirror("bytes moved for the newest token; set shape or length", derived=True)
    receptive_field = Mirror("tokens that reach the newest one; set shape or length", derived=True)

    def __init__(
        self,
        model="Gemma 3 27B",
        *,
        length=131_072,
        memory=24,
        challenge="",
        predict=True,
        theme="auto",
    ):
        if isinstance(model, str):
            try:
                model = model_shapes.named(model).shape
            except ValueError as error:
                raise ValueError(f"model{str(error).removeprefix('name')}.") from None
        elif not isinstance(model, Shape):
            raise ValueError(f"model: expected a name or a budget.Shape, got {model!r}.")
        self._known = {one.name: asdict(one.shape) for one in model_shapes.MODELS}
        state = {"shape": model, "length": length, "memory": memory, **self._unpredicted(predict)}
        super().__init__(state, challenge=challenge, theme=theme, named=self._known)

    @traitlets.validate("named")
    def _fixed_named(self, proposal):
        if proposal["value"] != self._known:
            raise traitlets.TraitError("named: expected no assignment; they belong to the book.")
        return proposal["value"]

    def _declare(self):
        sizes = {name: Integer(low=low, high=high) for name, (low, high) in _SIZES.items()}
        return State(
            shape=Record(
                parts={**sizes, "pattern": Text(most=MOST_LAYERS)},
                wanted="a budget.Shape or its sizes as a dict",
            ),
            length=Integer(low=1, high=MOST_TOKENS),
            memory=Number(low=0.1, high=10_000),
            **hidden_outcome(
                Record(
                    optional=True,
                    asked_of_reader=("choice",),
                    wanted=f'{{"choice": {" or ".join(map(repr, ANSWERS))}}}',
                    parts={"choice": Choice(options=ANSWERS), "answer": Choice(options=ANSWERS)},
                )
            ),
        )

    def _check(self, state):
        shape = state.get("shape")
        return super()._check({**state, "shape": asdict(shape) if isinstance(shape, Shape) else shape})

    def _agree(self, state):
        try:
            Shape(**state["shape"])
        except ValueError as error:
            raise ValueError(f"shape {error}.") from None

    def _compute(self, state):
        shape, length = Shape(**state["shape"]), state["length"]
        return {
            "cache": budget.cache_bytes(shape, length),
            "operations": budget.operations(shape, length),
            "prompt": budget.prompt_operations(shape, length),
            "traffic": budget.traffic_bytes(shape, length),
            "reach": budget.receptive_field(shape, length),
            "patterns": budget.pattern_sizes(shape, length),
        }

    def _derived(self, state):
        numbers = self._numbers(state)
        return {
            "cache_bytes": numbers["cache"],
            "operations": numbers["operations"],
            "prompt_operations": numbers["prompt"],
            "traffic_bytes": numbers["traffic"],
            "receptive_field": numbers["reach"],
        }

    def _completed(self, prediction, state):
        fitting = budget.fullest_that_fits(Shape(**state["shape"]), state["length"], state["memory"] * 1e9)
        return {"answer": fitting or NONE_FITS, **prediction}

    def _graded(self, prediction, state):
        apart = abs(ANSWERS.index(prediction["choice"]) - ANSWERS.index(prediction["answer"]))
        return (5 - apart) / 5

    def _name(self, state):
        """The named model that has these sizes at any precision, or "Your own sizes"."""
        return name_of(state["shape"], self._known)

    def _sentence(self, state):
        tokens = values.count_of(state["length"], "token", f"{state['length']:,}")
        text = f"{self._name(state)}, {tokens} at {values.count_of(state['shape']['bits'], 'bit')}"
        if not state["revealed"]:
            return f"{text}: what its cache takes is hidden; predict which pattern fits, or skip."
        numbers = self._numbers(state)
        reach = values.count_of(numbers["reach"], "token", f"{numbers['reach']:,}")
        fits = "fits" if numbers["cache"] <= state["memory"] * 1e9 else "does not fit"
        return (
            f"{text}: a cache of {in_bytes(numbers['cache'])}, which {fits} in "
            f"{gigabytes(state['memory'])} GB; the newest token takes {in_words(numbers['operations'])} "
            f"operations and moves {in_bytes(numbers['traffic'])}; {reach} can change it."
        )

    def _figure(self):
        from matplotlib.figure import Figure

        state = self.state
        shape, shown = Shape(**state["shape"]), state["revealed"]
        figure = Figure(figsize=(6.8, 3.1))
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        styles = {"F": ("#005a9c", None), "W": ("white", None), "C": ("white", "//"), "L": ("#c8dcec", "..")}
        for kind, (colour, hatch) in styles.items():
            places = [place + 1 for place, one in enumerate(shape.layers) if one == kind]
            size = budget.layer_cache(shape, kind, state["length"]) / 1e9 if shown else 1.0
            if places:
                left.bar(places, size, color=colour, hatch=hatch, edgecolor="#005a9c", label=KINDS[kind])
        left.set_xlabel("layer", fontsize=9)
        left.set_title(
            "what each layer keeps (GB)" if shown else "what each layer keeps: hidden", fontsize=10
        )
        left.set_yticks([] if not shown else left.get_yticks())
        left.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(-0.05, -0.3), ncols=2)
        names = list(THINNER)
        if shown:
            right.barh(
                names, [size / 1e9 for size in self._numbers(state)["patterns"].values()], color="#005a9c"
            )
            right.axvline(state["memory"], color="#a33f00", linestyle="--", linewidth=1)
        else:
            right.set_yticks(range(len(names)), names)
            right.set_xticks([])
        right.invert_yaxis()
        right.tick_params(labelsize=8)
        left.tick_params(labelsize=8)
        right.set_title("with other patterns (GB)", fontsize=10)
        figure.subplots_adjust(left=0.07, right=0.98, top=0.9, bottom=0.4, wspace=0.55)
        return figure


def name_of(shape: Mapping, models: Mapping) -> str:
    """The model among ``models`` that has these sizes, whatever its bits; "Your own sizes" if none has."""
    for name, sizes in models.items():
        if {**shape, "bits": 0} == {**sizes, "bits": 0}:
            return name
    return "Your own sizes"


def in_bytes(count: float) -> str:
    """Bytes as a reader says them: 11.2 GB, with 1 GB = 10⁹ bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{values.fixed(count, 1)} {unit}"
        count /= 1000
    return f"{values.fixed(count, 1)} TB"


def in_words(count: float) -> str:
    """A count of operations as a reader says it: 22.3 billion."""
    for unit in ("", " thousand", " million", " billion", " trillion"):
        if count < 1000:
            return f"{values.fixed(count, 1)}{unit}"
        count /= 1000
    return f"{values.fixed(count, 1)} quadrillion"


def gigabytes(memory: float) -> str:
    """The memory without a needless decimal: 24, or 0.5."""
    return f"{memory:g}"
