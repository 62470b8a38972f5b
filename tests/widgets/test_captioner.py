"""Captioner: the words and weights of torch, a scene that is dragged, looks that are forced or drawn."""

import copy
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import focused, go_to, link, painted, press, run_js, settled, spoken, state_of
from widget_examples import scene
from widget_page import JS

from attnbook import models
from attnbook.data import scenes
from attnbook.widgets import Captioner
from attnbook.widgets.captioner import CELLS, MOST_WORDS, SIDE, inside

SCENE = (JS / "mechanisms" / "scene.js").as_uri()
WRITE = f"""
globalThis.BOOK = true;
const {{ readModel }} = await import({(JS / "inference" / "safetensors.js").as_uri()!r});
const {{ captioner }} = await import({(JS / "inference" / "captioner.js").as_uri()!r});
const {{ askedOf, sentence, write }} = await import({(JS / "captioner.js").as_uri()!r});
const {{ imagesOf, inside, sceneOf }} = await import({SCENE!r});
const [path, digits, states] = data;
const run = captioner(readModel(new Uint8Array(readFileSync(path))));
const images = imagesOf(digits);
console.log(JSON.stringify(states.map((state) => {{
  const steps = write(run(sceneOf(images, state.pair, state.corners)), state);
  return {{ steps, sentence: sentence(state, steps), share: inside(askedOf(steps), [5, 7]) }};
}})));
"""


def random_states(w, count=240, seed=0):
    """Scenes of all kinds: right ones and overlapping ones, soft and drawn looks, free and forced."""
    draw = random.Random(seed)
    for index in range(count):
        corners = [[draw.randint(0, 16), draw.randint(0, 16)] for _ in range(2)]
        forced = [[draw.randint(0, 5), draw.randrange(CELLS**2)] for _ in range(draw.randint(1, 3))]
        yield {
            **w.state,
            "pair": [draw.randrange(8), draw.randrange(8)],
            "corners": corners,
            "mode": "hard" if index % 3 == 2 else "soft",
            "seed": draw.randint(0, 999),
            "forced": forced if index % 4 == 3 else [],
            "word": draw.randint(0, MOST_WORDS - 1),
            "revealed": True,
        }


def test_javascript_writes_what_torch_writes(node, tmp_path):
    """240 random scenes: the same words, weights and probabilities within 1e-4, the same sentence."""
    w = scene(predict=False)
    states = list(random_states(w))
    path = str(models.FOLDER / "06_captioner.safetensors")
    found = run_js(node, tmp_path, WRITE, [path, w.digits, states])
    for state, js in zip(states, found, strict=True):
        w.state = state
        steps = w._numbers(w.state)
        assert [step["word"] for step in js["steps"]] == w.caption == [word for word, *_ in steps]
        for step, (_, share, weights, place) in zip(js["steps"], steps, strict=True):
            torch.testing.assert_close(
                torch.tensor(step["weights"]), torch.tensor(weights), atol=1e-4, rtol=0
            )
            assert step["share"] == pytest.approx(share, abs=1e-4)
            assert step["place"] == place
        if len(steps) > 1:
            assert js["share"] == pytest.approx(inside(steps[1][2], [5, 7]), abs=1e-3)
        assert js["sentence"] == w.summary


def test_the_widget_writes_what_the_model_writes():
    trained = models.load("06_captioner")
    words = trained.vocabularies["caption"]
    w = scene(predict=False)
    for state in list(random_states(w, 12)):
        w.state = {**state, "mode": "soft", "forced": []}
        image = torch.from_numpy(w.image)[None, None]
        [numbers], weights = trained.model.caption(image, words.bos, words.eos, MOST_WORDS)
        assert w.caption == [words.words[number] for number in numbers]
        torch.testing.assert_close(torch.tensor(w.weights), weights[0, : len(numbers)], atol=1e-5, rtol=1e-5)


def test_captions_and_scenes_are_those_of_the_data(node, tmp_path):
    """The right caption by scenes.relation, and the picture by scenes.compose."""
    w = scene(predict=False)
    pool = scenes.digit_images("test")
    draw = random.Random(1)
    cases = [[[draw.randint(0, 16) for _ in range(2)] for _ in range(2)] for _ in range(200)]
    program = f"""
const {{ imagesOf, rightCaption, sceneOf, onDigit }} = await import({SCENE!r});
const [digits, labels, cases] = data;
const images = imagesOf(digits);
console.log(JSON.stringify(cases.map((corners) => [
  rightCaption([labels[0], labels[1]], corners),
  [...sceneOf(images, [0, 1], corners).data],
  onDigit(Array(144).fill(1 / 144), corners[0]),
])));
"""
    plain = 0
    for corners, (caption, image, area) in zip(
        cases, run_js(node, tmp_path, program, [w.digits, w.labels, cases]), strict=True
    ):
        assert area == pytest.approx(1 / 9)
        if scenes.relation(*corners) is None:
            assert caption is None
            continue
        plain += 1
        wanted = scenes.compose(pool, (0, 1), corners)
        assert tuple(caption) == wanted.caption
        torch.testing.assert_close(torch.tensor(image).view(24, 24), wanted.image, atol=2 / 255, rtol=0)
        w.assign(pair=[0, 1], corners=corners)
        torch.testing.assert_close(torch.from_numpy(w.image), torch.tensor(image).view(24, 24))
    assert plain > 80


def test_the_model_is_right_about_its_scenes_and_may_be_led_elsewhere():
    """What the widget lets a reader see is there to be seen: captions, and what a forced look changes."""
    w = scene(predict=False)
    right = led = 0
    found = scenes.scenes(60, 4, "test")
    pool = scenes.digit_images("test")
    numbers = {int(source): index for index, source in enumerate(pool.sources)}
    for each in found:
        chosen = [numbers[source] for source in each.sources]
        one = Captioner(pool.images[chosen], [scenes.DIGITS[digit] for digit in each.digits], predict=False)
        one.corners = [[box.row, box.column] for box in each.boxes]
        right += one.caption == list(each.caption)
        other = each.boxes[1]
        one.forced = [[1, CELLS * ((other.row + SIDE // 2) // 2) + (other.column + SIDE // 2) // 2]]
        led += len(one.caption) > 1 and one.caption[1] == scenes.DIGITS[each.digits[1]]
    assert right >= 50
    assert led >= 45
    assert w.caption


def test_mirrors_follow_the_state():
    w = scene()
    assert "hidden" in w.summary
    assert w.caption[:1] == ["a"]
    w.prediction = {"place": [5, 7]}
    assert w.revealed
    assert w.score == pytest.approx(w.prediction["share"], abs=0.005)
    assert w.prediction["share"] == pytest.approx(inside(w.weights[1], [5, 7]), abs=1e-6)
    w.forced = [[1, 100]]
    assert sum(w.weights[1][i] for i in (87, 88, 89, 99, 100, 101, 111, 112, 113)) == pytest.approx(
        1, abs=1e-5
    )
    w.corners = [[0, 0], [16, 16]]
    assert (w.prediction, w.forced, w.revealed) == (None, [], True), "another scene, another question"
    w.mode = "hard"
    first = w.weights
    w.seed = 5
    assert "draws" in w.summary
    assert w.weights[0] == first[0], "the first look depends on no draw"
    assert w.weights[1] != first[1]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("pair", [0, 8], r"pair\[1\]: expected a whole number from 0 to 7"),
        ("pair", [0], "pair: expected a list of 2"),
        ("corners", [[0, 0], [17, 0]], r"corners\[1\]: expected \[row < 17, column < 17\]"),
        ("mode", "gentle", "mode: expected one of 'soft', 'hard'"),
        ("seed", -1, "seed: expected a whole number from 0 to 999"),
        ("forced", [[0, 144]], r"forced\[0\]: expected \[word < 8, place < 144\]"),
        ("word", 8, "word: expected a whole number from 0 to 7"),
        ("prediction", {"place": [24, 0]}, "prediction place: expected"),
        ("prediction", {"choice": 1}, 'prediction: expected {"place"'),
        ("caption", ["a"], "caption: expected no assignment"),
        ("digits", "", "digits: expected no assignment"),
        ("labels", [], "labels: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = scene()
    before = copy.deepcopy((w.state, w.summary))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.summary) == before


@pytest.mark.parametrize(
    ("digits", "labels", "options", "sentence"),
    [
        (torch.zeros(3, 8, 7), ["a"] * 3, {}, "digits: expected 2 to 40 images of 8 × 8, got shape"),
        (torch.full((2, 8, 8), 2.0), ["a"] * 2, {}, "digits: expected ink from 0 to 1, got 2 to 2"),
        (torch.zeros(2, 8, 8), ["a"], {}, "labels: expected 2 strings, got 1"),
        (torch.zeros(2, 8, 8), ["a", "b"], {"model": "99"}, "models: expected names among"),
        (torch.zeros(2, 8, 8), ["a", "b"], {"mode": "x"}, "mode: expected one of"),
    ],
)
def test_a_bad_option_is_named(digits, labels, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Captioner(digits, labels, **options)


def test_the_stand_in_tells_nothing_before_the_guess():
    w = scene()
    data, metadata = w._repr_mimebundle_()
    assert len(data["image/png"]) < 60_000
    for text in (data["text/plain"], metadata["image/png"]["alt"]):
        assert not set(w.caption[1:2]) & set(text.split())


# --- In the page -----------------------------------------------------------------------------------------


def written(page):
    return page.get_by_role("group", name="caption: choose a word").locator("button").all_inner_texts()


@pytest.mark.browser
def test_a_guess_then_a_forced_look_then_a_dragged_digit(page_of):
    w = scene()
    page = page_of([w])
    assert page.locator("script[src*=models]").count() == 0, "nothing is loaded before a reader asks"

    def at(row, column):
        box = page.locator(".ab-scene").bounding_box()
        return box["x"] + column * box["width"] / 24, box["y"] + row * box["width"] / 24

    page.mouse.click(*at(5.5, 7.5))
    page.get_by_role("button", name="Commit").click()
    state = state_of(page, w.widget_id)
    w.state = state
    assert state["prediction"]["place"] == [5, 7]
    assert state["score"] == w.score > 0
    assert written(page) == w.caption
    assert spoken(page) == w.summary
    assert (
        f"held {round(100 * w.prediction['share'])} %"
        in page.locator(".ab-predict p[role=status]").inner_text()
    )
    # a look at the other digit
    row, column = w.state["corners"][1]
    page.mouse.click(*at(row + 4.5, column + 4.5))
    page.get_by_role("button", name="look at the cross").click()
    w.state = state_of(page, w.widget_id)
    assert w.forced == [[1, CELLS * ((row + 4) // 2) + (column + 4) // 2]]
    assert written(page) == w.caption
    page.get_by_role("button", name="Let it look").click()
    # by pointer, then by keyboard
    top, left = w.state["corners"][0]
    page.mouse.move(*at(top + 4.5, left + 4.5))
    page.mouse.down()
    page.mouse.move(*at(top + 5.5, left + 6.5), steps=3)
    page.mouse.up()
    w.state = state_of(page, w.widget_id)
    assert w.corners[0] == [top + 1, left + 2]
    assert (w.forced, w.prediction) == ([], None)
    assert written(page) == w.caption
    page.get_by_role("radio", name="Hard").click()
    page.get_by_role("button", name="Draw again").click()
    w.state = state_of(page, w.widget_id)
    assert (w.mode, w.seed) == ("hard", 1)
    assert written(page) == w.caption
    rows = page.locator(".ab-looks tbody tr").all_inner_texts()
    assert all("drawn" in row for row in rows)
    assert len(rows) == len(w.caption)


@pytest.mark.browser
def test_by_keyboard_alone(page_of):
    w = scene(predict=False)
    page = page_of([w], before='<button id="before">b</button>')
    page.locator("#before").focus()
    press(page, "Tab")
    go_to(page, f"{w.labels[0]}, arrows move it")
    press(page, "Enter", "ArrowDown", "ArrowRight", "ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["corners"][0] == [3, 6]
    go_to(page, "cross")
    press(page, "Enter", "ArrowUp", "ArrowLeft", "Enter")
    go_to(page, "word 1")
    press(page, "Enter")
    assert focused(page).startswith("word 1"), "the focus stays"
    go_to(page, "For “a”: look at the cross")
    press(page, "Enter")
    w.state = state_of(page, w.widget_id)
    assert w.forced == [[0, CELLS * 5 + 5]]
    assert written(page) == w.caption


@pytest.mark.browser
def test_a_link_and_a_model_that_is_missing(page_of, tmp_path):
    w = scene()
    state = {**w.state, "revealed": True, "word": 4, "corners": [[1, 1], [3, 14]]}
    page = page_of([w], fragment=f"#{w.widget_id}={link(state)}")
    settled(page)
    w.state = state
    assert written(page) == w.caption
    assert spoken(page) == w.summary
    page.close()
    (tmp_path / "attnbook" / "models" / "06_captioner.js").write_text("// cut off", encoding="utf-8")
    options = {"path": tmp_path / "page.html"}
    page = page_of([w], **options)
    page.get_by_role("button", name="Skip", exact=True).click()
    painted(page)
    settled(page)
    assert "The trained model is not here" in page.locator(".ab-note[role=status]").first.inner_text()
