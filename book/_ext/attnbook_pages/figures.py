"""Figures: numbered captions beneath them, alternative text beside them, their size known before they load.

`attnbook.plots.show` stores a picture whose text output is `Figure: ` and the alternative text, and after it
the caption, whose text output begins with the figure's number.
"""

import re
import struct
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
_MARK = "Figure: "
_NUMBER = re.compile(r"Figure (\d+\.[A-Z]?\d+)\. ")
_SVG_SIZE = re.compile(
    rb'<svg\b[^>]*?\bwidth="([\d.]+)pt"[^>]*?\bheight="([\d.]+)pt"|<svg\b[^>]*?\bheight="([\d.]+)pt"[^>]*?\bwidth="([\d.]+)pt"'
)
_DOTS_A_POINT = 96 / 72


def stored_text(bundle: nodes.container) -> str:
    """The text output of a mime bundle, or the empty string."""
    for part in bundle.children:
        if part.get("mime_type") == "text/plain":
            return part.astext().strip()
    return ""


def is_bundle(node: nodes.Node) -> bool:
    """Whether this is one stored output with its several representations."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def identifier(number: str) -> str:
    """The anchor of a figure: `figure-4-2` for 4.2."""
    return f"figure-{number.replace('.', '-').lower()}"


class Captions(SphinxTransform):
    """Join each picture with the caption stored after it, under an anchor that the text can refer to."""

    default_priority = 500  # before links inside the page are resolved

    def apply(self, **_: object) -> None:
        """Visit every stored caption."""
        for bundle in list(self.document.findall(is_bundle)):
            number = _NUMBER.match(stored_text(bundle))
            place = bundle.parent.index(bundle)
            picture = bundle.parent[place - 1] if place else None
            if not number or picture is None or not is_bundle(picture):
                continue
            name = identifier(number[1])
            figure = nodes.figure(names=[name], ids=[name], classes=["book-figure"])
            figure.source, figure.line = bundle.source, bundle.line
            if name in self.document.ids:
                LOGGER.warning("there is a second figure %s; number it anew", number[1], location=bundle)
            self.document.note_explicit_target(figure)
            parent = bundle.parent
            parent.remove(bundle)
            parent.replace(picture, figure)
            figure += [picture, nodes.caption("", "", *self._words(bundle))]

    @staticmethod
    def _words(bundle: nodes.container) -> list[nodes.Node]:
        """The words of the caption, set as Markdown."""
        for part in bundle.children:
            if part.get("mime_type") == "text/markdown":
                return [word for paragraph in part.findall(nodes.paragraph) for word in paragraph.children]
        return [nodes.Text(stored_text(bundle))]


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


def size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture in dots of the page, or None where its file does not say."""
    head = path.read_bytes()[:2000]
    if head.startswith(b"\x89PNG"):
        return struct.unpack(">II", head[16:24])
    found = _SVG_SIZE.search(head)
    if found is None:
        return None
    width, height, other_height, other_width = found.groups()
    return tuple(
        round(float(value) * _DOTS_A_POINT) for value in (width or other_width, height or other_height)
    )


class Sizes(SphinxPostTransform):
    """Write the size of each picture into the page, so that nothing moves when it arrives."""

    default_priority = 6  # when one kind of each output is left
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Visit every picture that is a file."""
        for image in self.document.findall(nodes.image):
            path = Path(self.env.srcdir) / image["uri"]
            if "width" in image or "height" in image or "://" in image["uri"] or not path.is_file():
                continue
            found = size(path)
            if found is not None:
                image["width"], image["height"] = map(str, found)


def setup(app: Sphinx) -> None:
    """Register the transforms."""
    app.add_transform(Captions)
    app.add_post_transform(AlternativeText)
    app.add_post_transform(Sizes)
