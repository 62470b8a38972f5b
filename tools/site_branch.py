"""Keep the published site in a branch of its own, from which GitHub Pages gets it whole.

    python tools/site_branch.py take FOLDER      the branch's files, or an empty folder where there is none
    python tools/site_branch.py keep FOLDER      FOLDER as the branch's only commit, pushed

A deployment replaces the whole site. Old versions therefore have to be kept somewhere, and they are kept as
they were published, since a build of an old tag would need packages that may be gone. The branch has one
commit without parents: pages that were replaced leave no history that every clone would carry.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from project import ROOT

BRANCH = "gh-pages"
REMOTE = "origin"


def _git(*arguments: str, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


def take(folder: Path, checkout: Path = ROOT) -> bool:
    """Write the branch's files into a new folder; whether there was such a branch.

    Raises
    ------
    FileExistsError
        If the folder holds something.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds something; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not _git("ls-remote", "--heads", REMOTE, BRANCH, cwd=checkout):
        return False
    _git("fetch", "--quiet", "--depth=1", REMOTE, f"refs/heads/{BRANCH}", cwd=checkout)
    with tempfile.TemporaryDirectory() as place:
        packed = Path(place) / "site.tar"
        _git("archive", f"--output={packed}", "FETCH_HEAD", cwd=checkout)
        # Python's own advice: the filter came to 3.11 with 3.11.4, and not to every system's package of it
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        with tarfile.open(packed) as archive:
            archive.extractall(folder, **safely)
    return True


def keep(folder: Path, message: str, checkout: Path = ROOT) -> str:
    """Make the folder the branch's only commit and push it; the commit.

    Raises
    ------
    FileNotFoundError
        If the folder is no assembled site, which must not take the place of one.
    """
    if not (folder / "versions.json").is_file():
        raise FileNotFoundError(f"{folder} has no versions.json; assemble the site first")
    with tempfile.TemporaryDirectory() as place:
        # An index of its own: whatever is staged in the checkout stays as it is.
        index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
        work = f"--work-tree={folder.resolve()}"
        _git(work, "add", "--all", "--force", ".", cwd=checkout, **index)
        tree = _git("write-tree", cwd=checkout, **index)
    commit = _git("commit-tree", tree, "-m", message, cwd=checkout)
    _git("push", "--quiet", "--force", REMOTE, f"{commit}:refs/heads/{BRANCH}", cwd=checkout)
    return commit


def main(arguments: list[str] | None = None) -> int:
    """Take or keep; 1 and one sentence when it cannot be done."""
    parser = argparse.ArgumentParser(description=f"The site in the branch {BRANCH}.")
    parser.add_argument("what", choices=["take", "keep"])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.what == "take":
            there = take(options.folder)
            print(f"{BRANCH}: {'taken' if there else 'not there yet; the site begins empty'}")
        else:
            print(keep(options.folder, f"The site, with the pages of {_git('rev-parse', '--short', 'HEAD')}"))
    except (FileExistsError, FileNotFoundError) as error:
        print(f"site_branch.py: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"site_branch.py: git {error.cmd[1]} failed: {error.stderr.strip()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
