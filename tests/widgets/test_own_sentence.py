"""AlignmentExplorer on a reader's own sentence: in a page from disk, without a kernel, by trained models."""

import pytest
import torch
from traitlets import TraitError
from widget_driver import link, open_all, painted, press, settled, state_of
from widget_examples import SOURCE, translator

from attnbook.widgets import AlignmentExplorer
from attnbook.widgets.alignment_explorer import Translators

OWN = "the king is reading the old book"


def type_in(page, text):
    """Open the panel, write a sentence, and wait until whatever follows has happened."""
    open_all(page)
    page.get_by_label("source sentence").fill(text)
    page.get_by_role("button", name="Translate").click()
    painted(page)
    settled(page)


def told(page):
    return page.locator("details .ab-note[role=status]").inner_text()


def cells(page):
    return torch.tensor([float(x) for x in page.locator(".ab-heat tbody td").all_inner_texts()])


@pytest.mark.browser
def test_a_typed_sentence_is_translated_as_torch_does(page_of):
    w = translator(predict=False)
    page = page_of([w])
    type_in(page, OWN)
    state = state_of(page, w.widget_id)
    assert state["source"] == OWN.split()
    w.state = state
    rows = page.locator(".ab-heat tbody th").all_inner_texts()
    assert rows == w.output == ["le", "roi", "lit", "le", "vieux", "livre"]
    shown = cells(page).view(len(rows), len(state["source"]))
    torch.testing.assert_close(shown, torch.tensor(w.weights) * 100, atol=0.51, rtol=0)
    assert told(page) == "Translated in this page by the trained model."
    page.get_by_role("radio", name="None").click()
    painted(page)
    written = page.locator(".ab-lines tr").nth(1).locator("td").inner_text().split()
    assert written == Translators(["03_fixed_vector"])(OWN.split())["scorers"]["none"]["output"]
    assert page.locator(".ab-lines tr").count() == 2, "no right translation is known"


@pytest.mark.browser
def test_edits_are_translated_too_and_the_first_sentence_comes_back(page_of):
    w = translator(predict=False)
    page = page_of([w])
    open_all(page)
    page.get_by_role("button", name="Drop it").click()
    painted(page)
    assert state_of(page, w.widget_id)["source"] == SOURCE[1:]
    listed = page.get_by_role("combobox", name="sentence")
    for source in (SOURCE, SOURCE[1:]):  # an own sentence stays in the list
        listed.select_option(" ".join(source))
        painted(page)
        assert state_of(page, w.widget_id)["source"] == source
    page.get_by_label("source sentence").focus()
    press(page, "Enter", "Control+a")
    page.keyboard.type("the queen sings")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["source"] == ["the", "queen", "sings"], "by keyboard alone"


REFUSED = {
    "": "There is no word to translate",
    " . … ! ": "There is no word to translate",
    "cat " * 65: "At most 64 words can be translated, and these are 65.",
}
# What is typed, the words that are read, and what is said of them.
ODD = [
    ("The  king,sleeps!", ["The", "king,sleeps"], "“king,sleeps”, read as <unk>"),
    ("The King is “tired”.", ["The", "King", "is", "tired"], ""),
    ("the zebra sees <b>me</b>", ["the", "zebra", "sees", "b>me</b"], "“zebra”, “b>me</b”, read as <unk>"),
    ("the zebra sees zebra", None, "Not among the 206 words that it knows: “zebra”, read as <unk>"),
    ("the cat sees " * 8, None, "24 words; the longest that it was trained on had 20."),
    ("日本語 naïve", ["日本語", "naïve"], "“日本語”, “naïve”, read as <unk>"),
    ("the cat doesn’t sleep", ["the", "cat", "doesn't", "sleep"], ""),
]


@pytest.mark.browser
def test_odd_input_is_read_or_refused_in_one_sentence(page_of):
    w = translator(predict=False)
    page = page_of([w])
    before = state_of(page, w.widget_id)
    for text, sentence in REFUSED.items():
        type_in(page, text)
        assert sentence in told(page)
        assert state_of(page, w.widget_id) == before
        assert page.get_by_label("source sentence").input_value() == text
    assert page.locator("script[src*=models]").count() == 0, "nothing is loaded for it"
    for text, source, sentence in ODD:
        type_in(page, text)
        assert state_of(page, w.widget_id)["source"] == (source or text.split())
        assert sentence in told(page)
        if not sentence:
            assert told(page) == "Translated in this page by the trained model."


@pytest.mark.browser
def test_a_model_that_is_missing_is_said_and_loses_nothing(page_of, tmp_path):
    w = translator(predict=False)
    page = page_of([w])
    file = tmp_path / "attnbook" / "models" / "04_additive.js"
    whole = file.read_text(encoding="utf-8")
    file.write_text("", encoding="utf-8")
    before = state_of(page, w.widget_id)
    type_in(page, OWN)
    assert told(page) == "The sentence was not translated: models/04_additive.js did not load."
    assert state_of(page, w.widget_id) == before
    file.write_text(whole, encoding="utf-8")
    type_in(page, OWN)
    assert state_of(page, w.widget_id)["source"] == OWN.split()


@pytest.mark.browser
def test_a_link_to_an_own_sentence_is_translated_when_it_is_opened(page_of):
    w = translator(predict=False)
    state = {**w.state, "source": OWN.split(), "cell": [1, 2]}
    page = page_of([w], fragment=f"#{w.widget_id}={link(state)}")
    assert state_of(page, w.widget_id) == state
    assert page.locator(".ab > .ab-note").inner_text() == ""
    page.get_by_role("button", name="Reset").click()
    assert state_of(page, w.widget_id) == w.state
    page = page_of([w], fragment=f"#{w.widget_id}={link({**state, 'cell': [60, 0]})}")
    assert state_of(page, w.widget_id)["source"] == OWN.split()
    assert state_of(page, w.widget_id)["cell"] is None


def test_with_a_kernel_torch_translates():
    w = translator(predict=False)
    w.source = OWN
    assert w.output == ["le", "roi", "lit", "le", "vieux", "livre"]
    w.scorer = "none"
    assert w.weights is None
    w._handle_custom_msg({"type": "translate", "source": ["the", "zebra", "sleeps"]}, [])
    assert w.notice == "Not among the 206 words that it knows: “zebra”, read as <unk>, an unknown word."
    w._handle_custom_msg({"type": "translate", "source": ["cat"] * 21}, [])
    assert "21 words; the longest that it was trained on had 20" in w.notice


def test_models_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="models: expected names among"):
        AlignmentExplorer([{"src": ["cat"], "scorers": {"none": {"output": ["chat"]}}}], models=["99"])
    with pytest.raises(ValueError, match="at most one translator with a fixed vector"):
        AlignmentExplorer([{"src": ["cat"]}], models=["04_additive", "04_additive"])
    with pytest.raises(ValueError, match="expected a dict with src, scorers"):
        AlignmentExplorer([{"src": ["cat"]}])
    w = AlignmentExplorer([{"src": ["the", "cat", "sleeps"]}], models=["04_additive"])
    with pytest.raises(TraitError, match="models: expected no assignment"):
        w.models = []
