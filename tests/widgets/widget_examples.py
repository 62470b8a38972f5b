"""Small widgets that the tests share."""

from attnbook.widgets import QKVPlayground, Quiz

QUESTIONS = [
    {
        "question": "What does `softmax` keep?",
        "options": ["The order of the scores", "Their differences", "Nothing"],
        "answer": 0,
        "explanations": [
            "A larger score gets a larger share.",
            "Differences become ratios.",
            "It keeps the order of the scores.",
        ],
    },
    {
        "question": "Which of these hold?",
        "options": ["Weights sum to 1", "A weight may be negative", "Weights are shares"],
        "answer": [0, 2],
        "explanations": ["They are divided by their sum.", "exp is never negative.", "They are parts of a whole."],
    },
]


def playground(**options):
    """Three words in the plane; the first has the largest share."""
    defaults = {
        "query": [0.9, 0.4],
        "key": [[1, 0.1], [-0.2, 0.9], [-0.8, -0.5]],
        "value": [[1, 0], [0, 1], [-0.7, -0.6]],
        "labels": ["I", "love", "you"],
        "challenge": "Turn the query until “love” has more than half.",
    }
    return QKVPlayground(**{**defaults, **options})


def quiz(**options):
    """Two questions, the second with two right options."""
    return Quiz(QUESTIONS, **{"name": "sample", **options})
