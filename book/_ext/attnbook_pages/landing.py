"""`{landing}` and `{road}`: what a visitor of the first page can move at once, and the way through the book.

The widget's state is stored in ``book/landing.json``, which ``python tools/landing.py`` writes: the book is
built without torch.
"""

import json
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .paths import ASSETS, BOOK
from .widgets import raw, script_safe

STORED = BOOK / "landing.json"
# In the page itself: the sheet of all pages keeps only what markup names; this styles what a script makes.
STYLE = ASSETS / "landing.css"

# One sign a station, in a square of 32 × 32: lines are drawn, what has class "full" is filled.
SIGNS = {
    "eye": '<path d="M3 16q13-17 26 0q-13 17-26 0z"/><circle class="full" cx="16" cy="16" r="4"/>',
    "key": '<circle cx="10" cy="16" r="6"/><path d="M16 16h13v6M23 16v5"/>',
    "hourglass": '<path d="M6 4h20l-8 12l8 12H6l8-12z"/>',
    "fan": '<circle class="full" cx="16" cy="6" r="3"/><path d="M16 6L5 26M16 6v20M16 6l11 20"/>'
    '<path class="thick" d="M16 6L5 26"/>',
    "window": '<path d="M3 22h26"/><path class="thick" d="M11 22h10"/><path d="M9 8v18M23 8v18"/>'
    '<path d="M9 10q7-10 14 0"/>',
    "picture": '<path d="M4 6h24v20H4z"/><circle cx="20" cy="14" r="6"/>'
    '<circle class="full" cx="20" cy="14" r="2"/>',
    "circle": '<circle class="full" cx="16" cy="5" r="3"/><circle class="full" cx="5" cy="24" r="3"/>'
    '<circle class="full" cx="27" cy="24" r="3"/><path d="M16 5L5 24h22z"/>',
    "heads": '<path d="M4 4h14v14H4zM9 9h14v14H9zM14 14h14v14H14z"/>',
    "wave": '<path d="M2 16q5-18 10 0t10 0t10 0"/><path d="M2 28h28"/>',
    "blocks": '<path d="M7 3h18v6H7zM7 13h18v6H7zM7 23h18v6H7zM16 9v4M16 19v4"/>',
    "cursor": '<path d="M3 20h5M11 20h5M19 20h3"/><path class="thick" d="M26 8v16"/>',
    "patches": '<path d="M4 4h24v24H4zM12 4v24M20 4v24M4 12h24M4 20h24"/>'
    '<path class="full" d="M20 4h8v8h-8z"/>',
    "tiles": '<path d="M4 4v24h24zM4 12h8v16M4 20h16v8"/><path class="full" d="M12 20h8v8h-8z"/>',
    "map": '<path d="M3 7l8-3l10 4l8-3v20l-8 3l-10-4l-8 3zM11 4v20M21 8v20"/>'
    '<circle class="full" cx="16" cy="15" r="3"/>',
    "lens": '<circle cx="13" cy="13" r="9"/><path class="thick" d="M20 20l9 9"/>',
}


class Landing(SphinxDirective):
    """A live widget on a page that is no notebook; its title and first state are stored."""

    def run(self) -> list[nodes.Node]:
        """The widget's place, with its numbers as a table until the script has drawn it, and its state."""
        for path in (STORED, STYLE):
            self.env.note_dependency(str(path))
        try:
            stored = json.loads(STORED.read_text(encoding="utf-8"))
            name, words, weights = stored["class"], stored["state"]["state"]["labels"], stored["weights"]
            rows = "".join(
                f"<tr><th scope='row'>{escape(word)}</th><td>{100 * weight:.0f} %</td></tr>"
                for word, weight in zip(words, weights, strict=True)
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PageError(
                f"book/landing.json cannot be read ({error}); run: python tools/landing.py"
            ) from None
        state = script_safe({"landing": {"class": name, "state": stored["state"]}})
        self.state.document["attnbook_classes"] = [name]
        place = f'<div class="attnbook-widget" data-model="landing" data-class="{name}">'
        return [
            raw(f"<style>{STYLE.read_text(encoding='utf-8')}</style>"),
            raw(f'<div class="landing">{place}<table>{rows}</table></div></div>'),
            raw(f'<script type="application/json" id="attnbook-state">{state}</script>'),
        ]


class Road(SphinxDirective):
    """The stations of the book in order, one a line: sign, notebook, name, what it adds."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A list that the style sheet draws as a road; each station is a link."""
        stations = []
        for line in filter(None, map(str.strip, self.content)):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 4 or parts[0] not in SIGNS:
                raise PageError(f"road: expected sign | notebook | name | what it adds, got: {line}")
            sign, notebook, name, adds = parts
            if not (BOOK.parent / "chapters" / f"{notebook}.ipynb").is_file():
                raise PageError(f"road: there is no chapters/{notebook}.ipynb")
            stations.append(
                f'<li><a href="../chapters/{notebook}.html"><svg viewBox="0 0 32 32" aria-hidden="true">'
                f"{SIGNS[sign]}</svg><b>{int(notebook[:2])} · {escape(name)}</b> "
                f"<span>{escape(adds)}</span></a></li>"
            )
        return [raw(f'<ol class="road">{"".join(stations)}</ol>')]


def setup(app: Sphinx) -> None:
    """Register both directives."""
    app.add_directive("landing", Landing)
    app.add_directive("road", Road)
