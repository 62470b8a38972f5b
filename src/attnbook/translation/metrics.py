"""How good is a translation (BLEU, chrF, exact matches, outputs that do not end), and how good an alignment
(AER, with the baselines to beat).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from attnbook.extras import needs

with needs("experiments"):
    from sacrebleu.metrics import BLEU, CHRF

Links = Iterable[tuple]


def bleu(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU from 0 to 100 (Papineni et al. 2002), computed by sacrebleu on the words as they are.

    Parameters
    ----------
    translations, references : lists of lists of str
        One reference a translation; split the same way, since BLEU counts words in common. An n-gram order
        without a match counts half a match, then a quarter … (sacrebleu's smoothing ``exp``).

    Raises
    ------
    ValueError
        If the two lists differ in number, are empty, or hold sentences that are not split into words.
    """
    _check_sentences(translations, references)
    return BLEU(tokenize="none", force=True).corpus_score(*_joined(translations, references)).score


def chrf(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Corpus chrF from 0 to 100 (Popović 2015, https://aclanthology.org/W15-3049/), computed by sacrebleu.

    The F-score of character n-grams, 1 to 6 long and without spaces, in which recall counts twice as much as
    precision (β = 2). Half a word that is right counts for something, as it does not in BLEU.

    Parameters
    ----------
    translations, references : lists of lists of str
        One reference a translation.

    Raises
    ------
    ValueError
        As :func:`bleu`.
    """
    _check_sentences(translations, references)
    return CHRF().corpus_score(*_joined(translations, references)).score


def exact(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Share of translations, from 0 to 1, that equal their reference word for word.

    Raises
    ------
    ValueError
        As :func:`bleu`.
    """
    _check_sentences(translations, references)
    same = sum(list(ours) == list(theirs) for ours, theirs in zip(translations, references, strict=True))
    return same / len(references)


def endless(
    translations: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    most: int,
    ratio: float = 1.3,
) -> float:
    """Share of translations, from 0 to 1, that do not come to an end where they should.

    A translation counts if it has more than ``ratio`` times the words of its reference, or if it has ``most``
    words, so that the search stopped it. A few such loops cost a corpus many points of BLEU.

    Parameters
    ----------
    translations, references : lists of lists of str
    most : int
        The search's limit of words, as in ``translation.search.translate``.
    ratio : float
        At least 1.

    Raises
    ------
    ValueError
        As :func:`bleu`; or if ``most`` or ``ratio`` is below 1.
    """
    _check_sentences(translations, references)
    if most < 1:
        raise ValueError(f"most: expected at least 1 word, got {most}")
    if not ratio >= 1:
        raise ValueError(f"ratio: expected at least 1, got {ratio}")
    counted = sum(
        len(ours) > ratio * len(theirs) or len(ours) >= most
        for ours, theirs in zip(translations, references, strict=True)
    )
    return counted / len(references)


def bleu_by_length(
    translations: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    lengths: Sequence[int],
    buckets: Sequence[tuple[int, int]],
) -> dict[str, float]:
    """BLEU of the sentences in each length bucket.

    Parameters
    ----------
    translations, references : lists of lists of str
    lengths : list of int
        Length that sorts each sentence, as a rule that of the source.
    buckets : list of (int, int)
        Shortest and longest length in each bucket, both included.

    Returns
    -------
    dict
        ``{"5-8": 57.3, …}``; buckets without a sentence are left out.

    Raises
    ------
    ValueError
        As :func:`bleu`; or if there is not one length a sentence.
    """
    _check_sentences(translations, references)
    if len(lengths) != len(references):
        raise ValueError(f"lengths: expected {len(references)}, one a sentence, got {len(lengths)}")
    scores = {}
    for shortest, longest in buckets:
        rows = [i for i, length in enumerate(lengths) if shortest <= length <= longest]
        if rows:
            scores[f"{shortest}-{longest}"] = bleu(
                [translations[i] for i in rows], [references[i] for i in rows]
            )
    return scores


def _joined(
    translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """What sacrebleu takes: strings of words, and one list of references."""
    return [" ".join(words) for words in translations], [[" ".join(words) for words in references]]


def _check_sentences(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> None:
    for name, sentences in (("translations", translations), ("references", references)):
        for number, words in enumerate(sentences):
            # a string is a sequence of strings too: its letters would be taken for words
            if isinstance(words, str) or not all(isinstance(word, str) for word in words):
                raise ValueError(
                    f"{name}: expected a list of words for each sentence, got {words!r:.60} for sentence "
                    f"{number}; split it into words first"
                )
    if len(translations) != len(references):
        raise ValueError(
            f"translations: expected as many as references ({len(references)}), got {len(translations)}"
        )
    if not references:
        raise ValueError("references: expected at least one sentence, got none")


def alignment_error_rate(predicted: Sequence[Links], gold: Sequence[Links]) -> float:
    """AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|), over all sentences; 0 is perfect, 1 is all wrong.

    Och & Ney 2003 (https://aclanthology.org/J03-1002/), section 5. A are the predicted links, S the sure
    ones, and P the possible ones, among which the sure ones count too.

    Parameters
    ----------
    predicted : list of sets of (int, int)
        For each sentence its links (source position, target position), from 0.
    gold : list of sets of (int, int, "S" or "P")

    Raises
    ------
    ValueError
        If the numbers of sentences differ, a model predicts nothing (None) for a sentence, there is no gold
        link, or a kind is neither S nor P.
    """
    if len(predicted) != len(gold):
        raise ValueError(f"predicted: expected {len(gold)} sentences, as in gold, got {len(predicted)}")
    hits_sure = hits_possible = n_predicted = n_sure = 0
    for number, (ours, theirs) in enumerate(zip(predicted, gold, strict=True)):
        if ours is None:
            raise ValueError(
                f"predicted: sentence {number} has no alignment; AER is undefined for a model without one"
            )
        if theirs is None:
            raise ValueError(
                f"gold: sentence {number} has no gold alignment; AER needs one for each sentence"
            )
        kinds = {kind for *_, kind in theirs}
        if not kinds <= {"S", "P"}:
            raise ValueError(f"gold: sentence {number} has kinds {sorted(kinds)}; expected S and P")
        ours = {(s, t) for s, t, *_ in ours}
        sure = {(s, t) for s, t, kind in theirs if kind == "S"}
        possible = {(s, t) for s, t, _ in theirs}
        hits_sure += len(ours & sure)
        hits_possible += len(ours & possible)
        n_predicted += len(ours)
        n_sure += len(sure)
    if n_predicted + n_sure == 0:
        raise ValueError("gold: neither gold nor predicted links in any sentence; AER is undefined")
    return 1 - (hits_sure + hits_possible) / (n_predicted + n_sure)


def links_from_weights(weights, threshold: float | None = None) -> set[tuple[int, int]]:
    """Links from attention weights (tgt, src): for each target word the source word with the most weight.

    With ``threshold``, every source word whose weight reaches it instead.
    """
    if weights is None:
        raise ValueError("weights: got None; a model without attention has no alignment, so no links either")
    if threshold is None:
        return {(int(row.argmax()), position) for position, row in enumerate(weights)}
    return {(int(s), int(t)) for t, s in (weights >= threshold).nonzero().tolist()}


def diagonal(n_src: int, n_tgt: int) -> set[tuple[int, int]]:
    """The baseline that knows nothing: target word t goes to the source word at the same relative place."""
    return {(min(n_src - 1, int((t + 0.5) * n_src / n_tgt)), t) for t in range(n_tgt)}


class IBMModel1:
    """Word translation probabilities from sentence pairs alone (Brown et al. 1993, IBM Model 1), by EM.

    Each target word was made by one source word, or by the empty word; every source word is as likely
    beforehand, wherever it stands. EM then counts how often each source word explains each target word.

    Parameters
    ----------
    pairs : sequence of Pair
        With ``src`` and ``tgt``, lists of words.
    rounds : int
        Rounds of expectation and maximisation.

    Attributes
    ----------
    table : dict
        ``table[source word][target word]``: probability of the target word given the source word; the source
        word None is the empty word.
    log_likelihoods : list of float
        Of the pairs before each round (natural logarithm, up to a constant); it never falls.
    """

    def __init__(self, pairs: Sequence, rounds: int = 10) -> None:
        if not pairs:
            raise ValueError("pairs: expected at least one pair, got none")
        if rounds < 1:
            raise ValueError(f"rounds: expected at least 1, got {rounds}")
        sentences = [([None, *pair.src], list(pair.tgt)) for pair in pairs]
        uniform = 1 / len({word for _, tgt in sentences for word in tgt})
        table: dict = defaultdict(lambda: defaultdict(lambda: uniform))
        self.log_likelihoods: list[float] = []
        for _ in range(rounds):
            counts: dict = defaultdict(lambda: defaultdict(float))
            likelihood = 0.0
            for src, tgt in sentences:
                for target in tgt:
                    scores = [table[source][target] for source in src]
                    total = sum(scores)
                    likelihood += math.log(total / len(src))
                    for source, score in zip(src, scores, strict=True):
                        counts[source][target] += score / total
            self.log_likelihoods.append(likelihood)
            table = {}
            for source, row in counts.items():
                total = sum(row.values())
                table[source] = {target: count / total for target, count in row.items()}
        self.table = table

    def links(self, src: Sequence[str], tgt: Sequence[str]) -> set[tuple[int, int]]:
        """For each target word the source word that most likely made it; none where the empty word did."""
        links = set()
        for position, target in enumerate(tgt):
            scores = [self.table.get(source, {}).get(target, 0.0) for source in src]
            best = max(range(len(src)), key=scores.__getitem__)
            if scores[best] > 0 and scores[best] >= self.table.get(None, {}).get(target, 0.0):
                links.add((best, position))
        return links
