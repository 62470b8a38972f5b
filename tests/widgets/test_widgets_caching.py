"""CausalStepper: counts that real caches have, the same in the page, steps by keyboard and pointer."""

import json
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import focused, go_to, open_all, press, run_js, settled, spoken, state_of
from widget_examples import caching
from widget_page import JS

from attnbook.nn import KVCache, MultiHeadAttention, causal_mask
from attnbook.widgets import CausalStepper
from attnbook.widgets.causal_stepper import VARIANTS, counts, doing, kept_per_token, kv_heads, parts

COUNT = f"""
import {{ counts, doing, keptPerToken, parts }} from {(JS / "mechanisms" / "caching.js").as_uri()!r};
console.log(JSON.stringify(data.map(([sizes, variant, step, cached]) => [
  counts(sizes, variant, step, cached), keptPerToken(sizes, variant), parts(sizes, variant),
  parts(sizes, variant).map((part) => [1, 2, 3, 4, 5].map((token) => doing(part, token, step, cached))),
])));
"""
GRADE = f"""
globalThis.BOOK = true;
const {{ grade }} = await import({(JS / "causal_stepper.js").as_uri()!r});
console.log(JSON.stringify(data.map(([guess, answer]) => grade(guess, answer))));
"""


def random_sizes(draw):
    groups, shared = draw.randint(1, 4), draw.randint(1, 4)
    return {
        "n_heads": groups * shared,
        "n_kv_heads": groups,
        "d_head": 2 * draw.randint(1, 32),
        "d_latent": draw.randint(1, 600),
        "d_rotary": draw.randint(1, 64),
        "bytes_per_number": draw.choice([1, 2, 4]),
    }


def test_page_and_kernel_count_alike(node, tmp_path):
    draw = random.Random(0)
    asked = [
        (random_sizes(draw), draw.choice(VARIANTS), draw.randint(1, 32), draw.random() < 0.5)
        for _ in range(300)
    ]
    for (sizes, variant, step, cached), found in zip(
        asked, run_js(node, tmp_path, COUNT, asked), strict=True
    ):
        rows = parts(sizes, variant)
        assert found == [
            counts(sizes, variant, step, cached),
            kept_per_token(sizes, variant),
            rows,
            [[doing(row, token, step, cached) for token in range(1, 6)] for row in rows],
        ]


@pytest.mark.parametrize("variant", ["multi-head", "grouped", "multi-query"])
def test_the_counts_are_those_of_a_layer_that_runs(variant):
    """Elements of a cache that nn fills, of the projections' outputs, of the weights that a mask leaves."""
    draw = random.Random(1)
    for _ in range(5):
        sizes = random_sizes(draw)
        d_model, step = sizes["n_heads"] * sizes["d_head"], draw.randint(2, 9)
        layer = MultiHeadAttention(d_model, sizes["n_heads"], kv_heads(sizes, variant))
        made = {"queries": 0, "kept": 0}

        def counted(name, made=made):
            return lambda _, __, out: made.update({name: made[name] + out.numel()})

        for name, module in (("queries", layer.W_q), ("kept", layer.W_k), ("kept", layer.W_v)):
            module.register_forward_hook(counted(name))
        x, cache = torch.randn(1, step, d_model), KVCache()
        for t in range(step):
            made.update(queries=0, kept=0)
            held = 0 if cache.key is None else cache.key.numel() + cache.value.numel()
            _, weights = layer(x[:, t : t + 1], causal=True, cache=cache)
        found = counts(sizes, variant, step, True)
        size = (cache.key.numel() + cache.value.numel()) * sizes["bytes_per_number"]
        assert found == {**made, "scores": weights.numel(), "read": held, "bytes": size}
        made.update(queries=0, kept=0)
        layer(x, causal=True)
        scores = sizes["n_heads"] * int(causal_mask(step).sum())
        assert counts(sizes, variant, step, False) == {**made, "scores": scores, "read": 0, "bytes": 0}


def test_the_latent_variant_keeps_what_deepseek_v2_says():
    """Table 1: d_c + d_h^R numbers a token, at d_c = 4 d_h and d_h^R = d_h / 2 as 2.25 groups of queries."""
    d_head = 128
    sizes = {
        "n_heads": 128,
        "n_kv_heads": 8,
        "d_head": d_head,
        "d_latent": 4 * d_head,
        "d_rotary": d_head // 2,
    }
    assert kept_per_token(sizes, "latent") == 4.5 * d_head
    assert kept_per_token(sizes, "latent") == 2.25 * kept_per_token(sizes, "multi-query")


def test_mirrors_follow_the_state():
    w = caching(predict=False)
    assert w.computed == {"queries": 64, "kept": 128, "scores": 12}
    assert (w.read, w.cache_bytes) == (256, 768)
    w.cached = False
    assert w.computed == {"queries": 192, "kept": 384, "scores": 24}
    assert (w.read, w.cache_bytes) == (0, 0)
    w.assign(variant="latent", cached=True)
    assert (w.computed["kept"], w.cache_bytes) == (32, 192)


def test_a_guess_is_graded_by_its_ratio(node, tmp_path):
    w = caching()
    w.prediction = {"guess": 384}
    assert w.prediction == {"guess": 384, "answer": 768}
    assert (w.score, w.revealed) == (0.5, True)
    w.prediction = {"guess": 768}
    assert w.score == 1
    draw = random.Random(2)
    pairs = [(draw.randint(1, 5000), draw.randint(1, 5000)) for _ in range(200)]
    graded = [w._graded({"guess": guess, "answer": answer}, w.state) for guess, answer in pairs]
    assert run_js(node, tmp_path, GRADE, pairs) == graded


def test_bad_arguments_are_named():
    for given, sentence in [
        ({"tokens": ["one"]}, "tokens: expected 2 to 32"),
        ({"tokens": 3}, "tokens: expected a list of non-empty strings"),
        ({"tokens": "a b", "n_heads": 4, "n_kv_heads": 3}, "n_kv_heads: expected a divisor of n_heads, 4"),
        ({"tokens": "a b", "n_heads": 0}, "n_heads: expected a whole number from 1"),
        ({"tokens": "a b", "n_heads": 32}, "n_heads: expected at most 16"),
        ({"tokens": "a b", "d_head": 1.5}, "d_head: expected a whole number"),
        ({"tokens": "a b", "variant": "linear"}, "variant: expected one of"),
        ({"tokens": "a b", "step": 3}, "step: expected a whole number from 1 to 2"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            CausalStepper(**given)
    w = caching()
    for name, value in (
        ("step", 0),
        ("step", 7),
        ("cached", 1),
        ("content", {}),
        ("prediction", {"guess": 0}),
    ):
        with pytest.raises(TraitError):
            setattr(w, name, value)


def test_the_widget_weighs_little_in_a_notebook():
    state = {name: value for name, value in caching().get_state().items() if name[0] != "_"}
    assert len(json.dumps(state)) < 3000


# ---- in the page -----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_guess_then_step_after_step(page_of):
    w = caching()
    page = page_of([w])
    page.locator(".ab-predict input").fill("0")
    page.get_by_role("button", name="Commit").click()
    assert "Type a whole number" in page.locator(".ab").inner_text()
    page.locator(".ab-predict input").fill("128")
    page.get_by_role("button", name="Commit").click()
    state = state_of(page, w.widget_id)
    w.prediction = {"guess": 128}
    assert (state["prediction"], state["score"], state["step"]) == (w.prediction, w.score, 6)
    assert "768 = 6 tokens × 2 × 4 heads × 16" in page.locator(".ab-predict").inner_text()
    w.state = state
    assert spoken(page) == w.summary


@pytest.mark.browser
@pytest.mark.parametrize("variant", VARIANTS)
def test_picture_and_tables_show_the_counts(page_of, variant):
    w = caching(predict=False, variant=variant)
    page = page_of([w])
    page.get_by_role("button", name="Next token").click()
    open_all(page)
    w.state = state_of(page, w.widget_id)
    assert w.step == 4
    assert spoken(page) == w.summary
    cells = page.locator(".ab-cs-picture tbody td").all_inner_texts()
    rows = parts(w.content, variant)
    assert cells == [doing(row, token, 4, True) for row in rows for token in range(1, 7)]
    shown = [text.replace(",", "") for text in page.locator(".ab-cs-counts tbody td").all_inner_texts()]
    both = [counts(w.content, variant, 4, cached) for cached in (True, False)]
    order = ("queries", "kept", "scores", "read", "bytes")
    assert shown == [str(one[name]) for name in order for one in both]
    bars = [text.replace(",", "") for text in page.locator(".ab-cs-bars output").all_inner_texts()]
    assert bars == [str(counts(w.content, one, 4, True)["bytes"]) for one in VARIANTS]
    sums = [int(text.replace(",", "")) for text in page.locator(".ab-cs-sums tbody td").all_inner_texts()]
    for column, cached in enumerate((True, False)):
        total = 0
        for step in range(1, 7):
            made = counts(w.content, variant, step, cached)
            total += made["queries"] + made["kept"] + made["scores"]
            assert sums[2 * (step - 1) + column] == total


@pytest.mark.browser
def test_by_keyboard_alone(page_of):
    w = caching(predict=False)
    page = page_of([w])
    page.locator("[data-stop]").first.focus()
    go_to(page, "grouped")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["variant"] == "grouped"
    go_to(page, "Next token")
    press(page, "Enter", "Enter", "Enter")
    assert state_of(page, w.widget_id)["step"] == 6
    settled(page)
    go_to(page, "Back by one token", "ArrowLeft")
    press(page, "Enter")
    assert state_of(page, w.widget_id)["step"] == 5
    assert focused(page) == "Back by one token"
