"""3.4: which of the encoder's states is the fixed vector."""

import torch

from attnbook.exercises.cases import source_mask
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def at(states, places):
    """The state of each sentence at its place."""
    return states[torch.arange(len(states)), places]


PICK = Mistakes(
    "pick",
    right=lambda states, mask: at(states, mask.sum(dim=1) - 1),
    last_column=Wrong(
        lambda states, mask: states[:, -1],
        "You take the state at the last place of the batch. In a short sentence that place is padding: the "
        "encoder has read on after the sentence's end.",
    ),
    one_late=Wrong(
        lambda states, mask: at(states, mask.sum(dim=1).clamp(max=mask.shape[1] - 1)),
        "One place too far: a sentence of 3 words has its last word at place 2, counted from 0. You take "
        "the first padding.",
    ),
    first=Wrong(
        lambda states, mask: states[:, 0],
        "You take the state after the first word, which has read nothing of the rest.",
    ),
    mean=Wrong(
        lambda states, mask: (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True),
        "You average the states of the words. That is a sentence vector, too, but not this one: the fixed "
        "vector is the state after the last word alone.",
    ),
    longest=Wrong(
        lambda states, mask: states[:, int(mask.sum(dim=1).max()) - 1],
        "Every sentence gets the place where the longest one ends. Each has an end of its own.",
    ),
    shortest=Wrong(
        lambda states, mask: states[:, int(mask.sum(dim=1).min()) - 1],
        "Every sentence gets the place where the shortest one ends. Each has an end of its own.",
    ),
)


def last_state(states, mask, *, pick=PICK.right):
    return pick(states, mask)


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, True, True):
        batch, length, hidden = draw.sizes(3, 4, 9)
        mask = torch.ones(batch, length, dtype=torch.bool)
        if padded:
            mask = source_mask(draw, batch, length)
            mask[0, :2], mask[0, 2:] = True, False
            mask[1, :3], mask[1, 3:] = True, False
        found.append(
            Case(
                {"states": draw.normal(batch, length, hidden), "mask": mask},
                group="mask" if padded else "plain",
                note="sentences end in padding" if padded else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="3.4",
    title="A vector that depends on its neighbours",
    bug=True,
    points=2,
    minutes=8,
    difficulty="medium",
    signature="last_state(states, mask)",
    outputs=(Output("vector", ("batch", "hidden")),),
    reference=last_state,
    cases=cases,
    mistakes=(PICK,),
    hints=(
        "At which place does the sentence with the mask [True, True, False, False] end?",
        "`mask.sum(dim=1)` counts the words of each sentence; places are counted from 0.",
        "`states[torch.arange(len(states)), ends]` takes one state a sentence, at places of their own.",
    ),
)
