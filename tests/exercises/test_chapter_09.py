"""Chapter 9: its references agree with the package's own modules, and right answers of other kinds pass."""

import math

import pytest
import torch

from attnbook.exercises import check, exercise
from attnbook.exercises.bank.ch09.unfinished import TRAINED, WIDE
from attnbook.exercises.judge import judge
from attnbook.nn import ALiBi, RelativePositions, RotaryPositions, scaled_dot_product_attention
from attnbook.nn.positions import sinusoids
from attnbook.worker.oracle import answer

SEEDS = range(20)


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def waves_by_loops(length, d_model, start):
    table = torch.zeros(length, d_model)
    for row in range(length):
        for i in range(d_model // 2):
            angle = (start + row) * math.exp(-2 * i * math.log(10000.0) / d_model)
            table[row, 2 * i], table[row, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


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


def reached_by_loops(accuracy, lengths, share):
    found = []
    for runs in accuracy.tolist():
        best = int(lengths[0])
        for n, length in enumerate(lengths.tolist()):
            if any(run[n] < share * run[0] for run in runs):
                break
            best = length
        found.append(best)
    return torch.tensor(found)


@pytest.mark.parametrize(
    ("id", "thing"),
    [
        ("9.2", waves_by_loops),
        ("9.2", lambda length, d_model, start: sinusoids(start, length, d_model).float()),
        ("9.4", moved_by_a_matrix),
        ("9.4", moved_through_the_angle),
        ("9.5", lambda n_heads, queries, keys, start: ALiBi(n_heads)(queries, keys, start)),
        ("9.6", turned_as_complex_numbers),
        ("9.6", turned_sentence_by_sentence),
        ("9.7", all_at_once),
        ("9.8", distances_by_loops),
        ("9.8", distances_by_the_module),
        ("9.9", reached_by_loops),
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
    assert int((step * (TRAINED - 1) < 2 * math.pi).sum()) == exercise("9.3").reference() == 52


def keeps_the_waves_at_zero(length, d_model, start):
    return sinusoids(0, length, d_model).float()


def turns_over_heads(x, positions):
    return RotaryPositions(x.shape[-1])(x.transpose(1, 2)).transpose(1, 2)


def loves_distance(n_heads, queries, keys, start):
    return -ALiBi(n_heads)(queries, keys, start)


@pytest.mark.parametrize(
    ("id", "thing", "named"),
    [
        ("9.2", keeps_the_waves_at_zero, {"begin": "at_0"}),
        ("9.4", lambda encoding, k: moved_by_a_matrix(encoding, -k), {"direction": "back"}),
        ("9.5", loves_distance, {"distance": "bonus"}),
        ("9.6", turns_over_heads, {"place": "heads"}),
        ("9.6", lambda x, positions: RotaryPositions(x.shape[-1])(x), {"place": "counted"}),
        ("9.8", lambda query, key, table: query @ key.mT / query.shape[-1] ** 0.5, {"content": "alone"}),
        ("9.8", lambda query, key, table: distances_by_loops(query, key, table.flip(0)),
         {"distance": "backwards"}),
    ],
)  # fmt: skip
def test_a_mistake_made_with_other_code_is_named(id, thing, named):
    for seed in SEEDS:
        assert verdict_on(id, thing, seed).named == [named], seed


@pytest.mark.parametrize(
    ("id", "value", "word"),
    [
        ("9.1", 0, "without a mask"),
        ("9.1", 4, "another order"),
        ("9.3", 12, "the others"),
        ("9.3", 104, "counts columns"),
    ],
)
def test_wrong_values_are_told_why(id, value, word, monkeypatch, capsys):
    monkeypatch.setenv("ATTNBOOK_PROGRESS", "off")
    assert not check(id, value).passed
    assert word in " ".join(capsys.readouterr().out.split())
