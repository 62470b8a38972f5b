"""The zip for Gradescope, run as Gradescope does: by root in a container that makes no name spaces."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from attnbook import cli
from attnbook.exercises.registry import exercise
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
    if any(path.startswith(("/tmp/", "/opt/")) for path in packages):
        pytest.skip("this checkout lies in /tmp or /opt, which the container hides: clone it elsewhere")
    stand_ins(root / "stand-ins", python, packages)
    # A container's root: some capabilities, and none that make name spaces.
    container = [shutil.which("bwrap"), "--bind", "/", "/", "--bind", str(root), "/autograder"]
    container += ["--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--die-with-parent"]
    container += ["--perms", "1777", "--tmpfs", "/tmp", "--perms", "0755", "--tmpfs", "/opt"]
    container += ["--ro-bind", "/dev/null", "/usr/bin/bwrap"]  # as where it may make no name spaces
    for capability in ("SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER"):
        container += ["--cap-add", f"CAP_{capability}"]
    # As Gradescope specifies it: setup.sh when the image is built, in which run_autograder is copied and then
    # called for a submission. At last what still runs, before the container ends it too.
    inside = """
        set -e
        cd /autograder/source
        chmod +x setup.sh
        PATH=/autograder/stand-ins:$PATH ./setup.sh
        rm -r /autograder/stand-ins
        cp run_autograder /autograder/
        chmod +x /autograder/run_autograder
        cd /autograder
        set +e
        ./run_autograder > results/stdout; ended=$?
        cat /proc/[0-9]*/cmdline > /autograder/left
        exit $ended
    """
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
    return results, root


def stand_ins(folder: Path, python: Path, packages: list[str]) -> None:
    """Programs for setup.sh that install nothing: apt-get and pip write down what they were asked for.

    The environment that ``python3 -m venv`` makes is a real one, and finds this machine's packages.
    """
    folder.mkdir()
    found = "".join(f"{path}\n" for path in packages)
    programs = {
        "apt-get": '#!/bin/sh\necho "$@" >> /autograder/asked-of-apt\n',
        "pip": '#!/bin/sh\nprintf "%s\\n" "$@" > /autograder/asked-of-pip\n',
        "python3": f"""#!/bin/sh
set -e
test "$1 $2" = "-m venv"
{python} -m venv --without-pip "$3"
printf %s '{found}' > "$(echo "$3"/lib/python*/site-packages)/here.pth"
cp /autograder/stand-ins/pip "$3/bin/pip"
""",
    }
    for name, text in programs.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


def _seed(folder: Path) -> Path:
    path = folder / "secret.txt"
    path.write_text("a secret of this test\n", encoding="utf-8")
    return path


def test_gradescope_reads_the_results(in_a_container):
    points = exercise("2.1").points + exercise("2.3").points
    results, _ = in_a_container
    assert results["score"] == points, results
    tests = results["tests"]
    # The fields that gradescope-autograders.readthedocs.io/en/latest/specs names, and no other.
    assert set(results) <= {
        *("score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"),
        *("visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"),
    }
    assert results["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
    assert "stdout_visibility" not in results, "what a run prints is for instructors alone"
    assert [set(one) for one in tests] == [{"name", "score", "max_score", "output", "output_format"}] * 2
    assert {one["output_format"] for one in tests} <= {"text", "html", "simple_format", "md", "ansi"}
    assert sum(one["score"] for one in tests) == points
    assert "Of 2 notebooks work.ipynb counts" in results["output"]


def test_setup_asks_for_what_there_is(in_a_container):
    _, root = in_a_container
    asked = (root / "asked-of-pip").read_text(encoding="utf-8").split("\n")
    wanted = [Requirement(one) for one in asked if one and one[0].isalpha() and "://" not in one][1:]
    assert {"torch", "numpy", "filelock"} <= {one.name for one in wanted}
    for one in wanted:
        assert one.specifier.contains(metadata.version(one.name).partition("+")[0]), one
    assert "bubblewrap" in (root / "asked-of-apt").read_text(encoding="utf-8")


def test_nothing_of_the_submission_goes_on(in_a_container):
    _, root = in_a_container
    left = (root / "left").read_bytes()
    assert b"bash" in left, "nothing was looked at"
    assert b"sleep\x00987" not in left
