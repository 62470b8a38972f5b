"""The repository's address is written in pyproject.toml; every other mention agrees with it."""

import re
import subprocess

from project import repository, version
from support import ROOT

ADDRESS = re.compile(
    r"(?:https://)?(?:github\.com|colab\.research\.google\.com/github)/(attnbook[\w.-]*/[\w-]+)"
)
TEXT = {".md", ".py", ".toml", ".yml", ".yaml", ".ipynb", ".cff", ".js", ".html", ".txt", ".json", ""}


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).suffix in TEXT]


def test_every_mention_is_the_address_of_pyproject():
    expected = repository().removeprefix("https://github.com/")
    mentions = 0
    for path in tracked_files():
        if not path.is_file():
            continue
        for found in ADDRESS.findall(path.read_text(encoding="utf-8", errors="replace")):
            mentions += 1
            assert found.removesuffix(".git") == expected, f"{path}: names {found}, pyproject.toml {expected}"
    assert mentions > 1


def test_notebooks_install_the_version_of_pyproject():
    notebooks = [
        *ROOT.glob("chapters/*.ipynb"),
        *ROOT.glob("exercises/*.ipynb"),
        *ROOT.glob("solutions/*.ipynb"),
    ]
    assert notebooks
    for path in notebooks:
        assert f"@v{version()}" in path.read_text(encoding="utf-8"), path
