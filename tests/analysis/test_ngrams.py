"""Kneser–Ney: probabilities that add up, and one text counted by hand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.analysis.ngrams import KneserNey

TEXT = [0, 1, 2, 0, 1, 3, 0, 1, 2, 4, 0, 2]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=6, max_size=40),
    st.integers(1, 5),
    st.lists(st.integers(0, 5), max_size=7),
)
def test_probabilities_add_up_to_one(text, order, context):
    model = KneserNey(text, order, 6)
    odds = [model.probability(token, context) for token in range(6)]
    assert math.isclose(sum(odds), 1, rel_tol=1e-9)
    assert all(odd > 0 for odd in odds)


def test_pairs_by_hand():
    model = KneserNey(TEXT, 2, 5)
    # pairs: 01 three times, 12 twice, and 20, 13, 30, 24, 40, 02 once each
    discount = 6 / (6 + 2 * 1)
    # by how many different tokens stood before them: 0: 3, 1: 1, 2: 2, 3: 1, 4: 1, together 8 kinds of pair
    discount_below = 3 / (3 + 2 * 1)
    below = (2 - discount_below) / 8 + discount_below * 5 / 8 / 5  # of token 2
    wanted = (2 - discount) / 3 + discount * 2 / 3 * below  # 1 was followed by 2, 3, 2
    assert math.isclose(model.probability(2, [1]), wanted)
    assert math.isclose(model.probability(2, [4, 3, 1]), wanted)  # only the last token counts
    assert math.isclose(model.nats([1, 2]), -math.log(wanted))


def test_more_context_helps_where_it_decides():
    text = [0, 1, 2, 3, 1, 4] * 30  # what follows 1 depends on the token before it
    two, three = KneserNey(text, 2, 5), KneserNey(text, 3, 5)
    assert three.probability(2, [0, 1]) > 0.9 > 0.6 > two.probability(2, [0, 1])


def test_a_text_shorter_than_the_order_is_refused():
    with pytest.raises(ValueError, match="tokens: expected at least 3"):
        KneserNey([1, 2], 3, 5)
