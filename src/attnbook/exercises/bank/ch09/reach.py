"""9.9: the longest sentence that every run of a model still reads."""

import itertools

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# Which lengths a model passes: accuracy (models, seeds, lengths), passes(accuracy) → (models, lengths).
SEEDS = Mistakes(
    "seeds",
    right=lambda accuracy, passes: passes(accuracy).all(dim=1),
    mean=Wrong(
        lambda accuracy, passes: passes(accuracy.mean(dim=1, keepdim=True)).all(dim=1),
        "You average over the seeds first. One bad seed disappears in a mean; asked is the length that "
        "*every* seed reaches.",
    ),
    any=Wrong(
        lambda accuracy, passes: passes(accuracy).any(dim=1),
        "One seed that holds out is enough for you. The best of several runs is what luck gives; asked is "
        "the length that every seed reaches.",
    ),
)
# What the share is taken of: the accuracy at the length of training, (models, seeds, 1).
BAR = Mistakes(
    "bar",
    right=lambda trained: trained,
    absolute=Wrong(
        lambda trained: torch.ones_like(trained),
        "The accuracy is compared with the share itself. The bar is that share of what the same run "
        "reached at the length of training.",
    ),
    shared=Wrong(
        lambda trained: trained.mean(dim=1, keepdim=True),
        "All seeds have one bar, from their mean at the length of training. Each seed has a bar of its own.",
    ),
)
# The index of the length that is reached: passed (models, lengths) → (models,).
GAPS = Mistakes(
    "gaps",
    right=lambda passed: passed.int().cumprod(dim=1).sum(dim=1) - 1,
    largest=Wrong(
        lambda passed: (passed * torch.arange(1, passed.shape[1] + 1)).amax(dim=1) - 1,
        "A model that fails at one length and passes at a longer one is counted up to the longer. The "
        "first failure ends the count.",
    ),
)


def reach(accuracy, lengths, share, *, seeds=SEEDS.right, bar=BAR.right, gaps=GAPS.right):
    passed = seeds(accuracy, lambda accuracy: accuracy >= share * bar(accuracy[:, :, :1]))
    return lengths[gaps(passed)]


APART = (  # what each case tells apart
    {},
    {"seeds": SEEDS["mean"].code},
    {"seeds": SEEDS["any"].code},
    {"bar": BAR["absolute"].code},
    {"bar": BAR["shared"].code},
    {"gaps": GAPS["largest"].code},
    {"seeds": SEEDS["any"].code, "bar": BAR["shared"].code},
    {"bar": BAR["absolute"].code, "gaps": GAPS["largest"].code},
)


def cases(draw: Draw) -> list[Case]:
    found = []
    while len(found) < 4:
        models, seeds, n_lengths = draw.random.randint(9, 12), draw.random.randint(3, 4), 7
        share = draw.random.choice([0.6, 0.7])
        trained = draw.uniform(models, seeds, 1, low=0.65, high=0.99)
        # From model to model, a length is passed by nearly every seed, or by one in three.
        keeps = draw.uniform(models, seeds, n_lengths) < draw.uniform(models, 1, 1, low=0.35, high=1.0)
        near = draw.uniform(models, 1, 1) < 0.5  # to the bar
        gap = 0.01 + draw.uniform(models, seeds, n_lengths, high=0.25) * torch.where(near, 0.4, 1.0)
        ratio = torch.where(keeps, share + gap, share - gap)
        ratio[:, :, 0] = 1.0
        lengths = draw.random.choice([8, 16, 32]) * torch.tensor([1, 2, 3, 4, 6, 8, 12])
        args = {"accuracy": trained * ratio, "lengths": lengths, "share": share}
        answers = [reach(**args, **codes) for codes in APART]
        if not any(torch.equal(one, other) for one, other in itertools.combinations(answers, 2)):
            found.append(Case(args))
    return found


EXERCISE = Function(
    id="9.9",
    title="How far does it reach?",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="reach(accuracy, lengths, share)",
    outputs=(Output("reached", ("models",)),),
    reference=reach,
    cases=cases,
    mistakes=(SEEDS, BAR, GAPS),
    together=2,
    meaningless=((SEEDS["mean"], BAR["shared"]),),
    hints=(
        "`accuracy[:, :, :1]` is what each run reached at the length of training: (models, seeds, 1).",
        "A table of True and False, (models, seeds, lengths); then `.all(dim=1)`.",
        "`.int().cumprod(dim=1)` keeps the ones up to the first zero; their sum says how many lengths "
        "were reached.",
    ),
)
