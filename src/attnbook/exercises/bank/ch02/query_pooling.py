"""2.9: learned queries that pool the words of a review."""

from attnbook.exercises.cases import padding_mask
from attnbook.exercises.mistakes import EMPTY, KEY_SCALE, MASK_OR_NAN, OVER_OR_BATCH
from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Mistakes, Module, Output, Wrong

PLACED = MASK_OR_NAN.only("ignored", "after", "zero", "inverted_nan", "inverted_equal")
CUT = Mistakes(
    "cut",
    right=lambda weights: weights,
    detached=Wrong(
        lambda weights: weights.detach(),
        "The context sends no gradient back through the weights, so the queries never learn which words to "
        "look at. Look for `.detach()`, `.data` or `no_grad`.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda context, query: context,
    plus_query=Wrong(
        lambda context, query: context + query,
        "The query is added to the context. What is handed back should be made of the values alone.",
    ),
)


def query_pooling(
    state, words, mask,
    *, scale=KEY_SCALE.right, placed=PLACED.right, over=OVER_OR_BATCH.right, cut=CUT.right, mix=MIX.right,
):  # fmt: skip
    query = state["query"]
    scores = scale(query @ words.mT, query.shape[-1])  # (batch, queries, words)
    # No review is without words; over another axis a forbidden place can be all that there is, and gives NaN.
    empty = EMPTY.right if over == -1 else EMPTY["nan"].code
    weights = cut(masked_softmax(scores, mask[:, None, :], placed=placed, empty=empty, dim=over))
    return mix(weights @ words, query), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        while True:
            batch, queries, words, d_model = draw.sizes(4, 3, 9)
            if d_model != 8:  # or dividing by d_model and by 8 would be one mistake
                break
        mask = padding_mask(draw, kind, batch, words)
        found.append(
            Case(
                {"words": draw.normal(batch, words, d_model, scale=1.5), "mask": mask},
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "some reviews end in padding",
                init={"d_model": d_model, "n_queries": queries},
                state={"query": draw.normal(queries, d_model)},
                cotangents=[draw.normal(batch, queries, d_model), draw.normal(batch, queries, words)],
            )
        )
    return found


EXERCISE = Module(
    id="2.9",
    title="Several learned questions to one review",
    points=4,
    minutes=18,
    difficulty="hard",
    signature="QueryPooling(d_model, n_queries)",
    outputs=(
        Output("context", ("batch", "queries", "d_model")),
        Output("weights", ("batch", "queries", "words")),
    ),
    reference=query_pooling,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(NOT_NEGATIVE,),
    mistakes=(KEY_SCALE, PLACED, OVER_OR_BATCH, CUT, MIX),
    meaningless=(
        *((PLACED["inverted_nan"], family) for family in (KEY_SCALE, CUT, MIX)),
        *((OVER_OR_BATCH, family) for family in (PLACED, KEY_SCALE, CUT, MIX)),
    ),
    forbidden=("scaled_dot_product_attention", "MultiheadAttention", "attnbook.nn"),
    hints=(
        "`self.query = torch.nn.Parameter(torch.randn(n_queries, d_model))`; the words are keys and "
        "values at once.",
        "`self.query @ words.mT` gives (batch, queries, words): the batch axis comes by itself.",
        "The mask is (batch, words). `mask[:, None, :]` makes room for the queries.",
    ),
)
