"""The leaderboard: rows from results, shown up to a chapter, and what is wrong with a bad one."""

import json

import pytest

from attnbook.translation import leaderboard


def number(mean, std=0.5, n=3):
    return {"mean": mean, "std": std, "min": mean, "max": mean, "n": n}


@pytest.fixture
def stored(monkeypatch):
    rule = {"validation loss": number(1.2344, 0.01), "learning rate": number(0.004, 0), "steps": number(900)}
    plain = {"bleu": number(40.04), "bleu long": number(9.5), "parameters": number(123456, 0)} | rule
    plain |= {"exact": number(0.123, 0.01), "endless": number(0.0456, 0.001)}
    looking = {"bleu": number(98), "bleu long": number(60), "aer": number(0.2134, 0.01), "exact": number(0.9)}
    summaries = {
        "none": plain,
        "additive": looking | rule | {"parameters": number(222222, 0), "endless": number(0)},
        "old": looking,
        "longer": plain,
        "alignment": {"aer/diagonal": number(0.5)},
        "translator_speed": {
            "GRU, additive/steps per second": number(11),
            "GRU, additive/target words per second": number(9999),
        },
    }

    def results(name):
        if name not in summaries:
            raise FileNotFoundError(name)
        return {
            "summary": summaries[name],
            "options": {"data": "phrasebook", "most_steps": 900 + (name == "longer")},
            "command": f"attnbook run {name}",
            "commit": "abc1234", "machine": {}, "seeds": {"0": {}, "1": {}, "2": {}},
        }  # fmt: skip

    monkeypatch.setattr(leaderboard, "results", results)
    return summaries


def test_rows_grow_with_the_chapters(stored, tmp_path):
    leaderboard.add("additive", "GRU, additive", 4, folder=tmp_path)
    path = leaderboard.add("none", "GRU, fixed vector", 3, folder=tmp_path)
    assert path.name == "03_gru_fixed_vector.json"
    assert json.loads(path.read_text(encoding="utf-8"))["commit"] == "abc1234"
    assert [row["model"] for row in leaderboard.rows(3, tmp_path)] == ["GRU, fixed vector"]
    assert [row["model"] for row in leaderboard.rows(4, tmp_path)] == ["GRU, fixed vector", "GRU, additive"]
    assert leaderboard.rows(2, tmp_path) == []
    assert leaderboard.rows(folder=tmp_path) == leaderboard.rows(4, tmp_path)
    leaderboard.add("additive", "GRU, fixed vector", 3, folder=tmp_path)  # the same name: the row is replaced
    assert len(leaderboard.rows(folder=tmp_path)) == 2


def test_the_table_as_text_and_markdown(stored, tmp_path):
    leaderboard.add("none", "GRU, fixed vector", 3, folder=tmp_path)
    leaderboard.add("additive", "GRU, additive", 4, folder=tmp_path)
    text = leaderboard.table(folder=tmp_path).splitlines()
    assert [line.split()[0] for line in text] == ["chapter", "3", "4"]
    for cell in ("1.234 ± 0.010", "40.0 ± 0.5", "0.12 ± 0.01", "0.046 ± 0.001", "123,456"):
        assert cell in text[1], cell
    assert " – " in text[1]  # no alignment, no error rate
    assert "0.213 ± 0.010" in text[2]
    markdown = leaderboard.table(up_to_chapter=3, style="markdown", folder=tmp_path).splitlines()
    assert len(markdown) == 3
    assert {line.count("|") for line in markdown} == {len(leaderboard.COLUMNS) + 2}  # neither AER nor speed
    assert set(markdown[1]) <= set("|-: ")


def test_the_speed_is_that_of_the_run_that_timed_all(stored, tmp_path):
    leaderboard.add("none", "GRU, fixed vector", 3, folder=tmp_path)
    path = leaderboard.add("additive", "GRU, additive", 4, folder=tmp_path)
    fixed, additive = leaderboard.cells(folder=tmp_path)[1:]
    column = leaderboard.cells(folder=tmp_path)[0].index("steps/s")
    assert (fixed[column], additive[column]) == ("–", "11.0 ± 0.5")
    assert "steps per second" not in json.loads(path.read_text(encoding="utf-8"))["numbers"]
    del stored["translator_speed"]
    assert "steps/s" not in leaderboard.cells(folder=tmp_path)[0]  # what no row has measured is no column


def test_what_cannot_be_a_row_is_named(stored, tmp_path):
    with pytest.raises(ValueError, match="result: alignment lacks bleu, validation loss"):
        leaderboard.add("alignment", "x", 3, folder=tmp_path)
    with pytest.raises(ValueError, match="result: old lacks validation loss, learning rate, endless"):
        leaderboard.add("old", "x", 3, folder=tmp_path)
    with pytest.raises(ValueError, match="chapter: expected a whole number"):
        leaderboard.add("none", "x", -1, folder=tmp_path)
    with pytest.raises(ValueError, match="model: expected a name"):
        leaderboard.add("none", "–", 3, folder=tmp_path)
    with pytest.raises(ValueError, match="style: expected text or markdown, got 'html'"):
        leaderboard.table(style="html", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "03_bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"03_bad\.json: not readable as a row"):
        leaderboard.rows(folder=tmp_path)
    (tmp_path / "03_bad.json").write_text(json.dumps({"model": "x"}), encoding="utf-8")
    with pytest.raises(ValueError, match="lacks chapter, numbers, seeds, terms"):
        leaderboard.rows(folder=tmp_path)


def test_rows_at_other_terms_do_not_stand_on_one_board(stored, tmp_path):
    leaderboard.add("none", "GRU, fixed vector", 3, folder=tmp_path)
    leaderboard.add("longer", "GRU, longer", 4, folder=tmp_path)
    with pytest.raises(ValueError, match=r"made at other terms than GRU, fixed vector \(most_steps\)"):
        leaderboard.rows(3, tmp_path)


def test_the_packages_own_rows_are_rows_with_spread():
    for row in leaderboard.rows():
        assert row["seeds"] >= 3
        assert row["numbers"]["bleu"]["n"] == row["seeds"]
        assert row["command"].startswith(("attnbook run translation", "attnbook run transformer"))
