"""TranslatorExplorer: torch's words and weights in the page, sentences typed, doubts that mean something."""

import json
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import focused, go_to, open_all, painted, press, run_js, settled, spoken, state_of
from widget_examples import SOURCE, translating
from widget_page import JS

from attnbook import models
from attnbook.data import phrasebook
from attnbook.translation import Translator
from attnbook.widgets import TranslatorExplorer
from attnbook.widgets.translator_explorer import KINDS, doubts, translated

BOUND = 1e-4  # half-precision weights on both sides; sums of float32 in the page, of float64 here

RUN = f"""
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ transformerTranslator }} from {(JS / "inference" / "transformer.js").as_uri()!r};
import {{ numberOf }} from {(JS / "inference" / "translator.js").as_uri()!r};
import {{ doubts, wordsOf }} from {(JS / "mechanisms" / "doubts.js").as_uri()!r};
const [path, sentences] = data;
const loaded = readModel(new Uint8Array(readFileSync(path)));
const translate = transformerTranslator(loaded);
console.log(JSON.stringify(sentences.map((words) => {{
  const found = translate(words, 2 * words.length + 20);
  const numbers = words.map((word) => numberOf(word, loaded.vocabularies.src));
  const again = wordsOf(words.join("  ") + " .");
  return {{ ...found, again, doubts: doubts(loaded, numbers, found) }};
}})));
"""
ODD = [["The", "King", "sleeps"], ["i", "am", "tired"], ["the", "zebra", "sees", "the", "the"], ["cat"] * 30]
ODD += [["because"], ["dog", "the"], ["sees", "sees", "sees"]]


@pytest.fixture(scope="module")
def trained():
    found = models.load("10_transformer")
    found.model.double()
    return found


def sentences():
    """200 of the test sentences, 20 of them longer than any in training, and odd ones."""
    found = phrasebook.sample(180, 2, "small", (2, 20), "test")
    found += phrasebook.sample(20, 3, "small", (21, 30), "test")
    return [list(pair.src) for pair in found] + ODD


def test_the_page_writes_the_words_that_torch_writes(node, tmp_path, trained):
    """Of 200 sentences and odd ones: words, probabilities, all weights, and what is said against them."""
    given = sentences()
    found = run_js(node, tmp_path, RUN, [str(models.FOLDER / "10_transformer.safetensors"), given])
    for words, js in zip(given, found, strict=True):
        ours = translated(trained, words)
        assert js["output"] == ours["output"], " ".join(words)
        assert (js["finished"], js["unknown"]) == (ours["finished"], ours["unknown"])
        assert js["shares"] == pytest.approx(ours["shares"], abs=BOUND)
        for kind in KINDS:
            torch.testing.assert_close(
                torch.tensor(js[kind], dtype=torch.float64), ours[kind], atol=BOUND, rtol=0
            )
        assert js["doubts"] == doubts(trained, words, ours)
        assert js["again"] == words


def test_it_is_what_the_translator_writes(trained):
    translator = Translator(trained.model, trained.src, trained.tgt)
    for words in sentences()[:200:25]:
        found = translator.explain(" ".join(words))
        ours = translated(trained, words)
        assert list(found.tgt) == [*ours["output"], "<eos>"]
        for kind in KINDS:
            torch.testing.assert_close(getattr(found, kind), ours[kind], atol=1e-9, rtol=0)
        assert found.shares == pytest.approx(ours["shares"], abs=1e-9)


def test_doubts_tell_strange_sentences_from_those_like_training(trained):
    """The warnings separate 100 test sentences from the same words shuffled."""
    draw = random.Random(0)
    given = [list(pair.src) for pair in phrasebook.sample(100, 7, "small", (4, 20), "test")]

    def warned(words):
        return bool(doubts(trained, words, translated(trained, words)))

    assert sum(map(warned, given)) <= 10
    assert sum(warned(draw.sample(words, len(words))) for words in given) >= 95


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the penguin sleeps", "Not among the 206 words that it knows: “penguin”, read as <unk>"),
        ("sleep", "The sentence has 1 word; those that it was trained on had 2 to 20."),
        (
            "the dog because",
            "Unlike its training, where this never stood: “because” at the end.",
        ),
        ("dog sleeps", "“dog” at the beginning"),
    ],
)
def test_what_is_said_against_a_translation(trained, text, said):
    words = text.split()
    assert any(said in one for one in doubts(trained, words, translated(trained, words)))


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("I love you", "je t' aime"),
        ("the dog is not black", "le chien n' est pas noir"),
        ("are you happy", "est -ce que tu es heureux"),
        ("do you see me", "est -ce que tu me vois"),
        ("you are happy", "tu es heureux"),
        ("she sleeps", "elle dort"),
    ],
)
def test_what_people_type_first_comes_out_right(trained, english, french):
    found = translated(trained, english.split())
    assert " ".join(found["output"]) == french
    assert doubts(trained, english.split(), found) == []


def test_mirrors_follow_the_state():
    w = translating(predict=False)
    assert w.translation == ["elle", "ne", "m'", "aime", "pas"]
    w.source = "I love you"
    assert (w.source, w.translation) == (["I", "love", "you"], ["je", "t'", "aime"])
    assert len(w.shares) == 4
    mean = torch.tensor(w.weights)
    rows = []
    for head in range(4):
        w.assign(view="head", head=[1, head])
        rows.append(w.weights)
    torch.testing.assert_close(torch.tensor(rows).mean(0), mean, atol=1e-5, rtol=0)
    w.kind = "decoder"
    assert torch.tensor(w.weights).triu(1).abs().max() == 0
    w.kind = "encoder"
    assert torch.tensor(w.weights).shape == (3, 3)


def test_bad_arguments_are_named():
    for given, sentence in [
        ({"examples": []}, "examples: expected a list of sentences"),
        ({"examples": "I love you"}, "examples: expected a list of sentences"),
        ({"examples": [""]}, r"examples\[0\]: expected 1 to 64 words"),
        ({"examples": ["I"], "more": [["a b"]]}, r"more\[0\]: expected 1 to 64 words without spaces"),
        ({"examples": ["I"], "model": "99_none"}, "model: expected one of"),
        ({"examples": ["I"], "model": "04_additive"}, "model: expected a transformer"),
        ({"examples": ["I"], "kind": "both"}, "kind: expected one of"),
        ({"examples": ["I"], "head": [2, 0]}, "head: expected"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            TranslatorExplorer(**given)
    w = translating()
    for name, value in (("source", []), ("source", 3), ("content", {}), ("models", []), ("cell", [-1, 0])):
        with pytest.raises(TraitError):
            setattr(w, name, value)


def test_the_widget_weighs_little_in_a_notebook():
    state = {name: value for name, value in translating().get_state().items() if name[0] != "_"}
    assert len(json.dumps(state)) < 6000, "the model does not travel with it"


# ---- in a page from disk, without a kernel ----------------------------------------------------------------


def type_in(page, text):
    """Write a sentence, and wait until whatever follows has happened."""
    page.get_by_label("English sentence").fill(text)
    page.get_by_role("button", name="Translate").click()
    painted(page)
    settled(page)


def french(page):
    return page.locator(".ab-te-lines td").nth(1).inner_text().strip()


def warnings_of(page):
    return page.locator(".ab-te-doubts li").all_inner_texts()


@pytest.mark.browser
def test_a_typed_sentence_is_translated_and_its_weights_stand_in_a_table(page_of):
    w = translating(predict=False)
    page = page_of([w])
    type_in(page, "“Do you see the old houses?”")
    w.state = state_of(page, w.widget_id)
    assert w.source == ["Do", "you", "see", "the", "old", "houses"]
    assert french(page) == " ".join(w.translation)
    assert warnings_of(page) == w.doubts == []
    assert spoken(page) == w.summary
    for kind in KINDS:
        page.get_by_role("radio", name=KINDS[kind]).click()
        page.get_by_role("button", name="layer 1, head 3").click()
        settled(page)
        open_all(page)
        settled(page)
        w.state = state_of(page, w.widget_id)
        assert (w.kind, w.head, w.view) == (kind, [0, 2], "head")
        cells = [float(x) for x in page.locator(".ab-hx-shares tbody td").all_inner_texts()]
        assert cells == pytest.approx([100 * x for row in w.weights for x in row], abs=0.0501)


@pytest.mark.browser
def test_strange_sentences_are_warned_of(page_of):
    w = translating(predict=False)
    page = page_of([w])
    for text, said in (
        ("the penguin sleeps", "“penguin”, read as <unk>"),
        ("dog the sees", "Unlike its training"),
        ("sleep", "has 1 word;"),
    ):
        type_in(page, text)
        w.state = state_of(page, w.widget_id)
        assert warnings_of(page) == w.doubts
        assert any(said in one for one in w.doubts)
    type_in(page, "  ?! ")
    assert "There is no word to translate" in page.locator(".ab").inner_text()
    assert state_of(page, w.widget_id)["source"] == ["sleep"], "left as it was"
    type_in(page, "the " * 65)
    assert "At most 64 words" in page.locator(".ab").inner_text()


@pytest.mark.browser
def test_by_keyboard_alone(page_of):
    w = translating(predict=False)
    page = page_of([w])
    typed = page.get_by_label("English sentence")
    typed.focus()
    page.keyboard.type("she sleeps")
    press(page, "Enter")
    painted(page)
    settled(page)
    assert state_of(page, w.widget_id)["source"] == ["she", "sleeps"]
    assert french(page) == "elle dort"
    go_to(page, "Encoder self-attention")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["kind"] == "encoder"
    assert focused(page) == "Encoder self-attention"


@pytest.mark.browser
def test_sentences_are_offered(page_of):
    w = translating(predict=False)
    page = page_of([w])
    page.get_by_role("combobox", name="or take").select_option("1")
    settled(page)
    assert state_of(page, w.widget_id)["source"] == SOURCE
    page.get_by_role("button", name="Surprise me").click()
    settled(page)
    assert state_of(page, w.widget_id)["source"] in [
        one.split() for one in ("the cat sleeps", "we see the old houses")
    ]
    page.locator("summary", has_text="The words that it knows").click()
    assert "yesterday" in page.locator(".ab").inner_text()


@pytest.mark.browser
def test_predict_first_costs_a_page_nothing_until_it_is_touched(page_of):
    w = translating()
    page = page_of([w])
    loaded = "() => [...document.scripts].some((one) => one.src.includes('/models/'))"
    assert not page.evaluate(loaded)
    assert french(page) == "elle ne m' aime pas", "the first translation came with the page"
    page.locator(".ab-predict select").select_option("2")
    page.get_by_role("button", name="Commit").click()
    settled(page)
    assert page.evaluate(loaded)
    state = state_of(page, w.widget_id)
    w.prediction = {"choice": 2, "share": 0.5}
    assert state["prediction"]["answer"] == w.prediction["answer"]
    assert state["prediction"]["actual"] == pytest.approx(w.prediction["actual"], abs=BOUND)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_a_model_that_does_not_load_is_said_and_asked_for_again(page_of, tmp_path):
    w = translating()
    page = page_of([w])
    file = tmp_path / "attnbook" / "models" / "10_transformer.js"
    whole = file.read_text(encoding="utf-8")
    file.write_text("// cut off", encoding="utf-8")
    page.get_by_role("button", name="Skip", exact=True).click()
    settled(page)
    assert "The model did not load" in page.locator(".ab").inner_text()
    file.write_text(whole, encoding="utf-8")
    type_in(page, "I love you")
    assert french(page) == "je t' aime"
