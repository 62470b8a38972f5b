"""The table of models: every cell has a source, and words and numbers of a row say the same."""

import re

import pytest

from attnbook.analysis import budget, model_shapes
from attnbook.analysis.model_shapes import HEAD, MODELS

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def test_ten_models_by_date():
    assert len(MODELS) == len({model.name for model in MODELS}) == 10
    dates = [model.date.text for model in MODELS]
    assert dates == sorted(dates)
    assert all(re.fullmatch(r"20\d\d-\d\d", date) for date in dates)
    assert all(date <= model_shapes.READ for date in dates)


@each_model
def test_every_cell_has_a_text_and_a_source(model):
    assert len(model.cells) == len(HEAD)
    for cell in model.cells:
        assert cell.text
        assert re.fullmatch(r"https://[\w./-]+", cell.source), cell
        if "github.com" in cell.source and "/commits/" not in cell.source:
            assert re.search(r"/blob/([0-9a-f]{40}|v\d+\.\d+\.\d+)/", cell.source), "holds what was read"


@each_model
def test_words_and_numbers_agree(model):
    shape = model.shape
    assert shape.n_layers == int(model.layers.text)
    said = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", model.kept.text)]
    if shape.latent:
        expected = [shape.latent, shape.rotary, *([shape.index_size] if "C" in shape.pattern else [])]
    else:
        expected = [shape.n_kv_heads, shape.head_size]
        if shape.full_kv_heads:
            expected += [shape.full_kv_heads, shape.full_head_size]
    assert said == expected
    said = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", model.pattern.text)]
    if "W" in shape.pattern:
        assert said[-2 if len(said) > 1 else -1 :][0] == shape.window
    if "C" in shape.pattern:
        assert said == [shape.chosen]
    if model.pattern.text == "all tokens":
        assert shape.pattern == "F"
    if re.match(r"\d (windows|linear)", model.pattern.text):
        kind = "W" if "window" in model.pattern.text else "L"
        assert shape.layers[: said[0] + 1] == kind * said[0] + "F"
    assert (model.linear.text != "none") == ("L" in shape.pattern)
    if "L" in shape.pattern:
        heads, d_key, d_value = map(int, re.findall(r"\d+", model.linear.text))
        assert shape.state == heads * d_key * d_value


def test_caches_that_others_have_published():
    """https://huggingface.co/blog/llama31: 39.06 GiB for 128,000 tokens of Llama 3.1 70B at 16 bits."""
    llama = model_shapes.named("Llama 3.1 70B")
    assert budget.cache_bytes(llama.shape, 128_000) / 2**30 == pytest.approx(39.06, abs=0.01)


def test_the_table_has_a_line_a_model_and_a_link_a_cell():
    head, rule, *rows = model_shapes.table().splitlines()
    assert head.count("|") == rule.count("|") == len(HEAD) + 3
    assert len(rows) == len(MODELS)
    for row, model in zip(rows, MODELS, strict=True):
        assert row.startswith(f"| {model.name} |")
        assert row.count("](https://") == len(HEAD)
        assert row.endswith(f"| {model_shapes.gigabytes(model):.1f} GB |")
    short = model_shapes.table(("layers", "cache"), length=1000)
    assert short.splitlines()[0] == "| model | layers | cache of 1,000 tokens |"


def test_bad_names_are_told_the_right_ones():
    with pytest.raises(ValueError, match="name: expected one of Llama 3.1 70B, .* got 'GPT-9'"):
        model_shapes.named("GPT-9")
    with pytest.raises(ValueError, match="columns: expected names out of released, .* got 'price'"):
        model_shapes.table(("price",))
