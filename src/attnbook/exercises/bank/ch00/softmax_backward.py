"""0.10: a gradient on its way back through a softmax."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What is left of the gradient before it is multiplied by the weights: (weights, gradient) → (batch, n).
CENTRE = Mistakes(
    "centre",
    right=lambda weights, gradient: gradient - (weights * gradient).sum(dim=-1, keepdim=True),
    none=Wrong(
        lambda weights, gradient: gradient,
        "Each score answers only for its own weight. Raise one score, and all *other* weights of the row "
        "fall: their part is missing.",
    ),
    diagonal=Wrong(
        lambda weights, gradient: gradient * (1 - weights),
        "You have the diagonal, wᵢ(1 − wᵢ): how a weight answers to its own score. Raise one score, and the "
        "other weights of the row fall too; their part is missing.",
    ),
    mean=Wrong(
        lambda weights, gradient: gradient - gradient.mean(dim=-1, keepdim=True),
        "The plain mean of the gradient is taken away. Heavy places count for more: the mean is weighted, "
        "with the softmax's own weights.",
    ),
    batch=Wrong(
        lambda weights, gradient: gradient - (weights * gradient).sum(dim=0, keepdim=True),
        "The sum runs over the batch. The weights of one row share a whole, so the sum runs along the row.",
    ),
    added=Wrong(
        lambda weights, gradient: gradient + (weights * gradient).sum(dim=-1, keepdim=True),
        "The other weights *fall* when a score rises, so their part is subtracted. You add it.",
    ),
)
FACTOR = Mistakes(
    "factor",
    right=lambda weights, rest: weights * rest,
    none=Wrong(
        lambda weights, rest: rest,
        "The result is not multiplied by the weights. A score whose weight is nearly 0 can change nearly "
        "nothing.",
    ),
    twice=Wrong(
        lambda weights, rest: weights**2 * rest,
        "The weights are multiplied in twice.",
    ),
)


def softmax_backward(weights, gradient, *, centre=CENTRE.right, factor=FACTOR.right):
    return factor(weights, centre(weights, gradient))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        batch, n = draw.sizes(2, 3, 9)
        weights = draw.normal(batch, n, scale=1.5).softmax(dim=-1)
        found.append(Case({"weights": weights, "gradient": draw.normal(batch, n) + 0.5}))
    return found


EXERCISE = Function(
    id="0.10",
    title="Back through the softmax ★",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="softmax_backward(weights, gradient)",
    outputs=(Output("result", ("batch", "n")),),
    reference=softmax_backward,
    cases=cases,
    properties=(
        Property(
            "each row adds up to 0, since the same number added to all scores changes nothing",
            lambda args, outputs: bool((outputs["result"].sum(dim=-1).abs() < 1e-4).all()),
        ),
    ),
    mistakes=(CENTRE, FACTOR),
    forbidden=("backward(", "autograd", "diag_embed"),
    hints=(
        "How does weight i change when score j rises? Take i = j first: wᵢ(1 − wᵢ). Then i ≠ j: −wᵢwⱼ.",
        "Write the result for score j as a sum over all weights i, and take wⱼ out of it.",
        "What is left in brackets is the gradient at j, less the mean of the gradient along the row, "
        "weighted with w.",
    ),
)
