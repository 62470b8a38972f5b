"""The page of results shows what is stored, and says of each run what its numbers bear out."""

import json
import re
from html import unescape

import pytest

from attnbook.analysis import model_shapes
from attnbook.results import FOLDER
from attnbook.translation import leaderboard


def text_of(html: str) -> str:
    """The words of a piece of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def result(seeds, **options):
    """A results file of such seeds."""
    return {"options": options, "seeds": {str(n): numbers for n, numbers in enumerate(seeds)}}


@pytest.fixture(scope="module")
def page(book_html):
    """The built page."""
    return (book_html / "book" / "results.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stored():
    """Every stored run by name."""
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
    }
    assert found
    return found


def test_the_leaderboard_is_the_one_that_chapters_print(page):
    plain = page.replace("\u202f", "").replace(",", "")
    drawn = [text_of(row) for row in re.findall(r"<tr.*?</tr>", plain, re.DOTALL)]
    rows = leaderboard.table().replace(",", "").splitlines()[1:]
    assert rows
    for row in rows:
        assert " ".join(row.split()) in drawn


def test_every_run_is_there_with_its_question_claim_figure_and_command(page, stored):
    from attnbook_pages import run_claims
    from attnbook_pages.run_numbers import RunNumbers

    words = text_of(page)
    for name, one in stored.items():
        said, numbers = run_claims.claim(name), RunNumbers(one)
        assert f'src="../_images/{name}-' in page, name
        # The page sets typographic quotes.
        for sentence in (said.question, said.says):
            shown = " ".join(run_claims.filled(sentence, numbers).split()).replace("'", "’")
            assert shown in words.replace("'", "’"), name
        assert one["command"] in words
    pictures = re.findall(r"<img [^>]*_images/[^>]*>", page)
    assert len(pictures) == len(stored)
    assert all('loading="lazy"' in picture for picture in pictures[1:])
    assert all(len(re.search(r'alt="([^"]+)"', picture)[1]) > 40 for picture in pictures)


def test_what_open_models_use_is_there_with_its_sources(page):
    links = set(re.findall(r'href="(https://[^"]+)"', page))
    for model in model_shapes.MODELS:
        assert page.count(model.name) >= 2, "both tables have it"
        assert {cell.source for cell in model.cells} <= links


def test_each_stored_run_bears_out_what_is_said_of_it(stored):
    from attnbook_pages import run_claims, run_figures
    from attnbook_pages.run_numbers import RunNumbers

    for name, one in stored.items():
        said, numbers = run_claims.claim(name), RunNumbers(one)
        assert said.holds, f"{name}: a claim rests on at least one comparison"
        assert run_claims.broken(said.holds, numbers) == [], name
        assert said.question.endswith("?"), name
        assert "{" not in run_claims.filled(said.says, numbers), name
        assert run_figures.drawn_values(said.figure, numbers), name
    named = {name for name in run_claims.names() if "*" not in name}
    assert named <= set(stored), "an entry without a run"


def test_a_claim_whose_numbers_change_is_found(stored):
    from attnbook_pages import run_claims
    from attnbook_pages.run_numbers import RunNumbers

    run = json.loads(json.dumps(stored["choosing_keys"]))
    run["seeds"]["1"]["right"]["random blocks"]["far"] = 0.76
    assert len(run_claims.broken(run_claims.claim("choosing_keys").holds, RunNumbers(run))) == 2


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ("a > b", False),  # 2 lies below 2.5
        ("each: a > b", True),
        ("a ~ b", True),
        ("a > b/{x|y}", True),
        ("a > 3 × b/{x|y}", False),
        ("a > b/x > 0", False),  # one b/x is 0
        ("a == 2", False),
        ("b/x ÷ b/y == 0", False),
        ("c == 4", True),
        ("mean of list == 2", True),
        ("list/1/0 > list/0", True),
    ],
)
def test_comparisons_by_hand(comparison, holds):
    from attnbook_pages import run_claims
    from attnbook_pages.run_numbers import RunNumbers

    numbers = RunNumbers(
        result(
            [
                {"a": 2, "b": 1, "b/x": 0.0, "b/y": 1.0, "c": 4, "list": [1, [3]]},
                {"a": 3, "b": 2.5, "b/x": 0.5, "b/y": 1.0, "c": 4, "list": [1, [3]]},
            ]
        )
    )
    assert (run_claims.broken((comparison,), numbers) == []) is holds


def test_sentences_are_filled_from_the_run():
    from attnbook_pages import run_claims
    from attnbook_pages.run_numbers import RunNumbers

    numbers = RunNumbers(
        result([{"right/far, 2": 0.5}, {"right/far, 2": 0.75}], steps=400, query="last-word")
    )
    text = "{right/far, 2:.0 %} ({lowest right/far, 2:.2f}), {option steps:,} steps, {option query}"
    assert run_claims.filled(text, numbers) == "62\u00a0% (0.50), 400 steps, last-word"
    with pytest.raises(ValueError, match="no seed has a number 'wrong'"):
        run_claims.filled("{wrong:.2f}", numbers)


def test_a_run_of_which_nothing_is_said_stops_the_build():
    from attnbook_pages import run_claims
    from attnbook_pages.errors import PageError

    with pytest.raises(PageError, match="says nothing of the run brand_new"):
        run_claims.claim("brand_new")
    assert run_claims.claim("translation_phrasebook_scaled_64").chapter == 5, "a name with * serves many"


def test_a_run_is_shown_where_its_experiment_is_imported_and_not_a_namesake():
    from attnbook_pages.stored_results import shown_in

    assert {address for address, _ in shown_in("no_such_run", "long_range")} == {
        "../chapters/07_lab_machine_reader.html",
        "../chapters/07_self_attention.html",
    }
    assert shown_in("no_such_run", "translation") == [], "attnbook.translation is no experiment"


def test_a_run_is_shown_where_a_list_of_runs_the_leaderboard_or_its_model_is():
    from attnbook_pages.stored_results import shown_in

    addresses = lambda *run: [address for address, _ in shown_in(*run)]  # noqa: E731
    chapter_5 = ["../chapters/05_luong.html", "../chapters/05_lab_grid.html"]
    assert addresses("translation_phrasebook_dot_current_32_feeding", "translation") == chapter_5
    assert set(chapter_5) < set(addresses("translation_phrasebook_none_64", "translation"))
    assert addresses("translation_phrasebook_dot_current_16", "translation") == []
    assert addresses("translator_speed", "translator_speed") == ["#the-leaderboard"]
    assert addresses("drawn_digits", "drawn_digits", "12_vit") == ["../chapters/12_vision_attention.html"]


def test_titles_of_chapters_are_shown_without_their_marks(page):
    from attnbook_pages.stored_results import plain

    assert plain("10 lab · What does *it* look at?") == "10 lab · What does it look at?"
    assert plain("**Two** `nn` marks, 2 * 3 * 4") == "Two nn marks, 2 * 3 * 4"
    links = re.findall(r'<p class="stored-run-made">Shown in: (.*?)</p>', page, re.DOTALL)
    assert any("What does it look at?" in text_of(link) for link in links)
    assert not [link for link in links if "*" in text_of(link) or "`" in text_of(link)]


def test_a_figure_is_drawn_once_for_each_state_of_its_run(tmp_path):
    from attnbook_pages import run_figures
    from attnbook_pages.run_numbers import RunNumbers

    numbers = RunNumbers(result([{"a/1": 0.25, "a/2": 1.0}, {"a/1": 0.75, "a/2": 1.0}]))
    figures = {
        "dots": {"form": "dots", "key": "a/{row}", "rows": [1, 2], "axis": "right"},
        "lines": {"form": "lines", "key": "a/{x}", "x": [1, 2], "axis": "right", "along": "places"},
        "matrix": {
            "form": "matrix",
            "key": "a/{column}",
            "rows": ["all"],
            "columns": [1, 2],
            "axis": "right",
        },
    }
    for name, figure in figures.items():
        first = run_figures.picture(name, b"one", figure, numbers, tmp_path)
        assert first.read_bytes().startswith(b"<?xml")
        stamp = first.stat().st_mtime_ns
        assert run_figures.picture(name, b"one", figure, numbers, tmp_path).stat().st_mtime_ns == stamp
        other = run_figures.picture(name, b"another", figure, numbers, tmp_path)
        assert other != first
        assert not first.exists(), "what nobody shows any more is gone"
        assert other.read_bytes() == run_figures._draw(figure, numbers), "the same bytes each time"
        assert "1 0.5, 2 1" in run_figures.alternative(figure, numbers)
    with pytest.raises(ValueError, match="form: expected dots, lines or matrix"):
        run_figures.drawn_values({"form": "pie"}, numbers)
    with pytest.raises(ValueError, match="no number for rows"):
        run_figures.drawn_values({**figures["matrix"], "key": "b/{column}"}, numbers)


def test_what_a_run_did_not_store_is_said():
    from attnbook_pages.stored_results import made

    bare = {"command": "attnbook run coin --seeds 30", "seeds": {"0": {}}}
    assert made(bare).startswith(
        "Seeds: 1 of the 30 that the command names. Commit: not stored. Machine: not stored."
    )
    whole = {**bare, "commit": "1c8febc-dirty", "machine": {"cores": 2}, "versions": {"torch": "2.13"}}
    assert "Commit: 1c8febc and changes that were not committed. Machine: cores 2." in made(whole)
