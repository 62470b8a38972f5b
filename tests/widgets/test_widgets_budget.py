"""AttentionBudget: the page computes what analysis.budget says, judges as the kernel does, can be played."""

import json
import random
from dataclasses import asdict, replace

import pytest
from traitlets import TraitError
from widget_driver import focused, go_to, open_all, press, run_js, settled, spoken, state_of
from widget_examples import budgeting
from widget_page import JS

from attnbook.analysis import budget, model_shapes
from attnbook.analysis.budget import KINDS, THINNER, Shape
from attnbook.widgets import AttentionBudget
from attnbook.widgets.attention_budget import ANSWERS, in_bytes, in_words, name_of

NUMBERS = f"""
import * as budget from {(JS / "mechanisms" / "budget.js").as_uri()!r};
const of = ["cacheBytes", "operations", "trafficBytes", "promptOperations", "receptiveField"];
console.log(JSON.stringify(data.map(([shape, length, capacity]) => [
  of.map((name) => budget[name](shape, length)), budget.layers(shape), budget.patternSizes(shape, length),
  Object.keys(budget.KINDS).map((kind) => [budget.keptPerToken(shape, kind),
    budget.tokensKept(shape, kind, length), budget.layerCache(shape, kind, length),
    budget.layerOperations(shape, kind, length)]),
  budget.fullestThatFits(shape, length, capacity) ?? null,
])));
"""
IN_WORDS = f"""
globalThis.BOOK = true;
const page = await import({(JS / "attention_budget.js").as_uri()!r});
const [counts, states, models, pairs] = data;
console.log(JSON.stringify([counts.map(page.inBytes), counts.map(page.inWords),
  states.map((state) => page.sentence(state, models)), pairs.map((pair) => page.grade(...pair))]));
"""


def random_shape(draw):
    groups, shared = draw.randint(1, 16), draw.randint(1, 16)
    latent = draw.choice([0, draw.randint(1, 4096)])
    return Shape(
        n_layers=draw.randint(1, 128),
        n_heads=groups * shared,
        n_kv_heads=groups,
        head_size=draw.randint(1, 1024),
        latent=latent,
        rotary=draw.randint(0, 256) if latent else 0,
        pattern="".join(draw.choice("FWCL") for _ in range(draw.randint(1, 9))),
        window=2 ** draw.randint(0, 14),
        chosen=2 ** draw.randint(0, 14),
        index_heads=draw.randint(0, 64),
        index_size=draw.randint(0, 256),
        state=draw.randint(1, 2**24),
        full_kv_heads=draw.choice([0, 1]),
        full_head_size=draw.choice([0, draw.randint(1, 1024)]),
        bits=draw.randint(1, 32),
    )


def random_cases(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        shape, length = random_shape(draw), int(2 ** draw.uniform(0, 20))
        yield (
            shape,
            length,
            draw.choice(list(budget.pattern_sizes(shape, length).values())) * draw.uniform(0.9, 1.1),
        )


def test_the_page_computes_what_the_kernel_does(node, tmp_path):
    cases = [*random_cases(200, 0), *((one.shape, 131_072, 24e9) for one in model_shapes.MODELS)]
    asked = [(asdict(shape), length, capacity) for shape, length, capacity in cases]
    of = (
        budget.cache_bytes,
        budget.operations,
        budget.traffic_bytes,
        budget.prompt_operations,
        budget.receptive_field,
    )
    for (shape, length, capacity), found in zip(cases, run_js(node, tmp_path, NUMBERS, asked), strict=True):
        numbers, layers, patterns, kinds, fullest = found
        assert numbers == pytest.approx([one(shape, length) for one in of], rel=1e-5)
        assert layers == shape.layers
        sizes = budget.pattern_sizes(shape, length)
        assert [name for name, _ in patterns] == list(sizes)
        assert [size for _, size in patterns] == pytest.approx(list(sizes.values()), rel=1e-5)
        for kind, parts in zip(KINDS, kinds, strict=True):
            assert parts == pytest.approx(
                [
                    budget.kept_per_token(shape, kind),
                    budget.tokens_kept(shape, kind, length),
                    budget.layer_cache(shape, kind, length),
                    budget.layer_operations(shape, kind, length),
                ],
                rel=1e-5,
            )
        assert fullest == budget.fullest_that_fits(shape, length, capacity)


def test_page_and_kernel_say_the_same(node, tmp_path):
    draw = random.Random(4)
    counts = [0, 1, 999.94, 999.96, 1000, 2.5, *(10 ** draw.uniform(0, 17) for _ in range(200))]
    widgets = []
    for shape, length, capacity in random_cases(40, 1):
        memory = min(10_000.0, max(0.1, capacity / 1e9))
        widgets.append(AttentionBudget(shape, length=length, memory=memory, predict=False))
    widgets += [AttentionBudget(one.name) for one in model_shapes.MODELS]
    pairs = [(a, b) for a in ANSWERS for b in ANSWERS]
    data = [counts, [w.state for w in widgets], widgets[0].named, pairs]
    in_page = run_js(node, tmp_path, IN_WORDS, data)
    assert in_page[0] == [in_bytes(count) for count in counts]
    assert in_page[1] == [in_words(count) for count in counts]
    assert in_page[2] == [w.summary for w in widgets]
    graded = [widgets[0]._graded({"choice": a, "answer": b}, widgets[0].state) for a, b in pairs]
    assert in_page[3] == graded
    assert {round(score, 1) for score in graded} == {0, 0.2, 0.4, 0.6, 0.8, 1}


def test_mirrors_follow_the_state():
    w = budgeting(predict=False)
    shape = Shape(**w.shape)
    assert w.cache_bytes == budget.cache_bytes(shape, 65_536)
    assert w.operations == budget.operations(shape, 65_536)
    assert w.prompt_operations == budget.prompt_operations(shape, 65_536)
    assert w.traffic_bytes == budget.traffic_bytes(shape, 65_536)
    assert w.receptive_field == 65_536
    w.shape = replace(shape, pattern="W")
    assert w.receptive_field == 1 + 10 * 511
    w.assign(length=100, shape={**w.shape, "bits": 8})
    assert w.cache_bytes == 10 * 100 * 2 * 2 * 64
    w.shape = model_shapes.named("Kimi Linear 48B-A3B").shape
    assert w.summary.startswith("Kimi Linear 48B-A3B, 100 tokens at 16 bits: a cache of ")


def test_the_first_question_has_an_answer_in_the_middle():
    w = AttentionBudget()
    assert "hidden" in w.summary
    w.prediction = {"choice": "all full"}
    assert w.prediction == {"choice": "all full", "answer": "3 windows, 1 full"}
    assert (w.score, w.revealed) == (0.6, True)
    w.assign(memory=0.5, prediction={"choice": "none of them"})
    assert (w.prediction["answer"], w.score) == ("none of them", 1)


def test_a_model_is_known_by_its_sizes_at_any_precision():
    w = AttentionBudget("gpt-oss-120b")
    assert name_of({**w.shape, "bits": 4}, w.named) == "gpt-oss-120b"
    assert name_of({**w.shape, "window": 129}, w.named) == "Your own sizes"


def test_bad_arguments_are_named():
    for given, sentence in [
        ({"model": "GPT-9"}, "model: expected one of Llama 3.1 70B"),
        ({"model": 3}, "model: expected a name or a budget.Shape, got 3"),
        ({"length": 0}, "length: expected a whole number from 1 to 1048576"),
        ({"memory": 0}, "memory: expected a number from 0.1"),
        ({"model": Shape(129, 4, 4, 8)}, "shape n_layers: expected a whole number from 1 to 128, got 129"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            AttentionBudget(**given)
    w = budgeting()
    for shape, sentence in [
        ({**w.shape, "n_kv_heads": 3}, "shape n_kv_heads: expected a divisor of n_heads, 8"),
        ({**w.shape, "pattern": "FX"}, "shape pattern: expected letters out of F, W, C, L"),
        ({**w.shape, "pattern": "L", "state": 0}, "shape state: expected at least 1 number"),
        ({}, "shape n_layers: expected"),
        (7, "shape: expected a budget.Shape or its sizes"),
    ]:
        with pytest.raises(TraitError, match=sentence):
            w.shape = shape
    for name, value in (("named", {}), ("prediction", {"choice": "F"}), ("memory", "24"), ("length", 1.5)):
        with pytest.raises(TraitError):
            setattr(w, name, value)


def test_the_widget_weighs_little_in_a_notebook():
    state = {name: value for name, value in AttentionBudget().get_state().items() if name[0] != "_"}
    assert len(json.dumps(state)) < 8000


# ---- in the page -----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_guess_and_what_follows(page_of):
    w = AttentionBudget()
    page = page_of([w])
    assert not page.locator(".ab-bu-bars").is_visible()
    page.get_by_label("The first that fits").select_option("5 windows, 1 full")
    page.get_by_role("button", name="Commit").click()
    state = state_of(page, w.widget_id)
    w.prediction = {"choice": "5 windows, 1 full"}
    assert (state["prediction"], state["score"]) == (w.prediction, w.score)
    assert "You said 5 windows, 1 full: 3 windows, 1 full." in page.locator(".ab-predict").inner_text()
    w.state = state
    assert spoken(page) == w.summary
    fits = page.locator(".ab-bu-others tr > :last-child").all_inner_texts()
    assert fits == ["too large", "too large", "fits", "fits", "fits"]


@pytest.mark.browser
@pytest.mark.parametrize("name", ["Gemma 3 27B", "DeepSeek-V3.2-Exp", "Kimi Linear 48B-A3B"])
def test_bars_and_tables_show_the_numbers(page_of, name):
    w = AttentionBudget("Llama 3.1 70B", predict=False)
    page = page_of([w])
    page.get_by_label("model").select_option(name)
    page.get_by_label("memory").select_option("80 GB")
    open_all(page)
    w.state = state_of(page, w.widget_id)
    shape = model_shapes.named(name).shape
    assert w.shape == asdict(shape)
    assert spoken(page) == w.summary
    facts = page.locator(".ab-bu-facts td").all_inner_texts()
    assert facts[0] == in_bytes(w.cache_bytes)
    assert facts[2:5] == [in_words(w.operations), in_bytes(w.traffic_bytes), in_words(w.prompt_operations)]
    assert facts[5] == f"{w.receptive_field:,}"
    sizes = page.locator(".ab-bu-others output").all_inner_texts()
    assert sizes == [in_bytes(size) for size in budget.pattern_sizes(shape, w.length).values()]
    present = [kind for kind in KINDS if kind in shape.layers]
    rows = page.locator(".ab-bu-kinds tbody tr")
    assert rows.count() == len(present)
    for row, kind in zip(rows.all(), present, strict=True):
        cells = row.locator("td").all_inner_texts()
        count = shape.layers.count(kind)
        each = budget.layer_cache(shape, kind, w.length)
        assert (cells[0], cells[3], cells[4]) == (str(count), in_bytes(each), in_bytes(count * each))
    drawn = page.evaluate(
        """[...document.querySelectorAll('.ab-bu-bars path')]
             .map((path) => (path.getAttribute('d').match(/M/g) || []).length)"""
    )
    assert drawn == [shape.layers.count(kind) for kind in KINDS]


@pytest.mark.browser
def test_sizes_of_ones_own(page_of):
    w = budgeting(predict=False)
    page = page_of([w])
    page.get_by_label("pattern").select_option("L")
    assert state_of(page, w.widget_id)["shape"]["pattern"] == "L"
    open_all(page)
    page.get_by_label("heads of keys and values").fill("3")
    page.get_by_label("heads of keys and values").press("Tab")
    settled(page)
    assert "Not possible: n_kv_heads does not divide n_heads." in page.locator(".ab").inner_text()
    assert state_of(page, w.widget_id)["shape"]["n_kv_heads"] == 2
    assert page.get_by_label("heads of keys and values").input_value() == "2"
    page.get_by_label("layers", exact=True).fill("20")
    page.get_by_label("layers", exact=True).press("Tab")
    state = state_of(page, w.widget_id)
    assert state["shape"]["n_layers"] == 20
    w.state = state
    assert spoken(page) == w.summary
    assert w.cache_bytes == 20 * 4096 * 2


@pytest.mark.browser
def test_by_keyboard_alone(page_of):
    w = budgeting(predict=False)
    page = page_of([w])
    page.locator("[data-stop]:visible").first.focus()
    assert focused(page) == "Predict again"
    press(page, "ArrowRight", "ArrowRight", "ArrowRight", "Enter", "ArrowRight")
    assert state_of(page, w.widget_id)["length"] == round(2**16.25)
    press(page, "Escape")
    go_to(page, "Predict again", "ArrowLeft")
    press(page, "Enter")
    assert not state_of(page, w.widget_id)["revealed"]
    go_to(page, "Skip")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["revealed"]
    assert focused(page)


def test_the_patterns_are_the_same_names():
    assert list(THINNER) == list(ANSWERS[:-1])
