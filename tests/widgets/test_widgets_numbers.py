"""What JavaScript computes equals torch within 1e-5, on random inputs; it speaks the kernel's sentences."""

import random
import re

import torch
from widget_driver import run_js
from widget_examples import QUESTIONS, quiz, translation
from widget_page import JS

from attnbook import nn
from attnbook.analysis.budget import Shape
from attnbook.widgets import (
    AlignmentExplorer,
    AttentionBudget,
    AttentionWindow,
    HeadExplorer,
    QKVPlayground,
    Quiz,
)

ATTENTION = (JS / "mechanisms" / "attention.js").as_uri()
ATTEND = f"import {{ attend }} from {ATTENTION!r};\nconsole.log(JSON.stringify(data.map(attend)));"


def float64(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def random_cases(count=200, seed=0):
    """Shapes, masks, modes, temperatures and scales; some hostile: huge scores, all masked, ties."""
    draw = random.Random(seed)
    for index in range(count):
        n, d_k, d_v = draw.randint(1, 64), draw.randint(1, 16), draw.randint(1, 8)
        size = draw.choice([0.1, 1, 5])
        if index % 10 == 0:
            size = 300
        vector = lambda d, size=size: [draw.gauss(0, size) for _ in range(d)]  # noqa: E731
        case = {
            "query": vector(d_k),
            "key": [vector(d_k) for _ in range(n)],
            "value": [vector(d_v, 1) for _ in range(n)],
            "temperature": draw.choice([0.05, 0.5, 1, 3, 100]),
            "scale": draw.choice([None, 1.0, 0.25, -1.0]),
            "mask": [draw.random() < 0.8 for _ in range(n)],
            "mode": draw.choice(["soft", "soft", "hard", "fixed"]),
            "fixed": [draw.random() for _ in range(n)],
        }
        if index % 20 == 1:
            case["mask"] = [False] * n
        if index % 20 == 2:
            case["key"] = [case["key"][0]] * n
        yield case


def torch_attention(case):
    """The same with torch in float64: its softmax, its argmax."""
    query, key, value = (float64(case[name]) for name in ("query", "key", "value"))
    mask = torch.tensor(case["mask"])
    scores = key @ query
    factor = case["scale"] if case["scale"] is not None else len(query) ** -0.5
    scaled = (scores * factor / case["temperature"]).masked_fill(~mask, -torch.inf)
    if case["mode"] == "fixed":
        weights = float64(case["fixed"]) * mask
    elif not mask.any():
        weights = torch.zeros(len(key), dtype=torch.float64)
    elif case["mode"] == "hard":
        weights = torch.nn.functional.one_hot(scaled.argmax(), len(key)).double()
    else:
        weights = torch.softmax(scaled, 0)
    return scores, weights, weights @ value


def test_javascript_and_the_kernel_equal_torch(node, tmp_path):
    cases = list(random_cases())
    for case, js in zip(cases, run_js(node, tmp_path, ATTEND, cases), strict=True):
        w = QKVPlayground(
            **{name: value for name, value in case.items() if name not in ("fixed", "mode")}, predict=False
        )
        if case["mode"] == "fixed":
            w.weights = case["fixed"]
        else:
            w.mode = case["mode"]
        # The kernel's state holds seven digits of each number.
        expected = zip(torch_attention(case), torch_attention(w.state), strict=True)
        for name, (of_case, of_state) in zip(("scores", "weights", "context"), expected, strict=True):
            torch.testing.assert_close(float64(js[name]), of_case, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(float64(getattr(w, name)), of_state, atol=1e-5, rtol=1e-5)


def test_the_default_scale_is_the_books_own_function(node, tmp_path):
    cases = [c for c in random_cases(60, seed=1) if c["mode"] == "soft" and max(map(abs, c["query"])) < 50]
    for case in cases:
        case.update(temperature=1, scale=None)
    assert cases
    for case, js in zip(cases, run_js(node, tmp_path, ATTEND, cases), strict=True):
        query, key, value = (float64(case[name])[None] for name in ("query", "key", "value"))
        context, weights = nn.scaled_dot_product_attention(
            query[:, None], key, value, mask=torch.tensor(case["mask"])[None, None]
        )
        torch.testing.assert_close(float64(js["weights"]), weights[0, 0], atol=1e-5, rtol=0)
        torch.testing.assert_close(float64(js["context"]), context[0, 0], atol=1e-5, rtol=0)


def test_widget_reads_what_torch_gives():
    torch.manual_seed(3)
    query, key, value = torch.randn(8), torch.randn(12, 8), torch.randn(12, 4)
    w = QKVPlayground(query, key, value)
    expected = torch.nn.functional.scaled_dot_product_attention(query[None], key, value)[0]
    torch.testing.assert_close(torch.tensor(w.context), expected, atol=1e-5, rtol=1e-4)


def test_sentences_and_scores_are_the_kernels(node, tmp_path):
    draw = random.Random(5)
    made, states = [], []
    for case in random_cases(60, seed=2):
        if max(map(abs, case["query"])) > 50:
            continue
        labels = [f"w{i}" for i in range(len(case["key"]))]
        fixed = [round(x, 3) for x in case.pop("fixed")]
        mode = case.pop("mode")
        w = QKVPlayground(**case, labels=labels, predict=draw.random() < 0.3)
        if mode == "fixed":
            w.weights = fixed
        else:
            w.mode = mode
        if draw.random() < 0.5:
            w.prediction = {"choice": draw.randrange(len(labels)), "share": round(draw.random(), 2)}
        made.append(w)
        states.append(w.state)
    program = f"""
globalThis.BOOK = true;
const {{ sentence }} = await import({(JS / "qkv_playground.js").as_uri()!r});
const {{ grade }} = await import({(JS / "lib" / "predict.js").as_uri()!r});
const said = (state) => [sentence(state), state.prediction && grade(state.prediction)];
console.log(JSON.stringify(data.map(said)));
"""
    for w, (sentence, score) in zip(made, run_js(node, tmp_path, program, states), strict=True):
        assert sentence == w.summary
        assert score == w.score


def test_quiz_grades_as_the_kernel_does(node, tmp_path):
    draw = random.Random(7)
    made = []
    for _ in range(40):
        w = quiz()
        w.answers = [draw.choice([[], [0], [1]]), sorted(draw.sample(range(3), draw.randint(0, 3)))]
        w.checked = [draw.random() < 0.6, draw.random() < 0.6]
        made.append(w)
    program = f"""
globalThis.BOOK = true;
const {{ sentence, grade }} = await import({(JS / "quiz.js").as_uri()!r});
const said = ([questions, state]) => [sentence(questions, state), grade(questions, state)];
console.log(JSON.stringify(data.map(said)));
"""
    out = run_js(node, tmp_path, program, [[w.questions, w.state] for w in made])
    assert [tuple(x) for x in out] == [(w.summary, w.score) for w in made]


def of_one():
    """Widgets of one question, one word, one head, …: each with what its page's `sentence` takes."""
    alone, one = [[1.0]], {"scores": [0.0], "tokens": ["yes"]}
    for predict in (True, False):
        w = Quiz(QUESTIONS[:1])
        yield w, "quiz", [w.questions, w.state]
        w = QKVPlayground([1.0], alone, alone, predict=predict)
        yield w, "qkv_playground", [w.state]
        w = HeadExplorer(["yes"], [[alone]], outputs=[[alone]], predict=predict)
        w.ablated = [(0, 0)]
        yield w, "heads/words", [w.state, w.content]
        w = AttentionBudget(Shape(1, 1, 1, 1, bits=1), length=1, predict=predict)
        yield w, "attention_budget", [w.state, w.get_state()["named"]]
        for mode in ("soft", "hard", "local-m"):
            w = AttentionWindow(**one, mode=mode, predict=predict)
            w.samples = 1
            yield w, "attention_window", [w.state, w.memory]
        example = translation(["yes"], ["oui"])
        w = AlignmentExplorer([example], scorer="dot", predict=predict)
        parts = {**w.examples[0]["scorers"]["dot"], "weights": alone}
        yield w, "alignment_explorer", [w.state, w.examples[0], parts]


def test_one_of_something_has_no_plural(node, tmp_path):
    made = list(of_one())
    program = f"""
globalThis.BOOK = true;
const said = [];
for (const [file, given] of data) {{
  const page = await import(`{JS.as_uri()}/${{file}}.js`);
  if (file === "attention_window") given[1] = page.unpackMemory(given[1]);
  said.push(page.sentence(...given));
}}
console.log(JSON.stringify(said));
"""
    said = run_js(node, tmp_path, program, [[file, given] for _, file, given in made])
    assert said == [w.summary for w, _, _ in made]
    for sentence in said:
        assert not re.search(r"\b1 (?:target |source )?\w+s\b", sentence), sentence
    assert sum(bool(re.search(r"\b1 \w", sentence)) for sentence in said) > 10
