"""A folder of pictures and a file of captions."""

import pytest
import torch
from PIL import Image

from attnbook.data.captioned import captioned_images


@pytest.fixture
def folder(tmp_path):
    """A red picture that is wider than high, and a blue one in a folder below."""
    red = Image.new("RGB", (30, 20), (255, 0, 0))
    red.paste((0, 255, 0), (0, 0, 5, 20))  # a green rim that the square in the middle leaves out
    red.save(tmp_path / "red.png")
    (tmp_path / "more").mkdir()
    Image.new("L", (8, 8), 128).save(tmp_path / "more" / "grey.jpg")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("captions.txt", "red.png#0\tA red Picture .\nred.png#1\tIt's red!\n\ngrey.jpg#0\tgrey, all of it\n"),
        (
            "captions.csv",
            "image,caption\nred.png,A red Picture .\nred.png,It's red!\ngrey.jpg,grey, all of it\n",
        ),
    ],
)
def test_both_usual_forms_are_read(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    red, grey = captioned_images(folder, side=10)
    assert (red.name, grey.name) == ("red.png", "grey.jpg")
    assert red.captions == (("a", "red", "picture"), ("it's", "red"))
    assert grey.captions == (("grey", "all", "of", "it"),)
    assert red.image.shape == (3, 10, 10)
    torch.testing.assert_close(red.image.mean((1, 2)), torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(grey.image, torch.full((3, 10, 10), 128 / 255), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "holds none of captions.txt, captions.tsv, captions.csv"),
        ("", "has no captions"),
        ("red.png\n", "line 1: expected a picture's name, a tab or a comma, and a caption"),
        ("red.png\tred\nred.png\t...\n", "line 2: expected a picture's name"),
        ("blue.png\tblue\n", "names blue.png, which is nowhere in"),
        ("captions.txt\tno picture\n", "cannot be read as a picture"),
    ],
)
def test_what_is_wrong_is_named(folder, text, sentence):
    if text is not None:
        (folder / "captions.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        captioned_images(folder)
