"""What the writers of HTML upstream of us get wrong for screen readers, mended in the text of each page."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# A head cell without words is no head; a cell without words is fine.
_EMPTY_HEAD = re.compile(r'<th class="head[^"]*">\s*(?:<p>\s*</p>)?\s*</th>')
# ARIA has withdrawn this role; what stands in a list is an item of it.
_WITHDRAWN_ROLE = ' role="doc-biblioentry"'
# The handle of folded code is to be called by the words that stand on it.
_OTHER_NAME = ' aria-label="Toggle hidden content"'


def mend(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend the body of one page."""
    if context.get("body"):
        body = _EMPTY_HEAD.sub("<td></td>", context["body"])
        context["body"] = body.replace(_WITHDRAWN_ROLE, ' role="listitem"').replace(_OTHER_NAME, "")


def setup(app: Sphinx) -> None:
    """Run when the page's own text is ready."""
    app.connect("html-page-context", mend, priority=850)
