"""What the slides of a chapter hold, read out of its finished page: one list, in the order of the page.

Title and question, the chapter's picture, its aims; then each captioned figure, displayed formula, table,
widget and quiz under the heading of its section; the summary; where to go on. Nothing is written for the
slides alone: a figure's claim is the sentence in bold, or the beginning, of the text beneath it, and that
text is the speaker's notes.
"""

import base64
import math
import mimetypes
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docutils import nodes

from .cells import WHOLE, is_cell, tags
from .mathematics import glued
from .opening import AIMS

LONGEST = 480  # letters of text beside a formula; what is longer is cut to its first sentence
CLAIM = 50  # letters that a claim has at least, so that "Read it row by row." does not stand alone
TOGETHER = 600  # letters of the summary on one slide
_ADDRESS = re.compile(r'\bhref="([^"]*)"')
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")
_WIDGET = re.compile(r'<div class="attnbook-widget" data-model="(\w+)" data-class="(\w+)">')
# Where a sentence ends: not after an initial or a short form.
_END = re.compile(r"(?<![A-Z]\.)(?<!\b[A-Z])(?<!e\.g)(?<!i\.e)(?<!\bal)(?<!\bFig)[.!?][”’\")]*(?=\s)")
# How a sentence begins that says how to read a figure, and not what the figure shows.
_LEAD = re.compile(r"(?:Read|Begin|Look)\b")
_MARKUP = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*")


@dataclass
class Slide:
    """One slide: what it shows, what is said to it, and where in the chapter it comes from."""

    kind: str  # title, figure, formula, table, widget, question, answer, text
    heading: str  # HTML
    body: str  # HTML
    notes: str = ""  # HTML
    address: str = ""  # of its section, seen from the folder of the decks


def home(markup: str, docname: str) -> str:
    """A chapter's markup with its links seen from a folder beside the chapter's own."""
    folder = posixpath.dirname(docname)

    def moved(match: re.Match) -> str:
        address = match[1]
        if _OUTSIDE.match(address):
            return match[0]
        if address.startswith("#"):
            address = f"{posixpath.basename(docname)}.html{address}"
        return f'href="{posixpath.normpath(f"../{folder}/{address}")}"'

    return _ADDRESS.sub(moved, markup)


def quiz_text(text: str) -> str:
    """A question as the quiz sets it: code, strong and emphasis, nothing else."""

    def mark(match: re.Match) -> str:
        code, strong, emphasis = match.groups()
        name = "code" if code else "strong" if strong else "em"
        return f"<{name}>{code or strong or emphasis}</{name}>"

    return _MARKUP.sub(mark, escape(text, quote=False))


def leads_in(paragraph: nodes.paragraph) -> bool:
    """Whether a paragraph is one sentence that says how to read what stands above it."""
    text = paragraph.astext().strip()
    return bool(_LEAD.match(text)) and _END.search(text) is None


def gist(paragraph: nodes.paragraph) -> nodes.paragraph:
    """A paragraph's sentence in bold, if it has one, else its first sentences, no more than make a claim.

    In an item of a list, bold words are the item's name and not its claim.
    """
    bold = next((part for part in paragraph.children if isinstance(part, nodes.strong)), None)
    listed = isinstance(paragraph.parent, nodes.list_item)
    if bold is not None and not listed and _END.search(bold.astext() + " "):
        return nodes.paragraph("", "", *(part.deepcopy() for part in bold.children))
    short, letters = nodes.paragraph(), 0
    wanted, ended = (2 if _LEAD.match(paragraph.astext()) else 1), 0
    for part in paragraph.children:
        if isinstance(part, nodes.Text):
            for end in _END.finditer(f"{part} "):
                ended += 1
                if letters + end.end() >= CLAIM and ended >= wanted:
                    short += nodes.Text(str(part)[: end.end()])
                    return short
        short += part.deepcopy()
        letters += len(part.astext())
    return short


def climb(node: nodes.Node) -> nodes.Node:
    """The ancestor of a node, or itself, that stands directly in a section."""
    while not isinstance(node.parent, nodes.section | nodes.document):
        node = node.parent
    return node


def beneath(node: nodes.Node) -> Iterator[nodes.Node]:
    """What follows a node in its section; what a reader does not see is passed over."""
    child = climb(node)
    siblings = child.parent.children
    for sibling in siblings[siblings.index(child) + 1 :]:
        hidden = is_cell(sibling) and not {*WHOLE}.isdisjoint(tags(sibling))
        if not hidden and not isinstance(sibling, nodes.raw | nodes.comment | nodes.target):
            yield sibling


class Deck:
    """Reads the slides out of one page.

    Parameters
    ----------
    doctree : nodes.document
        The page, ready to be written.
    docname : str
        Its name, such as `chapters/04_bahdanau`.
    fragment : callable
        Writes one node as HTML.
    file : callable
        Finds the file of a picture from its address.
    models : dict
        The stored widgets by id: class and traits.
    """

    def __init__(
        self,
        doctree: nodes.document,
        docname: str,
        fragment: Callable[[nodes.Node], str],
        file: Callable[[str], Path],
        models: dict[str, dict],
    ):
        self._doctree, self._docname, self._models = doctree, docname, models
        self._fragment, self._file = fragment, file
        self._used: set[nodes.Node] = set()

    def slides(self) -> list[Slide]:
        """All slides, in the order of the page."""
        section = next(self._doctree.findall(nodes.section))
        self.title = section.next_node(nodes.title)
        found = list(self._opening(section))
        for node in self._doctree.findall(lambda node: node not in self._used):
            if isinstance(node, nodes.figure):
                found.append(self._figure(node))
            elif isinstance(node, nodes.math_block) and isinstance(node.parent, nodes.section):
                found.append(self._formula(node))
            elif isinstance(node, nodes.table) and node not in self._used and climb(node) is node:
                found.append(self._slide("table", node, self._html(node), self._under(node)))
            elif isinstance(node, nodes.raw) and (widget := _WIDGET.match(node.astext())):
                found.extend(self._widget(node, *widget.groups()))
            elif isinstance(node, nodes.section) and re.search(r"\bSummary$", self._heading(node)):
                found.extend(self._summary(node))
        return found

    def _html(self, *parts: nodes.Node) -> str:
        """Nodes as HTML, their links leading to the book."""
        markup = "".join(self._fragment(part.deepcopy()) for part in parts)
        return glued(home(markup, self._docname))

    def _words(self, node: nodes.TextElement) -> str:
        """What stands in a paragraph, caption or title, as HTML without an element around it."""
        children = [child.deepcopy() for child in node.children]
        markup = self._html(nodes.paragraph("", "", *children)).strip()
        return markup.removeprefix("<p>").removesuffix("</p>")

    @staticmethod
    def _section(node: nodes.Node) -> nodes.section:
        while not isinstance(node, nodes.section):
            node = node.parent
        return node

    @staticmethod
    def _heading(section: nodes.section) -> str:
        return section.next_node(nodes.title).astext()

    def _slide(self, kind: str, node: nodes.Node, body: str, notes: str = "") -> Slide:
        """A slide under the heading of the section in which a node stands."""
        section = self._section(node)
        address = f"../{self._docname}.html#{section['ids'][0]}"
        return Slide(kind, self._words(section.next_node(nodes.title)), body, notes, address)

    def _opening(self, section: nodes.section) -> Iterator[Slide]:
        """Title and question; the picture; the aims."""
        before, aims, picture = [], [], None
        for child in section.children:
            if isinstance(child, nodes.section) or (is_cell(child) and before):
                break
            if isinstance(child, nodes.figure):
                picture = child
            elif isinstance(child, nodes.paragraph | nodes.bullet_list):
                (aims if aims or child.astext().startswith(AIMS) else before).append(child)
        question = self._html(*before)
        chapter = f"../{self._docname}.html"
        yield Slide("title", self._words(self.title), question, "", chapter)
        if picture is not None:
            self._used.add(picture)
            yield Slide("figure", "The picture of this chapter", self._shown(picture), question, chapter)
        if aims:
            lists = [part for part in aims if isinstance(part, nodes.bullet_list)]
            time = [part for part in aims if part.astext().startswith("Time")]
            body = self._html(*lists)
            yield Slide("text", escape(AIMS), body, self._html(*time), chapter)

    def _image(self, image: nodes.image) -> str:
        """A picture that travels with the deck."""
        path = self._file(image["uri"])
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        data = base64.b64encode(path.read_bytes()).decode()
        size = "".join(f' {name}="{image[name]}"' for name in ("width", "height") if name in image)
        return f'<img src="data:{kind};base64,{data}" alt="{escape(image.get("alt", ""))}"{size}>'

    def _pictures(self, parts: list[nodes.Node]) -> str:
        """The pictures among some nodes; where there is none, the nodes themselves."""
        images = [image for part in parts for image in part.findall(nodes.image)]
        if images:
            return "".join(map(self._image, images))
        return self._html(*parts)

    def _under(self, node: nodes.Node) -> str:
        """What the chapter says beneath something, else what it says above it, for the notes."""
        return self._html(*self._said(node))

    @staticmethod
    def _said(node: nodes.Node) -> list[nodes.Node]:
        """The paragraph beneath a node, with what it announces or leads to; else the paragraph above."""
        below = beneath(node)
        first, second = next(below, None), next(below, None)
        if isinstance(first, nodes.paragraph):
            announced = first.astext().endswith(":") and isinstance(second, nodes.bullet_list)
            led_to = leads_in(first) and isinstance(second, nodes.paragraph | nodes.bullet_list)
            return [first, second] if announced or led_to else [first]
        child = climb(node)
        above = child.parent.children[: child.parent.index(child)]
        return next(([part] for part in reversed(above) if isinstance(part, nodes.paragraph)), [])

    def _shown(self, figure: nodes.figure) -> str:
        """A figure with its caption."""
        caption = figure.next_node(nodes.caption)
        pictures = self._pictures([part for part in figure.children if part is not caption])
        words = self._words(caption) if caption is not None else ""
        return f"<figure>{pictures}<figcaption>{words}</figcaption></figure>"

    def _figure(self, figure: nodes.figure) -> Slide:
        """A figure, and the claim of the text beneath it."""
        said = self._said(figure)
        body = self._shown(figure)
        if said and said[0] is next(beneath(figure), None):
            # A sentence that leads in claims nothing: what it leads to does, in a list the first item.
            source = said[-1] if leads_in(said[0]) else said[0]
            if isinstance(source, nodes.bullet_list):
                source = source.next_node(nodes.paragraph)
            claim = gist(source)
            # A question leads on to what comes next, and says nothing of this figure.
            if not claim.astext().rstrip().endswith("?"):
                body = f'<p class="claim">{self._words(claim)}</p>{body}'
        return self._slide("figure", figure, body, self._html(*said))

    def _formula(self, formula: nodes.math_block) -> Slide:
        """A formula, large, and what names its symbols: the table or the sentence beneath it."""
        children = formula.parent.children
        place = children.index(formula)
        before = children[place - 1] if place and isinstance(children[place - 1], nodes.paragraph) else None
        below = next(beneath(formula), None)
        names, notes = "", [before] if before is not None else []
        if isinstance(below, nodes.table):
            self._used.add(below)
            names = self._html(below)
        elif isinstance(below, nodes.paragraph):
            long = len(below.astext()) > LONGEST
            names = f"<p>{self._words(gist(below) if long else below)}</p>"
            notes += [below] if long else []
        # A formula of several lines stands beside its symbols, one of a single line above them.
        side = " side" if r"\\" in formula.astext() else ""
        shown = f'<div class="formula">{self._html(formula)}</div><div class="symbols">{names}</div>'
        body = f'<div class="explained{side}">{shown}</div>'
        return self._slide("formula", formula, body, self._html(*notes))

    def _widget(self, start: nodes.raw, identifier: str, name: str) -> Iterator[Slide]:
        """A widget as its stored picture, with the way to the live one; a quiz as questions and answers."""
        model = self._models.get(identifier, {})
        if name == "Quiz":
            yield from self._quiz(start, model.get("state", {}).get("questions", []))
            return
        siblings = start.parent.children
        stand_in = []
        for sibling in siblings[siblings.index(start) + 1 :]:
            if isinstance(sibling, nodes.raw) and sibling.astext() == "</div>":
                break
            stand_in.append(sibling)
        slide = self._slide("widget", start, "", self._under(start))
        images = [image for part in stand_in for image in part.findall(nodes.image)]
        words = f"<figcaption>{escape(images[0].get('alt', ''))}</figcaption>" if images else ""
        live = f'<p class="live"><a href="{slide.address}">Live in the page</a>: {escape(name)}</p>'
        slide.body = f"<figure>{self._pictures(stand_in)}{words}</figure>{live}"
        yield slide

    def _quiz(self, start: nodes.raw, questions: list[dict]) -> Iterator[Slide]:
        """Each question, and on the next slide its answer; every option's reason is in the notes."""
        for question in questions:
            right = question["answer"] if isinstance(question["answer"], list) else [question["answer"]]
            reasons = [quiz_text(reason) for reason in question["explanations"]]
            asked = f'<p class="question">{quiz_text(question["question"])}</p>'
            options = [quiz_text(option) for option in question["options"]]
            plain = "".join(f"<li>{option}</li>" for option in options)
            marked = "".join(
                f'<li class="right">{option} <strong>✓ right</strong></li>'
                if place in right
                else f"<li>{option}</li>"
                for place, option in enumerate(options)
            )
            why = "".join(f"<p>{reasons[place]}</p>" for place in right)
            notes = "".join(f"<li>{reason}</li>" for reason in reasons)
            several = "<p>More than one is right.</p>" if len(right) > 1 else ""
            body = f'{asked}{several}<ol type="a">{plain}</ol>'
            yield self._slide("question", start, body)
            body = f'{asked}<ol type="a">{marked}</ol><div class="why">{why}</div>'
            yield self._slide("answer", start, body, f'<ol type="a">{notes}</ol>')

    def _summary(self, section: nodes.section) -> Iterator[Slide]:
        """The summary's points, as many on a slide as are read at a glance, and about as many on each."""
        for points in (part for part in section.children if isinstance(part, nodes.bullet_list)):
            total = len(points.astext())
            share = total / math.ceil(total / TOGETHER)
            page, letters = [], 0
            for item in points.children:
                length = len(item.astext())
                if page and letters + length / 2 > share:
                    yield self._points(section, page)
                    page, letters = [], 0
                page.append(item)
                letters += length
            yield self._points(section, page)

    def _points(self, section: nodes.section, items: list[nodes.Node]) -> Slide:
        points = nodes.bullet_list("", *(item.deepcopy() for item in items))
        return self._slide("text", section, self._html(points))
