"""0.7: cross-entropy from scratch."""

import math

import torch

from attnbook.exercises.spec import (
    Case,
    Draw,
    Function,
    Mistakes,
    Output,
    Property,
    Wrong,
)

BASE = Mistakes(
    "base",
    right=math.e,
    two=Wrong(
        2.0,
        "This is right up to a factor: a logarithm to base 2 counts in bits. The natural logarithm, "
        "`torch.log`, counts in nats.",
    ),
)
SIGN = Mistakes(
    "sign",
    right=-1,
    plus=Wrong(
        1,
        "The sign is missing. The logarithm of a share is negative, and minus makes the loss positive: 0 "
        "is perfect, large is bad.",
    ),
)
OVER = Mistakes(
    "over",
    right=-1,
    batch=Wrong(
        0,
        "The softmax runs over the batch: the examples compete with each other. The classes of one "
        "example should.",
    ),
)
TOTAL = Mistakes(
    "total",
    right=torch.mean,
    sum=Wrong(torch.sum, "The losses of the examples are added up; the mean was asked for."),
)
INPUT = Mistakes(
    "given",
    right=lambda logits, dim: logits,
    shares=Wrong(
        lambda logits, dim: torch.softmax(logits, dim=dim),
        "Softmax was applied twice: shares went in where logits should. The loss can then never come "
        "near 0, however sure the model is.",
    ),
)


def log_of_shares(logits, dim):
    """The logarithm of the softmax, one after the other: large logits overflow."""
    powers = torch.exp(logits)
    return torch.log(powers / powers.sum(dim=dim, keepdim=True))


def log_plus(amount):
    """The logarithm of the softmax and a small number: finite, and not the loss."""
    return lambda logits, dim: torch.log(torch.softmax(logits, dim=dim) + amount)


TOO_SMALL = (
    "A small number is added to the share before the logarithm. It keeps the loss finite and makes it wrong: "
    "a right class 300 behind costs 300, not −log of the small number. `logsumexp` needs no such number."
)
FORM = Mistakes(
    "form",
    right=torch.log_softmax,
    plus_millionth=Wrong(log_plus(1e-6), TOO_SMALL),
    plus_billionth=Wrong(log_plus(1e-9), TOO_SMALL),
    underflow=Wrong(
        lambda logits, dim: torch.log(torch.softmax(logits, dim=dim)),
        "The softmax comes first and the logarithm after it. The share of a class that lies far behind "
        "rounds to 0, and the log of 0 is −∞: the loss is infinity, or NaN where `right` is 0. `log_softmax` "
        "or `logsumexp` does both in one.",
    ),
    overflow=Wrong(
        log_of_shares,
        "The exponential of a large logit is infinity, and the loss NaN. Subtract the row's largest "
        "logit first, or let `logsumexp` do it.",
    ),
)


# What an example is charged: (log_shares, right), both (batch, classes) → (batch).
PICK = Mistakes(
    "pick",
    right=lambda log_shares, right: (right * log_shares).sum(-1),
    divided=Wrong(
        lambda log_shares, right: (right * log_shares).mean(-1),
        "The loss is also divided by the number of classes: the products of one example are added up, and "
        "only the examples are averaged.",
    ),
    unused=Wrong(
        lambda log_shares, right: log_shares.mean(-1),
        "The mean goes over all classes, right and wrong ones: `right` is not used. Each class's price is "
        "weighed with its part of `right`.",
    ),
    one_of_them=Wrong(
        lambda log_shares, right: log_shares.gather(-1, right.argmax(-1, keepdim=True)).squeeze(-1),
        "Only the class with the largest part of `right` is charged. Here several answers can be right, each "
        "in part.",
    ),
    likeliest=Wrong(
        lambda log_shares, right: log_shares.amax(-1),
        "The share of the likeliest class is taken, whatever the right ones are. A model that is sure and "
        "wrong would have a small loss.",
    ),
    less_its_own=Wrong(
        lambda log_shares, right: (right * log_shares - torch.xlogy(right, right)).sum(-1),
        "Your loss is smaller by what `right` costs with itself: that is the Kullback–Leibler divergence "
        "(`kl_div` of torch). Asked for is the cross-entropy.",
    ),
)


def surprise(
    logits, right,
    *, base=BASE.right, sign=SIGN.right, over=OVER.right, total=TOTAL.right, given=INPUT.right,
    form=FORM.right, pick=PICK.right,
):  # fmt: skip
    log_shares = form(given(logits, over), dim=over)
    return sign * total(pick(log_shares, right) / math.log(base))


def cases(draw: Draw) -> list[Case]:
    found = []
    for shift in (0.0, 0.0, 0.0, 300.0):
        batch, classes = draw.sizes(2, 3, 9)
        found.append(
            Case(
                {
                    "logits": draw.normal(batch, classes, scale=1.5) + shift,
                    "right": torch.softmax(draw.normal(batch, classes, scale=1.5), dim=-1),
                },
                group="edge" if shift else "plain",
                note="all logits are near 300" if shift else "",
            )
        )
    batch, classes = draw.sizes(2, 3, 9)
    logits, right = draw.normal(batch, classes, scale=1.5), draw.integers(batch, high=classes)
    logits[0, (right[0] + 1) % classes] += 300.0  # sure, and wrong
    found.append(
        Case(
            {"logits": logits, "right": torch.nn.functional.one_hot(right, classes).to(logits.dtype)},
            group="edge",
            note="one class is right in each row, and once it lies 300 below another",
        )
    )
    return found


EXERCISE = Function(
    id="0.7",
    title="Cross-entropy from scratch",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="surprise(logits, right)",
    outputs=(Output("loss", ()),),
    reference=surprise,
    cases=cases,
    properties=(
        Property("a cross-entropy is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),
    ),
    mistakes=(BASE, SIGN, OVER, TOTAL, INPUT, FORM, PICK),
    meaningless=(
        (INPUT, FORM),
        *((PICK, family) for family in (BASE, SIGN, OVER, TOTAL, INPUT, FORM)),
        *(
            (FORM[name], family)
            for name in ("plus_millionth", "plus_billionth", "underflow")
            for family in (BASE, OVER, TOTAL)
        ),
    ),
    forbidden=("cross_entropy", "nll_loss"),
    hints=(
        "Softmax along the last dimension and its logarithm; each class's logarithm times its part of "
        "`right`.",
        "Add the products up within each example, take the mean over the examples, and mind the sign. With a "
        "single 1 in each row of `right` it is the loss of the chapter.",
        "log(e^a / Σ e^b) = a − log Σ e^b: `torch.logsumexp(logits, dim=-1, keepdim=True)` is the second "
        "part.",
    ),
)
