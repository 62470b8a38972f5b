"""Submissions in every shape that course systems hand out; and zips that want to be elsewhere."""

import json
import os
import zipfile

import pytest

from attnbook.grading.notebook import Unreadable, code_cells
from attnbook.grading.submissions import find, unpack

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]})


def lay(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTEBOOK, encoding="utf-8")
    return folder


def ids(source, scratch):
    return {one.file: one.id for one in find(source, scratch)}


def test_one_notebook(tmp_path):
    path = lay(tmp_path, "ada.ipynb") / "ada.ipynb"
    assert ids(path, tmp_path) == {"ada.ipynb": "ada"}


def test_a_flat_folder(tmp_path):
    folder = lay(tmp_path / "in", "ada.ipynb", "ben.ipynb", ".ipynb_checkpoints/ada-checkpoint.ipynb")
    assert ids(folder, tmp_path) == {"ada.ipynb": "ada", "ben.ipynb": "ben"}


def test_canvas(tmp_path):
    folder = lay(
        tmp_path / "in", "lovelaceada_LATE_4711_99001_work.ipynb", "babbagechas_4712_99002_a_b.ipynb"
    )
    assert set(ids(folder, tmp_path).values()) == {"4711", "4712"}


def test_moodle(tmp_path):
    folder = lay(
        tmp_path / "in",
        "Ada Lovelace_815_assignsubmission_file_/x.ipynb",
        "B_816_assignsubmission_file/y.ipynb",
    )
    assert set(ids(folder, tmp_path).values()) == {"815", "816"}


def test_nbgrader(tmp_path):
    folder = lay(tmp_path / "submitted", "ada/week2/a.ipynb", "ben/week2/a.ipynb")
    assert ids(folder, tmp_path) == {"ada/week2/a.ipynb": "ada", "ben/week2/a.ipynb": "ben"}


def test_github_classroom(tmp_path):
    folder = lay(
        tmp_path / "in", "attention-ada/02.ipynb", "attention-ada/.git/x.ipynb", "attention-ben/02.ipynb"
    )
    (folder / "attention-ada" / "README.md").write_text("mine", encoding="utf-8")
    assert ids(folder, tmp_path) == {
        "attention-ada/02.ipynb": "attention-ada",
        "attention-ben/02.ipynb": "attention-ben",
    }


def test_a_learner_without_a_notebook_has_a_row(tmp_path):
    folder = lay(tmp_path / "in", "ada/a.ipynb")
    (folder / "ben").mkdir()
    (folder / "ben" / "essay.pdf").write_text("x", encoding="utf-8")
    problems = {one.id: one.problem for one in find(folder, tmp_path)}
    assert problems == {"ada": "", "ben": "no notebook in this folder"}


def test_links_are_not_followed(tmp_path):
    secret = lay(tmp_path / "elsewhere", "secret.ipynb")
    folder = lay(tmp_path / "in", "ada/a.ipynb")
    os.symlink(secret, folder / "linked-folder")
    os.symlink(secret / "secret.ipynb", folder / "ada" / "b.ipynb")
    os.symlink(secret, folder / "ada" / "more")
    found = find(folder, tmp_path)
    assert {one.file: bool(one.problem) for one in found} == {
        "ada/a.ipynb": False,
        "ada/b.ipynb": True,
        "linked-folder": True,
    }


def test_a_zip(tmp_path):
    lay(tmp_path / "in", "ada.ipynb", "ben.ipynb")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in (tmp_path / "in").iterdir():
            archive.write(path, path.name)
        archive.writestr("__MACOSX/._ada.ipynb", "x")
    assert set(ids(tmp_path / "all.zip", tmp_path / "scratch")) == {"ada.ipynb", "ben.ipynb"}


@pytest.mark.parametrize(
    "name", ["../out.ipynb", "/abs.ipynb", "a/../../out.ipynb", "..\\out.ipynb", "C:/x.ipynb"]
)
def test_a_zip_that_slips_is_refused_whole(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.ipynb", NOTEBOOK)
        archive.writestr(zipfile.ZipInfo(name), NOTEBOOK)
    with pytest.raises(ValueError, match="points outside; not unpacked"):
        unpack(tmp_path / "bad.zip", tmp_path / "scratch")
    assert not (tmp_path / "scratch" / "unpacked").exists()
    assert not (tmp_path / "out.ipynb").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    entry = zipfile.ZipInfo("link.ipynb")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ValueError, match="is a link"):
        unpack(tmp_path / "bad.zip", tmp_path / "scratch")


def test_a_zip_bomb_is_refused_before_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr("attnbook.grading.submissions.MAX_ZIP_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", b"0" * (2 << 20))
    with pytest.raises(ValueError, match="too large when unpacked"):
        unpack(tmp_path / "bomb.zip", tmp_path / "scratch")


def test_a_damaged_zip_is_one_sentence(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ValueError, match=r"bad\.zip: not a readable zip"):
        find(tmp_path / "bad.zip", tmp_path / "scratch")


@pytest.mark.parametrize(("make", "words"), [(False, "is not there"), (True, "holds no files")])
def test_nothing_to_grade_is_one_sentence(tmp_path, make, words):
    folder = tmp_path / "in"
    if make:
        folder.mkdir()
    with pytest.raises(ValueError, match=f"SUBMISSIONS: .* {words}"):
        find(folder, tmp_path)


def test_only_code_and_order_matter(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        {
            "cell_type": "code",
            "source": ["a = 1\n", "b = 2"],
            "metadata": {"nbgrader": {"points": 9}},
            "id": "x",
        },
        {"cell_type": "code", "source": "  \n"},
        {"cell_type": "code", "source": "c = 3", "outputs": "odd", "id": "x"},
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert code_cells(path) == [(1, "a = 1\nb = 2"), (3, "c = 3")]


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + NOTEBOOK.encode())
    assert code_cells(path) == [(1, "x = 1")]


def test_a_vanished_file_is_one_sentence(tmp_path):
    with pytest.raises(Unreadable, match="cannot be read"):
        code_cells(tmp_path / "gone.ipynb")


def test_a_zip_of_a_folder_is_read_through_the_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "week2.zip", "w") as archive:
        archive.writestr("./", "")
        archive.writestr("week2/ada.ipynb", NOTEBOOK)
        archive.writestr("week2/ben.ipynb", NOTEBOOK)
    assert ids(tmp_path / "week2.zip", tmp_path / "scratch") == {"ada.ipynb": "ada", "ben.ipynb": "ben"}


def test_a_colon_in_a_name_is_not_a_drive(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Ada: final.ipynb", NOTEBOOK)
        archive.writestr("x:y.ipynb", NOTEBOOK)
    assert set(ids(tmp_path / "all.zip", tmp_path / "scratch").values()) == {"Ada: final", "x:y"}


def test_two_files_of_one_name_in_a_zip_do_not_become_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("ada.ipynb", NOTEBOOK)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ada.ipynb", "{}")
    with pytest.raises(ValueError, match=r"holds 'ada\.ipynb' twice"):
        unpack(tmp_path / "all.zip", tmp_path / "scratch")


def test_a_zip_whose_packed_bytes_are_damaged_is_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada.ipynb", NOTEBOOK * 50)
    content = bytearray((tmp_path / "all.zip").read_bytes())
    content[45:60] = b"\xff" * 15
    (tmp_path / "all.zip").write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"all\.zip: not a readable zip"):
        find(tmp_path / "all.zip", tmp_path / "scratch")


def test_what_a_name_stands_for_is_asked_again_when_it_is_read(tmp_path, monkeypatch):
    """A file found as a notebook may be a pipe, a link, or larger by the time it is read."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    os.symlink("/etc/passwd", tmp_path / "link.ipynb")
    (tmp_path / "large.ipynb").write_text(NOTEBOOK, encoding="utf-8")
    monkeypatch.setattr("attnbook.grading.reading.MAX_NOTEBOOK", 10)
    for name in ("pipe", "link", "large"):
        with pytest.raises(Unreadable, match="cannot be read"):
            code_cells(tmp_path / f"{name}.ipynb")
