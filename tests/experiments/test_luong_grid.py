"""Chapter 5's grid: each row a run of ``translation`` by its own name, at equal terms, and read back."""

import argparse
import copy

import pytest

from attnbook.cli import main
from attnbook.experiments import luong_grid, runner, translation
from attnbook.results import read, write


def options(row, hidden, longest):
    parser = argparse.ArgumentParser()
    translation.add_arguments(parser)
    return parser.parse_args(row.words(hidden, longest))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Two of the stored rows, in a folder of their own."""
    for row in list(luong_grid.stored(luong_grid.WIDE))[:2]:
        results = read(luong_grid.FOLDER / f"{row.result(luong_grid.WIDE)}.json")
        results["options"]["hidden"] = luong_grid.HIDDEN
        write(tmp_path / f"{row.result()}.json", results)
    monkeypatch.setattr(luong_grid, "FOLDER", tmp_path)
    return tmp_path


EVERY = [
    pytest.param(row, hidden, longest, id=row.result(hidden, longest))
    for hidden, longest, rows in luong_grid.PARTS
    for row in rows
]


@pytest.mark.parametrize(("row", "hidden", "longest"), EVERY)
def test_a_row_is_a_run_of_translation_that_can_be_built(row, hidden, longest):
    wanted = options(row, hidden, longest)
    assert translation.result_name(wanted) == row.result(hidden, longest)
    widths = {wanted.hidden, 2 * wanted.hidden}
    model = translation.build(wanted, 20, 20)
    assert {model.encoder.d_hidden, model.decoder.d_hidden} == widths  # equal sizes for every score


def test_rows_have_names_of_their_own():
    for _, _, rows in luong_grid.PARTS:
        assert len({row.name for row in rows}) == len(rows)
    assert len({each.id for each in EVERY}) == len(EVERY)


def test_a_part_that_the_grid_lacks_is_refused():
    with pytest.raises(ValueError, match=r"^hidden, longest: expected one of .*\(64, 20\), got \(64, 40\)"):
        luong_grid.stored(64, 40)


def test_stored_rows_are_left_out_and_the_others_run(folder, monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(
        translation, "run_seed", lambda options, seed, device: ran.append(options) or {"bleu": 1}
    )
    monkeypatch.setattr(runner, "FOLDER", tmp_path)
    there = {row.result() for row in luong_grid.stored()}
    assert main(["run", "luong_grid", "--seeds", "2", "--device", "cpu"]) == 0
    wanted = [each.id for each in EVERY if each.id not in there]
    assert [translation.result_name(each) for each in ran] == [name for name in wanted for _ in range(2)]
    assert all(
        read(tmp_path / f"{name}.json")["command"].startswith("attnbook run translation") for name in wanted
    )
    ran.clear()
    assert main(["run", "luong_grid", "--seeds", "2", "--device", "cpu"]) == 0
    assert ran == []  # all is stored


def test_one_file_for_all_rows_is_refused(capsys):
    assert main(["run", "luong_grid", "--out", "x.json"]) == 1
    assert capsys.readouterr().err.startswith("attnbook: --out: luong_grid stores each of its runs")


def test_rows_at_other_terms_are_refused(folder):
    other = list(luong_grid.stored())[1]
    path = folder / f"{other.result()}.json"
    results = read(path)
    results["options"]["most_steps"] = 400
    write(path, results)
    with pytest.raises(ValueError, match=f"^{other.result()}: most_steps is 400, and 2500 in the other rows"):
        luong_grid.stored()


def test_only_ranges_that_do_not_meet_are_apart(folder):
    first, second = copy.deepcopy(list(luong_grid.stored().values()))
    first["summary"]["bleu"] = {"min": 1.0, "max": 2.0}
    for low, high, answer in (
        (2.5, 3.0, True),
        (0.1, 0.9, True),
        (2.0, 3.0, False),
        (0.0, 9.0, False),
        (1.2, 1.3, False),
    ):
        second["summary"]["bleu"] = {"min": low, "max": high}
        assert luong_grid.apart(first, second, "bleu") is luong_grid.apart(second, first, "bleu") is answer


def test_the_table_has_a_line_a_row_with_its_range(folder):
    head, *lines = luong_grid.table().splitlines()
    assert head.split() == ["loss", "exact", "endless"]
    assert len(lines) == 2
    for line, (row, results) in zip(lines, luong_grid.stored().items(), strict=True):
        exact = results["summary"]["exact"]
        assert line.startswith(row.name)
        assert f"{exact['mean']:.2f} ({exact['min']:.2f}–{exact['max']:.2f})".replace("0.", ".") in line
    assert luong_grid.table(least=4).splitlines()[1:] == []
