"""10.3: the learning rate that rises and then falls."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

JOIN = Mistakes(
    "join",
    right=min,
    max=Wrong(
        max,
        "The larger of the two is taken. Then the rate is enormous at the first step and "
        "grows without end after the warm-up; draw it.",
    ),
    sum=Wrong(
        lambda falling, rising: falling + rising,
        "The two parts are added. At each step only one of them counts, the smaller.",
    ),
    only_rises=Wrong(
        lambda falling, rising: rising,
        "The rate rises for ever: the part that falls, step^(−1/2), is missing.",
    ),
    only_falls=Wrong(
        lambda falling, rising: falling,
        "There is no warm-up: the part that rises is missing, so step 1 has the largest rate.",
    ),
)
WIDTH = Mistakes(
    "width",
    right=lambda d_model: d_model**-0.5,
    none=Wrong(lambda d_model: 1.0, "d_model is not used: all rates are multiplied by d_model^(−1/2)."),
    root=Wrong(
        lambda d_model: d_model**0.5,
        "You multiply by √d_model. A wider model takes smaller steps: the power is −1/2.",
    ),
    whole=Wrong(lambda d_model: 1 / d_model, "You divide by d_model instead of its root: the power is −1/2."),
)
RISE = Mistakes(
    "rise",
    right=-1.5,  # the power of warmup
    minus_one=Wrong(
        -1.0,
        "The rising part is step / warmup. At the step `warmup` the two parts have to meet, "
        "and step^(−1/2) is far below 1 there.",
    ),
    minus_half=Wrong(
        -0.5,
        "The rising part has the wrong power of warmup: −1/2 makes it cross the falling part "
        "within the first few steps. At the step `warmup` the two have to meet.",
    ),
)
COUNT = Mistakes(
    "count",
    right=lambda step: step,
    one_late=Wrong(
        lambda step: step - 1,
        "You count from 0: 1 is taken off the step, so your rates come one step late, and the first step is "
        "step 0. The first step is step 1, as in the paper.",
    ),
    from_0=Wrong(
        lambda step: step + 1,
        "The first step is treated as step 0: your rates come one step early. Here step "
        "counts from 1, as in the paper.",
    ),
)


def learning_rate(
    step, d_model, warmup, *, join=JOIN.right, width=WIDTH.right, rise=RISE.right, count=COUNT.right
):
    step = count(step)
    return join(step**-0.5, step * warmup**rise) * width(d_model)


def cases(draw: Draw) -> list[Case]:
    found = []
    for place in ("early", "early", "late", "late", "peak", "first"):
        warmup = draw.random.randint(60, 200)
        step = {
            "early": draw.random.randint(9, 40),
            "late": warmup + draw.random.randint(30, 300),
            "peak": warmup,
            "first": 1,
        }[place]
        found.append(
            Case(
                {"step": step, "d_model": draw.random.randint(16, 96), "warmup": warmup},
                group="plain" if place in ("early", "late") else "edge",
                note={"peak": "the last step of the warm-up", "first": "the first step"}.get(place, ""),
            )
        )
    return found


EXERCISE = Function(
    id="10.3",
    title="Warm up, then slow down",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="learning_rate(step, d_model, warmup)",
    outputs=(Output("rate", kind="number"),),
    reference=learning_rate,
    cases=cases,
    tolerance=(1e-4, 1e-9),
    mistakes=(JOIN, WIDTH, RISE, COUNT),
    together=2,
    meaningless=((JOIN["only_falls"], RISE), (COUNT["one_late"], JOIN), (COUNT["one_late"], RISE)),
    forbidden=("attnbook.training.schedules",),
    hints=(
        "Compute the falling part and the rising part, and take one of them.",
        "In Python a power is written `step**-0.5`.",
        "The rising part is `step * warmup**-1.5`; the smaller of the two, times `d_model**-0.5`.",
    ),
)
