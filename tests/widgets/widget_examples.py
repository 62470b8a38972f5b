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


def translator(**options):
    """Two sentences that the shipped translators wrote; the page translates any other."""
    from attnbook.widgets import AlignmentExplorer

    examples = [{"src": SOURCE, "tgt": TARGET, "gold": GOLD}, {"src": ["the", "cat", "sleeps"]}]
    models = ["04_additive", "03_fixed_vector"]
    return AlignmentExplorer(examples, **{"models": models, **options})


HEAD_WORDS = ["[hidden]", "the", "a", "cat", "dog", "sees", "small", "tired", "was", "it", "sleeps", "that"]
HEAD_SENTENCES = [["the", "cat", "that", "sees", "a", "dog", "sleeps"], ["it", "was", "tired"]]
ROLES = {
    (0, 1): ("previous word", "It gives the word before 80 % of its weight."),
    (0, 0): ("same word", "Its largest weight falls on the same word in 9 of 10 sentences."),
    (1, 2): ("head noun", "From a verb it looks at the noun."),
}


def word_model(seed=0, **options):
    """A random model of a few words, its parameters large enough to matter."""
    import torch

    from attnbook.nn import WordModel

    torch.manual_seed(seed)
    sizes = {"vocab": len(HEAD_WORDS), "d_model": 12, "n_heads": 3, "n_layers": 2, "max_length": 9}
    made = WordModel(**{**sizes, **options})
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    made.measure_head_means(torch.randint(0, made.vocab, (8, made.max_length)))
    return made


def heads(model=None, **options):
    """Two sentences before a random model, three of its six heads with roles."""
    from attnbook.widgets import HeadExplorer

    model = model or word_model()
    defaults = {"roles": ROLES, "other_roles": ["next word"]}
    if not getattr(model, "causal", False):
        defaults["mask_word"] = "[hidden]"
    return HeadExplorer.from_model(model, HEAD_SENTENCES, HEAD_WORDS, **{**defaults, **options})


def given_heads(n=5, n_src=None, seed=0, **options):
    """Random weights of two layers of three heads, without a model."""
    import numpy as np

    from attnbook.widgets import HeadExplorer

    weights = np.exp(2 * np.random.default_rng(seed).normal(size=(2, 3, n, n_src or n)))
    weights /= weights.sum(-1, keepdims=True)
    src = None if n_src is None else [f"s{i}" for i in range(n_src)]
    return HeadExplorer([f"t{i}" for i in range(n)], weights, **{"src": src, **options})


def translated(src=SOURCE, tgt=TARGET, seed=0, n_layers=2, n_heads=3, kinds=("encoder", "decoder", "cross")):
    """What a translator hands over of one sentence, with random weights; some heads are sharp."""
    from types import SimpleNamespace

    import torch

    draw = torch.Generator().manual_seed(seed)
    tgt = (*tgt, "<eos>")
    parts = dict.fromkeys(("encoder", "decoder", "cross"))
    for kind in kinds:
        rows, columns = len(src if kind == "encoder" else tgt), len(tgt if kind == "decoder" else src)
        scores = torch.randn(n_layers, n_heads, rows, columns, generator=draw)
        scores *= torch.tensor([1.0, 3.0, 6.0]).repeat(n_heads)[:n_heads, None, None]
        if kind == "decoder":
            scores = scores.masked_fill(torch.ones(rows, columns).triu(1).bool(), float("-inf"))
        parts[kind] = torch.softmax(scores, -1)
    return SimpleNamespace(src=tuple(src), tgt=tgt, text=" ".join(tgt[:-1]), **parts)


def cross(translations=None, **options):
    """Two sentences of a translator, the word "zone" first."""
    from attnbook.widgets import HeadExplorer

    if translations is None:
        second = translated(["the", "cat", "sees", "the", "dog"], ["le", "chat", "voit", "le", "chien"], 1)
        translations = [translated(), second]
    return HeadExplorer.from_translation(translations, **{"row": 4, "head": (0, 1), **options})


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


def drawing(model=None, pictures=None, **options):
    """Two pictures before a random DRAW of four steps, its parameters large enough to matter."""
    from attnbook.widgets import DrawStepper

    defaults = {"challenge": "Put your cross where it will write."}
    model, pictures = model or drawer(), pictures if pictures is not None else INK
    return DrawStepper(model, pictures, **{**defaults, **options})


def drawer(seed=0):
    """A random DRAW for pictures of 8 × 11 pixels."""
    import torch

    from attnbook.nn import DRAW

    torch.manual_seed(seed)
    made = DRAW(8, 11, steps=4, hidden=6, latent=3, read_size=4, write_size=3)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


INK = {
    "one": [[int(3 <= j <= 5 and i > 1) for j in range(11)] for i in range(8)],
    "two": [[int((i - 4) ** 2 + (j - 7) ** 2 < 8) for j in range(11)] for i in range(8)],
}


def picture(seed=0, height=48, width=64):
    """Soft noise with a red disc and a bar: something to look at, whatever the seed."""
    import numpy as np

    draw = np.random.default_rng(seed)
    coarse = draw.uniform(60, 150, (height // 8, width // 8, 3)).repeat(8, 0).repeat(8, 1)
    rows, columns = np.mgrid[:height, :width]
    y, x = draw.integers(10, height - 10), draw.integers(10, width - 10)
    coarse[(rows - y) ** 2 + (columns - x) ** 2 < 25] = (220, 30, 30)
    coarse[5:20, width // 4 : width // 4 + 3] = 240
    return coarse.astype(np.uint8)


def scanpath(**options):
    """Two small pictures and two things to look for."""
    from attnbook.widgets import SaliencyScanpath

    defaults = {
        "images": {"one": picture(0), "two": picture(1)},
        "targets": {
            "red things": {"colour": [0.86, 0.12, 0.12], "gains": [0.5, 2, 0.5]},
            "upright things": {"feature_gains": {"90°": 4, "0°": 0, "45°": 0, "135°": 0}},
        },
        "fixations": 3,
    }
    return SaliencyScanpath(**{**defaults, **options})


def experiment(task="cueing", **options):
    """A short run of a task."""
    from attnbook.widgets import SearchAndCueing

    defaults = {"trials": 5} if task == "cueing" else {"trials": 8, "sizes": [4, 16]}
    return SearchAndCueing(task, **{**defaults, **options})


def finished_experiment(**options):
    """Trials of a made-up reader, done."""
    made = experiment(**options)
    made.simulate()
    return made


def self_playground(**options):
    """Four words in the plane, three identities."""
    from attnbook.widgets import SelfAttentionPlayground

    defaults = {
        "tokens": ["the", "FBI", "is", "run"],
        "x": [[0.2, 0.1], [1, 0.3], [-0.4, 0.2], [0.9, -0.6]],
        "challenge": "Make “run” look at “FBI” more than at any other word.",
    }
    return SelfAttentionPlayground(**{**defaults, **options})


def positions(**options):
    """Two words on a strip of 24 places, 16 of them trained."""
    from attnbook.widgets import PositionExplorer

    defaults = {
        "query_position": 9,
        "key_position": 4,
        "length": 24,
        "train_length": 16,
        "challenge": "Find two places that keep the score when both words move.",
    }
    return PositionExplorer(**{**defaults, **options})


def scene(**options):
    """Two handwritten digits, one above the other, of eight to choose from."""
    from attnbook.data import scenes
    from attnbook.widgets import Captioner

    pool = scenes.digit_images("test")
    labels = [scenes.DIGITS[label] for label in pool.labels[:8].tolist()]
    return Captioner(pool.images[:8], labels, **options)


def patches(**options):
    """Three digits that were not drawn by a reader."""
    import torch

    from attnbook.widgets import PatchExplorer

    draw = torch.Generator().manual_seed(3)
    ring = [[min(abs(abs(x - 3.5) + abs(y - 3.5) - 3) < 1, 1) * 16 for x in range(8)] for y in range(8)]
    line = [[16 * (x in (3, 4)) for x in range(8)] for _ in range(8)]
    noise = torch.randint(0, 17, (8, 8), generator=draw)
    defaults = {"challenge": "Draw a seven that it reads as a one."}
    return PatchExplorer([ring, line, noise], ["ring", "line", "noise"], **{**defaults, **options})


def photograph(**options):
    """A small picture in 4 × 5 patches; the first asks, and four others are marked."""
    from attnbook.widgets import PhotoPatches

    defaults = {"asks": 0, "alt": "noise with a disc and a bar", "challenge": "Find two red patches."}
    return PhotoPatches(picture(2, 64, 80), 16, [3, 7, 11, 18], **{**defaults, **options})


def translating(**options):
    """Three sentences before the trained transformer, and two more to draw from."""
    from attnbook.widgets import TranslatorExplorer

    defaults = {
        "more": ["the cat sleeps", "we see the old houses"],
        "challenge": "Find a sentence that it gets wrong.",
    }
    examples = ["she doesn't love me", SOURCE, "in the garden the dog sleeps"]
    return TranslatorExplorer(examples, **{**defaults, **options})


def caching(**options):
    """Six tokens, one step at a time."""
    from attnbook.widgets import CausalStepper

    defaults = {"step": 3, "challenge": "Which kind keeps least, and what does it still compute?"}
    return CausalStepper("the cat sat on the mat", **{**defaults, **options})


TEXTS = [
    "Attention gives each word a weight, and the weights",
    "The encoder reads",
    "Où est-ce que 12 + 7 = 19?",
]


def writing(**options):
    """Three texts before the language model that ships."""
    from attnbook.widgets import TinyTransformerLive

    return TinyTransformerLive(TEXTS, **{"challenge": "Make it say something new.", **options})


PATCHED = ("The query and the", "The encoder and the")


def patching(**options):
    """The language model with a second text, whose activations are copied into the first."""
    from attnbook.widgets import TinyTransformerLive

    return TinyTransformerLive([PATCHED[0]], **{"donor": PATCHED[1], **options})


def budgeting(**options):
    """A model of ten layers, a third of them full, whose cache does not fit."""
    from attnbook.analysis.budget import Shape
    from attnbook.widgets import AttentionBudget

    shape = Shape(10, 8, 2, 64, pattern="WWF", window=512, state=4096)
    defaults = {"length": 65_536, "memory": 0.1, "challenge": "Which pattern fits?"}
    return AttentionBudget(shape, **{**defaults, **options})


def attention_map(**options):
    """A task with two needs."""
    from attnbook.widgets import AttentionMap

    defaults = {"needs": ["long", "steps"], "challenge": "Find a need that leaves two attentions."}
    return AttentionMap(**{**defaults, **options})


# One of each class, or of what a class can show, for test_contract.py; each may be given predict=False.
EXAMPLES = {
    "Captioner": scene,
    "HeadExplorer": heads,
    "HeadExplorer of translations": cross,
    "AlignmentExplorer": explorer,
    "AlignmentExplorer with models": translator,
    "AttentionBudget": budgeting,
    "AttentionMap": attention_map,
    "AttentionWindow": window,
    "PatchExplorer": patches,
    "PhotoPatches": photograph,
    "CausalStepper": caching,
    "DrawStepper": drawing,
    "PositionExplorer": positions,
    "QKVPlayground": playground,
    "Quiz": quiz,
    "SaliencyScanpath": scanpath,
    "SearchAndCueing": finished_experiment,
    "SelfAttentionPlayground": self_playground,
    "TinyTransformerLive": writing,
    "TinyTransformerLive with a donor": patching,
    "TranslatorExplorer": translating,
}

# A guess that each of those takes which asks for one.
GUESSES = {
    "Captioner": {"place": [5, 7]},
    "HeadExplorer": ["same word", "next word", "head noun"],
    "HeadExplorer of translations": {"choice": 2, "share": 0.3},
    "AlignmentExplorer": {"choice": 5, "share": 0.5},
    "AlignmentExplorer with models": {"choice": 5, "share": 0.5},
    "AttentionBudget": {"choice": "3 windows, 1 full"},
    "AttentionMap": {"choice": "sliding"},
    "AttentionWindow": {"window": 2},
    "PatchExplorer": {"choice": 5, "share": 0.2},
    "PhotoPatches": {"choice": 2, "share": 0.2},
    "CausalStepper": {"guess": 500},
    "DrawStepper": {"x": 4, "y": 2.5},
    "PositionExplorer": {"choice": "same"},
    "QKVPlayground": {"choice": "love", "share": 0.5},
    "SaliencyScanpath": {"places": [[3, 4], [20, 30]]},
    "SearchAndCueing": {"guess": 40},
    "SelfAttentionPlayground": {"choice": "FBI", "share": 0.5},
    "TinyTransformerLive": {"choice": 2, "share": 0.5},
    "TinyTransformerLive with a donor": {"choice": 2, "share": 0.5},
    "TranslatorExplorer": {"choice": 2, "share": 0.5},
}
