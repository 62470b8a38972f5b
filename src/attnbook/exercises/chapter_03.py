"""Exercises of chapter 3, the bottleneck."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

HIDDEN, LONG_SENTENCE = 256, 60  # exercise 3.2

# 3.3


def gru_step(x, h, W, U, b, *, gate="keep", reset="inside", order="rzn", candidate="tanh", bias="added"):
    size = h.shape[-1]
    from_x = x @ W.T + b  # (batch, 3·hidden)
    if bias == "forgotten":
        from_x = x @ W.T
    from_h = h @ U.T  # (batch, 3·hidden)
    x_r, x_z, x_n = from_x.split(size, dim=-1)
    h_r, h_z, h_n = from_h.split(size, dim=-1)
    if order == "zrn":
        x_r, x_z, h_r, h_z = x_z, x_r, h_z, h_r
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    if reset == "before":
        h_n = (r * h) @ U[2 * size :].T
    elif reset == "inside":
        h_n = r * h_n
    n = x_n + h_n
    n = torch.tanh(n) if candidate == "tanh" else torch.sigmoid(n) if candidate == "sigmoid" else n
    if gate == "swapped":
        return (1 - z) * h + z * n
    if gate == "no memory":
        return (1 - z) * n
    return z * h + (1 - z) * n


def gru_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, d_x, hidden = draw.sizes(3, 2, 8)
        cases.append(
            Case(
                {
                    "x": draw.normal(batch, d_x),
                    "h": draw.normal(batch, hidden).tanh(),
                    "W": draw.normal(3 * hidden, d_x),
                    "U": draw.normal(3 * hidden, hidden),
                    "b": draw.normal(3 * hidden),
                }
            )
        )
    return cases


# 3.4


def teacher_forcing(tgt, *, pair="shift"):
    if pair == "copy":
        return tgt[:, 1:], tgt[:, 1:]
    if pair == "same":
        return tgt[:, :-1], tgt[:, :-1]
    if pair == "backwards":
        return tgt[:, 1:], tgt[:, :-1]
    if pair == "two":
        return tgt[:, :-2], tgt[:, 2:]
    if pair == "batch":
        return tgt[:-1], tgt[1:]
    return tgt[:, :-1], tgt[:, 1:]


def sentence_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, shifted = draw.sizes(2, 3, 8)
        length = shifted + 1  # the shape of what comes back is (batch, shifted)
        tgt = draw.integers(batch, length, low=3, high=40)
        tgt[:, 0], tgt[:, -1] = 1, 2
        cases.append(Case({"tgt": tgt}))
    return cases


# 3.5


def padded_loss(scores, target, mask, *, share="real tokens", which="mask", base="e"):
    log_shares = torch.log_softmax(scores, dim=-1)
    losses = -log_shares.gather(-1, target[..., None]).squeeze(-1)  # (batch, length)
    if which == "ignored":
        mask = torch.ones_like(mask)
    elif which == "inverted":
        mask = ~mask
    if base == "2":
        losses = losses / math.log(2)
    elif base == "no softmax":
        losses = -scores.gather(-1, target[..., None]).squeeze(-1)
    return averaged(losses, mask, share)


def averaged(losses, mask, share):
    """One number from the losses (batch, length) of the places that the mask names, rightly or wrongly."""
    kept = losses * mask
    if share == "all positions":
        return kept.mean()
    if share == "sum":
        return kept.sum()
    if share == "sentences":
        return (kept.sum(-1) / mask.sum(-1)).mean()
    return kept.sum() / mask.sum()


def loss_cases(draw: Draw) -> list[Case]:
    cases = []
    for padded in (False, True, True):
        words, *others = draw.sizes(3, 4, 11)
        batch, length = sorted(others)  # so that each sentence can have a length of its own
        mask = torch.ones(batch, length, dtype=torch.bool)
        if padded:
            for row, real in enumerate(draw.random.sample([1, *range(1, length)], min(batch, length - 1))):
                mask[row, real:] = False
        target = draw.integers(batch, length, low=1, high=words)
        target[~mask] = 0
        cases.append(
            Case(
                {"scores": draw.normal(batch, length, words, scale=2.0), "target": target, "mask": mask},
                group="mask" if padded else "plain",
                note="some sentences end in padding" if padded else "no padding",
            )
        )
    return cases


def loss_mistakes_differ(switches) -> bool:
    """Without the mask, all positions are real tokens."""
    return switches.get("which") != "ignored" or switches.get("share") not in ("all positions", "sentences")


# 3.6


def greedy_decode(
    next_scores, start, stop, max_length, *, ends="without", feed="back", pick="largest", limit="kept"
):
    tokens: list[int] = []
    previous = start
    while len(tokens) < max_length + (limit == "one more") - (limit == "one less"):
        row = next_scores[previous]
        token = int(row.argmax() if pick == "largest" else row.argmin())
        if token == stop:
            if ends in ("with stop", "with both"):
                tokens.append(token)
            break
        tokens.append(token)
        if feed == "back":
            previous = token
    return [start, *tokens] if ends in ("with start", "with both") else tokens


def decode_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("stops", "stops", "limit", "at once"):
        words = draw.random.randint(9, 14)
        order = draw.permutation(words).tolist()
        start, stop = order[0], order[-1]
        scores = draw.normal(words, words)
        # A chain of best next words, from start to stop, with a word of the middle before stop.
        length = draw.random.randint(3, words - 3)
        chain = [start, *order[1 : length + 1], stop]
        best = {"limit": [*chain[:-1], chain[1]], "at once": [start, stop]}.get(kind, chain)
        worst = [start, *reversed(order[1 : length + 1])]
        for here, there in pairwise(best):
            scores[here, there] = 5.0
        for here, there in pairwise(worst):
            scores[here, there] = -5.0 if scores[here, there] < 5.0 else 5.0
        limit = {"limit": length + draw.random.randint(2, 5)}.get(kind, words + 3)
        cases.append(
            Case(
                {"next_scores": scores, "start": start, "stop": stop, "max_length": limit},
                group={"stops": "plain"}.get(kind, "edge"),
                note={
                    "stops": "",
                    "limit": "the stop word never comes, so that max_length ends the sentence",
                    "at once": "the stop word comes first",
                }[kind],
            )
        )
    return cases


# 3.7


def modified_precision(candidate, reference, n, *, clip="clipped", over="candidate", count="grams"):
    def grams(tokens):
        size = 1 if count == "words" else n
        return Counter(tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))

    found, known = grams(candidate), grams(reference)
    if count == "kinds":
        found, known = Counter(set(found)), Counter(set(known))
    if clip == "clipped":
        matches = sum(min(times, known[gram]) for gram, times in found.items())
    else:
        matches = sum(times for gram, times in found.items() if gram in known)
    total = sum((found if over == "candidate" else known).values())
    return matches / total if total else 0.0


def precision_cases(draw: Draw) -> list[Case]:
    cases = []
    for n in (1, 2, 3):
        while True:  # until counting n-grams, kinds of n-grams and those of the reference all differ
            reference = [draw.random.randint(3, 8) for _ in range(draw.random.randint(9, 12))]
            candidate = reference[:5] + reference[2:5] + reference[2:5] + [9] + reference[:4] + reference[1:5]
            kinds = [
                modified_precision(candidate, reference, n, over=over, count=count)
                for over in ("candidate", "reference")
                for count in ("grams", "kinds")
            ]
            if len(set(kinds)) == len(kinds):
                break
        cases.append(Case({"candidate": candidate, "reference": reference, "n": n}))
    short = [draw.random.randint(3, 9)]
    cases.append(
        Case(
            {"candidate": short, "reference": [*short, 4, 5], "n": 2},
            group="edge",
            note="the candidate is shorter than n words",
        )
    )
    return cases


# 3.8


def sentence_bleu(candidate, reference, *, brevity="given", mean="geometric", clip="clipped"):
    precisions = [modified_precision(candidate, reference, n, clip=clip) for n in (1, 2, 3, 4)]
    if mean == "geometric":
        average = math.exp(sum(map(math.log, precisions)) / 4) if min(precisions) > 0 else 0.0
    elif mean == "arithmetic":
        average = sum(precisions) / 4
    elif mean == "product":
        average = math.prod(precisions)
    else:
        average = precisions[-1]
    c, r = len(candidate), len(reference)
    penalty = 1.0 if c >= r else math.exp(1 - r / c) if c else 0.0
    if brevity == "none":
        penalty = 1.0
    elif brevity == "always":
        penalty = math.exp(1 - r / c) if c else 0.0
    elif brevity == "ratio":
        penalty = min(1.0, c / r)
    elif brevity == "upside down":
        penalty = 1.0 if c >= r else math.exp(1 - c / r) if c else 0.0
    return average * penalty


def bleu_cases(draw: Draw) -> list[Case]:
    def words(count):
        return [draw.random.randint(3, 60) for _ in range(count)]

    cases = []
    for kind in ("longer", "shorter", "shorter", "no match"):
        reference = words(draw.random.randint(11, 14))
        if kind == "longer":
            extra = words(3)
            candidate = [*reference[:6], *extra, *reference[5:], *reference[2:5]]
        elif kind == "shorter":
            candidate = [*reference[:5], *reference[6:9], reference[7]]
        else:
            candidate = [*reference[:3], 99, *reference[5:8], 98, *reference[:2]]
        cases.append(
            Case(
                {"candidate": candidate, "reference": reference},
                group="edge" if kind == "no match" else "plain",
                note={
                    "longer": "the candidate is longer than the reference",
                    "shorter": "the candidate is shorter than the reference",
                    "no match": "no four words in a row match",
                }[kind],
            )
        )
    return cases


def between_0_and_1(args, outputs) -> bool:
    return all(-1e-6 <= value <= 1 + 1e-6 for value in outputs.values())


# 3.9


def recovered_share(size: int = 64, words: int = 40, vocabulary: int = 1000, trials: int = 50) -> float:
    """The share of the words of a random sentence that can be read back from the sum of their vectors.

    Mean over ``trials`` sentences: each word of the vocabulary has a random vector of +1 and -1; the
    sentence is the sum of ``words`` different ones; read back are the ``words`` vectors with the largest
    dot product with that sum.
    """
    draw = Draw(0)
    total = 0.0
    for _ in range(trials):
        vectors = draw.integers(vocabulary, size, high=2).float() * 2 - 1
        sentence = draw.permutation(vocabulary)[:words]
        thought = vectors[sentence].sum(dim=0)
        guess = (vectors @ thought).topk(words).indices
        total += torch.isin(guess, sentence).float().mean().item()
    return total / trials


EXERCISES = (
    Exercise(
        id="3.1",
        title="What the decoder reads while it learns",
        name="answer_teacher",
        kind="choice",
        points=1,
        minutes=3,
        difficulty="easy",
        signature='answer_teacher = "a"',
        outputs=(Output("answer_teacher", kind="option"),),
        variant=lambda: "b",
        nearby=(
            Nearby(
                "a",
                "That is what happens when the finished model translates: there it has nothing but its own "
                "words. In training with teacher forcing, somebody else holds the pen.",
            ),
            Nearby(
                "c",
                "The source is read by the encoder, before the decoder begins. What reaches the decoder "
                "of it is the fixed vector.",
            ),
            Nearby(
                "d",
                "If the decoder read the word that it should produce, it could copy it and would learn "
                "nothing. Exercise 3.4 shows that mistake.",
            ),
        ),
        hints=(
            "Who knows, in training, what the second word should have been?",
            "The teacher does not wait for the pupil's word: the right one is put in its place.",
            "At step 3 the words up to step 2 are known, and the one of step 3 is asked for.",
        ),
    ),
    Exercise(
        id="3.2",
        title="How much room a word gets",
        name="numbers_per_word",
        kind="prediction",
        points=1,
        minutes=3,
        difficulty="easy",
        signature="numbers_per_word = 100.0",
        outputs=(Output("numbers_per_word", kind="number"),),
        variant=lambda: HIDDEN / LONG_SENTENCE,
        tolerance=(0.0, 0.3),
        nearby=(
            Nearby(
                HIDDEN,
                "256 numbers is what the encoder hands over for the whole sentence. They are shared by "
                "60 words.",
                1.0,
            ),
            Nearby(
                HIDDEN * LONG_SENTENCE,
                "The encoder does make 256 numbers at each of the 60 words. But all the states except "
                "the last are thrown away.",
                10.0,
            ),
            Nearby(
                HIDDEN / LONG_SENTENCE / 2,
                "Only the source counts here: the decoder's own words cost the vector nothing.",
                0.1,
            ),
        ),
        hints=(
            "The decoder sees the last state of the encoder, and no other.",
            "That state has 256 numbers, whatever the length of the sentence.",
            "256 numbers for 60 words.",
        ),
    ),
    Exercise(
        id="3.3",
        title="One step of a GRU by hand",
        name="gru_step",
        kind="function",
        points=3,
        minutes=15,
        difficulty="medium",
        signature="gru_step(x, h, W, U, b)",
        outputs=(Output("new_h", ("batch", "hidden")),),
        variant=gru_step,
        cases=gru_cases,
        tolerance=(1e-4, 5e-5),
        properties=(
            Property(
                "the new state lies between −1 and 1 when the old one does",
                lambda args, outputs: bool((outputs["new_h"].abs() <= 1 + 1e-4).all()),
            ),
        ),
        axes=(
            Axis(
                "gate",
                {
                    "swapped": (
                        "The update gate works the other way round: where z is 1 you take the candidate, "
                        "and the text (like torch) keeps the old state there. Papers differ on this, so "
                        "look at the equation."
                    ),
                    "no memory": (
                        "The old state is missing from the last line: the new state is (1 − z) · n and "
                        "nothing is carried over."
                    ),
                },
            ),
            Axis(
                "reset",
                {
                    "before": (
                        "The reset gate multiplies h before the matrix product with U, as in Cho's "
                        "paper. Here, as in torch, it multiplies the product."
                    ),
                    "none": "The reset gate is computed and never used.",
                },
            ),
            Axis(
                "order",
                {
                    "zrn": (
                        "The rows of W, U and b are taken in the order z, r, n. They are stored as r, z, n."
                    ),
                },
            ),
            Axis(
                "candidate",
                {
                    "sigmoid": (
                        "The candidate n goes through a sigmoid, so it cannot be negative. It should be "
                        "a tanh."
                    ),
                    "linear": (
                        "The candidate n goes through no tanh, so the state can leave the range from −1 to 1."
                    ),
                },
            ),
            Axis("bias", {"forgotten": "The bias b is not added."}),
        ),
        forbidden=("GRU", "GRUCell", "attnbook.nn"),
        hints=(
            "Compute `x @ W.T + b` and `h @ U.T` once, and cut each into three parts with `.split(size, "
            "dim=-1)`.",
            "r and z are sigmoids of the sum of two parts. n is a tanh, and r multiplies only the part "
            "from h.",
            "The last line is a weighted mean of old state and candidate: z says how much of the old one "
            "stays.",
        ),
    ),
    Exercise(
        id="3.4",
        title="A loss that is too good to be true",
        name="teacher_forcing",
        kind="bug",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="teacher_forcing(tgt)",
        outputs=(
            Output("decoder_input", ("batch", "length - 1")),
            Output("target", ("batch", "length - 1")),
        ),
        variant=teacher_forcing,
        cases=sentence_cases,
        axes=(
            Axis(
                "pair",
                {
                    "copy": (
                        "The decoder reads, at every step, the very word that it should produce. It "
                        "learns to copy, the loss falls to zero within a minute, and the model cannot "
                        "translate a word."
                    ),
                    "same": (
                        "Input and target are the same words: the decoder reads what it should produce, "
                        "and never has to say the stop word."
                    ),
                    "backwards": (
                        "The pair is crossed: the decoder reads the next word and should produce the one "
                        "before. It learns to talk backwards."
                    ),
                    "two": (
                        "The target is two words ahead of the input. One word too many was cut off on "
                        "each side."
                    ),
                    "batch": (
                        "The shift runs along the batch: the decoder reads one sentence and should "
                        "produce another. The words are on the second axis."
                    ),
                },
            ),
        ),
        hints=(
            "Print both tensors for a sentence like [1, 7, 8, 9, 2], one under the other.",
            "Under each word should stand the word that comes after it.",
            "The input lacks the last word, the target lacks the first.",
        ),
    ),
    Exercise(
        id="3.5",
        title="A loss that does not count padding",
        name="padded_loss",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="padded_loss(scores, target, mask)",
        outputs=(Output("loss", ()),),
        variant=padded_loss,
        cases=loss_cases,
        properties=(
            Property("a loss is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),
        ),
        axes=(
            Axis(
                "share",
                {
                    "all positions": (
                        "The sum is divided by all positions, padding included. A batch with much "
                        "padding then looks better than it is."
                    ),
                    "sum": "The losses are added up and not divided: a bigger batch gets a bigger loss.",
                    "sentences": (
                        "The mean is taken sentence by sentence and then over the sentences, so a word "
                        "of a short sentence counts for more than one of a long sentence."
                    ),
                },
            ),
            Axis(
                "which",
                {
                    "ignored": "Padding is counted as if it were words: the mask is never used.",
                    "inverted": (
                        "The mask is read the wrong way round: the loss is that of the padding. True "
                        "marks a real word."
                    ),
                },
            ),
            Axis(
                "base",
                {
                    "2": (
                        "The logarithm is taken to base 2: your loss is in bits. Here, as in torch, it "
                        "is natural."
                    ),
                    "no softmax": (
                        "The raw scores are used as if they were logarithms of shares. A log-softmax "
                        "over the words has to come first."
                    ),
                },
            ),
        ),
        possible=loss_mistakes_differ,
        hints=(
            "Negative logarithm of the share that the right word got: one number for each position.",
            "`torch.log_softmax(scores, dim=-1)`, then `.gather(-1, target[..., None])` picks the right "
            "words.",
            "Multiply by the mask, add up, and divide by the number of real words: `mask.sum()`.",
        ),
    ),
    Exercise(
        id="3.6",
        title="Greedy decoding",
        name="greedy_decode",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="greedy_decode(next_scores, start, stop, max_length)",
        outputs=(Output("tokens", kind="tokens"),),
        variant=greedy_decode,
        cases=decode_cases,
        properties=(
            Property(
                "the sentence has at most max_length words",
                lambda args, outputs: len(outputs["tokens"]) <= args["max_length"],
            ),
            Property(
                "the stop word is not part of the sentence",
                lambda args, outputs: args["stop"] not in outputs["tokens"],
            ),
        ),
        axes=(
            Axis(
                "ends",
                {
                    "with stop": "The stop word is handed back as part of the sentence.",
                    "with start": "The start word is handed back as part of the sentence.",
                    "with both": (
                        "The start word and the stop word are handed back as part of the sentence."
                    ),
                },
            ),
            Axis(
                "feed",
                {
                    "start": (
                        "The decoder never reads what it wrote: at each step it asks what follows the "
                        "start word, and so it says the same word again and again."
                    ),
                },
            ),
            Axis("pick", {"smallest": "You take the word with the smallest score."}),
            Axis(
                "limit",
                {
                    "one more": "Without a stop word your sentence has one word more than max_length.",
                    "one less": "Without a stop word your sentence has one word less than max_length.",
                },
            ),
        ),
        possible=lambda switches: "pick" not in switches or len(switches) == 1,
        hints=(
            "`next_scores[previous]` holds a score for every word that could follow `previous`.",
            "A loop of at most max_length steps: best next word, stop if it is the stop word, keep it, "
            "go on from it.",
            "`int(next_scores[previous].argmax())` is the next word; it becomes `previous` for the next "
            "step.",
        ),
    ),
    Exercise(
        id="3.7",
        title="Precision that cannot be cheated",
        name="modified_precision",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="modified_precision(candidate, reference, n)",
        outputs=(Output("precision", kind="number"),),
        variant=modified_precision,
        cases=precision_cases,
        properties=(Property("a precision lies between 0 and 1", between_0_and_1),),
        axes=(
            Axis(
                "clip",
                {
                    "free": (
                        "Matches are not clipped: a candidate that says *the the the* is paid for *the* "
                        "each time. An n-gram can match at most as often as it stands in the reference."
                    ),
                },
            ),
            Axis(
                "over",
                {
                    "reference": (
                        "You divide by the number of n-grams of the reference. That is recall; precision "
                        "divides by those of the candidate."
                    ),
                },
            ),
            Axis(
                "count",
                {
                    "kinds": (
                        "Each n-gram is counted once, however often it stands in the candidate: a `set` "
                        "where counts are needed."
                    ),
                    "words": "Single words are compared, whatever n is.",
                },
            ),
        ),
        possible=lambda switches: not (switches.get("count") == "kinds" and "clip" in switches),
        hints=(
            "List the n-grams: `tuple(tokens[i:i + n])` for each place i where n words still fit.",
            "`collections.Counter` counts them. How often may an n-gram match at most?",
            "Add up `min(times in candidate, times in reference)`, and divide by the number of n-grams "
            "of the candidate; without any, the precision is 0.",
        ),
    ),
    Exercise(
        id="3.8",
        title="BLEU of a sentence",
        name="sentence_bleu",
        kind="function",
        points=4,
        minutes=15,
        difficulty="hard",
        signature="sentence_bleu(candidate, reference)",
        outputs=(Output("bleu", kind="number"),),
        variant=sentence_bleu,
        cases=bleu_cases,
        properties=(Property("BLEU lies between 0 and 1", between_0_and_1),),
        axes=(
            Axis(
                "brevity",
                {
                    "none": "There is no brevity penalty: a candidate of a few sure words gets full marks.",
                    "always": (
                        "The brevity penalty is applied to long candidates as well, where it becomes a "
                        "reward. It is 1 as soon as the candidate is at least as long as the reference."
                    ),
                    "ratio": (
                        "The penalty is the ratio of the lengths. It should be exp(1 − r / c), which "
                        "falls faster."
                    ),
                    "upside down": (
                        "The penalty has the lengths exchanged, exp(1 − c / r): it rewards short candidates."
                    ),
                },
            ),
            Axis(
                "mean",
                {
                    "arithmetic": (
                        "The four precisions are averaged by adding. BLEU takes their geometric mean, so "
                        "that one precision of 0 makes all of it 0."
                    ),
                    "product": "The four precisions are multiplied, and the fourth root is missing.",
                    "only 4": "Only the precision for four words in a row is used.",
                },
            ),
            Axis(
                "clip",
                {
                    "free": (
                        "Matches are not clipped: an n-gram can match at most as often as it stands in "
                        "the reference (exercise 3.7)."
                    ),
                },
            ),
        ),
        possible=lambda switches: not (switches.get("mean") == "only 4" and "clip" in switches),
        forbidden=("sacrebleu", "attnbook.translation.metrics"),
        hints=(
            "Four modified precisions (exercise 3.7), n from 1 to 4; their geometric mean; a penalty for "
            "brevity.",
            "Geometric mean: exp of the mean of the logarithms. If one precision is 0, the answer is 0.",
            "The penalty is 1 when the candidate is at least as long as the reference; else exp(1 − r / c).",
        ),
    ),
    Exercise(
        id="3.9",
        title="How many words fit into one vector",
        name="share_read_back",
        kind="measurement",
        points=3,
        minutes=15,
        difficulty="hard",
        signature="share_read_back = 0.5",
        outputs=(Output("share_read_back", kind="number"),),
        variant=recovered_share,
        tolerance=(0.0, 0.05),
        nearby=(
            Nearby(
                1.0,
                "All words came back. Did you read back from the vectors of the sentence alone, instead "
                "of from the whole vocabulary?",
                0.01,
            ),
            Nearby(
                40 / 1000,
                "That is what guessing at random would give. Are the dot products taken with the sum of "
                "the sentence's vectors?",
                0.02,
            ),
        ),
        hints=(
            "`vectors = torch.randint(0, 2, (1000, 64)).float() * 2 - 1` gives every word its vector.",
            "`torch.randperm(1000)[:40]` is a sentence; the thought is the sum of its rows.",
            "`(vectors @ thought).topk(40).indices` are the words that fit best; `torch.isin` tells "
            "which were there. Take the mean over 50 sentences.",
        ),
    ),
)
