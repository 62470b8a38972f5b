"""Figures carry the alternative text that `attnbook.plots.show` stored beside them."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
_MARK = "Figure: "


def stored_text(bundle: nodes.container) -> str:
    """The text output of a mime bundle, or the empty string."""
    for part in bundle.children:
        if part.get("mime_type") == "text/plain":
            return part.astext().strip()
    return ""


def is_bundle(node: nodes.Node) -> bool:
    """Whether this is one stored output with its several representations."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


class AlternativeText(SphinxPostTransform):
    """Give each stored image its alternative text, before the notebook reader drops the text output."""

    default_priority = 3

    def run(self, **_: object) -> None:
        """Visit every stored output of the page."""
        for bundle in list(self.document.findall(is_bundle)):
            images = [image for part in bundle.children for image in part.findall(nodes.image)]
            if not images:
                continue
            text = stored_text(bundle)
            for image in images:
                if text.startswith(_MARK):
                    image["alt"] = text.removeprefix(_MARK)
                else:
                    LOGGER.warning(
                        'a figure has no alternative text; show it with attnbook.plots.show(figure, alt="…")',
                        location=bundle,
                    )


def setup(app) -> None:
    """Register the transform."""
    app.add_post_transform(AlternativeText)
