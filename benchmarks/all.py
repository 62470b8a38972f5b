"""Every figure that the book promises, each measured by a command of its own, one after the other.

python benchmarks/all.py [NAME…]       names: the files beside this one
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(wanted: list[str]) -> int:
    """Run the benchmarks named, or all; 1 when one of them failed."""
    files = {path.stem: path for path in sorted(HERE.glob("*.py")) if path.stem != "all"}
    unknown = [name for name in wanted if name not in files]
    if unknown:
        print(f"all.py: no benchmark {unknown[0]}; choose from {', '.join(files)}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted or files:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, str(files[name])], cwd=HERE.parent).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
