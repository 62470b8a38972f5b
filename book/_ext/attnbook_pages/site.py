"""What others see of the site: one address a page, a map of all pages, a sentence for a link to it.

The role `{published}` links a file that lies beside the published pages and that `make book` does not build.
"""

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import ReferenceRole

from .repository import address

LONGEST = 200  # letters of a description, which searches and previews cut anyway


def home(repository: str) -> str:
    """Where GitHub Pages publishes a repository.

    >>> home("https://github.com/attnbook/attnbook")
    'https://attnbook.github.io/attnbook/'
    """
    owner, name = urlsplit(repository).path.strip("/").split("/")[:2]
    return f"https://{owner}.github.io/{name}/"


def configure(app: Sphinx, config: Config) -> None:
    """With an address of its own, Sphinx names each page's one true place, wherever a copy of it lies."""
    config.html_baseurl = config.html_baseurl or home(address())


def sentence(doctree: nodes.document) -> str:
    """The page's first paragraph, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return ""


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """A description for searches, and the same for whoever shows a link with a preview."""
    if doctree is None:
        return
    entries = {"og:type": "article", "og:site_name": app.config.html_title, "og:title": context["title"]}
    entries |= {"og:url": context.get("pageurl") or "", "og:description": sentence(doctree)}
    lines = [
        f'<meta property="{name}" content="{escape(value)}" />' for name, value in entries.items() if value
    ]
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
    robots = f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n"
    (folder / "robots.txt").write_text(robots, encoding="utf-8", newline="\n")


class Published(ReferenceRole):
    """A link to a file of the published site, such as ``{published}`the PDF <take/attnbook.pdf>` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link, whole, since a copy of the page elsewhere has no such file beside it."""
        return [nodes.reference("", self.title, refuri=home(address()) + self.target, internal=False)], []


def setup(app: Sphinx) -> None:
    """The address before the builder reads it; the rest when pages are written."""
    app.add_role("published", Published())
    app.connect("config-inited", configure, priority=890)
    app.connect("html-page-context", describe, priority=870)
    app.connect("build-finished", write_map)
