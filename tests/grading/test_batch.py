"""A batch goes on after a crash, starts workers only in a sandbox, and can be handed to a cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading import sandbox
from attnbook.grading.limits import Limits
from support import ROOT

RIGHT = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"
POINTS = exercise("2.3").points


def lay(folder: Path, **sources: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        content = {"cells": [{"cell_type": "code", "source": source}]}
        (folder / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    return folder


def rows(out: Path) -> dict[str, dict]:
    stored = json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]
    return {row["id"]: row for row in stored}


@pytest.fixture(autouse=True)
def _sandboxed(request):
    if "no_sandbox" not in request.keywords and not sandbox.bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")


def alive(pattern: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if pattern in line:
            found.append(line)
    return found


def test_a_killed_judge_resumes_with_nothing_lost_or_done_twice(tmp_path):
    count = 12  # of which most are left when the second is seen
    folder = lay(tmp_path / "in", **{f"s{n}": RIGHT + f"n = {n}\n" for n in range(count)})
    command = [sys.executable, "-m", "attnbook.cli", "grade", str(folder), "--exercises", "2.3"]
    command += ["--jobs", "1", "--out", str(tmp_path / "out")]
    stored = tmp_path / "out" / "work" / "rows"
    judge = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list(stored.glob("*.json"))) < 2:
        time.sleep(0.05)
    judge.send_signal(signal.SIGKILL)
    judge.wait()
    before = {path.name: path.stat().st_mtime_ns for path in stored.glob("*.json")}
    assert 2 <= len(before) < count
    assert subprocess.run(command, capture_output=True).returncode == 0
    graded = rows(tmp_path / "out")
    assert len(graded) == count
    assert all(row["points"] == POINTS for row in graded.values())
    after = {path.name: path.stat().st_mtime_ns for path in stored.glob("*.json")}
    assert {name: after[name] for name in before} == before, "a stored row was graded again"
    assert len(after) == count


def test_two_runs_into_one_folder_do_not_mix(tmp_path, capsys):
    folder = lay(tmp_path / "in", ada=RIGHT)
    command = ["grade", str(folder), "--exercises", "2.3", "--jobs", "1", "--out", str(tmp_path / "out")]
    (tmp_path / "out" / "work").mkdir(parents=True)
    with FileLock(tmp_path / "out" / "work" / "lock"):
        assert cli.main(command) != 0
    assert "another run grades into" in capsys.readouterr().err
    assert not (tmp_path / "out" / "grades.json").exists()
    assert cli.main(command) == 0


def test_a_withdrawn_submission_leaves_no_page(tmp_path):
    folder = lay(tmp_path / "in", ada=RIGHT, ben="x = 1")
    out = tmp_path / "out"
    command = ["grade", str(folder), "--exercises", "2.3", "--out", str(out)]
    assert cli.main(command) == 0
    (out / "feedback" / "note.html").write_text("an instructor's own", encoding="utf-8")
    (folder / "ben.ipynb").unlink()
    assert cli.main(command) == 0
    assert sorted(path.name for path in (out / "feedback").iterdir()) == ["ada.html", "note.html"]


def test_a_changed_submission_is_graded_again_and_the_rest_is_not(tmp_path):
    folder = lay(tmp_path / "in", ada=RIGHT, ben="x = 1")
    command = ["grade", str(folder), "--exercises", "2.3", "--jobs", "1", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    lay(folder, ben=RIGHT)
    first = rows(tmp_path / "out")
    assert cli.main(command) == 0
    second = rows(tmp_path / "out")
    assert (first["ben"]["points"], second["ben"]["points"]) == (0, POINTS)
    assert first["ada"] == {**second["ada"], "flags": first["ada"]["flags"]}


def test_library_calls_are_flagged_and_earn_their_points(tmp_path):
    source = "import torch\nfrom attnbook.nn import scaled_dot_product_attention\n" + RIGHT
    folder = lay(tmp_path / "in", ada=source, ben="# attnbook.nn is not used\n" + RIGHT)
    assert cli.main(["grade", str(folder), "--exercises", "2.3", "--out", str(tmp_path / "out")]) == 0
    graded = rows(tmp_path / "out")
    assert any("uses attnbook.nn" in flag for flag in graded["ada"]["flags"])
    assert not any("uses" in flag for flag in graded["ben"]["flags"])
    assert graded["ada"]["points"] == graded["ben"]["points"] == POINTS


def test_inputs_depend_on_the_secret_alone(tmp_path):
    from attnbook.grading.marks import exercise_seed

    assert exercise_seed("a", "2.3") == exercise_seed("a", "2.3")
    assert len({exercise_seed(s, e) for s in "ab" for e in ("2.3", "2.4")}) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--chapter", "99"], "--chapter: no exercises for 99"),
        (["--exercises", "77.1"], "--exercises: There is"),
        (["--exercises", "2.3", "--seed-file", "nowhere"], "--seed-file: nowhere cannot be read"),
        (["--exercises", "2.3", "--roster", "nowhere"], "--roster: nowhere cannot be read"),
        (["--exercises", "2.3", "--jobs", "0"], "--jobs: expected at least 1"),
        (["--specs", "nowhere.py"], "--specs: nowhere.py is not there"),
        (["--specs", str(ROOT / "Makefile")], "Makefile is no Python file; name one that ends in .py"),
        (["--exercises", "2.3", "--cell-seconds", "0"], "cell: expected a number above 0"),
        (["--exercises", "2.3", "--cluster", "tcp://127.0.0.1:9"], "--cluster: no scheduler answers"),
    ],
)
def test_bad_options_are_one_sentence(tmp_path, arguments, words, capsys):
    folder = lay(tmp_path / "in", ada=RIGHT)
    assert cli.main(["grade", str(folder), "--out", str(tmp_path / "out"), *arguments]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert not (tmp_path / "out" / "grades.csv").exists()


def test_own_specs_are_graded(tmp_path):
    spec = tmp_path / "mine.py"
    spec.write_text(
        "from attnbook.exercises.spec import Case, Function, Output\n"
        "def double(x):\n    return 2 * x\n"
        "EXERCISES = [Function(id='1.1', title='Double', points=5, minutes=1, difficulty='easy',\n"
        "    signature='double(x)', outputs=(Output('twice', ('n',)),), hints=('Add.',),\n"
        "    reference=double, cases=lambda draw: [Case({'x': draw.normal(3)})])]\n",
        encoding="utf-8",
    )
    folder = lay(tmp_path / "in", ada="def double(x): return x + x", ben="def double(x): return x * x")
    assert cli.main(["grade", str(folder), "--specs", str(spec), "--out", str(tmp_path / "out")]) == 0
    assert {id: row["points"] for id, row in rows(tmp_path / "out").items()} == {"ada": 5, "ben": 0}


def test_own_specs_with_faults_are_refused_in_sentences(tmp_path, capsys):
    spec = tmp_path / "mine.py"
    spec.write_text(
        "from attnbook.exercises.spec import Case, Function, Output\n"
        "EXERCISES = [Function(id='1.1', title='Double', points=0, minutes=1, difficulty='simple',\n"
        "    signature='double(x)', outputs=(Output('twice', ('n',)),), hints=('Add.',),\n"
        "    reference=lambda y: 2 * y, cases=lambda draw: [Case({'x': draw.normal(3)})])]\n",
        encoding="utf-8",
    )
    folder = lay(tmp_path / "in", ada="def double(x): return x + x")
    assert cli.main(["grade", str(folder), "--specs", str(spec), "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    for words in (
        "1.1: points: a whole number of at least 1 was expected, got 0.",
        '1.1: difficulty: "simple" is none of easy, medium, hard.',
        "1.1: signature: it has the parameters (x), the reference (y).",
    ):
        assert words in error
    assert "Traceback" not in error


@pytest.mark.no_sandbox
def test_without_a_sandbox_grading_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sandbox, "bubblewrap_works", lambda: False)
    folder = lay(tmp_path / "in", ada=RIGHT)
    command = ["grade", str(folder), "--exercises", "2.3", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 1
    assert "install bubblewrap" in capsys.readouterr().err
    assert cli.main([*command, "--unsafe"]) == 0
    assert rows(tmp_path / "out")["ada"]["isolation"] == "none (--unsafe)"
    assert "isolation=none (--unsafe)" in rows(tmp_path / "out")["ada"]["flags"]


@pytest.mark.no_sandbox
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_is_cut_off_and_limited(engine, tmp_path):
    command, _ = sandbox._container(sandbox.Sandbox(engine, "image:1"), tmp_path, Limits())
    text = " ".join(command)
    assert command[0] == engine
    for part in (
        "--network none",
        "--read-only",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--pids-limit 64",
        "--user 65534:65534",
        f"{tmp_path}:/runtime:ro",
        "image:1 python -I /runtime/attnbook/worker/main.py",
    ):
        assert part in text


def test_an_ordinary_user_can_grade(tmp_path):
    """The same command without root's rights, by another Python of this version where ours is root's own."""
    python = Path("/usr/bin") / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() == 0 and not python.exists():
        pytest.skip(f"Windows, macOS or no {python}: a Python that an ordinary user may run is needed")
    command = [str(python), "-m", "attnbook.cli"]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", *command]
    else:
        command = [sys.executable, "-m", "attnbook.cli"]
    place = Path("/tmp") / f"attnbook-ordinary-{os.getpid()}"
    folder = lay(
        place / "in",
        ada=RIGHT + "import os\nwho = os.getuid()\n",
        bomb=RIGHT
        + "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    )
    (place / "out").mkdir()
    (place / "out").chmod(0o777)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {"PATH": os.environ["PATH"], "HOME": str(place / "out"), "TQDM_DISABLE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), *packages])
    try:
        done = subprocess.run(
            [
                *command,
                "grade",
                str(folder),
                "--exercises",
                "2.3",
                "--cell-seconds",
                "3",
                "--out",
                str(place / "out"),
            ],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        graded = rows(place / "out")
        assert graded["ada"]["points"] == POINTS
        assert graded["ada"]["isolation"] == "bubblewrap"
        assert graded["bomb"]["points"] in (0, POINTS)
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)
