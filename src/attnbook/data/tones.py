"""Melodies of eight notes as sound, with what was played and when: speech recognition in miniature.

A sine wave of a note lasts 80 to 160 ms, a silence of 20 to 60 ms follows, and noise lies over all. As in
speech, nothing says where one note ends, notes come again and again, and each takes another time. What a
network reads is a spectrogram: the strength of 25 frequencies in each 20 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from attnbook.arguments import whole_number

NOTES = ("do", "re", "mi", "fa", "so", "la", "ti", "do'")
HERTZ = (523.3, 587.3, 659.3, 698.5, 784.0, 880.0, 987.8, 1046.5)  # one octave of C major
RATE = 4000  # samples a second
HOP, WINDOW = 80, 160  # samples: a frame every 20 ms, seen through 40 ms
BANDS = slice(19, 44)  # the window's frequencies from 475 to 1,075 Hz, 25 Hz apart
NOISE = 0.3


@dataclass(frozen=True)
class Melody:
    """Notes as sound.

    Attributes
    ----------
    wave : (samples,)
    notes : tuple of int
        Indices into ``NOTES``.
    spans : tuple of (int, int)
        First sample of each note, and the first after it.
    """

    wave: Tensor
    notes: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


def melodies(n: int, seed: int, length: tuple[int, int] = (5, 12)) -> list[Melody]:
    """``n`` melodies of ``length[0]`` to ``length[1]`` notes; the same for the same arguments.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.
    """
    whole_number("n", n)
    whole_number("seed", seed, least=0)
    whole_number("length[0]", length[0])
    whole_number("length[1]", length[1], least=length[0])
    random = Random(f"melodies {seed} {length}")
    noise = torch.Generator().manual_seed(random.getrandbits(32))
    return [_melody(random, noise, random.randint(*length)) for _ in range(n)]


def _melody(random: Random, noise: torch.Generator, length: int) -> Melody:
    notes, spans, end = [], [], random.randint(80, 240)
    for _ in range(length):
        notes.append(random.randrange(len(NOTES)))
        start, end = end, end + random.randint(320, 640)
        spans.append((start, end))
        end += random.randint(80, 240)
    wave = NOISE * torch.randn(end, generator=noise)
    for note, (start, stop) in zip(notes, spans, strict=True):
        time = torch.arange(stop - start) / RATE
        loud, phase = random.uniform(0.6, 1.0), random.uniform(0, 2 * math.pi)
        pitch = HERTZ[note] * random.uniform(0.99, 1.01)
        wave[start:stop] += loud * torch.sin(2 * math.pi * pitch * time + phase)
    return Melody(wave, tuple(notes), tuple(spans))


def spectrogram(wave: Tensor) -> Tensor:
    """Strength of 25 frequencies around each hop of 20 ms: (samples,) to (samples // 80 + 1, 25)."""
    window = torch.hann_window(WINDOW, device=wave.device)
    bins = torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)  # (frequencies, frames)
    return torch.log1p(bins.abs().T[:, BANDS] / 10)
