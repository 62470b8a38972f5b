"""Melodies: what was played can be heard, and the same arguments give the same sound."""

import pytest
import torch

from attnbook.data.tones import BANDS, HERTZ, HOP, NOTES, RATE, WINDOW, melodies, spectrogram


def test_the_same_for_the_same_arguments():
    one, two, other = melodies(3, 0), melodies(3, 0), melodies(3, 1)
    assert [m.notes for m in one] == [m.notes for m in two] != [m.notes for m in other]
    assert all(torch.equal(a.wave, b.wave) for a, b in zip(one, two, strict=True))


def test_lengths_and_spans():
    for melody in melodies(50, 2, (3, 6)):
        assert 3 <= len(melody.notes) == len(melody.spans) <= 6
        ends = [0, *(end for _, end in melody.spans)]
        gaps = [first - end for (first, _), end in zip(melody.spans, ends, strict=False)]
        assert all(80 <= gap <= 240 for gap in gaps)  # 20 to 60 ms
        assert all(320 <= last - first <= 640 for first, last in melody.spans)  # 80 to 160 ms
        assert len(spectrogram(melody.wave)) == len(melody.wave) // HOP + 1


def test_the_loudest_frequency_is_the_note():
    """A rule reads single notes: what the recognisers have to learn is where one ends."""
    frequencies = torch.arange(BANDS.start, BANDS.stop) * RATE / WINDOW
    right = total = 0
    for melody in melodies(40, 3):
        frames = spectrogram(melody.wave)
        for note, (first, last) in zip(melody.notes, melody.spans, strict=True):
            heard = frequencies[frames[round((first + last) / 2 / HOP)].argmax()]
            nearest = min(range(len(NOTES)), key=lambda each: abs(HERTZ[each] - heard))
            right, total = right + (nearest == note), total + 1
    assert right / total > 0.9


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match=r"length\[1\]"):
        melodies(1, 0, (5, 4))
