"""Does the verb follow its subject? Hidden verbs that have one form for one and another for many.

A model that names hidden words has agreed if it finds the right form the likelier of the two. The telling
cases are those in which another noun stands between subject and verb and has the other number: "the dogs of
the doctor were", where whoever goes by the nearest noun says "was".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from attnbook.analysis.heads import Change, run
from attnbook.data.hidden_words import MASK
from attnbook.data.phrasebook import lexicon
from attnbook.data.phrasebook.relations import relations
from attnbook.data.vocabulary import Vocabulary
from attnbook.nn import MaskedWordModel

# Forms that differ in number alone.
NUMBER = (
    ("is", "are"),
    ("was", "were"),
    ("isn't", "aren't"),
    ("wasn't", "weren't"),
    ("does", "do"),
    ("doesn't", "don't"),
)
_OTHER = {form: twin for pair in NUMBER for form, twin in (pair, pair[::-1])}


@dataclass(frozen=True)
class Verb:
    """One verb of one sentence.

    Attributes
    ----------
    words : tuple of str
        The sentence, without the start marker.
    place, subject : int
        Of the verb and of its subject, counted from 0.
    other : str
        The form with the other number.
    plural : bool
        Whether the right form is the one for many.
    nearest : bool or None
        Whether the noun right before the verb, which is not the subject, is one for many; None where the
        subject itself stands there.
    """

    words: tuple[str, ...]
    place: int
    subject: int
    other: str
    plural: bool
    nearest: bool | None

    @property
    def misled(self) -> bool:
        """Whether the nearest noun is another than the subject and has the other number."""
        return self.nearest is not None and self.nearest != self.plural


@cache
def _plurals() -> frozenset[str]:
    return frozenset(noun.plural for noun in lexicon.NOUNS if noun.plural)


def verbs(sentences: Sequence[Sequence[str]]) -> list[Verb]:
    """The verbs with two forms whose subject is a noun or a pronoun before them; "I" and "you" left out."""
    found = []
    for sentence in sentences:
        words = tuple(sentence)
        for place, subject in relations(words)["verb → subject"].items():
            if words[place] not in _OTHER or subject > place or words[subject] in ("I", "you"):
                continue
            plural = words[place] in {many for _, many in NUMBER}
            nearest = None if subject == place - 1 else words[place - 1] in _plurals()
            found.append(Verb(words, place, subject, _OTHER[words[place]], plural, nearest))
    return found


def balanced(found: Sequence[Verb]) -> list[Verb]:
    """Equally many verbs for one and for many, the first of each: guessing one of them is then right half
    of the time.
    """
    ones, many = ([verb for verb in found if verb.plural == plural] for plural in (False, True))
    least = min(len(ones), len(many))
    return ones[:least] + many[:least]


@torch.no_grad()
def lead_of_right_form(
    model: MaskedWordModel, found: Sequence[Verb], vocabulary: Vocabulary, change: Change | None = None
) -> Tensor:
    """(verbs,): the logit of the right form less that of the other; above 0 the model has agreed."""
    model.eval()
    device = next(model.parameters()).device
    lead = torch.zeros(len(found))
    of_length: dict[int, list[int]] = {}
    for row, verb in enumerate(found):
        of_length.setdefault(len(verb.words), []).append(row)
    for rows in of_length.values():
        tokens = torch.tensor([vocabulary.encode(found[row].words, bos=True) for row in rows], device=device)
        lines = torch.arange(len(rows), device=device)
        place = torch.tensor([found[row].place + 1 for row in rows], device=device)
        tokens[lines, place] = vocabulary.numbers[MASK]
        x, _ = run(model, tokens, tokens == vocabulary.numbers[MASK], change)
        logits = model.output(x[lines, place])
        right, wrong = (
            torch.tensor([vocabulary.numbers[form] for form in forms], device=device)
            for forms in (
                [found[row].words[found[row].place] for row in rows],
                [found[row].other for row in rows],
            )
        )
        lead[rows] = (logits[lines, right] - logits[lines, wrong]).cpu()
    return lead


def agreement(
    model: MaskedWordModel, found: Sequence[Verb], vocabulary: Vocabulary, change: Change | None = None
) -> float:
    """The share of verbs whose right form is the likelier of the two."""
    return float((lead_of_right_form(model, found, vocabulary, change) > 0).float().mean())
