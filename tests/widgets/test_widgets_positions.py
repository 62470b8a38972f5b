"""PositionExplorer: the numbers of attnbook.nn.positions, what distance decides, checks, keyboard, axe."""

import base64
import copy
import math
import random
import re

import pytest
import torch
from traitlets import TraitError
from widget_driver import (
    draw_from_notebook,
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
from widget_examples import positions
from widget_page import JS

from attnbook.widgets import PositionExplorer
from attnbook.widgets.position_explorer import (
    ANSWERS,
    KINDS,
    content_vectors,
    distance_table,
    learned_table,
    moved,
    position_numbers,
)

nn = pytest.importorskip("attnbook.nn")


def float64(numbers):
    return torch.as_tensor(numbers, dtype=torch.float64)


def random_states(count=120):
    """States of every kind, size and length; some with content of the reader's own, some masked."""
    draw = random.Random(0)
    for index in range(count):
        length = draw.randint(2, 128)
        d = 2 * draw.randint(1, 8)
        kind = list(KINDS)[index % 6]
        options = {
            "kind": kind,
            "length": length,
            "train_length": draw.randint(1, 128),
            "query_position": draw.randrange(length),
            "key_position": draw.randrange(length),
            "d": d,
            "base": 10_000 if kind == "sinusoidal" else draw.choice([2, 100, 10_000, 500_000]),
            "n_heads": draw.randint(1, 40),
            "max_distance": draw.randint(1, 127),
            "content": draw.choice(["same", "back", "random"]),
            "strength": draw.choice([0, 1, round(draw.uniform(0, 4), 3)]),
            "causal": draw.random() < 0.3,
            "predict": False,
        }
        options["head"] = draw.randrange(options["n_heads"])
        if index % 5 == 0:
            options |= {name: [draw.gauss(0, 2) for _ in range(d)] for name in ("query", "key")}
        yield PositionExplorer(**options).state


def from_the_package(state):
    """Scores and weights of the query's row as attnbook.nn computes them; None where it refuses."""
    kind, n, d = state["kind"], state["length"], state["d"]
    m, reach = state["query_position"], state["max_distance"]
    query, key = (float64(v).expand(n, d) for v in content_vectors(state))
    if kind == "learned":
        module = nn.LearnedPositions(state["train_length"], d).double()
        with torch.no_grad():
            module.table.copy_(float64(learned_table(state["train_length"], d)))
        n = min(n, state["train_length"])
        if m >= n:
            with pytest.raises(ValueError, match="x"):
                module(query)
            return None
        query, key = query[:n], key[:n]
    else:
        module = {
            "none": nn.positions.PositionsInAttention,
            "sinusoidal": lambda: nn.SinusoidalPositions(d),
            "relative": lambda: nn.RelativePositions(d, reach),
            "rotary": lambda: nn.RotaryPositions(d, state["base"]),
            "alibi": lambda: nn.ALiBi(state["n_heads"]),
        }[kind]().double()
    bias = None
    if kind in ("sinusoidal", "learned"):
        query, key = module(query), module(key)
    else:
        if kind == "relative":
            with torch.no_grad():
                module.key_table.copy_(float64(distance_table(reach, d)))
        many = query.expand(1, state["n_heads"] if kind == "alibi" else 1, n, d)
        bias = module.bias(many, n)
        query, key = module.rotate(query), module.rotate(key)
    added = torch.zeros(n, n, dtype=torch.float64)
    if bias is not None:  # ALiBi: (n_heads, queries, keys); relative: (1, 1, queries, keys)
        added = added + bias.reshape(-1, n, n)[state["head"] if kind == "alibi" else 0]
    _, weights = nn.scaled_dot_product_attention(query, key, key, added, causal=state["causal"])
    scores = query @ key.T / d**0.5 + added
    return scores[m].detach(), weights[m].detach()


def test_javascript_and_python_equal_the_package(node, tmp_path):
    states = list(random_states())
    program = f"""
import {{ positions }} from {(JS / "mechanisms" / "positions.js").as_uri()!r};
console.log(JSON.stringify(data.map((state) => {{
  const {{ query, key, scores, weights, angles, spread, moved }} = positions(state);
  return {{ query, key, scores, weights, angles, spread, moved }};
}})));
"""
    close = {"atol": 1e-5, "rtol": 1e-5}
    refused = 0
    for state, js in zip(states, run_js(node, tmp_path, program, states), strict=True):
        python = position_numbers(state)
        for name in ("query", "key", "weights", "angles", "spread"):
            torch.testing.assert_close(float64(js[name]), float64(python[name]), **close)
        seen = float64([float("nan") if x is None else x for x in js["scores"]])
        of_kernel = float64([float("nan") if x is None else x for x in python["scores"]])
        torch.testing.assert_close(seen, of_kernel, equal_nan=True, **close)
        assert js["moved"]["answer"] == moved(state)["answer"]
        theirs = from_the_package(state)
        if theirs is None:
            refused += 1
            assert set(js["scores"]) == {None}
            assert set(js["weights"]) == {0}
            continue
        scores, weights = theirs
        assert js["scores"][len(scores) :] == [None] * (state["length"] - len(scores))
        assert not any(js["weights"][len(scores) :])
        torch.testing.assert_close(seen[: len(scores)], scores, **close)
        torch.testing.assert_close(float64(js["weights"][: len(scores)]), weights, **close)
    assert refused >= 3, "places without a vector were among the cases"


def explorer(kind, **options):
    return PositionExplorer(kind, predict=False, **options)


@pytest.mark.parametrize("kind", ["none", "relative", "rotary", "alibi"])
@pytest.mark.parametrize("content", ["same", "back", "random"])
def test_distance_alone_counts(kind, content):
    w = explorer(kind, content=content)
    assert w.spread == pytest.approx(0, abs=1e-9)
    before, angles = w.scores[w.key_position], w.angles
    w.assign(query_position=w.query_position + 30, key_position=w.key_position + 30)
    assert w.scores[w.key_position] == pytest.approx(before, abs=1e-6)
    assert w.angles == angles


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_the_place_counts_where_vectors_are_added(kind):
    w = explorer(kind)
    assert w.spread > 1
    w.strength = 0  # no content: p · p′ is left
    if kind == "sinusoidal":
        assert w.spread == pytest.approx(0, abs=1e-9)
        cosines = torch.cos(float64(w.angles)).sum() / w.d**0.5
        assert w.scores[w.key_position] == pytest.approx(cosines.item(), abs=1e-6)
    else:
        assert w.spread > 1


def test_what_each_kind_does_with_distance():
    flat = explorer("none")
    assert flat.weights == [round(1 / 64, 6)] * 64
    slopes = [explorer("alibi", head=head).slope for head in range(8)]
    assert slopes == [2.0 ** -(head + 1) for head in range(8)], "Press et al. 2022, section 3"
    assert explorer("alibi", n_heads=12, head=11).slope == pytest.approx(nn.ALiBi(12).slopes[11].item())
    w = explorer("alibi", n_heads=8, head=1)
    falls = [a - b for a, b in zip(w.scores[:20], w.scores[1:21], strict=True)]
    assert falls == pytest.approx([-0.25] * 20, abs=1e-5)
    w = explorer("relative", max_distance=3)
    assert len(set(w.scores[:18])) == 1, "beyond the longest distance all share a row"
    assert len(set(w.scores[17:24])) == 7
    w = explorer("rotary", content="back")
    assert w.scores.index(max(w.scores)) == w.query_position - 3
    w = explorer("learned", query_position=40)
    assert set(w.scores) == {None}
    assert set(w.weights) == {0.0}
    assert w.summary.endswith("no score, since the table ends at place 31.")


def test_mirrors_follow_the_state():
    w = positions(predict=False)
    assert (w.query, w.key) == ([2, 0] * 4, [2, 0] * 4)
    w.set_state({"state": {**w.state, "kind": "rotary", "key_position": 9}})
    assert (w.kind, w.key_position, w.angles) == ("rotary", 9, [0, 0, 0, 0])
    w.length = 8
    assert (w.query_position, w.key_position, len(w.scores)) == (7, 7, 8)
    w.n_heads = 4
    w.head = 3
    w.n_heads = 2
    assert (w.head, w.slope) == (1, 2**-8)
    w.query = torch.arange(8.0)
    assert (w.content, w.strength, w.query, w.key) == ("own", 1, list(range(8)), [2, 0] * 4)
    w.strength = 0.5
    assert w.query == [x / 2 for x in range(8)]
    with pytest.raises(TraitError, match="expected a vector of 4 numbers as d says"):
        w.d = 4
    with pytest.raises(TraitError, match="expected a vector of 2 numbers as d says"):
        w.query = [1, 2]
    w.assign(query=[1, 0], key=[0, 1])
    assert (w.d, w.scores) == (2, [round(x, 6) for x in position_numbers(w.state)["scores"]])
    w.content = "same"
    w.d = 6
    assert (w.query, w.state["own"]) == ([1, 0, 1, 0, 1, 0], None)


def test_predict_first():
    w = PositionExplorer()
    assert w.summary.endswith("the score is hidden: predict or skip.")
    w.prediction = {"choice": "same"}
    assert (w.prediction["answer"], w.score, w.revealed) == ("falls", 0, True)
    after = explorer("sinusoidal", query_position=27, key_position=21)
    assert w.prediction["after"] == pytest.approx(after.scores[21], abs=1e-6)
    w.query_position = 3
    assert w.prediction["choice"] == "same", "what was guessed stays guessed"
    w.kind = "rotary"
    assert (w.prediction, w.score, w.revealed) == (None, None, False), "another kind is another question"
    w.prediction = {"choice": "same"}
    assert w.score == 1
    w.assign(kind="learned", query_position=27)
    w.prediction = {"choice": "none"}
    assert (w.score, w.prediction["after"]) == (1, None)
    w.prediction = None
    assert not w.revealed
    skipped = PositionExplorer(predict=False)
    skipped.kind = "alibi"
    assert skipped.revealed, "who skipped is not asked again"


BAD = [
    ("kind", "rope", "kind: expected one of 'none', 'sinusoidal'"),
    ("query_position", 24, "query_position: expected a whole number from 0 to 23"),
    ("key_position", -1, "key_position: expected a whole number from 0 to 23"),
    ("key_position", 1.5, "key_position: expected a whole number"),
    ("length", 129, "length: expected a whole number from 2 to 128"),
    ("length", "many", "length: expected a whole number"),
    ("train_length", 0, "train_length: expected a whole number from 1 to 128"),
    ("d", 7, "d: expected an even number"),
    ("d", 18, "d: expected a whole number from 2 to 16"),
    ("base", 0.5, "base: expected a number from 1 to 1e+06"),
    ("n_heads", 0, "n_heads: expected a whole number from 1 to 64"),
    ("head", 8, "head: expected a whole number from 0 to 7"),
    ("max_distance", 128, "max_distance: expected a whole number from 1 to 127"),
    ("content", "own", "content: expected 'same', 'back' or 'random'"),
    ("content", "any", "content: expected one of"),
    ("strength", 5, "strength: expected a number from 0 to 4"),
    ("query", [1, 2, 3], "expected"),
    ("query", [1e9] * 8, "query: expected numbers from -100 to 100"),
    ("key", "abc", "key: expected a vector"),
    ("causal", 1, "causal: expected True or False"),
    ("revealed", None, "revealed: expected True or False"),
    ("prediction", {"choice": "up"}, "prediction choice: expected one of 'same', 'rises', 'falls', 'none'"),
    ("prediction", "same", "prediction: expected {"),
    ("scores", [1], "scores: expected no assignment"),
    ("weights", [1], "weights: expected no assignment"),
    ("angles", [1], "angles: expected no assignment"),
    ("slope", 1, "slope: expected no assignment"),
    ("spread", 1, "spread: expected no assignment"),
    ("score", 1, "score: expected no assignment"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD, ids=lambda x: str(x)[:24])
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = positions()
    before = copy.deepcopy((w.state, w.summary, w.weights))
    with pytest.raises(TraitError) as caught:
        setattr(w, name, value)
    assert sentence in str(caught.value)
    assert (w.state, w.summary, w.weights) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kind": "RoPE"}, "kind: expected one of"),
        ({"query_position": 64}, "query_position: expected a whole number from 0 to 23"),
        ({"query": [1, 0]}, "key: expected a vector beside query, got None"),
        ({"key": [1, 0]}, "query: expected a vector beside key, got None"),
        ({"query": [1, 0], "key": [1, 0, 1, 0]}, "key: expected a vector of 2 numbers"),
        ({"predict": None}, "predict: expected True or False"),
        ({"name": "a b"}, "name: expected letters"),
    ],
)
def test_the_constructor_raises_value_error(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        positions(**options)


def test_the_stand_in_is_small():
    for w in (PositionExplorer(), PositionExplorer("learned", length=128, train_length=100, d=16)):
        data, metadata = w._repr_mimebundle_()
        assert len(base64.b64decode(data["image/png"])) < 60_000
        assert metadata["image/png"]["alt"] in data["text/plain"]
    assert repr(PositionExplorer(predict=False)).startswith(
        "PositionExplorer: Sinusoidal: query at place 20, key at place 14 (distance −6); score 9.94"
    )
    assert positions(name="mine").widget_id == "PositionExplorer-mine"


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for kind in KINDS:
        for place in (0, 9, 20):
            for predict in (True, False):
                made.append(positions(kind=kind, query_position=place, predict=predict, content="random"))
    made[1].prediction = {"choice": "same"}
    made[-1].assign(query=[1, 2], key=[3, -4], causal=True)
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({(JS / "position_explorer.js").as_uri()!r});
console.log(JSON.stringify(data.map(sentence)));
"""
    out = run_js(node, tmp_path, program, [w.state for w in made])
    assert out == [w.summary for w in made]


# --- In the page -----------------------------------------------------------------------------------------


def number(text):
    return float(text.replace("−", "-"))


def rows(page):
    """The table of places: [place, distance, score, weight] as shown."""
    cells = page.locator(".ab-px-sheet tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return cells


def slide(page, name, value):
    """Move a slider to a value, as a hand does."""
    page.get_by_role("slider", name=re.compile(f"^(. )?{name}")).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )
    painted(page)


@pytest.mark.browser
def test_hidden_until_the_reader_commits(page_of):
    w = positions()
    page = page_of([w])
    open_all(page)
    painted(page)
    assert {(row[2], row[3]) for row in rows(page)} == {("?", "?")}
    assert page.locator(".ab-px-bars").is_hidden()
    assert page.locator(".ab-px-thick").is_hidden()
    assert page.locator(".ab-px-spot").is_hidden()
    assert page.get_by_text("The arithmetic of this score").is_hidden()
    assert spoken(page) == w.summary
    assert "both words move 7 places" in page.locator(".ab-ask").inner_text()
    page.get_by_label("The score").select_option("stays the same")
    page.get_by_role("button", name="Commit").click()
    painted(page)
    w.state = state = state_of(page, w.widget_id)
    assert w.score == state["score"] == 0
    before, after = (f"{w.prediction[name]:.2f}".replace("-", "−") for name in ("before", "after"))
    answer = ANSWERS[w.prediction["answer"]]
    verdict = page.locator(".ab-predict p[role=status]").inner_text()
    assert verdict == (
        f"You said that it stays the same; it {answer}: {before} before, {after} after. "
        "The places also meet the words, in q·p′ and p·k, and these change."
    )
    assert spoken(page) == w.summary
    assert page.locator(".ab-px-thick").is_visible()
    page.get_by_role("radio", name="RoPE").click()
    painted(page)
    assert not state_of(page, w.widget_id)["revealed"], "another kind asks again"
    page.get_by_role("button", name="Commit").click()
    painted(page)
    assert "Right, it stays the same" in page.locator(".ab-predict").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("kind", list(KINDS))
def test_the_page_shows_the_kernels_numbers(page_of, kind):
    w = positions(kind=kind, content="random", predict=False)
    page = page_of([w])
    open_all(page)
    slide(page, "query at place", 12)
    w.state = state_of(page, w.widget_id)
    assert w.query_position == 12
    for place, row in enumerate(rows(page)):
        marks = ("● " if place == 12 else "") + ("■ " if place == 4 else "")
        assert row[0] == f"{marks}{place}" + (" beyond" if place >= 16 else "")
        assert number(row[1]) == place - 12
        if w.scores[place] is None:
            assert row[2] == "–"
        else:
            assert number(row[2]) == pytest.approx(w.scores[place], abs=6e-4)
        assert number(row[3]) == pytest.approx(w.weights[place], abs=6e-5)
    steps = page.locator("details ol li").all_inner_texts()
    score = f"{w.scores[4]:.3f}".replace("-", "−")
    assert steps[2].endswith(f" = {score}, the score")
    assert steps[3].endswith(f" = {w.weights[4]:.4f}, the weight")
    total = number(steps[1].rsplit(" = ", 1)[1])
    off = w.slope * 8 if kind == "alibi" else 0
    assert total / w.d**0.5 - off == pytest.approx(w.scores[4], abs=6e-3)
    terms = [number(x) for x in steps[1].split(" = ")[-2].split(" + ")] if " + " in steps[1] else [total]
    assert sum(terms) == pytest.approx(total, abs=0.03)
    assert spoken(page) == w.summary
    clocks = page.locator(".ab-px-dials b").all_inner_texts()
    assert page.locator(".ab-px-dials").is_visible() == (kind in ("sinusoidal", "rotary"))
    for angle, text in zip(w.angles, clocks, strict=True):
        folded = abs(torch.atan2(torch.sin(torch.tensor(angle)), torch.cos(torch.tensor(angle))).item())
        assert number(text.rstrip("°")) == pytest.approx(math.degrees(folded), abs=0.06)


@pytest.mark.browser
def test_both_words_move_by_the_same_distance(page_of):
    w = positions(kind="rotary", predict=False)
    page = page_of([w])
    angles = page.locator(".ab-px-dials b").all_inner_texts()
    box = page.get_by_label("both, 5 apart").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10 + (box["width"] - 20) * 9 / 23, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 10 + (box["width"] - 20) * 15 / 23, y, steps=5)
    page.mouse.up()
    state = state_of(page, w.widget_id)
    assert (state["query_position"], state["key_position"]) == (15, 10)
    assert page.locator(".ab-px-dials b").all_inner_texts() == angles
    slide(page, "both, 5 apart", 0)
    state = state_of(page, w.widget_id)
    assert (state["query_position"], state["key_position"]) == (5, 0), "both stop where one is at an end"
    slide(page, "both, 5 apart", 23)
    state = state_of(page, w.widget_id)
    assert (state["query_position"], state["key_position"]) == (23, 18)


@pytest.mark.browser
def test_the_lines_of_five_places_fall_together_where_distance_decides(page_of):
    page = page_of([positions(kind="rotary", predict=False)])
    heights = """() => {
      const points = {};
      for (const path of document.querySelectorAll(".ab-px-thin, .ab-px-thick"))
        for (const [, x, y] of path.getAttribute("d").matchAll(/[ML](\\S+) ([\\d.]+)/g))
          (points[x] ||= []).push(+y);
      return Math.max(...Object.values(points).map((all) => Math.max(...all) - Math.min(...all)));
    }"""
    assert page.evaluate(heights) < 0.02
    page.get_by_role("radio", name="Sinusoidal").click()
    painted(page)
    assert page.evaluate(heights) > 10
    page.get_by_role("radio", name="Learned").click()
    painted(page)
    assert "thin: at 0, 4, 8, 11, 15." in page.locator(".ab").inner_text()
    assert page.locator(".ab-px-past").first.inner_text() == "no vector"


@pytest.mark.browser
def test_settings_of_each_kind(page_of):
    w = positions(predict=False)
    page = page_of([w])
    slide(page, "base", 2)
    slide(page, "size d", 16)
    assert page.locator(".ab-px-dials svg").count() == 8
    assert page.get_by_label("head").is_hidden()
    page.get_by_role("radio", name="ALiBi").click()
    painted(page)
    assert page.get_by_label("base").is_hidden()
    slide(page, "head", 3)
    assert "4 of 8, slope 0.0625" in page.locator(".ab").inner_text()
    page.get_by_role("radio", name="Relative").click()
    painted(page)
    slide(page, "longest distance", 2)
    slide(page, "places", 8)
    slide(page, "trained", 5)
    slide(page, "strength of content", 1.5)
    page.get_by_role("combobox", name=re.compile("^content")).select_option("random")
    page.get_by_label("causal").check()
    painted(page)
    w.state = state = state_of(page, w.widget_id)
    assert w.state == state
    expected = {"base": 100, "d": 16, "head": 3, "max_distance": 2, "length": 8, "train_length": 5}
    expected |= {"strength": 1.5, "content": "random", "causal": True}
    expected |= {"query_position": 7, "key_position": 4, "kind": "relative"}
    assert {name: state[name] for name in expected} == expected
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_content_of_ones_own(page_of):
    w = positions(query=[1, 2, 3, 4], key=[4, 3, 2, 1], predict=False)
    page = page_of([w])
    contents = page.get_by_role("combobox", name=re.compile("^content"))
    assert contents.input_value() == "own"
    contents.select_option("random")
    contents.select_option("your own")
    painted(page)
    assert state_of(page, w.widget_id) == w.state
    slide(page, "size d", 8)
    state = state_of(page, w.widget_id)
    assert (state["d"], state["own"], state["content"]) == (8, None, "same")
    w.state = state
    assert w.summary == spoken(page)


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = positions(kind="rotary")
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    assert page.evaluate("document.activeElement.tagName") == "SELECT", "the question comes first"
    press(page, "ArrowRight", "Enter")
    state = state_of(page, w.widget_id)
    assert (state["prediction"]["choice"], state["score"]) == ("same", 1)
    assert focused(page) == "Predict again", "the focus does not fall out of the widget"
    labelled = "document.activeElement.closest('label')?.textContent || ''"
    for _ in range(20):
        if "query at" in page.evaluate(labelled):
            break
        press(page, "ArrowRight")
    assert "query at place 9" in page.evaluate(labelled)
    press(page, "Enter", "ArrowRight", "ArrowRight", "Enter", "ArrowDown")
    assert state_of(page, w.widget_id)["query_position"] == 11
    assert "key at place 4" in page.evaluate(labelled), "the next slider"
    press(page, "Enter", "ArrowLeft", "Enter", "ArrowDown")
    assert "both, 8 apart" in page.evaluate(labelled)
    press(page, "Enter", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    state = state_of(page, w.widget_id)
    assert (state["query_position"], state["key_position"]) == (14, 6)
    page.get_by_role("radio", name="ALiBi").focus()
    press(page, "Enter")
    assert state_of(page, w.widget_id)["kind"] == "alibi"
    press(page, "r")
    assert state_of(page, w.widget_id) == w.state
    go_to(page, "The numbers of every place")
    press(page, "Enter")
    assert page.locator(".ab-px-sheet").is_visible()
    press(page, "End")
    assert focused(page) == "Copy link"
    press(page, "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop: the next Tab leaves"
    press(page, "Shift+Tab", "Home", "Escape")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.browser
def test_a_frame_writes_texts_and_builds_nothing(page_of):
    page = page_of([positions(kind="rotary", length=64, d=16, predict=False)])
    open_all(page)
    settled(page)
    nodes = page.evaluate("document.querySelectorAll('.ab *').length")
    page.evaluate(
        """() => { window.built = 0;
             const isPart = (node) => node.matches?.("tr, svg, path, div");
             const count = (all) => all.forEach((m) => { built += [...m.addedNodes].filter(isPart).length; });
             const watch = new MutationObserver(count);
             watch.observe(document.querySelector('.ab'), { childList: true, subtree: true }); }"""
    )
    for place in range(20, 30):
        slide(page, "both, 5 apart", place)
    assert page.evaluate("document.querySelectorAll('.ab *').length") == nodes
    assert page.evaluate("built") == 0
    assert page.evaluate("document.getAnimations().length") == 0, "nothing moves by itself"


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = positions(predict=False, name="mine")
    state = {**w.state, "kind": "alibi", "head": 2, "query_position": 20}
    page = page_of([w], fragment=f"#PositionExplorer-mine={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in ({**state, "kind": "toString"}, {**state, "head": 9}, {"version": 1}):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state


@pytest.mark.browser
def test_the_notebooks_module_draws_too(page_of):
    page = page_of([positions()])
    draw_from_notebook(page, positions(kind="rotary", predict=False))
    settled(page)
    assert page.locator(".ab").count() == 2
    assert "RoPE: query at place 9" in page.locator(".ab-summary").last.inner_text()


@pytest.mark.browser
def test_the_kernel_moves_the_page(page_of):
    w = positions(predict=False)
    page = page_of([w])
    w.assign(kind="rotary", query_position=3)
    page.evaluate("([name, state]) => models[name].set('state', state)", [w.widget_id, w.state])
    assert spoken(page) == w.summary
    assert page.get_by_label("query at place 3").input_value() == "3"
