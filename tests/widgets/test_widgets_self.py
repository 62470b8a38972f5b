"""SelfAttentionPlayground: the same numbers as torch, permutation, checks, keyboard, axe."""

import copy
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import (
    focused,
    go_to,
    link,
    open_all,
    painted,
    press,
    run_js,
    settled,
    spoken,
    state_of,
)
from widget_examples import self_playground
from widget_page import JS

from attnbook import nn
from attnbook.widgets import SelfAttentionPlayground
from attnbook.widgets.self_attention_playground import SCALES


def float64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def random_cases(count=100):
    """Words, matrices, masks and scales; some with scores far apart, some with none at all."""
    draw = random.Random(0)
    for index in range(count):
        size = 20 if index % 10 == 0 else 1
        rows = lambda n, size=size: [[draw.gauss(0, size) for _ in range(2)] for _ in range(n)]  # noqa: E731
        case = {"x": rows(draw.randint(1, 16)), **{name: rows(2) for name in ("w_q", "w_k", "w_v")}}
        if index % 12 == 1:
            case["w_q"] = [[0.0, 0.0], [0.0, 0.0]]
        yield {**case, "causal": draw.random() < 0.5, "scale": draw.choice(["sqrt", "none", "d"])}


def test_javascript_and_the_kernel_equal_the_books_own_class(node, tmp_path):
    # A state holds seven digits of each number: all three compute from those.
    made = [
        SelfAttentionPlayground([f"w{i}" for i in range(len(case["x"]))], **case, predict=False)
        for case in random_cases()
    ]
    program = f"""
import {{ selfAttend }} from {(JS / "mechanisms" / "self_attention.js").as_uri()!r};
console.log(JSON.stringify(data.map(selfAttend)));
"""
    for w, js in zip(made, run_js(node, tmp_path, program, [w.state for w in made]), strict=True):
        case = w.state
        scale = None if case["scale"] == "sqrt" else SCALES[case["scale"]]
        model = nn.SelfAttention(2, scale=scale).double().requires_grad_(False)
        for name, layer in (("w_q", model.W_q), ("w_k", model.W_k), ("w_v", model.W_v)):
            layer.weight.copy_(float64(case[name]))
        context, weights = model(float64(case["x"]), causal=case["causal"])
        for name, expected in (("weights", weights), ("context", context)):
            got = float64([row[name] for row in js["rows"]])
            torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(float64(getattr(w, name)), expected, atol=1e-5, rtol=1e-5)
        for name in ("query", "key", "value"):
            torch.testing.assert_close(float64(js[name]), float64(getattr(w, name)), atol=1e-5, rtol=1e-5)


def test_making_one_leaves_the_readers_random_numbers_alone():
    before = torch.get_rng_state()
    self_playground(predict=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_order_moves_the_outputs_along():
    w = self_playground(predict=False)
    order = [3, 0, 2, 1]
    before = w.context
    w.assign(tokens=[w.tokens[i] for i in order], x=[w.x[i] for i in order])
    assert w.context == [before[i] for i in order]
    w.causal = True
    first = w.context
    w.assign(tokens=w.tokens[::-1], x=w.x[::-1])
    assert w.context[::-1] != first, "under the causal mask the order decides"


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for causal in (True, False):
        for cell in ([0, 0], [2, 1], [3, 0]):
            for predict in (True, False):
                made.append(self_playground(causal=causal, cell=cell, predict=predict))
    made[1].prediction = {"choice": 0, "share": 0.5}
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({(JS / "self_attention_playground.js").as_uri()!r});
console.log(JSON.stringify(data.map(sentence)));
"""
    out = run_js(node, tmp_path, program, [w.state for w in made])
    assert out == [w.summary for w in made]


def test_mirrors_follow_the_state():
    w = self_playground(predict=False)
    assert w.cell == [3, 0]
    assert w.query == w.key == w.value == w.x, "three identities"
    w.w_q = [[0, 1], [1, 0]]
    assert w.query == [[y, x] for x, y in w.x]
    expected = torch.softmax(torch.tensor(w.scores) / 2**0.5, -1)
    torch.testing.assert_close(torch.tensor(w.weights), expected, atol=1e-5, rtol=0)
    w.set_state({"state": {**w.state, "causal": True, "scale": "none"}})
    assert (w.causal, w.scale) == (True, "none")
    assert w.weights[0] == [1.0, 0.0, 0.0, 0.0]
    w.tokens = w.tokens  # as many: nothing else moves
    with pytest.raises(TraitError, match=r"x: expected a matrix of shape \(2, 2\), one a token"):
        w.tokens = ["a", "b"]
    w.assign(tokens=["a", "b"], x=[[0, 1], [1, 0]])
    assert w.cell == [1, 0]


def test_predict_first():
    w = self_playground()
    assert w.summary == "The weights are hidden: predict which word “run” looks at most, or skip."
    w.prediction = {"choice": "FBI", "share": 0.5}
    best = max(range(4), key=lambda j: w.weights[3][j])
    assert (w.prediction["choice"], w.prediction["answer"], w.revealed) == (1, best, True)
    off = abs(0.5 - w.weights[3][best])
    assert w.score == pytest.approx(0.5 * (best == 1) + 0.5 * (1 - off), abs=0.006)
    w.cell = [0, 0]
    assert (w.prediction, w.score, w.revealed) == (None, None, True)
    w.prediction = None
    assert not w.revealed


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("tokens", ["a"] * 17, "tokens: expected 1 to 16 words"),
        ("tokens", "abcd", "tokens: expected a list"),
        ("x", [[1, 2]], "x: expected a matrix of shape (4, 2), one a token"),
        ("x", [[1, 2, 3]] * 4, "x: expected a matrix of shape (4, 2)"),
        ("x", [[1e9, 2]] * 4, "x: expected numbers from -1000 to 1000"),
        ("w_q", [1, 2], "w_q: expected a matrix of shape (2, 2)"),
        ("w_v", torch.eye(3), "w_v: expected a matrix of shape (2, 2)"),
        ("causal", 1, "causal: expected True or False"),
        ("scale", 2, "scale: expected one of 'sqrt', 'none', 'd'"),
        ("cell", [0, 4], "cell: expected [query < 4, key < 4], got [0, 4]"),
        ("cell", 3, "cell: expected [query < 4, key < 4], got 3"),
        ("revealed", "no", "revealed: expected True or False"),
        ("prediction", {"choice": "zebra", "share": 0.5}, "prediction: expected a choice among"),
        ("prediction", {"share": 0.5}, "prediction: expected {"),
        ("prediction", {"choice": 0, "share": 2}, "prediction share: expected a number from 0 to 1"),
        ("weights", [[1]], "weights: expected no assignment"),
        ("query", [[1]], "query: expected no assignment"),
        ("score", 1, "score: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = self_playground()
    before = copy.deepcopy((w.state, w.summary, w.weights))
    with pytest.raises(TraitError) as caught:
        setattr(w, name, value)
    assert sentence in str(caught.value)
    assert (w.state, w.summary, w.weights) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"x": [[0, 0]]}, "x: expected a matrix"),
        ({"scale": "tiny"}, "scale: expected one of"),
        ({"predict": None}, "predict: expected True or False"),
        ({"name": "a b"}, "name: expected letters"),
    ],
)
def test_the_constructor_raises_value_error(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        self_playground(**options)


def test_the_stand_in_is_small():
    data, metadata = self_playground()._repr_mimebundle_()
    assert len(data["image/png"]) < 60_000
    assert data["text/plain"] == f"SelfAttentionPlayground: {self_playground().summary}"
    assert metadata["image/png"]["alt"] in data["text/plain"]
    assert self_playground(name="mine").widget_id == "SelfAttentionPlayground-mine"


# --- In the page -----------------------------------------------------------------------------------------


def cells(page):
    return page.locator(".ab-square tbody td").all_inner_texts()


def shown(page):
    return torch.tensor([float(text.replace("–", "0")) for text in cells(page)]).view(4, 4)


@pytest.mark.browser
def test_hidden_until_the_reader_commits(page_of):
    w = self_playground()
    page = page_of([w])
    assert set(cells(page)) == {"?"}
    assert page.locator(".ab-star").is_hidden()
    assert "hidden" in spoken(page)
    page.get_by_label("I expect").select_option("FBI")
    painted(page)
    page.get_by_role("button", name="Commit").click()
    painted(page)
    w.state = state = state_of(page, w.widget_id)
    assert w.score == state["score"]
    assert "points off" in page.locator(".ab-predict p").inner_text()
    torch.testing.assert_close(shown(page), torch.tensor(w.weights) * 100, atol=0.51, rtol=0)
    assert spoken(page) == w.summary
    assert page.locator(".ab-star").is_visible()


@pytest.mark.browser
def test_matrices_mask_and_scale(page_of):
    w = self_playground(predict=False)
    page = page_of([w])
    box = page.get_by_label("W_Q, row 1, column 2")
    box.fill("-1.5")
    box.blur()
    w.state = state_of(page, w.widget_id)
    assert w.w_q == [[1, -1.5], [0, 1]]
    torch.testing.assert_close(shown(page), torch.tensor(w.weights) * 100, atol=0.51, rtol=0)
    box.fill("1e9")
    box.blur()
    painted(page)
    assert "Expected −1000 to 1000" in page.locator(".ab > .ab-note").inner_text()
    assert box.input_value() == "-1.5"
    page.get_by_label("causal").check()
    painted(page)
    page.get_by_label("scores").select_option("÷ 2")
    painted(page)
    w.state = state_of(page, w.widget_id)
    assert (w.causal, w.scale) == (True, "d")
    assert cells(page)[:4] == ["100", "–", "–", "–"]
    first = page.locator(".ab-square tbody tr").first.locator("td").nth(1)
    assert first.get_attribute("aria-label") == "the looks at FBI: masked"
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_a_preset_looks_at_the_previous_word_until_the_order_is_shuffled(page_of):
    w = self_playground(predict=False)
    page = page_of([w])
    page.get_by_label("matrices").select_option("a circle: look at the previous")
    painted(page)
    w.state = state_of(page, w.widget_id)
    peaks = torch.tensor(w.weights).argmax(-1).tolist()
    assert peaks[1:] == [0, 1, 2]
    looked = {w.tokens[i]: w.tokens[peaks[i]] for i in (1, 2, 3)}
    for _ in range(3):
        page.get_by_role("button", name="Shuffle the order").click()
        painted(page)
    before = dict(zip(w.tokens, w.context, strict=True))
    w.state = state_of(page, w.widget_id)
    for token, context in zip(w.tokens, w.context, strict=True):
        assert context == pytest.approx(before[token], abs=1e-6), "each output moves with its word"
    peaks = torch.tensor(w.weights).argmax(-1).tolist()
    for i, token in enumerate(w.tokens):
        if token in looked:
            assert w.tokens[peaks[i]] == looked[token], "the same word, wherever it now stands"
    note = page.locator(".ab > .ab-note").inner_text()
    assert "changed by at most 0.0000: nothing here knows the order" in note
    page.get_by_label("causal").check()
    painted(page)
    page.get_by_role("button", name="Shuffle the order").click()
    painted(page)
    assert "the mask makes order count" in page.locator(".ab > .ab-note").inner_text()


@pytest.mark.browser
def test_every_preset_is_a_state_that_the_kernel_takes(page_of):
    w = self_playground(predict=False)
    page = page_of([w])
    choices = page.get_by_label("matrices").locator("option").all_inner_texts()[1:]
    assert len(choices) == 5
    for name in choices:
        page.get_by_label("matrices").select_option(name)
        painted(page)
        state = state_of(page, w.widget_id)
        w.state = state
        assert w.state == state
        torch.testing.assert_close(shown(page), torch.tensor(w.weights) * 100, atol=0.51, rtol=0)


@pytest.mark.browser
def test_mouse_drags_a_word(page_of):
    w = self_playground(predict=False)
    page = page_of([w])
    box = page.locator(".ab-plane").first.bounding_box()
    handle = page.locator(".ab-handle.ab-x .ab-hit").nth(1).bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2, steps=4)
    page.mouse.up()
    w.state = state_of(page, w.widget_id)
    assert abs(w.x[1][0]) < 0.05
    assert w.x[1][1] > 0.5
    torch.testing.assert_close(shown(page), torch.tensor(w.weights) * 100, atol=0.51, rtol=0)


@pytest.mark.browser
def test_arithmetic_of_a_cell(page_of):
    w = self_playground(predict=False, w_q=[[0, 1], [1, 0]], causal=True)
    page = page_of([w])
    page.locator(".ab-square tbody tr").nth(2).locator("td").nth(1).click()
    painted(page)
    open_all(page)
    settled(page)
    w.state = state_of(page, w.widget_id)
    assert w.cell == [2, 1]
    steps = page.locator("details ol li").all_inner_texts()
    assert steps[0].startswith("Query: W_Q x = (0.00×−0.40 + 1.00×0.20, ")
    assert steps[0].endswith(f"= ({w.query[2][0]:.2f}, {w.query[2][1]:.2f})".replace("-", "−"))
    assert f"= {w.scores[2][1]:.3f}; times 0.707".replace("-", "−") in steps[2]
    assert steps[3].endswith(f"= {w.weights[2][1]:.4f}")
    assert steps[4].endswith(f"= ({w.context[2][0]:.2f}, {w.context[2][1]:.2f})".replace("-", "−"))
    page.locator(".ab-square tbody tr").nth(2).locator("td").nth(3).click()
    painted(page)
    assert "comes later: masked" in page.locator("details ol").inner_text()
    numbers = page.locator("details table tbody tr").nth(1).locator("td").all_inner_texts()
    pair = lambda v: f"({v[0]:.2f}, {v[1]:.2f})".replace("-", "−")  # noqa: E731
    assert numbers == [pair(part[1]) for part in (w.x, w.query, w.key, w.value, w.context)]


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = self_playground()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")  # word, share, commit, skip
    assert state_of(page, w.widget_id)["revealed"]
    go_to(page, "x of FBI")
    press(page, "Enter", "ArrowUp", "ArrowUp", "Shift+ArrowLeft", "Enter")
    moved = [w.x[1][0] - 0.01, w.x[1][1] + 0.2]
    assert state_of(page, w.widget_id)["x"][1] == pytest.approx(moved)
    go_to(page, "W_K, row 2, column 2")
    press(page, "Enter", "Backspace", "5", "Enter", "ArrowLeft")
    assert state_of(page, w.widget_id)["w_k"] == [[1, 0], [0, 5]]
    page.get_by_label("causal").focus()
    press(page, " ")
    assert state_of(page, w.widget_id)["causal"]
    go_to(page, "the looks at the")
    press(page, "ArrowDown", "ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["cell"] == [1, 1]
    press(page, *["ArrowDown"] * 3)
    assert "looks at" not in focused(page), "the grid is left at its foot"
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
    n = 16
    w = SelfAttentionPlayground(
        [f"w{i}" for i in range(n)], [[i / n, 1 - i / n] for i in range(n)], predict=False
    )
    page = page_of([w])
    open_all(page)
    settled(page)
    nodes = page.evaluate("document.querySelectorAll('.ab *').length")
    page.evaluate(
        """() => { window.rows = 0;
             const isRow = (node) => node.tagName === "TR";
             const count = (all) => all.forEach((m) => { rows += [...m.addedNodes].filter(isRow).length; });
             const watch = new MutationObserver(count);
             watch.observe(document.querySelector('.ab'), { childList: true, subtree: true }); }"""
    )
    page.locator(".ab-handle.ab-x").first.focus()
    press(page, "Enter", *["ArrowUp"] * 10)
    assert page.evaluate("document.querySelectorAll('.ab *').length") == nodes
    assert page.evaluate("rows") == 0


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = self_playground(predict=False, name="mine")
    state = {**w.state, "causal": True, "w_q": [[0, 1], [1, 0]]}
    page = page_of([w], fragment=f"#SelfAttentionPlayground-mine={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in ({**state, "scale": "toString"}, {**state, "cell": [9, 0]}, {"version": 1}):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state
