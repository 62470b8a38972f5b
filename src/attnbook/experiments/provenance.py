"""Where a result comes from: the commit of the code, the machine, the versions of what was used."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from attnbook import __version__

SOURCE = Path(__file__).resolve().parent


@cache
def commit() -> str:
    """What ``git describe --always --dirty`` says of the code that runs: ``1c8febc``, ``v0.1-dirty``.

    ``ATTNBOOK_COMMIT`` says it where the code lies without its history, as in an archive; "unknown" where
    neither does.
    """
    told = os.environ.get("ATTNBOOK_COMMIT")
    if told:
        return told
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=SOURCE, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return described.stdout.strip() or "unknown"


def machine(device: torch.device) -> dict[str, Any]:
    """What the numbers were measured on."""
    facts: dict[str, Any] = {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": device.type,
        "torch threads": torch.get_num_threads(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The software that the numbers were measured with; of the extras what is installed."""
    found = {"python": platform.python_version(), "attnbook": __version__}
    for package in ("torch", "numpy", "scikit-learn", "sacrebleu"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
