"""7.7: how many multiplications self-attention takes."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

PROJECTIONS = Mistakes(
    "projections",
    right=lambda n, d_model, d_k, d_v: n * d_model * (2 * d_k + d_v),
    none=Wrong(
        lambda n, d_model, d_k, d_v: 0,
        "The three tables are not counted. Each word's vector is multiplied with W_Q, W_K and W_V.",
    ),
    two=Wrong(
        lambda n, d_model, d_k, d_v: n * d_model * (d_k + d_v),
        "One of the tables of queries and keys is missing: both make d_k numbers a word.",
    ),
    one_word=Wrong(
        lambda n, d_model, d_k, d_v: d_model * (2 * d_k + d_v),
        "The tables are counted for one word. All n words go through them.",
    ),
    square=Wrong(
        lambda n, d_model, d_k, d_v: 3 * n * d_model * d_model,
        "The tables are counted as if they were square. They make d_k or d_v numbers from d_model.",
    ),
)
SCORES = Mistakes(
    "scores",
    right=lambda n, d_model, d_k: n * n * d_k,
    one_query=Wrong(
        lambda n, d_model, d_k: n * d_k,
        "Scores are counted for one query. Each of n words asks each of n words.",
    ),
    without_d_k=Wrong(
        lambda n, d_model, d_k: n * n,
        "There are n² scores, and each of them is a dot product of d_k multiplications.",
    ),
    d_model=Wrong(
        lambda n, d_model, d_k: n * n * d_model,
        "The scores are counted with d_model multiplications each. What is compared are queries and keys, "
        "of d_k numbers.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda n, d_v: n * n * d_v,
    none=Wrong(
        lambda n, d_v: 0,
        "The mixing of the values is not counted: n² weights, each times d_v numbers.",
    ),
    one_query=Wrong(
        lambda n, d_v: n * d_v,
        "The mixing is counted for one query. Each of n words gets one of its own.",
    ),
)


def multiplications(
    n, d_model, d_k, d_v, *, projections=PROJECTIONS.right, scores=SCORES.right, mix=MIX.right
):
    return float(projections(n, d_model, d_k, d_v) + scores(n, d_model, d_k) + mix(n, d_v))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        n, d_model, d_k, d_v = (draw.random.randrange(low, low + 40) for low in (11, 60, 110, 160))
        draw_order = [d_model, d_k, d_v]
        draw.random.shuffle(draw_order)
        found.append(Case({"n": n, "d_model": draw_order[0], "d_k": draw_order[1], "d_v": draw_order[2]}))
    return found


EXERCISE = Function(
    id="7.7",
    title="Count the multiplications",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="multiplications(n, d_model, d_k, d_v)",
    outputs=(Output("multiplications", kind="number"),),
    reference=multiplications,
    cases=cases,
    tolerance=(1e-9, 1e-3),
    mistakes=(PROJECTIONS, SCORES, MIX),
    hints=(
        "Three parts: the tables, the scores, the mixing.",
        "A product of (a, b) with (b, c) needs a · b · c multiplications. Write down the shapes.",
        "(n, d_model) with (d_model, d_k), twice; with (d_model, d_v), once; (n, d_k) with (d_k, n); "
        "(n, n) with (n, d_v).",
    ),
)
