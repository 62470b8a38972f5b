"""Bytes, operations and reach by formula: as layers that run have them, and loops written from the words."""

import random
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attnbook.analysis import budget
from attnbook.analysis.budget import Shape
from attnbook.nn import KVCache, MultiHeadAttention


def random_shape(draw, kinds="FWCL"):
    """Any shape; every other one with latent attention."""
    groups, shared = draw.randint(1, 5), draw.randint(1, 5)
    latent = draw.choice([0, draw.randint(1, 600)])
    return Shape(
        n_layers=draw.randint(1, 40),
        n_heads=groups * shared,
        n_kv_heads=groups,
        head_size=draw.randint(1, 256),
        latent=latent,
        rotary=draw.randint(0, 64) if latent else 0,
        pattern="".join(draw.choice(kinds) for _ in range(draw.randint(1, 7))),
        window=draw.randint(1, 60),
        chosen=draw.randint(1, 60),
        index_heads=draw.randint(0, 4),
        index_size=draw.randint(0, 64),
        state=draw.randint(1, 5000),
        full_kv_heads=draw.choice([0, 1]),
        full_head_size=draw.choice([0, draw.randint(1, 64)]),
        bits=draw.choice([4, 8, 16, 32]),
    )


def shapes(count, seed=0, kinds="FWCL"):
    draw = random.Random(seed)
    return [(random_shape(draw, kinds), draw.randint(1, 90)) for _ in range(count)]


@pytest.mark.parametrize("n_kv_heads", [1, 2, 6])
def test_the_cache_of_full_attention_is_the_one_that_a_layer_fills(n_kv_heads):
    layer, cache, length = MultiHeadAttention(30, 6, n_kv_heads), KVCache(), 11
    for x in torch.randn(length, 1, 1, 30):
        layer(x, causal=True, cache=cache)
    numbers = cache.key.numel() + cache.value.numel()
    shape = Shape(3, 6, n_kv_heads, 5, bits=32)
    assert budget.cache_bytes(shape, length) == 3 * 4 * numbers
    assert budget.traffic_bytes(shape, length) == 3 * 4 * numbers, "each number once"


def test_the_operations_of_one_token_are_those_that_torch_counts():
    """Scores and weighted sums of one query; half as many keys and values as heads change nothing."""
    heads, size, length = 6, 5, 11
    query, key = torch.randn(heads, 1, size), torch.randn(heads, length, size)
    with FlopCounterMode(display=False) as counter:
        torch.softmax(query @ key.mT, -1) @ key
    shape = Shape(2, heads, 3, size)
    assert budget.operations(shape, length) == 2 * counter.get_total_flops()


def test_the_operations_of_a_linear_layer_are_three_products_with_its_state():
    """Delta rule: what the state says of the key, the correction written, what it says of the query."""
    heads, d_key, d_value = 3, 7, 5
    state, key, query = (
        torch.randn(heads, d_value, d_key),
        torch.randn(heads, d_key, 1),
        torch.randn(heads, d_key, 1),
    )
    with FlopCounterMode(display=False) as counter:
        told = state @ key
        state = state + (torch.randn(heads, d_value, 1) - told) @ key.mT
        state @ query
    shape = Shape(4, heads, heads, d_key, pattern="L", state=heads * d_key * d_value)
    assert budget.operations(shape, 1000) == 4 * counter.get_total_flops()
    assert budget.cache_bytes(shape, 1000) == 4 * 2 * state.numel()
    assert budget.traffic_bytes(shape, 1000) == 2 * budget.cache_bytes(shape, 1000), "read and written"


def test_loops_over_layers_and_tokens_come_to_the_same():
    for shape, length in shapes(60):
        kept = read = scored = 0
        for place in range(shape.n_layers):
            kind = shape.pattern[place % len(shape.pattern)]
            if kind == "L":
                kept += shape.state
                read += 2 * shape.state
                scored += 6 * shape.state
                continue
            heads = (shape.full_kv_heads or shape.n_kv_heads) if kind == "F" else shape.n_kv_heads
            size = (shape.full_head_size or shape.head_size) if kind == "F" else shape.head_size
            of_token = shape.latent + shape.rotary if shape.latent else heads * (size + size)
            both = shape.latent + shape.rotary + shape.latent if shape.latent else size + size
            for token in range(length):  # 0 is the oldest
                behind = length - 1 - token
                if kind != "W" or behind < shape.window:
                    kept += of_token
                if kind == "F" or behind < (shape.window if kind == "W" else shape.chosen):
                    read += of_token
                    scored += shape.n_heads * 2 * both
                if kind == "C":
                    kept += shape.index_size
                    read += shape.index_size
                    scored += 2 * shape.index_heads * shape.index_size
        assert budget.cache_bytes(shape, length) == pytest.approx(kept * shape.bits / 8)
        assert budget.traffic_bytes(shape, length) == pytest.approx(read * shape.bits / 8)
        assert budget.operations(shape, length) == scored


def test_a_prompt_costs_what_its_tokens_cost_one_after_another():
    for shape, length in shapes(40, seed=1):
        one_by_one = sum(budget.operations(shape, n) for n in range(1, length + 1))
        assert budget.prompt_operations(shape, length) == one_by_one


def test_the_receptive_field_is_what_can_be_reached_from_layer_to_layer():
    for shape, length in shapes(40, seed=2, kinds="WWWWF"):
        behind = torch.arange(length)[:, None] - torch.arange(length)
        reached = torch.eye(length, dtype=torch.bool)
        for kind in shape.layers:
            sees = (behind >= 0) & ((behind < shape.window) | (kind == "F"))
            reached = (reached.float() @ sees.float()) > 0
        assert budget.receptive_field(shape, length) == int(reached[-1].sum())


def test_the_fullest_pattern_and_the_longest_text_that_fit():
    for shape, length in shapes(40, seed=3, kinds="F"):
        shape = replace(shape, full_kv_heads=0, full_head_size=0)
        sizes = budget.pattern_sizes(shape, length)
        assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
        for capacity in (*sizes.values(), 0.0):
            found = budget.fullest_that_fits(shape, length, capacity)
            fitting = [name for name in budget.THINNER if sizes[name] <= capacity]
            assert found == (fitting[0] if fitting else None)
        longest = budget.longest_that_fits(shape, budget.cache_bytes(shape, length), most=200)
        assert longest == length, "every token more needs more"
    shape = Shape(2, 4, 4, 8, pattern="W", window=10)
    assert budget.longest_that_fits(shape, budget.cache_bytes(shape, 10), most=777) == 777
    assert budget.longest_that_fits(shape, 1) == 0


def test_a_shape_in_words():
    shape = Shape(7, 4, 4, 8, pattern="WWF")
    assert (shape.layers, budget.in_words(shape)) == ("WWFWWFW", "2 × full attention, 5 × sliding window")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_layers": 0}, "n_layers: expected a whole number of at least 1"),
        ({"n_kv_heads": 3}, "n_kv_heads: expected a divisor of n_heads, 4, got 3"),
        ({"full_kv_heads": 3}, "full_kv_heads: expected a divisor of n_heads, 4, got 3"),
        ({"pattern": "FX"}, "pattern: expected letters out of F, W, C, L, got 'FX'"),
        ({"pattern": ""}, "pattern: expected letters"),
        ({"pattern": "L"}, "state: expected at least 1 number"),
        ({"window": 0}, "window: expected a whole number of at least 1"),
        ({"latent": -1}, "latent: expected a whole number of at least 0"),
    ],
)
def test_bad_sizes_are_named(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        Shape(**{"n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "head_size": 8, **given})


def test_a_bad_length_is_named():
    with pytest.raises(ValueError, match="length: expected a whole number of at least 1"):
        budget.cache_bytes(Shape(2, 4, 4, 8), 0)
