"""SearchAndCueing: plans and numbers, checks, both tasks done in the page with keys and taps, axe."""

import copy
import math
import statistics

import numpy as np
import pytest
from traitlets import TraitError
from widget_driver import (
    draw_from_notebook,
    focused,
    go_to,
    link,
    painted,
    press,
    run_js,
    small_controls,
    spilled,
    spoken,
    state_of,
)
from widget_examples import experiment
from widget_page import JS

from attnbook.widgets import SearchAndCueing
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.search_and_cueing import (
    CONDITIONS,
    REVERSED_IN_20,
    REVERSED_IN_120,
    by_cue,
    effect,
    line,
    plan,
    points,
    score,
    simulate,
)

TIMING = (JS / "mechanisms" / "timing.js").as_uri()
RANDOM = (JS / "mechanisms" / "mulberry32.js").as_uri()
SOURCE = (JS / "search_and_cueing.js").as_uri()


def test_javascript_plans_simulates_and_fits_as_python_does(node, tmp_path):
    cases = [["cueing", n, seed, [4, 8]] for n in (5, 20, 59, 60, 120) for seed in (0, 1, 10**9)]
    cases += [["search", 16 * k, seed, [3, 7, 20, 48]] for k in (1, 4) for seed in (2, 77)]
    program = f"""
import * as t from {TIMING!r};
import {{ generator }} from {RANDOM!r};
console.log(JSON.stringify(data.map((one) => {{
  const results = t.simulate(...one);
  const draw = generator(one[2]);
  return {{ plan: t.plan(...one), results, draws: [draw(), draw(), draw()], effect: t.effect(one[0], results),
    score: t.score(30, t.effect(one[0], results)),
    lines: one[0] === "search" && t.CONDITIONS.map((c) => t.line(t.points(results, c))) }};
}})));
"""
    for case, js in zip(cases, run_js(node, tmp_path, program, cases), strict=True):
        assert js["plan"] == plan(*case)
        assert js["results"] == simulate(*case)
        draw = generator(case[2])
        assert js["draws"] == [next(draw) for _ in range(3)]
        ours = effect(case[0], simulate(*case))
        assert js["effect"] == (None if ours is None else pytest.approx(ours, abs=1e-9))
        assert js["score"] == score(30, ours)
        if case[0] == "search":
            fits = [line(points(simulate(*case), *condition)) for condition in CONDITIONS]
            np.testing.assert_allclose(np.array(js["lines"], float), np.array(fits, float), atol=1e-9)


def test_draws_are_even():
    draw = generator(3)
    values = [next(draw) for _ in range(20_000)]
    assert statistics.fmean(values) == pytest.approx(0.5, abs=0.01)
    assert statistics.pvariance(values) == pytest.approx(1 / 12, abs=0.002)
    assert 0 <= min(values) <= max(values) < 1


@pytest.mark.parametrize(("trials", "counts"), [(5, (4, 0, 1)), (20, (16, 0, 4)), (120, (80, 20, 20))])
def test_four_of_five_arrows_are_right(trials, counts):
    trial_list = plan("cueing", trials, 1)
    assert tuple(sum(kind == k for kind, _, _ in trial_list) for k in range(3)) == counts
    assert all(300 <= wait < 900 for _, _, wait in trial_list)
    assert plan("cueing", trials, 1) == trial_list != plan("cueing", trials, 2)


def test_every_display_comes_equally_often():
    trial_list = plan("search", 64, 1)
    assert all(trial_list.count(one) == 4 for one in trial_list)
    assert len({tuple(one) for one in trial_list}) == 16


def test_least_squares_is_numpys():
    pairs = points(simulate("search", 64, 5), 1, 0)
    slope, intercept = np.polyfit(*zip(*pairs, strict=True), 1)
    assert line(pairs) == pytest.approx((slope, intercept))
    assert line([]) is line([(4, 500), (4, 700)]) is None


def test_the_simulated_reader_has_the_stated_times():
    many = [one for seed in range(200) for one in simulate("cueing", 120, seed)]
    valid, neutral, invalid = map(statistics.fmean, by_cue(many))
    assert neutral - valid == pytest.approx(25, abs=6)
    assert invalid - neutral == pytest.approx(40, abs=8)
    spread = statistics.pstdev(by_cue(many)[0])
    assert spread == pytest.approx(60, abs=8), "the warning says about 60 ms"
    found = [one for seed in range(40) for one in simulate("search", 64, seed)]
    slopes = [line(points(found, *condition))[0] for condition in CONDITIONS]
    assert slopes == pytest.approx([3, 3, 28.7, 67.1], abs=1)


def test_the_warning_says_how_often_few_trials_mislead():
    for trials, said in ((20, REVERSED_IN_20), (120, REVERSED_IN_120)):
        runs = [simulate("cueing", trials, seed, effects=(0, 20, 40)) for seed in range(1500)]
        reversed_ = sum(effect("cueing", one) < 0 for one in runs) / 15
        assert abs(reversed_ - said) < 2.5
    assert f"in {REVERSED_IN_20} of 100 runs" in experiment().warning


def test_medians_leave_out_early_presses_and_misses():
    w = experiment(predict=False)
    w.results = [[0, 300], [0, 400], [0, 0], [0, -1], [2, 500], [1, 330], [2, 0]]
    assert w.medians == {"valid": 350, "neutral": 330, "invalid": 500}
    assert w.effect == 150
    assert w.summary == (
        "7 trials by you: median 350 ms after valid, 330 ms after neutral, 500 ms after invalid cues; "
        "benefit −20 ms, cost 170 ms, 3 discarded."
    )
    w.results = [[0, 300], [2, 0]]
    assert w.medians["invalid"] is None
    assert w.effect is None
    assert "– ms after invalid" in w.summary


def test_slopes_leave_out_wrong_answers():
    w = experiment("search", predict=False)
    right = [[1, 4, 1, 500, 1], [1, 16, 1, 860, 1]]
    w.results = [*right, [1, 4, 1, 9000, 0]]
    assert w.slopes[("conjunction", "present")] == pytest.approx(30)
    assert w.slopes[("feature", "absent")] is None
    assert w.effect == pytest.approx(30)
    assert "1 wrong: each item costs 30.0 ms in a conjunction with its target, – ms without" in w.summary


def test_a_prediction_waits_for_results():
    w = experiment()
    w.prediction = {"guess": 50}
    assert (w.prediction, w.score, w.revealed) == ({"guess": 50, "actual": None}, None, True)
    w.results = [[0, 300], [2, 340]]
    assert w.prediction == {"guess": 50, "actual": 40}
    assert w.score == 0.9
    w.prediction = None
    assert (w.score, w.revealed) == (None, False)
    assert w.summary == "2 trials are done; predict, or skip, to see what they say."
    assert score(0, 500) == 0


def test_simulated_results_are_marked():
    w = experiment(predict=False, trials=120)
    w.simulate()
    assert w.simulated
    assert "a simulated reader" in w.summary
    w.results = [[0, 300]]
    assert not w.simulated


@pytest.mark.parametrize(
    ("task", "name", "value", "sentence"),
    [
        ("cueing", "trials", 4, "trials: expected a whole number from 5 to 960"),
        ("search", "trials", 12, "trials: expected a multiple of 8"),
        ("cueing", "seed", -1, "seed: expected a whole number"),
        ("cueing", "results", [[3, 300]], r"results\[0\]\[0\]: expected a whole number from 0 to 2"),
        ("cueing", "results", [[0, 300.5]], r"results\[0\]\[1\]: expected a whole number"),
        ("search", "results", [[0, 300]], r"results\[0\]: expected a list of 5, \[kind 0 or 1, size"),
        ("cueing", "results", "abc", "results: expected a list"),
        ("cueing", "simulated", 1, "simulated: expected True or False"),
        ("cueing", "prediction", {"guess": 900}, "prediction guess: expected a number from -100 to 200"),
        ("cueing", "prediction", 40, "prediction: expected"),
        ("cueing", "medians", {}, "medians: expected no assignment"),
        ("search", "slopes", {}, "slopes: expected no assignment"),
        ("cueing", "task", "search", "task: expected no assignment"),
        ("search", "sizes", [2, 3], "sizes: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(task, name, value, sentence):
    w = experiment(task)
    before = copy.deepcopy((w.state, w.summary, w.task, w.sizes))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.summary, w.task, w.sizes) == before


@pytest.mark.parametrize(
    ("task", "options", "sentence"),
    [
        ("sleep", {}, "task: expected one of"),
        ("search", {"trials": 9}, "trials: expected a multiple of 8"),
        ("search", {"sizes": [4]}, "sizes: expected rising whole numbers"),
        ("search", {"sizes": [8, 4]}, "sizes: expected rising"),
        ("search", {"sizes": [4, 49]}, "sizes: expected rising"),
        ("cueing", {"predict": 1}, "predict: expected True or False"),
        ("cueing", {"trials": 1.5}, "trials: expected a whole number"),
    ],
)
def test_the_constructor_names_what_is_wrong(task, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        experiment(task, **options)


def test_usual_numbers_of_trials():
    assert (SearchAndCueing().trials, SearchAndCueing().offers) == (120, [20, 120])
    assert (SearchAndCueing("search").trials, SearchAndCueing("search").offers) == (64, [32, 64])


def test_the_stand_in_is_small():
    for task in ("cueing", "search"):
        data, metadata = experiment(task)._repr_mimebundle_()
        assert len(data["image/png"]) < 60_000
        assert data["text/plain"].startswith("SearchAndCueing: ")
        assert metadata["image/png"]["alt"] in data["text/plain"]


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for task in ("cueing", "search"):
        for predict in (True, False):
            for run in (None, 5, 8):
                w = experiment(task, predict=predict, seed=run or 1)
                if run:
                    w.simulate()
                made.append(w)
    made[1].prediction = {"guess": 20}
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({SOURCE!r});
console.log(JSON.stringify(data.map(([task, state]) => sentence(task, state))));
"""
    out = run_js(node, tmp_path, program, [[w.task, w.state] for w in made])
    assert out == [w.summary for w in made]


# --- In the page -----------------------------------------------------------------------------------------


DISC = ".ab-disc"


@pytest.mark.browser
def test_cueing_by_keyboard(page_of):
    """Five trials: one press too early, the others once the disc is there."""
    w = experiment(seed=4)
    page = page_of([w], before='<button id="before">b</button>', reduced_motion="reduce")
    assert page.get_by_role("button", name="Start").is_hidden(), "predict first"
    page.locator("#before").focus()
    press(page, "Tab", "Enter", "ArrowRight", "Enter")
    go_to(page, "Commit")
    press(page, "Enter")
    assert "You expect 1 ms. Now do the trials." in page.locator(".ab-predict").inner_text()
    go_to(page, "Start")
    press(page, "Enter")
    assert focused(page).startswith("Press Space")
    trial_list = plan("cueing", 5, 4)
    page.wait_for_selector(".ab-cue", state="attached")
    page.keyboard.press("Space")
    assert "Too early" in page.locator(".ab-note:visible", has_text="Too early").inner_text()
    for kind, side, _ in trial_list[1:]:
        page.wait_for_selector(DISC, state="attached")
        assert float(page.locator(DISC).get_attribute("cx")) == (340 if side else 60)
        cue = page.locator(".ab-cue").get_attribute("d")
        right = cue.startswith("M176")  # the arrow's shaft starts on the left: it points to the right
        assert right == ((kind == 0) == bool(side))
        page.wait_for_timeout(130)
        page.keyboard.press("Space")
        page.wait_for_selector(DISC, state="detached")
    page.wait_for_selector(".ab-times")
    page.get_by_role("button", name="Start again").wait_for()
    state = state_of(page, w.widget_id)
    results = state["results"]
    assert [kind for kind, _ in results] == [kind for kind, _, _ in trial_list]
    assert results[0][1] == 0
    assert all(100 <= ms < 1500 for _, ms in results[1:])
    w.state = state
    assert w.score == state["score"]
    assert spoken(page) == w.summary
    assert focused(page) == "Start again", "the focus stays in the widget"
    rows = page.locator(".ab-times tbody tr").all_inner_texts()
    for row, (cue, middle) in zip(rows, w.medians.items(), strict=True):
        assert row.startswith(cue)
        if middle is not None:
            assert f"{math.floor(middle + 0.5)} ms" in row


@pytest.mark.browser
def test_cueing_by_tap_and_stop(page_of):
    w = experiment(predict=False)
    page = page_of([w], width=320)
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(DISC, state="attached")
    page.wait_for_timeout(120)
    page.get_by_role("button", name="I see it").click()
    page.wait_for_selector(DISC, state="detached")
    page.wait_for_selector(DISC, state="attached")
    page.wait_for_timeout(120)
    page.locator(".ab-stage").click()
    page.wait_for_selector(DISC, state="detached")
    page.get_by_role("button", name="Stop").click()
    painted(page)
    results = state_of(page, w.widget_id)["results"]
    assert len(results) == 2, "the trials that were done are kept"
    assert all(ms > 100 for _, ms in results)
    assert "Stopped" in page.locator(".ab > .ab-note").inner_text()
    page.get_by_role("button", name="Reset").click()
    painted(page)
    assert state_of(page, w.widget_id) == w.state


@pytest.mark.browser
def test_search_by_keyboard(page_of):
    """Eight displays, answered from what they show: the target is there exactly when the plan says so."""
    w = experiment("search", predict=False, seed=2)
    page = page_of([w])
    page.get_by_role("button", name="Start").click()
    trial_list = plan("search", 8, 2, [4, 16])
    for index, (kind, size, present) in enumerate(trial_list):
        page.wait_for_selector(".ab-stage .ab-blue", state="attached")
        shapes = page.evaluate(
            """[...document.querySelectorAll(".ab-stage svg > *")].map((n) => [n.tagName, n.classList[0]])"""
        )
        assert len(shapes) == size
        targets = sum(shape == ["path", "ab-orange"] for shape in shapes)
        assert targets == present
        orange_discs = sum(shape == ["circle", "ab-orange"] for shape in shapes)
        assert (orange_discs > 0) == bool(kind), "a conjunction has items that share each feature"
        there = bool(present) if index else not present  # the first answer is wrong
        page.keyboard.press("ArrowRight" if there else "ArrowLeft")
        page.wait_for_selector(".ab-stage .ab-blue", state="detached")
    page.get_by_role("button", name="Start again").wait_for()
    state = state_of(page, w.widget_id)
    assert [one[:3] for one in state["results"]] == trial_list
    assert [one[4] for one in state["results"]] == [0] + [1] * 7
    w.state = state
    assert spoken(page) == w.summary
    rows = page.locator(".ab-times tbody tr").all()
    assert [row.locator("td").nth(2).inner_text() for row in rows] == ["–", "–", "28.7", "67.1"]
    for row, slope in zip(rows, w.slopes.values(), strict=True):
        shown = row.locator("td").nth(1).inner_text()
        assert (
            shown == "–"
            if slope is None
            else float(shown.replace("−", "-")) == pytest.approx(slope, abs=0.06)
        )
    page.get_by_role("button", name="Start again").click()
    painted(page)
    page.locator(".ab-stage").press("Escape")
    painted(page)
    assert state_of(page, w.widget_id)["results"] == state["results"], "nothing done, nothing lost"


@pytest.mark.browser
def test_search_by_tap(page_of):
    w = experiment("search", predict=False)
    page = page_of([w])
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".ab-stage .ab-blue", state="attached")
    present = page.locator(".ab-stage path.ab-orange").count()
    page.get_by_role("button", name="There →" if present else "Not there").click()
    page.wait_for_selector(".ab-stage .ab-blue", state="detached")
    page.get_by_role("button", name="Stop").click()
    painted(page)
    assert state_of(page, w.widget_id)["results"][0][4] == 1


@pytest.mark.browser
@pytest.mark.parametrize("task", ["cueing", "search"])
def test_simulated_data_instead(page_of, task):
    w = experiment(task)
    page = page_of([w])
    page.get_by_role("button", name="Skip").click()
    painted(page)
    assert "screen reader" in page.locator(".ab").inner_text()
    assert ("in 12 of 100 runs" in page.locator(".ab").inner_text()) == (task == "cueing")
    page.get_by_role("button", name="Use simulated data").click()
    painted(page)
    w.revealed = True
    w.simulate()
    assert state_of(page, w.widget_id) == w.state
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_the_notebooks_module_draws_the_same(page_of):
    w = experiment("search", predict=False)
    w.simulate()
    page = page_of([w])
    draw_from_notebook(page, w)
    painted(page)
    tables = page.locator(".ab-times")
    assert tables.nth(1).inner_text() == tables.nth(0).inner_text()
    assert spoken(page, 1) == w.summary


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 900])
@pytest.mark.parametrize("running", [False, True])
def test_narrow_pages_and_large_controls(page_of, width, running):
    ready = [experiment(task, predict=False) for task in ("cueing", "search")]
    for w in ready:
        w.simulate()
    page = page_of([experiment(), *ready], width=width)
    if running:
        for button in page.get_by_role("button", name="Start").all()[::-1]:
            button.click()
        painted(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert spilled(page) == []
    assert small_controls(page) == []


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = experiment(predict=False)
    state = {**w.state, "results": [[0, 300], [2, 351]], "trials": 20}
    page = page_of([w], fragment=f"#{w.widget_id}={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in (
        {**state, "results": [[5, 300]]},
        {**state, "results": [[0, 1, 2]]},
        {**state, "trials": 0},
        {**state, "prediction": {"guess": "x"}},
        {"version": 1},
    ):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state
