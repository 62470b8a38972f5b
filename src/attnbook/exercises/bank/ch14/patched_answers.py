"""14.5: activation patching by hand, one state at a time."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _read(keys, values, query, w):
    weights = torch.softmax(keys @ query / math.sqrt(keys.shape[-1]), dim=-1)
    return torch.einsum("bw,bwd,d->b", weights, values, w)


def _with(states, donors, place):
    patched = states.clone()
    patched[:, place] = donors[:, place]
    return patched


# (states, donors, place) → keys and values of the patched run.
PATCH = Mistakes(
    "patch",
    right=lambda states, donors, place: (_with(states, donors, place),) * 2,
    value_only=Wrong(
        lambda states, donors, place: (states, _with(states, donors, place)),
        "The weights are those of the unpatched text: only the value was exchanged. The state is the key as "
        "well, so everything after it has to be computed again.",
    ),
    key_only=Wrong(
        lambda states, donors, place: (_with(states, donors, place), states),
        "The donor's state decides about the weights alone; what is averaged are still the old states.",
    ),
    all_but=Wrong(
        lambda states, donors, place: (_with(donors, states, place),) * 2,
        "It is the other way round: you keep one state of the text, and take all the others from the donor.",
    ),
    cumulative=Wrong(
        lambda states, donors, place: (
            (torch.cat([donors[:, : place + 1], states[:, place + 1 :]], dim=1),) * 2
        ),
        "Patches pile up: when the second state is patched, the first is still the donor's. Begin each patch "
        "with a fresh copy of the states.",
    ),
    zeros=Wrong(
        lambda states, donors, place: (_with(states, torch.zeros_like(donors), place),) * 2,
        "The state is set to zero. That is an ablation; a patch puts the donor's state there.",
    ),
)
SHARE = Mistakes(
    "share",
    right=lambda patched, own, other: (patched - own) / (other - own),
    difference=Wrong(
        lambda patched, own, other: patched - own,
        "You return how far the logit moved. Divide by the whole way, from the text's own logit to the "
        "donor's.",
    ),
    from_the_donor=Wrong(
        lambda patched, own, other: (other - patched) / (other - own),
        "Your share is 1 where nothing happened. Count from the text's own answer: 0 is nothing, 1 is all "
        "the way.",
    ),
    logit=Wrong(
        lambda patched, own, other: patched,
        "You return the logit of the patched text. How much of the way to the donor's did it go?",
    ),
    absolute=Wrong(
        lambda patched, own, other: ((patched - own) / (other - own)).abs(),
        "The signs are gone. A patch can move the answer away from the donor's.",
    ),
)


def patched_answers(states, donors, query, w, *, patch=PATCH.right, share=SHARE.right):
    own, other = _read(states, states, query, w), _read(donors, donors, query, w)
    moved = []
    for place in range(states.shape[1]):
        keys, values = patch(states, donors, place)
        moved.append(share(_read(keys, values, query, w), own, other))
    return torch.stack(moved, dim=1)


def signs_show(found: list[Case]) -> bool:
    """Whether some share is below 0, also where all states but one are exchanged."""
    return all(
        any(bool((patched_answers(**case.args, patch=patch) < -0.02).any()) for case in found)
        for patch in (PATCH.right, PATCH["all_but"].code)
    )


def cases(draw: Draw) -> list[Case]:
    while not signs_show(found := some_cases(draw)):
        pass
    return found


def some_cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, words, d = draw.sizes(3, 3, 8)
        query, w = draw.normal(d, scale=1.5), draw.normal(d)
        states, donors = draw.normal(batch, words, d), draw.normal(batch, words, d)
        # Logits that lie well apart: the share divides by their difference.
        donors = donors + 2 * w / w.norm()
        found.append(Case({"states": states, "donors": donors, "query": query, "w": w}))
    return found


EXERCISE = Function(
    id="14.5",
    title="One state from elsewhere",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="patched_answers(states, donors, query, w)",
    outputs=(Output("share", ("batch", "words")),),
    reference=patched_answers,
    cases=cases,
    mistakes=(PATCH, SHARE),
    together=2,
    tolerance=(5e-4, 1e-4),
    forbidden=("attnbook.analysis",),
    hints=(
        "Write a small function from states (batch, words, d) to logits (batch,), and call it for the text, "
        "for the donor and for each patched text.",
        "A patched text: `patched = states.clone()`, then `patched[:, j] = donors[:, j]`.",
        "(patched logit − own logit) / (donor's logit − own logit), one column for each word.",
    ),
)
