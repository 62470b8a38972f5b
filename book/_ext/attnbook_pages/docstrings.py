"""A docstring as nodes of a page: paragraphs, lists, blocks of code; in a line, code and addresses."""

import re
import textwrap

from docutils import nodes

INLINE = re.compile(
    r"``(?P<code>.+?)``|:\w+:`~?(?P<role>[^`]+)`|`(?P<tick>[^`]+)`"
    r"|(?<![\w*])\*(?P<emphasis>\w[^*]*)\*(?![\w*])"
    r"|(?P<url>https?://[^\s)>,;]*[\w/])"
)
BULLET = re.compile(r"(?m)^- ")


def inline(text: str) -> list[nodes.Node]:
    """One paragraph's text, its line breaks as spaces."""
    text = " ".join(text.split())
    found, at = [], 0
    for match in INLINE.finditer(text):
        found.append(nodes.Text(text[at : match.start()]))
        at = match.end()
        if url := match["url"]:
            found.append(nodes.reference("", url, refuri=url))
        elif emphasis := match["emphasis"]:
            found.append(nodes.emphasis("", emphasis))
        else:
            code = match["code"] or match["role"] or match["tick"]
            found.append(nodes.literal("", code))
    return [node for node in (*found, nodes.Text(text[at:])) if node.astext()]


def paragraphs(text: str) -> list[nodes.Node]:
    """Blocks between empty lines: indented ones and those of a session are code, "- " begins an item."""
    found: list[nodes.Node] = []
    for block in re.split(r"\n\s*\n", textwrap.dedent(text).strip("\n")):
        if not block.strip():
            continue
        if block.startswith((" ", ">>>")):
            code = textwrap.dedent(block)  # a session, or a formula as the paper prints it
            language = "python" if code.startswith(">>>") else "text"
            found.append(nodes.literal_block(code, code, language=language))
            continue
        introduction, *items = BULLET.split(block)
        if introduction.strip():
            found.append(nodes.paragraph("", "", *inline(introduction)))
        if items:
            listed = [nodes.list_item("", nodes.paragraph("", "", *inline(item))) for item in items]
            found.append(nodes.bullet_list("", *listed))
    return found
