"""Generated reviews: the same for a seed, and decided by the words that they say decide."""

from collections import Counter

import pytest
import torch

from attnbook.data.reviews import BAD, GOOD, NEUTRAL, as_tensors, reviews, vocabulary

PAIRS = {("fell", "apart"): 0, ("stood", "out"): 1}


def test_a_seed_gives_the_same_reviews_and_another_seed_others():
    assert reviews(50, seed=3) == reviews(50, seed=3)
    assert reviews(50, seed=3) != reviews(50, seed=4)


def test_known_reviews_of_a_seed():
    # Pinned: chapters and stored results rest on the very same texts.
    assert [str(review) for review in reviews(2, seed=0)] == [
        "the manual has a blue cover apart from the cable it holds one part it stood on "
        "a shelf in the garage it is faulty for the office there is a blue switch on the side",
        "i took it out of the box on friday the price fell on "
        "thursday the printer is superb the cable runs to the bedroom",
    ]


def test_half_are_good_and_lengths_are_as_asked():
    made = reviews(401, seed=1, neutral=(2, 3))
    assert sum(review.label for review in made) == 200
    longest = max(len(template.split()) for template in NEUTRAL)
    assert all(2 * 5 <= len(review.words) <= 3 * longest + 9 for review in made)


@pytest.mark.parametrize("negated", [0.0, 1.0])
def test_the_words_named_decide_the_label(negated):
    for review in reviews(300, seed=5, negated=negated):
        words = tuple(review.words[position] for position in review.deciding)
        if negated:
            assert words[0] == "not"
            assert review.label == int(words[1] in BAD)
        elif len(words) == 2:
            assert review.label == PAIRS[words]
            assert review.deciding[1] == review.deciding[0] + 1
        else:
            assert review.label == int(words[0] in GOOD)


def test_no_other_word_tells_the_label():
    made = reviews(4000, seed=6)
    counts = {0: Counter(), 1: Counter()}
    for review in made:
        counts[review.label].update({w for i, w in enumerate(review.words) if i not in review.deciding})
    for word in counts[0] | counts[1]:
        bad, good = counts[0][word], counts[1][word]
        # Five standard deviations of a fair coin; "in" and "on" also stand in the two-word verdicts.
        slack = 5 * (bad + good) ** 0.5 / 2 + (120 if word in {"in", "on", "the", "it"} else 0)
        assert abs(bad - good) / 2 <= slack, word


def test_halves_of_a_two_word_verdict_also_stand_in_neutral_sentences():
    neutral = " ".join(NEUTRAL).split()
    assert {"fell", "apart", "stood", "out", "not"} <= set(neutral)
    assert not set(GOOD + BAD) & set(neutral)


def test_vocabulary_is_alphabetical_and_drops_rare_words():
    texts = [("b", "a"), ("b", "c")]
    assert vocabulary(texts) == {"<pad>": 0, "<unk>": 1, "a": 2, "b": 3, "c": 4}
    assert vocabulary(texts, at_least=2) == {"<pad>": 0, "<unk>": 1, "b": 2}


def test_tensors_hold_the_words_and_the_mask_tells_padding():
    numbers = vocabulary([("a", "b")])
    word_ids, mask = as_tensors([("b", "a", "new"), ("a",), ()], numbers)
    assert word_ids.tolist() == [[3, 2, 1], [2, 0, 0], [0, 0, 0]]
    assert mask.tolist() == [[True] * 3, [True, False, False], [False] * 3]
    assert word_ids.dtype == torch.int64
    assert mask.dtype == torch.bool


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("count", lambda: reviews(0)),
        ("neutral", lambda: reviews(1, neutral=(3, 2))),
        ("neutral", lambda: reviews(1, neutral=(0, len(NEUTRAL) + 1))),
        ("negated", lambda: reviews(1, negated=1.5)),
        ("texts", lambda: as_tensors([], {"<pad>": 0, "<unk>": 1})),
    ],
)
def test_wrong_arguments_are_named(argument, call):
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        call()
