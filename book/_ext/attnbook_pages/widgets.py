"""Widgets that live in the published page: stored state without code, one shared script for each class.

A notebook stores every widget with its whole JavaScript, because Jupyter needs it there. A page links one
classic script per class instead, which browsers cache across pages and which also loads from a disk. What
the notebook stored as the widget's picture and sentence stands in its place until the script has drawn it,
and stays where it cannot.
"""

import json
from typing import Any

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from .figures import is_bundle, stored_text
from .paths import WIDGET_SCRIPTS

LOGGER = logging.getLogger(__name__)

# What Jupyter needs and a page does not.
_JUPYTER_ONLY = {"_esm", "_css", "_anywidget_id", "layout", "tabbable", "tooltip"}
_PRIVATE = ("_model_", "_view_", "_dom_")


def class_name(model: dict) -> str | None:
    """`QKVPlayground` for a widget of this book, None for any other kind."""
    identifier = model.get("state", {}).get("_anywidget_id") or ""
    return identifier.rsplit(".", 1)[-1] if identifier.startswith("attnbook.") else None


def page_state(model: dict) -> dict:
    """What the page embeds of one model: its class, its traits, its binary buffers."""
    traits = {
        name: value
        for name, value in model["state"].items()
        if name not in _JUPYTER_ONLY and not name.startswith(_PRIVATE)
    }
    entry = {"class": class_name(model), "state": traits}
    if model.get("buffers"):
        entry["buffers"] = model["buffers"]
    return entry


def stored_models(app: Sphinx, docname: str) -> dict[str, dict]:
    """The models that the notebook of this page stores, by id."""
    files = NbMetadataCollector.get_js_files(app.env, docname)
    _, keywords = files.get("ipywidgets_state", (None, None))
    if keywords is None:
        return {}
    return json.loads(keywords["body"])["state"]


def view_identifier(bundle: nodes.container) -> str | None:
    """The model that this output shows, if it shows one."""
    for part in bundle.children:
        if part.get("mime_type") == WIDGET_VIEW_MIMETYPE:
            source = part.astext()
            content = source[source.index(">") + 1 : source.rindex("<")]
            view = json.loads(content)
            return (json.loads(view) if isinstance(view, str) else view).get("model_id")
    return None


def fallback(bundle: nodes.container) -> list[nodes.Node]:
    """What the notebook stored beside the widget, the richest of them: markup, picture, plain text."""
    parts = {part["mime_type"]: part.children for part in bundle.children}
    for kind in ("text/html", "image/svg+xml", "image/png", "text/plain"):
        if kind in parts:
            return [node.deepcopy() for node in parts[kind]]
    return []


def raw(markup: str) -> nodes.raw:
    """Markup that goes into the page as it is."""
    return nodes.raw("", markup, format="html")


def script_safe(value: Any) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("</", "<\\/")


class Widgets(SphinxPostTransform):
    """Replace each shown widget by a place for it, and put the state of those shown at the page's end."""

    default_priority = 2  # before one kind of output is chosen

    def run(self, **_: object) -> None:
        """Visit every stored output that shows a widget."""
        models = stored_models(self.app, self.env.docname)
        shown: dict[str, dict] = {}
        for bundle in list(self.document.findall(is_bundle)):
            identifier = view_identifier(bundle)
            if identifier is None:
                continue
            model = models.get(identifier)
            name = class_name(model) if model else None
            if model is None:
                LOGGER.warning(
                    "a widget is shown whose state is not stored; execute the notebook again", location=bundle
                )
            if name is None:
                # A slider of ipywidgets needs a kernel: its stored text says what stood there.
                bundle.replace_self(fallback(bundle))
                continue
            if not (WIDGET_SCRIPTS / f"{name}.js").is_file():
                LOGGER.warning(
                    "the widget %s is shown, but widgets/static/book/%s.js is missing; build the bundles",
                    name,
                    name,
                    location=bundle,
                )
            shown[identifier] = page_state(model)
            start = f'<div class="attnbook-widget" data-model="{identifier}" data-class="{name}">'
            stand_in = fallback(bundle)
            for image in (image for node in stand_in for image in node.findall(nodes.image)):
                image["alt"] = stored_text(bundle).removeprefix(f"{name}: ")
            bundle.replace_self([raw(start), *stand_in, raw("</div>")])
        if shown:
            state = f'<script type="application/json" id="attnbook-state">{script_safe(shown)}</script>'
            self.document.append(raw(state))
        classes = {entry["class"] for entry in shown.values()} | {*self.document.get("attnbook_classes", [])}
        self.document["attnbook_classes"] = sorted(classes)


def add_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Link the scripts of the classes that this page shows; the frame links no others."""
    classes = doctree.get("attnbook_classes", []) if doctree is not None else []
    if classes:
        context["attnbook_scripts"] = ["base.js", *(f"{name}.js" for name in classes), "host.js"]


def setup(app: Sphinx) -> None:
    """Register the transform and the scripts."""
    app.add_post_transform(Widgets)
    app.connect("html-page-context", add_scripts, priority=800)
