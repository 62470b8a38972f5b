"""Known mistakes are named, unknown ones are not, and a right answer written in another way passes.

The full table, on 50 seeds, is ``benchmarks/diagnosis.py``.
"""

import math
from collections import Counter

import pytest
import torch
from mutants import tally
from unrelated import unrelated_answers

from attnbook.exercises import exercise, exercises
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer

WITH_INPUTS = [item for item in exercises() if item.has_inputs]


def ids(item):
    return f"{item.id} {item.name}"


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


@pytest.mark.parametrize("item", WITH_INPUTS, ids=ids)
def test_every_known_mistake_is_rejected_and_named(item):
    found = tally(item, [2, 31])
    assert found.variants >= 3
    assert found.rejected == found.tried, found.notes
    assert found.named >= 0.95 * found.tried, found.notes
    assert found.misnamed == 0, found.notes


@pytest.mark.parametrize("item", WITH_INPUTS, ids=ids)
def test_other_wrong_answers_are_rejected_and_get_no_name(item):
    for seed in range(3):
        cases = item.make_cases(seed)
        for make in unrelated_answers(item):
            verdict = judge(item, cases, [answer(make(case, seed), item.request(case)) for case in cases])
            assert not verdict.passed
            assert verdict.named == []
            assert verdict.finding.sentence


def lookup_by_loops(query, key, value):
    batch, queries, d_k = query.shape
    context = torch.zeros(batch, queries, value.shape[-1])
    weights = torch.zeros(batch, queries, key.shape[1])
    for b in range(batch):
        for q in range(queries):
            scores = [float(query[b, q] @ key[b, k]) / math.sqrt(d_k) for k in range(key.shape[1])]
            powers = [math.exp(s - max(scores)) for s in scores]
            for k, power in enumerate(powers):
                weights[b, q, k] = power / sum(powers)
                context[b, q] += weights[b, q, k] * value[b, k]
    return context, weights


def lookup_by_einsum_in_float64(query, key, value):
    scores = torch.einsum("bqd,bkd->bqk", query.double(), key.double()) / query.shape[-1] ** 0.5
    weights = scores.softmax(-1)
    return torch.einsum("bqk,bkv->bqv", weights, value.double()).float(), weights.float()


def lookup_in_place(query, key, value):
    scores = torch.bmm(query, key.transpose(1, 2))
    scores /= query.size(-1) ** 0.5
    scores -= scores.max(dim=2, keepdim=True)[0]
    scores.exp_()
    scores /= scores.sum(2, keepdim=True)
    return [torch.bmm(scores, value), scores]


def mask_by_where(query, key, value, mask):
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    powers = torch.where(mask, scores, torch.tensor(-1e30)).exp()
    total = powers.sum(-1, keepdim=True)
    weights = powers / torch.where(total == 0, torch.ones_like(total), total)
    return weights @ value, weights


def mask_after_with_renormalising(query, key, value, mask):
    weights = torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, -1) * mask
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)
    return weights @ value, weights


class PoolingByLoops(torch.nn.Module):
    def __init__(self, width, count):
        super().__init__()
        self.query = torch.nn.Parameter(torch.zeros(count, width))
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, words, mask):
        rows = []
        for sentence, allowed in zip(words, mask, strict=True):
            scores = (self.query @ sentence.T) / self.query.shape[1] ** 0.5
            rows.append((scores + torch.where(allowed, 0.0, -torch.inf)).softmax(1))
        weights = torch.stack(rows)
        return torch.einsum("bqw,bwd->bqd", weights, words), weights


def gru_by_einsum(x, h, W, U, b):
    W, U, b = (part.unflatten(0, (3, h.shape[1])) for part in (W, U, b))
    r = torch.sigmoid(torch.einsum("oi,bi->bo", W[0], x) + torch.einsum("oi,bi->bo", U[0], h) + b[0])
    z = torch.sigmoid(torch.einsum("oi,bi->bo", W[1], x) + torch.einsum("oi,bi->bo", U[1], h) + b[1])
    n = torch.tanh(torch.einsum("oi,bi->bo", W[2], x) + torch.einsum("oi,bi->bo", U[2], h * r) + b[2])
    return n + z * (h - n)


def last_state_by_gather(states, mask):
    ends = mask.int().cumsum(1).argmax(1)
    return states.gather(1, ends[:, None, None].expand(-1, 1, states.shape[2])).squeeze(1)


def loss_by_torch(scores, target, stop):
    target = target.clone()
    for row in target:
        for end in (row == stop).nonzero()[:1]:
            row[end + 1 :] = -100
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), target.flatten())


def matches_by_loops(candidate, references, n):
    def pieces(words):
        return [words[i : i + n] for i in range(len(words)) if i + n <= len(words)]

    ours, hits = pieces(candidate), 0
    for i, piece in enumerate(ours):
        if piece not in ours[:i]:  # each n-gram once
            hits += min(ours.count(piece), max(pieces(each).count(piece) for each in references))
    return torch.tensor(hits), len(ours)


def bleu_by_counters(candidates, references):
    logs = 0.0
    for n in range(1, 5):
        hits = total = 0
        for candidate, reference in zip(candidates, references, strict=True):
            ours = Counter(zip(*(candidate[i:] for i in range(n)), strict=False))
            theirs = Counter(zip(*(reference[i:] for i in range(n)), strict=False))
            hits, total = hits + (ours & theirs).total(), total + ours.total()
        if not hits:
            return 0
        logs += math.log(hits / total)
    return math.exp(logs / 4 + min(0, 1 - sum(map(len, references)) / sum(map(len, candidates))))


def bleu_by_sacrebleu(candidates, references):
    from sacrebleu.metrics import BLEU

    metric = BLEU(tokenize="none", smooth_method="none", effective_order=False, force=True)
    ours, theirs = ([" ".join(map(str, each)) for each in texts] for texts in (candidates, references))
    return metric.corpus_score(ours, [theirs]).score / 100


def additive_by_einsum(queries, annotations, W, U, b, v, g):
    hidden = torch.einsum("ad,btd->bta", W, queries).unsqueeze(2)
    hidden = (hidden + torch.einsum("ad,bsd->bsa", U, annotations).unsqueeze(1) + b).tanh()
    return g * (hidden * torch.nn.functional.normalize(v, dim=0)).sum(-1)


def packed_by_scatter(scores, annotations, lengths):
    owner = torch.arange(len(lengths)).repeat_interleave(lengths)
    largest = torch.full((len(lengths),), -math.inf).scatter_reduce(0, owner, scores, "amax")
    powers = (scores - largest[owner]).exp()
    weights = powers / torch.zeros(len(lengths)).index_add(0, owner, powers)[owner]
    context = torch.zeros(len(lengths), annotations.shape[1])
    return context.index_add(0, owner, weights[:, None] * annotations), weights


def packed_by_padding(scores, annotations, lengths):
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    padded = torch.full(mask.shape, -math.inf).masked_scatter(mask, scores)
    weights = torch.softmax(padded, -1).nan_to_num(0.0)
    words = torch.zeros(*mask.shape, annotations.shape[1])
    words[mask] = annotations
    return (weights[:, None] @ words).squeeze(1), weights[mask]


def directions_by_gather(forward, backward, lengths):
    place = torch.arange(forward.shape[1])[None, :]
    index = (lengths[:, None] - 1 - place).clamp(min=0)
    turned = backward.gather(1, index[:, :, None].expand_as(backward))
    turned = turned * (place < lengths[:, None])[:, :, None]
    return torch.cat((forward, turned), 2)


def aer_by_sets(guess, sure, possible):
    a, s, p = ({tuple(link) for link in links.nonzero().tolist()} for links in (guess, sure, possible))
    return torch.tensor(1 - (len(a & s) + len(a & (p | s))) / (len(a) + len(s)))


@pytest.mark.parametrize(
    ("id", "thing"),
    [
        ("2.4", lookup_by_loops),
        ("2.4", lookup_by_einsum_in_float64),
        ("2.4", lookup_in_place),
        ("2.4", lambda q, k, v: lookup_in_place(q, k, v)),
        ("7.4", mask_by_where),
        ("7.4", mask_after_with_renormalising),
        ("2.9", PoolingByLoops),
        ("3.3", gru_by_einsum),
        ("3.4", last_state_by_gather),
        ("3.5", loss_by_torch),
        ("3.7", matches_by_loops),
        ("3.8", bleu_by_counters),
        ("3.8", bleu_by_sacrebleu),
        ("4.3", additive_by_einsum),
        ("4.4", packed_by_scatter),
        ("4.4", packed_by_padding),
        ("4.6", directions_by_gather),
        ("4.7", aer_by_sets),
    ],
)
def test_a_right_answer_written_in_another_way_passes(id, thing):
    for seed in range(30):
        verdict = verdict_on(id, thing, seed)
        assert verdict.passed, (seed, verdict)


def test_agreement_has_to_hold_on_all_cases():
    """An answer that makes a known mistake on some inputs only gets no name."""
    item = exercise("2.4")
    right, wrong = (
        lookup_in_place,
        lambda q, k, v: (torch.softmax(q @ k.mT, -1) @ v, torch.softmax(q @ k.mT, -1)),
    )
    cases = item.make_cases(4)
    replies = [answer(wrong if index == 0 else right, item.request(case)) for index, case in enumerate(cases)]
    verdict = judge(item, cases, replies)
    assert not verdict.passed
    assert verdict.named == []
    all_wrong = judge(item, cases, [answer(wrong, item.request(case)) for case in cases])
    assert all_wrong.named == [{"scale": "none"}]


def test_partial_credit_needs_every_plain_input():
    def forgets_empty_rows(vectors, mask):
        return vectors.masked_fill(~mask[..., None], -math.inf).amax(dim=1)

    verdict = verdict_on("0.6", forgets_empty_rows, 1)
    assert verdict.by_case == [True, True, True, False]
    assert verdict.credit == 0.75
    verdict = verdict_on("0.6", lambda vectors, mask: vectors.amax(dim=1), 1)
    assert verdict.by_case == [True, False, False, False]
    assert verdict.credit == 0.25
    verdict = verdict_on("0.6", lambda vectors, mask: vectors.amax(dim=1) * ~mask.all(), 1)
    assert verdict.credit == 0.0


def test_feedback_for_hidden_inputs_shows_none_of_them():
    def leaky(query, key, value):
        return lookup_in_place(query, key, value)[0] + 1, lookup_in_place(query, key, value)[1]

    verdict = verdict_on("2.4", leaky, 3)
    text = " ".join(verdict.feedback())
    assert verdict.finding.detail
    assert verdict.finding.detail not in text
    assert "got" not in text
