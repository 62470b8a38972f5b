"""0.4: gradient descent that never clears its gradients."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

KEPT = Mistakes(
    "kept",
    right=lambda held, gradient: gradient,
    accumulated=Wrong(
        lambda held, gradient: held + gradient,
        "Each step uses the sum of all gradients so far, since `backward()` adds to what is already in "
        "`.grad`. The steps grow, run past the valley and swing back and forth. What has to happen to "
        "`.grad` between two steps?",
    ),
    nothing=Wrong(
        lambda held, gradient: torch.zeros_like(gradient),
        "The line stays where it was: the gradient is cleared after `backward()` and before the step, so the "
        "step is 0 times the rate. Clear it after the step, or before `backward()`.",
    ),
)
SIGN = Mistakes(
    "sign",
    right=lambda line, step: line - step,
    plus=Wrong(
        lambda line, step: line + step,
        "The step goes *up* the gradient: the loss rises from step to step. The gradient points to where "
        "the loss grows fastest.",
    ),
)


def gradient_of_mean(miss, x):
    """The gradient of the mean of the squared misses by slope and height."""
    return 2 * torch.stack([(miss * x).mean(), miss.mean()])


# Loss and gradient: (misses, x) → a number, and one for slope and height.
LOSS = Mistakes(
    "loss",
    right=lambda miss, x: ((miss**2).mean(), gradient_of_mean(miss, x)),
    sum=Wrong(
        lambda miss, x: ((miss**2).sum(), gradient_of_mean(miss, x) * len(x)),
        "The loss is the sum of the squared misses, not their mean. It grows with the number of points, "
        "and so does the step.",
    ),
    half=Wrong(
        lambda miss, x: ((miss**2).mean(), gradient_of_mean(miss, x) / 2),
        "Every step is half as long as it should be: the derivative of a square brings a factor 2 with it.",
    ),
)


# Which losses are kept: those of all lines on the way, the first and the last one included → losses.
WHEN = Mistakes(
    "when",
    right=lambda values: values[:-1],
    after=Wrong(
        lambda values: values[1:],
        "The losses are those *after* the step: the first one, of the line with which all begins, is "
        "missing.",
    ),
)


def descend(
    x, y, steps, learning_rate, *, kept=KEPT.right, sign=SIGN.right, loss=LOSS.right, when=WHEN.right
):
    line = torch.zeros(2)  # slope, height at 0
    held = torch.zeros(2)
    losses = []
    for _ in range(steps):
        value, gradient = loss(line[0] * x + line[1] - y, x)
        losses.append(value)
        held = kept(held, gradient)
        line = sign(line, learning_rate * held)
    losses.append(loss(line[0] * x + line[1] - y, x)[0])
    return line, when(torch.stack(losses))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        points, steps = draw.sizes(2, 4, 9)
        x = draw.normal(points)
        y = draw.random.uniform(1.0, 2.0) * x + draw.random.uniform(0.5, 1.5) + draw.normal(points, scale=0.1)
        rate = draw.random.uniform(0.03, 0.08)
        found.append(Case({"x": x, "y": y, "steps": steps, "learning_rate": rate}))
    return found


EXERCISE = Function(
    id="0.4",
    title="The descent that gets faster and faster",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="descend(x, y, steps, learning_rate)",
    outputs=(Output("line", ("slope and height",)), Output("losses", ("steps",))),
    reference=descend,
    cases=cases,
    mistakes=(KEPT, SIGN, LOSS, WHEN),
    meaningless=(
        (KEPT["nothing"], SIGN),
        (KEPT["nothing"], WHEN),
        (KEPT["nothing"], LOSS["half"]),
    ),
    hints=(
        "Print `line.grad` at each step. Does it get smaller as the line gets better?",
        "`backward()` adds. Who takes the old gradient away?",
        "One line at the end of the loop: `line.grad = None`, or `line.grad.zero_()`.",
    ),
)
