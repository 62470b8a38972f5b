"""The comparison of two builds sees every difference, and nothing else."""

import pytest

from build_twice import differences, hashes


def test_differences_are_named_and_drawn_cards_left_out(tmp_path):
    for name, words in (("one", "x"), ("two", "y")):
        (tmp_path / name / "_static" / "attnbook" / "cards").mkdir(parents=True)
        (tmp_path / name / "same.html").write_text("same")
        (tmp_path / name / "other.html").write_text(words)
        (tmp_path / name / f"{words}.html").write_text("")
        (tmp_path / name / "_static" / "attnbook" / "cards" / "a.png").write_text(words)
    found = differences(hashes(tmp_path / "one"), hashes(tmp_path / "two"))
    assert found == ["other.html: differs", "x.html: only in the first", "y.html: only in the second"]


def test_an_empty_folder_is_no_build(tmp_path):
    with pytest.raises(ValueError, match="holds no file; run make book first"):
        hashes(tmp_path)
