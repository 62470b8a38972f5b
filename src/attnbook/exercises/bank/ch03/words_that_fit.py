"""3.2: how many words a vector has room for at most."""

from math import log2

from attnbook.exercises.spec import Nearby, Prediction

NUMBERS, LEVELS, WORDS = 128, 4, 256

EXERCISE = Prediction(
    id="3.2",
    title="How many words have room",
    points=1,
    minutes=5,
    difficulty="medium",
    signature="words_that_fit = 100.0",
    reference=lambda: NUMBERS * log2(LEVELS) / log2(WORDS),
    tolerance=0.5,
    nearby=(
        Nearby(
            NUMBERS,
            "One number a word: but a number with 4 levels can tell only 4 words apart, and there are 256.",
            0.5,
        ),
        Nearby(
            NUMBERS * LEVELS / WORDS,
            "You multiplied numbers and levels. Two numbers with 4 levels each tell 4 · 4 = 16 words apart, "
            "three tell 64: count how many of them one word needs.",
            0.5,
        ),
        Nearby(
            NUMBERS * LEVELS / log2(WORDS),
            "A word needs 8 bits, right; but a number with 4 levels holds 2 bits, not 4.",
            0.5,
        ),
        Nearby(
            NUMBERS / log2(WORDS),
            "A word needs 8 bits, right; but a number with 4 levels holds 2 bits, not 1.",
            0.5,
        ),
    ),
    hints=(
        "How many words can two numbers tell apart, if each has 4 levels? And three?",
        "Four numbers with 4 levels each: 4 · 4 · 4 · 4 = 256 words.",
        "Four numbers for one word, 128 numbers in all.",
    ),
)
