"""DrawStepper: the numbers of attnbook.nn in both languages, what a hand and keys do, the prediction."""

import pytest
import torch
from traitlets import TraitError
from widget_driver import go_to, painted, press, run_js, settled, spoken, state_of
from widget_examples import INK, drawer, drawing
from widget_page import JS

nn = pytest.importorskip("attnbook.nn")

DRAW = (JS / "mechanisms" / "draw.js").as_uri()
STEPPER = (JS / "draw_stepper.js").as_uri()


def float64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def test_javascript_reads_and_writes_as_the_filter_bank_does(node, tmp_path):
    draw = torch.Generator().manual_seed(0)
    cases = []
    for n, height, width in ((2, 7, 9), (5, 20, 20), (3, 12, 6), (5, 5, 28)):
        for _ in range(12):
            centre = torch.rand(2, generator=draw) * torch.tensor([3.0 * width, 3.0 * height]) - width
            rest = torch.exp(torch.randn(3, generator=draw))
            cases.append(
                {
                    "n": n,
                    "window": [*centre.tolist(), *rest.tolist()],
                    "picture": torch.rand(height, width, generator=draw).tolist(),
                    "patch": torch.randn(n, n, generator=draw).tolist(),
                }
            )
    program = f"""
import {{ nats, read, write }} from {DRAW!r};
console.log(JSON.stringify(data.map(({{ n, window, picture, patch }}) => {{
  const drawn = write(patch, window, picture.length, picture[0].length);
  return [read(picture, window, n), drawn, nats(drawn, picture)];
}})));
"""
    for case, (seen, drawn, cost) in zip(cases, run_js(node, tmp_path, program, cases), strict=True):
        picture, patch, window = (float64([case[name]]) for name in ("picture", "patch", "window"))
        bank = nn.FilterBank(case["n"], *picture.shape[1:])
        written = bank.write(patch, window)
        torch.testing.assert_close(float64([seen]), bank.read(picture, window), atol=1e-5, rtol=1e-9)
        torch.testing.assert_close(float64([drawn]), written, atol=1e-5, rtol=1e-9)
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(written, picture, reduction="sum")
        assert cost == pytest.approx(wrong.item(), rel=1e-6)


def test_every_step_is_the_models(node, tmp_path):
    """Canvases of the page and of the kernel, against the model's own."""
    w = drawing(predict=False)
    model, pictures = drawer(), INK
    batch = torch.stack([float64(one) for one in pictures.values()])
    made = model.double()(batch, torch.zeros(len(batch), model.steps, model.latent, dtype=torch.float64))
    states = []
    for name in pictures:
        for step in range(1, model.steps + 1):
            w.assign(picture=name, step=step)
            states.append(dict(w.state))
    program = f"""
globalThis.BOOK = true;
const {{ see }} = await import({STEPPER!r});
const [drawings, states] = data;
console.log(JSON.stringify(states.map((state) => {{
  const {{ canvas, glimpse, nats }} = see(state, drawings);
  return {{ canvas, glimpse, nats }};
}})));
"""
    answers = run_js(node, tmp_path, program, [w.drawings, states])
    for state, js in zip(states, answers, strict=True):
        k, t = list(pictures).index(state["picture"]), state["step"] - 1
        canvas = made.canvases[k, t].detach()
        seen = model.reader.read(batch[k : k + 1], made.read[k, t : t + 1])[0].detach()
        w.state = state
        torch.testing.assert_close(float64(js["canvas"]), canvas, atol=1e-5, rtol=0)
        torch.testing.assert_close(float64(w.canvas), canvas.sigmoid(), atol=1e-5, rtol=0)
        for glimpse in (js["glimpse"], w.glimpse):
            torch.testing.assert_close(float64(glimpse), seen, atol=1e-5, rtol=0)
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(canvas, batch[k], reduction="sum")
        assert w.nats == pytest.approx(wrong.item(), rel=1e-5)
        assert js["nats"] == pytest.approx(wrong.item(), rel=1e-5)


@pytest.mark.parametrize("end", ["read", "write"])
def test_a_window_of_the_readers_stands_for_one_step(node, tmp_path, end):
    w = drawing(predict=False)
    w.assign(step=3, end=end)
    models = (w.canvas, w.glimpse)
    w.window = [2.5, 6, 1.2, 0.4]
    mine = (w.canvas, w.glimpse)
    changed = [a != b for a, b in zip(models, mine, strict=True)]
    assert changed == [end == "write", end == "read"]
    program = f"""
globalThis.BOOK = true;
const {{ see, sentence }} = await import({STEPPER!r});
const [drawings, state] = data;
const {{ canvas, glimpse }} = see(state, drawings);
console.log(JSON.stringify([canvas, glimpse, sentence(state, drawings)]));
"""
    canvas, glimpse, said = run_js(node, tmp_path, program, [w.drawings, w.state])
    torch.testing.assert_close(float64(canvas).sigmoid(), float64(w.canvas), atol=1e-5, rtol=0)
    torch.testing.assert_close(float64(glimpse), float64(w.glimpse), atol=1e-5, rtol=0)
    assert said == w.summary
    assert f"The window that {end}s is yours." in said
    # by hand: the patch of step 3 through the reader's window, on the canvas of step 2
    w.window = None
    w.step = 2
    before = torch.logit(float64(w.canvas))
    w.assign(step=3, window=[2.5, 6, 1.2, 0.4])
    if end == "write":
        patches = []
        model = drawer().double()
        hook = model.patch.register_forward_hook(lambda layer, given, out: patches.append(out))
        made = model(float64([INK["one"]]), torch.zeros(1, 4, 3, dtype=torch.float64))
        hook.remove()
        window = torch.cat([float64([w.window]), made.write[:, 2, 4:]], dim=-1)
        wanted = before + model.writer.write(patches[2].unflatten(-1, (3, 3)), window)[0]
        torch.testing.assert_close(float64(w.canvas), wanted.detach().sigmoid(), atol=1e-4, rtol=0)


def test_a_prediction_is_the_distance_in_pixels():
    w = drawing()
    assert w.score is None
    answer = drawer().double()(float64([INK["one"]]), torch.zeros(1, 4, 3, dtype=torch.float64)).write[0, 1]
    w.prediction = {"x": 2, "y": 5}
    off = (answer[:2] - float64([2, 5])).norm().item()
    assert w.prediction["off"] == pytest.approx(off, rel=1e-5)
    assert w.score == pytest.approx(max(0, 1 - off / 5.5), abs=0.006)
    assert w.revealed
    w.picture = "two"
    assert w.prediction is None
    assert w.revealed


def test_steps_from_the_asked_one_on_are_not_told_before_the_guess():
    w = drawing(ask=3)
    w.step = 4
    hidden = (w.canvas, w.summary)
    w.step = 2
    assert (w.canvas, w.summary) == hidden
    assert "row" not in w.summary
    w.step = 4
    w.revealed = True
    assert w.canvas != hidden[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": 3}, "model: expected an attnbook.nn.DRAW"),
        ({"model": nn.DRAW(8, 11, write_size=None)}, "model: expected windows"),
        ({"model": nn.DRAW(8, 11, steps=1)}, "model: expected windows"),
        ({"model": nn.DRAW(41, 8)}, "model: expected pictures of at most 40"),
        ({"pictures": {}}, "pictures: expected a dict"),
        ({"pictures": {"a": [[0, 1]]}}, "pictures\\['a'\\]: expected a matrix"),
        ({"pictures": {"a": torch.full((8, 11), 0.5)}}, "pictures\\['a'\\]: expected pixels"),
        ({"ask": 1}, "ask: expected a step from 2 to 4"),
        ({"ask": 5}, "ask: expected a step from 2 to 4"),
        ({"picture": "none"}, "picture: expected"),
        ({"noise": [[0, 0]]}, "noise: expected"),
    ],
)
def test_a_wrong_argument_gets_one_sentence(options, says):
    with pytest.raises(ValueError, match=says):
        drawing(**options)


def test_the_drawings_cannot_be_replaced():
    w = drawing()
    with pytest.raises(TraitError, match="make a new widget"):
        w.drawings = {}


@pytest.mark.browser
def test_the_keys_place_a_cross_and_commit(page_of):
    w = drawing()
    page = page_of([w])
    page.locator(".ab [data-stop]:visible").first.focus()
    go_to(page, "your guess")
    press(page, "Enter", "ArrowLeft", "ArrowUp", "ArrowUp", "Enter")
    go_to(page, "Commit", "ArrowLeft")
    press(page, "Enter")
    state = state_of(page, w.widget_id)
    assert (state["prediction"]["x"], state["prediction"]["y"]) == (4.5, 2.5)
    assert state["step"] == 2
    w.state = state
    assert w.score == state["score"]
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_a_hand_drags_the_window(page_of):
    w = drawing(predict=False)
    page = page_of([w])
    box = page.locator(".ab-sheet20").nth(1).bounding_box()
    unit = box["width"] / 11
    handle = page.locator(".ab-sheet20").nth(1).locator("[aria-label^='centre'] .ab-hit").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 3.5 * unit, box["y"] + 6.5 * unit, steps=4)
    page.mouse.up()
    state = state_of(page, w.widget_id)
    assert state["window"][:2] == pytest.approx([3, 6], abs=0.15)
    w.state = state
    assert spoken(page) == w.summary
    page.get_by_role("button", name="The model's window").click()
    assert state_of(page, w.widget_id)["window"] is None


@pytest.mark.browser
def test_sliders_keys_and_the_table_follow(page_of):
    w = drawing(predict=False)
    page = page_of([w])
    page.locator(".ab [data-stop]:visible").first.focus()
    go_to(page, "centre of the window")
    before = w._numbers(w.state)["windows"]["write"]
    press(page, "Enter", "ArrowRight", "ArrowRight", "ArrowDown", "Enter")
    state = state_of(page, w.widget_id)
    expected = [min(10, max(0, before[0] + 1)), min(7, max(0, before[1] + 0.5))]
    assert state["window"][:2] == pytest.approx(expected, abs=0.011)
    page.get_by_role("button", name="Next step").click()
    state = state_of(page, w.widget_id)
    assert (state["step"], state["window"]) == (2, None)
    w.state = state
    row = page.locator(".ab-steps [aria-current]").inner_text().split("\t")
    assert float(row[-1]) == pytest.approx(w.nats, abs=0.051)
    page.locator("details > summary").click()
    painted(page)
    seen = page.locator(".ab-tables table").first.locator("td").all_inner_texts()
    flat = [value for line in w.glimpse for value in line]
    assert [float(text.replace("−", "-")) for text in seen] == pytest.approx(flat, abs=0.006)


@pytest.mark.browser
def test_nothing_is_drawn_of_hidden_steps(page_of):
    w = drawing()
    page = page_of([w])
    settled(page)
    assert page.locator(".ab-steps td", has_text="?").count() == 3 * 5
    assert page.get_by_role("button", name="Next step").is_disabled()
    page.get_by_role("button", name="Skip").click()
    settled(page)
    assert page.locator(".ab-steps td", has_text="?").count() == 0
