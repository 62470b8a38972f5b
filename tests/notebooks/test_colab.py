"""The Colab way: one notebook alone, its own first cell installing the package from its tag.

The environment holds torch, matplotlib, numpy and ipywidgets, as Colab's does, and not attnbook. Git is
told to take the repository's address from a bare mirror of this checkout, tagged as a release would be.

``ATTNBOOK_COLAB=all`` runs every chapter this way and installs all of that environment afresh (the nightly
run does). Otherwise one chapter runs, and the packages that are here already are lent to it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import repository, version
from project import tested_torch as torch_that_was_tested
from support import ROOT

CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
AFRESH = os.environ.get("ATTNBOOK_COLAB") == "all"
CHOSEN = CHAPTERS if AFRESH else CHAPTERS[:1]

RUN = """\
import sys, nbformat
from importlib.metadata import version
from nbclient import NotebookClient
path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, path)
print("torch", version("torch"), "attnbook", version("attnbook"))
"""


def _git(*arguments, cwd):
    subprocess.run(
        ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="session")
def mirror(tmp_path_factory) -> Path:
    """A bare repository with this checkout's files under the release's tag."""
    folder = tmp_path_factory.mktemp("mirror")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    work = folder / "work"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, work / name)
    _git("init", "--quiet", cwd=work)
    _git("add", "--all", cwd=work)
    _git("commit", "--quiet", "--message", "release", cwd=work)
    _git("tag", f"v{version()}", cwd=work)
    _git("clone", "--quiet", "--bare", str(work), str(folder / "mirror.git"), cwd=folder)
    return folder / "mirror.git"


def _install(python: Path) -> None:
    """What Colab has, at the tested versions."""
    torch = f"torch=={torch_that_was_tested()}"
    packages = [torch, "numpy", "matplotlib", "ipywidgets", "ipykernel", "nbclient"]
    command = [python, "-m", "pip", "install", "--quiet", "-c", str(ROOT / "requirements.txt"), *packages]
    subprocess.run(command, check=True)


def _lend(python: Path) -> None:
    """This environment's packages, but for attnbook and whatever only a path file makes importable."""
    lent = python.parents[1] / "lent"
    lent.mkdir()
    for folder in (Path(place) for place in sys.path if Path(place).name == "site-packages"):
        for entry in folder.iterdir():
            if (
                not entry.name.startswith(("attnbook", "_attnbook", "__editable__"))
                and entry.suffix != ".pth"
            ):
                (lent / entry.name).symlink_to(entry)
    own = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(own.stdout.strip()) / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")


@pytest.fixture(scope="session")
def colab(mirror, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A fresh environment like Colab's: its Python, and the variables that send git to the mirror."""
    folder = tmp_path_factory.mktemp("colab")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    _install(python) if AFRESH else _lend(python)
    settings = folder / "gitconfig"
    settings.write_text(
        f'[url "{mirror.as_uri()}"]\n\tinsteadOf = {repository()}\n[safe]\n\tdirectory = *\n',
        encoding="utf-8",
    )
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ATTNBOOK_DATA")},
        "GIT_CONFIG_GLOBAL": str(settings),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder / "venv"),
        "JUPYTER_PATH": str(folder / "venv" / "share" / "jupyter"),
    }
    return python, environment


@pytest.mark.network
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chapter", CHOSEN, ids=lambda path: path.stem)
def test_chapter_alone_installs_the_package_and_runs(chapter, colab, tmp_path):
    python, environment = colab
    alone = tmp_path / chapter.name
    shutil.copyfile(chapter, alone)
    probe = subprocess.run(
        [python, "-c", "import attnbook"], cwd=tmp_path, env=environment, capture_output=True
    )
    if chapter == CHOSEN[0]:
        assert probe.returncode != 0, "attnbook was there before the notebook installed it"
    before = subprocess.run(
        [python, "-c", "import torch; print(torch.__version__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    done = subprocess.run(
        [python, "-c", RUN, str(alone)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"torch {before} attnbook {version()}" in done.stdout
