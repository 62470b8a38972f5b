"""The zip for Gradescope, run as Gradescope does: by root in a container that makes no name spaces."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading import gradescope
from attnbook.grading.sandbox import bubblewrap_works

WEIGHTS = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"
# Raises unless another user's rights, files, network and processes are out of reach.
PROBE = """\
import os, socket
assert os.getuid() > 200_000 and os.getgid() > 200_000 and not os.getgroups()
for path in ('/autograder/source/grading.json', '/autograder/source', '/autograder/results/x'):
    try:
        open(path, 'w' if path.endswith('x') else 'r')
        raise SystemExit('reached ' + path)
    except PermissionError:
        pass
    except IsADirectoryError:
        raise SystemExit('reached ' + path)
for family in (socket.AF_INET, socket.AF_INET6):
    try:
        socket.socket(family)
        raise SystemExit('a socket')
    except OSError:
        pass
try:
    os.kill(os.getppid(), 9)
    raise SystemExit('killed the judge')
except PermissionError:
    pass
import ctypes
assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == -1
os.posix_spawn('/bin/sleep', ['sleep', '987'], {})
"""


def unpacked(tmp_path: Path, *arguments: str) -> Path:
    """The autograder as Gradescope lays it out."""
    assert cli.main(["grade", "--gradescope", str(tmp_path / "zip"), *arguments]) == 0
    root = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "zip" / "autograder.zip") as archive:
        archive.extractall(root / "source")
    return root


def test_the_zip_has_what_gradescope_looks_for_and_is_private(tmp_path, capsys):
    root = unpacked(tmp_path, "--exercises", "2.1,2.3", "--notebook", "02*.ipynb")
    made = tmp_path / "zip" / "autograder.zip"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.stat().st_size < 20 << 20
    with zipfile.ZipFile(made) as archive:
        rights = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
    assert rights["setup.sh"] & rights["run_autograder"] & 0o111
    for script in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", str(root / "source" / script)]).returncode == 0
    assert (root / "source" / "attnbook" / "results" / "__init__.py").is_file()  # experiments import it
    assert not list((root / "source" / "attnbook" / "results").glob("*.json"))
    settings = json.loads((root / "source" / "grading.json").read_text(encoding="utf-8"))
    assert settings["exercises"] == ["2.1", "2.3"]
    assert len(settings["secret"]) == 32
    assert "torch==" in (root / "source" / "setup.sh").read_text(encoding="utf-8")
    assert "can compute the hidden inputs" in capsys.readouterr().out


@pytest.fixture(scope="module")
def in_a_container(tmp_path_factory):
    """The results of one submission, graded by `run_autograder` where bubblewrap cannot make name spaces."""
    if not bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    if os.geteuid() != 0:
        pytest.skip("needs root, as Gradescope's containers have it: not on Windows, macOS or as a user")
    folder = tmp_path_factory.mktemp("gradescope")
    root = unpacked(folder, "--exercises", "2.1,2.3", "--seed-file", str(_seed(folder)))
    cells = [PROBE + WEIGHTS, f'answer_order = "{exercise("2.1").reference()}"']
    content = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    (root / "submission" / "work.ipynb").write_text(json.dumps(content), encoding="utf-8")
    old = root / "submission" / "draft.ipynb"
    old.write_text(json.dumps({"cells": []}), encoding="utf-8")
    os.utime(old, (1.0, 1.0))
    python = Path("/usr/bin") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not python.exists():
        pytest.skip(f"not Linux, or no {python}: a Python that every user may read is needed")
    packages = [path for path in sys.path if path.endswith("site-packages")]
    if any(path.startswith("/tmp/") for path in packages):
        pytest.skip("this checkout lies in /tmp, which the container hides: clone it elsewhere")
    script = root / "source" / "run_autograder"
    text = script.read_text(encoding="utf-8").replace(gradescope.PYTHON, str(python))
    text = text.replace("=/autograder/source ", f"={os.pathsep.join(['/autograder/source', *packages])} ")
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    # A container's root: some capabilities, and none that make name spaces.
    container = [shutil.which("bwrap"), "--bind", "/", "/", "--bind", str(root), "/autograder"]
    container += ["--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--die-with-parent"]
    container += ["--perms", "1777", "--tmpfs", "/tmp"]
    container += ["--ro-bind", "/dev/null", "/usr/bin/bwrap"]  # as where it may make no name spaces
    for capability in ("SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER"):
        container += ["--cap-add", f"CAP_{capability}"]
    # What still runs when the autograder has ended, seen before the container ends it too.
    inside = "/autograder/source/run_autograder; ended=$?\n"
    inside += "cat /proc/[0-9]*/cmdline > /autograder/left\nexit $ended"
    there = Path("/autograder").exists()
    try:
        done = subprocess.run(
            [*container, "bash", "-c", inside],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
    finally:
        if not there:  # the place for the binding was made on this machine
            with suppress(OSError):
                Path("/autograder").rmdir()
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))
    return results, (root / "left").read_bytes()


def _seed(folder: Path) -> Path:
    path = folder / "secret.txt"
    path.write_text("a secret of this test\n", encoding="utf-8")
    return path


def test_gradescope_reads_the_results(in_a_container):
    points = exercise("2.1").points + exercise("2.3").points
    results, _ = in_a_container
    assert results["score"] == points, results
    tests = results["tests"]
    assert [set(one) for one in tests] == [{"name", "score", "max_score", "output", "output_format"}] * 2
    assert sum(one["score"] for one in tests) == points
    assert "Of 2 notebooks work.ipynb counts" in results["output"]


def test_nothing_of_the_submission_goes_on(in_a_container):
    _, left = in_a_container
    assert b"bash" in left, "nothing was looked at"
    assert b"sleep\x00987" not in left
