"""What a reader is asked again: glossary entries and quiz questions, as two scripts that load when wanted.

Both are read out of the finished pages, so that a card says what its page says, formulas drawn. Scripts, and
not JSON, since a page that is opened from a disk may load the one and not the other.
"""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from .paths import STATIC
from .terms import GLOSSARY
from .widgets import script_safe

_ENTRY = re.compile(
    r'<section id="([^"]+)">\s*<h2>(.*?)<a class="headerlink".*?</h2>(.*?)</section>', re.DOTALL
)
_STATE = re.compile(r'<script type="application/json" id="attnbook-state">(.*?)</script>', re.DOTALL)
_TITLE = re.compile(r"<h1>(.*?)<a class=\"headerlink\"", re.DOTALL)


def definitions(outdir: Path) -> dict[str, dict]:
    """Each glossary entry by its id: its term, its text, and the chapters that introduce it."""
    page = outdir / f"{GLOSSARY}.html"
    if not page.is_file():
        return {}
    found = {
        identifier: {"term": term.strip(), "text": text.strip(), "chapters": []}
        for identifier, term, text in _ENTRY.findall(page.read_text(encoding="utf-8"))
    }
    for chapter in sorted(outdir.glob("chapters/*.html")):
        for identifier in re.findall(r'glossary\.html#([\w-]+)"', chapter.read_text(encoding="utf-8")):
            if identifier in found and chapter.stem not in found[identifier]["chapters"]:
                found[identifier]["chapters"].append(chapter.stem)
    return found


def questions(outdir: Path) -> list[dict]:
    """The quizzes of each chapter: the page, its title, the quiz's name and its questions."""
    found = []
    for page in sorted(outdir.glob("chapters/*.html")):
        text = page.read_text(encoding="utf-8")
        state, title = _STATE.search(text), _TITLE.search(text)
        for entry in json.loads(state[1]).values() if state else ():
            if entry["class"] == "Quiz":
                name, asked = entry["state"]["name"], entry["state"]["questions"]
                found.append({"page": page.stem, "title": title[1], "name": name, "questions": asked})
    return sorted(found, key=lambda quiz: (quiz["page"], quiz["name"]))


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write both scripts beside the other ones."""
    if exception is not None or app.builder.format != "html":
        return
    outdir = Path(app.outdir)
    folder = outdir / STATIC
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (("terms", definitions(outdir)), ("quizzes", questions(outdir))):
        script = f"(globalThis.attnbookReader ||= {{}}).{name} = {script_safe(value)};\n"
        (folder / f"{name}.js").write_text(script, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> None:
    """After the last page, before the broom."""
    app.connect("build-finished", write, priority=940)
