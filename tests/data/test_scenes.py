"""Scenes of digits: what stands where, what the caption says, and that no digit is in two parts."""

import itertools

import pytest
import torch

from attnbook.data import scenes as made
from attnbook.data.scenes import Box, as_tensors, compose, digit_images, relation, scenes, single_digits


def test_every_digit_image_is_in_one_part():
    sources = [set(digit_images(part).sources.tolist()) for part in made.PARTS]
    assert [len(part) for part in sources] == list(made.PARTS.values())
    assert not any(one & other for one, other in itertools.combinations(sources, 2))
    assert set.union(*sources) == set(range(1797))


@pytest.mark.parametrize("part", made.PARTS)
def test_scenes_use_their_part_alone_and_all_ten_digits(part):
    own = set(digit_images(part).sources.tolist())
    found = scenes(300, 1, part)
    assert all(set(scene.sources) <= own for scene in found)
    assert {digit for scene in found for digit in scene.digits} == set(range(10))


def test_a_scene_is_what_its_caption_says():
    pool = digit_images("train")
    images = dict(zip(pool.sources.tolist(), pool.images, strict=True))
    labels = dict(zip(pool.sources.tolist(), pool.labels.tolist(), strict=True))
    for scene in scenes(200, 3):
        rest = scene.image.clone()
        for box, digit, source in zip(scene.boxes, scene.digits, scene.sources, strict=True):
            assert torch.equal(scene.image[box.mask()].view(8, 8), images[source])
            assert labels[source] == digit
            rest[box.mask()] = 0
        assert not rest.any()  # nothing else on the canvas, and no digit hides a part of the other
        first, second = scene.boxes
        down, right = second.row - first.row, second.column - first.column
        names = [made.DIGITS[digit] for digit in scene.digits]
        if "above" in scene.caption:
            assert scene.caption == ("a", names[0], "above", "a", names[1])
            assert down >= abs(right) + 3
            assert scene.objects == (None, 0, None, None, 1)
        else:
            assert scene.caption == ("a", names[0], "left", "of", "a", names[1])
            assert right >= abs(down) + 3
            assert scene.objects == (None, 0, None, None, None, 1)


def test_both_relations_are_about_equally_frequent():
    found = scenes(1000, 5)
    above = sum("above" in scene.caption for scene in found)
    assert 430 < above < 570


def test_the_seed_decides():
    def images(*arguments):
        return torch.stack([scene.image for scene in scenes(20, *arguments)])

    assert torch.equal(images(4), images(4))
    assert not torch.equal(images(4), images(5))
    assert not torch.equal(images(4), images(4, "test"))
    # a longer list begins with the shorter one
    assert torch.equal(images(4), torch.stack([scene.image for scene in scenes(40, 4)[:20]]))


def test_relation_sees_overlap_and_slant():
    assert relation((0, 0), (10, 2)) == "above"
    assert relation((10, 2), (0, 0)) == "below"
    assert relation((3, 0), (0, 9)) == "left"
    assert relation((0, 9), (3, 0)) == "right"
    assert relation((0, 0), (7, 0)) is None  # the boxes share a row
    assert relation((0, 0), (10, 8)) is None  # neither plainly above nor plainly left of


def test_a_scene_of_your_own():
    pool = digit_images("test")
    scene = compose(pool, (3, 5), ((14, 1), (2, 3)))
    assert scene.boxes == (Box(2, 3), Box(14, 1))  # the higher one is named first
    assert scene.digits == (int(pool.labels[5]), int(pool.labels[3]))
    assert Box(2, 3).mask().sum() == 64
    with pytest.raises(ValueError, match=r"corners: \(2, 3\) and \(3, 4\) overlap"):
        compose(pool, (3, 5), ((2, 3), (3, 4)))
    with pytest.raises(ValueError, match=r"corners: \(17, 0\) puts a digit of 8 pixels beyond the canvas"):
        compose(pool, (3, 5), ((17, 0), (0, 0)))
    with pytest.raises(ValueError, match="expected two digits and two corners, got 1 and 2"):
        compose(pool, (3,), ((17, 0), (0, 0)))


def test_single_digits_stand_anywhere():
    images, labels = single_digits(400, 2, "train", 20)
    assert images.shape == (400, 20, 20)
    assert set(labels.tolist()) == set(range(10))
    assert (images.sum(0) > 0).sum() > 340  # the digits themselves are pale at their rims
    pool = digit_images("train")
    ink = {
        (round(float(image.sum()), 4), int(label))
        for image, label in zip(pool.images, pool.labels, strict=True)
    }
    pairs = zip(images.sum((1, 2)).tolist(), labels.tolist(), strict=True)
    assert all((round(total, 4), label) in ink for total, label in pairs)


def test_tensors_hold_the_captions():
    words = made.vocabulary()
    found = scenes(30, 9)
    images, captions, mask = as_tensors(found, words)
    assert images.shape == (30, 1, 24, 24)
    assert captions.shape == mask.shape == (30, 8)
    for row, kept, scene in zip(captions, mask, found, strict=True):
        assert tuple(words.decode(row.tolist())) == scene.caption
        assert kept.sum() == len(scene.caption) + 2
        assert (captions[0] != words.unk).all()
        assert row[0] == words.bos


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: scenes(0, 1), "n: expected a whole number of at least 1"),
        (lambda: scenes(1, -1), "seed: expected a whole number of at least 0"),
        (lambda: scenes(1, 1, "exam"), "part: expected one of train, validation, test, got 'exam'"),
        (lambda: scenes(1, 1, canvas=18), "canvas: expected a whole number of at least 19"),
        (lambda: as_tensors([], made.vocabulary()), "given: expected at least one scene"),
    ],
)
def test_bad_arguments_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
