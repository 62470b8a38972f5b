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
        "explanations": [
            "They are divided by their sum.",
            "exp is never negative.",
            "They are parts of a whole.",
        ],
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


SOURCE = ["the", "agreement", "on", "the", "European", "Economic", "Area", "was", "signed"]
TARGET = ["l'", "accord", "sur", "la", "zone", "économique", "européenne", "a", "été", "signé"]
GOLD = [
    [0, 0, "S"],
    [1, 1, "S"],
    [2, 2, "S"],
    [3, 3, "S"],
    [4, 6, "S"],
    [5, 5, "S"],
    [6, 4, "S"],
    [7, 7, "S"],
]
GOLD += [[8, 7, "P"], [9, 8, "S"]]


def translation(source, target=None, seed=0):
    """An example with the parts of an additive and of a dot score, and what a fixed vector wrote."""
    import numpy as np

    from attnbook.widgets.alignment_explorer import alignment_weights

    target = target or TARGET
    draw = np.random.default_rng(seed)
    d = 6
    places = {t: s for t, s, _ in GOLD}
    key = draw.normal(size=(len(source), d))
    query = np.stack([key[min(places.get(t, t), len(source) - 1)] * 1.2 for t in range(len(target))])
    v = draw.normal(size=d)
    return {
        "src": list(source),
        "tgt": list(target),
        "gold": [[t, s, kind] for t, s, kind in GOLD if s < len(source) and t < len(target)],
        "ask": min(4, len(target) - 1),
        "scorers": {
            "none": {"output": ["l'", "accord", "a", "été"], "remembered": [0.5] * len(source)},
            "additive": {"weights": alignment_weights(query, key, v), "query": query, "key": key, "v": v},
            "dot": {"weights": alignment_weights(query, key), "query": query, "key": key},
        },
    }


def translate(source):
    """Stands for a chapter's model: it knows the words of the two examples."""
    known = set(SOURCE) | set(["the", "cat", "sees"])
    unknown = [word for word in source if word not in known]
    if unknown:
        raise ValueError(f"the model does not know {unknown[0]!r}")
    return translation(source, seed=len(source))


def explorer(**options):
    """Two sentences and every edit of the first one step away."""
    from attnbook.widgets import AlignmentExplorer

    defaults = {
        "examples": [translation(SOURCE), translation(["the", "cat", "sees"], ["le", "chat", "voit"], 1)],
        "scorer": "dot",
        "by_length": {
            "measure": "BLEU",
            "buckets": [[1, 8], [9, 16]],
            "scores": {"none": [57, 24.4], "dot": [100, 97]},
        },
        "translate": translate,
        "edits": [SOURCE[1:], [SOURCE[1], SOURCE[0], *SOURCE[2:]]],
    }
    return AlignmentExplorer(**{**defaults, **options})


def window(**options):
    """Nine words with keys in the plane, a centre between two of them, and a window of D = 2."""
    from attnbook.widgets import AttentionWindow

    defaults = {
        "keys": [[0.2 * s - 0.6, (s % 4) / 2 - 0.5] for s in range(9)],
        "query": [1.5, 1.0],
        "tokens": SOURCE,
        "centre": None if options.get("mode", "local-p") != "local-p" or "trained" in options else 4.3,
        "challenge": "Commit a D that covers 90 % of the mass.",
    }
    return AttentionWindow(**{**defaults, **options})
