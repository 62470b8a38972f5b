"""HeadExplorer: the same numbers as torch, ablation and edits, roles to match, keyboard, axe."""

import copy

import numpy as np
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
    spoken,
    state_of,
)
from widget_examples import HEAD_SENTENCES, HEAD_WORDS, given_heads, heads, word_model
from widget_page import JS

from attnbook import models
from attnbook.analysis.heads import Change
from attnbook.analysis.heads import run as examined
from attnbook.data.hidden_words import MASK
from attnbook.nn import MaskedWordModel, WordModel
from attnbook.widgets import HeadExplorer

WORD_MODEL = (JS / "mechanisms" / "word_model.js").as_uri()

MODELS = {
    "attention alone": {},
    "feed-forward": {"d_ff": 20},
    "causal": {"causal": True},
    "its own output": {"tied": False, "d_ff": 7, "causal": True},
    "one head": {"n_heads": 1, "n_layers": 1},
    "many": {"n_heads": 4, "n_layers": 3, "d_model": 32, "max_length": 16},
}
OFF = [[], [[0, 0]], [[0, 0], [0, 1], [1, 0], [1, 2]]]


def masked_words():
    """A model without layer norms, whose output layer adds a bias."""
    torch.manual_seed(3)
    made = MaskedWordModel(len(HEAD_WORDS), 12, 3, 2, 9)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


def showing(model, length):
    """A widget that runs this model."""
    words = [f"w{i}" for i in range(model.embedding.num_embeddings)]
    mask = None if getattr(model, "causal", False) else "w0"
    return HeadExplorer.from_model(model, (words * 2)[:length], words, mask_word=mask)


def by_torch(model, tokens, off, ablation):
    """Logits and weights in float64, composed of the book's own parts."""
    with torch.no_grad():
        double = copy.deepcopy(model).double()
        logits, weights = double(
            torch.tensor([tokens]), ablate=[tuple(pair) for pair in off], ablation=ablation
        )
    return logits[0], weights[0]


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_javascript_and_python_equal_torch(node, tmp_path, options):
    draw = np.random.default_rng(0)
    model = word_model(**options)
    length = model.max_length
    w = showing(model, length)
    made = w.content["model"]
    cases = [
        [draw.integers(0, model.vocab, draw.integers(1, length + 1)).tolist(), off, ablation]
        for off in OFF
        for ablation in ("zero", "mean")
        for _ in range(4)
        if all(layer < model.n_layers and head < model.n_heads for layer, head in off)
    ]
    program = f"""
import {{ reader }} from {WORD_MODEL!r};
const run = reader(data[0]);
console.log(JSON.stringify(data[1].map(([tokens, off, ablation]) => {{
  const {{ weights, logits }} = run(tokens, off, ablation);
  return [weights, tokens.map((_, i) => logits(i))];
}})));
"""
    for (tokens, off, ablation), js in zip(
        cases, run_js(node, tmp_path, program, [made, cases]), strict=True
    ):
        logits, weights = by_torch(model, tokens, off, ablation)
        ours = w._heads._read(tokens, w._heads._instead(tokens, off, ablation))
        for got_logits, got_weights in ((js[1], js[0]), ours):
            got_weights = torch.as_tensor(got_weights, dtype=torch.float64)
            got_logits = torch.as_tensor(got_logits, dtype=torch.float64)
            torch.testing.assert_close(got_weights, weights, atol=1e-5, rtol=0)
            torch.testing.assert_close(got_logits, logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("off", [[], [[0, 1]], [[0, 0], [1, 2]]], ids=str)
def test_chapter_8_model_and_its_means(node, tmp_path, off, half):
    """Without layer norms, with a bias, with one mean for visible words and one for the hidden word."""
    model = masked_words()
    if half:
        model = model.half().float()
    means = torch.randn(2, 3, 2, 4)
    w = heads(model=model, head_means=means, ask=3)
    assert w.content["model"]["half"] == half
    w.ablated, w.ablation = off, "mean"
    tokens = [HEAD_WORDS.index(word) for word in w.tokens]
    tokens[3] = 0
    hidden = torch.tensor([[i == 3 for i in range(len(tokens))]])
    change = Change(off={tuple(pair) for pair in off}, means=means)
    with torch.no_grad():
        x, _ = examined(model, torch.tensor([tokens]), hidden, change)
        logits = model.output(x[0]).double()
    program = f"""
import {{ reader }} from {WORD_MODEL!r};
const {{ logits }} = reader(data[0])(data[1], data[2], "mean");
console.log(JSON.stringify(data[1].map((_, i) => logits(i))));
"""
    js = run_js(node, tmp_path, program, [w.content["model"], tokens, off])
    torch.testing.assert_close(torch.tensor(js, dtype=torch.float64), logits, atol=1e-5, rtol=1e-5)
    got = torch.tensor(list(w.probabilities["after"].values())).double()
    torch.testing.assert_close(got, torch.softmax(logits[3], -1), atol=1e-5, rtol=0)


def test_without_means_a_head_gives_zeros():
    w = heads(model=masked_words())
    with pytest.raises(TraitError, match="this widget has no head_means"):
        w.ablation = "mean"


def test_head_means_can_be_given():
    means = torch.randn(2, 3, 4)
    model = word_model()
    model.head_means.zero_()
    w = heads(model=model, head_means=means)
    w.ablated, w.ablation = [(0, 1)], "mean"
    model.head_means.copy_(means)
    tokens = [HEAD_WORDS.index(word) for word in [*HEAD_SENTENCES[0][:-1], "[hidden]"]]
    logits, _ = by_torch(model, tokens, [(0, 1)], "mean")
    expected = torch.softmax(logits[-1], -1)
    torch.testing.assert_close(
        torch.tensor(list(w.probabilities["after"].values())).double(), expected, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("causal", [False, True])
def test_mirrors_are_the_models_numbers(causal):
    model = word_model(causal=causal)
    w = heads(model=model, predict=False)
    w.tokens = ["a", "dog", "sees", "the", "tired", "cat"]
    w.ask = 2
    w.ablated = [[1, 0], (0, 2), [1, 0]]
    assert w.ablated == [[0, 2], [1, 0]], "in order, without repeats"
    tokens = [HEAD_WORDS.index(word) for word in w.tokens]
    true = tokens[3 if causal else 2]
    if not causal:
        tokens[2] = 0
    losses = []
    for off, name in (([], "before"), (w.ablated, "after")):
        logits, weights = by_torch(model, tokens, off, "zero")
        shares = torch.softmax(logits[2], -1)
        got = torch.tensor(list(w.probabilities[name].values())).double()
        torch.testing.assert_close(got, shares, atol=1e-5, rtol=0)
        losses.append(-shares[true].log())
    torch.testing.assert_close(torch.tensor(w.weights).double(), weights, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.tensor(w.loss).double(), torch.stack(losses), atol=1e-5, rtol=1e-5)
    w.ask = None
    assert (w.probabilities, w.loss) == (None, None)


def test_the_last_word_of_a_causal_model_has_no_true_one():
    w = heads(model=word_model(causal=True), predict=False)
    assert w.ask == len(HEAD_SENTENCES[0]) - 2, "the last word that has one after it"
    w.ask = len(HEAD_SENTENCES[0]) - 1
    assert w.loss is None
    assert w.probabilities["before"] == w.probabilities["after"]
    assert "loss" not in w.summary


def test_a_shorter_sentence_keeps_what_it_can():
    w = heads(predict=False)
    w.cell = (6, 2)
    w.tokens = "it was tired"
    assert (w.cell, w.ask) == (None, 2)
    assert np.shape(w.weights) == (2, 3, 3, 3)


def test_views_in_words():
    w = given_heads()
    assert w.summary.startswith("Layer 1, head 1: “t0” looks most at “")
    w.view = "difference"
    gap = np.array(w.weights[0][0][0]) - np.array(w.weights[0][1][0])
    at = int(np.abs(gap).argmax())
    assert w.summary.startswith(f"Layer 1, head 1 minus Layer 1, head 2: “t0” differs most at “t{at}”")
    w.assign(view="compare", other=(1, 2))
    assert w.summary.count("looks most") == 2
    w.view = "average"
    assert w.summary.startswith("Layer 1, mean of its heads")


def test_weights_alone_and_a_second_sentence():
    w = given_heads(3, n_src=4)
    assert np.shape(w.weights) == (2, 3, 3, 4)
    w.cell = [2, 3]
    with pytest.raises(TraitError, match="column < 4"):
        w.cell = [2, 4]
    with pytest.raises(TraitError, match="ablated: expected none"):
        w.ablated = [(0, 0)]
    with pytest.raises(TraitError, match="only a widget with a model can edit them"):
        w.tokens = ["a", "b", "c"]


def test_match_first():
    w = heads()
    assert w.summary.startswith("Match each head with its role, or skip.")
    w.prediction = ["same word", "next word", "head noun"]
    assert (w.score, w.revealed) == (0.67, True)
    assert not w.summary.startswith("Match")
    w.prediction = None
    assert (w.score, w.revealed) == (None, False)
    assert heads(roles=None, other_roles=()).revealed, "nothing to match, nothing to hide"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("tokens", ["zebra"], "expected words of the model's vocabulary, got 'zebra'"),
        ("tokens", [], "expected 1 to 64 words"),
        ("tokens", ["the"] * 8, "tokens: expected 1 to 7 words"),
        ("head", (2, 0), r"head: expected \[layer < 2, head < 3\]"),
        ("other", 1, "other: expected"),
        ("view", "pie", "view: expected one of"),
        ("ablated", 3, "ablated: expected a list"),
        ("ablated", [(0, 3)], r"ablated\[0\]: expected \[layer < 2"),
        ("ablation", "half", "ablation: expected one of"),
        ("ask", 7, "ask: expected a whole number from 0 to 6, the index of a word"),
        ("ask", True, "ask: expected"),
        ("cell", [7, 0], r"cell: expected \[row < 7"),
        ("prediction", ["same word"], "prediction: expected a list of 3, one role a head"),
        ("prediction", ["x", "x", "x"], r"prediction\[0\]: expected one of"),
        ("revealed", 1, "revealed: expected"),
        ("weights", [[1]], "weights: expected no assignment"),
        ("loss", [1, 2], "loss: expected no assignment"),
        ("content", {}, "content: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = heads()
    before = copy.deepcopy((w.state, w.content, w.summary))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.content, w.summary) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": torch.nn.Linear(2, 2), "mask_word": "[hidden]"}, "expected an attnbook.nn.WordModel"),
        ({"mask_word": None}, "mask_word: expected the word of the vocabulary"),
        ({"model": word_model(causal=True), "mask_word": "[hidden]"}, "mask_word: expected none"),
        ({"model": word_model(vocab=99)}, "vocabulary: expected 99 different words"),
        ({"model": word_model(max_length=3)}, "sentences: expected at most 3 words"),
        ({"model": word_model(d_model=96, d_ff=96)}, "model: expected at most 50,000 parameters"),
        ({"head_means": torch.zeros(2, 3, 5)}, r"head_means: expected shape \(2, 3, 4\)"),
        ({"roles": {(0, 9): ("a", "b")}}, "roles: expected"),
        ({"roles": {(0, 0): "a"}}, r"roles\[\(0, 0\)\]: expected \(role, why\)"),
        ({"roles": 3}, "roles: expected a dict"),
        ({"predict": "yes"}, "predict: expected"),
        ({"ask": 99}, "ask: expected"),
        ({"head": 3}, "head: expected"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_a_bad_option_is_named(options, sentence):
    model = options.pop("model", None)
    with pytest.raises(ValueError, match=sentence):
        heads(model=model, **options)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.full((2, 3, 5), 0.2), "weights: expected shape"),
        (np.full((2, 3, 5, 4), 0.25), "weights: expected shape"),
        (np.full((2, 3, 5, 5), 0.3), r"weights\[0, 0, 0\]: expected shares that add up to 1"),
        (np.full((2, 3, 5, 5), np.nan), "weights: expected finite"),
        ("abc", "weights: expected an array"),
        (np.full((13, 1, 5, 5), 0.2), "at most 12 layers"),
    ],
    ids=str,
)
def test_bad_weights_are_named(weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        HeadExplorer([f"t{i}" for i in range(5)], weights)


def test_tensors_are_taken():
    weights = torch.softmax(torch.randn(1, 2, 3, 3), -1).requires_grad_()
    w = HeadExplorer(list("abc"), weights, outputs=torch.randn(1, 2, 3, 4))
    torch.testing.assert_close(torch.tensor(w.weights), weights.detach(), atol=1e-5, rtol=0)
    w.ablated = [(0, 1)]
    assert w.summary.endswith("Without 1 of 2 heads.")


def test_the_stand_in_is_small():
    for w in (heads(), given_heads(64), given_heads(4, n_src=6)):
        data, metadata = w._repr_mimebundle_()
        assert len(data["image/png"]) < 60_000
        assert data["text/plain"].startswith("HeadExplorer: ")
        assert metadata["image/png"]["alt"] in data["text/plain"]


def test_a_small_model_is_small_in_the_notebook():
    model = word_model(d_model=32, n_heads=4, vocab=100, max_length=16)
    words = [f"w{i}" for i in range(100)]
    w = HeadExplorer.from_model(model, words[:16], words, mask_word="w0")
    assert len(w.content["model"]["numbers"]) < 75_000


@pytest.mark.parametrize("one", [0.1, 1e-9, 1e6], ids=["rounded", "too small", "too large"])
def test_half_precision_only_where_it_loses_nothing(one):
    model = masked_words().half().float()
    halves = heads(model=model).content["model"]
    with torch.no_grad():
        model.layers[0].W_k.bias[0] = one
    singles = heads(model=model).content["model"]
    assert (halves["half"], singles["half"]) == (True, False)
    assert len(halves["numbers"]) == pytest.approx(len(singles["numbers"]) / 2, abs=4)


def test_the_model_that_ships_travels_in_half_precision():
    trained = models.load("08_heads")
    words = trained.vocabularies["words"].words
    w = HeadExplorer.from_model(trained.model, ["<bos>", "the", "dog"], words, mask_word=MASK)
    assert w.content["model"]["half"]


STATES = [
    {},
    {"ask": None},
    {"ask": 0, "ablated": [[0, 0], [1, 2]], "ablation": "mean"},
    {"view": "compare", "other": [1, 2], "cell": [2, 1]},
    {"view": "difference", "other": [1, 1], "ablated": [[1, 1]]},
    {"view": "average", "head": [1, 0], "tokens": ["it", "was"], "ask": 1},
    {"prediction": ["same word", "next word", "head noun"]},
]


def test_sentences_are_the_kernels(node, tmp_path):
    made = []
    for build in (heads, lambda **o: heads(model=word_model(causal=True), **o)):
        for predict in (True, False):
            for state in STATES:
                w = build(predict=predict)
                w.state = {**w.state, **state}
                made.append(w)
    for w in (given_heads(), given_heads(3, n_src=4, outputs=np.ones((2, 3, 3, 2)))):
        w.view = "difference"
        made.append(w)
    made[-1].ablated = [(0, 0)]
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({(JS / "heads" / "words.js").as_uri()!r});
console.log(JSON.stringify(data.map(([content, state]) => sentence(state, content))));
"""
    out = run_js(node, tmp_path, program, [[w.content, w.state] for w in made])
    assert out == [w.summary for w in made]


# --- In the page -----------------------------------------------------------------------------------------


def table(page, index=0):
    """The table behind a picture, in %."""
    rows = page.locator(".ab-hx-shares").nth(index).locator("tbody tr")
    texts = [rows.nth(i).locator("td").all_inner_texts() for i in range(rows.count())]
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in texts])


def close(got, expected):
    torch.testing.assert_close(got, 100 * torch.as_tensor(expected).float(), atol=0.51, rtol=0)


def opacity(page, selector):
    """Opacities of a canvas's points, from 0 to 1."""
    return torch.tensor(
        page.evaluate(
            """(selector) => {
                 const canvas = document.querySelector(selector);
                 const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                 return [...all].filter((_, i) => i % 4 === 3).map((x) => x / 255);
               }""",
            selector,
        )
    )


@pytest.mark.browser
def test_roles_are_hidden_until_the_reader_commits(page_of):
    w = heads()
    page = page_of([w])
    assert "head noun" not in page.locator(".ab-hx-heads").inner_text()
    assert spoken(page) == w.summary
    names = page.locator(".ab-hx-small").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert names == [f"{i + 1}.{j + 1}: Layer {i + 1}, head {j + 1}" for i in range(2) for j in range(3)]
    for index, role in enumerate(["same word", "next word", "head noun"]):
        page.locator(".ab-predict select").nth(index).select_option(role)
    page.get_by_role("button", name="Commit").click()
    painted(page)
    verdict = page.locator(".ab-predict").inner_text()
    assert "Score 0.67." in verdict
    assert (
        "1.2: previous word. ✗ You said “next word”. It gives the word before 80 % of its weight." in verdict
    )
    assert verdict.count("✓ You said so.") == 2
    assert "1.2 previous word" in page.locator(".ab-hx-heads").inner_text()
    state = state_of(page, w.widget_id)
    w.state = state
    assert w.score == state["score"] == 0.67
    assert spoken(page) == w.summary
    page.get_by_role("button", name="Match again").click()
    painted(page)
    assert "previous word" not in page.locator(".ab-hx-heads").inner_text()
    page.get_by_role("button", name="Skip").click()
    painted(page)
    assert "You said" not in page.locator(".ab-predict").inner_text()
    assert state_of(page, w.widget_id)["revealed"]


@pytest.mark.browser
def test_pictures_are_the_weights(page_of):
    w = heads(predict=False)
    page = page_of([w])
    weights = torch.tensor(w.weights)
    for index, (layer, head) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]):
        shown = opacity(page, f".ab-hx-heads tr:nth-child({layer + 1}) td:nth-child({head + 2}) canvas")
        torch.testing.assert_close(shown, weights[layer, head].flatten(), atol=0.005, rtol=0)
        page.locator(".ab-hx-small").nth(index).click()
        painted(page)
        torch.testing.assert_close(
            opacity(page, ".ab-hx-map canvas"), weights[layer, head].flatten(), atol=0.005, rtol=0
        )
        assert page.locator(".ab-hx-small[aria-pressed=true]").count() == 1
    open_all(page)
    close(table(page), weights[1, 2])


@pytest.mark.browser
def test_two_heads_their_difference_and_the_mean(page_of):
    w = heads(predict=False)
    page = page_of([w])
    open_all(page)
    weights = torch.tensor(w.weights)
    page.get_by_role("radio", name="Two heads").click()
    painted(page)
    page.get_by_label("and head").select_option("2.2")
    painted(page)
    assert page.locator(".ab-hx-pair figure:visible").count() == 2
    close(table(page, 0), weights[0, 0])
    close(table(page, 1), weights[1, 1])
    page.get_by_role("radio", name="Difference").click()
    painted(page)
    assert page.locator(".ab-hx-pair figure:visible").count() == 1
    close(table(page), weights[0, 0] - weights[1, 1])
    assert (table(page) < 0).any()
    page.get_by_role("radio", name="Mean of a layer").click()
    painted(page)
    close(table(page), weights[0].mean(0))
    assert page.locator(".ab-hx-small[aria-pressed=true]").count() == 3
    assert page.get_by_label("and head").is_hidden()
    w.state = state_of(page, w.widget_id)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_below_zero_is_another_pattern(page_of):
    """Every second point is left out, so that colour is not alone."""
    w = given_heads(3, view="difference")
    page = page_of([w])
    gap = torch.tensor(w.weights[0][0]) - torch.tensor(w.weights[0][1])
    shown = opacity(page, ".ab-hx-map canvas").view(3, 4, 3, 4)
    for i in range(3):
        for j in range(3):
            cell = shown[i, :, j]
            filled = (cell > 0).float().mean()
            assert filled == (0.5 if gap[i, j] < 0 else 1)
            assert cell.max() == pytest.approx(abs(float(gap[i, j])), abs=0.005)


@pytest.mark.browser
@pytest.mark.parametrize("causal", [False, True])
def test_ablation_and_edits_are_the_models(page_of, causal):
    w = heads(model=word_model(causal=causal), predict=False)
    page = page_of([w])
    open_all(page)
    rows = page.locator(".ab-hx-bars tbody tr")
    assert page.locator(".ab-hx-bars thead").inner_text().strip().split("\t")[-2:] == [
        "all heads on",
        "switch a head off",
    ]
    page.get_by_label("Layer 1, head 2 is on").uncheck()
    painted(page)
    page.get_by_label("Layer 2, head 1 is on").uncheck()
    painted(page)
    page.get_by_label("an “off” head gives").select_option("its mean")
    painted(page)
    page.get_by_role("combobox", name="word").select_option("2: cat")
    painted(page)
    page.get_by_role("combobox", name="becomes").select_option("dog")
    painted(page)
    page.get_by_role("combobox", name="guess after" if causal else "hide").select_option("3: that")
    painted(page)
    state = state_of(page, w.widget_id)
    assert state["ablated"] == [[0, 1], [1, 0]]
    assert (state["ablation"], state["ask"], state["tokens"][1]) == ("mean", 2, "dog")
    w.state = state
    close(table(page), w.weights[0][0])
    assert "without 1.2, 2.1" in page.locator(".ab-hx-bars thead").inner_text()
    seen = {}
    for i in range(rows.count()):
        name = rows.nth(i).locator("th").inner_text()
        seen[name] = rows.nth(i).locator("td").all_inner_texts()
    before, after = w.loss
    gap = f"{after - before:+.2f}".replace("-", "−")
    assert seen.pop("loss") == [f"{before:.2f}", f"{after:.2f} ({gap})"]
    true = state["tokens"][3 if causal else 2]
    assert f"{true} ✓" in seen
    for name, texts in seen.items():
        word = name.removesuffix(" ✓")
        for text, side in zip(texts, ("before", "after"), strict=True):
            assert int(text.split()[0]) == pytest.approx(100 * w.probabilities[side][word], abs=0.51)
    best = max(w.probabilities["after"], key=w.probabilities["after"].get)
    assert best in [name.removesuffix(" ✓") for name in seen]
    assert spoken(page) == w.summary
    page.get_by_role("combobox", name="sentence").select_option("it was tired")
    painted(page)
    state = state_of(page, w.widget_id)
    assert (state["tokens"], state["ask"]) == (HEAD_SENTENCES[1], 1 if causal else 2)
    w.state = state
    close(table(page), w.weights[0][0])


@pytest.mark.browser
def test_nothing_hidden(page_of):
    w = heads(predict=False)
    page = page_of([w])
    page.get_by_role("combobox", name="hide").select_option("nothing")
    painted(page)
    assert state_of(page, w.widget_id)["ask"] is None
    assert "[hidden]" not in page.locator(".ab-hx-y").first.inner_text()
    assert "Hide a word" in page.locator(".ab-hx-bars caption").inner_text()


@pytest.mark.browser
def test_without_a_model_the_output_gets_shorter(page_of):
    draw = np.random.default_rng(2)
    outputs = draw.normal(size=(2, 3, 5, 4)).astype("f4")
    w = given_heads(outputs=outputs, ask=3)
    page = page_of([w])
    page.get_by_label("Layer 2, head 3 is on").uncheck()
    painted(page)
    rows = page.locator(".ab-hx-bars tbody tr")
    whole = [np.linalg.norm(outputs[layer, :, 3].sum(0)) for layer in (0, 1)]
    rest = [whole[0], np.linalg.norm(outputs[1, :2, 3].sum(0))]
    for layer in (0, 1):
        got = [float(x) for x in rows.nth(layer).locator("td").all_inner_texts()]
        assert got == pytest.approx([whole[layer], rest[layer]], abs=0.006)
    assert page.get_by_label("becomes").count() == 0
    page = page_of([given_heads()])
    assert page.locator(".ab-hx-bars").count() == 0, "nothing to switch off"
    assert page.get_by_role("checkbox").count() == 0


@pytest.mark.browser
def test_arithmetic_of_a_cell(page_of):
    w = heads(model=word_model(causal=True), predict=False)
    page = page_of([w])
    open_all(page)
    n = len(w.tokens)

    def click(row, column):
        canvas = page.locator(".ab-hx-map canvas").first
        box = canvas.bounding_box()
        size = {"x": box["width"] * (column + 0.5) / n, "y": box["height"] * (row + 0.5) / n}
        canvas.click(position=size)  # which scrolls to it

    click(4, 1)
    painted(page)
    assert state_of(page, w.widget_id)["cell"] == [4, 1]
    steps = page.locator("details ol li")
    assert "The arithmetic of “a” and “cat”" in page.locator("summary").first.inner_text()
    text = steps.first.inner_text()
    assert text.startswith("Head 1.1: query · key = ")
    assert text.endswith(f"softmax = {w.weights[0][0][4][1]:.4f}")
    model = word_model(causal=True)
    attention = model.layers[0].attention
    tokens = torch.tensor([[HEAD_WORDS.index(word) for word in w.tokens]])
    x = model.layers[0].norm_1(model.positions(model.embedding(tokens)))[0]
    score = (attention.W_q(x)[4, :4] @ attention.W_k(x)[1, :4]).item()
    assert f"= {score:.4f}, ÷ √4 = {score / 2:.4f}".replace("-", "−") in text
    assert (
        page.locator(".ab-hx-read").first.inner_text() == f"“a” at “cat”: {100 * w.weights[0][0][4][1]:.1f} %"
    )
    click(1, 4)
    painted(page)
    assert steps.first.inner_text() == "Head 1.1: masked: 0.0000"
    page.get_by_role("radio", name="Mean of a layer").click()
    painted(page)
    assert steps.count() == 4


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = heads()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    go_to(page, "Commit")
    press(page, "Enter")
    assert not state_of(page, w.widget_id)["revealed"], "no menu is filled in beforehand"
    for _ in range(3):  # the focus is on the first open menu; a letter chooses in it, Enter goes to the next
        press(page, "s")
        go_to(page, "Commit")
        press(page, "Enter")
    assert state_of(page, w.widget_id)["revealed"]
    assert focused(page) == "Match again", "the focus does not fall out of the widget"
    go_to(page, "1.3: Layer 1, head 3", "ArrowLeft")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["head"] == [0, 2]
    press(page, "ArrowDown")
    assert focused(page) == "2.3 head noun: Layer 2, head 3"
    press(page, "ArrowRight", " ")
    assert state_of(page, w.widget_id)["ablated"] == [[1, 2]]
    go_to(page, "Difference")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["view"] == "difference"
    go_to(page, "Layer 1, head 3 minus")
    press(page, "Enter", "ArrowUp", "ArrowUp", "ArrowLeft", "Enter")
    state = state_of(page, w.widget_id)
    row = state["ask"] - 2
    assert state["cell"][0] == row
    w.state = state
    gap = 100 * (w.weights[0][2][row][state["cell"][1]] - w.weights[0][1][row][state["cell"][1]])
    spoken_value = page.locator(".ab-hx-map").first.get_attribute("aria-valuetext")
    assert spoken_value.endswith(f": {gap:.1f} points".replace("-", "−"))
    press(page, "r")
    assert state_of(page, w.widget_id) == heads().state
    press(page, "End", "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop"
    press(page, "Shift+Tab", "Escape")
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.browser
def test_a_pointer_builds_nothing_at_64_words(page_of):
    """The script's own part of a frame; benchmarks/pointer.py measures the whole frame."""
    page = page_of([given_heads(64)])
    page.evaluate(
        """() => { window.made = 0;
             const count = (all) => all.forEach((m) => { made += m.addedNodes.length; });
             const watch = new MutationObserver(count);
             watch.observe(document.querySelector('.ab'), { childList: true, subtree: true }); }"""
    )
    box = page.locator(".ab-hx-map canvas").first.bounding_box()
    seen = set()
    for step in range(20):
        page.mouse.move(box["x"] + box["width"] * (step + 0.5) / 20, box["y"] + box["height"] * 0.4)
        seen.add(page.locator(".ab-hx-read").first.inner_text())
    assert len(seen) == 20
    assert page.evaluate("made") <= 2 * 20, "a move writes one text"


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = heads()
    other = heads()
    other.assign(
        tokens=["it", "was", "tired", "that"],
        ask=1,
        ablated=[(1, 1)],
        view="compare",
        prediction=["same word"] * 3,
    )
    page = page_of([w], fragment=f"#{w.widget_id}={link(other.state)}")
    assert state_of(page, w.widget_id) == other.state
    assert spoken(page) == other.summary
    for name, value in (("tokens", ["zebra"]), ("head", [0, 3]), ("ask", 7), ("view", "toString")):
        page = page_of([w], fragment=f"#{w.widget_id}={link({**w.state, name: value})}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state


def test_the_default_model_is_the_books():
    assert isinstance(word_model(), WordModel)
