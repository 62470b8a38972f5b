"""10.2: layer normalisation."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

OVER = Mistakes(
    "over",
    right=(-1,),  # the axes that are averaged over
    words=Wrong(
        (1,),
        "Mean and variance are taken over the words of a sentence, for each number of the "
        "vector on its own. Layer normalisation looks at one word at a time: the axis is "
        "d_model, the last.",
    ),
    sentence=Wrong(
        (1, 2),
        "One mean and one variance serve all words of a sentence. Each word has its own: "
        "only the last axis is averaged over.",
    ),
    batch=Wrong(
        (0, 1),
        "Mean and variance are taken over the batch, for each number of the vector on its "
        "own: that is batch normalisation. A word would then depend on the other sentences"
        " that happen to be in its batch.",
    ),
)
CENTRE = Mistakes(
    "centre",
    right=lambda x, mean: x - mean,
    none=Wrong(
        lambda x, mean: x,
        "The mean is not subtracted: your rows have the right spread around the wrong middle.",
    ),
)
SPREAD = Mistakes(
    "spread",
    right=lambda x, axes, epsilon, root: root(x.var(axes, keepdim=True, unbiased=False), epsilon),
    unbiased=Wrong(
        lambda x, axes, epsilon, root: root(x.var(axes, keepdim=True, unbiased=True), epsilon),
        "The variance is divided by d_model − 1. Layer normalisation divides by d_model; `var` and `std` of "
        "torch take `unbiased=False` for that.",
    ),
    not_rooted=Wrong(
        lambda x, axes, epsilon, root: x.var(axes, keepdim=True, unbiased=False) + epsilon,
        "You divide by the variance itself. It is measured in squares: a vector twice as "
        "large has four times the variance. Its root brings the spread to 1.",
    ),
)
SMALL = Mistakes(
    "small",
    right=lambda variance, epsilon: torch.sqrt(variance + epsilon),
    outside=Wrong(
        lambda variance, epsilon: torch.sqrt(variance) + epsilon,
        "epsilon is added to the root. It belongs to the variance, before the root is taken; "
        "with a large epsilon the two differ much.",
    ),
    none=Wrong(
        lambda variance, epsilon: torch.sqrt(variance),
        "epsilon is left out. A word whose numbers are all equal has the variance 0, and 0 / 0 is NaN.",
    ),
)
AFFINE = Mistakes(
    "affine",
    right=lambda normal, gamma, beta: normal * gamma + beta,
    none=Wrong(
        lambda normal, gamma, beta: normal,
        "gamma and beta are not used. They stand at the end: one multiplies, one is added.",
    ),
    no_gamma=Wrong(
        lambda normal, gamma, beta: normal + beta,
        "gamma is not used: it multiplies the normalised numbers.",
    ),
    no_beta=Wrong(
        lambda normal, gamma, beta: normal * gamma, "beta is not used: it is added at the very end."
    ),
    exchanged=Wrong(
        lambda normal, gamma, beta: normal * beta + gamma,
        "gamma and beta are exchanged: gamma multiplies, beta is added.",
    ),
    beta_first=Wrong(
        lambda normal, gamma, beta: (normal + beta) * gamma,
        "beta is added before gamma multiplies, so that it is stretched, too.",
    ),
)


def layer_norm(
    x, gamma, beta, epsilon,
    *, over=OVER.right, centre=CENTRE.right, spread=SPREAD.right, small=SMALL.right, affine=AFFINE.right,
):  # fmt: skip
    centred = centre(x, x.mean(dim=over, keepdim=True))
    return affine(centred / spread(x, over, epsilon, small), gamma, beta)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("ordinary", "ordinary", "ordinary", "even"):
        batch, length, d_model = draw.sizes(3, 3, 9)
        x = draw.normal(batch, length, d_model, scale=1.4) + draw.normal(d_model)
        epsilon = draw.random.uniform(0.2, 0.4)
        if kind == "even":
            epsilon = 1e-5
            x[draw.random.randrange(batch), draw.random.randrange(length)] = 0.75
        found.append(
            Case(
                {
                    "x": x,
                    "gamma": draw.uniform(d_model, low=0.5, high=2.0),
                    "beta": draw.normal(d_model) - 0.5,
                    "epsilon": epsilon,
                },
                group="edge" if kind == "even" else "plain",
                note="all numbers of one word are equal" if kind == "even" else "",
            )
        )
    return found


EXERCISE = Function(
    id="10.2",
    title="Layer normalisation",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="layer_norm(x, gamma, beta, epsilon)",
    outputs=(Output("normalised", ("batch", "length", "d_model")),),
    reference=layer_norm,
    cases=cases,
    mistakes=(OVER, CENTRE, SPREAD, SMALL, AFFINE),
    together=2,
    meaningless=((SPREAD["not_rooted"], SMALL),),
    forbidden=("functional.layer_norm", "F.layer_norm", "LayerNorm", "attnbook.nn"),
    hints=(
        "Two numbers for each word: its mean and its variance over the last axis, with `keepdim=True`.",
        "`x.var(dim=-1, keepdim=True, unbiased=False)` divides by d_model.",
        "Subtract the mean, divide by the root of variance + epsilon, times gamma, plus beta.",
    ),
)
