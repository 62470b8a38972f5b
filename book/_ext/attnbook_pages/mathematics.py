"""Mathematics as MathML, made by Temml at build time: no script in the page, and a slip stops the build."""

import re
from html import escape, unescape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from .fonts import MATHEMATICS
from .node import Conversation
from .packages import npm_file
from .paths import ASSETS
from .speech import spoken

LOGGER = logging.getLogger(__name__)
_TAG = re.compile(r"<[^>]*>")
# A formula within a line, and what touches it: a bracket before, a full stop or a "-th" behind.
_TOUCHED = re.compile(r'(\(*)<span class="math">(<math\b.*?</math>)</span>([^\s<]*)', re.DOTALL)


class Typesetter:
    """Turns TeX into MathML; one Node process serves a whole build."""

    def __init__(self) -> None:
        self._conversation: Conversation | None = None
        self._done: dict[tuple[str, bool], str] = {}

    def mathml(self, tex: str, display: bool, location: nodes.Node) -> str:
        """The formula as markup; a formula that cannot be set is reported at its place in the source."""
        key = (tex, display)
        if key not in self._done:
            if self._conversation is None:
                temml = npm_file("temml/dist/temml.cjs")
                self._conversation = Conversation(ASSETS / "temml_server.cjs", str(temml))
            answer = self._conversation.ask({"tex": tex, "display": display})
            if "error" in answer:
                LOGGER.warning("the formula %r cannot be set: %s", tex, answer["error"], location=location)
                return f"<code>{escape(tex)}</code>"
            self._done[key] = spoken(answer["mathml"])
            self._check_characters(tex, self._done[key], location)
        return self._done[key]

    @staticmethod
    def _check_characters(tex: str, mathml: str, location: nodes.Node) -> None:
        """A character that our font subset lacks would be drawn in another font, or not at all."""
        text = unescape(_TAG.sub("", mathml))
        missing = sorted({character for character in text if ord(character) not in MATHEMATICS})
        if missing:
            names = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing)
            LOGGER.warning(
                "the formula %r needs %s, which its font's subset lacks; add it to MATHEMATICS in fonts.py",
                tex,
                names,
                location=location,
            )

    def close(self, *_: object) -> None:
        """End the Node process, if one was started."""
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None


TYPESETTER = Typesetter()


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Formula within a line."""
    translator.body.append(f'<span class="math">{TYPESETTER.mathml(node.astext(), False, node)}</span>')
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Formula on lines of its own, with its number where the source gives it a label."""
    translator.body.append(translator.starttag(node, "div", CLASS="math-block"))
    translator.body.append(TYPESETTER.mathml(node.astext(), True, node))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def glued(markup: str) -> str:
    """Markup in which what touches a formula is kept on its line.

    A browser may break a line before and behind each formula, so a full stop stood alone on the next one. In
    ``.math`` the style sheets let no line end.
    """
    return _TOUCHED.sub(r'<span class="math">\1\2\3</span>', markup)


def glue(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Glue the body of one page."""
    if context.get("body"):
        context["body"] = glued(context["body"])


def setup(app: Sphinx) -> None:
    """Register the renderer under the name that _config.yml asks for."""
    app.add_html_math_renderer("temml", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", glue, priority=855)
    app.connect("build-finished", TYPESETTER.close)
