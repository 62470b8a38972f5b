"""4.7: how far a guessed alignment is from sure and possible links."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def count(links) -> int:
    """The number of links."""
    return int(links.sum())


SIDES = Mistakes(
    "sides",
    right=lambda hits_sure, hits_possible: hits_sure + hits_possible,
    sure_twice=Wrong(
        lambda hits_sure, hits_possible: 2 * hits_sure,
        "The possible links are never counted: both terms above the line use the sure ones.",
    ),
    possible_twice=Wrong(
        lambda hits_sure, hits_possible: 2 * hits_possible,
        "The sure links are never counted by themselves: both terms above the line use the possible ones.",
    ),
)
BELOW = Mistakes(
    "below",
    right=lambda guess, sure, allowed: count(guess) + count(sure),
    guess_and_possible=Wrong(
        lambda guess, sure, allowed: count(guess) + count(allowed),
        "Below the line stand |A| + |P|. It should be |A| + |S|: nobody has to find the links that are only "
        "possible.",
    ),
    guess=Wrong(
        lambda guess, sure, allowed: 2 * count(guess),
        "Below the line stands the guess twice. The sure links count there too: they are what you had to "
        "find.",
    ),
    cells=Wrong(
        lambda guess, sure, allowed: guess.numel(),
        "You divide by the number of all word pairs. Most of them are empty in every alignment, so any "
        "guess looks good.",
    ),
)
RATE = Mistakes(
    "rate",
    right=lambda share: 1 - share,
    agreement=Wrong(
        lambda share: share,
        "That is the agreement, which is large when the guess is good. The error is 1 less it.",
    ),
)
UNION = Mistakes(
    "union",
    right=lambda sure, possible: possible | sure,
    as_given=Wrong(
        lambda sure, possible: possible,
        "A sure link is a possible link as well. Here `possible` comes without the sure ones, so P is "
        "`possible | sure`. Adding two boolean tensors does the same: True + True is True, so each link is "
        "counted once. Count each with `.sum()` first.",
    ),
)


def two_terms(guess, sure, allowed, sides, below):
    """The share above and below AER's line."""
    total = below(guess, sure, allowed)
    return sides(count(guess & sure), count(guess & allowed)) / total if total else 1.0


MEASURE = Mistakes(
    "measure",
    right=two_terms,
    precision=Wrong(
        lambda guess, sure, allowed, sides, below: count(guess & allowed) / max(count(guess), 1),
        "That is 1 − precision, the share of the guess that is possible. It leaves out what the guess "
        "missed: "
        "AER counts the sure links as well, above the line and below it.",
    ),
    recall=Wrong(
        lambda guess, sure, allowed, sides, below: count(guess & sure) / max(count(sure), 1),
        "That is 1 − recall, the share of the sure links that were found. It leaves out what was guessed "
        "wrongly: AER counts the guess as well, above the line and below it.",
    ),
)


def alignment_error_rate(
    guess, sure, possible,
    *, sides=SIDES.right, below=BELOW.right, rate=RATE.right, union=UNION.right, measure=MEASURE.right,
):  # fmt: skip
    return rate(measure(guess, sure, union(sure, possible), sides, below))


def union_matters(switches: dict[str, str]) -> bool:
    """Whether the possible links are counted, where the mistake lies in which links those are."""
    if "measure" in switches:
        return not {"sides", "below", "union"} & set(switches)
    if switches.get("sides") == "possible_twice" and switches.get("below") == "guess":
        return False  # that is `precision`
    return (
        not (switches.get("sides") == "sure_twice" and "union" in switches)
        or switches.get("below") == "guess_and_possible"
    )


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        while True:
            tgt, src = draw.sizes(2, 5, 10)
            kinds = draw.uniform(tgt, src)
            sure = kinds < 0.15
            possible = (kinds >= 0.15) & (kinds < 0.35)  # without the sure ones
            noise = draw.uniform(tgt, src)
            guess = (sure & (noise < 0.7)) | (possible & (noise < 0.5)) | (noise > 0.93)
            hits = {count(guess & sure), count(guess & possible), 0}
            sizes = {count(guess), count(sure), count(sure | possible)}
            if len(hits) == 3 and len(sizes) == 3:
                break
        found.append(Case({"guess": guess, "sure": sure, "possible": possible}))
    return found


EXERCISE = Function(
    id="4.7",
    title="Alignment error rate",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="alignment_error_rate(guess, sure, possible)",
    outputs=(Output("error", kind="number"),),
    reference=alignment_error_rate,
    cases=cases,
    properties=(
        Property(
            "the error lies between 0 and 1", lambda args, outputs: -1e-6 <= outputs["error"] <= 1 + 1e-6
        ),
    ),
    mistakes=(SIDES, BELOW, RATE, UNION, MEASURE),
    possible=union_matters,
    forbidden=("attnbook.translation.metrics",),
    hints=(
        "AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|), with A the guess, S the sure links, P the "
        "possible ones.",
        "For boolean tensors, `&` is the intersection, `|` the union, `.sum()` the number of links.",
        "P must hold S: `allowed = possible | sure`.",
    ),
)
