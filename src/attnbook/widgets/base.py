"""What all widgets of the book share: their traits, their checks, their stand-in where scripts do not run.

A widget's state is one JSON object, the trait ``state``. The names that a reader uses (``w.query``,
``w.weights``) are :class:`Mirror` traits: reading one reads the state, assigning one checks and replaces
the state, so a bad value raises and changes nothing, and only one object travels between page and kernel.
"""

import base64
import hashlib
import io
import itertools
import re
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import Layout
from ipywidgets.widgets.trait_types import InstanceDict
from ipywidgets.widgets.widget import widget_serialization

from attnbook.widgets import values
from attnbook.widgets.state import Record, State

STATIC = Path(__file__).parent / "static"

# One count a class, from 1 at kernel start: a notebook that runs twice from the top names its widgets alike.
_counts: defaultdict[str, itertools.count] = defaultdict(lambda: itertools.count(1))


def bundle(name: str) -> str:
    """The text of a shipped bundle in ``static/``.

    Raises
    ------
    FileNotFoundError
        If the file is missing, with the command that writes it.
    """
    path = STATIC / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: this bundle is missing; run `npm install && npm run build` in {STATIC.parent / 'js'}."
        )
    return path.read_text(encoding="utf-8")


class Mirror(traitlets.TraitType):
    """A trait that shows one part of ``state`` (or a number derived from it).

    Assigning to it goes through ``state`` and its checks. A derived mirror (``derived=True``) is read-only.
    """

    def __init__(self, help: str = "", *, derived: bool = False):
        super().__init__(default_value=None, allow_none=True, help=help)
        self.derived = derived

    def set(self, obj, value):
        if self.derived:
            raise traitlets.TraitError(
                f"{self.name}: expected no assignment, since it is computed: {self.help}"
            )
        else:
            try:
                edited = obj._edited(self.name, value, obj.state)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
            obj.state = edited


class Widget(anywidget.AnyWidget):
    """Base of every widget of the book.

    Traits
    ------
    state : dict
        All that the reader can change, with a ``version``. In the published page it also stands in the
        address, so that any view can be shared.
    summary : str
        One sentence on what is shown, which screen readers speak.
    challenge : str
        What the reader is asked to try.
    prediction, score
        The reader's guess and how good it was, from 0 to 1; None until there is one.
    theme : str
        ``"auto"`` (follow the page), ``"light"`` or ``"dark"``.

    Notes
    -----
    Where scripts do not run (a repository's preview, PDF), a figure (``image/png``, or ``text/html`` for a
    quiz) and one sentence (``text/plain``) stand in the widget's place: both travel in the same output as
    the live view. They tell what the reader may see: while an outcome waits for a prediction, neither does.
    """

    _esm = "export default {}"
    _version = 1

    state = traitlets.Dict().tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    challenge = traitlets.Unicode("").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    widget_id = traitlets.Unicode(
        "", help="Class and order or name: names this widget in a shared link."
    ).tag(sync=True)
    prediction = Mirror("what the reader expected")
    score = Mirror("how good the prediction was, from 0 to 1", derived=True)
    declaration = traitlets.Dict(help="What a state may hold: the page checks it from this too.").tag(
        sync=True
    )

    # ipywidgets would save a Layout model beside each widget; none is made until it is asked for.
    layout = InstanceDict(Layout, allow_none=True, default_value=None).tag(sync=True, **widget_serialization)

    def __init__(
        self,
        state: dict,
        *,
        challenge: str = "",
        theme: str = "auto",
        address: str | None = None,
        **traits,
    ):
        name = type(self).__name__
        if address is not None and not (isinstance(address, str) and re.fullmatch(r"[\w.-]+", address)):
            raise ValueError(f'name: expected letters, digits, "-", "_" and ".", got {address!r}.')
        if not isinstance(challenge, str):
            raise TypeError(f"challenge: expected a string, got {challenge!r}.")
        self._declared = self._declare()
        self._last_numbers: tuple[dict | None, Any] = (None, None)
        # The constructor speaks ValueError, as every function of the package does.
        self._accepted = self._check({"version": self._version, **state})
        order = f"{name}-{next(_counts[name])}"
        super().__init__(
            widget_id=f"{name}-{address}" if address else order,
            state=self._accepted,
            declaration=self._declared.exported(),
            challenge=challenge,
            theme=theme,
            model_id=hashlib.sha256(f"attnbook {order}".encode()).hexdigest()[:32],
            **traits,
        )

    # --- What a widget class defines --------------------------------------------------------------------

    def _declare(self) -> State:
        """The parts of the state; ``js/`` checks what the page is given from the same declaration."""
        raise NotImplementedError

    def _sizes(self, state: dict) -> dict:
        """Sizes that the declaration names and that are no part of the state, from what is checked so far."""
        return {}

    def _agree(self, state: dict) -> None:
        """Raise ``ValueError`` where parts that are right by themselves do not fit together."""

    def _compute(self, state: dict):
        """The numbers of this state, by :mod:`attnbook.nn` in float64. Asked once a state: see `_numbers`."""
        raise NotImplementedError

    def _derived(self, state: dict) -> dict:
        """The values of the mirrors that are computed and not a part of the state."""
        return {}

    def _edited(self, name: str, value, state: dict) -> dict:
        """``state`` after ``name`` was assigned ``value``."""
        return {**state, name: value}

    def _sentence(self, state: dict) -> str:
        """What is in view, in one sentence; what waits for the reader's prediction is not told."""
        raise NotImplementedError

    def _figure(self):
        """A matplotlib figure of what is in view, which stands in the widget's place, or None."""
        return None

    # --- What follows from it -----------------------------------------------------------------------------

    def _check(self, state: dict) -> dict:
        """The state in its one normal form, or ``ValueError`` with a sentence that says what is wrong."""
        checked = {"version": self._version, **self._declared.check(state, self._sizes)}
        self._agree(checked)
        return checked

    def _numbers(self, state: dict):
        """What `_compute` makes of this state, kept until it is asked for another one."""
        known, numbers = self._last_numbers
        if known is not state:
            numbers = self._compute(state)
            self._last_numbers = state, numbers
        return numbers

    def _mirrors(self, state: dict) -> dict:
        """The value of every mirror for this state."""
        traits = self.traits()
        parts = {name: part for name, part in state.items() if isinstance(traits.get(name), Mirror)}
        return {**parts, **self._derived(state)}

    def assign(self, **parts) -> None:
        """Assign several parts at once, where one alone would not fit the others.

        Parameters
        ----------
        **parts
            Names of this widget's traits that may be set, with their new values:
            ``w.assign(query=[1, 0, 2], key=torch.eye(3), value=torch.eye(3))``.

        Raises
        ------
        traitlets.TraitError
            If a name or a value is wrong; nothing is changed then.
        """
        state = dict(self.state)
        for name, value in parts.items():
            trait = self.traits().get(name)
            if not isinstance(trait, Mirror) or trait.derived:
                raise traitlets.TraitError(
                    f"{name}: expected a trait of {type(self).__name__} that may be set."
                )
            try:
                state = self._edited(name, value, state)
            except ValueError as error:
                raise traitlets.TraitError(str(error)) from None
        self.state = state

    # --- What they share ----------------------------------------------------------------------------------

    @traitlets.validate("state")
    def _valid_state(self, proposal):
        state = proposal["value"]
        if state is self._accepted:
            return state
        try:
            if state.get("version") != self._version:
                raise ValueError(
                    f"state: expected version {self._version}, got {state.get('version')!r}; "
                    "make the widget anew and assign its traits."
                )
            self._accepted = self._check(state)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return self._accepted

    @traitlets.validate("declaration")
    def _fixed_declaration(self, proposal):
        if proposal["value"] != self._declared.exported():
            raise traitlets.TraitError("declaration: expected no assignment; it belongs to the class.")
        return proposal["value"]

    @traitlets.observe("state")
    def _spread(self, change):
        # Straight into the store: assigning a mirror would edit the state. Observers hear once all stand.
        new = self._mirrors(self.state)
        old = {name: self._trait_values.get(name) for name in new}
        self._trait_values.update(new)
        self.summary = self._sentence(self.state)
        for name, value in new.items():
            if value != old[name]:
                self._notify_trait(name, old[name], value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self._sentence(self.state)}"

    def _static(self) -> tuple[dict, dict]:
        """MIME data and metadata of the stand-in."""
        figure = self._figure()
        if figure is None:
            return {}, {}
        sentence = self._sentence(self.state)
        per_line = int(14 * figure.get_figwidth())  # letters of this size in an inch
        figure.text(0.01, 0.01, textwrap.fill(sentence, per_line), fontsize=8, va="bottom")
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=80, metadata={"Software": None})
        return {"image/png": base64.b64encode(out.getvalue()).decode()}, {"image/png": {"alt": sentence}}

    def _repr_mimebundle_(self, **kwargs):
        view = super()._repr_mimebundle_(**kwargs)
        if view is None:
            return None
        data, metadata = view if isinstance(view, tuple) else (view, {})
        static, static_metadata = self._static()
        return {**data, "text/plain": repr(self), **static}, {**metadata, **static_metadata}


class PredictFirst(Widget):
    """Base of the widgets whose outcome stays hidden until the reader predicts it or skips.

    Attributes
    ----------
    revealed : bool
        Whether the outcome is in view. A prediction shows it; ``prediction = None`` hides it again.
    """

    revealed = Mirror("whether the outcome is in view")

    @staticmethod
    def _unpredicted(predict) -> dict:
        """What a first state holds of the prediction, from the constructor's ``predict``."""
        if not isinstance(predict, bool):
            raise ValueError(f"predict: expected True or False, got {predict!r}.")
        return {"prediction": None, "revealed": not predict, "score": None}

    # --- What a widget class defines --------------------------------------------------------------------

    def _options(self, state: dict) -> list[str]:
        """The words among which the reader chooses."""
        raise NotImplementedError

    def _outcome(self, state: dict) -> tuple[int | None, float]:
        """The index of the right word (None where only a share is asked), and its share."""
        raise NotImplementedError

    def _completed(self, prediction: dict, state: dict) -> dict:
        """The reader's guess beside what came out when it was made.

        What the page sends holds both: what came out then stays, whatever is shown by now.
        """
        words = self._options(state)
        choice = prediction.get("choice")
        if isinstance(choice, str) and choice in words:
            choice = words.index(choice)
        if type(choice) is not int or not 0 <= choice < len(words):
            raise ValueError(f"prediction: expected a choice among {words!r} or its index, got {choice!r}.")
        made = {**prediction, "choice": choice}
        if not {"answer", "actual"} <= set(prediction):
            made["answer"], made["actual"] = self._outcome(state)
        return made

    def _part(self, name: str, prediction: dict, state: dict):
        """One part of a guess, checked: what the outcome is worked out from."""
        field = self._declared.parts["prediction"].parts[name]
        return self._declared.check_field(
            field, f"prediction {name}", prediction.get(name), state, self._sizes
        )

    def _graded(self, prediction: dict, state: dict) -> float | None:
        """How good a completed guess was, from 0 to 1."""
        return values.grade(prediction)

    # --- What follows from it -----------------------------------------------------------------------------

    def _check(self, state):
        prediction = state.get("prediction")
        checked = super()._check({**state, "prediction": None, "score": None})
        if prediction is not None:
            field = self._declared.parts["prediction"]
            if isinstance(field, Record):
                field.asked("prediction", prediction)
            completed = self._completed(prediction, checked)
            self._declared.check_part("prediction", completed, checked, self._sizes)
            checked["revealed"] = True
            checked["score"] = self._graded(checked["prediction"], checked)
        return checked

    def _edited(self, name: str, value, state: dict) -> dict:
        if name == "prediction" and value is None:
            return {**state, "prediction": None, "revealed": False}
        return {**state, name: value}
