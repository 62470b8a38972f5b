"""Tag a release, once every file agrees on its version and every check passes.

python tools/release.py [--check]      --check: say what would stop the release, tag nothing
"""

import subprocess
import sys

from project import ROOT, version


def obstacles() -> list[str]:
    """One sentence for each thing that stands between this checkout and a tag."""
    found = []
    number = version()
    if f"version: {number}\n" not in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        found.append(f"CITATION.cff: its version is not {number}, that of pyproject.toml")
    if f"## {number}\n" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        found.append(f"CHANGELOG.md: no section {number}; say what changed")
    if _git("status", "--porcelain"):
        found.append("the working tree has changes; commit them")
    if _git("tag", "--list", f"v{number}"):
        found.append(f"the tag v{number} exists; raise the version in pyproject.toml")
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """1 when something stands in the way; else run the checks and tag."""
    found = obstacles()
    for sentence in found:
        print(f"release: {sentence}", file=sys.stderr)
    if found or "--check" in arguments:
        return int(bool(found))
    if subprocess.run([sys.executable, "tools/test.py"], cwd=ROOT).returncode:
        print("release: a check failed; nothing was tagged", file=sys.stderr)
        return 1
    _git("tag", "--annotate", f"v{version()}", "--message", f"attnbook {version()}")
    print(f"tagged v{version()}; publish it with: git push origin v{version()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
