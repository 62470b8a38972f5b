"""Chapter 14: its references agree with other ways to the same; what is planted is found and named."""

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


def distances_word_by_word(p, q):
    far, divergence = [], []
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        far.append(sum(max(x - y, 0) for x, y in zip(a, b, strict=True)))
        total = 0.0
        for x, y in zip(a, b, strict=True):
            middle = (x + y) / 2
            total += (x * math.log(x / middle) if x else 0) + (y * math.log(y / middle) if y else 0)
        divergence.append(total / 2)
    return torch.tensor(far), torch.tensor(divergence)


def dealt_text_by_text(weights, states, mask, draws):
    dealt = torch.zeros_like(weights)
    for row, real in enumerate(mask):
        words = int(real.sum())
        order = sorted(range(words), key=lambda word: draws[row, word].item())
        for place, word in enumerate(order):
            dealt[row, place] = weights[row, word]
    return dealt, torch.einsum("bw,bwd->bd", dealt, states)


def slope_by_formula(x, query, w, mask):
    """∂f/∂x_j = α_j w + α_j (w·x_j − f) q / √d, times x_j."""
    scale = math.sqrt(x.shape[-1])
    weights = torch.softmax((x @ query / scale).masked_fill(~mask, -math.inf), dim=1)
    each = x @ w
    f = (weights * each).sum(1, keepdim=True)
    return weights * (each + (each - f) * (x @ query) / scale) * mask


def patched_place_by_place(states, donors, query, w):
    def logit(text):
        scores = (text @ query / math.sqrt(len(query))).exp()
        return ((scores / scores.sum()) @ text) @ w

    found = torch.zeros(states.shape[:2])
    for row, (text, donor) in enumerate(zip(states, donors, strict=True)):
        for place in range(len(text)):
            patched = torch.stack([donor[i] if i == place else text[i] for i in range(len(text))])
            found[row, place] = (logit(patched) - logit(text)) / (logit(donor) - logit(text))
    return found


def layer_word_by_word(x, memory, self_W, cross_W, src_mask):
    def attended(query, memory, W):
        scores = (W[1] @ memory.T).T @ (W[0] @ query) / math.sqrt(len(query))
        return torch.softmax(scores, dim=0) @ (memory @ W[2].T)

    found = []
    for words, source, real in zip(x, memory, src_mask, strict=True):
        own = [word + attended(word, words[: i + 1], self_W) for i, word in enumerate(words)]
        found.append(torch.stack([word + attended(word, source[real], cross_W) for word in own]))
    return torch.stack(found)


def end_of_the_line_by_solving(weights, states):
    """The null direction from d + 1 equations with its last number set to 1; both ends tried."""
    found = []
    for row, text in zip(weights.double().numpy(), states.double().numpy(), strict=True):
        conditions = np.vstack([text.T, np.ones(len(text))])
        line = np.append(np.linalg.solve(conditions[:, :-1], -conditions[:, -1]), 1.0)
        ends = []
        for direction in (line, -line):
            steps = [w / -d for w, d in zip(row, direction, strict=True) if d < 0]
            ends.append(row + min(steps) * direction)
        found.append(max(ends, key=lambda end: np.abs(end - row).sum()))
    return torch.tensor(np.array(found)).float()


def norms_pair_by_pair(weights, x, W_v, b_v, W_o):
    found = torch.zeros_like(weights)
    for b, i, j in np.ndindex(*weights.shape):
        found[b, i, j] = (weights[b, i, j] * (W_o @ (W_v @ x[b, j] + b_v))).norm()
    return found


OTHER_WAYS = {
    "14.2": distances_word_by_word,
    "14.3": dealt_text_by_text,
    "14.4": slope_by_formula,
    "14.5": patched_place_by_place,
    "14.6": layer_word_by_word,
    "14.8": end_of_the_line_by_solving,
    "14.9": norms_pair_by_pair,
}


def test_every_exercise_with_inputs_is_tried_another_way():
    assert set(OTHER_WAYS) == {item.id for item in exercises(14) if item.has_inputs}


@pytest.mark.parametrize("id", OTHER_WAYS)
def test_a_right_answer_in_another_way_passes(id):
    for seed in range(5):
        verdict = verdict_on(id, OTHER_WAYS[id], seed)
        assert verdict.passed, (seed, verdict)


@pytest.mark.parametrize(
    ("id", "name", "mistake"),
    [("14.3", "deal_weights", {"order": "padding"}), ("14.6", "decoder_layer", {"reads": "itself"})],
)
def test_what_is_planted_runs_and_is_named(id, name, mistake):
    master = nbformat.read(ROOT / "solutions" / "14_using_attention.ipynb", as_version=4)
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


def test_the_agreement_is_that_of_the_formula():
    from attnbook.exercises.bank.ch14.agree_untrained import reader

    x, query, w = reader()
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    importance = slope_by_formula(x, query, w, mask).abs()
    weights = torch.softmax(x @ query / math.sqrt(8), dim=1)
    agree = (weights.argmax(1) == importance.argmax(1)).double().mean().item()
    assert exercise("14.7").reference() == pytest.approx(agree)
