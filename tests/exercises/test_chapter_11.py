"""Chapter 11: its references agree with other ways to the same; what is planted is found and named."""

import math

import nbformat
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

import make_exercises as generator
from attnbook.data.byte_pairs import BytePairTokenizer
from attnbook.exercises import exercise, exercises
from attnbook.exercises.bank.ch11 import best_temperature
from attnbook.exercises.judge import judge
from attnbook.nn import KVCache, MultiHeadAttention, RotaryPositions
from attnbook.worker.oracle import answer
from project import ROOT


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def penalised_by_transformers(logits, tokens, penalty):
    from transformers import RepetitionPenaltyLogitsProcessor

    return RepetitionPenaltyLogitsProcessor(penalty)(tokens, logits.clone())


def padded_token_by_token(mask):
    batch, length = mask.shape
    positions = torch.zeros(batch, length, dtype=torch.long)
    allowed = torch.zeros(batch, length, length, dtype=torch.bool)
    for b in range(batch):
        real = [t for t in range(length) if mask[b, t]]
        for position, t in enumerate(real):
            positions[b, t] = position
        for query in range(length):
            for key in real:
                allowed[b, query, key] = key <= query
    return positions, allowed


def grouped_by_torch(query, key, value):
    return scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)


def perplexity_token_by_token(logits, tokens, mask):
    losses = [
        cross_entropy(logits[b, t], tokens[b, t + 1]).item()
        for b in range(len(tokens))
        for t in range(tokens.shape[1] - 1)
        if mask[b, t] and mask[b, t + 1]
    ]
    return torch.tensor(math.exp(math.fsum(losses) / len(losses)))


def step_by_the_package(x, key, value, W_q, W_k, W_v, W_o):
    layer = MultiHeadAttention(x.shape[-1], key.shape[1], bias=False)
    layer.load_state_dict(
        {
            f"{name}.weight": W
            for name, W in zip(("W_q", "W_k", "W_v", "W_o"), (W_q, W_k, W_v, W_o), strict=True)
        }
    )
    cache = KVCache()
    if key.shape[2]:
        cache.append(key, value)
    with torch.no_grad():
        contexts = [layer(x[:, t : t + 1], causal=True, cache=cache)[0] for t in range(x.shape[1])]
    return torch.cat(contexts, dim=1), cache.key, cache.value


def parts_in_double_precision(context_a, lse_a, context_b, lse_b):
    a, b = lse_a.double().exp(), lse_b.double().exp()
    context = (a[..., None] * context_a + b[..., None] * context_b) / (a + b)[..., None]
    return context.float(), (a + b).log().float()


def rolling_by_eviction(query, keys, values, sinks, window):
    """Tokens come one by one, and the oldest that is no sink leaves when the cache is full."""
    kept = []
    for token in range(keys.shape[1]):
        if len(kept) == sinks + window:
            kept.pop(sinks)
        kept.append(token)
    rotary = RotaryPositions(query.shape[-1])
    q = rotary(query[:, None], len(kept) - 1)
    return scaled_dot_product_attention(q, rotary(keys[:, kept]), values[:, kept])[:, 0]


OTHER_WAYS = {
    "11.3": penalised_by_transformers,
    "11.4": padded_token_by_token,
    "11.5": grouped_by_torch,
    "11.6": perplexity_token_by_token,
    "11.8": step_by_the_package,
    "11.9": parts_in_double_precision,
    "11.10": rolling_by_eviction,
}


def test_every_exercise_with_inputs_is_tried_another_way():
    assert set(OTHER_WAYS) == {item.id for item in exercises(11) if item.has_inputs}


@pytest.mark.parametrize("id", OTHER_WAYS)
def test_a_right_answer_in_another_way_passes(id):
    for seed in range(5):
        verdict = verdict_on(id, OTHER_WAYS[id], seed)
        assert verdict.passed, (seed, verdict)


def master_cell(part):
    master = nbformat.read(ROOT / "solutions" / "11_language_models.ipynb", as_version=4)
    (source,) = [cell.source for cell in master.cells if cell.cell_type == "code" and part in cell.source]
    return source


def test_what_is_planted_runs_and_is_named():
    names = {"torch": torch, "math": math}
    exec(generator.stub(master_cell("BEGIN PLANTED")).split("\n\n\n")[0], names)
    for seed in range(5):
        verdict = verdict_on("11.5", names["grouped_attention"], seed)
        assert not verdict.passed
        assert verdict.named == [{"shared": "tiled"}]


def test_the_merges_are_those_of_the_books_tokenizer():
    words = {"sea": 4, "seat": 3, "tea": 6, "team": 3, "eat": 5}
    tokenizer = BytePairTokenizer.train(
        ",".join(",".join([word] * times) for word, times in words.items()), 3
    )
    assert tokenizer.tokens[256:] == [b"ea", b"tea", b"eat"]
    options = {"a": "a t", "b": "ea t", "c": "t ea", "d": "s ea", "e": "tea m"}
    left, right = tokenizer.merges[2]
    joined = f"{tokenizer.tokens[left].decode()} {tokenizer.tokens[right].decode()}"
    assert options[exercise("11.1").reference()] == joined


def test_the_cache_is_that_of_the_packages_layer():
    layer = MultiHeadAttention(16 * 64, 16, 4)
    cache = KVCache()
    with torch.no_grad():
        layer(torch.zeros(1, 3, 16 * 64), causal=True, cache=cache, need_weights=False)
    numbers_a_token = (cache.key.numel() + cache.value.numel()) / 3
    assert exercise("11.2").reference() == numbers_a_token * 24 * 2 * 3000 * 8 / 1e6


def test_the_temperature_is_the_least_loss():
    logits, tokens = best_temperature.overconfident()
    least = minimize_scalar(
        lambda T: cross_entropy(logits / T, tokens).item(), bounds=(0.5, 10), method="bounded"
    )
    assert exercise("11.7").reference() == pytest.approx(least.x, abs=0.01)


def test_the_notebook_hands_out_the_banks_numbers():
    names = {"torch": torch}
    exec(master_cell("honest ="), names)
    logits, tokens = best_temperature.overconfident()
    assert torch.equal(names["logits"], logits)
    assert torch.equal(names["tokens"], tokens)
