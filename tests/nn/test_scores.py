"""The five scores and global attention over them, against NumPy loops from the papers' equations."""

import numpy as np
import pytest
import torch

from attnbook.nn import (
    AdditiveScore,
    Attention,
    ConcatScore,
    DotScore,
    GeneralScore,
    LocationScore,
    scaled_dot_product_attention,
)

BATCH, QUERIES, KEYS, D, D_KEY, D_ATTENTION, D_V = 2, 3, 5, 4, 6, 7, 2


def make(name):
    torch.manual_seed(3)
    score = {
        "additive": lambda: AdditiveScore(D, D_KEY, D_ATTENTION),
        "dot": DotScore,
        "general": lambda: GeneralScore(D, D_KEY),
        "concat": lambda: ConcatScore(D, D_KEY, D_ATTENTION),
        "location": lambda: LocationScore(D, 8),
    }[name]().double()
    d_key = D if name == "dot" else D_KEY
    query = torch.randn(BATCH, QUERIES, D, dtype=torch.float64)
    key = torch.randn(BATCH, KEYS, d_key, dtype=torch.float64)
    return score, query, key, torch.randn(BATCH, KEYS, D_V, dtype=torch.float64)


def paper(name, score, s, h, j):
    """One number, from the equation in the paper: query s, key h at position j."""
    p = {k: v.detach().numpy() for k, v in score.named_parameters()}
    if name == "additive":
        return p["v.weight"][0] @ np.tanh(p["W.weight"] @ s + p["U.weight"] @ h)
    if name == "dot":
        return s @ h
    if name == "general":
        return s @ (p["W.weight"] @ h)
    if name == "concat":
        return p["v.weight"][0] @ np.tanh(p["W.weight"] @ np.concatenate([s, h]))
    return (p["W.weight"] @ s)[j]


NAMES = ["additive", "dot", "general", "concat", "location"]


@pytest.mark.parametrize("name", NAMES)
def test_scores_weights_and_context_are_the_papers(name, conforms):
    score, query, key, value = make(name)
    scores = score(query, key)
    mask = torch.arange(KEYS) < torch.tensor([[3], [5]])
    context, weights = Attention(score)(query, key, value, mask.unsqueeze(1))
    for b in range(BATCH):
        allowed = int(mask[b].sum())
        for i in range(QUERIES):
            e = np.array([paper(name, score, query[b, i].numpy(), key[b, j].numpy(), j) for j in range(KEYS)])
            a = np.exp(e[:allowed]) / np.exp(e[:allowed]).sum()
            for got, wanted in (
                (scores[b, i], e),
                (weights[b, i, :allowed], a),
                (context[b, i], a @ value[b, :allowed].numpy()),
            ):
                conforms("NumPy loops from the papers: scores", got, torch.from_numpy(wanted), 1e-12)
        assert not weights[b, :, allowed:].any()


@pytest.mark.parametrize("name", NAMES)
def test_prepared_keys_give_the_same(name):
    score, query, key, value = make(name)
    attention = Attention(score)
    torch.testing.assert_close(
        attention(query, key, value, prepared=score.prepare(key)), attention(query, key, value)
    )


@pytest.mark.parametrize("name", ["additive", "dot", "general", "concat"])
def test_weights_change_when_keys_change(name):
    score, query, key, value = make(name)
    _, before = Attention(score)(query, key, value)
    for j in range(KEYS):
        changed = key.clone()
        changed[:, j] += 1.0
        _, after = Attention(score)(query, changed, value)
        assert (after - before).abs().amax(dim=(1, 2)).min() > 1e-3, f"key {j} is never looked at"


@pytest.mark.parametrize("name", NAMES)
def test_weights_change_when_the_query_changes(name):
    score, query, key, value = make(name)
    _, before = Attention(score)(query, key, value)
    _, after = Attention(score)(query + 1.0, key, value)
    assert (after - before).abs().amax(dim=-1).min() > 1e-3


def test_location_ignores_keys_and_words_beyond_its_length():
    score = LocationScore(D, 3).double()
    query, key = torch.randn(1, 2, D).double(), torch.randn(1, 5, D_KEY).double()
    _, weights = Attention(score)(query, key, key)
    _, same = Attention(score)(query, torch.randn(1, 5, D_KEY).double(), key)
    torch.testing.assert_close(same, weights)
    assert not weights[..., 3:].any()
    _, short = Attention(score)(query, key[:, :2], key[:, :2])
    torch.testing.assert_close(short, torch.softmax(query @ score.W.weight[:2].T, -1))


def test_concat_is_additive_with_its_matrices_side_by_side():
    concat, query, key, _ = make("concat")
    additive = AdditiveScore(D, D_KEY, D_ATTENTION).double()
    with torch.no_grad():
        additive.W.weight.copy_(concat.W.weight[:, :D])
        additive.U.weight.copy_(concat.W.weight[:, D:])
        additive.v.weight.copy_(concat.v.weight)
    torch.testing.assert_close(additive(query, key), concat(query, key))


def test_dot_is_scaled_dot_product_attention_without_the_scale():
    score, query, key, value = make("dot")
    torch.testing.assert_close(
        Attention(score)(query, key, value), scaled_dot_product_attention(query, key, value, scale=1.0)
    )


def test_general_with_the_identity_is_dot():
    general, (dot, query, key, _) = GeneralScore(D, D).double(), make("dot")
    with torch.no_grad():
        general.W.weight.copy_(torch.eye(D))
    torch.testing.assert_close(general(query, key), dot(query, key))


@pytest.mark.parametrize("name", NAMES)
def test_fully_masked_rows_and_empty_sequences(name):
    score, query, key, value = make(name)
    query.requires_grad_()
    mask = torch.ones(BATCH, QUERIES, KEYS, dtype=torch.bool)
    mask[0, 1] = False
    context, weights = Attention(score)(query, key, value, mask)
    assert not context[0, 1].any()
    assert not weights[0, 1].any()
    context.sum().backward()
    assert query.grad.isfinite().all()
    assert not query.grad[0, 1].any()
    context, weights = Attention(score)(query, key[:, :0], value[:, :0])
    assert weights.shape == (BATCH, QUERIES, 0)
    assert not context.any()
    assert Attention(score)(query[:, :0], key, value)[0].shape == (BATCH, 0, D_V)
    assert Attention(score)(query[:1], key[:1], value[:1])[0].shape == (1, QUERIES, D_V)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda q, k: AdditiveScore(D, D_KEY, 0), ValueError, "d_attention: expected a whole number"),
        (lambda q, k: GeneralScore("4", 3), TypeError, "d_query: expected a whole number"),
        (lambda q, k: LocationScore(4, -1), ValueError, "max_length: expected a whole number"),
        (
            lambda q, k: AdditiveScore(D, D_KEY, 3)(k, k),
            ValueError,
            "query: expected last dimension d_query = 4",
        ),
        (lambda q, k: GeneralScore(D, D_KEY)(q, q), ValueError, "key: expected last dimension d_key = 6"),
        (lambda q, k: DotScore()(q, k), ValueError, "dot product needs equal sizes.*use GeneralScore"),
        (
            lambda q, k: Attention(GeneralScore(D, D_KEY))(q, k, k[:, :2]),
            ValueError,
            "value: expected one row",
        ),
        (
            lambda q, k: Attention(GeneralScore(D, D_KEY))(q, k, k, torch.ones(BATCH, KEYS).bool()),
            ValueError,
            r"mask: expected a shape that broadcasts.*unsqueeze\(-2\)",
        ),
        (
            lambda q, k: Attention(GeneralScore(D, D_KEY))(q, k, k, prepared=k[:, :2]),
            ValueError,
            "prepared: expected one row for each of the 5 keys",
        ),
        (
            lambda q, k: Attention(GeneralScore(D, D_KEY))(q.double(), k.double(), k.double()),
            ValueError,
            "query: expected torch.float32, as GeneralScore's parameters have, got torch.float64",
        ),
        (lambda q, k: Attention("dot"), TypeError, "score: expected a score such as"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(torch.randn(BATCH, QUERIES, D), torch.randn(BATCH, KEYS, D_KEY))
