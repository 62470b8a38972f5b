"""10.11: the learned numbers of GPT-2, the smallest one, counted from its sizes."""

from attnbook.exercises.spec import Nearby, Prediction

# Radford et al. 2019, and the file that was published: 12 layers, biases everywhere, embeddings tied.
VOCAB, POSITIONS, D_MODEL, LAYERS = 50_257, 1024, 768, 12


def count(matrices: int = 4, norms: int = 2, *, biases: int = 1, tables: int = 1, last: int = 1) -> int:
    """Learned numbers, with so many matrices of attention and layer norms a layer and tables of words."""
    d = D_MODEL
    attention = matrices * (d * d + d * biases)
    feed_forward = 2 * d * 4 * d + (4 * d + d) * biases
    layer = attention + feed_forward + norms * 2 * d
    return tables * VOCAB * d + POSITIONS * d + LAYERS * layer + last * 2 * d


EXERCISE = Prediction(
    id="10.11",
    title="★ GPT-2, counted",
    points=2,
    minutes=12,
    difficulty="hard",
    signature="parameters_of_gpt2 = 100_000_000",
    reference=lambda: float(count()),
    tolerance=50.0,
    nearby=(
        Nearby(
            float(count(tables=2)),
            "That counts the words' matrix twice. Embedding and output layer are tied: one matrix.",
            50.0,
        ),
        Nearby(
            float(count(matrices=8, norms=3)),
            "Those are whole decoder layers. GPT-2 has no encoder, so nothing is there to cross-attend to: "
            "two sublayers a layer.",
            50.0,
        ),
        Nearby(
            float(count() - POSITIONS * D_MODEL),
            "The positions are missing: they are learned here, one row for each of 1,024 positions.",
            50.0,
        ),
        Nearby(
            float(count(biases=0)),
            "The biases are missing. Every matrix of a layer has one number more for each of its outputs.",
            50.0,
        ),
        Nearby(
            float(count(last=0)),
            "Nearly: it is pre-norm, so one more layer norm follows the last layer.",
            50.0,
        ),
        Nearby(
            float(count(norms=0, last=0)),
            "The layer norms are missing: two a layer and one at the end, each with γ and β.",
            50.0,
        ),
        Nearby(
            117e6,
            "That is the number in the paper. The authors later said that they had miscounted; count.",
            500_000.0,
        ),
        Nearby(
            124e6,
            "Right in millions. Count every number: biases, layer norms and positions too.",
            900_000.0,
        ),
    ),
    hints=(
        "What is learned outside the layers? The words' matrix once, the positions' matrix, one layer norm.",
        "A layer: four matrices of 768 · 768, one of 768 · 3,072, one of 3,072 · 768, a bias for each output "
        "of all six, and two layer norms of 2 · 768.",
        "12 · 7,087,872 + 50,257 · 768 + 1,024 · 768 + 2 · 768.",
    ),
)
