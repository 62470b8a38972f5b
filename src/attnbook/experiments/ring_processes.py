"""Attention over a text that is cut up among processes of this machine.

:func:`across_processes` starts them, each a Python of its own that runs this file, and puts their answers
together. They find each other through a file, and speak over the loopback device.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import Tensor

from attnbook.nn.ring import ring_attention

PATIENCE = 300  # seconds, after which processes that have not answered are ended


def across_processes(
    query: Tensor, key: Tensor, value: Tensor, processes: int = 2, causal: bool = False
) -> Tensor:
    """Ring attention over (…, length, d), each process with its share of the length.

    Returns
    -------
    (…, length, d_v)
        What all processes found, in the order of the text.

    Raises
    ------
    ValueError
        If the length cannot be cut into equal pieces.
    RuntimeError
        If a process fails; the sentence holds the end of what it said.
    """
    length = query.shape[-2]
    if processes < 1 or length % processes:
        raise ValueError(
            f"processes: expected a number that divides the length {length}, got {processes}; "
            "cut the text into equal pieces"
        )
    with TemporaryDirectory() as folder:
        pieces = zip(*(x.detach().cpu().chunk(processes, dim=-2) for x in (query, key, value)), strict=True)
        for rank, piece in enumerate(pieces):
            torch.save([x.clone() for x in piece], Path(folder) / f"piece{rank}.pt")
        words = [sys.executable, "-m", __name__, folder, str(processes), str(int(causal))]
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
        if sys.platform == "linux":
            surroundings["GLOO_SOCKET_IFNAME"] = "lo"
        started = [
            subprocess.Popen(
                [*words, str(rank)], env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            for rank in range(processes)
        ]
        try:
            said = [process.communicate(timeout=PATIENCE)[1] for process in started]
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"the processes did not answer within {PATIENCE} s; run again on a quieter machine"
            ) from None
        finally:
            for process in started:
                process.kill()
        for rank, (process, words_) in enumerate(zip(started, said, strict=True)):
            if process.returncode:
                last = words_.decode(errors="replace").strip().splitlines()[-1:]
                raise RuntimeError(f"process {rank} failed: {''.join(last)}; run its piece alone to see why")
        found = [torch.load(Path(folder) / f"context{rank}.pt") for rank in range(processes)]
    return torch.cat(found, dim=-2)


def one_process(folder: Path, processes: int, causal: bool, rank: int) -> None:
    """What each of them does: read its piece, take part, write its context."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=processes
    )
    query, key, value = torch.load(folder / f"piece{rank}.pt")
    torch.save(ring_attention(query, key, value, causal), folder / f"context{rank}.pt")
    dist.barrier()  # nobody leaves while another still receives
    dist.destroy_process_group()


if __name__ == "__main__":
    one_process(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1", int(sys.argv[4]))
