"""A page with widgets and no kernel: the classic scripts from disk, with a host of a few lines.

The published book has its own host; this one does only what the contract of the widgets asks of any host.
"""

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDGETS = ROOT / "src" / "attnbook" / "widgets"
sys.path.insert(0, str(ROOT / "book" / "_ext"))
JS = WIDGETS / "js"
BOOK = WIDGETS / "static" / "book"

HOST = """
window.models = {};
function makeModel(state) {
  const heard = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      (heard["change:" + name] || []).forEach((f) => f());
    },
    on: (event, f) => { (heard[event] = heard[event] || []).push(f); },
    off: (event, f) => { heard[event] = (heard[event] || []).filter((g) => g !== f); },
    save_changes() {},
    send() {},
  };
}
for (const [name, state] of JSON.parse(document.getElementById("states").textContent)) {
  const model = makeModel(state);
  window.models[state.widget_id] = model;
  const definition = attnbook.widgets[name];
  if (definition.initialize) definition.initialize({ model });
  definition.render({ model, el: document.getElementById(state.widget_id) });
}
"""


def folder_of_scripts(widgets: list, beside: Path) -> Path:
    """Where the page takes its scripts from: a copy with the models, as the book's build makes it, if any."""
    models = sorted({name for w in widgets for name in getattr(w, "models", [])})
    if not models:
        return BOOK
    from attnbook_pages.models import script

    folder = beside / "attnbook"
    shutil.copytree(BOOK, folder, dirs_exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    for name in models:
        (folder / "models" / f"{name}.js").write_text(script(name), encoding="utf-8")
    return folder


def write_page(path: Path, widgets: list, *, theme: str = "light", before: str = "", after: str = "") -> Path:
    """Write an HTML page that shows ``widgets`` without a kernel, and return its path."""
    folder = folder_of_scripts(widgets, path.parent)
    names = sorted({type(w).__name__ for w in widgets})
    states = []
    for w in widgets:
        state = {k: v for k, v in w.get_state().items() if k not in ("_esm", "_css")}
        states.append([type(w).__name__, state])
    scripts = "\n".join(f'<script src="{(folder / f"{n}.js").as_uri()}"></script>' for n in ["base", *names])
    places = "\n".join(f'<div id="{state["widget_id"]}"></div>' for _, state in states)
    embedded = json.dumps(states).replace("</", "<\\/")
    background = "#fff" if theme == "light" else "#14181d"
    path.write_text(
        f"""<!doctype html>
<html lang="en" data-theme="{theme}">
<head><meta charset="utf-8"><title>Widgets</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{(BOOK / "widgets.css").as_uri()}">
<style>body {{ margin: 0; padding: 8px; background: {background}; }}</style></head>
<body><main><h1 style="color:#777">Widgets</h1>{before}
{places}
{after}</main>
<script type="application/json" id="states">{embedded}</script>
{scripts}
<script>{HOST}</script>
</body></html>
""",
        encoding="utf-8",
    )
    return path
