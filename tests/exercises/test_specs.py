"""Every spec holds together: sizes, hints, signatures, seeds, and that the judge's side stands alone."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mutants import mutant

from attnbook.exercises import exercises
from attnbook.exercises.judge import judge
from attnbook.exercises.spec import Draw, validate
from attnbook.worker import oracle, values
from attnbook.worker.oracle import answer
from support import ROOT

ALL = exercises()
CHAPTERS = sorted(int(path.name[:2]) for path in (ROOT / "chapters").glob("*.ipynb"))
WITH_INPUTS = [item for item in ALL if item.has_inputs]


def ids(item):
    return f"{item.id} {item.name}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_at_least_five_of_several_kinds_from_easy_to_hard(chapter):
    mine = exercises(chapter)
    assert len(mine) >= 5
    tasks = {item.task for item in mine}
    assert {"find the mistake", "measure"} <= tasks
    assert len(tasks) >= 4
    assert {item.difficulty for item in mine} == {"easy", "medium", "hard"}
    assert mine[0].difficulty == "easy"


@pytest.mark.parametrize("item", ALL, ids=ids)
def test_validate_finds_nothing(item):
    assert validate(item, range(20)) == []


@pytest.mark.parametrize("item", ALL, ids=ids)
def test_the_books_own_rules_hold(item):
    assert item.minutes >= 3
    assert len(item.hints) >= 3
    assert item.mistakes if item.has_inputs else item.nearby, "no known mistake"


@pytest.mark.parametrize("item", WITH_INPUTS, ids=ids)
def test_mistakes_are_combined_fewest_first_and_no_more_than_the_spec_says(item):
    sizes = [len(switches) for switches in item.combinations()]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert sizes[-1] <= (item.together or len(item.mistakes))


@pytest.mark.parametrize("item", WITH_INPUTS, ids=ids)
def test_another_seed_gives_other_inputs(item):
    drawn, others = ([item.request(case) for case in item.make_cases(seed)] for seed in (0, 99))
    assert not values.same(drawn, others)


@pytest.mark.parametrize("item", WITH_INPUTS, ids=ids)
def test_the_reference_passes_and_requests_survive_packing(item):
    for seed in range(20):
        cases = item.make_cases(seed)
        replies = []
        for case in cases:
            packed = values.unpack(*values.pack(item.request(case)))
            assert values.same(packed, item.request(case))
            reply = answer(mutant(item, case, {}), packed)
            replies.append(values.unpack(*values.pack(reply)))
        verdict = judge(item, cases, replies)
        assert verdict.passed, (seed, verdict)
        assert verdict.credit == 1.0


@pytest.mark.parametrize("item", [item for item in ALL if not item.has_inputs], ids=ids)
def test_values_know_right_from_wrong_and_why(item):
    right = item.reference()
    verdict = judge(item, item.make_cases(0), [{"status": "returned", "value": right}])
    assert verdict.passed
    for near in item.nearby:
        verdict = judge(item, item.make_cases(0), [{"status": "returned", "value": near.value}])
        assert not verdict.passed, near
        assert verdict.diagnosis == [near.text]
        assert verdict.credit == 0.0


def test_draws_have_different_sizes_and_usable_masks():
    for seed in range(200):
        draw = Draw(seed)
        sizes = draw.sizes(5)
        assert len(set(sizes)) == 5
        mask = draw.mask(3, 4, 5)
        assert mask.any(-1).all()
        assert (~mask).any(-1).all()


def test_the_judges_side_loads_without_the_learners():
    code = (
        "import sys; from attnbook.exercises import judge, registry, spec; "
        "from attnbook.worker import oracle, values; "
        "registry.exercises();print([name for name in ('matplotlib', 'IPython', "
        "'attnbook.exercises.checking') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_oracle_runs_alone_beside_values(tmp_path):
    """Where the package comes without anything else, two files are enough."""
    worker = tmp_path / "attnbook" / "worker"
    worker.mkdir(parents=True)
    for folder in (worker, worker.parent):
        (folder / "__init__.py").touch()
    for name in ("oracle.py", "values.py"):
        (worker / name).write_bytes(Path(oracle.__file__).with_name(name).read_bytes())
    code = (
        "import torch; from attnbook.worker import oracle; import attnbook; print(attnbook.__file__); "
        "print(oracle.answer(lambda x: x + 1, {'form': 'function', 'args': [torch.tensor([1, 2])]})"
        "['value'].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == [str(tmp_path / "attnbook" / "__init__.py"), "[2, 3]"]


@pytest.mark.parametrize(
    ("layout", "tensors"),
    [
        (["tensor", 0], []),
        (["tensor", -1], [torch.zeros(1)]),
        (["list", "abc"], []),
        (["int", "9" * 5000], []),
        (["code", "import os"], []),
        ("none", []),
        ([], []),
        (["dict", [["a"]]], []),
    ],
)
def test_a_layout_that_pack_never_makes_is_refused(layout, tensors):
    with pytest.raises(ValueError, match=r"layout|int"):
        values.unpack(layout, tensors)


def test_a_deep_layout_is_refused():
    layout = ["none"]
    for _ in range(50):
        layout = ["list", [layout]]
    with pytest.raises(ValueError, match="layout"):
        values.unpack(layout, [])


@pytest.mark.parametrize("chapter", range(16))
def test_every_chapter_has_two_starred_exercises_and_one_that_measures(chapter):
    items = exercises(chapter)
    assert len(items) >= 6
    assert sum("★" in item.title for item in items) == 2
    assert any(item.task == "measure" for item in items)
