"""15.8: CTC's rule, from one label a frame to what was said, and where each label began."""

from itertools import groupby

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _runs(path, blank):
    """(label, first frame) of each run of equal labels that is not blank."""
    at, found = 0, []
    for label, run in groupby(path):
        if label != blank:
            found.append((label, at))
        at += len(list(run))
    return found


def _blanks_first(path, blank):
    kept = [(label, at) for at, label in enumerate(path) if label != blank]
    return [one for i, one in enumerate(kept) if not i or kept[i - 1][0] != one[0]]


def _ends(path, blank):
    at, found = 0, []
    for label, run in groupby(path):
        at += len(list(run))
        if label != blank:
            found.append((label, at - 1))
    return found


def _once(path, blank):
    seen, found = set(), []
    for label, at in _runs(path, blank):
        if label not in seen:
            seen.add(label)
            found.append((label, at))
    return found


# (path, blank) → list of (label, frame).
RULE = Mistakes(
    "rule",
    right=_runs,
    blanks_first=Wrong(
        _blanks_first,
        "The blanks are taken out before repeats are merged. Then a label that was said twice, with a blank "
        "between, becomes one: merge first.",
    ),
    unmerged=Wrong(
        lambda path, blank: [(label, at) for at, label in enumerate(path) if label != blank],
        "Repeats are not merged: a label that lasts three frames was said once.",
    ),
    blanks_kept=Wrong(
        lambda path, blank: _runs(path, None),
        "The blanks are still there. They say that nothing is said, and go last.",
    ),
    once=Wrong(
        _once,
        "Each label comes once in all. Only neighbours that are equal are merged; a label may return later.",
    ),
    zero=Wrong(
        lambda path, blank: _runs(path, 0),
        "You take out 0, whatever the blank is. Use the argument.",
    ),
    ends=Wrong(
        _ends,
        "You give the last frame of each label. The first one is asked for.",
    ),
)


def collapse(path, blank, *, rule=RULE.right):
    found = rule(path, blank)
    return [label for label, _ in found], [at for _, at in found]


def cases(draw: Draw) -> list[Case]:
    found = []
    for edge in (False, False, False, True):
        blank = draw.random.choice((3, 5, 9))
        labels = [label for label in range(10) if label not in (0, blank)]
        a, b, c = draw.random.sample(labels, 3)
        # What tells the rules apart: a repeat, the same again after a blank, a label that returns, a 0.
        said = [a, a, blank, a, b, b, b, blank, 0, 0, c, a, blank, blank, b]
        path = [label for label in said for _ in range(draw.random.choice((1, 2)))]
        if edge:
            path = [blank] * draw.random.randint(2, 6)
        found.append(
            Case(
                {"path": path, "blank": blank},
                group="edge" if edge else "plain",
                note="blanks throughout" if edge else "",
            )
        )
    return found


EXERCISE = Function(
    id="15.8",
    title="From frames to words",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="collapse(path, blank)",
    outputs=(Output("labels", kind="tokens"), Output("frames", kind="tokens")),
    reference=collapse,
    cases=cases,
    mistakes=(RULE,),
    forbidden=("ctc_decode",),
    hints=(
        "Two steps, and their order matters: merge neighbours that are equal, then take out the blanks.",
        "A frame begins a label if its label is not the one of the frame before.",
        "Keep frame i where path[i] differs from path[i − 1] (or i is 0) and path[i] is not the blank.",
    ),
)
