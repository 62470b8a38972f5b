"""0.4: numbers brought to one scale, with a look at the test set."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# The examples from which mean and spread are taken: (training, unseen) → those for each of the two.
SOURCE = Mistakes(
    "source",
    right=lambda training, unseen: (training, training),
    both=Wrong(
        lambda training, unseen: (torch.cat([training, unseen]), torch.cat([training, unseen])),
        "Mean and spread are taken over all examples, the unseen ones among them. So what the model is "
        "trained on depends on the test set, and the test is no longer one.",
    ),
    each=Wrong(
        lambda training, unseen: (training, unseen),
        "Each table is standardised with its own mean and spread. Then one and the same example gets other "
        "numbers in the test than in training, and a test of a single example cannot be made at all.",
    ),
    unseen=Wrong(
        lambda training, unseen: (unseen, unseen),
        "Mean and spread come from the unseen examples. At the time of training nobody has seen them.",
    ),
)
# What is divided by: (examples, dim) → number or one a feature.
SPREAD = Mistakes(
    "spread",
    right=lambda examples: examples.std(dim=0),
    variance=Wrong(
        lambda examples: examples.var(dim=0),
        "You divide by the variance, the square of the standard deviation.",
    ),
    none=Wrong(
        lambda examples: torch.ones(examples.shape[1]),
        "The mean is taken away, and the spread stays as it was: a feature in grams still outweighs one in "
        "kilograms.",
    ),
    whole=Wrong(
        lambda examples: examples.std(),
        "All features are divided by one number, the spread of the whole table. Each feature has its own.",
    ),
)
MIDDLE = Mistakes(
    "middle",
    right=lambda examples: examples.mean(dim=0),
    whole=Wrong(
        lambda examples: examples.mean(),
        "One mean of the whole table is taken away from every feature. Each feature has its own.",
    ),
    none=Wrong(
        lambda examples: torch.zeros(examples.shape[1]),
        "The mean is not taken away, so a feature that lies around 100 still lies far from 0.",
    ),
)


def standardise(training, unseen, *, source=SOURCE.right, spread=SPREAD.right, middle=MIDDLE.right):
    first, second = source(training, unseen)
    return (training - middle(first)) / spread(first), (unseen - middle(second)) / spread(second)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        examples, others, features = draw.sizes(3, 4, 9)
        scale = draw.uniform(features, low=0.5, high=4.0)
        centre = draw.normal(features, scale=3.0)
        found.append(
            Case(
                {
                    "training": centre + scale * draw.normal(examples, features),
                    "unseen": centre + 1.0 + 1.5 * scale * draw.normal(others, features),
                }
            )
        )
    return found


EXERCISE = Function(
    id="0.4",
    title="Seen before it was unseen",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="standardise(training, unseen)",
    outputs=(Output("training", ("examples", "features")), Output("unseen", ("others", "features"))),
    reference=standardise,
    cases=cases,
    mistakes=(SOURCE, SPREAD, MIDDLE),
    meaningless=((SOURCE, SPREAD["none"], MIDDLE["none"]),),  # nothing is done to either table
    hints=(
        "Change one number of the unseen examples. Which numbers of the *training* examples change with it?",
        "What is known at the time of training, and what is not?",
        "Mean and standard deviation of the training examples, one a feature, serve both tables.",
    ),
)
