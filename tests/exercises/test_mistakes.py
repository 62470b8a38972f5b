"""A family of mistakes: what it holds, what it refuses, how it is fitted to an exercise."""

import pytest

from attnbook.exercises import exercise
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

POWER = Mistakes(
    "power",
    right=2,
    cubed=Wrong(3, "You take the third power."),
    none=Wrong(1, "You take no power at all."),
)
SIGN = Mistakes(
    "sign", right=1, minus=Wrong(-1, "The sign is wrong."), zero=Wrong(0, "You multiply by nothing.")
)


def square(x, *, power=POWER.right, sign=SIGN.right):
    return sign * x**power


def spec(**changes):
    fields = {
        "id": "1.1",
        "title": "Square",
        "points": 1,
        "minutes": 3,
        "difficulty": "easy",
        "signature": "square(x)",
        "outputs": (Output("squared", ("n",)),),
        "reference": square,
        "mistakes": (POWER, SIGN),
        "cases": lambda draw: [Case({"x": draw.normal(4)})],
        "hints": ("Multiply.",),
    }
    return Function(**{**fields, **changes})


def test_a_mistake_takes_the_place_of_the_right_code():
    (case,) = spec().cases(Draw(1))
    x = case.args["x"]
    assert spec().expected(case)["squared"].equal(x**2)
    assert spec().expected(case, {"power": "cubed", "sign": "minus"})["squared"].equal(-(x**3))


@pytest.mark.parametrize(
    ("switches", "sentence"),
    [
        ({"sing": "minus"}, '1.1 has no switch "sing"; it has: power, sign.'),
        ({"sign": "plus"}, '"sign" knows no mistake "plus"; it has: minus, zero.'),
    ],
)
def test_an_unknown_switch_or_mistake_is_an_error(switches, sentence):
    (case,) = spec().cases(Draw(1))
    with pytest.raises(KeyError) as raised:
        spec().expected(case, switches)
    assert raised.value.args[0] == sentence


def test_the_words_stand_beside_the_code():
    assert spec().explain({"sign": "minus", "power": "cubed"}) == [
        "You take the third power.",
        "The sign is wrong.",
    ]


def test_combinations_leave_out_what_means_nothing():
    everything = list(spec().combinations())
    assert everything[:4] == [{"power": "cubed"}, {"power": "none"}, {"sign": "minus"}, {"sign": "zero"}]
    assert len(everything) == 8
    one = spec(meaningless=((SIGN["zero"], POWER),))
    assert [item for item in everything if item not in one.combinations()] == [
        {"power": "cubed", "sign": "zero"},
        {"power": "none", "sign": "zero"},
    ]
    two = spec(meaningless=((SIGN["zero"], POWER["none"]),), possible=lambda switches: "power" in switches)
    assert list(two.combinations()) == [
        {"power": "cubed"},
        {"power": "none"},
        {"power": "cubed", "sign": "minus"},
        {"power": "cubed", "sign": "zero"},
        {"power": "none", "sign": "minus"},
    ]


def test_a_family_is_fitted_to_an_exercise_and_stays_as_it_was():
    fitted = POWER.only("none").also(half=Wrong(0.5, "You take the root.")).under("exponent")
    assert (fitted.switch, list(fitted.wrongs), fitted.right) == ("exponent", ["none", "half"], 2)
    reworded = POWER.reworded(none="x is returned as it came.")
    assert reworded["none"].code == POWER["none"].code
    assert [wrong.text for wrong in reworded.wrongs.values()] == [
        "You take the third power.",
        "x is returned as it came.",
    ]
    assert (POWER.switch, list(POWER.wrongs)) == ("power", ["cubed", "none"])
    with pytest.raises(KeyError, match='knows no mistake "forth"'):
        POWER.only("forth")
    with pytest.raises(KeyError, match='knows no mistake "forth"'):
        POWER.reworded(forth="A word.")


def test_a_bug_gives_all_points_or_none():
    cases = [Case({}), Case({}, group="edge")]
    assert spec().credit(cases, [True, False]) == 0.5
    assert spec(bug=True).credit(cases, [True, False]) == 0.0
    assert spec(bug=True).credit(cases, [True, True]) == 1.0
    assert spec().credit(cases, [False, True]) == 0.0


def test_the_task_says_the_kind():
    tasks = {id: exercise(id).task for id in ("10.1", "10.2", "10.6", "10.8", "10.9", "2.1")}
    assert list(tasks.values()) == [
        "predict",
        "write a function",
        "find the mistake",
        "write a module",
        "measure",
        "choose",
    ]
