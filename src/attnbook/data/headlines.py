"""Short reports with headlines, made by a grammar: "the mayor Dorval has opened a bridge in Lirange . …" and
"Dorval opens bridge in Lirange".

A headline takes three things over word for word (who, what, where) and changes the fourth: its verb stands in
the present, a form that no report holds. So neither copying alone nor writing alone can produce one. A second
person, and often a second place, stand in each report and do not belong in the headline.

People and places are made of syllables. Sixty of each kind are frequent; the others are rare in training, or
appear in the test part alone ("new").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from attnbook.arguments import whole_number

# present of the headline: past, participle of the report
VERBS = {
    "opens": ("opened", "opened"),
    "buys": ("bought", "bought"),
    "sells": ("sold", "sold"),
    "builds": ("built", "built"),
    "draws": ("drew", "drawn"),
    "steals": ("stole", "stolen"),
    "finds": ("found", "found"),
    "paints": ("painted", "painted"),
    "hides": ("hid", "hidden"),
    "repairs": ("repaired", "repaired"),
}
THINGS = ("bridge", "museum", "clock", "boat", "statue", "bakery", "library", "garden", "theatre", "map")
ROLES = ("mayor", "painter", "teacher", "doctor", "baker", "engineer", "judge", "singer")
OTHERS = (  # what the report says of the second person
    ("{role}", "{name}", "was", "not", "there"),
    ("{role}", "{name}", "heard", "of", "it", "in", "{place}"),
    ("{role}", "{name}", "was", "in", "{place}", "at", "the", "time"),
    ("{role}", "{name}", "did", "not", "agree"),
)
PARTS = ("train", "known", "new")
FREQUENT, RARE, NEW = 60, 500, 200
_STARTS = ("Do", "Ma", "Le", "Vi", "Ta", "Ro", "Ke", "Su", "Bra", "Gri", "No", "Pe", "Ha", "Lu", "Fe", "Zo")
_MIDDLES = ("r", "l", "n", "ri", "la", "mo", "ve", "ssa", "ti", "go")
_ENDS = {"person": ("val", "ski", "din", "mer", "sen", "ton", "ras", "vik"),
         "place": ("ange", "burg", "ona", "ville", "stad", "ford", "heim", "aux")}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A report and its headline.

    Attributes
    ----------
    words : tuple of str
    headline : tuple of str
        Who, verb, what, "in", where.
    """

    words: tuple[str, ...]
    headline: tuple[str, ...]


@cache
def names(kind: str, part: str) -> tuple[str, ...]:
    """Names of a kind ("person" or "place"): "frequent", "rare" or "new" ones, no name in two parts.

    Raises
    ------
    ValueError
        If kind or part is unknown.
    """
    if kind not in _ENDS:
        raise ValueError(f"kind: expected one of {', '.join(_ENDS)}, got {kind!r}")
    ranges = {
        "frequent": slice(0, FREQUENT),
        "rare": slice(FREQUENT, FREQUENT + RARE),
        "new": slice(FREQUENT + RARE, FREQUENT + RARE + NEW),
    }
    if part not in ranges:
        raise ValueError(f"part: expected one of {', '.join(ranges)}, got {part!r}")
    all_names = [start + middle + end for start in _STARTS for middle in _MIDDLES for end in _ENDS[kind]]
    Random(f"names {kind}").shuffle(all_names)
    return tuple(all_names[ranges[part]])


def reports(n: int, seed: int, part: str = "train") -> list[Report]:
    """``n`` reports; the same for the same arguments.

    Parameters
    ----------
    n, seed : int
    part : "train", "known" or "new"
        Names are half frequent ones and half rare ones, or all frequent, or all new.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the part is unknown.
    """
    whole_number("n", n)
    whole_number("seed", seed, least=0)
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    random = Random(f"reports {part} {seed}")
    return [_report(random, part) for _ in range(n)]


def _name(random: Random, kind: str, part: str) -> str:
    pools = {"train": ("frequent", "rare"), "known": ("frequent",), "new": ("new",)}
    return random.choice(names(kind, random.choice(pools[part])))


def _report(random: Random, part: str) -> Report:
    who, other = _name(random, "person", part), _name(random, "person", part)
    where, elsewhere = _name(random, "place", part), _name(random, "place", part)
    role, other_role = random.sample(ROLES, 2)
    verb, thing = random.choice(list(VERBS)), random.choice(THINGS)
    past, participle = VERBS[verb]
    event = random.choice((
        ("the", role, who, "has", participle, "a", thing, "in", where),
        ("a", thing, "in", where, "was", participle, "by", "the", role, who),
        ("in", where, "the", role, who, past, "a", thing),
    ))  # fmt: skip
    filled = {"{role}": other_role, "{name}": other, "{place}": elsewhere}
    second = ("the", *(filled.get(word, word) for word in random.choice(OTHERS)))
    sentences = [event, second] if random.random() < 0.5 else [second, event]
    words = (*sentences[0], ".", *sentences[1], ".")
    return Report(words, (who, verb, thing, "in", where))


@cache
def known_words() -> tuple[str, ...]:
    """The vocabulary: all words of reports and headlines, and the frequent names."""
    words = {"the", "a", "in", "has", "was", "by", ".", *ROLES, *THINGS, *VERBS}
    words |= {form for forms in VERBS.values() for form in forms}
    words |= {word for clause in OTHERS for word in clause if not word.startswith("{")}
    return (*sorted(words), *names("person", "frequent"), *names("place", "frequent"))
