"""15.4: a classical Hopfield network whose energy must never rise."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def _weights(patterns):
    made = patterns.T @ patterns / patterns.shape[1]
    return made - torch.diag(made.diagonal())


def _one_by_one(state, W, order, sign=1):
    state = state.clone()
    energies = [_energy(state, W)]
    for i in order.tolist():
        field = W[i] @ state
        if field != 0:
            state[i] = sign * torch.sign(field)
        energies.append(_energy(state, W))
    return state, torch.stack(energies)


def _energy(state, W):
    return -0.5 * state @ W @ state


def _at_once(state, W, order):
    old, state = state, state.clone()
    energies = [_energy(state, W)]
    for i in order.tolist():
        field = W[i] @ old
        if field != 0:
            state[i] = torch.sign(field)
        energies.append(_energy(state, W))
    return state, torch.stack(energies)


# (state, W, order) → state, energies.
UPDATE = Mistakes(
    "update",
    right=_one_by_one,
    sign=Wrong(
        lambda state, W, order: _one_by_one(state, W, order, -1),
        "Each position takes the sign *against* what the others say, so every step climbs. The energy counts "
        "agreement with a minus: agree, and it falls.",
    ),
    at_once=Wrong(
        _at_once,
        "All positions look at the state of the beginning, as if they changed at the same time. Then the "
        "energy "
        "can rise. Each must see what the ones before it have become.",
    ),
)
DIAGONAL = Mistakes(
    "diagonal",
    right=_weights,
    kept=Wrong(
        lambda patterns: patterns.T @ patterns / patterns.shape[1],
        "The diagonal of W is not 0: each position also listens to itself, and holds on to what it is.",
    ),
    undivided=Wrong(
        lambda patterns: _weights(patterns) * patterns.shape[1],
        "W is not divided by the number of positions, so your energies are larger by that factor.",
    ),
)
MEASURE = Mistakes(
    "measure",
    right=lambda energies: energies,
    plus=Wrong(
        lambda energies: -energies,
        "The minus of the energy is missing: yours rises where it should fall.",
    ),
    twice=Wrong(
        lambda energies: 2 * energies,
        "The half is missing. Each pair of positions stands twice in the double sum.",
    ),
)


def settle(patterns, state, order, *, update=UPDATE.right, diagonal=DIAGONAL.right, measure=MEASURE.right):
    state, energies = update(state, diagonal(patterns), order)
    return state, measure(energies)


def _fits(state, order, W) -> bool:
    """Whether it matters that positions change one by one, and no position is ever undecided: there rounding
    would decide.
    """
    settled = _one_by_one(state, W, order)[0]
    if not (settled != _at_once(state, W, order)[0]).any():
        return False
    fields, now = list(W @ state), state.clone()
    for i in order.tolist():
        fields.append(W[i] @ now)
        now[i] = settled[i]
    return min(abs(field.item()) for field in fields) > 1e-3


def cases(draw: Draw) -> list[Case]:
    found = []
    while len(found) < 3:
        count, d = draw.random.choice((2, 3)), draw.random.choice((11, 13, 15))
        patterns, state = draw.normal(count, d).sign(), draw.normal(d).sign()
        order = draw.permutation(d)
        if _fits(state, order, _weights(patterns)) and _fits(state, order, patterns.T @ patterns / d):
            found.append(Case({"patterns": patterns, "state": state, "order": order}))
    return found


EXERCISE = Function(
    id="15.4",
    title="The energy never rises",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="settle(patterns, state, order)",
    outputs=(Output("state", ("d",)), Output("energies", ("steps",))),
    reference=settle,
    cases=cases,
    mistakes=(UPDATE, DIAGONAL, MEASURE),
    together=2,
    properties=(
        Property(
            "The energies should never rise from one step to the next. Yours do.",
            lambda args, outputs: bool((outputs["energies"].diff() < 1e-4).all()),
        ),
    ),
    forbidden=("attnbook.nn",),
    hints=(
        "Print the energies. In which direction do they go, and which line decides about that?",
        "A position should agree with what the others say, W[i] @ state.",
        "The sign of the new value is the sign of W[i] @ state.",
    ),
)
