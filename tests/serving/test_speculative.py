"""Speculative decoding has the distribution of the target: on outputs that can be listed, with controls."""

from itertools import product

import pytest
import torch

from attnbook.nn import GPT
from attnbook.serving import (
    CachedReader,
    acceptance_rate,
    expected_tokens,
    residual,
    speculate,
    speed_up,
    verify,
)

VOCAB, NEW, SAMPLES = 3, 3, 6_000


def table(seed, sharpness=1.5):
    """A model of which every answer is a row of a table: random, by the tokens so far."""
    generator = torch.Generator().manual_seed(seed)
    rows = {
        words: (sharpness * torch.randn(VOCAB, generator=generator)).softmax(0)
        for length in range(1, NEW + 8)
        for words in (list(product(range(VOCAB), repeat=length)) if length <= NEW + 1 else [])
    }
    uniform = torch.full((VOCAB,), 1 / VOCAB)

    def read(tokens, n):
        words = tokens.tolist()
        return torch.stack([
            rows.get(tuple(words[: len(words) - n + 1 + i]), uniform) for i in range(n)
        ])  # fmt: skip

    return read


def probabilities(target):
    """Of each of the outputs of NEW tokens after token 0, by the chain rule."""
    found = {}
    for words in product(range(VOCAB), repeat=NEW):
        p = target(torch.tensor([0, *words]), NEW + 1)
        found[words] = torch.stack([p[i, w] for i, w in enumerate(words)]).prod().item()
    return found


def p_value(counts, expected, n):
    """Of Pearson's chi-squared statistic."""
    statistic = sum((counts.get(k, 0) - n * p) ** 2 / (n * p) for k, p in expected.items())
    half = torch.tensor([(len(expected) - 1) / 2, statistic / 2], dtype=torch.float64)
    return torch.special.gammaincc(half[0], half[1]).item()


def without_correction(p, q, drafted, generator=None):
    """Wrong: after a refusal another draw from the target itself."""
    for i, token in enumerate(drafted):
        if torch.rand((), generator=generator) * q[i, token] >= p[i, token]:
            return i, torch.multinomial(p[i], 1, generator=generator)
    return len(drafted), torch.multinomial(p[-1], 1, generator=generator)


def always(p, q, drafted, generator=None):
    """Wrong: every drafted token stands."""
    return len(drafted), torch.multinomial(p[-1], 1, generator=generator)


def p_value_of(rule, n_drafted, target, draft):
    generator = torch.Generator().manual_seed(7)
    counts = {}
    for _ in range(SAMPLES):
        out = speculate(target, draft, torch.tensor([0]), NEW, n_drafted, generator, rule)
        words = tuple(out.tokens[1:].tolist())
        counts[words] = counts.get(words, 0) + 1
    return p_value(counts, probabilities(target), SAMPLES)


@pytest.mark.parametrize("n_drafted", [1, 2, 4])
def test_exact_in_distribution(n_drafted):
    assert p_value_of(verify, n_drafted, table(1), table(2)) > 0.001


@pytest.mark.parametrize("rule", [without_correction, always])
def test_the_test_sees_a_wrong_rule(rule):
    assert p_value_of(rule, 2, table(1), table(2)) < 1e-6


def test_one_step_exactly():
    """What is accepted and what is drawn after a refusal add up to p, in exact arithmetic."""
    p, q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]).double()
    accepted = torch.minimum(p, q)
    torch.testing.assert_close(accepted + (1 - accepted.sum()) * residual(p, q), p)
    assert acceptance_rate(p, q).item() == pytest.approx(0.4)


def test_a_perfect_draft_is_always_accepted():
    target = table(1)
    out = speculate(target, target, torch.tensor([0]), 9, 2, torch.Generator().manual_seed(0))
    assert out.accepted == [2, 2, 2]
    assert out.rounds == 3


def test_an_impossible_draft_is_never_accepted():
    p, q = torch.tensor([[0.5, 0.5, 0.0]] * 2), torch.tensor([[0.0, 0.0, 1.0]])
    for seed in range(20):
        stand, token = verify(p, q, torch.tensor([2]), torch.Generator().manual_seed(seed))
        assert stand == 0
        assert token.item() in (0, 1)


def test_tokens_of_a_round_are_as_many_as_the_formula_says():
    """Independent tokens, so the formula's assumption holds."""
    p, q = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.3, 0.3, 0.4])
    alpha = acceptance_rate(p, q).item()
    read = lambda row: lambda tokens, n: row.expand(n, -1)  # noqa: E731
    out = speculate(read(p), read(q), torch.tensor([0]), 6_000, 3, torch.Generator().manual_seed(1))
    written = [a + 1 for a in out.accepted]
    mean = sum(written) / len(written)
    error = torch.tensor(written).double().std().item() / len(written) ** 0.5
    assert abs(mean - expected_tokens(alpha, 3)) < 4 * error
    assert abs(mean - expected_tokens(alpha + 0.1, 3)) > 4 * error  # the measure would see another rate


def test_formulas():
    assert expected_tokens(0.8, 4) == pytest.approx((1 - 0.8**5) / (1 - 0.8))
    assert expected_tokens(1, 4) == 5
    assert expected_tokens(0, 4) == 1
    assert speed_up(0.8, 4, 0) == expected_tokens(0.8, 4)
    assert speed_up(0, 4, 0.1) == pytest.approx(1 / 1.4)  # a useless draft costs
    for call in (lambda: expected_tokens(1.2, 4), lambda: expected_tokens(-0.1, 4)):
        with pytest.raises(ValueError, match="alpha: expected a probability"):
            call()
    with pytest.raises(ValueError, match="cost: expected at least 0"):
        speed_up(0.5, 4, -1)


def test_a_gpt_drafts_for_a_gpt():
    torch.manual_seed(0)
    target = CachedReader(GPT(9, 8, 2, 2, positions="rotary"))
    draft = CachedReader(GPT(9, 8, 2, 1, positions="rotary"))
    out = speculate(target, draft, torch.tensor([1, 2]), 20, 3, torch.Generator().manual_seed(0))
    assert out.tokens.shape == (22,)
    assert target.calls == out.rounds < 20
    assert target.tokens_read < 2 + 4 * out.rounds + 1


@pytest.mark.parametrize(
    ("tokens", "n_new", "n_drafted", "message"),
    [
        (torch.tensor([1]), 0, 2, "n_new: expected"),
        (torch.tensor([1]), 3, 0, "n_drafted: expected"),
        (torch.tensor([]), 3, 1, "tokens: expected"),
    ],
)
def test_bad_input_is_named(tokens, n_new, n_drafted, message):
    with pytest.raises(ValueError, match=message):
        speculate(table(1), table(2), tokens, n_new, n_drafted)
