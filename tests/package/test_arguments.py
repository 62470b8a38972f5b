"""Whole numbers: what is taken, and the sentence when it is not."""

import pytest

from attnbook.arguments import whole_number


def test_numbers_in_range_are_taken():
    whole_number("n", 1)
    whole_number("n", 0, least=0)
    whole_number("n", 5, least=0, most=5)


@pytest.mark.parametrize(
    ("given", "limits", "error", "message"),
    [
        (0, {}, ValueError, "^n: expected a whole number of at least 1, got 0; choose a larger one$"),
        (True, {}, TypeError, "^n: expected a whole number of at least 1, got True; pass an int$"),
        (2.0, {"least": 0}, TypeError, "^n: expected a whole number of at least 0, got 2.0; pass an int$"),
        (-1, {"least": 0, "most": 4}, ValueError, "from 0 to 4, got -1; choose a larger one$"),
        (5, {"least": 0, "most": 4}, ValueError, "from 0 to 4, got 5; choose a smaller one$"),
    ],
)
def test_the_rest_is_named(given, limits, error, message):
    with pytest.raises(error, match=message):
        whole_number("n", given, **limits)
