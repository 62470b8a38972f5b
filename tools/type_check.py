"""Type errors of the package, room by room, against the most that each may have.

python tools/type_check.py             compare with tools/type_errors.json
python tools/type_check.py --lower     write down lower numbers; a higher one is never written

A room that is not in the file may have none. The numbers only fall.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from project import ROOT

ALLOWED = ROOT / "tools" / "type_errors.json"
SOURCE = ROOT / "src" / "attnbook"


def errors() -> list[dict]:
    """What basedpyright finds, as pyproject.toml configures it; with file, range, message and rule."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except (json.JSONDecodeError, KeyError):
        raise SystemExit(f"type_check.py: basedpyright did not run; {done.stdout}{done.stderr}") from None
    return [error for error in found if error["severity"] == "error"]


def room(error: dict) -> str:
    """The room of the package that an error is in."""
    return Path(error["file"]).relative_to(SOURCE).parts[0].removesuffix(".py")


def problems(counts: dict[str, int], allowed: dict[str, int]) -> list[str]:
    """One sentence for each room whose number of errors is not the one that is written down."""
    sentences = []
    for name in sorted(counts.keys() | allowed.keys()):
        now, most = counts.get(name, 0), allowed.get(name, 0)
        if now > most:
            sentences.append(f"{name}: {now} type errors, at most {most} allowed; mend those that are new")
        elif now < most:
            sentences.append(
                f"{name}: {now} type errors, {most} written down; run python tools/type_check.py --lower"
            )
    return sentences


def lowered(counts: dict[str, int], allowed: dict[str, int]) -> dict[str, int]:
    """The smaller number of each room, rooms without errors left out."""
    smaller = {name: min(counts.get(name, 0), most) for name, most in allowed.items()}
    return {name: most for name, most in sorted(smaller.items()) if most}


def main(arguments: list[str]) -> int:
    """Compare, or lower; 1 when a room has more or fewer errors than is written down."""
    found = errors()
    counts = Counter(map(room, found))
    allowed = json.loads(ALLOWED.read_text(encoding="utf-8"))
    if arguments == ["--lower"]:
        allowed = lowered(counts, allowed)
        ALLOWED.write_text(json.dumps(allowed, indent=1) + "\n", encoding="utf-8")
    wrong = problems(counts, allowed)
    for error in found:
        if counts[room(error)] > allowed.get(room(error), 0):
            place = f"{Path(error['file']).relative_to(ROOT)}:{error['range']['start']['line'] + 1}"
            print(f"{place}: {error['message'].splitlines()[0]} ({error.get('rule', 'syntax')})")
    print("\n".join(wrong) or f"type errors: {sum(counts.values())}, as written down")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
