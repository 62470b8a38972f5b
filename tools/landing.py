"""Write book/landing.json: the widget that lives on the book's first page, in its first state.

    python tools/landing.py

The page is built without torch, so what torch computes of the widget is stored.
"""

import json
import sys
from pathlib import Path
from typing import Any

from project import ROOT

STORED = ROOT / "book" / "landing.json"
# “The cat drank the milk because it was thirsty”: what *it* asks, what four other words offer.
QUERY = [1.5, 0.3]
WORDS = {"cat": [1.7, 0.9], "drank": [-1.4, 0.5], "milk": [-0.5, -1.5], "thirsty": [1.2, -1.2]}
ASK = (
    "Drag the blue arrow: it is what “it” asks for in “The cat drank the milk because it was thirsty”. "
    "The more a word’s arrow points its way, the larger that word’s share."
)


def content() -> dict[str, Any]:
    """What the page embeds: class, traits, and the weights for a page without scripts."""
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    from attnbook_pages.widgets import page_state

    from attnbook.widgets import QKVPlayground

    keys = list(WORDS.values())
    widget = QKVPlayground(QUERY, keys, keys, list(WORDS), challenge=ASK, predict=False, scale=1.0)
    widget.widget_id = "landing"
    state = {**widget.get_state(), "_anywidget_id": "attnbook.QKVPlayground"}
    entry = page_state({"state": state})
    return {**entry, "weights": [round(weight, 4) for weight in widget.weights]}


def main() -> int:
    """Write the file."""
    STORED.write_text(
        json.dumps(content(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    print(Path(STORED).name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
