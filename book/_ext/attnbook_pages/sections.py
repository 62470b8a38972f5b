"""What a search can find: every section of every page with its title, its words, its code and its formulas.

Gathered when a page is read, and kept with what Sphinx keeps of the page, so that an unchanged page is not
looked at again.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .cells import TEST_MARK, is_cell, tags

# Nobody searches for imports, and the code of a quiz holds its answers.
NOT_SEARCHED = {"setup", "quiz"}

_FACE = re.compile(
    r"\\(?:mathrm|mathbf|mathit|mathsf|mathbb|mathcal|boldsymbol|text|textbf|operatorname\*?)\s*\{([^{}]*)\}"
)
_SUBSCRIPT = re.compile(r"_\s*\{\s*([\w,\s]*?)\s*\}")
_LAYOUT = re.compile(
    r"\\(?:left|right|top|intercal|quad|qquad|begin|end|aligned|cdot|cdots|dots|ldots|big|Big|bigl|bigr|Bigl|Bigr"
    r"|displaystyle|frac|tfrac|dfrac|hat|bar|tilde|vec|underbrace|overbrace|in|times|to|le|ge|ne|approx|tag)\b"
)
_CAPITALS = re.compile(r"\b([A-Z])\b\W*(?=([A-Z])\b)")


def formula_words(tex: str) -> str:
    r"""A formula as a reader would type it: functions, symbols with their indices, products of capitals.

    >>> formula_words(r"\mathrm{softmax}\!\left(\frac{Q K^{\top}}{\sqrt{d_k}}\right) V")
    'softmax Q K sqrt square root d_k V QK'
    >>> formula_words(r"W_{Q} + d_\text{model}")
    'W_Q d_model'
    """
    text = _FACE.sub(r"\1", tex)
    text = _SUBSCRIPT.sub(lambda match: "_" + re.sub(r"\W+", "", match[1]), text)
    text = _LAYOUT.sub(" ", text)
    # A root is asked for by its name in code and by its name in a sentence.
    text = re.sub(r"\\sqrt\b", " sqrt square root ", text)
    words = re.findall(r"[^\W_](?:\w*[^\W_])?", re.sub(r"\\([A-Za-z]+)", r" \1 ", text))
    pairs = [first + second for first, second in _CAPITALS.findall(" ".join(words))]
    return " ".join(dict.fromkeys([*words, *pairs]))


def sections(document: nodes.document) -> list[dict[str, str]]:
    """Each section of a page: anchor (none for the page itself), title, words, code with formulas."""
    found: list[dict[str, list[str]]] = []
    for child in document.children:
        if isinstance(child, nodes.section):
            _enter(child, found, "")
    return [{part: " ".join(" ".join(words).split()) for part, words in entry.items()} for entry in found]


def _enter(section: nodes.section, found: list[dict[str, list[str]]], anchor: str) -> None:
    """Note a section; what its subsections hold is theirs."""
    entry: dict[str, list[str]] = {"anchor": [anchor], "title": [], "text": [], "code": []}
    found.append(entry)
    for child in section.children:
        if isinstance(child, nodes.section):
            _enter(child, found, child["ids"][0] if child["ids"] else anchor)
        else:
            _note(child, entry)


def _note(node: nodes.Node, entry: dict[str, list[str]]) -> None:
    """Note what a reader can read of a node that is no section."""
    if isinstance(node, nodes.Text):
        entry["text"].append(str(node))
    elif isinstance(node, nodes.title):
        # That of a note or a table is text.
        entry["title" if isinstance(node.parent, nodes.section) else "text"].append(node.astext())
    elif is_cell(node) and NOT_SEARCHED & set(tags(node)):
        return
    elif isinstance(node, nodes.literal_block):
        entry["code"].append(node.astext().removeprefix(TEST_MARK))
    elif isinstance(node, nodes.math | nodes.math_block):
        entry["code"].append(formula_words(node.astext()))
    elif isinstance(node, nodes.container) and "cell_output" in node["classes"]:
        # Of what a cell printed or drew, only the captions are searched.
        entry["text"] += [caption.astext() for caption in node.findall(nodes.caption)]
    elif not isinstance(node, nodes.raw | nodes.comment):
        for child in node.children:
            _note(child, entry)


def kept(env: BuildEnvironment) -> dict[str, list[dict[str, str]]]:
    """The sections of each page that was read."""
    if not hasattr(env, "attnbook_sections"):
        env.attnbook_sections = {}
    return env.attnbook_sections


def gather(app: Sphinx, doctree: nodes.document) -> None:
    """Note the sections of a page that was read."""
    kept(app.env)[app.env.docname] = sections(doctree)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """A page that is read again, or is gone."""
    kept(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """What another process has read."""
    kept(env).update({name: kept(other)[name] for name in docnames if name in kept(other)})


def setup(app: Sphinx) -> None:
    """Gather while pages are read."""
    app.connect("doctree-read", gather)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
