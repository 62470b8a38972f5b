"""Chapter 9: its references agree with the package's own modules, and right answers of other kinds pass."""

import math

import pytest
import torch

from attnbook.exercises import check, exercise
from attnbook.exercises.bank.ch09.unfinished import TRAINED, WIDE
from attnbook.exercises.bank.ch09.window_on_majority import IN_TRAINING, WHOLE, WINDOWED
from attnbook.exercises.judge import judge
from attnbook.experiments import extrapolation
from attnbook.nn import (
    ALiBi,
    RelativePositions,
    RotaryPositions,
    base_for_longer,
    causal_mask,
    interpolated_by_parts,
    masked_softmax,
    rotary_frequencies,
    scaled_dot_product_attention,
    window_mask,
)
from attnbook.nn.positions import sinusoids
from attnbook.worker.oracle import answer

SEEDS = range(20)


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def moved_by_a_matrix(encoding, k):
    blocks = []
    for i in range(encoding.shape[1] // 2):
        b = k * 10000 ** (-2 * i / encoding.shape[1])
        blocks.append(torch.tensor([[math.cos(b), math.sin(b)], [-math.sin(b), math.cos(b)]]))
    return encoding @ torch.block_diag(*blocks).T


def moved_through_the_angle(encoding, k):
    step = k / 10000 ** (torch.arange(0, encoding.shape[1], 2) / encoding.shape[1])
    angle = torch.atan2(encoding[:, 0::2], encoding[:, 1::2]) + step
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def turned_as_complex_numbers(x, positions):
    angle = positions[:, None, :, None] / 10000 ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2)


def turned_sentence_by_sentence(x, positions):
    module = RotaryPositions(x.shape[-1])
    rows = [
        [module(x[b, :, t : t + 1], start=int(positions[b, t])) for t in range(x.shape[2])]
        for b in range(x.shape[0])
    ]
    return torch.stack([torch.cat(row, dim=1) for row in rows])


def all_at_once(query, key, value):
    turn = RotaryPositions(query.shape[-1])
    return scaled_dot_product_attention(turn(query), turn(key), value, causal=True)[0]


def distances_by_loops(query, key, table):
    m = table.shape[0] // 2
    scores = torch.zeros(query.shape[0], query.shape[1], key.shape[1])
    for i in range(query.shape[1]):
        for j in range(key.shape[1]):
            vector = table[max(-m, min(m, j - i)) + m]
            scores[:, i, j] = (query[:, i] * (key[:, j] + vector)).sum(-1) / query.shape[-1] ** 0.5
    return scores


def distances_by_the_module(query, key, table):
    module = RelativePositions(query.shape[-1], table.shape[0] // 2)
    module.key_table.data = table
    return query @ key.mT / query.shape[-1] ** 0.5 + module.bias(query, key.shape[1])


def window_by_the_masks(scores, start, trained_length):
    every = start + scores.shape[1]
    keys = max(every, scores.shape[2])
    allowed = causal_mask(every, keys) & window_mask(every, keys, trained_length - 1)
    return masked_softmax(scores, allowed[start:, : scores.shape[2]])


def slowed_by_the_package(d_head, base, trained_length, factor):
    frequencies = rotary_frequencies(d_head, base)
    return interpolated_by_parts(frequencies, factor, trained_length, slow=1, fast=1).float()


@pytest.mark.parametrize(
    ("id", "thing"),
    [
        ("9.3", window_by_the_masks),
        ("9.4", moved_by_a_matrix),
        ("9.4", moved_through_the_angle),
        ("9.5", lambda n_heads, queries, keys, start: ALiBi(n_heads)(queries, keys, start)),
        ("9.6", turned_as_complex_numbers),
        ("9.6", turned_sentence_by_sentence),
        ("9.7", all_at_once),
        ("9.8", slowed_by_the_package),
        ("9.9", distances_by_loops),
        ("9.9", distances_by_the_module),
        ("9.10", lambda d_head, factor, base: base_for_longer(d_head, factor, base)),
    ],
)
def test_a_right_answer_written_in_another_way_passes(id, thing):
    for seed in SEEDS:
        verdict = verdict_on(id, thing, seed)
        assert verdict.passed, (seed, verdict)


def test_three_words_notice_that_two_others_changed_places():
    torch.manual_seed(0)
    words, order = torch.randn(5, 8), torch.tensor([0, 3, 2, 1, 4])
    before = scaled_dot_product_attention(words, words, words, causal=True)[0]
    after = scaled_dot_product_attention(words[order], words[order], words[order], causal=True)[0]
    apart = (after - before[order]).abs().amax(dim=-1)
    assert int((apart > 1e-3).sum()) == exercise("9.1").reference()


def test_the_angles_of_the_table_say_how_many_pairs_did_not_come_round():
    """Counted on the table itself: the angle between its first two rows, times the steps of training."""
    table = sinusoids(0, TRAINED, WIDE)
    step = torch.atan2(table[1, 0::2], table[1, 1::2])  # below half a turn for every pair
    assert int((step * (TRAINED - 1) < 2 * math.pi).sum()) == exercise("9.2").reference() == 52


def slows_all(d_head, base, trained_length, factor):
    return (rotary_frequencies(d_head, base) / factor).float()


def turns_over_heads(x, positions):
    return RotaryPositions(x.shape[-1])(x.transpose(1, 2)).transpose(1, 2)


def loves_distance(n_heads, queries, keys, start):
    return -ALiBi(n_heads)(queries, keys, start)


@pytest.mark.parametrize(
    ("id", "thing", "named"),
    [
        ("9.3", lambda scores, start, trained_length: window_by_the_masks(scores, start, trained_length + 1),
         {"limit": "one_more"}),
        ("9.4", lambda encoding, k: moved_by_a_matrix(encoding, -k), {"direction": "back"}),
        ("9.5", loves_distance, {"distance": "bonus"}),
        ("9.6", turns_over_heads, {"place": "heads"}),
        ("9.6", lambda x, positions: RotaryPositions(x.shape[-1])(x), {"place": "counted"}),
        ("9.9", lambda query, key, table: query @ key.mT / query.shape[-1] ** 0.5, {"content": "alone"}),
        ("9.9", lambda query, key, table: distances_by_loops(query, key, table.flip(0)),
         {"distance": "backwards"}),
        ("9.8", slows_all, {"which": "all"}),
        ("9.10", lambda d_head, factor, base: base * factor, {"power": "one"}),
    ],
)  # fmt: skip
def test_a_mistake_made_with_other_code_is_named(id, thing, named):
    for seed in SEEDS:
        assert verdict_on(id, thing, seed).named == [named], seed


def test_the_window_takes_answers_from_the_majority():
    """The numbers of 9.11, measured again as the exercise says."""
    reader = extrapolation.build("rotary", 0)
    extrapolation.train(reader, "majority", steps=200, seed=0)
    whole = extrapolation.accuracy(reader, "majority")
    reader.reach = 31
    windowed = extrapolation.accuracy(reader, "majority")
    assert whole["17–32"] == pytest.approx(IN_TRAINING, abs=0.01)
    assert whole["129–256"] == pytest.approx(WHOLE, abs=0.02)
    assert windowed["129–256"] == pytest.approx(WINDOWED, abs=0.02)


@pytest.mark.parametrize(
    ("id", "value", "word"),
    [
        ("9.1", 0, "without a mask"),
        ("9.1", 4, "another order"),
        ("9.2", 12, "the others"),
        ("9.2", 104, "counts columns"),
        ("9.11", WHOLE, "without the window"),
    ],
)
def test_wrong_values_are_told_why(id, value, word, monkeypatch, capsys):
    monkeypatch.setenv("ATTNBOOK_PROGRESS", "off")
    assert not check(id, value).passed
    assert word in " ".join(capsys.readouterr().out.split())
