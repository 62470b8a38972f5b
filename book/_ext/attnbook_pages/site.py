"""What others see of the site: one address a page, a map of all pages, a sentence for a link to it.

The role `{published}` links a file that lies beside the published pages and that `make book` does not build.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import ReferenceRole

from .frame import family
from .paths import STATIC
from .repository import address

LATEST = "latest"  # the folder of what main holds; tools/assemble_site.py puts the others beside it
CARDS = f"{STATIC.as_posix()}/cards"
LONGEST = 200  # letters of a description, which searches and previews cut anyway


def home(repository: str) -> str:
    """Where GitHub Pages publishes a repository.

    >>> home("https://github.com/attnbook/attnbook")
    'https://attnbook.github.io/attnbook/'
    """
    owner, name = urlsplit(repository).path.strip("/").split("/")[:2]
    return f"https://{owner}.github.io/{name}/"


def configure(app: Sphinx, config: Config) -> None:
    """Sphinx names each page's one true place, the newest version's, wherever a copy of the page lies."""
    config.html_baseurl = config.html_baseurl or f"{home(address())}{LATEST}/"


def sentence(doctree: nodes.document) -> str:
    """The page's first paragraph, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return ""


def card(docname: str, doctree: nodes.document, pages: Iterable[str]) -> str:
    """The picture that stands beside a link to a page: its own, its chapter's, or the book's.

    `tools/social_cards.py` draws a card for each page whose name one of these is, from its first figure.
    """
    if docname.startswith("chapters/"):
        core, _ = family(docname, pages)
        if core and not any(True for _ in doctree.findall(nodes.figure)):
            docname = core
        return f"{CARDS}/{docname.rpartition('/')[2]}.png"
    return f"{CARDS}/book.png"


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """A description for searches, and the same for whoever shows a link with a preview."""
    if doctree is None:
        return
    entries = {"og:type": "article", "og:site_name": app.config.html_title, "og:title": context["title"]}
    entries |= {"og:url": context.get("pageurl") or "", "og:description": sentence(doctree)}
    picture = card(pagename, doctree, app.env.titles)
    entries |= {"og:image": app.config.html_baseurl + picture, "og:image:alt": context["title"]}
    entries |= {"og:image:width": "1200", "og:image:height": "630"}
    lines = [
        f'<meta property="{name}" content="{escape(value)}" />' for name, value in entries.items() if value
    ]
    # What else a preview needs is taken from the lines above.
    lines.append('<meta name="twitter:card" content="summary_large_image" />')
    if entries["og:description"]:
        lines.append(f'<meta name="description" content="{escape(entries["og:description"])}" />')
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)


def write_map(app: Sphinx, exception: Exception | None) -> None:
    """`sitemap.xml`: every page, in the order of its name; and `robots.txt`, which names it."""
    if exception is not None or app.builder.format != "html":
        return
    base = app.config.html_baseurl
    pages = [app.builder.get_target_uri(name) for name in sorted(app.env.titles)]
    entries = "".join(f"<url><loc>{escape(base + page)}</loc></url>\n" for page in pages)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )
    folder = Path(app.outdir)
    (folder / "sitemap.xml").write_text(text, encoding="utf-8", newline="\n")
    # Both files move to the site's root when its versions are put together.
    robots = f"User-agent: *\nAllow: /\nSitemap: {home(address())}sitemap.xml\n"
    (folder / "robots.txt").write_text(robots, encoding="utf-8", newline="\n")


class Published(ReferenceRole):
    """A link to a file of the published site, such as ``{published}`the PDF <take/attnbook.pdf>` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link, whole, since a copy of the page elsewhere has no such file beside it.

        It names the latest version's file; tools/assemble_site.py names each version's own.
        """
        place = self.config.html_baseurl + self.target
        return [nodes.reference("", self.title, refuri=place, internal=False)], []


def setup(app: Sphinx) -> None:
    """The address before the builder reads it; the rest when pages are written."""
    app.add_role("published", Published())
    app.connect("config-inited", configure, priority=890)
    app.connect("html-page-context", describe, priority=870)
    app.connect("build-finished", write_map)
