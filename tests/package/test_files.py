"""Files are written whole or not at all."""

import pytest

from attnbook.files import replacing, write_text


def test_text_and_bytes_are_written(tmp_path):
    path = tmp_path / "new" / "words.txt"
    write_text(path, "déjà\n")
    assert path.read_bytes() == "déjà\n".encode()
    with replacing(path, "wb") as file:
        file.write(b"\x00")
        assert path.read_bytes() == "déjà\n".encode()  # the old content until the block ends
    assert path.read_bytes() == b"\x00"
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_file(tmp_path):
    path = tmp_path / "words.txt"
    write_text(path, "old")

    def fails():
        with replacing(path) as file:
            file.write("half of the new")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fails()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_modes_are_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="mode: expected 'w' or 'wb', got 'a'"),
        replacing(tmp_path / "x", "a"),
    ):
        pass
    assert not list(tmp_path.iterdir())
