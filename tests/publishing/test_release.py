"""A release, made in a clone of this repository: 0.2.0 is tagged, and what is not ready is refused."""

import re
import shutil
import subprocess
import sys

import pytest

from support import ROOT

CHANGES = "# Changes\n\n## Unreleased\n\n- A chapter.\n\n## 0.1.0\n\nThe first version.\n"


class Clone:
    """A clone in which the tools of this checkout are run."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *arguments):
        command = ["git", "-c", "user.name=A reader", "-c", "user.email=reader@example.org", *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def release(self, *words):
        command = [sys.executable, "tools/release.py", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self, message):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)


def stated(text):
    """The same text, with 0.1.0 wherever it states this package's version."""
    for before, after in (
        (r"@v\d+\.\d+\.\d+", "@v0.1.0"),
        (r"attnbook \d+\.\d+\.\d+ on", "attnbook 0.1.0 on"),
        (r"(?m)^version: .+$", "version: 0.1.0"),
        (r'(?m)^version = ".+"$', 'version = "0.1.0"'),
    ):
        text = re.sub(before, after, text)
    return text


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """What a release reads of this repository, with the tools as they stand, and one change to release."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A reader")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "reader@example.org")
    folder = tmp_path / "clone"
    options = ["--quiet", "--shared", "--no-checkout"]
    subprocess.run(["git", "clone", *options, str(ROOT), str(folder)], check=True)
    made = Clone(folder)
    for tag in made.git("tag", "--list").split():
        made.git("tag", "--delete", tag)
    # Two notebooks stand for all of them.
    read = [
        "pyproject.toml",
        "CITATION.cff",
        "README.md",
        "book/instructors.md",
        "requirements.txt",
        ".gitignore",
    ]
    read += [f"chapters/{path.name}" for path in sorted(ROOT.glob("chapters/*.ipynb"))[:2]]
    made.git("checkout", "HEAD", "--", *read)
    for name in read:
        made.write(name, stated(made.read(name)))
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    made.write("CHANGELOG.md", CHANGES)
    # The tests of the clone are one line, which leaves the note that real ones leave.
    made.write("tools/test.py", "import passed\npassed.write(60.0)\n")
    made.commit("At 0.1.0")
    return made


def test_0_2_0_is_raised_and_tagged(clone):
    raised = clone.release("raise", "0.2.0")
    assert raised.returncode == 0, raised.stderr
    changed = clone.git("diff", "--name-only").splitlines()
    assert {"pyproject.toml", "CITATION.cff", "CHANGELOG.md", "README.md", "book/instructors.md"} < set(
        changed
    )
    assert len([name for name in changed if name.endswith(".ipynb")]) == 2
    assert "## 0.2.0\n\n- A chapter.\n\n## 0.1.0" in clone.read("CHANGELOG.md")
    assert re.search(r"(?m)^date-released: \d{4}-\d\d-\d\d$", clone.read("CITATION.cff"))
    assert "v0.1.0" not in "".join(clone.read(name) for name in changed if name != "CHANGELOG.md")
    refused = clone.release()
    assert refused.returncode == 1
    assert refused.stderr == "release: the working tree has changes; commit them\n"
    assert clone.git("tag") == ""
    clone.commit("0.2.0")
    assert clone.release("--check").returncode == 0
    assert clone.git("tag") == ""
    done = clone.release()
    assert done.returncode == 0, done.stderr
    assert "git push origin v0.2.0" in done.stdout
    assert clone.git("rev-parse", "v0.2.0^{commit}") == clone.git("rev-parse", "HEAD")
    message = clone.git("tag", "--list", "--format=%(contents)", "v0.2.0")
    assert re.match(r"attnbook 0\.2\.0\n\nAll checks passed on \w+ with Python 3\.\d+", message)
    again = clone.release()
    assert again.returncode == 1
    assert "the tag v0.2.0 exists" in again.stderr


def test_what_is_not_ready_is_named(clone):
    clone.write("CHANGELOG.md", "# Changes\n\n## Unreleased\n\n## 0.0.9\n\n- Old.\n")
    clone.write("CITATION.cff", "version: 0.0.9\n")
    clone.write("README.md", clone.read("README.md").replace("@v0.1.0", "@v0.0.9"))
    done = clone.release("--check")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "CITATION.cff: its version is not 0.1.0, that of pyproject.toml",
        "CITATION.cff: it has no line date-released; add the day of this release",
        "CHANGELOG.md: no section 0.1.0 at its head; say what changed",
        "README.md: it installs another version than 0.1.0; raise the version",
        "the working tree has changes; commit them",
    ]
    clone.write("CHANGELOG.md", "# Changes\n\n## Unreleased\n\n- New.\n\n## 0.1.0\n")
    said = clone.release("--check").stdout
    assert "changes stand under Unreleased; raise the version first" in said
    assert "the section 0.1.0 is empty" in said


def test_a_version_is_not_raised_without_reason_and_no_file_changes(clone):
    nothing = CHANGES.replace("- A chapter.\n\n", "")
    for number, changes, words in (
        ("0.1.0", CHANGES, "expected a version above 0.1.0"),
        ("0.2", CHANGES, "expected a version such as 0.2.0, got 0.2"),
        ("0.2.0", nothing, "nothing stands under Unreleased; say what changed"),
    ):
        clone.write("CHANGELOG.md", changes)
        before = clone.git("diff")
        done = clone.release("raise", number)
        assert done.returncode == 1
        assert words in done.stderr
        assert clone.git("diff") == before


@pytest.mark.parametrize(
    ("tests", "words"),
    [("raise SystemExit(1)\n", "a check failed"), ("", "the checks left no note of this commit")],
)
def test_nothing_is_tagged_without_passed_checks(clone, tests, words):
    clone.write("CHANGELOG.md", "# Changes\n\n## 0.1.0\n\n- The first.\n")
    # A note of another commit does not count.
    subprocess.run([sys.executable, "tools/test.py"], cwd=clone.folder, check=True)
    clone.write("tools/test.py", tests)
    clone.commit("Other checks")
    done = clone.release()
    assert done.returncode == 1
    assert f"{words}; nothing was tagged" in done.stderr
    assert clone.git("tag") == ""
