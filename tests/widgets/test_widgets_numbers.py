"""What JavaScript computes equals torch within 1e-5, on random inputs; it speaks the kernel's sentences."""

import random
import shutil
from pathlib import Path

import pytest
import torch
from widget_driver import run_js, taken
from widget_examples import playground, quiz

from attnbook.widgets import QKVPlayground
from attnbook.widgets.attend import attend

ROOT = Path(__file__).parents[2] / "src" / "attnbook" / "widgets"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The shipped module of the playground, named so that Node takes it for one."""
    folder = tmp_path_factory.mktemp("bundle")
    shutil.copy(ROOT / "static" / "QKVPlayground.js", folder / "widget.mjs")
    return folder


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


def test_javascript_and_python_equal_torch(node, bundle):
    cases = list(random_cases())
    out = run_js(
        node,
        bundle,
        'import { attend } from "./widget.mjs";\nconsole.log(JSON.stringify(data.map(attend)));',
        cases,
    )
    for case, js in zip(cases, out, strict=True):
        python = attend(**case)
        for name, expected in zip(("scores", "weights", "context"), torch_attention(case), strict=True):
            for got in (js[name], python[name]):
                got = torch.as_tensor(got, dtype=torch.float64)
                torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_the_default_scale_is_the_books_own_function(node, bundle):
    nn = pytest.importorskip("attnbook.nn")
    cases = [c for c in random_cases(60, seed=1) if c["mode"] == "soft" and max(map(abs, c["query"])) < 50]
    for case in cases:
        case.update(temperature=1, scale=None)
    out = run_js(
        node,
        bundle,
        'import { attend } from "./widget.mjs";\nconsole.log(JSON.stringify(data.map(attend)));',
        cases,
    )
    assert cases
    for case, js in zip(cases, out, strict=True):
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
const {{ sentence, check }} = await import({(ROOT / "js" / "qkv_playground.js").as_uri()!r});
const {{ grade }} = await import({(ROOT / "js" / "base.js").as_uri()!r});
const said = (state) => [sentence(state), state.prediction && grade(state.prediction), check(state)];
console.log(JSON.stringify(data.map(said)));
"""
    for w, (sentence, score, wrong) in zip(made, run_js(node, tmp_path, program, states), strict=True):
        assert sentence == w.summary
        assert score == w.score
        assert wrong == ""


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
const {{ sentence, grade }} = await import({(ROOT / "js" / "quiz.js").as_uri()!r});
const said = ([questions, state]) => [sentence(questions, state), grade(questions, state)];
console.log(JSON.stringify(data.map(said)));
"""
    out = run_js(node, tmp_path, program, [[w.questions, w.state] for w in made])
    assert [tuple(x) for x in out] == [(w.summary, w.score) for w in made]


CORRUPT = [
    ("query", None),
    ("query", [1]),
    ("query", ["1", 2]),
    ("key", []),
    ("key", [[1, 2], [1]]),
    ("value", None),
    ("value", [[1, 0], [0, 1], []]),
    ("labels", ["a", "b", 3]),
    ("mask", [1, 1, 1]),
    ("temperature", 0),
    ("temperature", None),
    ("mode", "toString"),
    ("scale", "x"),
    ("fixed", [2, 0, 0]),
    ("revealed", 1),
    ("prediction", {"choice": 9, "share": 0.5, "answer": 0, "actual": 0.5}),
    ("prediction", {"choice": 0}),
]


def test_javascript_refuses_what_the_kernel_refuses(node, tmp_path):
    assert taken(node, tmp_path, "qkv_playground.js", playground().state, CORRUPT) == []
