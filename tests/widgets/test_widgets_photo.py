"""PhotoPatches: torch's numbers in the page; any patch asks, by pointer and by keyboard; table and list."""

import base64
import io
import json
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image
from traitlets import TraitError
from widget_driver import press, run_js, settled, spoken, state_of
from widget_examples import photograph, picture
from widget_page import JS

from attnbook.vision.descriptors import patch_descriptors
from attnbook.widgets import PhotoPatches
from attnbook.widgets.photo_patches import KNOWS, MOST_BYTES, _others

WEIGH = f"""
globalThis.BOOK = true;
const {{ unpack, weigh, others, sentence }} = await import({(JS / "photo_patches.js").as_uri()!r});
const [packed, states] = data;
const content = unpack(packed);
console.log(JSON.stringify(states.map((state) => {{
  const weights = weigh(content, state);
  return [weights, others(weights, state.asks), sentence(state, weights, content)];
}})));
"""


def every_state(w):
    """Every patch asks, by everything it may know, at sharpnesses from none to all."""
    for asks in range(len(w.weights)):
        for knows in KNOWS:
            for sharpness in (0.0, 1.0, 16.0, 64.0):
                yield {**w.state, "asks": asks, "knows": knows, "sharpness": sharpness}


def test_page_and_kernel_weigh_rank_and_say_the_same(node, tmp_path):
    w = photograph(predict=False)
    states = list(every_state(w))
    for state, (weights, ranked, said) in zip(
        states, run_js(node, tmp_path, WEIGH, [w.content, states]), strict=True
    ):
        w.state = state
        np.testing.assert_allclose(w.weights, weights, atol=1e-8)
        assert ranked == _others(w._numbers(w.state)["weights"].tolist(), state["asks"])
        assert said == w.summary


def test_weights_are_the_softmax_of_the_formula():
    w = photograph(predict=False)
    photo = torch.from_numpy(picture(2, 64, 80)).double() / 255
    for knows, key in patch_descriptors(photo, 16).items():
        w.assign(knows=knows, asks=7, sharpness=9)
        expected = torch.softmax(9 * key @ key[7] / math.sqrt(key.shape[1]), dim=0)
        torch.testing.assert_close(torch.tensor(w.weights, dtype=torch.float64), expected, atol=1e-4, rtol=0)
        assert max(w.weights) == pytest.approx(w.weights[7]), "no other is nearer to a patch than itself"
    w.sharpness = 0
    assert w.weights == pytest.approx([1 / 20] * 20)


def test_the_prediction_is_about_the_first_question_whatever_is_shown():
    w = photograph(predict=False)
    by_colour = w.weights
    w.assign(knows="place", asks=9, sharpness=1)
    w.prediction = {"choice": 0, "share": 0.2}
    marked = [by_colour[i] for i in (3, 7, 11, 18)]
    assert w.prediction["answer"] == marked.index(max(marked))
    assert w.prediction["actual"] == pytest.approx(max(marked), abs=1e-6)


def test_the_photograph_travels_as_a_small_jpeg():
    noisy = np.random.default_rng(0).integers(0, 256, (360, 360, 3), dtype=np.uint8)
    for photo, patch_size in ((noisy, 30), (picture(0, 480, 480), 40)):
        w = PhotoPatches(photo, patch_size, [1, 2], asks=0, alt="noise")
        start, data = w.content["photo"].split(",")
        assert start == "data:image/jpeg;base64"
        jpeg = base64.b64decode(data)
        assert len(jpeg) <= MOST_BYTES
        assert Image.open(io.BytesIO(jpeg)).size == photo.shape[1::-1]
        state = {name: value for name, value in w.get_state().items() if name not in ("_esm", "_css")}
        assert len(json.dumps(state)) < 70_000
    with pytest.raises(ValueError, match="photo: expected one that fits"):
        PhotoPatches(np.tile(noisy, (3, 3, 1)), 90, [1, 2], asks=0, alt="noise")


def test_bad_arguments_are_named():
    fine = {"photo": picture(2, 64, 80), "patch_size": 16, "candidates": [3, 7], "asks": 0, "alt": "noise"}
    for given, sentence in [
        ({"photo": [[0]]}, "photo: expected bytes of shape"),
        ({"photo": picture(2, 64, 80) / 255}, "photo: expected bytes of shape"),
        ({"patch_size": 15}, "patch_size: expected a divisor of 64 and 80"),
        ({"patch_size": "16"}, "patch_size: expected a whole number"),
        ({"candidates": [3]}, "candidates: expected 2 to 9 different patches from 0 to 19"),
        ({"candidates": [3, 3]}, "candidates: expected"),
        ({"candidates": [0, 3]}, "candidates: .* without the one that asks"),
        ({"candidates": [3, 20]}, "candidates: expected"),
        ({"candidates": [[3], 2]}, "candidates: expected"),
        ({"asks": 20}, "asks: expected a whole number from 0 to 19"),
        ({"sharpness": 65}, "sharpness: expected a number from 0 to 64"),
        ({"alt": ""}, "alt: expected"),
        ({"predict": 1}, "predict: expected True or False"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            PhotoPatches(**{**fine, **given})
    w = photograph()
    for name, value in (
        ("knows", "smell"),
        ("sharpness", -1),
        ("asks", -1),
        ("content", {}),
        ("weights", []),
    ):
        with pytest.raises(TraitError):
            setattr(w, name, value)


def shown_weights(page):
    """The table's cells, in shares."""
    return [int(text) / 1000 for text in page.locator(".ab-patch-numbers tbody td").all_inner_texts()]


@pytest.mark.browser
def test_a_patch_asks_by_pointer_and_by_keyboard(page_of):
    w = photograph(predict=False)
    page = page_of([w])
    page.locator("summary").click()
    box = page.locator(".ab-patch-map").bounding_box()
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    w.state = state_of(page, w.widget_id)
    assert w.asks == 5 + 3
    assert shown_weights(page) == pytest.approx(w.weights, abs=0.000501)
    page.locator(".ab-patch-map").focus()
    press(page, "Enter", "ArrowDown", "ArrowLeft", "ArrowDown", "ArrowDown")
    w.state = state_of(page, w.widget_id)
    assert w.asks == 15 + 2, "it stops at the border"
    assert "row 4, column 3" in page.locator(".ab-patch-map").get_attribute("aria-valuetext")
    press(page, "Enter", "ArrowRight")
    assert state_of(page, w.widget_id)["asks"] == 17, "let go, the arrows move on"
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_kinds_and_sharpness_and_the_five_most_attended(page_of):
    w = photograph(predict=False)
    page = page_of([w])
    page.get_by_role("radio", name="By edges").click()
    page.locator("input[type=range]:visible").fill("5")
    w.state = state_of(page, w.widget_id)
    assert (w.knows, w.sharpness) == ("edges", 5)
    assert page.get_by_role("radio", checked=True).all_inner_texts() == ["By edges"]
    listed = page.locator(".ab-pp-best tbody tr").all_inner_texts()
    best = _others(w.weights, 0)[:5]
    assert len(listed) == 6
    for row, patch in zip(listed, [0, *best], strict=True):
        assert f"row {patch // 5 + 1}, column {patch % 5 + 1}" in row
        assert f"{100 * w.weights[patch]:.1f} %" in row
    numbers = page.locator(".ab-pp-label:visible").all()
    assert [one.text_content() for one in numbers] == ["1", "2", "3", "4", "5"]
    assert spoken(page) == w.summary
    veils = [float(s.split(":")[1]) for s in page.eval_on_selector_all(
        ".ab-pp-veil", "all => all.map((one) => one.getAttribute('style'))")]  # fmt: skip
    assert veils[0] == 0, "the patch that asks weighs most, and is clear"
    assert veils.index(max(veils)) == w.weights.index(min(w.weights))


@pytest.mark.browser
def test_predict_first(page_of):
    w = photograph()
    page = page_of([w])
    labels = page.locator(".ab-pp-label:visible")
    assert labels.all_text_contents() == ["A", "B", "C", "D"]
    assert page.locator(".ab-pp-best").is_hidden()
    assert not re.search(r"\d %", page.locator(".ab-summary").inner_text())
    assert {style for style in page.eval_on_selector_all(
        ".ab-pp-veil", "all => all.map((one) => one.getAttribute('style'))")} == {"--w:0.000"}  # fmt: skip
    labels.nth(2).click()  # a marked patch is chosen by a click
    assert page.locator(".ab-predict select").input_value() == "2"
    settled(page)
    assert state_of(page, w.widget_id)["asks"] == 0
    page.get_by_role("button", name="Commit").click()
    state = state_of(page, w.widget_id)
    w.prediction = {"choice": 2, "share": 0.5}
    assert state["prediction"] == pytest.approx(w.prediction)
    assert state["score"] == w.score
    assert spoken(page) == w.summary
