"""The branch of the site: what was published comes back byte for byte, and no history grows behind it."""

import subprocess

import pytest

from site_branch import BRANCH, keep, take


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A clone with one commit of its own, and a bare repository to push to."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A reader")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "reader@example.org")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "checkout")
    folder = tmp_path / "checkout"
    (folder / ".gitignore").write_text("_build/\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "A book")
    git(folder, "push", "--quiet", "origin", "HEAD:main")
    return folder


def write_site(folder, words):
    (folder / "0.1" / "_build").mkdir(parents=True, exist_ok=True)
    (folder / "0.1" / "_build" / "page.html").write_text(words)  # a name that the book ignores
    (folder / "versions.json").write_text("[]")


def test_a_site_comes_back_as_it_was_kept(checkout, tmp_path):
    assert take(tmp_path / "first", checkout) is False
    write_site(tmp_path / "first", "a page")
    (checkout / "staged.txt").write_text("not yet committed")
    git(checkout, "add", "staged.txt")
    keep(tmp_path / "first", "one", checkout)
    assert take(tmp_path / "second", checkout) is True
    assert (tmp_path / "second/0.1/_build/page.html").read_text() == "a page"
    write_site(tmp_path / "second", "another page")
    keep(tmp_path / "second", "two", checkout)
    remote = tmp_path / "remote.git"
    assert git(remote, "log", "--format=%s", BRANCH) == "two"  # one commit alone
    assert git(remote, "show", f"{BRANCH}:0.1/_build/page.html") == "another page"
    assert git(remote, "log", "--format=%s", "main") == "A book"
    assert git(checkout, "status", "--porcelain") == "A  staged.txt"


def test_a_folder_in_use_and_one_without_a_site_are_refused(checkout, tmp_path):
    write_site(tmp_path / "full", "a page")
    with pytest.raises(FileExistsError, match="holds something; name a new folder"):
        take(tmp_path / "full", checkout)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no versions\.json; assemble the site first"):
        keep(tmp_path / "empty", "nothing", checkout)
    assert git(tmp_path / "remote.git", "branch", "--list", BRANCH) == ""
