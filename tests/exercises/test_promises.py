"""What ``book/exercises.md`` promises about marks: how exact a value has to be, and what earns a part."""

import pytest
import torch

from attnbook.exercises import exercises
from attnbook.exercises.judge import judge
from attnbook.exercises.spec import Function
from attnbook.worker.oracle import answer
from support import ROOT

PAGE = " ".join((ROOT / "book" / "exercises.md").read_text(encoding="utf-8").split())
FUNCTIONS = [item for item in exercises() if isinstance(item, Function)]


def ids(item):
    return f"{item.id} {item.name}"


def off_by(item, part):
    """The right function, every number of its result that is no whole one multiplied with 1 + part."""

    def scaled(value):
        if isinstance(value, tuple):
            return tuple(map(scaled, value))
        if not is_real(value):
            return value
        numbers = torch.as_tensor(value)
        moved = torch.where(numbers == numbers.round(), numbers, numbers * (1 + part))
        return moved if isinstance(value, torch.Tensor) else float(moved)

    return lambda *given: scaled(item.reference(*given))


def is_real(value):
    return isinstance(value, float) or (isinstance(value, torch.Tensor) and value.is_floating_point())


def has_large_numbers(item, case):
    """Whether a change of one in a thousand shows above the tolerance for numbers near 0."""
    value = item.reference(*case.args.values())
    parts = value if isinstance(value, tuple) else (value,)
    numbers = torch.cat(
        [torch.as_tensor(part).flatten() for part in parts if is_real(part)] or [torch.zeros(1)]
    )
    return bool((numbers[numbers != numbers.round()].abs() > 0.05).any())


def verdict_on(item, part_of):
    cases = item.make_cases(5)
    return judge(item, cases, [answer(off_by(item, part_of(case)), item.request(case)) for case in cases])


REAL = [item for item in FUNCTIONS if all(has_large_numbers(item, case) for case in item.make_cases(5))]
SHARED = [item for item in REAL if {case.group for case in item.make_cases(5)} > {"plain"}]


def test_the_page_promises_what_is_tested_here():
    assert "differ by less than about one part in ten thousand" in PAGE
    assert "All plain ones right, some of the others wrong: the share of inputs that were right" in PAGE
    assert "all points when the mended code is right on every input, otherwise none" in PAGE
    assert len(REAL) > 20
    assert {item.bug for item in SHARED} == {True, False}


@pytest.mark.parametrize("item", REAL, ids=ids)
def test_one_part_in_twenty_thousand_is_near_enough_and_one_in_a_thousand_is_not(item):
    relative = item.tolerance[0]  # 1e-4, but for an exercise whose right answers differ by more
    assert verdict_on(item, lambda case: relative / 2).passed
    assert not verdict_on(item, lambda case: 10 * relative).passed


@pytest.mark.parametrize("item", SHARED, ids=ids)
def test_what_is_half_mended_earns_nothing_and_what_is_half_written_its_share(item):
    cases = item.make_cases(5)
    verdict = verdict_on(item, lambda case: 0.0 if case.group == "plain" else 0.3)
    assert verdict.by_case == [case.group == "plain" for case in cases]
    share = sum(verdict.by_case) / len(cases)
    assert 0 < share < 1
    assert verdict.credit == (0.0 if item.bug else share)
