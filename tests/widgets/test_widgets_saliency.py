"""SaliencyScanpath: the same numbers as attnbook.nn.saliency, checks, prediction, keyboard, axe."""

import base64
import copy
import json
import re

import numpy as np
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
    tab_stops,
)
from widget_examples import picture, scanpath
from widget_page import JS

from attnbook.nn import saliency as nn_saliency
from attnbook.vision.metrics import auc, centred_gaussian
from attnbook.widgets import SaliencyScanpath
from attnbook.widgets.saliency_scanpath import third, unpack

SOURCE = (JS / "saliency_scanpath.js").as_uri()
PROGRAM = f"""
globalThis.BOOK = true;
const {{ compute, judge, sentence, unpack }} = await import({SOURCE!r});
"""


def random_pictures(count=14):
    """Noise, patches, a photograph, and one with pixels at the very edge of "dark", of all sizes."""
    from skimage import data

    draw = np.random.default_rng(0)
    for index in range(count):
        h, w = int(draw.integers(16, 97)), int(draw.integers(16, 129))
        if index == 0:
            yield data.coffee()
        elif index == 1:
            yield draw.integers(0, 256, (96, 128, 3)).astype(np.uint8)
        elif index == 2:
            # In a third of it, whole numbers whose sum is exactly a tenth of the brightest pixel's.
            dark = draw.integers(0, 200, (h, w, 3))
            dark[h // 3 : 2 * h // 3] = draw.multinomial(60, [1 / 3] * 3, (2 * h // 3 - h // 3, w))
            dark[5, 5] = 200
            yield dark.astype(np.uint8)
        elif index % 2:
            patches = draw.integers(0, 256, (h // 8 + 1, w // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
            yield patches[:h, :w].astype(np.uint8)
        else:
            yield draw.integers(0, 256, (h, w, 3)).astype(np.uint8)


def random_widgets():
    draw = np.random.default_rng(1)
    for index, image in enumerate(random_pictures()):
        w = scanpath(images={"it": image}, predict=False)
        w.assign(
            gains=draw.uniform(0, 3, 3).tolist(),
            delta=int(draw.integers(1, 5)),
            radius=float(draw.uniform(3, 20)),
            decay=float(draw.uniform(0, 1)),
            fixations=6,
            target=[None, "red things", "upright things"][index % 3],
        )
        yield w


def test_javascript_equals_torch(node, tmp_path):
    """Maps, saliency and looks of random pictures, gains, targets and surrounds."""
    made = list(random_widgets())
    program = (
        PROGRAM
        + """
console.log(JSON.stringify(data.map(([images, targets, state]) => {
  const { saliency, parts, path, picture } = compute(images.it, targets[state.target] || {}, state);
  return { saliency: [...saliency.a], path, rgb: [...picture.rgb], parts: parts.map(({ a }) => [...a]) };
})));
"""
    )
    out = run_js(node, tmp_path, program, [[w.images, w.targets, w.state] for w in made])
    worst = 0.0
    for w, js in zip(made, out, strict=True):
        assert js["rgb"] == w.pixels.flatten().tolist(), "both unpack the same bytes"
        target = w.targets.get(w.target, {})
        gains = [a * b for a, b in zip(w.gains, target.get("gains", (1, 1, 1)), strict=True)]
        image = torch.from_numpy(w.pixels).double() / 255
        match = 1 + 4 * nn_saliency.colour_match(image, target["colour"]) if "colour" in target else None
        found = nn_saliency.itti_koch(
            image,
            centres=(0, 1, 2),
            deltas=(w.delta, w.delta + 1),
            gains=gains,
            feature_gains=target.get("feature_gains"),
            top_down=match,
        )
        parts = [
            gain * nn_saliency.normalise_map(map_)
            for gain, map_ in zip(gains, found.conspicuity.values(), strict=True)
        ]
        for expected, ours in zip((found.saliency, *parts), (js["saliency"], *js["parts"]), strict=True):
            shown = torch.tensor(ours, dtype=torch.float64).view(expected.shape)
            torch.testing.assert_close(shown, expected, atol=1e-5, rtol=0)
            worst = max(worst, float((shown - expected).abs().max()))
        looks = nn_saliency.winner_take_all(found.saliency, 6, w.radius, w.decay).tolist()
        assert js["path"] == looks == w.scanpath
        assert np.abs(np.array(w.saliency) - found.saliency.numpy()).max() < 1e-6
    print(f"largest difference {worst:.1e}")


def test_sentences_and_predictions_are_the_kernels(node, tmp_path):
    made = [*random_widgets()]
    made += [scanpath(), scanpath(predict=False)]
    flat = scanpath(images={"grey": np.full((20, 30), 0.5)}, predict=False)
    assert flat.scanpath == []
    assert "nothing stands out" in flat.summary
    two = scanpath(predict=False, target="red things")
    made += [flat, two]
    places = [[[3, 4], [19, 11]], [[0, 0]], [[15, 15]]]
    program = (
        PROGRAM
        + """
const [widgets, [images, targets, state, all]] = data;
const judged = all.map((places) => judge(places, state, images, targets[state.target]));
console.log(JSON.stringify([widgets.map(([images, targets, state]) =>
  sentence(state, compute(images[state.image], targets[state.target] || {}, state))), judged]));
"""
    )
    out, judged = run_js(
        node,
        tmp_path,
        program,
        [[[w.images, w.targets, w.state] for w in made], [two.images, two.targets, two.state, places]],
    )
    assert out == [w.summary for w in made]
    for some, js in zip(places, judged, strict=True):
        two.prediction = {"places": some}
        assert js.pop("places") == some
        assert {name: two.prediction[name] for name in js} == pytest.approx(js, abs=1e-6)


def test_a_slider_recombines_what_is_kept(node, tmp_path):
    """Features stay for a picture and contrasts for a surround: a gain costs no filter."""
    w = scanpath(predict=False)
    program = (
        PROGRAM
        + """
const [packed, state] = data;
const first = compute(packed, {}, state);
const other = compute(packed, {}, { ...state, gains: [3, 0, 1], radius: 2 });
const same = first.saliency.a[99] === other.saliency.a[99];
console.log(JSON.stringify([first.pyramids === other.pyramids, same]));
"""
    )
    assert run_js(node, tmp_path, program, [w.images["one"], w.state]) == [True, False]


def test_prediction_is_scored_against_model_middle_and_other_pictures():
    w = scanpath()
    assert "hidden" in w.summary
    assert not w.revealed
    w.prediction = {"places": np.array(w.scanpath)[:2].tolist()}
    assert w.revealed
    assert w.prediction["found"] >= 2
    assert w.prediction["auc"] > 0.95, "the model's own looks are its highest places"
    assert w.score == pytest.approx(w.prediction["auc"], abs=0.005)
    assert w.prediction["centre"] == pytest.approx(
        auc(centred_gaussian(48, 64), torch.tensor(w.prediction["places"])), abs=1e-3
    )
    rest = scanpath(image="two", predict=False).scanpath
    assert w.prediction["others"] == pytest.approx(
        auc(torch.tensor(w.saliency), torch.tensor(rest)), abs=1e-4
    )
    low = np.unravel_index(np.argmin(w.saliency), (48, 64))
    w.prediction = {"places": [[int(i) for i in low]]}
    assert w.score < 0.05
    w.image = "two"
    assert (w.prediction, w.score, w.revealed) == (None, None, True)
    w.prediction = None
    assert not w.revealed
    alone = scanpath(images={"one": picture()})
    alone.prediction = {"places": [[1, 1]]}
    assert alone.prediction["others"] is None


def test_mirrors_follow_the_state():
    w = scanpath(predict=False)
    before = w.scanpath
    heard = []
    w.observe(lambda change: heard.append(change["name"]), ["saliency", "scanpath", "gains", "delta"])
    w.gains = [0, 3, 0]
    assert {"saliency", "gains"} <= set(heard)
    assert w.summary.startswith("On “one” the model looks first at the")
    assert "colour is the strongest channel" in w.summary
    w.set_state({"state": {**w.state, "gains": [1.0, 1.0, 1.0], "delta": 2}})
    assert w.delta == 2
    w.delta = 3
    assert w.scanpath == before
    w.fixations = 1
    assert w.scanpath == before[:1]
    w.assign(image="two", target="upright things", radius=3, decay=0)
    assert "looking for upright things" in w.summary


def test_a_target_moves_the_looks():
    w = scanpath(predict=False)
    red = np.argwhere((w.pixels[..., 0] > 180) & (w.pixels[..., 1] < 80)).mean(0)
    w.target = "red things"
    assert np.hypot(*(np.array(w.scanpath[0]) - red)) < 6, "the red disc comes first"
    w.target = "upright things"
    column = w.scanpath[0][1]
    assert abs(column - 17) < 7, "the upright bar comes first"


@pytest.mark.parametrize("shape", [(300, 451, 3), (96, 128, 3), (512, 512, 3), (500, 40), (17, 400, 3)])
def test_pictures_are_brought_to_size(shape):
    draw = np.random.default_rng(0)
    w = SaliencyScanpath({"it": draw.integers(0, 256, shape).astype(np.uint8)})
    h, width, _ = w.pixels.shape
    assert max(h, width) <= 128
    assert h * width <= 128 * 96
    assert h % 2 == width % 2 == 0
    assert h / width == pytest.approx(shape[0] / shape[1], rel=0.15) or min(h, width) == 16
    assert len(base64.b64decode(w.images["it"]["data"])) == h * width * 3 // 2


def test_packing_keeps_the_picture():
    from skimage import data

    photo = data.coffee()
    as_bytes, as_fractions = SaliencyScanpath({"a": photo}), SaliencyScanpath({"a": photo / 255})
    assert np.array_equal(as_bytes.pixels, as_fractions.pixels)
    small = torch.nn.functional.interpolate(
        torch.tensor(photo).permute(2, 0, 1)[None].double(),
        size=as_bytes.pixels.shape[:2],
        mode="bilinear",
        antialias=True,
    )[0].permute(1, 2, 0)
    off = (torch.from_numpy(as_bytes.pixels).double() - small).abs()
    assert off.mean() < 4, "half the resolution in colour, all of it in brightness"
    grey = SaliencyScanpath({"a": np.linspace(0, 1, 64 * 64).reshape(64, 64)})
    assert np.ptp(grey.pixels, axis=2).max() == 0
    assert np.array_equal(unpack(grey.images["a"]), grey.pixels)


def test_places_in_words():
    assert [third([r, c], 9, 9) for r, c in ((0, 0), (0, 4), (4, 4), (8, 8), (8, 0))] == [
        "upper left",
        "top",
        "middle",
        "lower right",
        "lower left",
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("image", "three", "image: expected one of"),
        ("target", "blue things", "target: expected one of"),
        ("gains", [1, 2], "gains: expected a vector of 3"),
        ("gains", [1, 2, 6], "gains: expected numbers from 0 to 5"),
        ("gains", [1, 2, float("nan")], "gains"),
        ("delta", 0, "delta: expected a whole number from 1 to 4"),
        ("delta", 2.5, "delta: expected a whole number"),
        ("radius", 0, "radius: expected a number from 1 to 128"),
        ("decay", 1.1, "decay: expected a number from 0 to 1"),
        ("fixations", 10, "fixations: expected a whole number from 1 to 9"),
        ("revealed", "yes", "revealed: expected True or False"),
        ("prediction", {"places": []}, "prediction places: expected a list of 1 to 9"),
        ("prediction", {"places": [[48, 0]]}, "row < 48"),
        ("prediction", {"places": [[0.5, 0]]}, r"prediction places\[0\]: expected"),
        ("prediction", [[0, 0]], "prediction: expected"),
        ("saliency", [[0]], "saliency: expected no assignment"),
        ("scanpath", [], "scanpath: expected no assignment"),
        ("score", 1, "score: expected no assignment"),
        ("images", {}, "images: expected no assignment"),
        ("targets", {}, "targets: expected no assignment"),
    ],
)
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = scanpath()
    before = copy.deepcopy((w.state, w.summary, w.scanpath, w.images, w.targets))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.summary, w.scanpath, w.images, w.targets) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": {}}, "images: expected a dict"),
        ({"images": [picture()]}, "images: expected a dict"),
        ({"images": {"a": picture()[:8]}}, "at least 16 × 16"),
        ({"images": {"a": picture()[..., :2]}}, "expected a picture of shape"),
        ({"images": {"a": picture() * 2.0}}, "fractions from 0 to 1"),
        ({"images": {" ": picture()}}, "images: expected a list of non-empty strings"),
        ({"image": "three"}, "image: expected one of"),
        ({"targets": {"x": {}}}, "expected a dict with some of"),
        ({"targets": {"x": {"size": 3}}}, "expected a dict with some of"),
        ({"targets": {"x": {"gains": [1, 2]}}}, "gains: expected a vector of 3"),
        ({"targets": {"x": {"feature_gains": {"60°": 2}}}}, "feature_gains: expected names among"),
        ({"targets": {"x": {"colour": [2, 0, 0]}}}, "colour: expected a number from 0 to 1"),
        ({"target": "x"}, "target: expected one of"),
        ({"fixations": 0}, "fixations: expected a whole number"),
        ({"predict": 1}, "predict: expected True or False"),
    ],
)
def test_the_constructor_names_what_is_wrong(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        scanpath(**options)


def test_the_stand_in_is_small():
    from skimage import data

    for image in (data.coffee(), data.astronaut()):
        output, metadata = SaliencyScanpath({"photo": image}, predict=False)._repr_mimebundle_()
        assert len(output["image/png"]) < 60_000
        assert output["text/plain"].startswith("SaliencyScanpath: On “photo” the model looks first at")
        assert metadata["image/png"]["alt"] in output["text/plain"]


def test_three_photographs_weigh_little():
    from skimage import data

    w = SaliencyScanpath({"a": data.coffee(), "b": data.chelsea(), "c": data.astronaut()})
    assert len(json.dumps({k: v for k, v in w.get_state().items() if k not in ("_esm", "_css")})) < 80_000


# --- In the page -----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_hidden_until_the_reader_commits(page_of):
    w = scanpath()
    page = page_of([w])
    assert page.locator("figcaption:text-is('saliency map')").is_hidden()
    assert page.locator(".ab-gaze").count() == 0
    assert page.get_by_role("button", name="Commit").is_disabled()
    box = page.locator(".ab-photo").bounding_box()
    for row, column in ((10, 20), (30, 50), (40, 60), (1, 1)):
        page.mouse.click(
            box["x"] + box["width"] * (column + 0.5) / 64, box["y"] + box["height"] * (row + 0.5) / 48
        )
        painted(page)
    assert page.locator(".ab-mine").count() == 3, "no more than the model's looks"
    assert "All are placed" in page.locator(".ab > .ab-note").inner_text()
    page.get_by_role("button", name="Take back").click()
    painted(page)
    page.get_by_role("button", name="Commit").click()
    painted(page)
    state = state_of(page, w.widget_id)
    assert state["prediction"]["places"] == [[10, 20], [30, 50]]
    w.prediction = {"places": [[10, 20], [30, 50]]}
    assert w.state == state, "page and kernel judge alike"
    verdict = page.locator(".ab-predict").inner_text()
    assert f"score {w.score:.2f}" in verdict
    assert "middle of a picture ranks them" in verdict
    assert "other pictures" in verdict
    assert spoken(page) == w.summary
    assert page.locator(".ab-gaze text").all_text_contents() == ["1", "2", "3"]
    assert page.locator(".ab-mine text").all_text_contents() == ["a", "b"]
    rows = page.locator(".ab-channels + table tbody tr").all()
    for (row, column), tr in zip(w.scanpath, rows, strict=True):
        cells = tr.locator("td").all_inner_texts()
        assert cells[0] == f"{third([row, column], 64, 48)} (row {row}, column {column})"
        assert float(cells[1]) == pytest.approx(w.saliency[row][column], abs=0.0051)
        name, *numbers = re.findall(r"[\w.]+", cells[2])
        parts = [
            float(nn_saliency.normalise_map(map_)[row // 4, column // 4])
            for map_ in w.compute().conspicuity.values()
        ]
        assert [float(x) for x in numbers] == pytest.approx(parts, abs=0.0051)
        assert name == ("intensity", "colour", "orientation")[int(np.argmax(parts))]


@pytest.mark.browser
def test_the_notebooks_module_draws_the_same(page_of):
    w = scanpath(predict=False)
    page = page_of([w])
    draw_from_notebook(page, w)
    painted(page)
    tables = page.locator(".ab-channels + table")
    assert tables.nth(1).inner_text() == tables.nth(0).inner_text()
    assert spoken(page, 1) == w.summary


@pytest.mark.browser
def test_skip_and_predict_again(page_of):
    w = scanpath()
    page = page_of([w])
    page.get_by_role("button", name="Skip").click()
    painted(page)
    assert state_of(page, w.widget_id)["revealed"]
    assert page.locator(".ab-predict p[role=status]").inner_text() == ""
    assert focused(page) == "Predict again"
    page.get_by_role("button", name="Predict again").click()
    painted(page)
    assert page.locator(".ab-gaze").count() == 0
    assert focused(page) == "Aim with keys"


@pytest.mark.browser
def test_keyboard_alone(page_of):
    w = scanpath()
    page = page_of([w], before='<button id="before">b</button>', after='<button id="after">a</button>')
    page.locator("#before").focus()
    press(page, "Tab", "Enter")
    assert focused(page).startswith("crosshair")
    assert page.locator(".ab-cross").count() == 1
    press(page, "ArrowUp", "ArrowUp", "ArrowRight", "Enter")
    assert page.locator(".ab > .ab-note").inner_text() == "Place 1: middle."
    press(page, "ArrowDown", "Enter", "Backspace", "Escape")
    assert focused(page) == "Aim with keys"
    assert page.locator(".ab-cross").count() == 0
    go_to(page, "Commit")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["prediction"]["places"] == [[18, 35]]
    go_to(page, "onetwo")  # the list of photographs
    press(page, "Enter", "ArrowDown", "Enter")
    assert state_of(page, w.widget_id)["image"] == "two"
    for _ in range(40):
        if page.evaluate("document.activeElement.closest('label')?.textContent.startsWith('gain')"):
            break
        press(page, "ArrowRight")
    press(page, "Enter", "ArrowRight", "ArrowRight", "Enter")
    assert state_of(page, w.widget_id)["gains"] == [1.2, 1, 1]
    press(page, "r")
    assert state_of(page, w.widget_id) == w.state
    press(page, "End", "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop"


@pytest.mark.browser
def test_sliders_and_targets_change_what_is_seen(page_of):
    w = scanpath(predict=False)
    page = page_of([w])
    for label, value, patch in (
        ("gain", "0", {"gains": [0, 1, 1]}),
        ("surround", "2", {"delta": 2}),
        ("inhibited radius", "4", {"radius": 4}),
        ("inhibition left", "0.5", {"decay": 0.5}),
        ("looks", "6", {"fixations": 6}),
    ):
        page.get_by_label(label).first.fill(value)
        painted(page)
        w.assign(**patch)
        assert state_of(page, w.widget_id) == w.state
        assert spoken(page) == w.summary
    page.get_by_label("looking for").select_option("red things")
    painted(page)
    w.target = "red things"
    assert spoken(page) == w.summary
    open_all(page)
    painted(page)
    shown = page.locator("details table td").all_inner_texts()
    most = {}
    for r, row in enumerate(w.saliency):
        for c, v in enumerate(row):
            most[third([r, c], 64, 48)] = max(v, most.get(third([r, c], 64, 48), 0))
    assert {one.split(": ")[0]: float(one.split(": ")[1]) for one in shown} == pytest.approx(most, abs=0.0051)
    drawn = page.evaluate(
        """() => { const map = document.querySelector('.ab-photos figure:nth-child(2) canvas');
             const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
             return [...data].filter((_, i) => i % 4 === 0); }"""
    )
    expected = np.array(w.saliency) / np.max(w.saliency) * 255
    assert np.abs(np.array(drawn).reshape(48, 64) - expected).max() <= 1


@pytest.mark.browser
def test_one_tab_stop_and_no_motion(page_of):
    page = page_of([scanpath(predict=False)], reduced_motion="reduce")
    open_all(page)
    settled(page)
    assert page.evaluate("document.getAnimations().length") == 0
    assert tab_stops(page) == [1]


@pytest.mark.browser
def test_a_shared_link_and_a_corrupt_one(page_of):
    w = scanpath()
    state = {**w.state, "image": "two", "gains": [0, 2, 1], "delta": 2, "revealed": True}
    page = page_of([w], fragment=f"#{w.widget_id}={link(state)}")
    assert state_of(page, w.widget_id) == state
    for broken in (
        {**state, "image": "toString"},
        {**state, "target": "blue things"},
        {**state, "gains": [1, 2]},
        {**state, "delta": 9},
        {**state, "prediction": {"places": [[99, 0]]}},
        {"version": 1},
    ):
        page = page_of([w], fragment=f"#{w.widget_id}={link(broken)}")
        assert "cannot be read" in page.locator(".ab > .ab-note").inner_text()
        assert state_of(page, w.widget_id) == w.state
