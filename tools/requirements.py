"""Write requirements.txt: one tested version of every package that `make test` installs.

    python tools/requirements.py [--upgrade]

Versions that are pinned already stay, and what pyproject.toml newly needs is added; ``--upgrade`` takes the
newest of everything. pip resolves and installs nothing. Run the tests before you commit what it wrote.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from project import ROOT

REQUIREMENTS = ROOT / "requirements.txt"
HEAD = "# The whole tested environment, used as constraints; `make requirements` writes it.\n"


def resolved(constraints: list[str]) -> list[str]:
    """``name==version`` of everything that the extra ``all`` brings, sorted.

    Raises
    ------
    subprocess.CalledProcessError
        If the packages do not fit together; pip has said which.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), *constraints, "--editable", f"{ROOT}[all]"]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    packages = {item["metadata"]["name"]: item["metadata"]["version"] for item in found}
    del packages["attnbook"]
    # What follows a plus names a build (torch's for a processor), not a version.
    return [f"{name}=={packages[name].partition('+')[0]}" for name in sorted(packages, key=str.lower)]


def main() -> int:
    """Resolve and write; 1 when nothing fits, and requirements.txt stays as it was."""
    parser = argparse.ArgumentParser(description="Write requirements.txt.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest version of everything")
    options = parser.parse_args()
    try:
        lines = resolved([] if options.upgrade else ["--constraint", str(REQUIREMENTS)])
    except subprocess.CalledProcessError:
        print("requirements.py: nothing was written; pip says above what does not fit", file=sys.stderr)
        return 1
    part = REQUIREMENTS.with_suffix(".part")
    part.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, REQUIREMENTS)
    print(f"{REQUIREMENTS.name}: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
