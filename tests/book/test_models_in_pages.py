"""The build writes the scripts of the models that the pages' widgets run: whole, and no others."""

import base64
import json
import re
import shutil
from types import SimpleNamespace

import pytest
from attnbook_pages import errors, paths
from attnbook_pages import models as part

from attnbook import models

NAME = "04_additive"


def page(names) -> str:
    """A page that shows one widget which runs these models."""
    state = {"one": {"class": "AlignmentExplorer", "state": {"models": names}}}
    text = json.dumps(state, separators=(",", ":"))
    return f'<html><script type="application/json" id="attnbook-state">{text}</script></html>'


def test_a_script_holds_the_file_that_ships():
    found = re.fullmatch(r'globalThis\.attnbook\.files\["04_additive"\] = "(.*)";\n', part.script(NAME))
    assert base64.b64decode(found[1]) == models.content(NAME)


def test_what_is_shown_is_written_and_what_is_not_goes(tmp_path):
    (tmp_path / "chapters").mkdir()
    shown = tmp_path / "chapters" / "04.html"
    shown.write_text(page([NAME]), encoding="utf-8")
    (tmp_path / "plain.html").write_text('a page about "models":["', encoding="utf-8")
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    part.write(app, None)
    folder = tmp_path / part.FOLDER
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.js"]
    shown.write_text(page([]), encoding="utf-8")
    part.write(app, None)
    assert list(folder.iterdir()) == []


def test_a_model_that_is_not_there_or_was_changed_stops_the_build(tmp_path):
    with pytest.raises(errors.PageError, match="runs the model 99_other, and there is no"):
        part.script("99_other")
    for name in (f"{NAME}.safetensors", "checksums.json"):
        shutil.copyfile(paths.MODELS / name, tmp_path / name)
    with (tmp_path / f"{NAME}.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(errors.PageError, match="its checksum differs"):
        part.script(NAME, tmp_path)
