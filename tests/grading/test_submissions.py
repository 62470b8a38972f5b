"""Submissions in every shape that course systems hand out; and zips that want to be elsewhere."""

import json
import os
import subprocess
import time
import zipfile

import pytest

from attnbook.grading.notebook import Unreadable, code_cells
from attnbook.grading.submissions import find

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
def test_an_entry_that_slips_out_of_a_zip_is_a_row_and_no_file(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.ipynb", NOTEBOOK)
        archive.writestr(zipfile.ZipInfo(name), NOTEBOOK)
    problems = sorted(one.problem for one in find(tmp_path / "bad.zip", tmp_path / "scratch"))
    assert problems[0] == ""
    assert "points outside" in problems[1]
    assert len(problems) == 2
    written = [path.name for path in tmp_path.rglob("*.ipynb")]
    assert written == ["good.ipynb"]


def test_a_link_in_a_zip_is_a_row_and_is_not_followed(tmp_path):
    entry = zipfile.ZipInfo("link.ipynb")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
        archive.writestr("good.ipynb", NOTEBOOK)
    problems = {one.id: one.problem for one in find(tmp_path / "bad.zip", tmp_path / "scratch")}
    assert problems == {"good": "", "link": "a symbolic link, which is not followed"}


def test_a_zip_bomb_is_refused_before_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr("attnbook.grading.archive.MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", b"0" * (2 << 20))
    with pytest.raises(ValueError, match="too large when unpacked"):
        find(tmp_path / "bomb.zip", tmp_path / "scratch")


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
    found = find(tmp_path / "all.zip", tmp_path / "scratch")
    assert [one.file for one in found] == ["ada.ipynb", "ada~.ipynb"]
    assert [one.path.read_text(encoding="utf-8") for one in found] == [NOTEBOOK, "{}"]


def test_a_damaged_entry_costs_itself(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada.ipynb", NOTEBOOK * 50)
        archive.writestr("ben.ipynb", NOTEBOOK)
    content = bytearray((tmp_path / "all.zip").read_bytes())
    content[45:60] = b"\xff" * 15
    (tmp_path / "all.zip").write_bytes(bytes(content))
    ada, ben = find(tmp_path / "all.zip", tmp_path / "scratch")
    assert "damaged in the zip" in ada.problem
    assert ben.problem == ""


LONG = ["é" * 240, "字" * 85, "x" * 240]


@pytest.mark.parametrize("own", LONG, ids=["accents", "Chinese", "letters"])
def test_a_long_name_in_a_zip_is_shortened_and_keeps_its_owner(tmp_path, own):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(f"lovelaceada_4711_99001_{own}.ipynb", NOTEBOOK)
        archive.writestr(f"lovelaceada_4712_99002_{own}.ipynb", NOTEBOOK)
    found = find(tmp_path / "all.zip", tmp_path / "scratch")
    assert [(one.id, one.problem) for one in found] == [("4711", ""), ("4712", "")]
    assert all(one.path.read_text(encoding="utf-8") == NOTEBOOK for one in found)


def test_a_deep_path_in_a_zip_is_shortened(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("week2-eve/" + "a/" * 1500 + "deep.ipynb", NOTEBOOK)
        archive.writestr("week2-ada/a.ipynb", NOTEBOOK)
    found = find(tmp_path / "all.zip", tmp_path / "scratch")
    assert [(one.id, one.problem) for one in found] == [("week2-ada", ""), ("week2-eve", "")]


def test_a_deep_folder_stops_nobody(tmp_path):
    folder = lay(tmp_path / "in", "week2-ada/a.ipynb", "week2-eve/top.ipynb")
    deep = os.open(folder / "week2-eve", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a", dir_fd=deep)
        below = os.open("a", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    try:
        assert ids(folder, tmp_path) == {"week2-ada/a.ipynb": "week2-ada", "week2-eve/top.ipynb": "week2-eve"}
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_path_in_a_zip_that_is_longer_than_the_system_takes_stops_nobody(tmp_path):
    """Few enough folders, each with a name of 200 letters: together more than 4,096 bytes with what is "
    "above."""
    scratch = tmp_path / ("x" * 200)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("week2/ada/" + "/".join(["d" * 200] * 17) + "/work.ipynb", NOTEBOOK)
        archive.writestr("week2/ben/work.ipynb", NOTEBOOK)
    found = find(tmp_path / "all.zip", scratch)
    assert [(one.id, one.problem) for one in found] == [("week2", "")] * 2
    assert all(one.path.is_file() for one in found)
    (long, short) = sorted(found, key=lambda one: -len(one.file))
    assert long.file.startswith("week2/ada/")
    assert long.file.endswith("/work.ipynb")
    assert short.file == "week2/ben/work.ipynb"


def test_a_file_and_a_folder_of_one_name_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("ada", "a file")
        archive.writestr("ada/work.ipynb", NOTEBOOK)
        archive.writestr("ben.ipynb", NOTEBOOK)
    found = {one.file: one.problem for one in find(tmp_path / "all.zip", tmp_path / "scratch")}
    assert found == {"ada": "not a notebook (.ipynb)", "ada~/work.ipynb": "", "ben.ipynb": ""}


def test_a_zip_that_was_left_in_the_folder_is_said_to_be_one(tmp_path):
    folder = lay(tmp_path / "submissions", "ben.ipynb")
    (folder / "submissions.zip").write_bytes(b"PK")
    problems = {one.file: one.problem for one in find(folder, tmp_path / "scratch")}
    assert "name it as SUBMISSIONS if it holds the class" in problems["submissions.zip"]
    assert problems["ben.ipynb"] == ""


def aged(folder, *names):
    """The files, each an hour newer than the one before."""
    lay(folder, *names)
    for hour, name in enumerate(names):
        os.utime(folder / name, (3600.0 * hour, 3600.0 * hour))
    return folder


def counting(source, scratch, **options):
    return [one.file for one in find(source, scratch, **options) if one.counts]


def test_of_several_notebooks_of_one_person_the_newest_counts(tmp_path):
    folder = aged(tmp_path / "in", "week2-eve/z.ipynb", "week2-eve/a.ipynb", "week2-ada/b.ipynb")
    assert counting(folder, tmp_path) == ["week2-ada/b.ipynb", "week2-eve/a.ipynb"]
    other = next(one for one in find(folder, tmp_path) if not one.counts)
    assert (other.file, other.instead, other.others) == ("week2-eve/z.ipynb", "week2-eve/a.ipynb", 1)


def test_of_several_uploads_to_canvas_the_last_counts_and_a_pdf_does_not(tmp_path):
    names = ["ada_4711_99001_work.ipynb", "ada_4711_99010_work-1.ipynb", "ada_4711_99011_essay.pdf"]
    folder = lay(tmp_path / "in", *names)
    for name in names:  # one time for all, as an unpacked zip may have
        os.utime(folder / name, (5.0, 5.0))
    assert counting(folder, tmp_path) == ["ada_4711_99010_work-1.ipynb"]


def test_an_instructor_can_say_which_notebook_counts(tmp_path):
    folder = aged(tmp_path / "in", "r-ada/02_attention.ipynb", "r-ada/draft.ipynb", "r-ben/my own.ipynb")
    assert counting(folder, tmp_path, notebook="02_attention.ipynb") == [
        "r-ada/02_attention.ipynb",
        "r-ben/my own.ipynb",
    ]
    assert "r-ada/02_attention.ipynb" in counting(folder, tmp_path, notebook="02*.IPYNB")
    flat = lay(tmp_path / "flat", "ada_4711_99001_hw-1.ipynb", "ada_4711_99002_notes.ipynb")
    assert counting(flat, tmp_path, notebook="hw.ipynb") == ["ada_4711_99001_hw-1.ipynb"]


def test_a_thousand_notebooks_are_one_row_and_a_sentence(tmp_path):
    folder = lay(tmp_path / "in", "r-ada/a.ipynb", *(f"r-eve/{n}.ipynb" for n in range(60)))
    ada, eve = find(folder, tmp_path)
    assert (ada.problem, eve.id) == ("", "r-eve")
    assert "more than 50 notebooks" in eve.problem


def test_late_and_the_time_are_known(tmp_path):
    folder = aged(tmp_path / "in", "ada_4711_99001_a.ipynb", "ben_LATE_4712_99002_b.ipynb")
    ada, ben = find(folder, tmp_path)
    assert (ada.late, ben.late, ben.time) == (False, True, 3600.0)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("ada.ipynb", (2026, 5, 4, 3, 2, 0)), NOTEBOOK)
    (one,) = find(tmp_path / "all.zip", tmp_path / "scratch")
    assert one.time == time.mktime((2026, 5, 4, 3, 2, 0, 0, 0, -1))


def test_nbgraders_timestamp_counts(tmp_path):
    folder = lay(tmp_path / "submitted", "ada/week2/a.ipynb")
    (folder / "ada/week2/timestamp.txt").write_text("2026-02-01 10:20:30 UTC\n", encoding="utf-8")
    (one,) = find(folder, tmp_path)
    assert one.time > 1.7e9


def test_a_second_download_is_read_through_its_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "week2 (1).zip", "w") as archive:
        archive.writestr("week2/ada.ipynb", NOTEBOOK)
        archive.writestr("week2/ben.ipynb", NOTEBOOK)
    assert set(ids(tmp_path / "week2 (1).zip", tmp_path / "scratch").values()) == {"ada", "ben"}


def test_what_a_name_stands_for_is_asked_again_when_it_is_read(tmp_path, monkeypatch):
    """A file found as a notebook may be a pipe, a link, or larger by the time it is read."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    os.symlink("/etc/passwd", tmp_path / "link.ipynb")
    (tmp_path / "large.ipynb").write_text(NOTEBOOK, encoding="utf-8")
    monkeypatch.setattr("attnbook.grading.reading.MAX_NOTEBOOK", 10)
    for name in ("pipe", "link", "large"):
        with pytest.raises(Unreadable, match="cannot be read"):
            code_cells(tmp_path / f"{name}.ipynb")
