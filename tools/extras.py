"""Print the requirements of one of pyproject.toml's extras, for an install without the package itself.

    python tools/extras.py book

`make book` uses it: the build needs no torch, which the package would bring.
"""

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def main(arguments: list[str]) -> int:
    """Print one requirement a line; 2 and one sentence when the extra is unknown."""
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    if len(arguments) != 1 or arguments[0] not in extras:
        print(f"extras.py: name one of {', '.join(extras)}", file=sys.stderr)
        return 2
    print("\n".join(extras[arguments[0]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
