"""HeadExplorer.from_translation: three kinds of attention, words hidden, the same numbers as torch, axe."""

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_widgets_heads import close, opacity, table
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
    spoken,
    state_of,
)
from widget_examples import SOURCE, TARGET, cross, translated
from widget_page import JS

from attnbook import nn
from attnbook.data import phrasebook
from attnbook.data.vocabulary import Vocabulary
from attnbook.translation.translator import Translator
from attnbook.widgets import HeadExplorer

TRANSLATION = (JS / "heads" / "translation.js").as_uri()
KINDS = ("encoder", "decoder", "cross")


def without(weights, off):
    """The softmax over the keys that are left, in float64, from a model's weights."""
    left = weights.double().clone()
    left[..., off] = 0
    total = left.sum(-1, keepdim=True)
    return torch.where(total > 0, left / total.clamp_min(1e-300), 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_javascript_equals_python_and_both_are_near_the_model(node, tmp_path, kind, seed):
    draw = np.random.default_rng(seed)
    one = translated(SOURCE[: draw.integers(2, 10)], TARGET[: draw.integers(1, 11)], seed, n_heads=4)
    w = cross(one, row=0, kind=kind)
    n_keys = len(w.key_words)
    name = "hidden_written" if kind == "decoder" else "hidden"
    cases = [[]] + [sorted(draw.permutation(n_keys)[:n].tolist()) for n in range(1, n_keys + 1)]
    states = [{**w.state, name: off} for off in cases]
    program = f"""
import {{ run }} from {TRANSLATION!r};
console.log(JSON.stringify(data[1].map((state) => run(data[0], state).weights)));
"""
    whole = getattr(one, kind)
    for off, js in zip(cases, run_js(node, tmp_path, program, [w.content, states]), strict=True):
        setattr(w, name, off)
        np.testing.assert_allclose(js, w.weights, atol=1e-5, rtol=0)
        left = whole.double().clone()
        left[..., off] = 0
        enough = left.sum(-1) >= 0.01
        expected = without(whole, off)
        got = torch.tensor(w.weights).double()
        torch.testing.assert_close(got[enough], expected[enough], atol=0.005, rtol=0)
        nothing = left.sum(-1) == 0
        assert (got[nothing] == 0).all(), "a row with nothing left is all 0"
        sums = got.sum(-1)
        torch.testing.assert_close(sums[~nothing], torch.ones_like(sums[~nothing]), atol=1e-4, rtol=0)
    assert len(cases[-1]) == n_keys
    assert not torch.tensor(w.weights).any(), "every word is hidden"


def test_small_weights_come_back_when_the_large_one_is_hidden():
    """What a uint8 of the weight itself would lose: shares of the last thousandth."""
    rest = torch.tensor([0.0005, 0.0003, 0.0002])
    weights = torch.cat([torch.tensor([0.999]), rest]).expand(1, 1, 2, 4)
    one = SimpleNamespace(src=tuple("abcd"), tgt=("x", "<eos>"), text="x", encoder=None, decoder=None)
    one.cross = weights
    w = cross(one, row=0, head=(0, 0))
    w.hidden = [0]
    torch.testing.assert_close(
        torch.tensor(w.weights[0][0][0]), torch.tensor([0, 0.5, 0.3, 0.2]), atol=0.005, rtol=0
    )


def test_rows_and_columns_of_each_kind():
    w = cross(predict=False)
    written = [*TARGET, "<eos>"]
    assert (w.kind, w.query_words, w.key_words) == ("cross", written, SOURCE)
    w.kind = "decoder"
    assert (w.query_words, w.key_words) == (written, ["<bos>", *TARGET])
    assert w.row == 4, "the word being written stays"
    w.kind = "encoder"
    assert (w.query_words, w.key_words, w.row) == (SOURCE, SOURCE, 0)
    assert np.shape(w.weights) == (2, 3, 9, 9)
    w.sentence = 1
    assert w.key_words == ["the", "cat", "sees", "the", "dog"]


def test_a_word_can_be_named():
    w = cross(row="zone")
    assert w.row == TARGET.index("zone")
    w.row = "<eos>"
    assert w.row == len(TARGET)
    w.assign(kind="encoder", row="Area")
    w.kind = "encoder"
    assert w.row == 6, "the kind that it was"
    w.assign(sentence=1, kind="cross", row="chien")
    assert w.row == 4


def test_a_change_of_the_question_takes_the_prediction_back():
    for change in ({"row": 2}, {"head": [1, 1]}, {"kind": "decoder"}, {"sentence": 1}):
        w = cross()
        w.prediction = {"choice": "the", "share": 0.5}
        assert (w.revealed, w.prediction["choice"]) == (True, 0)
        w.assign(**change)
        assert (w.prediction, w.score, w.revealed) == (None, None, True)


def test_predict_first():
    w = cross()
    assert w.summary == (
        "The weights are hidden: predict where layer 1, head 2 looks most to write “zone”, or skip."
    )
    row = w.weights[0][1][4]
    best = int(np.argmax(row))
    w.prediction = {"choice": best, "share": 0.5}
    assert w.prediction["answer"] == best
    assert w.prediction["actual"] == pytest.approx(max(row), abs=1e-5)
    assert w.score == pytest.approx(1 - abs(0.5 - max(row)) / 2, abs=0.006)
    assert w.summary.startswith(
        f"Cross-attention. Layer 1, head 2 looks most at “{SOURCE[best]}”, {100 * max(row):.1f} %"
    )
    w.prediction = None
    assert (w.score, w.revealed) == (None, False)


def test_sentences_of_the_views():
    w = cross(predict=False, kind="encoder", row=1)
    w.assign(view="difference", other=(1, 0))
    assert "Layer 1, head 2 minus Layer 2, head 1 differs most at" in w.summary
    w.view = "average"
    assert "Layer 1, mean of its heads looks most at" in w.summary
    w.hidden = [8, 0, 8]
    assert w.hidden == [0, 8]
    assert w.summary.endswith("Hidden: “the”, “signed”.")
    w.kind = "decoder"
    assert "Hidden" not in w.summary, "a source word is no key of the decoder"
    w.assign(hidden_written=[0], view="one", row=0)
    assert w.summary == (
        "Decoder self-attention. Layer 1, head 2: no word is left to look at, to write “l'”. Hidden: “<bos>”."
    )


def test_a_model_with_cross_attention_alone():
    w = HeadExplorer.from_translation(translated(kinds=("cross",)), predict=False)
    assert isinstance(w, HeadExplorer)
    with pytest.raises(TraitError, match="kind: expected one of 'cross'"):
        w.kind = "encoder"


def test_what_a_translator_explains():
    torch.manual_seed(0)
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    model = nn.Transformer(len(src), len(tgt), d_model=16, n_heads=4, n_layers=2, d_ff=24)
    translator = Translator(model, src, tgt)
    made = [translator.explain("I love you", "je t'aime"), translator.explain("you love me", "tu m'aimes")]
    w = HeadExplorer.from_translation(made, row="aime", predict=False)
    assert w.query_words == ["je", "t'", "aime", "<eos>"]
    for index, one in enumerate(made):
        w.sentence = index
        for kind in KINDS:
            w.kind = kind
            torch.testing.assert_close(torch.tensor(w.weights), getattr(one, kind), atol=0.005, rtol=0)


def test_six_sentences_of_16_words_are_small():
    words = [f"word{i}" for i in range(16)]
    made = [translated(words, words[:15], seed, n_heads=4) for seed in range(6)]
    w = HeadExplorer.from_translation(made)
    assert len(json.dumps({k: v for k, v in w.get_state().items() if k not in ("_esm", "_css")})) < 60_000


def test_the_stand_in_is_small():
    data, metadata = cross(predict=False)._repr_mimebundle_()
    assert len(data["image/png"]) < 60_000
    assert data["text/plain"].startswith("HeadExplorer: Cross-attention. Layer 1, head 2 looks most at")
    assert metadata["image/png"]["alt"] in data["text/plain"]


BAD = [
    ("sentence", 2, "sentence: expected a whole number from 0 to 1"),
    ("kind", "self", "kind: expected one of"),
    ("head", (2, 0), r"head: expected \[layer < 2, head < 3\]"),
    ("other", None, "other: expected"),
    ("view", "pie", "view: expected one of"),
    ("row", 11, "row: expected a whole number from 0 to 10"),
    ("row", "zebra", "row: expected"),
    ("row", True, "row: expected"),
    ("column", 9, "column: expected a whole number from 0 to 8"),
    ("hidden", [9], "hidden: expected different numbers from 0 to 8"),
    ("hidden", "3", "hidden: expected different numbers"),
    ("hidden_written", ["la"], "hidden_written: expected"),
    ("prediction", {"choice": "zebra", "share": 0.5}, "prediction: expected a choice among"),
    ("prediction", {"choice": 0, "share": 2}, "prediction share: expected"),
    ("prediction", 3, "prediction: expected {"),
    ("revealed", 1, "revealed: expected"),
    ("weights", [[1]], "weights: expected no assignment"),
    ("key_words", ["a"], "key_words: expected no assignment"),
    ("content", {}, "content: expected no assignment"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = cross()
    before = copy.deepcopy((w.state, w.content, w.summary))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.content, w.summary) == before


def changed(**parts):
    return SimpleNamespace(**{**vars(translated()), **parts})


@pytest.mark.parametrize(
    ("translations", "sentence"),
    [
        ([], "translations: expected 1 to 12, got 0"),
        ("text", "translations: expected an attnbook.translation.Translation, got str"),
        (
            [translated(), 3],
            r"translations\[1\]: expected an attnbook.translation.Translation, got int",
        ),
        (
            changed(cross=torch.full((2, 3, 11, 8), 1 / 8)),
            r"translations.cross: expected shape \(2, 3, 11, 9\)",
        ),
        (changed(cross=torch.full((2, 3, 11, 9), 0.5)), r"translations.cross\[0, 0, 0\]: expected shares"),
        (changed(decoder=torch.full((2, 3, 11, 11), 1 / 11)), "translations.decoder: expected no weight on"),
        (changed(encoder=None, decoder=None, cross=None), "expected encoder, decoder or cross weights"),
        ([translated(), translated(n_heads=2)], r"translations\[1\].encoder: expected shape \(2, 3, 9, 9\)"),
        ([translated(), translated(kinds=("cross",))], "translations: expected the same kinds"),
        (changed(src=()), "translations.src: expected 1 to 64 words"),
        (translated(n_heads=17), "at most 12 layers and 16 heads"),
    ],
)
def test_bad_translations_are_named(translations, sentence):
    with pytest.raises(ValueError, match=sentence):
        HeadExplorer.from_translation(translations)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"row": "zebra"}, "row: expected"),
        ({"predict": "yes"}, "predict: expected"),
        ({"head": (5, 0)}, "head: expected"),
        ({"head": 3}, "head: expected"),
        ({"kind": "all"}, "kind: expected"),
    ],
)
def test_a_bad_option_is_named(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        cross(**options)


STATES = [
    {},
    {"kind": "decoder", "row": 0, "hidden_written": [0]},
    {"kind": "encoder", "row": 8, "hidden": [1, 2], "view": "compare", "other": [1, 2]},
    {"view": "difference", "other": [0, 1]},
    {"view": "difference", "other": [1, 1], "hidden": [0], "column": 3},
    {"view": "average", "head": [1, 0], "sentence": 1, "row": 5},
    {"prediction": {"choice": 2, "share": 0.3}},
]


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for predict in (True, False):
        for state in STATES:
            w = cross(predict=predict)
            w.state = {**w.state, **state}
            made.append(w)
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({TRANSLATION!r});
console.log(JSON.stringify(data.map(([content, state]) => sentence(state, content))));
"""
    out = run_js(node, tmp_path, program, [[w.content, w.state] for w in made])
    assert out == [w.summary for w in made]


# --- In the page -----------------------------------------------------------------------------------------


def bars(page, line=0):
    """The share beside each key, as the page writes it."""
    return page.locator(f".ab-hc-keys button .ab-hc-line:nth-of-type({line + 1})").all_inner_texts()


@pytest.mark.browser
def test_weights_are_hidden_until_the_reader_commits(page_of):
    w = cross()
    page = page_of([w])
    assert page.locator(".ab-hx-heads").is_hidden()
    assert page.locator(".ab-hc-keys").is_hidden()
    assert "%" not in page.locator(".ab").inner_text().replace("50 %", "")
    assert spoken(page) == w.summary
    ask = page.locator(".ab-ask").inner_text()
    assert ask == "Cross-attention: where does layer 1, head 2 look most to write “zone”, and how much?"
    options = page.get_by_label("I expect").locator("option").all_inner_texts()
    assert options[:4] == ["the (word 1)", "agreement", "on", "the (word 4)"]
    row = np.array(w.weights[0][1][4])
    order = np.argsort(-row)
    page.get_by_label("I expect").select_option(index=int(order[0]))
    page.get_by_role("button", name="Commit").click()
    state = state_of(page, w.widget_id)
    w.state = state
    assert (state["prediction"]["answer"], state["score"]) == (order[0], w.score)
    verdict = page.locator(".ab-predict p").inner_text()
    assert verdict.startswith("You named the right word")
    times = np.exp(np.round(np.log(row[order[0]] / row[order[1]]) * 64) / 64)
    assert f"above that of “{SOURCE[order[1]]}”, the next: e^" in verdict
    assert f" = {times:.1f} times the weight." in verdict
    assert page.locator(".ab-hx-heads").is_visible()
    assert spoken(page) == w.summary
    page.get_by_role("button", name="Predict again").click()
    painted(page)
    assert page.locator(".ab-hx-heads").is_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["Encoder self-attention", "Decoder self-attention", "Cross-attention"])
def test_a_word_is_hidden_in_every_head(page_of, kind):
    w = cross(predict=False)
    page = page_of([w])
    page.get_by_role("radio", name=kind).click()
    painted(page)
    page.get_by_role("button", name="next word").click()
    painted(page)
    open_all(page)
    keys = page.locator(".ab-hc-keys button")
    names = page.locator(".ab-hc-keys b").all_inner_texts()
    for j in (0, 1):
        keys.nth(j).click()
        painted(page)
    state = state_of(page, w.widget_id)
    decoder = kind.startswith("Decoder")
    assert state["hidden_written" if decoder else "hidden"] == [0, 1]
    assert state["hidden" if decoder else "hidden_written"] == []
    w.state = state
    assert names == w.key_words
    legend = page.locator(".ab-hx-heads caption").inner_text()
    rows, columns = ("source words",) * 2
    if w.kind != "encoder":
        rows = "words being written"
    if w.kind == "decoder":
        columns = "<bos> and the words before"
    assert legend == f"All heads. Rows: {rows}. Columns: {columns}."
    assert page.locator(".ab-hx-x span").all_inner_texts()[: len(names)] == w.key_words
    assert page.locator(".ab-hx-y span").all_inner_texts()[: len(w.query_words)] == w.query_words
    weights = torch.tensor(w.weights)
    one = translated()
    torch.testing.assert_close(
        weights.double()[..., 3:, :],
        without(getattr(one, w.kind), [0, 1])[..., 3:, :],
        atol=0.005,
        rtol=0,
    )
    for layer in range(2):
        for head in range(3):
            shown = opacity(page, f".ab-hx-heads tr:nth-child({layer + 1}) td:nth-child({head + 2}) canvas")
            torch.testing.assert_close(shown, weights[layer, head].flatten(), atol=0.005, rtol=0)
    close(table(page), weights[0, 1])
    said = [text.strip() for text in bars(page)]
    assert said[:2] == ["hidden", "hidden"]
    for j in range(2, len(said)):
        if decoder and j > w.row:
            assert said[j] == "not yet"
        else:
            assert int(said[j].split()[0]) == pytest.approx(100 * w.weights[0][1][w.row][j], abs=0.51)
    assert [one.get_attribute("aria-pressed") for one in keys.all()[:3]] == ["true", "true", "false"]
    assert spoken(page) == w.summary
    keys.nth(0).click()
    keys.nth(1).click()
    assert state_of(page, w.widget_id)["hidden"] == []


@pytest.mark.browser
def test_step_through_the_words(page_of):
    w = cross(predict=False, row=0)
    page = page_of([w])
    for row in range(1, 12):
        page.get_by_role("button", name="next word").click()
        painted(page)
        row %= 11
        assert page.locator("mark").inner_text() == w.query_words[row]
        assert f"word {row + 1} of 11: “{w.query_words[row]}”" in page.locator(".ab").inner_text()
        share = max(w.weights[0][1][row])
        assert f"{int(100 * share + 0.5)} %" in [text.strip() for text in bars(page)]
    page.get_by_role("button", name="word before").click()
    assert state_of(page, w.widget_id)["row"] == 10
    assert page.locator(".ab-hc-later").count() == 0, "all is written"
    page.get_by_role("radio", name="Encoder").click()
    painted(page)
    assert "source word 1 of 9: “the”" in page.locator(".ab").inner_text()
    page.get_by_label("sentence").select_option(index=1)
    painted(page)
    assert page.locator(".ab-hc-keys b").all_inner_texts() == ["the", "cat", "sees", "the", "dog"]
    w.state = state_of(page, w.widget_id)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_views_and_arithmetic(page_of):
    w = cross(predict=False)
    page = page_of([w])
    open_all(page)
    weights = torch.tensor(w.weights)
    page.get_by_role("radio", name="Two heads").click()
    page.get_by_label("and head").select_option("2.2")
    painted(page)
    close(table(page, 0), weights[0, 1])
    close(table(page, 1), weights[1, 1])
    assert len(bars(page, 1)) == 9
    page.get_by_role("radio", name="Difference").click()
    painted(page)
    close(table(page), weights[0, 1] - weights[1, 1])
    page.get_by_role("radio", name="Mean of a layer").click()
    painted(page)
    close(table(page), weights[0].mean(0))
    assert page.locator("details ol li").count() == 3
    page.get_by_role("radio", name="One head").click()
    painted(page)
    box = page.locator(".ab-hx-map canvas").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 2.5 / 9, box["y"] + box["height"] * 6.5 / 11)
    state = state_of(page, w.widget_id)
    assert (state["row"], state["column"]) == (6, 2)
    page.locator(".ab-hc-keys button").nth(4).click()
    painted(page)
    w.state = state_of(page, w.widget_id)
    row = np.array(w.weights[0][1][6])
    text = page.locator("details ol li").inner_text()
    log = np.log(row[2] / row.max())
    assert f"e^{log:.2f} = ".replace("-", "−") in text
    assert f"divided by the sum of all, {1 / row.max():.4f}: {row[2]:.4f}" in text
    assert "The arithmetic of “européenne” and “on”" in page.locator("summary").first.inner_text()


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = cross()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    go_to(page, "Skip")
    press(page, "Enter")
    assert focused(page) == "Predict again", "the focus does not fall out of the widget"
    go_to(page, "European")
    press(page, "Enter", "ArrowRight", " ")
    assert state_of(page, w.widget_id)["hidden"] == [4, 5]
    go_to(page, "2.3: Layer 2, head 3")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["head"] == [1, 2]
    press(page, "ArrowUp")
    assert focused(page) == "1.3: Layer 1, head 3"
    go_to(page, "Layer 2, head 3")
    press(page, "Enter", "ArrowUp", "ArrowUp", "Enter")
    state = state_of(page, w.widget_id)
    assert state["row"] == 2
    assert isinstance(state["column"], int)
    go_to(page, "Decoder self-attention", "ArrowLeft")
    press(page, "Enter")
    go_to(page, "next word")
    press(page, "Enter")
    state = state_of(page, w.widget_id)
    assert (state["kind"], state["row"]) == ("decoder", 3)
    w.state = state
    assert spoken(page) == w.summary
    press(page, "r")
    assert state_of(page, w.widget_id) == cross().state
    press(page, "End", "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop"
    press(page, "Shift+Tab", "Escape")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w, other = cross(), cross()
    other.assign(sentence=1, kind="encoder", row="dog", hidden=[0, 2], view="average", revealed=True)
    page = page_of([w], fragment=f"#{w.widget_id}={link(other.state)}")
    assert state_of(page, w.widget_id) == other.state
    assert spoken(page) == other.summary
    for name, value in (("sentence", 2), ("kind", "toString"), ("row", 11), ("hidden", [9])):
        page = page_of([w], fragment=f"#{w.widget_id}={link({**w.state, name: value})}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state


@pytest.mark.browser
def test_a_notebook_draws_the_same(page_of):
    w = cross(predict=False, kind="encoder")
    w.hidden = [1]
    page = page_of([w])
    draw_from_notebook(page, w)
    painted(page)
    tables = page.locator(".ab-hx-heads")
    assert tables.nth(0).locator("caption").inner_text() == (
        "All heads. Rows: source words. Columns: source words."
    )
    for place in (".ab-hx-heads", ".ab-hc-keys", ".ab-hx-pair"):
        both = page.locator(place).all_inner_texts()
        assert both[0] == both[1]
    assert spoken(page, 1) == w.summary
