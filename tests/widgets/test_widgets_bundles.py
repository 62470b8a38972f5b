"""The bundles in static/ are what js/ builds, small, and name no place to download from."""

import gzip
import json
import os
import re
import subprocess

import pytest
from widget_page import JS

from attnbook import widgets
from attnbook.widgets.base import STATIC

CLASSES = [name for name in widgets.__all__ if isinstance(getattr(widgets, name), type)]
MOST_BYTES = 8 * 1024  # of one script in the page, as it travels: gzip


def test_bundles_are_what_the_sources_build(node, node_modules, tmp_path):
    env = {**os.environ, "ATTNBOOK_STATIC": str(tmp_path)}
    subprocess.run([node, "build.js"], cwd=JS, env=env, check=True, capture_output=True)
    built = {
        str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    shipped = {
        str(path.relative_to(STATIC)): path.read_bytes() for path in STATIC.rglob("*") if path.is_file()
    }
    assert sorted(built) == sorted(shipped)
    for name, contents in built.items():
        assert contents == shipped[name], (
            f"static/{name} is out of step with js/: run `npm run build` in {JS}"
        )


def test_the_build_says_when_a_bundle_is_out_of_step(node, node_modules, tmp_path):
    env = {**os.environ, "ATTNBOOK_STATIC": str(tmp_path)}
    done = subprocess.run([node, "build.js", "--check"], cwd=JS, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "out of step" in done.stderr


@pytest.mark.parametrize("name", ["base", "inference", *CLASSES])
def test_a_script_of_the_page_is_small_and_whole(name):
    script = (STATIC / "book" / f"{name}.js").read_text(encoding="utf-8")
    size = len(gzip.compress(script.encode(), 9))
    assert size <= MOST_BYTES, f"book/{name}.js has {size} bytes"
    assert not re.search(r"\b(import|export)\b", script), "the page takes classic scripts"


@pytest.mark.parametrize("name", CLASSES)
def test_a_notebooks_module_imports_nothing(name):
    module = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    assert not re.search(r"\bimport\b", module)


def test_no_bundle_asks_the_network():
    for path in STATIC.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?:|fetch\(|XMLHttpRequest|@import|url\(", text), path.name


def test_the_lockfile_names_no_download_address():
    lock = (JS / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert all("integrity" in p for name, p in json.loads(lock)["packages"].items() if name)
