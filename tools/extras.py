"""What pyproject.toml asks for, as lines that pip reads.

    python tools/extras.py EXTRA          the extra's requirements, for an install without the package itself
    python tools/extras.py --floors       what the package imports at its lower bounds, as constraints

`make book` uses the first: the build needs no torch, which the package would bring. The job `floors` of
.github/workflows/test.yml uses the second: what is promised as the oldest version has to work.
"""

import re
import sys

from project import project

OF_THE_PACKAGE = ("vision", "experiments", "grading", "cluster")
FLOOR = re.compile(r"([\w-]+)>=([\w.]+)")


def floors() -> list[str]:
    """One constraint ``name==version`` for every package that the package itself imports."""
    facts = project()
    extras = facts["optional-dependencies"]
    lines = {*facts["dependencies"], *(line for name in OF_THE_PACKAGE for line in extras[name])}
    packages = sorted(line for line in lines if not line.startswith(f"{facts['name']}["))
    return ["{}=={}".format(*FLOOR.match(line).groups()) for line in packages]


def main(arguments: list[str]) -> int:
    """Print one requirement a line; 2 and one sentence when the extra is unknown."""
    extras = project()["optional-dependencies"]
    if arguments == ["--floors"]:
        print("\n".join(floors()))
        return 0
    if len(arguments) != 1 or arguments[0] not in extras:
        print(f"extras.py: name one of {', '.join(extras)}, or --floors", file=sys.stderr)
        return 2
    print("\n".join(extras[arguments[0]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
