"""Local attention against the paper's equations, at the sentence's edges, and at its limits."""

import numpy as np
import pytest
import torch

from attnbook.nn import (
    AdditiveScore,
    Attention,
    ConcatScore,
    DotScore,
    GatheredLocalAttention,
    GeneralScore,
    GRUDecoder,
    GRUEncoder,
    LocalAttention,
    LocationScore,
    Seq2Seq,
)

BATCH, TGT, SRC, D_QUERY, D_KEY = 2, 7, 9, 4, 6
LENGTHS = (6, 9)


def problem(alignment, window=2, **options):
    torch.manual_seed(5)
    local = LocalAttention(GeneralScore(D_QUERY, D_KEY), window, alignment, **options).double()
    query = 3 * torch.randn(BATCH, TGT, D_QUERY, dtype=torch.float64)
    key = torch.randn(BATCH, SRC, D_KEY, dtype=torch.float64)
    mask = (torch.arange(SRC) < torch.tensor(LENGTHS).unsqueeze(-1)).unsqueeze(1)
    return local, query, key, mask


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def paper(local, query, key, length, t):
    """Weights over one sentence for the query at position t: equations 7, 9 and 10, s counted from 0."""
    p = {name: value.detach().numpy() for name, value in local.named_parameters()}
    h, keys, window = query.numpy(), key.numpy()[:length], local.window
    centre = t
    if local.alignment == "predictive":
        centre = length * sigmoid(p["v_p.weight"][0] @ np.tanh(p["W_p.weight"] @ h))
    inside = [s for s in range(length) if centre - window <= s <= centre + window]
    weights = np.zeros(len(key))
    if not inside:
        return weights, centre
    e = np.array([h @ p["score.W.weight"] @ keys[s] for s in inside])
    align = np.exp(e) / np.exp(e).sum()
    for s, a in zip(inside, align, strict=True):
        weights[s] = a
        if local.alignment == "predictive":
            weights[s] *= np.exp(-((s - centre) ** 2) / (2 * (window / 2) ** 2))
    return weights, centre


@pytest.mark.parametrize("window", [1, 2, 3, 20])
@pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
def test_weights_are_the_papers(alignment, window, conforms):
    local, query, key, mask = problem(alignment, window)
    context, weights = local(query, key, key, mask)
    for b, length in enumerate(LENGTHS):
        for t in range(TGT):
            expected, _ = paper(local, query[b, t], key[b], length, t)
            row = f"NumPy loops from the paper: local, {alignment}"
            conforms(row, weights[b, t], torch.from_numpy(expected), 1e-12, "weights")
            conforms(row, context[b, t], torch.from_numpy(expected @ key[b].numpy()), 1e-12, "context")


def test_edges_of_the_sentence_cut_the_window():
    local, query, key, mask = problem("monotonic", 2)
    _, weights = local(query, key, key, mask)
    assert (weights[0] > 0).sum(-1).tolist() == [3, 4, 5, 5, 4, 3, 2]  # a sentence of 6, t = 0 … 6
    assert (weights[1] > 0).sum(-1).tolist() == [3, 4, 5, 5, 5, 5, 5]  # of 9
    torch.testing.assert_close(weights.sum(-1), torch.ones(BATCH, TGT, dtype=torch.float64))


def test_an_empty_window_gives_zeros():
    """Once t > S − 1 + D the window has left the sentence."""
    local, query, key, mask = problem("monotonic", 2)
    query.requires_grad_()
    context, weights = local(query, key, key, mask, position=5)  # t = 5 … 11, sentences of 6 and 9
    assert (weights.sum(-1) > 0).tolist() == [[True] * 3 + [False] * 4, [True] * 6 + [False]]
    assert not context[0, 3:].any()
    (gradient,) = torch.autograd.grad((context**2).sum(), query)
    assert gradient.isfinite().all()
    assert not gradient[0, 3:].any()


def test_gaussian_weights_are_not_normalised():
    local, query, key, mask = problem("predictive", 2)
    _, weights = local(query, key, key, mask)
    totals = weights.sum(-1)
    assert (totals < 1).all()
    assert (totals > 0).any()


def test_the_predicted_centre_is_real_within_the_sentence_and_learns():
    local, query, key, mask = problem("predictive", 2)
    centre = local.centre(query, key, mask)
    assert centre.shape == (BATCH, TGT, 1)
    assert ((centre > 0) & (centre < torch.tensor(LENGTHS)[:, None, None])).all()
    assert (centre != centre.round()).any()
    local(query, key, key, mask)[0].sum().backward()
    assert local.W_p.weight.grad.abs().sum() > 0
    assert local.v_p.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
def test_the_whole_sentence_and_no_gaussian_is_global(alignment):
    local, query, key, mask = problem(alignment, SRC, gaussian=False)
    torch.testing.assert_close(local(query, key, key, mask), Attention(local.score)(query, key, key, mask))


def test_word_by_word_is_all_at_once():
    local, query, key, mask = problem("monotonic", 2)
    _, weights = local(query, key, key, mask)
    prepared = local.score.prepare(key)
    for t in range(TGT):
        _, step = local(query[:, t : t + 1], key, key, mask, prepared=prepared, position=t)
        torch.testing.assert_close(step, weights[:, t : t + 1])


def test_without_a_mask_every_key_counts():
    local, query, key, _ = problem("predictive", 2)
    full = torch.ones(1, 1, SRC, dtype=torch.bool)
    torch.testing.assert_close(local(query, key, key), local(query, key, key, full))
    floating = torch.zeros(BATCH, 1, SRC, dtype=torch.float64).masked_fill(
        ~problem("predictive")[3], -torch.inf
    )
    torch.testing.assert_close(
        local(query, key, key, floating), local(query, key, key, problem("predictive")[3])
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LocalAttention(DotScore(), 0), ValueError, "window: expected a whole number of at least 1"),
        (lambda: LocalAttention(DotScore(), 1.5), TypeError, "window: expected a whole number"),
        (lambda: LocalAttention(DotScore(), 2, "middle"), ValueError, "alignment: expected 'monotonic' or"),
        (lambda: LocalAttention(DotScore(), 2, "predictive"), ValueError, "pass d_query=..."),
        (lambda: LocalAttention(AdditiveScore, 2), TypeError, "score: expected a score"),
        (
            lambda: LocalAttention(DotScore(), 2)(
                torch.ones(1, 2, 3), torch.ones(1, 2, 3), torch.ones(1, 4, 3)
            ),
            ValueError,
            "value: expected one row",
        ),
        (
            lambda: LocalAttention(DotScore(), 2)(*[torch.ones(1, 2, 3)] * 3, position=-1),
            ValueError,
            "position: expected a whole number of at least 0",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_dot_score_works_with_a_given_size():
    local = LocalAttention(DotScore(), 2, "predictive", d_query=D_KEY, d_attention=3)
    assert local(torch.randn(1, 2, D_KEY), *[torch.randn(1, 5, D_KEY)] * 2)[1].shape == (1, 2, 5)


SCORES = {
    "dot": lambda: DotScore(),
    "general": lambda: GeneralScore(D_KEY, D_KEY),
    "additive": lambda: AdditiveScore(D_KEY, D_KEY, 3),
    "concat": lambda: ConcatScore(D_KEY, D_KEY, 3),
}


def twins(score, alignment, window, **options):
    """A masked and a gathered window with the same parameters."""
    torch.manual_seed(6)
    masked = LocalAttention(SCORES[score](), window, alignment, d_query=D_KEY, **options).double()
    gathered = GatheredLocalAttention(SCORES[score](), window, alignment, d_query=D_KEY, **options).double()
    gathered.load_state_dict(masked.state_dict())
    return masked, gathered


@pytest.mark.parametrize("window", [1, 2, 20])
@pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
@pytest.mark.parametrize("score", SCORES)
def test_gathered_is_masked_with_its_gradients(score, alignment, window):
    masked, gathered = twins(score, alignment, window)
    mask = (torch.arange(SRC) < torch.tensor(LENGTHS).unsqueeze(-1)).unsqueeze(1)
    floating = torch.zeros(BATCH, 1, SRC, dtype=torch.float64).masked_fill(~mask, -torch.inf)
    for given, position in ((mask, 0), (mask, 6), (None, 3), (floating, 0)):
        found = []
        for local in (masked, gathered):
            torch.manual_seed(7)
            query = (3 * torch.randn(BATCH, TGT, D_KEY, dtype=torch.float64)).requires_grad_()
            key = torch.randn(BATCH, SRC, D_KEY, dtype=torch.float64, requires_grad=True)
            value = torch.randn(BATCH, SRC, 5, dtype=torch.float64, requires_grad=True)
            context, weights = local(query, key, value, given, position=position)
            inputs = [query, key, value, *local.parameters()]
            gradients = torch.autograd.grad((context**3).sum(), inputs, allow_unused=True)
            found.append((context, weights, *(g for g in gradients if g is not None)))
        torch.testing.assert_close(found[1], found[0])


def test_gathered_without_batch_without_gaussian_without_weights():
    masked, gathered = twins("general", "predictive", 2, gaussian=False)
    query, key = (torch.randn(n, D_KEY, dtype=torch.float64) for n in (TGT, SRC))
    torch.testing.assert_close(gathered(query, key, key), masked(query, key, key))
    context, weights = gathered(query, key, key, need_weights=False)
    assert weights is None
    torch.testing.assert_close(context, masked(query, key, key)[0])


def test_gathered_scores_only_the_window():
    """Keys outside the window, NaN here, are never touched; the masked window's context is spoilt by them."""
    masked, gathered = twins("dot", "monotonic", 2)
    query, key = (torch.randn(1, SRC, D_KEY, dtype=torch.float64) for _ in range(2))
    key[:, 6:] = torch.nan
    context, _ = gathered(query, key, key)
    assert context[:, :4].isfinite().all()
    assert context[:, 4:].isnan().any()
    assert masked(query, key, key)[0][:, :4].isnan().any()


def test_gathered_refuses_a_score_of_places():
    local = GatheredLocalAttention(LocationScore(D_KEY, SRC), 2)
    with pytest.raises(ValueError, match="score: expected a score that asks keys, got LocationScore"):
        local(*[torch.ones(1, 3, D_KEY)] * 3)


@pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
def test_a_decoder_looks_through_either_window(alignment):
    """Word by word and all at once, with padding: the gathered window gives the masked one's translator."""
    found = []
    for masked in (True, False):
        torch.manual_seed(8)
        kind = LocalAttention if masked else GatheredLocalAttention
        encoder = GRUEncoder(11, 4, 3, bidirectional=True)
        window = kind(GeneralScore(5, 6), 2, alignment)
        model = Seq2Seq(encoder, GRUDecoder(9, 4, 5, 6, window, input_feeding=True, query="current")).double()
        src, tgt = torch.randint(11, (2, SRC)), torch.randint(9, (2, 12))
        mask = torch.arange(SRC) < torch.tensor(LENGTHS).unsqueeze(-1)
        logits, weights = model(src, tgt, mask)
        state = model.start(src, mask)
        for t in range(12):
            step_logits, step_weights, state = model.step(tgt[:, t], state)
            torch.testing.assert_close(step_logits, logits[:, t])
            torch.testing.assert_close(step_weights, weights[:, t])
        found.append((logits, weights))
    torch.testing.assert_close(found[1], found[0])
