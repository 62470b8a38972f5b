"""AlignmentExplorer: the same numbers as torch, real edits, checks, keyboard, axe."""

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
    spilled,
    spoken,
    state_of,
)
from widget_examples import GOLD, SOURCE, TARGET, explorer, translate, translation
from widget_page import JS

from attnbook.widgets import AlignmentExplorer
from attnbook.widgets.alignment_explorer import alignment_weights

ALIGNMENT = (JS / "mechanisms" / "alignment.js").as_uri()
NUMBERS = (JS / "lib" / "numbers.js").as_uri()


def float64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def random_parts(count=60):
    draw = random.Random(0)
    for index in range(count):
        tgt, src, d = draw.randint(1, 20), draw.randint(1, 20), draw.randint(1, 32)
        size = 30 if index % 10 == 0 else 1
        rows = lambda n, d=d, size=size: [[draw.gauss(0, size) for _ in range(d)] for _ in range(n)]  # noqa: E731
        yield {"query": rows(tgt), "key": rows(src), "v": rows(1)[0] if index % 2 else None}


def test_javascript_and_python_equal_torch(node, tmp_path):
    cases = list(random_parts())
    program = f"""
import {{ align }} from {ALIGNMENT!r};
console.log(JSON.stringify(data.map(({{ query, key, v }}) => align(query, key, v))));
"""
    for case, js in zip(cases, run_js(node, tmp_path, program, cases), strict=True):
        query, key = float64(case["query"]), float64(case["key"])
        if case["v"]:
            scores = torch.tanh(query[:, None] + key[None]) @ float64(case["v"])
        else:
            scores = query @ key.T
        expected = torch.softmax(scores, -1)
        torch.testing.assert_close(float64(js["scores"]), scores, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(float64(js["weights"]), expected, atol=1e-5, rtol=0)
        python = float64(alignment_weights(case["query"], case["key"], case["v"]))
        torch.testing.assert_close(python, expected, atol=1e-5, rtol=0)


def test_a_trained_score_can_be_handed_over():
    nn = pytest.importorskip("attnbook.nn")
    torch.manual_seed(0)
    score = nn.AdditiveScore(5, 7, 6)
    states, annotations = torch.randn(4, 5), torch.randn(3, 7)
    weights = torch.softmax(score(states, annotations), -1)
    parts = {
        "weights": weights,
        "query": score.W(states),
        "key": score.prepare(annotations),
        "v": score.v.weight[0],
    }
    w = AlignmentExplorer([{"src": list("abc"), "tgt": list("wxyz"), "scorers": {"additive": parts}}])
    torch.testing.assert_close(torch.tensor(w.weights), weights.detach(), atol=1e-5, rtol=0)


def luong(scorer="general", d_query=5, d_key=7, seed=0, **options):
    """An explorer whose numbers come from torch's own DotScore or GeneralScore, and torch's weights."""
    nn = pytest.importorskip("attnbook.nn")
    torch.manual_seed(seed)
    score = nn.DotScore() if scorer == "dot" else nn.GeneralScore(d_query, d_key)
    states, annotations = torch.randn(4, d_query), torch.randn(3, d_query if scorer == "dot" else d_key)
    with torch.no_grad():
        weights = torch.softmax(score(states, annotations), -1)
    parts = {"weights": weights, "query": states, "key": annotations}
    if scorer == "general":
        parts["W"] = score.W.weight
    example = {"src": list("abc"), "tgt": list("wxyz"), "scorers": {scorer: parts}}
    return AlignmentExplorer([example], scorer, predict=False, **options), weights, score


@pytest.mark.parametrize("scorer", ["dot", "general"])
def test_luongs_scores_in_javascript_equal_torchs(node, tmp_path, scorer):
    draw = random.Random(1)
    made = [luong(scorer, draw.randint(1, 40), draw.randint(1, 40), seed) for seed in range(12)]
    program = f"""
import {{ align, rowsOf, turned }} from {ALIGNMENT!r};
import {{ unpack }} from {NUMBERS!r};
const rows = (text, n) => rowsOf(unpack(text), unpack(text).length / n);
console.log(JSON.stringify(data.map(({{ query, key, W }}) => {{
  const [asked, raw] = [rows(query, 4), rows(key, 3)];
  return align(asked, W ? turned(raw, rows(W, asked[0].length)) : raw);
}})));
"""
    packed = [w.examples[0]["scorers"][scorer] for w, *_ in made]
    for (w, weights, _), js in zip(made, run_js(node, tmp_path, program, packed), strict=True):
        torch.testing.assert_close(torch.tensor(js["weights"]), weights, atol=1e-5, rtol=0)
        torch.testing.assert_close(torch.tensor(w.weights), weights, atol=1e-5, rtol=0)


def test_general_takes_prepared_keys_too():
    w, weights, score = luong()
    parts = w._known[tuple("abc")]["scorers"]["general"]
    prepared = score.prepare(torch.tensor(parts["key"]))
    example = {
        "src": list("abc"),
        "tgt": list("wxyz"),
        "scorers": {"general": {"weights": weights, "query": parts["query"], "key": prepared}},
    }
    again = AlignmentExplorer([example], "general")
    torch.testing.assert_close(torch.tensor(again.weights), weights, atol=1e-5, rtol=0)


@pytest.mark.browser
@pytest.mark.parametrize("scorer", ["dot", "general"])
def test_arithmetic_of_luongs_scores(page_of, scorer):
    w, weights, score = luong(scorer)
    parts = w._known[tuple("abc")]["scorers"][scorer]
    page = page_of([w])
    page.locator(".ab-heat tbody tr").nth(1).locator("td").nth(2).click()
    painted(page)
    page.locator("summary", has_text="The arithmetic").click()
    painted(page)
    settled(page)
    steps = page.locator("details ol li").all_inner_texts()
    key = score.prepare(torch.tensor(parts["key"]))[2]
    if scorer == "general":
        assert steps.pop(0).startswith(f"W key: ({key[0]:.2f}, ".replace("-", "−"))
    named = "query · (W key)" if scorer == "general" else "query · key"
    first = f"{parts['query'][1][0]:.2f}×{key[0]:.2f}".replace("-", "−")
    assert steps[0].startswith(f"Score: {named} = {first} + ")
    total = (torch.tensor(parts["query"][1]) @ key).item()
    assert float(steps[0].rsplit("= ", 1)[1].replace("−", "-")) == pytest.approx(total, abs=6e-5)
    assert steps[2].endswith(f"= {weights[1][2]:.4f}")


def test_what_travels_is_float32_exactly(node, tmp_path):
    w = explorer()
    program = f"""
import {{ rowsOf }} from {ALIGNMENT!r};
import {{ unpack }} from {NUMBERS!r};
const shares = ({{ src, scorers }}) => rowsOf(unpack(scorers.dot.weights), src.length);
console.log(JSON.stringify(data.map(shares)));
"""
    out = run_js(node, tmp_path, program, w.examples)
    torch.testing.assert_close(
        torch.tensor(out[0]), torch.tensor(translation(SOURCE)["scorers"]["dot"]["weights"]).float()
    )


def test_mirrors_follow_the_state():
    w = explorer(predict=False)
    assert (w.source, w.scorer, w.output) == (" ".join(SOURCE), "dot", TARGET)
    assert w.summary.startswith("“zone” looks most at “Area”")
    w.cell = (4, 6)
    w.scorer = "additive"
    assert w.cell is None, "another scorer, another table"
    assert len(w.weights) == len(TARGET)
    w.scorer = "none"
    assert (w.weights, w.output) == (None, ["l'", "accord", "a", "été"])
    assert w.summary == "From one fixed vector, the decoder writes: l' accord a été."
    w.set_state({"state": {**w.state, "scorer": "dot", "view": "ribbons", "gold": True}})
    assert (w.scorer, w.view, w.gold) == ("dot", "ribbons", True)


def test_predict_first():
    w = explorer()
    assert "hidden" in w.summary
    w.prediction = {"choice": "Economic", "share": 0.5}
    assert (w.prediction["choice"], w.prediction["answer"]) == (5, 6)
    assert w.score == pytest.approx(0.5 * (1 - abs(0.5 - w.weights[4][6])), abs=0.006)
    w.source = "the cat sees"
    assert (w.prediction, w.score, w.revealed) == (None, None, True)


def test_predict_how_much_comes_back():
    w = explorer(scorer="none")
    assert "hidden" in w.summary
    w.prediction = {"choice": None, "share": 0.8}
    assert w.prediction == {"choice": None, "share": 0.8, "answer": None, "actual": 0.5}
    assert w.score == pytest.approx(0.7)
    assert w.summary.startswith("From one fixed vector")
    bare = AlignmentExplorer(
        [{"src": ["a"], "tgt": ["b"], "scorers": {"none": {"output": []}}}], "none", predict=True
    )
    assert bare.summary.startswith("From one fixed vector"), "nothing to predict, nothing to hide"
    with pytest.raises(TraitError, match="there are none"):
        bare.prediction = {"choice": None, "share": 0.8}


def test_a_new_sentence_is_translated_by_the_chapters_model():
    w = explorer()
    held = len(w.examples)
    w.source = "the cat was signed"
    assert w.source == "the cat was signed"
    assert len(w.examples) == held + 1
    torch.testing.assert_close(
        torch.tensor(w.weights),
        torch.tensor(translate(w.source.split())["scorers"]["dot"]["weights"]).float(),
        atol=1e-5,
        rtol=0,
    )
    w.source = ["the", "cat", "was", "signed"]
    assert len(w.examples) == held + 1, "asked once"


def test_the_page_asks_the_kernel():
    w = explorer()
    w._handle_custom_msg({"type": "translate", "source": ["the", "Area", "was", "signed"]}, [])
    assert w.source == "the Area was signed"
    before = copy.deepcopy(w.state)
    w._handle_custom_msg({"type": "translate", "source": ["the", "zebra"]}, [])
    assert "does not know 'zebra'" in w.notice
    assert w.state == before
    w._handle_custom_msg({"type": "translate"}, [])
    assert w.state == before


def test_single_edits():
    edits = AlignmentExplorer.single_edits("a b b")
    assert edits == [["b", "b"], ["a", "b"], ["b", "a", "b"]]
    assert AlignmentExplorer.single_edits("a") == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("source", "the zebra", "could not be translated"),
        ("source", [], "expected 1 to 64 words"),
        ("source", 3, "source: expected a list of non-empty strings"),
        ("scorer", "general", "scorer: expected one of"),
        ("view", "pie", "view: expected one of"),
        ("gold", 1, "gold: expected True or False"),
        ("cell", [10, 0], r"cell: expected \[row < 10, column < 9\]"),
        ("cell", "ab", "cell: expected"),
        ("prediction", {"choice": "zebra", "share": 0.1}, "prediction: expected a choice"),
        ("weights", [[1]], "weights: expected no assignment"),
        ("output", ["a"], "output: expected no assignment"),
        ("examples", [], "examples: expected no assignment"),
        ("by_length", {}, "by_length: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = explorer()
    before = copy.deepcopy((w.state, w.examples, w.by_length, w.summary))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.examples, w.by_length, w.summary) == before


def changed(path, value):
    """The first example with one part changed."""
    example = translation(SOURCE)
    inner = example
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return [example]


@pytest.mark.parametrize(
    ("examples", "sentence"),
    [
        ([], "examples: expected a list"),
        ([{"src": ["a"]}], r"examples\[0\]: expected a dict with src, scorers"),
        (changed(["src"], []), "src: expected 1 to 64 words"),
        (changed(["src", 0], "two words"), "words without spaces"),
        (changed(["scorers"], {"magic": {}}), "scorers: expected names among"),
        (
            changed(["scorers", "dot", "weights"], [[1.0]]),
            r"dot weights: expected a matrix of shape \(10, 9\)",
        ),
        (
            changed(["scorers", "dot", "weights"], [[0.5] * 9] * 10),
            r"weights\[0\]: expected shares that add up to 1",
        ),
        (changed(["scorers", "dot", "key"], [[0.0] * 6] * 9), "dot: expected weights that query, key give"),
        (changed(["scorers", "additive", "v"], [1.0]), "additive v: expected a vector of 6"),
        (changed(["scorers", "dot", "extra"], 1), "dot: expected keys among"),
        (changed(["scorers", "dot", "W"], [[1.0]]), "dot W: expected none, since the dot score has no W"),
        (changed(["scorers", "dot", "v"], [1.0]), "dot v: expected none"),
        (changed(["scorers", "none"], {}), "none: expected output"),
        (changed(["scorers", "none", "remembered"], [2.0] * 9), "remembered: expected shares"),
        (changed(["gold"], [[0, 9, "S"]]), r"gold: expected t < 10 and s < 9"),
        (changed(["gold"], [[0, 0, "X"]]), "gold: expected links"),
        (changed(["ask"], 10), "ask: expected the index"),
    ],
)
def test_a_bad_example_is_named(examples, sentence):
    with pytest.raises(ValueError, match=sentence):
        AlignmentExplorer(examples, "dot")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"translate": None}, "edits: expected translate="),
        ({"translate": 3}, "translate: expected a function"),
        ({"edits": ["the zebra"]}, "does not know 'zebra'"),
        ({"translate": lambda words: translation(SOURCE)}, "expected an example whose src is"),
        ({"scorer": "general"}, "scorer: expected one of"),
        ({"by_length": {"measure": "BLEU"}}, "by_length: expected a dict"),
        ({"by_length": {"measure": "BLEU", "buckets": [[1, 2]], "scores": {"none": [1, 2]}}}, "one a bucket"),
    ],
)
def test_a_bad_option_is_named(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        explorer(**options)


def test_the_stand_in_is_small():
    w = explorer()
    for scorer in ("dot", "none"):
        w.scorer = scorer
        data, metadata = w._repr_mimebundle_()
        assert len(data["image/png"]) < 60_000
        assert data["text/plain"].startswith("AlignmentExplorer: ")
        assert metadata["image/png"]["alt"] in data["text/plain"]


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for predict in (True, False):
        for scorer in ("none", "additive", "dot"):
            for source in (SOURCE, "the cat sees"):
                w = explorer(predict=predict, scorer=scorer)
                w.source = source
                made.append(w)
    program = f"""
globalThis.BOOK = true;
import {{ rowsOf }} from {ALIGNMENT!r};
import {{ unpack }} from {NUMBERS!r};
const {{ sentence }} = await import({(JS / "alignment_explorer.js").as_uri()!r});
console.log(JSON.stringify(data.map(([examples, state]) => {{
  const example = examples.find((one) => one.src.join(" ") === state.source.join(" "));
  const packed = example.scorers[state.scorer];
  const weights = packed.weights && rowsOf(unpack(packed.weights), example.src.length);
  return sentence(state, example, {{ ...packed, weights }});
}})));
"""
    out = run_js(node, tmp_path, program, [[w.examples, w.state] for w in made])
    assert out == [w.summary for w in made]


# --- In the page -----------------------------------------------------------------------------------------


def cells(page):
    return page.locator(".ab-heat tbody td").all_inner_texts()


@pytest.mark.browser
def test_hidden_until_the_reader_commits(page_of):
    w = explorer()
    page = page_of([w])
    assert set(cells(page)) == {"?"}
    assert "hidden" in spoken(page)
    assert "% " not in page.locator(".ab-wide").inner_text().replace("in %", "")
    page.get_by_label("I expect").select_option("Area")
    painted(page)
    page.get_by_role("button", name="Commit").click()
    painted(page)
    state = state_of(page, w.widget_id)
    w.state = state
    verdict = page.locator(".ab-predict p").inner_text()
    assert "You named the right word" in verdict
    assert "2 places further on" in verdict
    assert w.score == state["score"] > 0.5
    shown = torch.tensor([float(x) for x in cells(page)]).view(10, 9)
    torch.testing.assert_close(shown, torch.tensor(w.weights) * 100, atol=0.51, rtol=0)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_gold_links_are_said_and_drawn(page_of):
    page = page_of([explorer(predict=False)])
    page.get_by_label("gold links").check()
    painted(page)
    for t, s, kind in GOLD:
        cell = page.locator(".ab-heat tbody tr").nth(t).locator("td").nth(s)
        assert cell.get_attribute("data-gold") == kind
        assert ("a sure gold link" if kind == "S" else "a possible gold link") in cell.get_attribute(
            "aria-label"
        )
    assert page.locator(".ab-heat td[data-gold]").count() == len(GOLD)


@pytest.mark.browser
@pytest.mark.parametrize("scorer", ["additive", "dot"])
def test_arithmetic_of_a_cell(page_of, scorer):
    w = explorer(predict=False, scorer=scorer)
    page = page_of([w])
    page.locator(".ab-heat tbody tr").nth(4).locator("td").nth(5).click()
    painted(page)
    page.locator("summary", has_text="The arithmetic").click()
    painted(page)
    settled(page)
    steps = page.locator("details ol li").all_inner_texts()
    assert (
        "The arithmetic of “zone” and “Economic”"
        in page.locator("summary", has_text="The arithmetic").inner_text()
    )
    assert ("tanh" in steps[0]) == (scorer == "additive")
    assert steps[0].startswith("Score: ")
    assert "6 terms" in steps[0]
    assert steps[2].endswith(f"= {w.weights[4][5]:.4f}")
    assert state_of(page, w.widget_id)["cell"] == [4, 5]


@pytest.mark.browser
def test_edits_of_the_page_are_the_models(page_of):
    w = explorer(predict=False)
    page = page_of([w])
    open_all(page)
    assert page.get_by_role("button", name="Drop it").is_enabled()
    page.get_by_role("button", name="Drop it").click()
    painted(page)
    state = state_of(page, w.widget_id)
    assert state["source"] == SOURCE[1:]
    w.state = state
    shown = torch.tensor([float(x) for x in cells(page)]).view(10, 8)
    torch.testing.assert_close(shown, torch.tensor(w.weights) * 100, atol=0.51, rtol=0)
    assert page.get_by_role("button", name="Drop it").is_disabled(), "not translated ahead of time"
    assert "holds 4 sentences" in page.locator(".ab").inner_text()
    page.get_by_role("combobox", name="sentence").select_option("the cat sees")
    painted(page)
    assert state_of(page, w.widget_id)["source"] == ["the", "cat", "sees"]


@pytest.mark.browser
def test_fixed_vector_and_length(page_of):
    w = explorer(predict=False)
    page = page_of([w])
    here = page.locator("tr[data-here]")
    assert here.locator("th").inner_text() == "9–16"
    assert here.locator("td").all_inner_texts() == ["24", "97"]
    page.get_by_role("radio", name="None").click()
    painted(page)
    assert spoken(page) == "From one fixed vector, the decoder writes: l' accord a été."
    assert page.locator(".ab-lines tr").nth(2).locator("b").all_inner_texts() == ["a", "été"]
    assert page.locator(".ab-heat").is_hidden()


@pytest.mark.browser
def test_what_comes_back_is_hidden_until_the_reader_commits(page_of):
    w = explorer(scorer="none")
    page = page_of([w])
    assert page.locator(".ab-lines tr").nth(2).locator("td").inner_text().strip() == "?"
    assert "50 %" not in page.locator(".ab-panel:has(.ab-lines)").inner_text()
    assert page.get_by_label("I expect").is_hidden(), "no word is asked"
    share = page.get_by_label("with a share of")
    share.fill("80")
    page.get_by_role("button", name="Commit").click()
    painted(page)
    assert "It came back, with 50 % where you said 80 %" in page.locator(".ab-predict p").inner_text()
    assert "50 %" in page.locator(".ab-panel:has(.ab-lines)").inner_text()
    w.state = state_of(page, w.widget_id)
    assert w.score == pytest.approx(0.7)
    page.get_by_role("button", name="Reset").click()
    painted(page)
    assert page.locator(".ab-lines tr").nth(2).locator("td").inner_text().strip() == "?"


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = explorer()
    page = page_of([w], before='<button id="before">b</button>')
    page.locator("#before").focus()
    press(page, "Tab", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")  # word, share, commit, skip
    assert state_of(page, w.widget_id)["revealed"]
    go_to(page, "l' looks at the")
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight")
    assert focused(page).startswith("zone looks at agreement")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["cell"] == [4, 1]
    press(page, *["ArrowDown"] * 6)
    assert "looks at" not in focused(page), "the grid is left at its foot"
    go_to(page, "ribbons", "ArrowLeft")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["view"] == "ribbons"
    go_to(page, "zone")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["cell"][0] == 4
    press(page, "r")
    assert state_of(page, w.widget_id) == w.state
    press(page, "Escape")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.browser
@pytest.mark.parametrize("scorer", ["dot", "none"])
@pytest.mark.parametrize("view", ["heatmap", "ribbons"])
def test_320_pixels_wide(page_of, scorer, view):
    page = page_of([explorer(predict=False, scorer=scorer, view=view)], width=320)
    open_all(page)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert spilled(page) == []


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = explorer(predict=False)
    state = {**w.state, "source": SOURCE[1:], "gold": True, "cell": [1, 2]}
    page = page_of([w], fragment=f"#{w.widget_id}={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in (
        {**state, "source": ["zebra"]},
        {**state, "scorer": "toString"},
        {**state, "cell": [99, 0]},
        {"version": 1},
    ):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state
