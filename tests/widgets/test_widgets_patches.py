"""PatchExplorer: torch's numbers in the page, the reader's drawing read, pen by pointer and by keyboard."""

import json
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import focused, go_to, press, run_js, settled, spoken, state_of
from widget_examples import patches
from widget_page import JS

from attnbook import models
from attnbook.data.scenes import digit_images
from attnbook.widgets import PatchExplorer
from attnbook.widgets.patch_explorer import SIDE, counted

# Float32 sums in the page, float64 here: probabilities and weights are from 0 to 1.
BOUND = 1e-5

READ = f"""
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ visionTransformer }} from {(JS / "inference" / "vit.js").as_uri()!r};
const [path, pictures] = data;
const read = visionTransformer(readModel(new Uint8Array(readFileSync(path))));
console.log(JSON.stringify(pictures.map(read)));
"""
COUNT = f"""
import {{ counted, stroke, empty }} from {(JS / "mechanisms" / "drawing.js").as_uri()!r};
const [drawings, strokes, side] = data;
console.log(JSON.stringify([
  drawings.map((rows) => counted(rows, side)),
  strokes.map((places) => places.slice(1).reduce((rows, to, i) => stroke(rows, places[i], to), empty())),
]));
"""


def real_digits(count):
    """Digits of the test part, (count, 8, 8), ink from 0 to 16, and their labels."""
    pool = digit_images("test")
    return (pool.images[:count] * 16).round().int().tolist(), pool.labels[:count].tolist()


def test_the_page_reads_240_digits_as_torch_does(node, tmp_path):
    draw = torch.Generator().manual_seed(0)
    real, _ = real_digits(120)
    noise = torch.randint(0, 17, (120, 8, 8), generator=draw)
    pictures = torch.cat([torch.tensor(real), noise]).double() / 16
    path = str(models.FOLDER / "12_vit.safetensors")
    found = run_js(node, tmp_path, READ, [path, pictures.flatten(1).tolist()])
    model = models.load("12_vit").model.double().eval()
    with torch.no_grad():
        logits, weights = model(pictures[:, None], need_weights=True)
    for one, probabilities, attention in zip(found, logits.softmax(-1), weights, strict=True):
        apart = (torch.tensor(one["probabilities"], dtype=torch.float64) - probabilities).abs().max()
        assert apart <= BOUND
        apart = (torch.tensor(one["weights"], dtype=torch.float64) - attention).abs().max()
        assert apart <= BOUND


def random_drawings():
    """Nothing, everything, one point in each corner, and random points of every density."""
    draw = random.Random(0)
    yield [0] * SIDE
    yield [2**SIDE - 1] * SIDE
    for row in (0, SIDE - 1):
        for bit in (0, SIDE - 1):
            yield [1 << bit if y == row else 0 for y in range(SIDE)]
    for _ in range(60):
        rate, rows = draw.random() ** 3, draw.randint(1, SIDE)
        top = draw.randint(0, SIDE - rows)
        yield [
            sum((draw.random() < rate) << bit for bit in range(SIDE)) if top <= y < top + rows else 0
            for y in range(SIDE)
        ]


def test_page_and_kernel_count_a_drawing_alike(node, tmp_path):
    drawings = list(random_drawings())
    strokes = [[[4, 4], [28, 28]], [[-3, 16], [40, 16]], [[0.2, 31.7], [0.2, 31.7]]]
    made, drawn = run_js(node, tmp_path, COUNT, [drawings, strokes, 8])
    assert made == [counted(rows, 8) for rows in drawings]
    for rows in drawn:
        assert any(rows)
        assert all(0 <= row < 2**SIDE for row in rows)


def test_a_drawing_keeps_its_ink_and_stands_in_the_middle():
    for rows in random_drawings():
        picture = counted(rows, 8)
        assert sum(picture) == sum(bin(row).count("1") for row in rows)
        assert max(picture) <= 16
    corner = counted([15 << 28] * 4 + [0] * 28, 8)  # a square of 4 × 4 in the upper left corner
    assert sorted(i for i, ink in enumerate(corner) if ink) == [27, 28, 35, 36]
    assert corner[27] == corner[36] == 4


def test_numbers_are_the_models():
    w = patches(predict=False)
    model = models.load("12_vit").model.double().eval()
    with torch.no_grad():
        logits, weights = model(
            torch.tensor(w.picture, dtype=torch.float64)[None, None] / 16, need_weights=True
        )
    torch.testing.assert_close(
        torch.tensor(w.probabilities, dtype=torch.float64), logits[0].softmax(-1), atol=1e-6, rtol=0
    )
    assert w.view == "mean"
    torch.testing.assert_close(
        torch.tensor(w.weights, dtype=torch.float64), weights[0, 2].mean(0), atol=1e-6, rtol=0
    )
    w.assign(view="head", head=[0, 3])
    torch.testing.assert_close(
        torch.tensor(w.weights, dtype=torch.float64), weights[0, 0, 3], atol=1e-6, rtol=0
    )
    w.prediction = {"choice": 5, "share": 0.2}
    ofs = weights[0, 2].mean(0)[0, 1:]
    assert w.prediction["answer"] == int(ofs.argmax())
    assert w.prediction["actual"] == pytest.approx(float(ofs.max()), abs=1e-6)


def test_bad_arguments_are_named():
    blank = [[0] * 8] * 8
    for given, sentence in [
        ({"examples": []}, "examples: expected a list of pictures"),
        ({"examples": [[[0] * 7] * 8]}, r"examples\[0\]: expected a matrix of shape \(8, 8\)"),
        ({"examples": [[[0.5] * 8] * 8]}, r"examples\[0\]: expected whole numbers from 0 to 16"),
        ({"examples": [blank], "names": ["a", "b"]}, "names: expected 1 string"),
        ({"examples": [blank], "model": "99_none"}, "model: expected one of"),
        ({"examples": [blank], "model": "04_additive"}, "expected a vision_transformer"),
        ({"examples": [blank], "asks": 17}, "asks: expected a whole number from 0 to 16"),
        ({"examples": [blank], "head": [3, 0]}, "head: expected"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            PatchExplorer(**given)
    w = patches()
    for name, value in (("drawing", [0] * 31), ("drawing", [2**32] * 32), ("content", {}), ("models", [])):
        with pytest.raises(TraitError):
            setattr(w, name, value)


# How somebody draws ten digits with a mouse: strokes, each a list of places from 0 to 1, [right, down].
HAND = {
    0: [[(0.5, 0.06), (0.26, 0.2), (0.22, 0.6), (0.5, 0.94), (0.72, 0.8), (0.76, 0.4), (0.5, 0.06)]],
    1: [[(0.38, 0.25), (0.56, 0.06), (0.54, 0.95)]],
    2: [[(0.25, 0.25), (0.45, 0.06), (0.7, 0.2), (0.66, 0.45), (0.25, 0.92), (0.78, 0.92)]],
    3: [[(0.25, 0.15), (0.5, 0.06), (0.72, 0.22), (0.45, 0.46), (0.74, 0.68), (0.5, 0.94), (0.24, 0.85)]],
    4: [[(0.4, 0.06), (0.22, 0.55), (0.8, 0.55)], [(0.62, 0.3), (0.58, 0.95)]],
    5: [[(0.74, 0.08), (0.32, 0.08), (0.28, 0.45), (0.55, 0.4), (0.74, 0.62), (0.6, 0.9), (0.26, 0.92)]],
    6: [[(0.6, 0.06), (0.34, 0.35), (0.28, 0.7), (0.48, 0.94), (0.7, 0.76), (0.56, 0.54), (0.32, 0.66)]],
    7: [[(0.22, 0.08), (0.76, 0.08), (0.42, 0.95)], [(0.34, 0.5), (0.72, 0.5)]],
    8: [[(0.7, 0.18), (0.48, 0.06), (0.32, 0.24), (0.66, 0.66), (0.5, 0.94), (0.32, 0.74), (0.7, 0.18)]],
    9: [[(0.68, 0.3), (0.45, 0.42), (0.32, 0.24), (0.5, 0.06), (0.7, 0.24), (0.66, 0.6), (0.58, 0.95)]],
}  # fmt: skip


def drawn_by_hand(page, strokes):
    """Draw on an empty board with the pointer."""
    page.get_by_role("button", name="Empty board").click()
    box = page.locator(".ab-pe-pad").bounding_box()
    for places in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()
    return spoken(page)


@pytest.mark.browser
def test_digits_that_are_drawn_with_a_pointer_are_read(page_of):
    w = patches(predict=False)
    page = page_of([w])
    said = {digit: drawn_by_hand(page, strokes) for digit, strokes in HAND.items()}
    right = [digit for digit, sentence in said.items() if sentence.startswith(f"The model reads a {digit},")]
    assert len(right) >= 9, said
    # The kernel reads the last drawing as the page did.
    w.state = state_of(page, w.widget_id)
    assert w.summary == said[9]


@pytest.mark.browser
def test_the_pen_is_held_by_the_keyboard_alone(page_of):
    w = patches(predict=False)
    page = page_of([w])
    page.locator(".ab-pe-pad").focus()
    press(page, "Enter", "ArrowUp", "ArrowUp")
    settled(page)
    assert state_of(page, w.widget_id)["drawing"] is None, "the pen is up"
    press(page, " ", *["ArrowDown"] * 9)
    rows = state_of(page, w.widget_id)["drawing"]
    inked = [y for y, row in enumerate(rows) if row]
    assert inked[0] <= 12
    assert inked[-1] >= 29
    assert inked == list(range(inked[0], inked[-1] + 1)), "a stroke without gaps"
    assert "Pen down" in page.locator(".ab-pe-read").first.inner_text()
    before = rows
    press(page, " ", "ArrowRight", "ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["drawing"] == before, "lifted"
    go_to(page, "Empty board")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["drawing"] == [0] * SIDE
    assert spoken(page) == "Nothing is drawn yet."


@pytest.mark.browser
def test_a_patch_asks_and_the_table_holds_its_weights(page_of):
    w = patches(predict=False)
    page = page_of([w])
    page.locator(".ab-patch-map").focus()
    press(page, "Enter", "ArrowRight", "ArrowRight", "ArrowDown")
    w.state = state_of(page, w.widget_id)
    assert w.asks == 6
    page.locator("summary").click()
    cells = [float(text) for text in page.locator(".ab-patch-numbers tbody td").all_inner_texts()]
    patches_first = [*w.weights[6][1:], w.weights[6][0]]
    assert cells == [pytest.approx(100 * x, abs=0.0501) for x in patches_first]
    page.get_by_role("button", name="layer 1, head 2").click()
    w.state = state_of(page, w.widget_id)
    assert (w.head, w.view) == ([0, 1], "head")
    page.get_by_role("button", name="layer 2, mean of the heads").click()
    w.state = state_of(page, w.widget_id)
    assert (w.head[0], w.view) == (1, "mean")
    page.get_by_role("button", name="The class token asks").click()
    assert state_of(page, w.widget_id)["asks"] == 0
    assert focused(page) == "The class token asks"


@pytest.mark.browser
def test_predict_first_loads_the_model_when_it_is_touched(page_of):
    w = patches()
    page = page_of([w])
    loaded = "() => [...document.scripts].some((one) => one.src.includes('/models/'))"
    assert not page.evaluate(loaded), "a page that nobody touches costs nothing"
    assert page.locator(".ab-pe-label").all_text_contents() == ["?"] * 16
    page.locator(".ab-predict select").select_option("5")
    page.get_by_role("button", name="Commit").click()
    settled(page)
    assert page.evaluate(loaded)
    state = state_of(page, w.widget_id)
    w.state = {**w.state, "prediction": {"choice": 5, "share": 0.5}}
    assert state["prediction"]["answer"] == w.prediction["answer"]
    assert state["prediction"]["actual"] == pytest.approx(w.prediction["actual"], abs=BOUND)
    assert state["score"] == w.score
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_a_model_that_does_not_load_is_said_and_asked_for_again(page_of, tmp_path):
    w = patches(predict=False)
    page = page_of([patches()])
    file = tmp_path / "attnbook" / "models" / "12_vit.js"
    whole = file.read_text(encoding="utf-8")
    file.write_text("// cut off", encoding="utf-8")
    page.get_by_role("button", name="Skip", exact=True).click()
    settled(page)
    assert "The model did not load" in page.locator(".ab").inner_text()
    file.write_text(whole, encoding="utf-8")
    page.get_by_role("button", name="Predict again").click()
    settled(page)
    page.get_by_role("button", name="Skip", exact=True).click()
    assert spoken(page) == w.summary


def test_the_widget_weighs_little_in_a_notebook():
    w = patches()
    state = {name: value for name, value in w.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state)) < 8000, "the model does not travel with it"
