"""Widgets that are made with content: pictures, texts, sizes that stay as they were."""

from typing import Any

from attnbook.widgets.base import Widget, traitlets


class HasContent(Widget):
    """Base of the widgets whose trait ``content`` holds what they were made with.

    A subclass sets ``_content`` before it calls this class's ``__init__``, and passes it on as ``content``.

    Traits
    ------
    content : dict
        Read-only: an assignment is refused and changes nothing.
    """

    _content: dict[str, Any]

    content = traitlets.Dict(help="What the widget was made with; read-only.").tag(sync=True)

    @traitlets.validate("content")
    def _fixed_content(self, proposal):
        if proposal["value"] != self._content:
            raise traitlets.TraitError("content: expected no assignment; make a new widget.")
        return proposal["value"]
