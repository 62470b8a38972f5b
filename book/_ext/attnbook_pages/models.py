"""Trained models in the published page: one classic script a model, which a widget loads when it is asked.

The script holds the model's file as it ships, in base64, so it loads from a disk too. Which models are needed
stands in the state of the widgets that the pages show, under ``models``.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from .errors import PageError
from .paths import MODELS, STATIC

FOLDER = STATIC / "models"
_STATE = re.compile(r'<script type="application/json" id="attnbook-state">(.*?)</script>', re.DOTALL)


def script(name: str, models: Path = MODELS) -> str:
    """The script of one model.

    Raises
    ------
    PageError
        If no such model ships, or its file is not the one that was shipped.
    """
    checksums = json.loads((models / "checksums.json").read_text(encoding="utf-8"))
    path = models / f"{name}.safetensors"
    if name not in checksums or not path.is_file():
        raise PageError(f"a page shows a widget that runs the model {name}, and there is no {path}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != checksums[name]:
        raise PageError(f"{path} is not the file that was shipped: its checksum differs")
    return f'globalThis.attnbook.files["{name}"] = "{base64.b64encode(content).decode()}";\n'


def needed(outdir: Path) -> list[str]:
    """The models that some widget of some page runs, in alphabetical order.

    Asked of the pages as they lie there: a page that did not change was not made again.
    """
    found: set[str] = set()
    for path in outdir.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if '"models":["' not in text:
            continue
        state = _STATE.search(text)
        if state:
            for entry in json.loads(state[1]).values():
                found |= set(entry["state"].get("models", []))
    return sorted(found)


def write(app: Sphinx, exception: Exception | None) -> None:
    """After the last page: the scripts of the models that are needed, and no others."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / FOLDER
    names = needed(Path(app.outdir))
    for path in target.glob("*.js"):
        if path.stem not in names:
            path.unlink()
    for name in names:
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{name}.js").write_text(script(name), encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> None:
    """Run after the pages are written."""
    app.connect("build-finished", write, priority=940)
