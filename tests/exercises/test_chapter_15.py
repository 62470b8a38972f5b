"""Chapter 15: its references agree with other ways to the same; what is planted is found and named."""

import math

import nbformat
import numpy as np
import pytest
import torch

import make_exercises as generator
from attnbook.exercises import exercise, exercises
from attnbook.exercises.judge import judge
from attnbook.worker.oracle import answer
from project import ROOT


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def completed_state_by_state(state, patterns, known, beta):
    new, weights = state.clone(), torch.zeros(len(state), len(patterns))
    for i, row in enumerate(state):
        scores = [beta * sum(row[at] * p[at] for at in known[i].nonzero()) for p in patterns]
        powers = torch.tensor([math.exp(score) for score in scores])
        weights[i] = powers / powers.sum()
        for at in (~known[i]).nonzero().flatten().tolist():
            new[i, at] = sum(w * p[at] for w, p in zip(weights[i], patterns, strict=True))
    return new, weights


def settled_pair_by_pair(patterns, state, order):
    d = patterns.shape[1]
    state = state.tolist()

    def between(i, j):
        return 0 if i == j else sum(float(p[i] * p[j]) for p in patterns) / d

    def energy():
        return -sum(between(i, j) * state[i] * state[j] for i in range(d) for j in range(i))

    energies = [energy()]
    for i in order.tolist():
        said = sum(between(i, j) * state[j] for j in range(d))
        if abs(said) > 1e-9:
            state[i] = math.copysign(1.0, said)
        energies.append(energy())
    return torch.tensor(state), torch.tensor(energies)


def glances_story_by_story(u, key, value, mask):
    found, weights = [], torch.zeros(mask.shape)
    for row, (question, keys, values, real) in enumerate(zip(u, key, value, mask, strict=True)):
        for _ in range(2):
            dealt = torch.softmax(keys[real] @ question, dim=0)
            question = question + dealt @ values[real]
        weights[row, real] = dealt
        found.append(question)
    return torch.stack(found), weights


def skill_step_by_step(past, future, forecast, period):
    naive = torch.zeros_like(future)
    for row, series in enumerate(past.tolist()):
        extended = list(series)
        for step in range(future.shape[1]):
            extended.append(extended[len(extended) - period])
            naive[row, step] = extended[-1]
    found = [
        1 - np.abs((f - y).numpy()).sum() / np.abs((n - y).numpy()).sum()
        for f, y, n in zip(forecast, future, naive, strict=True)
    ]
    return naive, torch.tensor(found, dtype=torch.float32)


def features_frame_by_frame(history, filters):
    last, total = history[:, -1], history.sum(1)
    width = filters.shape[-1]
    found = torch.zeros(len(history), history.shape[2], len(filters))
    for b, j, n in np.ndindex(*found.shape):
        for r in range(width):
            at = j + r - (width - 1) // 2
            if 0 <= at < history.shape[2]:
                found[b, j, n] += filters[n, 0, r] * last[b, at] + filters[n, 1, r] * total[b, at]
    return found


def collapsed_with_a_state(path, blank):
    labels, frames, before = [], [], None
    for at, label in enumerate(path):
        if label not in (before, blank):
            labels.append(label)
            frames.append(at)
        before = label
    return labels, frames


def word_from_the_whole_distribution(p_gen, p_vocab, weights, src, target):
    """See et al. 2017, equation 9: all words first, those of the source beyond the vocabulary too."""
    size = int(max(src.max(), target.max())) + 1
    whole = torch.zeros(len(src), max(size, p_vocab.shape[1]))
    whole[:, : p_vocab.shape[1]] = p_gen[:, None] * p_vocab
    whole.scatter_add_(1, src, (1 - p_gen[:, None]) * weights)
    return whole.gather(1, target[:, None])[:, 0]


OTHER_WAYS = {
    "15.3": completed_state_by_state,
    "15.4": settled_pair_by_pair,
    "15.5": glances_story_by_story,
    "15.6": skill_step_by_step,
    "15.7": features_frame_by_frame,
    "15.8": collapsed_with_a_state,
    "15.9": word_from_the_whole_distribution,
}


def test_every_exercise_with_inputs_is_tried_another_way():
    assert set(OTHER_WAYS) == {item.id for item in exercises(15) if item.has_inputs}


@pytest.mark.parametrize("id", OTHER_WAYS)
def test_a_right_answer_in_another_way_passes(id):
    for seed in range(5):
        verdict = verdict_on(id, OTHER_WAYS[id], seed)
        assert verdict.passed, (seed, verdict)


@pytest.mark.parametrize(
    ("id", "name", "mistake"),
    [("15.4", "settle", {"update": "sign"}), ("15.5", "second_glance", {"next": "found"})],
)
def test_what_is_planted_runs_and_is_named(id, name, mistake):
    master = nbformat.read(ROOT / "solutions" / "15_beyond_text.ipynb", as_version=4)
    (source,) = [
        cell.source
        for cell in master.cells
        if "BEGIN PLANTED" in cell.source and f"def {name}" in cell.source
    ]
    names = {"torch": torch, "math": math}
    functions = [part for part in generator.stub(source).split("\n\n\n") if part.startswith("def ")]
    exec("\n\n\n".join(functions), names)
    for seed in range(5):
        verdict = verdict_on(id, names[name], seed)
        assert not verdict.passed
        assert verdict.named == [mistake]


def test_the_patterns_that_are_kept_are_those_of_the_package():
    """The same count from weights that torch's outer products make, pattern by pattern."""
    from attnbook.exercises.bank.ch15.how_many_kept import patterns

    count = exercise("15.10").reference()
    for n, kept in ((count, True), (count + 1, False)):
        stored = patterns()[:n]
        W = sum(torch.outer(x, x) for x in stored).fill_diagonal_(0)
        assert all(bool(((W @ x >= 0) == (x > 0)).all()) for x in stored) is kept


def test_gradient_descent_ends_where_the_search_does():
    from attnbook.exercises.bank.ch15.sharpness import best, error

    beta = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([beta], lr=0.02)
    for _ in range(500):
        optimizer.zero_grad()
        error(beta).backward()
        optimizer.step()
    assert beta.item() == pytest.approx(best(), rel=0.01)
