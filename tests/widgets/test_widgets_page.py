"""Widgets in a page without a kernel: mouse, keyboard alone, screen reader, themes, small screens, links."""

import json

import pytest
from widget_driver import (
    focused,
    go_to,
    painted,
    press,
    settled,
    spoken,
    state_of,
)
from widget_examples import playground, quiz

from attnbook.widgets import QKVPlayground

pytestmark = pytest.mark.browser


def test_outcome_is_hidden_until_the_reader_commits(page_of):
    w = playground()
    page = page_of([w])
    cells = page.locator("table.ab-steps tbody td:nth-child(5)")
    assert set(cells.all_inner_texts()) == {"?"}
    assert "hidden" in spoken(page)
    assert "54 %" not in page.locator(".ab").inner_text()
    assert page.locator(".ab-arrow.ab-context").is_hidden()
    page.get_by_label("I expect").select_option("love")
    painted(page)
    page.get_by_role("button", name="Commit").click()
    painted(page)
    verdict = page.locator(".ab-predict p").inner_text()
    assert "You said “love”; it was “I”" in verdict
    assert "4 points off" in verdict
    assert "e^0.54" in verdict
    assert cells.all_inner_texts() == ["0.540", "0.315", "0.145"]
    state = state_of(page, w.widget_id)
    w.state = state  # the kernel takes what the page made
    assert w.score == state["score"] == pytest.approx(0.48)
    assert spoken(page) == w.summary
    page.get_by_role("button", name="Predict again").click()
    painted(page)
    assert set(cells.all_inner_texts()) == {"?"}


def test_skip_shows_the_outcome_without_a_score(page_of):
    w = playground()
    page = page_of([w])
    page.get_by_role("button", name="Skip").click()
    painted(page)
    state = state_of(page, w.widget_id)
    assert (state["revealed"], state["prediction"], state["score"]) == (True, None, None)


def test_mouse_drags_a_vector(page_of):
    w = playground(predict=False)
    page = page_of([w])
    box = page.locator(".ab-plane").first.bounding_box()
    handle = page.locator(".ab-handle.ab-query .ab-hit").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.1, steps=4)
    page.mouse.up()
    state = state_of(page, w.widget_id)
    assert abs(state["query"][0]) < 0.05
    assert state["query"][1] > 0.8
    w.state = state
    assert w.weights[1] == max(w.weights)
    shown = page.locator("table.ab-steps tbody td:nth-child(5)").all_inner_texts()
    assert [float(x) for x in shown] == pytest.approx(w.weights, abs=6e-4)


def test_keyboard_alone(page_of):
    w = playground()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    assert page.evaluate("document.activeElement.tagName") == "SELECT", "the question comes first"
    press(page, "ArrowRight", "ArrowRight", "Enter")  # the share, then commit
    assert page.get_by_role("button", name="Predict again").is_visible()
    assert focused(page) == "Predict again", "the focus does not fall out of the widget"
    go_to(page, "query")
    before = w.state["query"]
    press(page, "ArrowRight")
    assert focused(page) != "query", "an arrow key goes on while nothing is picked up"
    press(page, "ArrowLeft", "Enter", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["query"] == pytest.approx([before[0] + 0.01, before[1] + 0.2])
    go_to(page, "Hard")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["mode"] == "hard"
    go_to(page, "may attend to I", "ArrowLeft")
    press(page, " ")
    assert state_of(page, w.widget_id)["mask"] == [False, True, True]
    press(page, "r")
    assert state_of(page, w.widget_id) == w.state
    press(page, "End")
    assert focused(page) == "Copy link"
    press(page, "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop: the next Tab leaves"
    press(page, "Shift+Tab")
    assert focused(page) == "Copy link", "and comes back to where it was"
    press(page, "Home", "Escape")
    assert page.evaluate("document.activeElement === document.body"), "Esc leaves"


def test_keys_stay_in_the_widget(page_of):
    page = page_of([playground(predict=False)])
    page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
    page.locator(".ab-handle.ab-query").focus()
    press(page, "j", "ArrowDown", "Enter", "ArrowDown", "r")
    assert page.evaluate("heard") == []
    assert page.locator(".ab").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_quiz_by_keyboard_and_kept_on_the_device(page_of):
    w = quiz()
    page = page_of([w], before='<button id="before">b</button>')
    page.locator("#before").focus()
    press(page, "Tab", "ArrowDown", "Enter")
    state = state_of(page, w.widget_id)
    assert state["answers"] == [[1], []]
    go_to(page, "Check the answer to question 1", "ArrowDown")
    press(page, "Enter")
    state_of(page, w.widget_id)
    assert "✗ Not this. Differences become ratios." in page.locator(".ab").inner_text()
    assert "Change your answer" in page.locator(".ab").inner_text()
    page.reload()
    page.wait_for_selector(".ab")
    state = state_of(page, w.widget_id)
    assert (state["answers"], state["checked"], state["score"]) == ([[1], []], [True, False], 0.0)
    page.get_by_label("The order of the scores").check()
    painted(page)
    page.get_by_role("button", name="Check the answer to question 1").click()
    painted(page)
    page.get_by_label("Weights sum to 1").check()
    painted(page)
    page.get_by_role("button", name="Check the answer to question 2").click()
    painted(page)
    state_of(page, w.widget_id)
    assert "1 of 2 right options is not chosen" in page.locator(".ab").inner_text()
    page.get_by_label("Weights are shares").check()
    painted(page)
    page.get_by_role("button", name="Check the answer to question 2").click()
    painted(page)
    assert spoken(page) == "2 questions, 2 answered, 2 right."
    w.state = state_of(page, w.widget_id)
    assert w.score == 1.0
    with page.expect_download() as download:
        page.get_by_role("button", name="Download answers").click()
        painted(page)
    saved = json.loads(download.value.path().read_text())
    assert download.value.suggested_filename == "sample.json"
    assert saved["score"] == 1
    assert saved["answers"][1]["chosen"] == ["Weights sum to 1", "Weights are shares"]
    page.get_by_role("button", name="Reset").click()
    painted(page)
    assert state_of(page, w.widget_id)["answers"] == [[], []]
    page.reload()
    assert state_of(page, w.widget_id)["answers"] == [[], []]


def test_quiz_without_storage_still_works(page_of, browser):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied') } })"
    )
    w = quiz()
    page = page_of([w], context=context)
    page.get_by_label("The order of the scores").check()
    painted(page)
    page.get_by_role("button", name="Check the answer to question 1").click()
    painted(page)
    assert "keeps nothing between visits" in page.locator(".ab-note").inner_text()
    assert state_of(page, w.widget_id)["score"] == 0.5
    context.close()


def test_a_shared_link_opens_the_same_view(page_of):
    a, b = playground(), playground(predict=False)
    page = page_of([a, b])
    page.get_by_role("button", name="Skip").click()
    painted(page)
    page.locator(".ab").nth(0).get_by_role("radio", name="Hard").click()
    painted(page)
    page.locator(".ab").nth(1).get_by_role("radio", name="Your own weights").click()
    painted(page)
    state_of(page, a.widget_id)
    page.locator(".ab").nth(0).get_by_role("button", name="Copy link").click()
    painted(page)
    url = page.url
    states = [state_of(page, w.widget_id) for w in (a, b)]
    fresh = page.context.browser.new_context()
    page = fresh.new_page()
    page.goto(url)
    page.wait_for_selector(".ab")
    assert [state_of(page, w.widget_id) for w in (a, b)] == states
    assert states[0]["mode"] == "hard"
    assert states[1]["mode"] == "fixed"
    page.locator(".ab").nth(0).get_by_role("button", name="Reset").click()
    painted(page)
    assert state_of(page, a.widget_id) == a.state, "Reset goes back to the book's state, not the link's"
    fresh.close()


def test_a_section_in_the_address_is_left_alone(page_of):
    page = page_of([playground()], fragment="#a-section")
    assert page.locator(".ab-note").inner_text() == ""


def test_a_corrupt_stored_state_is_one_sentence(page_of, tmp_path):
    from widget_page import write_page

    w, q = playground(), quiz()
    path = write_page(tmp_path / "corrupt.html", [w, q])
    text = path.read_text()
    assert '"query": [0.9, 0.4]' in text
    path.write_text(
        text.replace('"query": [0.9, 0.4]', '"query": "x"').replace('"answers": [[], []]', '"answers": 3')
    )
    page = page_of([], path=path)
    notes = page.locator(".ab").all_inner_texts()
    assert "its state is damaged (query is not several numbers)" in notes[0]
    assert "its state is damaged (answers is not a list of 2)" in notes[1]


def test_the_kernel_moves_the_page(page_of):
    w = playground(predict=False)
    page = page_of([w])
    w.query = [0.0, 1.0]
    w.challenge = "Another."
    page.evaluate("([name, state]) => models[name].set('state', state)", [w.widget_id, w.state])
    page.evaluate("name => models[name].set('challenge', 'Another.')", w.widget_id)
    page.evaluate("name => models[name].set('theme', 'dark')", w.widget_id)
    assert spoken(page) == w.summary
    assert page.locator(".ab-challenge").inner_text() == "Another."
    assert page.locator(".ab").get_attribute("data-theme") == "dark"


def test_numbers_can_be_typed(page_of):
    w = QKVPlayground([1, 0, 2], [[1, 2, 3], [0, 1, 0]], [[1, 2, 3], [4, 5, 6]], predict=False)
    page = page_of([w])
    box = page.get_by_label("query, number 3")
    assert box.is_visible(), "more than two dimensions: the rows are open"
    box.fill("-1.5")
    press(page, "Enter")
    box.blur()
    assert state_of(page, w.widget_id)["query"] == [1, 0, -1.5]
    box.fill("1e9")
    box.blur()
    assert "Expected −1000 to 1000" in page.locator(".ab-note").inner_text()
    assert box.input_value() == "-1.5"
    assert state_of(page, w.widget_id)["query"] == [1, 0, -1.5]
    box.focus()
    press(page, "r")
    assert state_of(page, w.widget_id)["query"] == [1, 0, 2]


def test_arithmetic_of_each_step(page_of):
    page = page_of([playground(predict=False)])
    page.get_by_role("button", name="love: show its arithmetic").click()
    painted(page)
    steps = page.locator("details ol li").all_inner_texts()
    assert steps[0] == "Score: query · key = 0.90×−0.20 + 0.40×0.90 = 0.180"
    assert steps[1] == "Scale: score × 0.707 ÷ temperature 1.00 = 0.127"
    assert steps[2].startswith("Exponential: exp(0.127 − 0.665) = 0.5843")
    assert steps[3] == "Share: 0.5843 ÷ (1.000 + 0.584 + 0.268) = 0.5843 ÷ 1.8527 = 0.3154"
    assert steps[4].endswith("= (0.438, 0.228)")
    page.get_by_label("may attend to love").uncheck()
    painted(page)
    steps = page.locator("details ol li").all_inner_texts()
    assert "masked" in steps[2]
    assert "masked" in steps[3]


@pytest.mark.parametrize(
    ("attributes", "dark"),
    [
        ({"html": {"data-theme": "dark"}}, True),
        ({"html": {"data-theme": "light"}}, False),
        ({"body": {"data-jp-theme-light": "false"}}, True),
        ({"body": {"data-jp-theme-light": "true"}}, False),
        ({"html": {"theme": "dark"}}, True),
        ({"body": {"class": "vscode-dark"}}, True),
        ({"body": {"class": "vscode-light"}}, False),
        ({}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("system", ["light", "dark"])
def test_theme_follows_the_page_then_the_system(page_of, attributes, dark, system):
    page = page_of([quiz()], color_scheme=system)
    page.evaluate(
        """(attributes) => {
          document.documentElement.removeAttribute("data-theme");
          for (const [name, all] of Object.entries(attributes))
            for (const [key, value] of Object.entries(all))
              document.querySelector(name).setAttribute(key, value);
        }""",
        attributes,
    )
    colour = page.evaluate("getComputedStyle(document.querySelector('.ab')).backgroundColor")
    expected = system == "dark" if dark is None else dark
    assert colour == ("rgb(20, 24, 29)" if expected else "rgb(255, 255, 255)")


def test_reduced_motion_and_no_motion_of_its_own(page_of):
    page = page_of([playground(predict=False), quiz()], reduced_motion="reduce")
    page.get_by_role("radio", name="Hard").click()
    painted(page)
    assert page.evaluate("document.getAnimations().length") == 0


def test_sixty_four_words_are_reachable(page_of):
    n = 64
    w = QKVPlayground(
        [1, 0], [[i / n, 1 - i / n] for i in range(n)], [[i / n, 0] for i in range(n)], predict=False
    )
    page = page_of([w])
    page.get_by_role("button", name="word 64: show its arithmetic").click()
    painted(page)
    assert "word 64" in page.locator("summary").first.inner_text()
    page.locator(".ab-handle.ab-query").focus()
    press(page, "PageDown")
    assert focused(page) == "value of word 1"
    press(page, "PageDown")
    assert "word 1: show" in focused(page)
    press(page, "PageUp")
    assert focused(page) == "value of word 1"


def test_pointer_to_paint(page_of):
    """The script's own part of a frame at 64 words; benchmarks/pointer.py measures the whole frame."""
    n = 64
    w = QKVPlayground(
        [1, 0], [[i / n, 1 - i / n] for i in range(n)], [[i / n, 0] for i in range(n)], predict=False
    )
    page = page_of([w])
    nodes = page.evaluate("document.querySelectorAll('.ab *').length")
    page.evaluate(
        """() => { window.made = 0;
             const count = (all) => all.forEach((m) => { made += m.addedNodes.length; });
             const watch = new MutationObserver(count);
             watch.observe(document.querySelector('.ab'), { childList: true, subtree: true }); }"""
    )
    page.locator(".ab-handle.ab-query").focus()
    press(page, "Enter", *["ArrowUp"] * 10)
    settled(page)
    assert page.evaluate("document.querySelectorAll('.ab *').length") == nodes
    assert page.evaluate("made") < 10 * 64 * 5, "a frame writes texts, it does not build rows anew"
