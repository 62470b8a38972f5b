"""Chapter 13: its references agree with other ways to the same; what is planted is found and named."""

import nbformat
import pytest
import torch

import make_exercises as generator
from attnbook.analysis import budget
from attnbook.exercises import exercise, exercises
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer
from project import ROOT


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def reach_layer_by_layer(windows, length):
    """Which tokens are reached, as a set that grows with each layer from the last token on."""
    found = []
    for stack in windows.tolist():
        reached = {length - 1}
        for window in reversed(stack):
            back = window - 1 if window else length
            reached = {place for token in reached for place in range(max(0, token - back), token + 1)}
        found.append(len(reached))
    return torch.tensor(found)


def merged_in_logarithms(m_a, l_a, context_a, m_b, l_b, context_b):
    whole_a, whole_b = m_a + l_a.log(), m_b + l_b.log()
    both = torch.logaddexp(whole_a, whole_b)
    context = (whole_a - both).exp()[:, None] * context_a + (whole_b - both).exp()[:, None] * context_b
    m = torch.stack([m_a, m_b]).amax(0)
    return m, (both - m).exp(), context


def context_at_once(scores, value, size):
    return torch.softmax(scores, dim=-1) @ value


def step_number_by_number(state, query, key, value, gate):
    new = torch.zeros_like(state)
    out = torch.zeros_like(value)
    for b in range(len(state)):
        for i in range(state.shape[1]):
            for j in range(state.shape[2]):
                new[b, i, j] = gate[b, i] * state[b, i, j] + key[b, i] * value[b, j]
                out[b, j] += query[b, i] * new[b, i, j]
    return new, out


def delta_as_a_product(state, key, value, beta):
    """S (I − β k kᵀ) + β v kᵀ."""
    found, recalled = [], []
    for S, k, v, step in zip(state, key, value, beta, strict=True):
        k = torch.nn.functional.normalize(k, dim=0)
        new = S @ (torch.eye(len(k)) - step * torch.outer(k, k)) + step * torch.outer(v, k)
        found.append(new)
        recalled.append(new @ k)
    return torch.stack(found), torch.stack(recalled)


def blocks_by_counting(mask, size):
    rows, columns = (-(-length // size) for length in mask.shape)
    kinds = torch.zeros(rows, columns, dtype=torch.long)
    for i in range(rows):
        for j in range(columns):
            block = mask[i * size : (i + 1) * size, j * size : (j + 1) * size].flatten().tolist()
            kinds[i, j] = 0 if not any(block) else 2 if all(block) else 1
    return kinds


def chosen_query_by_query(query, key, size, k):
    chosen = torch.zeros(len(query), len(key) // size, dtype=torch.bool)
    for i, asking in enumerate(query):
        own = i // size
        scores = [(asking @ key[b * size : (b + 1) * size].mean(0)).item() for b in range(own)]
        best = sorted(range(own), key=lambda b: -scores[b])[:k]
        chosen[i, [*best, own]] = True
    return chosen


OTHER_WAYS = {
    "13.2": reach_layer_by_layer,
    "13.4": merged_in_logarithms,
    "13.5": context_at_once,
    "13.6": step_number_by_number,
    "13.7": delta_as_a_product,
    "13.8": blocks_by_counting,
    "13.9": chosen_query_by_query,
}


def test_every_exercise_with_inputs_is_tried_another_way():
    assert set(OTHER_WAYS) == {item.id for item in exercises(13) if item.has_inputs}


@pytest.mark.parametrize("id", OTHER_WAYS)
def test_a_right_answer_in_another_way_passes(id):
    for seed in range(5):
        verdict = verdict_on(id, OTHER_WAYS[id], seed)
        assert verdict.passed, (seed, verdict)


def test_what_is_planted_runs_and_is_named():
    master = nbformat.read(ROOT / "solutions" / "13_efficient_attention.ipynb", as_version=4)
    (source,) = [cell.source for cell in master.cells if "BEGIN PLANTED" in cell.source]
    names = {"torch": torch}
    (function,) = [part for part in generator.stub(source).split("\n\n\n") if part.startswith("def ")]
    exec(function, names)
    for seed in range(5):
        verdict = verdict_on("13.5", names["tiled_context"], seed)
        assert not verdict.passed
        assert verdict.named == [{"total": "not_rescaled"}]


def test_the_hybrid_is_the_one_of_the_calculator():
    shape = budget.Shape(48, 32, 8, 128, pattern="WWWF", window=1024)
    assert exercise("13.1").reference() == pytest.approx(budget.cache_bytes(shape, 200_000) / 1e9)


def test_the_lines_cross_where_both_take_the_same_time():
    n = exercise("13.3").reference() / 1000
    assert 3 * n**2 == pytest.approx(7.5 * n)


def test_the_first_confusion_pair_by_pair():
    from attnbook.exercises.bank.ch13.first_confusion import pairs

    def all_right(n):
        key, value = pairs(n)
        state = sum(torch.outer(v, k) for k, v in zip(key, value, strict=True))
        return all(int((value @ (state @ k)).argmax()) == i for i, k in enumerate(key))

    first = exercise("13.10").reference()
    assert all(all_right(n) for n in range(1, first))
    assert not all_right(first)
