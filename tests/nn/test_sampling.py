"""What a token is drawn with: against loops written from the papers' words."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import GPT, sampling_probabilities

LOGITS = st.lists(st.integers(-60, 60).map(lambda tenths: tenths / 10), min_size=1, max_size=8)


def slowly(logits, temperature, top_k, top_p):
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    if temperature == 0:
        return [float(i == order[0]) for i in range(len(logits))]
    kept = order
    if top_k is not None:
        least = logits[order[min(top_k, len(order)) - 1]]
        kept = [i for i in order if logits[i] >= least]
    odds = {i: math.exp(logits[i] / temperature) for i in kept}
    total = sum(odds.values())
    odds = {i: odd / total for i, odd in odds.items()}
    if top_p is not None:
        nucleus, reached = {}, 0.0
        for i in kept:
            if reached < top_p - 1e-12:
                nucleus[i] = odds[i]
                reached += odds[i]
        odds = {i: odd / reached for i, odd in nucleus.items()}
    return [odds.get(i, 0.0) for i in range(len(logits))]


@settings(deadline=None)
@given(
    LOGITS,
    st.sampled_from([0, 0.5, 1.0, 2.0]),
    st.none() | st.integers(1, 9),
    st.none() | st.sampled_from([0.013, 0.317, 0.713, 0.937, 1.0]),
)
def test_as_the_papers_say(logits, temperature, top_k, top_p):
    found = sampling_probabilities(torch.tensor([logits], dtype=torch.double), temperature, top_k, top_p)[0]
    wanted = torch.tensor(slowly(logits, temperature, top_k, top_p), dtype=torch.double)
    torch.testing.assert_close(found, wanted)


def test_by_hand():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    nucleus = sampling_probabilities(logits, top_p=0.7)
    torch.testing.assert_close(nucleus, torch.tensor([0.625, 0.375, 0, 0]))
    torch.testing.assert_close(
        sampling_probabilities(logits, top_k=3), torch.tensor([0.5, 0.3, 0.15, 0]) / 0.95
    )
    sharper = sampling_probabilities(logits, temperature=0.5)
    torch.testing.assert_close(sharper[0] / sharper[1], torch.tensor((0.5 / 0.3) ** 2))


def test_the_nucleus_is_what_gpt_draws_from():
    torch.manual_seed(0)
    model = GPT(11, 16, 4, 1, max_length=12).eval()
    with torch.no_grad():
        model.embedding.weight.normal_(std=0.2)
    prompt = torch.zeros(400, 1, dtype=torch.long)
    drawn = set(model.generate(prompt, 1, top_p=0.5)[:, -1].tolist())
    odds = sampling_probabilities(model(prompt[:1])[0][0, -1], top_p=0.5)
    assert drawn == set(odds.nonzero().flatten().tolist())
    assert 1 < len(drawn) < 11


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"temperature": -1}, ValueError, "temperature: expected"),
        ({"top_k": 0}, ValueError, "top_k: expected"),
        ({"top_p": 0}, ValueError, "top_p: expected a number above 0"),
        ({"top_p": 1.5}, ValueError, "top_p: expected a number above 0"),
    ],
)
def test_bad_numbers_are_named(options, error, sentence):
    with pytest.raises(error, match=sentence):
        sampling_probabilities(torch.zeros(3), **options)
