"""AttentionWindow: the same numbers as torch, the same draws in both languages, checks, keyboard, axe."""

import copy
import json
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import (
    focused,
    go_to,
    link,
    painted,
    press,
    run_js,
    settled,
    spoken,
    state_of,
)
from widget_examples import SOURCE, window
from widget_page import JS

from attnbook.widgets import AttentionWindow
from attnbook.widgets.attention_window import draw_counts, least_window, window_weights

nn = pytest.importorskip("attnbook.nn")

WINDOW = (JS / "mechanisms" / "window.js").as_uri()


def float64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def random_cases(count=120):
    """Lengths, centres on and off the sentence, windows, temperatures; some scores huge, some all equal."""
    draw = random.Random(0)
    for index in range(count):
        n = draw.randint(1, 64)
        mode = draw.choice(["soft", "hard", "local-m", "local-p"])
        size = 300 if index % 10 == 0 else draw.choice([0.1, 1, 5])
        width = draw.randint(1, 12)
        yield {
            "scores": [0.0] * n if index % 15 == 1 else [draw.gauss(0, size) for _ in range(n)],
            "mode": mode,
            "centre": draw.randint(0, n + width) if mode == "local-m" else round(draw.uniform(0, n), 2),
            "window": width,
            "temperature": draw.choice([0.05, 1, 1, 1, 3]),
        }


def by_the_book(case):
    """The weights of attnbook.nn for these scores: one query, whose keys are its scores."""
    scores = float64(case["scores"])
    query, key = torch.ones(1, 1, dtype=torch.float64), (scores / case["temperature"])[:, None]
    value = torch.zeros(len(scores), 1, dtype=torch.float64)
    if case["mode"] == "soft":
        return nn.scaled_dot_product_attention(query, key, value, scale=1.0)[1][0]
    if case["mode"] == "hard":
        return nn.HardAttention(nn.DotScore()).eval()(query, key, value)[1][0]
    if case["mode"] == "local-m":
        local = nn.LocalAttention(nn.DotScore(), case["window"])
        return local(query, key, value, position=case["centre"])[1][0]
    local = nn.LocalAttention(nn.DotScore(), case["window"], "predictive", d_query=1).double()
    local.centre = lambda *_: float64([[case["centre"]]])  # the reader's p_t in place of the network's
    return local(query, key, value)[1][0]


def test_javascript_and_python_equal_the_books_own_classes(node, tmp_path):
    cases = list(random_cases())
    program = (
        f"import {{ attendWithin }} from {WINDOW!r};\nconsole.log(JSON.stringify(data.map(attendWithin)));"
    )
    for case, js in zip(cases, run_js(node, tmp_path, program, cases), strict=True):
        expected = by_the_book(case).detach()
        python = window_weights(**case)
        torch.testing.assert_close(float64(js["weights"]), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(float64(python["weights"]), expected, atol=1e-5, rtol=0)
        soft = torch.softmax(float64(case["scores"]) / case["temperature"], 0)
        torch.testing.assert_close(float64(js["soft"]), soft, atol=1e-5, rtol=0)
        inside = torch.tensor(js["inside"])
        assert js["inside"] == python["inside"]
        for covered in (js["covered"], python["covered"]):
            assert covered == pytest.approx(soft[inside].sum().item(), abs=1e-5)
        if case["mode"] == "local-p" and inside.any():
            assert js["total"] <= 1 + 1e-9, "the Gaussian only takes away"


def test_a_trained_local_attention_can_be_handed_over():
    torch.manual_seed(0)
    local = nn.LocalAttention(nn.GeneralScore(5, 7), 2, "predictive")
    states, annotations = torch.randn(4, 5), torch.randn(9, 7)
    with torch.no_grad():
        _, weights = local(states, annotations, annotations)
        parts = {
            "target": list("wxyz"),
            "p_t": local.centre(states, annotations)[:, 0],
            "weights": weights,
            "query": states,
        }
        w = AttentionWindow(local.score.prepare(annotations), tokens=SOURCE, window=2, trained=parts)
    for step in range(4):
        w.step = step
        torch.testing.assert_close(torch.tensor(w.weights), weights[step], atol=1e-5, rtol=0)
        assert w.centre == pytest.approx(parts["p_t"][step].item(), abs=1e-5)
    assert sum(w.weights) < 1


def test_both_languages_make_the_same_draws(node, tmp_path):
    draw = random.Random(3)
    cases = []
    for _ in range(30):
        odds = torch.softmax(torch.tensor([draw.gauss(0, 2) for _ in range(draw.randint(1, 20))]), 0).tolist()
        cases.append([odds, draw.randint(0, 1000), draw.randrange(2**32)])
    program = f"""
import {{ drawCounts }} from {WINDOW!r};
console.log(JSON.stringify(data.map((one) => drawCounts(...one))));
"""
    assert run_js(node, tmp_path, program, cases) == [draw_counts(*case) for case in cases]


def test_draws_follow_the_odds():
    odds = torch.softmax(torch.tensor([1.0, 0.0, -1.0, 2.0]).double(), 0)
    counts = sum(float64(draw_counts(odds.tolist(), 1000, seed)) for seed in range(0, 400, 20))
    expected = odds * 20_000
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert chi_square < 16.3, "three degrees of freedom: beyond this in one of a thousand fair runs"
    first, more = draw_counts(odds.tolist(), 10, 5), draw_counts(odds.tolist(), 20, 5)
    assert all(a <= b for a, b in zip(first, more, strict=True)), "more draws go on from the first ones"


def test_the_least_window():
    soft = window_weights([0.0] * 10, "soft")["soft"]
    assert least_window(soft, 4.5) == 5, "8 of 10 words are within 4, all within 5"
    assert least_window(soft, 0) == 8
    assert least_window([1.0], 0.3) == 1


def test_the_page_judges_as_the_kernel_does(node, tmp_path):
    draw = random.Random(9)
    made, cases = [], []
    for case in random_cases(60):
        w = AttentionWindow(**case, predict=False)
        share = round(draw.random(), 2)
        w.prediction = {"window": case["window"]} if case["mode"][0] == "l" else {"share": share}
        made.append(w)
        cases.append([w.state, share])
    program = f"""
globalThis.BOOK = true;
const {{ judge }} = await import({(JS / "attention_window.js").as_uri()!r});
import {{ attendWithin }} from {WINDOW!r};
console.log(JSON.stringify(data.map(([state, share]) => judge(state, attendWithin(state), share))));
"""
    for w, js in zip(made, run_js(node, tmp_path, program, cases), strict=True):
        assert js["score"] == w.score
        assert js["prediction"] == pytest.approx(w.prediction, abs=1e-6)


TRAINED = {
    "target": ["l'", "accord", "sur"],
    "p_t": [0.4, 1.25, 2.5],
    "weights": [[0.7, 0.1, *[0.0] * 7], [0.2, 0.6, *[0.0] * 7], [0.0, 0.1, 0.5, *[0.0] * 6]],
}


def test_sentences_are_the_kernels(node, tmp_path):
    made = [window(), window(trained=TRAINED), window(trained=TRAINED)]
    made[2].step = 1
    for mode in ("soft", "hard", "local-m", "local-p"):
        for centre in (0, 4, 9):
            for predict in (True, False):
                made.append(window(mode=mode, centre=centre, predict=predict))
        made.append(window(mode=mode, scores=list(range(9)), predict=False))
    made[-3].samples = 40
    far = window(mode="monotonic", centre=12, predict=False)
    assert far.summary == "The window around p_t = 12.00 with D = 2 holds no word, so every weight is 0."
    drawn = window(mode="hard", predict=False)
    drawn.samples = 40
    made += [far, drawn]
    program = f"""
globalThis.BOOK = true;
const {{ sentence, unpackMemory }} = await import({(JS / "attention_window.js").as_uri()!r});
console.log(JSON.stringify(data.map(([memory, state]) =>
  sentence(state, unpackMemory(memory)))));
"""
    out = run_js(node, tmp_path, program, [[w.memory, w.state] for w in made])
    assert out == [w.summary for w in made]


def test_mirrors_follow_the_state():
    w = window(predict=False)
    assert (w.mode, w.centre, w.window, w.tokens) == ("local-p", 4.3, 2, SOURCE)
    assert torch.tensor(w.key).shape == (9, 2)
    torch.testing.assert_close(torch.tensor(w.scores), torch.tensor(w.key) @ torch.tensor(w.query))
    assert 0 < sum(w.weights) < 1
    assert 0 < w.covered < 1
    w.mode = "soft"
    assert (w.covered, w.weights) == (1.0, w.soft)
    w.mode = "hard"
    assert sorted(w.weights) == [0.0] * 8 + [1.0]
    assert w.counts == [0] * 9
    w.samples = 250
    assert sum(w.counts) == 250
    w.mode = "monotonic"
    assert (w.mode, w.centre) == ("local-m", 4.0)
    assert sum(w.weights) == pytest.approx(1)
    w.scores = [0.0] * 9
    assert w.weights == pytest.approx([0, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0, 0], abs=1e-6)
    w.assign(centre=11)
    assert (w.weights, w.covered) == ([0.0] * 9, 0.0)
    w.query = [1.0, 0.0]
    assert w.scores == pytest.approx([row[0] for row in w.key])


def test_stored_rows_are_shown_as_they_are():
    w = window(trained=TRAINED, predict=False)
    assert w.step is None
    w.step = 1
    assert (w.centre, w.scores, w.soft, w.covered) == (1.25, None, None, None)
    torch.testing.assert_close(torch.tensor(w.weights), torch.tensor(TRAINED["weights"][1]))
    assert w.summary.startswith("Target word “accord”: the model's weights as stored, largest on “agreement”")
    w.window = 3
    assert w.step is None, "a stored row cannot follow: the reader's own query is back"
    only = AttentionWindow(tokens=SOURCE, trained=TRAINED)
    assert (only.step, only.centre) == (0, 0.4)
    with pytest.raises(TraitError, match="expected keys and a query, or scores, or a trained row"):
        only.window = 3
    with pytest.raises(TraitError, match="no scores to predict"):
        only.prediction = {"window": 3}


def test_predict_first():
    w = window()
    assert w.summary == "The weights are hidden: predict and commit, or skip."
    w.prediction = {"window": 1}
    answer = least_window(torch.tensor(w.soft), w.centre)
    assert (w.prediction["answer"], w.revealed) == (answer, True)
    near = [soft for s, soft in enumerate(w.soft) if abs(s - w.centre) <= 1]
    assert w.prediction["actual"] == pytest.approx(sum(near), abs=1e-5)
    assert w.score == pytest.approx(1 - abs(answer - 1) / 9, abs=0.006)
    w.mode = "soft"
    assert (w.prediction, w.score, w.revealed) == (None, None, True)
    w.prediction = {"share": 0.5}
    assert w.prediction["actual"] == pytest.approx(max(w.soft), abs=1e-5)
    assert w.score == pytest.approx(1 - abs(0.5 - max(w.soft)), abs=0.006)
    w.prediction = None
    assert (w.revealed, w.score) == (False, None)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("mode", "wide", "mode: expected one of"),
        ("mode", ["soft"], "mode: expected one of"),
        ("centre", 9.5, "centre: expected p_t from 0 to S = 9"),
        ("centre", -0.1, "centre: expected p_t"),
        ("centre", "x", "centre: expected a finite number"),
        ("window", 0, "window: expected a whole number from 1"),
        ("window", 1.5, "window: expected a whole number"),
        ("temperature", 0, "temperature: expected a number from 0.01"),
        ("query", [1.0], "query: expected a vector of 2 numbers"),
        ("scores", [1.0], "scores: expected a vector of 9 numbers"),
        ("step", 0, "step: expected None, since trained is absent"),
        ("samples", 1001, "samples: expected a whole number from 0 to 1000"),
        ("seed", -1, "seed: expected a whole number"),
        ("revealed", 1, "revealed: expected True or False"),
        ("prediction", {"share": 0.5}, 'prediction: expected {"window": D} in mode local-p'),
        ("prediction", {"window": 0}, "prediction window: expected a whole number"),
        ("weights", [1], "weights: expected no assignment"),
        ("covered", 1, "covered: expected no assignment"),
        ("counts", [1], "counts: expected no assignment"),
        ("key", [[1]], "key: expected no assignment"),
        ("tokens", ["a"], "tokens: expected no assignment"),
        ("memory", {}, "memory: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = window()
    before = copy.deepcopy((w.state, w.memory, w.summary, w.weights))
    with pytest.raises(TraitError) as caught:
        setattr(w, name, value)
    assert sentence in str(caught.value)
    assert (w.state, w.memory, w.summary, w.weights) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"keys": None}, "query: expected None, since this widget has no keys"),
        ({"keys": None, "query": None}, "there are none"),
        ({"keys": None, "query": None, "tokens": None}, "tokens: expected the words, or keys, or scores"),
        ({"tokens": ["a"]}, "tokens: expected one a key, 9 strings, got 1"),
        ({"keys": [[0.0, 1.0]] * 65, "tokens": None}, "tokens: expected 1 to 64 words"),
        ({"predict": 1}, "predict: expected True or False"),
        ({"name": "a b"}, "name: expected letters"),
        ({"mode": "local-m", "centre": 1.5}, "centre: expected t, a whole number"),
        ({"trained": []}, "trained: expected a dict"),
        ({"trained": {"target": ["a"]}}, "trained: expected weights, or scores, or query"),
        ({"trained": {**TRAINED, "p_t": [1]}}, "trained p_t: expected a vector of 3"),
        ({"trained": {**TRAINED, "p_t": [-1, 0, 0]}}, "trained p_t: expected positions"),
        ({"trained": {**TRAINED, "weights": [[1.0]]}}, "trained weights: expected a matrix of shape (3, 9)"),
        ({"trained": {**TRAINED, "weights": [[0.5] * 9] * 3}}, "trained weights[0]: expected shares"),
        ({"trained": {**TRAINED, "scores": [[0.0] * 9] * 3}}, "pass the model's own mode and window"),
    ],
)
def test_a_bad_option_is_named(options, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        window(**options)
    assert sentence in str(caught.value)


def test_the_stand_in_is_small_and_named_alike():
    for mode in ("soft", "hard", "local-p"):
        data, metadata = window(mode=mode)._repr_mimebundle_()
        assert len(data["image/png"]) < 60_000
        assert data["text/plain"].startswith("AttentionWindow: ")
        assert metadata["image/png"]["alt"] in data["text/plain"]
    w = window(name="mass")
    assert w.widget_id == "AttentionWindow-mass"
    assert w.model_id != window(name="mass").model_id, "a cell that runs again makes another model"


# --- In the page -----------------------------------------------------------------------------------------


def column(page, index):
    return page.locator(f".ab-window tbody td:nth-child({index})").all_inner_texts()


@pytest.mark.browser
def test_hidden_until_the_reader_commits_a_window(page_of):
    w = window()
    page = page_of([w])
    assert set(column(page, 3)) == set(column(page, 5)) == {"?"}
    assert "hidden" in spoken(page)
    assert page.locator(".ab-take").evaluate_all("all => all.map(x => x.getAttribute('d')).join('')") == ""
    page.get_by_role("slider", name="D ").fill("4")
    painted(page)
    page.get_by_role("button", name="Commit D = 4").click()
    painted(page)
    w.state = state = state_of(page, w.widget_id)
    assert state["prediction"]["window"] == 4
    assert w.score == state["score"]
    verdict = page.locator(".ab-predict p").nth(1).inner_text()
    assert f"the least that covers 90 % is D = {state['prediction']['answer']}" in verdict
    assert "It has to reach “" in verdict
    assert [float(x) for x in column(page, 5)] == pytest.approx(w.weights, abs=6e-4)
    assert [float(x) for x in column(page, 3)] == pytest.approx(w.soft, abs=6e-4)
    foot = page.locator(".ab-window tfoot td").all_inner_texts()
    assert float(foot[3]) == pytest.approx(sum(w.weights), abs=6e-4)
    assert "in window" in foot[1]
    assert spoken(page) == w.summary
    page.get_by_role("slider", name="D ").fill("1")
    painted(page)
    assert "covers" in page.locator(".ab-predict p").nth(1).inner_text(), "what was guessed stays"
    page.get_by_role("button", name="Predict again").click()
    painted(page)
    assert set(column(page, 5)) == {"?"}


@pytest.mark.browser
def test_a_share_is_predicted_where_there_is_no_window(page_of):
    w = window(mode="hard")
    page = page_of([w])
    assert page.locator(".ab-centre").is_hidden()
    assert page.get_by_role("button", name="Draw 100").is_hidden(), "draws would tell"
    page.get_by_label("share").fill("80")
    painted(page)
    page.get_by_role("button", name="Commit 80 %").click()
    painted(page)
    w.state = state_of(page, w.widget_id)
    assert w.prediction["share"] == 0.8
    assert w.score == pytest.approx(1 - abs(0.8 - w.prediction["actual"]), abs=0.006)
    assert "leads “" in page.locator(".ab-predict p").nth(1).inner_text()
    page.get_by_role("button", name="Draw 100").click()
    painted(page)
    page.get_by_role("button", name="Draw 1", exact=True).click()
    painted(page)
    w.state = state_of(page, w.widget_id)
    assert w.samples == 101
    assert [int(x) for x in column(page, 6)] == w.counts
    assert spoken(page) == w.summary
    page.get_by_role("button", name="Other draws").click()
    painted(page)
    assert state_of(page, w.widget_id)["seed"] == 2
    assert set(column(page, 6)) == {"0"}


@pytest.mark.browser
def test_mouse_drags_the_centre(page_of):
    w = window(predict=False)
    page = page_of([w])
    strip = page.locator(".ab-strip").bounding_box()
    box = page.locator(".ab-centre .ab-hit").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(strip["x"] + strip["width"] * (2 + 1.5) / 11, box["y"], steps=4)
    page.mouse.up()
    w.state = state_of(page, w.widget_id)
    assert w.centre == pytest.approx(2, abs=0.05)
    assert [float(x) for x in column(page, 5)] == pytest.approx(w.weights, abs=6e-4)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_an_emptied_window_is_shown_as_such(page_of):
    page = page_of([window(mode="local-m", centre=8, predict=False)])
    page.locator(".ab-centre").focus()
    press(page, "Enter", *["ArrowRight"] * 9)
    assert "p_t = 11.00" in page.locator(".ab-strip").text_content(), "as far as the first empty window"
    assert "no word in the window" in page.locator(".ab-strip").text_content()
    assert set(column(page, 5)) == {"0.000"}
    assert spoken(page).endswith("holds no word, so every weight is 0.")


@pytest.mark.browser
def test_trained_rows_are_stepped_through(page_of):
    scored = {"target": ["a", "b"], "p_t": [1.5, 7.25], "scores": [[0.1 * s for s in range(9)], [0.0] * 9]}
    stored, live = window(trained=TRAINED, predict=False), window(trained=scored, predict=False)
    page = page_of([stored, live])
    page.get_by_role("button", name="Next word").first.click()
    painted(page)
    state = state_of(page, stored.widget_id)
    assert (state["step"], state["centre"]) == (0, 0.4)
    assert column(page, 5)[:2] == ["0.700", "0.100"]
    stored.state = state
    assert spoken(page) == stored.summary
    page.get_by_role("slider", name="D ").first.fill("3")
    painted(page)
    assert state_of(page, stored.widget_id)["step"] is None, "a stored row cannot follow"
    page.get_by_label("target word").nth(1).select_option("1: b")
    painted(page)
    page.locator(".ab-centre").nth(1).focus()
    press(page, "Enter", "ArrowLeft")
    live.state = state_of(page, live.widget_id)
    assert (live.step, live.centre) == (1, 7.15), "with its scores, a row follows the window"
    assert spoken(page, 1) == live.summary


@pytest.mark.browser
def test_a_row_without_scores_cannot_move(page_of):
    w = AttentionWindow(tokens=SOURCE, trained=TRAINED)
    page = page_of([w])
    page.get_by_role("radio", name="Soft").click()
    painted(page)
    assert "cannot be moved" in page.locator(".ab > .ab-note").inner_text()
    assert state_of(page, w.widget_id) == w.state


@pytest.mark.browser
def test_arithmetic_of_a_word(page_of):
    w = window(predict=False)
    page = page_of([w])
    page.get_by_role("button", name="European: show its arithmetic").click()
    painted(page)
    settled(page)
    steps = page.locator("details ol li").all_inner_texts()
    assert [step.split(":")[0] for step in steps] == [
        *("Score", "Soft weight", "Distance", "Share in the window", "Gaussian", "Weight"),
    ]
    assert steps[1].endswith(f"= {w.soft[4]:.4f}")
    assert steps[2] == "Distance: |4 − 4.30| = 0.30, at most D = 2: in the window"
    assert steps[4] == "Gaussian: exp(−0.30² ÷ (2 × 1.00²)), with σ = D/2 = 0.9560"
    assert f"= {w.weights[4]:.4f}; not divided by the sum" in steps[5]
    page.get_by_role("button", name="signed: show its arithmetic").click()
    painted(page)
    assert "outside, weight 0" in page.locator("details ol").inner_text()


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = window()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    assert focused(page) == "Commit D = 2", "the question comes first"
    press(page, "ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["revealed"]
    assert focused(page) == "Predict again", "the focus does not fall out of the widget"
    go_to(page, "centre p_t")
    press(page, "ArrowLeft", "ArrowRight", "Enter", "ArrowLeft", "ArrowLeft", "Shift+ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["centre"] == pytest.approx(4.11)
    go_to(page, "Local-m", "ArrowLeft")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["centre"] == 4
    go_to(page, "centre p_t")
    press(page, "Enter", "ArrowRight", "Escape")
    assert state_of(page, w.widget_id)["centre"] == 5
    go_to(page, "on: show")
    press(page, " ")
    assert page.locator("details").get_attribute("open") is not None
    press(page, "r")
    assert state_of(page, w.widget_id) == w.state
    press(page, "End")
    assert focused(page) == "Copy link"
    press(page, "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop: the next Tab leaves"
    press(page, "Shift+Tab", "Home", "Escape")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.browser
def test_a_frame_writes_texts_and_builds_nothing(page_of):
    """The script's own part of a frame at 64 words."""
    w = AttentionWindow(scores=[(s % 7) / 3 for s in range(64)], centre=20, window=5, predict=False)
    page = page_of([w])
    page.evaluate(
        """() => { window.made = 0;
             const count = (all) => all.forEach((m) => { made += m.addedNodes.length; });
             const watch = new MutationObserver(count);
             watch.observe(document.querySelector('.ab'), { childList: true, subtree: true }); }"""
    )
    nodes = page.evaluate("document.querySelectorAll('.ab *').length")
    page.locator(".ab-centre").focus()
    press(page, "Enter", *["ArrowRight"] * 10)
    assert page.evaluate("document.querySelectorAll('.ab *').length") == nodes
    assert page.evaluate("made") < 10 * 64 * 5, "a frame writes texts, it does not build rows anew"


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = window(predict=False, name="mass")
    state = {**w.state, "centre": 2.5, "window": 4, "mode": "local-p"}
    page = page_of([w], fragment=f"#AttentionWindow-mass={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in ({**state, "mode": "toString"}, {**state, "centre": 99}, {"version": 1}):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state
    assert json.dumps(w.state), "all of it is JSON"
