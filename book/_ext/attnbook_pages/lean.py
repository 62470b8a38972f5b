"""The body of a page without what no reader needs; pictures load when the reader comes near them."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# What the writers upstream add to elements for their own stylesheets.
_NEEDLESS = (
    (re.compile(r' docutils container"'), '"'),
    (re.compile(r'<code class="docutils literal notranslate">(.*?)</code>', re.DOTALL), None),
    (re.compile(r' class="reference (?:internal|external)"'), ""),
    (re.compile(r"<pre><span></span>"), "<pre>"),
    # The only paragraph of a cell: of 30,000 cells of results it was a fifth of the page.
    (re.compile(r"(<t[dh]\b[^>]*>)<p>((?:(?!<p\b|</p>).)*)</p>\s*(?=</t[dh]>)", re.DOTALL), r"\1\2"),
    (re.compile(r'<tr class="row-(?:odd|even)">'), "<tr>"),
    (re.compile(r"\n{2,}(?=<)"), "\n"),
    # As attributes they are a ratio that a narrow screen keeps.
    (re.compile(r' style="width: ([\d.]+)px; height: ([\d.]+)px;?"'), r' width="\1" height="\2"'),
)
_PRE = re.compile(r'<span class="pre">(.*?)</span>', re.DOTALL)
_IMAGE = re.compile(r"<img (?![^>]*\bloading=)")


def _code(match: re.Match) -> str:
    """Code within a line, its words not wrapped one by one."""
    return "<code>" + _PRE.sub(r"\1", match[1]) + "</code>"


def trim(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Trim the body of one page; its first picture may stand on the first screen and is not put off."""
    if not context.get("body"):
        return
    body = context["body"]
    for pattern, instead in _NEEDLESS:
        body = pattern.sub(_code if instead is None else instead, body)
    before, image, after = body.partition("<img ")
    context["body"] = before + image + _IMAGE.sub('<img loading="lazy" ', after)


def setup(app: Sphinx) -> None:
    """Run after the body is mended."""
    app.connect("html-page-context", trim, priority=860)
