"""What *it* stands for: sentences whose French pronoun tells, and what decides it inside a translator.

"The animal didn't cross the street because it was too tired" has *il* in French, for the animal; with "too
wide" it has *elle*, for the street. Only the last adjective differs, and French must say a gender. So every
pair of such sentences asks a model what *it* means, and the answer is one word.

Three ways to look for the reason: whether a weight on a noun grows when that noun is meant (:func:`looks`,
:func:`moves`), what happens when the model may not attend along an edge (:class:`Cut`), and what happens when
one word's row of the memory, or the French written so far, comes from another sentence (:func:`patched`): one
with another adjective, or one with a noun of the other gender (:class:`Family`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor, nn

from attnbook import plots
from attnbook.data import phrasebook
from attnbook.data.pairs import Pair, part_of
from attnbook.data.phrasebook.alignment import align
from attnbook.data.phrasebook.clauses import Active, Copula
from attnbook.data.phrasebook.phrases import NounPhrase, Pronoun
from attnbook.data.phrasebook.sampler import Part, Sampler
from attnbook.data.vocabulary import Batch, Vocabulary, collate
from attnbook.nn import Transformer
from attnbook.nn.transformer import TransformerWeights, for_all_queries
from attnbook.training.evaluating import evaluating

PRONOUNS = ("il", "elle")
STATES, EXTENTS = ("tired", "sick"), ("wide", "long")  # said of the animal; said of what it did not cross
WORDS = ("it", "adjective", "referent", "other", "verb")


@dataclass(frozen=True)
class Case:
    """A sentence with *it*, and the places (counted from 0) of the words that matter.

    Attributes
    ----------
    pair : Pair
    it, adjective, referent, other, verb : int
        In the source: *it*; the adjective that settles what it is; the noun that it stands for; the other
        noun; the word "cross".
    place : int
        In the target: where *il* or *elle* stands.
    referent_said, other_said : int
        In the target: the French words of the two nouns.
    subject : bool
        Whether *it* is the subject, the animal.
    """

    pair: Pair
    it: int
    adjective: int
    referent: int
    other: int
    verb: int
    place: int
    referent_said: int
    other_said: int
    subject: bool

    @property
    def right(self) -> str:
        """il or elle."""
        return self.pair.tgt[self.place]

    @property
    def wrong(self) -> str:
        """The other of the two."""
        return PRONOUNS[1 - PRONOUNS.index(self.right)]


def case_of(pair: Pair) -> Case:
    """The places in "the … didn't cross the … because it was too …" and its translation.

    Raises
    ------
    ValueError
        If the pair is no such sentence.
    """
    src, tgt = pair.src, pair.tgt
    try:
        start = src.index("because")
        it, adjective, verb = start + 1, start + 4, src.index("cross")
        place = tgt.index("parce") + 2
        fits = src[it : it + 3] == ["it", "was", "too"] and src[verb - 1] == "didn't" and verb < start
        fits = fits and src[adjective] in (*STATES, *EXTENTS) and tgt[place] in PRONOUNS
    except (ValueError, IndexError):
        fits = False
    if not fits or pair.alignment is None:
        raise ValueError(
            "pair: expected “… didn't cross … because it was too …” with its alignment, got "
            f"{' '.join(src)!r}"
        )
    nouns = {"subject": verb - 2, "object": start - 1}
    said = {role: next(j for i, j, kind in sorted(pair.alignment) if i == nouns[role] and kind == "S")
            for role in nouns}  # fmt: skip
    subject = src[adjective] in STATES
    referent, other = ("subject", "object") if subject else ("object", "subject")
    return Case(pair, it, adjective, nouns[referent], nouns[other], verb, place, said[referent], said[other],
                subject)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """A pair of sentences that differ in the adjective, and what each becomes with another noun.

    Attributes
    ----------
    pair : (Case, Case)
        The animal is meant in the first, what it did not cross in the second.
    other_animal, other_path : (Case, Case)
        The same two with an animal of the other gender, or something else to cross of the other gender. All
        six have their words at the same places.
    """

    pair: tuple[Case, Case]
    other_animal: tuple[Case, Case]
    other_path: tuple[Case, Case]

    def with_other(self, noun: str) -> tuple[Case, Case]:
        """The pair with the noun "meant" exchanged for one of the other gender, or the one "not meant"."""
        (tired_animal, wide_animal), (tired_path, wide_path) = self.other_animal, self.other_path
        if noun == "meant":
            return tired_animal, wide_path
        if noun == "not meant":
            return tired_path, wide_animal
        raise ValueError(f"noun: expected 'meant' or 'not meant', got {noun!r}")


def minimal_pairs(n: int, seed: int = 0, longest: int = 20) -> list[tuple[Case, Case]]:
    """The pairs of :func:`families`."""
    return [family.pair for family in families(n, seed, longest)]


def families(n: int, seed: int = 0, longest: int = 20) -> list[Family]:
    """Draw ``n`` pairs of sentences that differ in one adjective alone, none of them from the training part.

    In the first of each pair *it* is the animal, in the second what it did not cross. The two nouns always
    have different genders, the animal is feminine in half of the pairs, and each adjective comes equally
    often with each gender. So every one of these rules is right in exactly half of the sentences: always
    *il*; the subject's gender; the nearest noun's gender; the adjective alone; the nouns alone.

    Parameters
    ----------
    n : int
        A multiple of 8.
    seed : int
    longest : int
        Most English words; a second clause follows in some sentences.

    Raises
    ------
    ValueError
        If ``n`` is no multiple of 8, or ``longest`` is below 12.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 8 or n % 8:
        raise ValueError(
            f"n: expected a multiple of 8, got {n!r}; genders and adjectives are balanced in eights"
        )
    if longest < 12:
        raise ValueError(f"longest: expected at least 12 words, got {longest!r}")
    random = Random(f"pronouns {seed}")
    sampler = Sampler("small", random)
    left = {"m": n // 2, "f": n // 2}
    found: dict[tuple[str, ...], Family] = {}
    while sum(left.values()):
        sampler.used.clear()
        sampler.timed, sampler.first, sampler.repeated = False, True, False
        first, _, _ = sampler.crossing(random.randint(11, 14))
        gender = _phrase(first.subject).noun.gender
        if gender == _phrase(first.object).noun.gender or not left[gender]:
            continue
        turn = left[gender]
        words = (STATES[turn % 2], EXTENTS[turn // 2 % 2])
        room = longest - len(first.say()[0]) - 6  # because it was too …, and
        for _ in range(50):  # few endings make two sentences that are both outside the training part
            more: list[Part] = []
            if room >= 5 and random.random() < 0.7:
                more = ["and", sampler.clause(random.randint(5, room), "past")]
            family = _family(sampler, first, words, more)
            sources = [case.pair.src for case in family.pair]
            fits = all(part_of(src) != "train" and len(src) <= longest for src in sources)
            if fits and tuple(sources[0]) not in found:
                found[tuple(sources[0])] = family
                left[gender] -= 1
                break
    drawn = list(found.values())
    random.shuffle(drawn)
    return drawn


def _phrase(part: object) -> NounPhrase:
    """A subject or an object that is a noun with what belongs to it."""
    assert isinstance(part, NounPhrase)
    return part


def _family(sampler: Sampler, first: Active, words: tuple[str, str], more: list[Part]) -> Family:
    """The clause with both reasons; again with each of its nouns exchanged for one of the other gender."""
    adjectives = {adjective.word: adjective for adjective in sampler.adjectives}
    animal, path = _phrase(first.subject), _phrase(first.object)

    def twin(phrase: NounPhrase, kind: str) -> NounPhrase:
        others = [n for n in sampler.nouns if kind in n.classes and n.gender != phrase.noun.gender]
        return replace(phrase, noun=sampler.random.choice(others))

    def pair(animal: NounPhrase, path: NounPhrase) -> tuple[Case, Case]:
        cases = []
        for meant, word in zip((animal, path), words, strict=True):
            it = Pronoun("3s", meant.noun.gender, thing=True)
            reason = Copula(subject=it, tense="past", adjective=adjectives[word], degree="too")
            clause = replace(first, subject=animal, object=path)
            cases.append(case_of(Pair(*align(*sampler.say([clause, "because", reason, *more])))))
        return cases[0], cases[1]

    return Family(pair(animal, path), pair(twin(animal, "a"), path), pair(animal, twin(path, "h")))


def baselines(cases: Sequence[Case]) -> dict[str, float]:
    """How often rules that do not read the sentence as a whole choose the right pronoun.

    The rules that see the adjective or the nouns alone are given the best answer for these very sentences,
    which favours them.
    """
    n = len(cases)

    def best(key) -> float:
        answers: dict = {}
        for case in cases:
            answers.setdefault(key(case), []).append(case.right)
        return sum(max(map(given.count, PRONOUNS)) for given in answers.values()) / n

    return {
        "always il": sum(case.right == "il" for case in cases) / n,
        "gender of the subject": sum(case.subject for case in cases) / n,
        "gender of the nearest noun": sum(case.referent > case.other for case in cases) / n,
        "adjective alone": best(lambda case: case.pair.src[case.adjective]),
        "nouns alone": best(
            lambda case: tuple(case.pair.src[i] for i in sorted((case.referent, case.other)))
        ),
    }


# ---- running the model with something changed ------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """An edge along which the model may not look; the weights of the other edges grow to make up for it.

    Attributes
    ----------
    part : "encoder", "decoder" or "cross"
    query, key : str or None
        Names of places in a :class:`Case`: "it", "referent" …; for queries of the decoder "place" is where
        the pronoun is written. None: all queries, all keys. A head whose keys are all cut adds nothing.
    layer, head : int or None
        Counted from 0; None: all of them.
    """

    part: str
    query: str | None = None
    key: str | None = None
    layer: int | None = None
    head: int | None = None


def _mask(part: str, layer: int, cases, cuts, allowed: Tensor, n_heads: int) -> Tensor:
    """(batch, n_heads, queries, keys): True where a query may look."""
    mask = allowed.unsqueeze(1).repeat(1, n_heads, 1, 1)
    for cut in cuts:
        if cut.part != part or cut.layer not in (None, layer):
            continue
        heads = range(n_heads) if cut.head is None else [cut.head]
        query = _places(cases, cut.query)
        # Row i of the decoder writes word i, and reads <bos> and the words before it.
        key = _places(cases, cut.key, shift=int(part == "decoder"))
        for head in heads:
            if query is None and key is None:
                mask[:, head] = False
            elif query is None:
                mask[torch.arange(len(cases)), head, :, key] = False
            elif key is None:
                mask[torch.arange(len(cases)), head, query] = False
            else:
                mask[torch.arange(len(cases)), head, query, key] = False
    return mask


def _places(cases: Sequence[Case], name: str | None, shift: int = 0) -> Tensor | None:
    """That place of every case."""
    return None if name is None else torch.tensor([getattr(case, name) + shift for case in cases])


@torch.no_grad()
def run(
    model: Transformer,
    cases: Sequence[Case],
    batch: Batch,
    cuts: Iterable[Cut] = (),
    memory: Tensor | None = None,
) -> tuple[Tensor, TransformerWeights, Tensor]:
    """The translator's forward pass, fed the right translation, with edges cut or another memory put in.

    Parameters
    ----------
    cases : sequence of Case
        Those that ``batch`` was collated from.
    cuts : iterable of Cut
    memory : (batch, src, d_model), optional
        In place of the encoder's output.

    Returns
    -------
    logits : (batch, tgt, tgt_vocab)
    weights : TransformerWeights
    memory : (batch, src, d_model)
        The encoder's output, or what was given.

    Raises
    ------
    ValueError
        If a cut names no part, layer or head of the model, or no place of a case.
    """
    cuts = list(cuts)
    _check_cuts(model, cuts)
    with evaluating(model):
        src, tgt = batch.src, batch.tgt[:, :-1]
        real = for_all_queries(batch.src_mask)
        encoder_weights, decoder_weights, cross_weights = [], [], []
        x = model.embed(model.src_embedding, src)
        inside = real.expand(-1, src.shape[1], -1)
        for index, layer in enumerate(model.encoder):
            mask = _mask("encoder", index, cases, cuts, inside, layer.attention.n_heads)
            x, weights = layer(x, mask)
            encoder_weights.append(weights)
        memory = model.encoder_norm(x) if memory is None else memory
        x = model.embed(model.tgt_embedding, tgt)
        own = torch.ones(len(tgt), tgt.shape[1], tgt.shape[1], dtype=torch.bool, device=tgt.device)
        across = real.expand(-1, tgt.shape[1], -1)
        for index, layer in enumerate(model.decoder):
            n_heads = layer.attention.n_heads
            x, self_weights, weights = layer(
                x,
                memory,
                _mask("decoder", index, cases, cuts, own, n_heads),
                _mask("cross", index, cases, cuts, across, n_heads),
            )
            decoder_weights.append(self_weights)
            cross_weights.append(weights)
        logits = model.output(model.decoder_norm(x))
        return logits, TransformerWeights(encoder_weights, decoder_weights, cross_weights), memory


def _check_cuts(model, cuts: Sequence[Cut]) -> None:
    places = ("it", "adjective", "referent", "other", "verb", "place", "referent_said", "other_said", None)
    for cut in cuts:
        if cut.part not in ("encoder", "decoder", "cross"):
            raise ValueError(f"cuts: expected part encoder, decoder or cross, got {cut.part!r}")
        layers = model.encoder if cut.part == "encoder" else model.decoder
        n_heads = layers[0].attention.n_heads
        for name, value, most in (("layer", cut.layer, len(layers)), ("head", cut.head, n_heads)):
            if value is not None and not 0 <= value < most:
                raise ValueError(f"cuts: the model has {name}s 0 to {most - 1}, got {name} {value!r}")
        for name in (cut.query, cut.key):
            if name not in places:
                raise ValueError(
                    f"cuts: {name!r} is no place of a case; choose one of {', '.join(places[:-1])}"
                )


def lead(logits: Tensor, cases: Sequence[Case], tgt: Vocabulary) -> Tensor:
    """How far the right pronoun is ahead of the wrong one where it is written: (cases,), in logits.

    Above 0 the model chooses right; e to this power is how many times likelier it holds the right one.
    """
    rows = torch.arange(len(cases), device=logits.device)
    place = torch.tensor([case.place for case in cases], device=logits.device)
    here = logits[rows, place]  # (cases, tgt_vocab)
    right = torch.tensor([tgt.numbers[case.right] for case in cases], device=logits.device)
    wrong = torch.tensor([tgt.numbers[case.wrong] for case in cases], device=logits.device)
    return (here[rows, right] - here[rows, wrong]).cpu()


@torch.no_grad()
def leads(
    model: nn.Module,
    cases: Sequence[Case],
    src: Vocabulary,
    tgt: Vocabulary,
    cuts: Iterable[Cut] = (),
) -> Tensor:
    """:func:`lead` of each case, (cases,). Without cuts for any translator of the book."""
    cuts = list(cuts)
    device = next(model.parameters()).device
    found = []
    for start in range(0, len(cases), 100):
        chunk = cases[start : start + 100]
        batch = collate([case.pair for case in chunk], src, tgt).to(device)
        if cuts:
            logits, _, _ = run(model, chunk, batch, cuts)
        else:
            with evaluating(model):
                logits, _ = model(batch.src, batch.tgt[:, :-1], batch.src_mask)
        found.append(lead(logits, chunk, tgt))
    return torch.cat(found)


@torch.no_grad()
def patched(
    model: Transformer,
    cases: Sequence[Case],
    donors: Sequence[Case],
    src: Vocabulary,
    tgt: Vocabulary,
    words: Sequence[str] | None = (),
    *,
    written: bool = False,
) -> Tensor:
    """:func:`lead` of each case when some of what the decoder reads comes from the donor, another sentence.

    Parameters
    ----------
    cases, donors : sequence of Case
        Donor i gives to case i; both have their words at the same places.
    words : sequence of str, or None
        Names of places in a :class:`Case`, whose rows of the memory the donor gives; None: all rows.
    written : bool
        Whether the French before the pronoun is the donor's, too.

    Returns
    -------
    (cases,)

    Raises
    ------
    ValueError
        If there is not one donor a case, or a donor's words stand elsewhere.
    """
    if len(cases) != len(donors):
        raise ValueError(f"donors: expected {len(cases)}, one a case, got {len(donors)}")
    for case, donor in zip(cases, donors, strict=True):
        if len(case.pair.src) != len(donor.pair.src) or case.place != donor.place:
            raise ValueError(
                f"donors: expected the words of {' '.join(case.pair.src)!r} at their places, got "
                f"{' '.join(donor.pair.src)!r}"
            )
    device = next(model.parameters()).device
    found = []
    for start in range(0, len(cases), 100):
        chunk, givers = cases[start : start + 100], donors[start : start + 100]
        batch = collate([case.pair for case in chunk], src, tgt).to(device)
        giving = collate([case.pair for case in givers], src, tgt).to(device)
        memory, given = (run(model, c, b)[2] for c, b in ((chunk, batch), (givers, giving)))
        if words is None:
            memory = given
        else:
            memory = memory.clone()
            for row, case in enumerate(chunk):
                for word in words:
                    memory[row, getattr(case, word)] = given[row, getattr(case, word)]
        if written:
            tokens = batch.tgt.clone()
            for row, case in enumerate(chunk):
                tokens[row, : case.place + 1] = giving.tgt[row, : case.place + 1]
            batch = replace(batch, tgt=tokens)
        found.append(lead(run(model, chunk, batch, memory=memory)[0], chunk, tgt))
    return torch.cat(found)


# ---- where it looks --------------------------------------------------------------------------------


@torch.no_grad()
def looks(
    model: Transformer, cases: Sequence[Case], src: Vocabulary, tgt: Vocabulary, part: str, query: str
) -> dict[str, Tensor]:
    """Weights from one word to each word that matters, in every case, layer and head.

    Parameters
    ----------
    part : "encoder", "decoder" or "cross"
    query : str
        A place in a Case: "it" or "adjective" for the encoder, "place" for the other two, where the pronoun
        is written.

    Returns
    -------
    dict
        "it", "adjective", "referent", "other" and "verb" → (cases, n_layers, n_heads); for the decoder's own
        words "referent" and "other" alone, the French nouns.
    """
    device = next(model.parameters()).device
    own = part == "decoder"
    keys = {"referent": "referent_said", "other": "other_said"} if own else {name: name for name in WORDS}
    found: dict[str, list[Tensor]] = {name: [] for name in keys}
    for start in range(0, len(cases), 100):
        chunk = cases[start : start + 100]
        batch = collate([case.pair for case in chunk], src, tgt).to(device)
        _, weights, _ = run(model, chunk, batch)
        stacked = torch.stack(getattr(weights, part), dim=1)  # (batch, n_layers, n_heads, queries, keys)
        for row, case in enumerate(chunk):
            from_query = stacked[row, :, :, getattr(case, query)].cpu()  # (n_layers, n_heads, keys)
            for name, key in keys.items():  # the decoder reads <bos> first
                found[name].append(from_query[..., getattr(case, key) + own])
    return {name: torch.stack(values) for name, values in found.items()}


def moves(look: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """The weight on each noun when it is meant and when it is not, for :func:`looks` at minimal pairs.

    Parameters
    ----------
    look : dict
        Of cases of which the first half are the first of all pairs, and the second half the second.

    Returns
    -------
    dict
        "animal" and "path" → (meant, not meant), each (pairs, n_layers, n_heads): row i of both is the same
        noun in the two sentences of pair i.
    """
    n = len(look["referent"]) // 2
    return {
        "animal": (look["referent"][:n], look["other"][n:]),
        "path": (look["referent"][n:], look["other"][:n]),
    }


def prefers(look: dict[str, Tensor]) -> Tensor:
    """Share of cases in which each head gives the referent more than the other noun: (n_layers, n_heads).

    On minimal pairs a head that goes by place or by noun alone gets exactly one half. So does a head that
    attends to a noun only when it is meant and to no noun otherwise, as long as the noun that it attends to
    wins by ever so little in the other sentence, too: :func:`moves` can see such a head, this cannot.
    """
    return (look["referent"] > look["other"]).float().mean(dim=0)


@torch.no_grad()
def draw(
    model: Transformer,
    pair: tuple[Case, Case],
    src: Vocabulary,
    tgt: Vocabulary,
    part: str = "encoder",
    layer: int = -1,
):
    """The weights of *it* in the encoder, or those with which the pronoun is written, in both sentences.

    Parameters
    ----------
    pair : (Case, Case)
        One of :func:`minimal_pairs`, or of :func:`famous`.
    part : "encoder" or "cross"
    layer : int
        Counted from 0; the last if left out.

    Returns
    -------
    matplotlib.figure.Figure
        One row a head and sentence, one column an English word.
    """
    if part not in ("encoder", "cross"):
        raise ValueError(f"part: expected encoder or cross, got {part!r}")
    device = next(model.parameters()).device
    batch = collate([case.pair for case in pair], src, tgt).to(device)
    weights = getattr(run(model, pair, batch)[1], part)[layer].cpu()  # (2, n_heads, queries, keys)
    rows, labels = [], []
    for head in range(weights.shape[1]):
        for side, case in enumerate(pair):
            query = case.it if part == "encoder" else case.place
            rows.append(weights[side, head, query])
            reader = "it" if part == "encoder" else case.right
            labels.append(f"head {head + 1}: {reader} (too {case.pair.src[case.adjective]})")
    words = list(pair[0].pair.src)
    place = pair[0].adjective
    words[place] = f"{words[place]} / {pair[1].pair.src[place]}"
    number = range(len(model.encoder))[layer] + 1
    title = f"encoder, layer {number}: where it looks" if part == "encoder" else (
        f"cross-attention, layer {number}: where the pronoun is read from"
    )  # fmt: skip
    figure = plots.heatmap(
        torch.stack(rows), labels, words, title=title, column_title="English word", limits=(0, 1)
    )
    for line in range(2, len(rows), 2):
        figure.axes[0].axhline(line - 0.5, color="black", linewidth=0.8)
    return figure


def famous() -> tuple[Case, Case]:
    """The pair of the animal that didn't cross the street, too tired and too wide."""
    pairs = phrasebook.examples()
    return case_of(pairs["tired"]), case_of(pairs["wide"])
