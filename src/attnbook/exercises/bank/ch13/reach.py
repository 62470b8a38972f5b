"""13.2: how far back a pattern of windows and full layers reaches."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (windows) → how many tokens further back one layer reaches; windows (batch, layers), 0 for full attention.
STEP = Mistakes(
    "step",
    right=lambda windows: windows - 1,
    whole=Wrong(
        lambda windows: windows,
        "Each layer adds its whole window. The window holds the token itself, so a layer goes w − 1 tokens "
        "further back.",
    ),
)
STACK = Mistakes(
    "stack",
    right=lambda steps: 1 + steps.sum(1),
    without_itself=Wrong(
        lambda steps: steps.sum(1),
        "The token itself is missing: it can change its own answer, so it counts.",
    ),
    widest=Wrong(
        lambda steps: 1 + steps.amax(1),
        "You take the widest window alone. What a layer reads has itself read further back in the layer "
        "below, so the steps add up.",
    ),
    product=Wrong(
        lambda steps: (steps + 1).prod(1),
        "The windows are multiplied. Two layers of window 3 reach 2 + 2 tokens back, not 9.",
    ),
    last=Wrong(
        lambda steps: 1 + steps[:, -1],
        "Only the last layer is counted. The tokens that it reads have gone through the layers below.",
    ),
)
FULL = Mistakes(
    "full",
    right=lambda reach, windows, length: torch.where((windows == 0).any(1), length, reach),
    ignored=Wrong(
        lambda reach, windows, length: reach,
        "A 0 stands for full attention, and you count it as a window. One such layer brings the whole text.",
    ),
    all_needed=Wrong(
        lambda reach, windows, length: torch.where((windows == 0).all(1), length, reach),
        "You give the whole text only where *all* layers are full. One full layer is enough, wherever it "
        "stands.",
    ),
)
LIMIT = Mistakes(
    "limit",
    right=lambda reach, length: reach.clamp(max=length),
    none=Wrong(
        lambda reach, length: reach,
        "Your windows reach over the beginning of the text: there are only `length` tokens.",
    ),
)


def reach(windows, length, *, step=STEP.right, stack=STACK.right, full=FULL.right, limit=LIMIT.right):
    return limit(full(stack(step(windows)), windows, length), length)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "full", "short"):
        batch, layers = draw.sizes(2, 3, 7)
        windows = draw.integers(batch, layers, low=3, high=9)
        windows[0] = torch.tensor(draw.sizes(layers, 2, 9))  # all different
        length = int(windows.sum()) + int(windows.prod(1).max())
        if kind == "full":
            windows[:, 1] = 0
            windows[0] = 0  # a stack of full layers alone
            windows[-1] = 5  # and one without any
        if kind == "short":
            length = int(windows.sum(1).min()) - layers - 1
        note = {"full": "a layer attends to everything", "short": "a short text"}.get(kind, "")
        group = "plain" if kind == "plain" else "edge"
        found.append(Case({"windows": windows, "length": length}, group=group, note=note))
    return found


EXERCISE = Function(
    id="13.2",
    title="How far back?",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="reach(windows, length)",
    outputs=(Output("reach", ("batch",)),),
    reference=reach,
    cases=cases,
    mistakes=(STEP, STACK, FULL, LIMIT),
    # One window alone never reaches over the beginning of these texts.
    meaningless=((STACK["widest"], LIMIT["none"]), (STACK["last"], LIMIT["none"])),
    together=2,
    forbidden=("attnbook.analysis",),
    hints=(
        "One layer with a window of 3: the token itself and two before it. Two such layers: how many?",
        "Every layer adds w − 1 tokens, and the token itself counts once.",
        "`1 + (windows - 1).sum(1)`, at most `length`; where a row holds a 0, `length`.",
    ),
)
