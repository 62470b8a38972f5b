"""Repeat an experiment over seeds, keep what is done, and write results that say where they come from."""

from __future__ import annotations

import argparse
import os
import shlex
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from tqdm import tqdm

from attnbook.devices import named_device
from attnbook.devices import seed as set_seed
from attnbook.experiments.provenance import commit, machine, versions
from attnbook.experiments.registry import experiments, load
from attnbook.experiments.shipping import ship
from attnbook.models.layout import PRECISIONS
from attnbook.results import FOLDER, read, summarise, write

SHARED = {
    "experiment", "seeds", "first_seed", "device", "out", "threads", "command", "function", "words",
    "ship", "precision", "models",
}  # fmt: skip


def add_parser(subparsers, words: list[str]) -> None:
    """``attnbook run NAME …``: one subcommand an experiment, its own options beside the shared ones."""
    parser = subparsers.add_parser("run", help="repeat an experiment over seeds and store its results")
    names = parser.add_subparsers(dest="experiment", required=True, metavar="EXPERIMENT")
    wanted = next((word for word in words[1:] if not word.startswith("-")), None)
    for name, about in experiments().items():
        # Only the experiment that was asked for is imported: the others cost seconds.
        module = load(name) if name == wanted else None
        options = names.add_parser(name, help=about, description=about)
        options.add_argument("--seeds", type=int, default=3, metavar="N", help="how many seeds (default 3)")
        options.add_argument("--first-seed", type=int, default=0, metavar="S", help="the first (default 0)")
        options.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps")
        options.add_argument("--threads", type=int, default=None, help="torch threads (default: its own)")
        options.add_argument("--out", type=Path, default=None, help="results file (JSON)")
        if module:
            module.add_arguments(options)
        if hasattr(module, "trained"):
            options.add_argument(
                "--ship", metavar="NAME", help="store the first seed's model in attnbook.models"
            )
            options.add_argument(
                "--precision", choices=PRECISIONS, default="half", help="of --ship (default half)"
            )
            options.add_argument("--models", type=Path, help="folder of --ship (default the package's own)")
        options.set_defaults(function=run, words=words)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The experiment's own options, as JSON can hold them."""
    return {
        key: str(value) if isinstance(value, Path) else value
        for key, value in sorted(vars(arguments).items())
        if key not in SHARED
    }


def run(arguments: argparse.Namespace) -> int:
    """Run every seed that the results file does not hold yet; store after each one.

    Raises
    ------
    ValueError
        If a number is out of range, or the results file belongs to other options.
    """
    if arguments.seeds < 1:
        raise ValueError(f"--seeds: expected at least 1, got {arguments.seeds}")
    if arguments.threads is not None:
        if arguments.threads < 1:
            raise ValueError(f"--threads: expected at least 1, got {arguments.threads}")
        torch.set_num_threads(arguments.threads)
    experiment = load(arguments.experiment)
    if hasattr(experiment, "runs"):
        return _run_each(arguments, experiment)
    device = named_device(arguments.device)
    options = _options(arguments)
    name = experiment.result_name(arguments) if hasattr(experiment, "result_name") else arguments.experiment
    path = arguments.out or FOLDER / f"{name}.json"
    done = _stored(path, arguments.experiment, options)
    writes = os.environ.get("RANK", "0") == "0"  # under torchrun the first process writes for all

    wanted = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for seed in tqdm([s for s in wanted if str(s) not in done], desc=name, unit="seed", disable=not writes):
        set_seed(seed)
        started = time.monotonic()
        numbers = experiment.run_seed(arguments, seed, device)
        done[str(seed)] = {**numbers, "seconds": round(time.monotonic() - started, 1)}
        if writes:
            done = dict(sorted(done.items(), key=lambda item: int(item[0])))
            write(
                path,
                {
                    "experiment": arguments.experiment,
                    "command": shlex.join(["attnbook", *arguments.words]),
                    "commit": commit(),
                    "options": options,
                    "machine": machine(device),
                    "versions": versions(),
                    "seeds": done,
                    "summary": summarise(done),
                },
            )
    if writes:
        print(f"{path}: {len(done)} seeds")
        for key, row in summarise(done).items():
            print(f"  {key:40s} {row['mean']:.4g} ± {row['std']:.2g}  (n = {row['n']:.0f})")
        if getattr(arguments, "ship", None):
            print(_ship(arguments, experiment, device))
    return 0


def _run_each(arguments: argparse.Namespace, experiment: ModuleType) -> int:
    """One after the other the runs of other experiments of which this one is a list, each stored by its own
    name; with this command's seeds, device and threads.
    """
    if arguments.out is not None:
        raise ValueError(
            f"--out: {arguments.experiment} stores each of its runs by its own name; leave it out"
        )
    shared = ["--seeds", str(arguments.seeds), "--first-seed", str(arguments.first_seed)]
    shared += ["--device", arguments.device]
    shared += [] if arguments.threads is None else ["--threads", str(arguments.threads)]
    for words in experiment.runs(range(arguments.first_seed, arguments.first_seed + arguments.seeds)):
        words = ["run", *words, *shared]
        parser = argparse.ArgumentParser(prog="attnbook")
        add_parser(parser.add_subparsers(), words)
        run(parser.parse_args(words))
    return 0


def _ship(arguments: argparse.Namespace, experiment: ModuleType, device: torch.device) -> Path:
    """Store the first seed's model, with what its rounded weights score."""
    trained = experiment.trained(arguments, arguments.first_seed, device)
    made = {
        "command": shlex.join(["attnbook", *arguments.words]),
        "commit": commit(),
        "seed": arguments.first_seed,
        "machine": machine(device),
        "versions": versions(),
    }
    return ship(arguments.ship, trained, made, arguments.precision, arguments.models)


def _stored(path: Path, experiment: str, options: dict[str, Any]) -> dict[str, Any]:
    """Seeds that an earlier, perhaps interrupted, run with the same options left."""
    if not path.exists():
        return {}
    stored = read(path)
    if stored.get("experiment") != experiment or stored.get("options") != options:
        raise ValueError(
            f"--out: {path} holds results of other options ({stored.get('command')}); "
            "name another file, or move that one away"
        )
    return dict(stored["seeds"])
