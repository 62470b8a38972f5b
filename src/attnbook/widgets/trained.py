"""Widgets whose page runs trained models: which ones, and their files for a page with a kernel."""

from collections.abc import Sequence
from typing import Any

from attnbook.widgets.base import Widget, traitlets


class RunsModels(Widget):
    """Base of the widgets whose JavaScript runs models that ship with the book.

    Parameters
    ----------
    state : dict
    models : sequence of str
        Names of shipped models (``attnbook.models.names()``) that the page may ask for.
    **options
        As of :class:`~attnbook.widgets.base.Widget`.

    Notes
    -----
    A model's file travels when a reader first asks for it, and is no part of the notebook: with a kernel it
    is the answer to a message; the published page has it beside it, put there by the book's build, which
    reads the trait ``models``. ``js/lib/model_weights.js`` is the other side.

    Raises
    ------
    ValueError
        If a model of such a name does not ship.
    """

    models = traitlets.List(traitlets.Unicode(), help="Trained models that the page runs; read-only.").tag(
        sync=True
    )

    def __init__(self, state: dict, *, models: Sequence[str] = (), **options):
        self._models = _shipped(models)
        super().__init__(state, models=list(self._models), **options)
        self.on_msg(self._asked_for_a_model)

    @traitlets.validate("models")
    def _fixed_models(self, proposal):
        if tuple(proposal["value"]) != self._models:
            raise traitlets.TraitError("models: expected no assignment; make a new widget.")
        return proposal["value"]

    def _asked_for_a_model(self, _, content, buffers) -> None:
        """The page asks for a model's file: the answer holds it, or a sentence that says why not."""
        if not isinstance(content, dict) or content.get("type") != "model":
            return
        from attnbook.models import content as file_of

        name = content.get("name")
        answer = {"type": "model", "name": name}
        if name not in self._models:
            self.send({**answer, "fault": f"this widget runs no model {name!r}"})
            return
        try:
            self.send(answer, buffers=[file_of(name)])
        except ValueError as error:
            self.send({**answer, "fault": str(error)})


def _shipped(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each checked."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ValueError(f"models: expected a list of names, got {names!r}.")
    if names:  # most widgets run none, and need not wait for torch
        from attnbook.models import names as all_names

        unknown = [name for name in names if name not in all_names()]
        if unknown:
            raise ValueError(f"models: expected names among {all_names()}, got {unknown[0]!r}.")
    return tuple(names)


def loaded(name: str, architecture: str) -> Any:
    """The shipped model of this name and architecture, an ``attnbook.models.TrainedModel`` in float64.

    Raises
    ------
    ValueError
        If no such model ships, or it is of another architecture.
    """
    from attnbook import models

    if name not in models.names():
        raise ValueError(f"model: expected one of {models.names()}, got {name!r}.")
    trained = models.load(name)
    if trained.architecture != architecture:
        raise ValueError(f"model: expected a {architecture}, and {name!r} is a {trained.architecture}.")
    trained.model.double().eval()
    return trained


def number_of(word: str, vocabulary: Any) -> int:
    """The number of a word as it is typed, in small letters or with a capital; else that of <unk>."""
    forms = (word, word.lower(), word.lower().capitalize())
    return next((vocabulary.numbers[form] for form in forms if form in vocabulary), vocabulary.unk)
