"""An autograder for Gradescope, which takes no marks made elsewhere: a zip that grades in its container.

``make_zip`` writes it; ``python -m attnbook.grading.gradescope /autograder`` is what runs there, for one
submission.
"""

from __future__ import annotations

import json
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import attnbook
from attnbook.grading.limits import Limits

PYTHON = "/opt/grader/bin/python"
SETUP = """\
#!/usr/bin/env bash
# Runs once, when Gradescope builds the image. Needs a base image with Python 3.11 or later (Ubuntu 24.04).
set -e
apt-get update
apt-get install -y python3 python3-venv util-linux bubblewrap
python3 -m venv /opt/grader
/opt/grader/bin/pip install --extra-index-url https://download.pytorch.org/whl/cpu {packages}
"""
RUN = f"""\
#!/usr/bin/env bash
# Runs for each submission. The references and the secret lie in source/, which only root may read.
chmod 700 /autograder/source /autograder/results
cd /
PYTHONPATH=/autograder/source {PYTHON} -m attnbook.grading.gradescope /autograder
"""


def make_zip(
    folder: Path, exercises: list[str], secret: str, limits: Limits, notebook: str, specs: Path | None
) -> Path:
    """Write ``autograder.zip`` into ``folder`` and return its path.

    Parameters
    ----------
    folder : Path
    exercises : list of str
        Ids, of the book's own or of those in ``specs``.
    secret : str
        From which the hidden inputs are drawn: whoever has the zip can compute them.
    limits : Limits
    notebook : str
        How the notebook that counts is called, or empty.
    specs : Path or None
        An instructor's own exercises.
    """
    package = Path(attnbook.__file__).resolve().parent
    settings = {
        "exercises": exercises,
        "secret": secret,
        "notebook": notebook,
        "cell": limits.cell,
        "submission": limits.submission,
        "specs": specs is not None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "autograder.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.format(packages=" ".join(f"'{one}'" for one in packages())))
        _add(archive, "run_autograder", RUN)
        _add(archive, "grading.json", json.dumps(settings, indent=1))
        if specs is not None:
            _add(archive, "specs.py", specs.read_text(encoding="utf-8"))
        for file in sorted(package.rglob("*")):
            inside = file.relative_to(package)
            # Learners' code imports the experiments, and these the modules of `results`.
            measured = "results" in inside.parts and file.suffix != ".py"
            if file.is_file() and not measured and not {"__pycache__", "js"} & set(inside.parts):
                archive.write(file, f"attnbook/{inside.as_posix()}")
    path.chmod(0o600)
    return path


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (0o755 if not Path(name).suffix or name.endswith(".sh") else 0o600) << 16
    archive.writestr(entry, text)


def packages() -> list[str]:
    """What pip has to install: the torch of this machine, and what attnbook needs to grade."""
    needed = [f"torch=={torch.__version__.partition('+')[0]}"]
    for line in metadata.requires("attnbook") or []:
        package, _, marker = line.partition(";")
        if (not marker or "grading" in marker) and not package.startswith("torch"):
            needed.append(package.strip())
    return needed


def results(row: dict[str, Any]) -> dict[str, Any]:
    """Gradescope's results format: one test an exercise."""
    return {
        "score": row["points"] or 0,
        "output": row["status"],
        "visibility": "visible",
        "tests": [
            {
                "name": f"{mark['id']} {mark['title']}",
                "score": mark["points"],
                "max_score": mark["possible"],
                "output": "\n\n".join(mark["feedback"]),
                "output_format": "text",
            }
            for mark in row["marks"]
        ],
    }


def grade_here(root: Path) -> dict[str, Any]:
    """Grade ``root/submission`` as ``root/source/grading.json`` says; write ``root/results/results.json``.

    A failure of ours gives no score: Gradescope then shows that the autograder failed, and no 0.
    """
    from attnbook.exercises.registry import exercise
    from attnbook.grading import batch, sandbox, submissions
    from attnbook.grading.command import own_specs
    from attnbook.grading.pool import Pool

    source = root / "source"
    settings = json.loads((source / "grading.json").read_text(encoding="utf-8"))
    own = {one.id: one for one in own_specs(source / "specs.py")} if settings["specs"] else {}
    plan = batch.Plan(
        exercises=tuple(own.get(id) or exercise(id) for id in settings["exercises"]),
        secret=settings["secret"],
        limits=Limits(cell=settings["cell"], submission=settings["submission"]),
        sandbox=sandbox.choose(disposable=True),
    )
    found = submissions.of_one(root / "submission", settings["notebook"])
    (counting,) = (one for one in found if one.counts)
    with Pool(plan.sandbox, plan.limits, ahead=1) as pool:
        row = batch.grade_one(counting, plan, pool)
    if row["status"].startswith(batch.NOT_GRADED):
        raise RuntimeError(row["status"])
    made = results(row)
    if len(found) > 1:
        name = counting.path.relative_to(root / "submission").as_posix()  # as the learner knows it
        made["output"] += f". Of {len(found)} notebooks {name} counts."
    (root / "results" / "results.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    return made


if __name__ == "__main__":
    grade_here(Path(sys.argv[1]))
