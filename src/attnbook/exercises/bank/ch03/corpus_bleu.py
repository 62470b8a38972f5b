"""3.8: BLEU of a corpus, from sums over its sentences (Papineni et al. 2002, section 2.2.2 and 2.3)."""

import math

from attnbook.exercises.bank.ch03.clipped_matches import CLIP, clipped_matches
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def penalty(c, r):
    """The brevity penalty without its limit of 1, from the lengths of candidates and references."""
    return math.exp(1 - r / c) if c else 0.0


# From the lengths of each candidate and reference: lists (c, r) → number.
BREVITY = Mistakes(
    "brevity",
    right=lambda c, r: min(1.0, penalty(sum(c), sum(r))),
    none=Wrong(
        lambda c, r: 1.0, "There is no brevity penalty: candidates of a few sure words get full marks."
    ),
    always=Wrong(
        lambda c, r: penalty(sum(c), sum(r)),
        "The brevity penalty is applied to long candidates as well, where it becomes a reward. It is 1 "
        "as soon as the candidates are together at least as long as the references.",
    ),
    ratio=Wrong(
        lambda c, r: min(1.0, sum(c) / sum(r)),
        "The penalty is the ratio of the lengths. It should be exp(1 − r / c), which falls faster.",
    ),
    upside_down=Wrong(
        lambda c, r: 1.0 if sum(c) >= sum(r) else math.exp(1 - sum(c) / sum(r)),
        "The penalty has the lengths exchanged, exp(1 − c / r): it rewards short candidates.",
    ),
    each=Wrong(
        lambda c, r: sum(min(1.0, penalty(a, b)) for a, b in zip(c, r, strict=True)) / len(c),
        "The penalty is computed sentence by sentence and averaged. Then a long candidate cannot make up for "
        "a short one. Add up the lengths first.",
    ),
)


def geometric(precisions):
    """The geometric mean, 0 where one is 0."""
    return math.exp(sum(map(math.log, precisions)) / len(precisions)) if min(precisions) > 0 else 0.0


MEAN = Mistakes(
    "mean",
    right=geometric,
    arithmetic=Wrong(
        lambda precisions: sum(precisions) / 4,
        "The four precisions are averaged by adding. BLEU takes their geometric mean, so that one "
        "precision of 0 makes all of it 0.",
    ),
    product=Wrong(math.prod, "The four precisions are multiplied, and the fourth root is missing."),
    to_3=Wrong(
        lambda precisions: geometric(precisions[:3]),
        "Only n-grams of up to three words are used. BLEU takes n from 1 to 4; look at the end of your "
        "range.",
    ),
    only_4=Wrong(lambda precisions: precisions[-1], "Only the precision for four words in a row is used."),
)
# One precision from the sentences' (matches, count): (matches, counts) → precision.
POOL = Mistakes(
    "pool",
    right=lambda matches, counts: sum(matches) / max(sum(counts), 1),
    averaged=Wrong(
        lambda matches, counts: (
            sum(a / b if b else 0.0 for a, b in zip(matches, counts, strict=True)) / len(counts)
        ),
        "Each sentence gets a precision of its own, and these are averaged. Then an n-gram of a short "
        "sentence counts for more than one of a long sentence. Add up matches and counts, and divide once.",
    ),
    smoothed=Wrong(
        lambda matches, counts: (sum(matches) + 1) / (sum(counts) + 1),
        "1 is added to the matches and to the counts. Some tools smooth so; here a precision of 0 stays 0.",
    ),
)
CLIPPED = CLIP.only("free", "once").reworded(
    free="Matches are not clipped: an n-gram can match at most as often as it stands in the reference "
    "(exercise 3.7).",
)


def bleu_of_all(candidates, references, brevity, mean, pool, clip):
    """One BLEU for all sentences."""
    precisions = []
    for n in (1, 2, 3, 4):
        pairs = zip(candidates, references, strict=True)
        both = [clipped_matches(candidate, [reference], n, clip=clip) for candidate, reference in pairs]
        precisions.append(pool(*zip(*both, strict=True)))
    return mean(precisions) * brevity([len(each) for each in candidates], [len(each) for each in references])


# What is computed once: (candidates, references, *parts) → BLEU.
WHOLE = Mistakes(
    "whole",
    right=bleu_of_all,
    sentences=Wrong(
        lambda candidates, references, *parts: (
            sum(bleu_of_all([a], [b], *parts) for a, b in zip(candidates, references, strict=True))
            / len(candidates)
        ),
        "This is the mean of the sentences' BLEU. A sentence of which no four words match has 0 there, and "
        "in the corpus its single words and pairs still count. Add up over all sentences first.",
    ),
)


ROLES = Mistakes(
    "roles",
    right=lambda candidates, references: (candidates, references),
    exchanged=Wrong(
        lambda candidates, references: (references, candidates),
        "Candidates and references are exchanged. The candidates are the first argument: the number of "
        "*their* n-grams stands below the line, and they may not be too short.",
    ),
)


def corpus_bleu(
    candidates, references,
    *, roles=ROLES.right, brevity=BREVITY.right, mean=MEAN.right, pool=POOL.right, clip=CLIPPED.right,
    whole=WHOLE.right,
):  # fmt: skip
    candidates, references = roles(candidates, references)
    return whole(candidates, references, brevity, mean, pool, clip)


def cases(draw: Draw) -> list[Case]:
    def words(count):
        return [draw.random.randint(3, 60) for _ in range(count)]

    def translated(kind, reference):
        if kind == "longer":
            return [*reference[:6], *words(3), *reference[5:], *reference[2:5]]
        if kind == "shorter":
            return [*reference[:5], *reference[6:9], reference[7]]
        if kind == "two words":
            return reference[2:4]
        return [*reference[:3], 99, *reference[5:8], 98, *reference[:2]]  # no four in a row

    found = []
    for kinds, group, note in (
        (("longer", "shorter", "longer"), "plain", "together the candidates are longer"),
        (("shorter", "shorter", "longer", "shorter"), "plain", "together the candidates are shorter"),
        (("no match", "shorter", "two words", "longer"), "plain", "of some sentences no four words match"),
        (("no match", "no match"), "edge", "no four words in a row match anywhere"),
    ):
        references = [words(length) for length in draw.random.sample(range(11, 16), len(kinds))]
        candidates = [translated(*each) for each in zip(kinds, references, strict=True)]
        found.append(Case({"candidates": candidates, "references": references}, group=group, note=note))
    return found


def between_0_and_1(args, outputs) -> bool:
    return all(-1e-6 <= value <= 1 + 1e-6 for value in outputs.values())


EXERCISE = Function(
    id="3.8",
    title="BLEU of a corpus, unsmoothed",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="corpus_bleu(candidates, references)",
    outputs=(Output("bleu", kind="number"),),
    reference=corpus_bleu,
    cases=cases,
    properties=(Property("BLEU lies between 0 and 1", between_0_and_1),),
    mistakes=(BREVITY, MEAN, POOL, CLIPPED, WHOLE, ROLES),
    together=2,
    meaningless=(
        (MEAN["only_4"], CLIPPED),
        (POOL["smoothed"], MEAN),
        (POOL["smoothed"], CLIPPED),
        (WHOLE, POOL["averaged"]),
        (WHOLE, BREVITY["each"]),
    ),
    forbidden=("sacrebleu", "attnbook.translation.metrics"),
    hints=(
        "For each n from 1 to 4: the matches of all sentences together, the n-grams of all candidates "
        "together, and one division.",
        "Geometric mean: exp of the mean of the logarithms. If one precision is 0, the answer is 0.",
        "c and r are the words of all candidates and of all references. The penalty is 1 when c is at least "
        "r; else exp(1 − r / c).",
    ),
)
