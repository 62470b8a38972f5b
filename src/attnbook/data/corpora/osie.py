"""Where fifteen people looked: photographs of the OSIE set with the eye fixations recorded on them.

Xu, Jiang, Wang, Kankanhalli & Zhao 2014, "Predicting human gaze beyond pixels",
https://doi.org/10.1167/14.1.28. Each viewer saw each of 700 photographs for three seconds, without a task.
58 of the photographs are fetched (every twelfth), and the fixations on all 700.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from attnbook.data.corpora.fetch import fetch
from attnbook.extras import needs

with needs("vision"):
    import scipy.io
    from skimage.io import imread

HEIGHT, WIDTH = 600, 800  # pixels of every photograph
DEGREE = 24  # pixels in one degree of the viewer's field of view


@dataclass(frozen=True)
class Viewed:
    """One photograph and where each viewer looked.

    Attributes
    ----------
    name : str
        Its file, such as "1007.jpg".
    viewers : tuple of (n, 2) int64
        For each viewer the row and column of each fixation, in the order of time; those outside the
        photograph are left out.
    path : pathlib.Path or None
        The file, where it is one of the 58.
    """

    name: str
    viewers: tuple[Tensor, ...]
    path: Path | None

    @property
    def fixations(self) -> Tensor:
        """All viewers' fixations together, (n, 2)."""
        return torch.cat(self.viewers)

    def image(self) -> Tensor:
        """The photograph, (600, 800, 3), float32 from 0 to 1."""
        if self.path is None:
            raise FileNotFoundError(f"{self.name}: only its fixations are fetched, not the photograph")
        return torch.from_numpy(imread(self.path)).float() / 255


def photographs() -> list[Viewed]:
    """The 58 photographs with their fixations."""
    return [viewed for viewed in everything() if viewed.path is not None]


def everything() -> list[Viewed]:
    """All 700 sets of fixations; ``path`` is None for those whose photograph is not fetched."""
    return read(fetch("osie"))


def read(folder: Path) -> list[Viewed]:
    """Read ``fixations.mat`` and find the photographs in ``stimuli`` beside it.

    Raises
    ------
    ValueError
        If the file does not hold fixations as OSIE stores them.
    """
    try:
        records = scipy.io.loadmat(folder / "fixations.mat", squeeze_me=True, struct_as_record=False)[
            "fixations"
        ]
        return [_viewed(folder, record) for record in records]
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{folder / 'fixations.mat'}: not OSIE's fixations ({error!r})") from None


def _viewed(folder: Path, record) -> Viewed:
    viewers = []
    for viewer in record.subjects:
        columns, rows = (np.atleast_1d(getattr(viewer, name)).astype(float) for name in ("fix_x", "fix_y"))
        places = np.stack([np.floor(rows), np.floor(columns)], axis=1).astype(np.int64)
        inside = ((places >= 0) & (places < (HEIGHT, WIDTH))).all(axis=1)
        viewers.append(torch.from_numpy(places[inside]))
    path = folder / "stimuli" / record.img
    return Viewed(str(record.img), tuple(viewers), path if path.exists() else None)
