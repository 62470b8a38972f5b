"""One deck of slides a chapter, made with its page, and the list of them for instructors.

A deck is one file that needs no other: pictures, fonts, style and script are in it. It is written when its
chapter's page is, so an unchanged chapter costs nothing.
"""

import base64
import hashlib
import posixpath
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .decks import Deck, Slide
from .fonts import mathematics_font
from .frame import contents, family
from .packages import npm_file
from .paths import ASSETS, SLIDES, TEMPLATES
from .static import FONT_CACHE, FONT_FACE
from .widgets import stored_models

_MADE_OF = (ASSETS / "slides.css", ASSETS / "slides.js", TEMPLATES / "slides.html")


class decks(nodes.General, nodes.Element):
    """The place of the list, until all chapters are known."""


class Decks(SphinxDirective):
    """`{slides}`: a list of all decks."""

    def run(self) -> list[nodes.Node]:
        """A place for it."""
        return [decks()]


def digest() -> str:
    """What the frame of a deck is made of."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in _MADE_OF)).hexdigest()


def is_core(app: Sphinx, docname: str) -> bool:
    """Whether a page is the core of a chapter, which has a deck."""
    return family(docname, app.env.titles)[0] == docname


def deck_name(docname: str) -> str:
    """The path of a chapter's deck, from the first page."""
    return f"{SLIDES}/{posixpath.basename(docname)}.html"


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the list of decks into its place."""
    for place in list(doctree.findall(decks)):
        up = "../" * docname.count("/")
        items = []
        for name in sorted(name for name in app.env.titles if is_core(app, name)):
            title = app.env.titles[name].astext()
            link = nodes.reference("", title, refuri=f"{up}{deck_name(name)}", internal=False)
            items.append(nodes.list_item("", nodes.paragraph("", "", link)))
        place.replace_self(nodes.bullet_list("", *items))


def embedded(path: Path) -> str:
    """A font as an address that holds it."""
    return f"data:font/woff2;base64,{base64.b64encode(path.read_bytes()).decode()}"


def style() -> str:
    """The deck's own style, that of formulas, and the fonts of both."""
    text = "@fontsource/source-serif-4/files/source-serif-4-latin-{}-normal.woff2"
    faces = [
        ("Deck", 400, npm_file(text.format(400))),
        ("Deck", 600, npm_file(text.format(600))),
        ("STIX2", 400, mathematics_font(FONT_CACHE)),
    ]
    rules = [
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{embedded(path)}"); }}'
        for family, weight, path in faces
    ]
    formulas = npm_file("temml/dist/Temml-STIX2.css").read_text(encoding="utf-8")
    sheet = (ASSETS / "slides.css").read_text(encoding="utf-8")
    # The package's own font declaration names a file that does not travel with the deck.
    return "\n".join([*rules, FONT_FACE.sub("", formulas), sheet])


def last_slide(app: Sphinx, docname: str) -> Slide:
    """Where to go on: the chapter, its labs, its exercises."""
    up = lambda name: f"../{name}.html"  # noqa: E731
    _, labs = family(docname, contents(app.env))
    places = [(up(docname), "The chapter, with what is live in it")]
    places += [(up(lab), app.env.titles[lab].astext()) for lab in labs]
    if "book/exercises" in app.env.titles:
        places.append((up("book/exercises"), "The exercises"))
    items = "".join(f'<li><a href="{address}">{title}</a></li>' for address, title in places)
    return Slide("text", "To go on", f"<ul>{items}</ul>", "", up(docname))


def picture(app: Sphinx, address: str) -> Path:
    """The file behind a picture's address, which is already its address in the built page."""
    files = {name: source for source, name in app.builder.images.items()}
    return Path(app.srcdir) / files[posixpath.basename(address)]


def write(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the deck of a chapter beside its page, and tell the frame where it is."""
    context["attnbook_slides"] = None
    if doctree is None or app.builder.name != "html" or not is_core(app, pagename):
        return
    name = deck_name(pagename)
    # A path that the template shall not take for a page.
    context["attnbook_slides"] = name
    deck = Deck(
        doctree,
        pagename,
        fragment=lambda node: app.builder.render_partial(node)["fragment"],
        file=lambda address: picture(app, address),
        models=stored_models(app, pagename),
    )
    slides = [*deck.slides(), last_slide(app, pagename)]
    page = app.builder.templates.render(
        "slides.html",
        {
            "title": deck.title.astext(),
            "book": app.config.html_title,
            "slides": slides,
            "style": style(),
            "script": (ASSETS / "slides.js").read_text(encoding="utf-8"),
            "chapter": f"../{pagename}.html",
        },
    )
    file = Path(app.outdir) / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(page, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> None:
    """Register the list; write decks when all that changes a page's nodes has run."""
    app.add_node(decks)
    app.add_directive("slides", Decks)
    app.add_config_value("attnbook_slides_digest", digest(), "html")
    app.connect("doctree-resolved", fill)
    app.connect("html-page-context", write, priority=830)
