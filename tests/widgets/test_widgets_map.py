"""AttentionMap: the page keeps what the map keeps; each verdict has its reason and a link."""

import json
import random

import pytest
from traitlets import TraitError
from widget_driver import focused, go_to, open_all, press, run_js, settled, spoken, state_of
from widget_examples import attention_map as made
from widget_page import JS

from attnbook.data import attention_map
from attnbook.widgets import AttentionMap
from attnbook.widgets.attention_map import drawing, plain

RUN = f"""
globalThis.BOOK = true;
const {{ grade, sentence, stays }} = await import({(JS / "attention_map.js").as_uri()!r});
const [content, states] = data;
console.log(JSON.stringify(states.map((state) => [
  content.rows.flatMap((row, i) => (stays(content, row, state.needs) ? [i] : [])),
  sentence(state, content),
  grade(state.needs.length, content.needs.length),
])));
"""
IDS = [row.id for row in attention_map.rows()]


def test_page_and_kernel_keep_the_same_rows(node, tmp_path):
    draw = random.Random(0)
    w = made(predict=False)
    states = []
    for _ in range(60):
        needs = sorted(draw.sample(range(6), draw.randint(0, 6)))
        states.append({**w.state, "needs": needs, "chosen": draw.randrange(len(IDS))})
    states.append(made().state)
    for state, (left, said, _) in zip(states, run_js(node, tmp_path, RUN, [w.content, states]), strict=True):
        w.state = state
        assert [IDS[i] for i in left] == w.remaining
        assert said == w.summary


@pytest.mark.parametrize(("choice", "met", "score"), [("sliding", 2, 1.0), ("self", 1, 0.5), ("vit", 0, 0.0)])
def test_a_choice_is_graded_by_the_needs_it_meets(choice, met, score):
    w = made()
    w.prediction = {"choice": choice}
    assert w.prediction == {"choice": IDS.index(choice), "met": met}
    assert (w.score, w.revealed) == (score, True)
    w.prediction = None
    assert (w.score, w.revealed) == (None, False)


def test_needs_may_be_named_or_numbered():
    w = made(predict=False)
    w.needs = ["data", "recall"]
    assert w.needs == [4, 5]
    assert w.remaining == [row.id for row in attention_map.remaining(["data", "recall"])]
    w.needs = [0]
    w.chosen = "delta"
    assert w.chosen == IDS.index("delta")
    assert "delta rule, which stays" in w.summary
    with pytest.raises(TraitError, match="needs: expected some of long, .* got 'fast'"):
        w.needs = ["fast"]
    with pytest.raises(TraitError, match="remaining: expected no assignment"):
        w.remaining = []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"needs": []}, "needs: expected a list of at least one need"),
        ({"needs": "fast"}, "needs: expected some of long"),
        ({"needs": [9]}, "needs: expected different numbers from 0 to 5"),
        ({"task": 3}, "task: expected a string"),
        ({"chosen": "everything"}, "chosen: expected some of"),
        ({"predict": 1}, "predict: expected True or False"),
    ],
)
def test_wrong_arguments_are_named(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        made(**options)


def test_formulas_are_written_without_commands():
    for row in made().content["rows"]:
        for part in ("asks", "asked", "score", "normaliser", "mixed", "cost", "cache"):
            assert not set("\\$") & set(row[part]), (row["name"], part, row[part])
    assert plain(r"q_i \cdot k_j / \sqrt{d_{\text{head}} + d_R}") == "q_i · k_j / √(d_{head} + d_R)"


def test_what_is_drawn_fits_its_place():
    """No name reaches over the edge of its cell, with signs and without."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for left in (None, attention_map.remaining(["long"])):
        figure = drawing(left)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
        for i, box in enumerate(boxes):
            assert box.x1 <= figure.bbox.x1 + 1
            assert not any(box.overlaps(other) for other in boxes[i + 1 :]), figure.axes[0].texts[i]


@pytest.mark.browser
def test_a_reader_chooses_sees_why_and_follows_the_link(page_of):
    page = page_of([made()])
    assert page.locator(".ab-am-map").is_hidden()
    page.get_by_role("combobox").select_option(label="self-attention")
    page.get_by_role("button", name="Commit").click()
    settled(page)
    told = page.locator(".ab-predict").inner_text()
    assert "it meets 1 of 2 needs, score 0.50" in told
    assert page.get_by_role("button", name="✗ self-attention").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="✓ sliding window").is_visible()
    why = page.locator(".ab-am-why tbody tr").first
    assert why.inner_text().split("\t")[1].strip() == "✗ goes"
    assert "n² scores a layer" in why.inner_text()
    assert why.get_by_role("link").get_attribute("href") == "07_self_attention.html#what-it-costs"
    link = page.locator(".ab-am-open > p").nth(1).get_by_role("link")
    assert link.get_attribute("href") == "07_self_attention.html#the-equation-and-the-code"


@pytest.mark.browser
def test_needs_filter_the_map_by_keyboard(page_of):
    w = made(predict=False)
    page = page_of([w])
    page.locator("[data-stop]").first.focus()
    go_to(page, "Predict again")
    press(page, "ArrowRight")  # the first need
    press(page, " ")  # no longer needed
    assert state_of(page, w.widget_id)["needs"] == [3]
    left = len(attention_map.remaining(["steps"]))
    assert f"{left} of {len(IDS)} remain" in spoken(page)
    go_to(page, "✗ saliency")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["chosen"] == IDS.index("saliency")
    assert "saliency" in focused(page), "the focus stays on the map"


@pytest.mark.browser
def test_every_node_opens_its_section(page_of):
    w = made(predict=False)
    page = page_of([w])
    seen = set()
    for row in attention_map.rows():
        sign = "✓" if row.stays(["long", "steps"]) else "✗"
        page.get_by_role("button", name=f"{sign} {row.name}", exact=True).click()
        settled(page)
        href = page.locator(".ab-am-open > p").nth(1).get_by_role("link").get_attribute("href")
        assert href == f"{row.where.notebook}.html#{row.where.anchor}"
        seen.add(row.id)
    assert len(seen) == len(IDS)


@pytest.mark.browser
def test_without_needs_no_sign_stands_on_the_map(page_of):
    w = made(predict=False)
    page = page_of([w])
    for label in ("the input is long", "it is written one step at a time"):
        page.get_by_label(label).uncheck()
    open_all(page)
    settled(page)
    assert page.get_by_role("button", name="self-attention", exact=True).is_visible()
    assert spoken(page).startswith(f"No need is picked: all {len(IDS)} remain.")


def test_state_and_content_are_small():
    assert len(json.dumps(made().content)) < 40_000
    assert isinstance(AttentionMap(["long"]).state["needs"], list)
