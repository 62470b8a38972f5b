"""Scenes with clutter: boxes that are true, parts that share no digit, the same scenes for the same seed."""

import pytest
import torch

from attnbook.data import clutter
from attnbook.data.scenes import digit_images


def cells(images):
    """(scenes, 36, 4, 4)."""
    return images[:, 0].unfold(1, 4, 4).unfold(2, 4, 4).flatten(1, 2)


def test_the_box_holds_a_digit_of_that_label():
    made = clutter.scenes(40, seed=3, part="test")
    pool = digit_images("test")
    for image, label, inside in zip(made.images, made.labels, made.inside, strict=True):
        rows, columns = torch.where(inside.reshape(6, 6))
        top, left = int(rows.min()), int(columns.min())
        assert inside.sum() == 4
        assert inside.reshape(6, 6)[top : top + 2, left : left + 2].all()
        seen = image[0, 4 * top : 4 * top + 8, 4 * left : 4 * left + 8]
        same = (pool.images == seen).all(dim=(1, 2))
        assert same.any()
        assert int(pool.labels[same][0]) == int(label)


def test_fragments_lie_outside_and_are_quarters():
    made = clutter.scenes(30, seed=1, fragments=5)
    filled = cells(made.images).flatten(2).sum(dim=2) > 0
    assert ((filled & ~made.inside).sum(dim=1) <= 5).all()
    assert (filled & ~made.inside).any()
    bare = clutter.scenes(30, seed=1, fragments=0)
    assert not (cells(bare.images).flatten(2).sum(dim=2)[~bare.inside] > 0).any()
    quarters = digit_images("train").images.unfold(1, 4, 4).unfold(2, 4, 4).flatten(0, 2)
    piece = cells(made.images)[0][filled[0] & ~made.inside[0]][0]
    assert (quarters == piece).all(dim=(1, 2)).any()


def test_seeds():
    one, same, other = clutter.scenes(5, 7), clutter.scenes(5, 7), clutter.scenes(5, 8)
    assert torch.equal(one.images, same.images)
    assert torch.equal(one.labels, same.labels)
    assert not torch.equal(one.images, other.images)


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="^fragments: expected at most 32"):
        clutter.scenes(1, 0, fragments=33)
    with pytest.raises(ValueError, match="^part: "):
        clutter.scenes(1, 0, part="all")
