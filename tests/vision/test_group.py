"""The class photograph: what its attributes say is what is drawn there."""

import torch

from attnbook.vision import group


def test_faces_jacket_balloon_and_stripes_stand_where_they_are_said_to():
    picture = group.group_picture()
    assert picture.image.shape == (240, 320, 3)
    assert picture.print.shape == (960, 1280, 3)
    people = (*group.CHILDREN, group.TEACHER)
    assert len(picture.faces) == len(people) == 8
    assert len({one.skin for one in people}) == 8
    for (row, column), one in zip(picture.faces.tolist(), people, strict=True):
        cheek = picture.image[round(row + 0.25 * one.radius), column]
        torch.testing.assert_close(cheek, torch.tensor(group._rgb(one.skin)), atol=0.02, rtol=0)
    row, column = picture.balloon.tolist()
    torch.testing.assert_close(picture.image[row, column], torch.tensor(group._rgb(group.BALLOON)))
    row, column = picture.stripes.tolist()
    assert picture.image[row, column - 10 : column + 11].std(dim=0).max() > 0.1


def test_only_the_teacher_wears_that_blue():
    picture = group.group_picture()
    jacket = (picture.image - torch.tensor(picture.jacket)).abs().amax(dim=-1) < 1e-5
    assert jacket.sum() > 500
    assert (jacket.nonzero()[:, 1] > 220).all()


def test_the_small_picture_is_the_fine_one_averaged():
    picture = group.group_picture()
    blocks = picture.print.unfold(0, 4, 4).unfold(1, 4, 4).mean(dim=(-1, -2))
    torch.testing.assert_close(picture.image, blocks)
