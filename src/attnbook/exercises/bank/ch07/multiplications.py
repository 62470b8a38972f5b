"""7.7: how many multiplications self-attention takes."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

PROJECTIONS = Mistakes(
    "projections",
    right=lambda n, d_model, d_k, d_v: n * d_model * (2 * d_k + d_v),
    none=Wrong(
        lambda n, d_model, d_k, d_v: 0,
        "The three projections are not counted. Each word's vector is multiplied with W_Q, W_K and W_V.",
    ),
    two=Wrong(
        lambda n, d_model, d_k, d_v: n * d_model * (d_k + d_v),
        "One of the projections of queries and keys is missing: both make d_k numbers a word.",
    ),
    one_word=Wrong(
        lambda n, d_model, d_k, d_v: d_model * (2 * d_k + d_v),
        "The projections are counted for one word. All n words go through them.",
    ),
    all_d_k=Wrong(
        lambda n, d_model, d_k, d_v: 3 * n * d_model * d_k,
        "All three projections are counted with d_k. W_V makes d_v numbers a word.",
    ),
    square=Wrong(
        lambda n, d_model, d_k, d_v: 3 * n * d_model * d_model,
        "The projections are counted as if they were square. They make d_k or d_v numbers from d_model.",
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
    right=lambda n, d_v, d_k: n * n * d_v,
    none=Wrong(
        lambda n, d_v, d_k: 0,
        "The mixing of the values is not counted: n² weights, each times d_v numbers.",
    ),
    d_k=Wrong(
        lambda n, d_v, d_k: n * n * d_k,
        "The mixing is counted with d_k. What is mixed are the values, of d_v numbers.",
    ),
    one_query=Wrong(
        lambda n, d_v, d_k: n * d_v,
        "The mixing is counted for one query. Each of n words gets one of its own.",
    ),
)
TOTAL = Mistakes(
    "total",
    right=lambda parts, n, d_model, d_v: parts,
    chapter=Wrong(
        lambda parts, n, d_model, d_v: 3 * n * d_model**2 + 2 * n * n * d_model,
        "That is 3 n d² + 2 n² d, the chapter's count, with d = d_model. It holds when d_k and d_v are as "
        "large as d_model; here they are not.",
    ),
    doubled=Wrong(
        lambda parts, n, d_model, d_v: 2 * parts,
        "That is twice the number: each multiplication is counted together with an addition, as torch's "
        "counter of operations does. Asked for are the multiplications alone.",
    ),
    with_W_o=Wrong(
        lambda parts, n, d_model, d_v: parts + n * d_v * d_model,
        "You count a fourth matrix that brings the contexts back to d_model numbers. Multi-head attention "
        "has one (chapter 8); this layer has three.",
    ),
)


def multiplications(
    n, d_model, d_k, d_v,
    *, projections=PROJECTIONS.right, scores=SCORES.right, mix=MIX.right, total=TOTAL.right,
):  # fmt: skip
    parts = projections(n, d_model, d_k, d_v) + scores(n, d_model, d_k) + mix(n, d_v, d_k)
    return float(total(parts, n, d_model, d_v))


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
    mistakes=(PROJECTIONS, SCORES, MIX, TOTAL),
    together=2,  # three together come out as two others do
    meaningless=tuple((TOTAL["chapter"], part) for part in (PROJECTIONS, SCORES, MIX)),
    hints=(
        "Three parts: the projections, the scores, the weighted sums.",
        "A product of (a, b) with (b, c) needs a · b · c multiplications. Write down the shapes.",
        "(n, d_model) with (d_model, d_k), twice; with (d_model, d_v), once; (n, d_k) with (d_k, n); "
        "(n, n) with (n, d_v).",
    ),
)
