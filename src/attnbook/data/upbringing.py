"""A question whose answer stands far back: where was he brought up, and so which language is he at home in?

"despite originally being from Uttar Pradesh as he was brought up in Bengal he is more comfortable in" is
followed by "Bengali". The sentence names two places: the one that decides, and a distractor. Two knobs change
how hard it is to read:

- ``distance``: how many words stand between the places and the question;
- ``distractor``: the other place comes before the one that decides ("before", as above), after it, and so
  nearer to the question ("after"), or not at all ("none").

A language model meets the task at every such sentence; here it is alone, so that it can be measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from attnbook.arguments import whole_number

PLACES = {
    "Bengal": "Bengali",
    "Gujarat": "Gujarati",
    "Karnataka": "Kannada",
    "Kerala": "Malayalam",
    "Maharashtra": "Marathi",
    "Odisha": "Odia",
    "Punjab": "Punjabi",
    "Uttar Pradesh": "Hindi",
}
LANGUAGES = tuple(sorted(PLACES.values()))
DISTRACTORS = ("none", "before", "after")
FILLERS = (
    "and still lives near the old river",
    "and works with many people from other towns",
    "and reads a lot in the evening",
    "and often writes long letters to friends",
    "and cooks for the whole street on Sundays",
)


@dataclass(frozen=True)
class Upbringing:
    """One sentence.

    Attributes
    ----------
    words : tuple of str
        A place is one word, "Uttar Pradesh" too. The last words ask: "he is more comfortable in".
    language : str
        The word that should come next.
    distractor : str or None
        The other place's language.
    distance : int
        Words between the place that decides and the end of the sentence.
    """

    words: tuple[str, ...]
    language: str
    distractor: str | None
    distance: int


QUESTION = ("he", "is", "more", "comfortable", "in")
_FRAME = {"despite", "originally", "being", "from", "as", "he", "was", "brought", "up", "in"}


def sentence(place: str, other: str | None, fill: int, distractor: str, random: Random) -> Upbringing:
    """One sentence about somebody brought up in ``place`` and originally from ``other``.

    Parameters
    ----------
    place, other : str
        From ``PLACES``; ``other`` is None with ``distractor="none"``.
    fill : int
        How many words to put between the places and the question.
    distractor : "none", "before" or "after"
    random : random.Random
        Chooses the filling.

    Raises
    ------
    ValueError
        If a place is unknown, the distractor is not one of the three, ``other`` does not go with it, or
        ``fill`` is below 0.
    """
    if distractor not in DISTRACTORS:
        raise ValueError(f"distractor: expected one of {', '.join(DISTRACTORS)}, got {distractor!r}")
    if place not in PLACES:
        raise ValueError(f"place: expected one of {', '.join(PLACES)}, got {place!r}")
    if (other is None) != (distractor == "none") or (other is not None and other not in PLACES):
        raise ValueError(f'other: expected a place of PLACES, or None with distractor="none", got {other!r}')
    whole_number("fill", fill, least=0)
    decides = ("as", "he", "was", "brought", "up", "in", place)
    origin = ("despite", "originally", "being", "from", other) if other else ()
    places = origin + decides if distractor == "before" else decides + origin
    filling: list[str] = []
    while len(filling) < fill:
        filling += random.choice(FILLERS).split()
    words = (*places, *filling[:fill], *QUESTION)
    return Upbringing(
        words=words,
        language=PLACES[place],
        distractor=PLACES[other] if other else None,
        distance=len(words) - 1 - words.index(place),
    )


def sample(
    n: int, seed: int = 0, fill: tuple[int, int] = (0, 10), distractor: str | None = None
) -> list[Upbringing]:
    """Draw ``n`` sentences; places, filling and its length are random.

    Parameters
    ----------
    n : int
    seed : int
        The same seed gives the same sentences.
    fill : (int, int)
        Fewest and most words between the places and the question.
    distractor : "none", "before", "after" or None
        None mixes the three.

    Raises
    ------
    ValueError
        If ``n`` is below 0, ``fill`` is not a pair of growing numbers, or the distractor is unknown.
    """
    whole_number("n", n, least=0)
    if len(fill) != 2 or not 0 <= fill[0] <= fill[1]:
        raise ValueError(f"fill: expected (fewest, most) words, from 0 up, got {fill!r}")
    random = Random(f"upbringing {seed}")
    found = []
    for _ in range(n):
        kind = random.choice(DISTRACTORS) if distractor is None else distractor
        place, other = random.sample(sorted(PLACES), 2)
        found.append(sentence(place, None if kind == "none" else other, random.randint(*fill), kind, random))
    return found


def vocabulary() -> tuple[str, ...]:
    """Every word that a sentence can hold, in alphabetical order."""
    words = {word for filler in FILLERS for word in filler.split()} | set(PLACES) | set(QUESTION)
    return tuple(sorted(words | _FRAME))
