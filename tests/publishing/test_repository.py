"""What the repository shows before anything is built: Binder's environment and the README's picture."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from readme_picture import PICTURE, picture
from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_binder_takes_the_oldest_python_and_torch_that_are_promised():
    environment = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text(encoding="utf-8"))
    named = dict(re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in environment["dependencies"])
    assert named["python"].removeprefix("=") == PROJECT["requires-python"].removeprefix(">=")
    torch = next(line for line in PROJECT["dependencies"] if line.startswith("torch"))
    assert f"torch{named['pytorch-cpu']}" == torch
    assert "pip" in named


@pytest.mark.skipif(sys.platform == "win32", reason="a Windows file has no mark for programs")
def test_the_rest_is_installed_as_tested_and_without_another_torch(tmp_path):
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    # pip stands aside: it prints what it is asked, and the list that it is given.
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\ncat "$6"\n')
    (tmp_path / "python").chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", script], cwd=ROOT, env=path, check=True, capture_output=True, text=True)
    asked, *constraints = done.stdout.splitlines()
    assert asked.endswith("--editable .[experiments]")
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert constraints == [line for line in pins if not line.startswith("torch==")]
    assert len(constraints) == len(pins) - 1


def test_the_readmes_picture_is_the_chapters():
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run: python tools/readme_picture.py"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"]({PICTURE.relative_to(ROOT).as_posix()})" in readme
