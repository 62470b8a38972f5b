"""7.4: masked attention from which the future leaks."""

from attnbook.exercises.cases import masked_cases
from attnbook.exercises.mistakes import EMPTY, EMPTY_UNREACHED, KEY_DIVISOR, MASK, OVER_OR_BATCH
from attnbook.exercises.properties import FORBIDDEN, NOT_NEGATIVE, ROWS_ADD_UP_MASKED
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Function, Output

PLACED = MASK.only("after", "ignored", "inverted", "zero")
SCALE = KEY_DIVISOR.only("none", "d_k", "d_v", "n_keys", "n_queries", "multiplied", "after", "eight")


def masked_attention(
    query, key, value, mask,
    *, scale=SCALE.right, placed=PLACED.right, empty=EMPTY.right, over=OVER_OR_BATCH.right,
):  # fmt: skip
    before, after = scale(
        query.shape[-1], d_v=value.shape[-1], n_keys=key.shape[-2], n_queries=query.shape[-2]
    )
    scores = query @ key.mT / before
    weights = masked_softmax(scores, mask, placed=placed, empty=empty, dim=over) / after
    return weights @ value, weights


EXERCISE = Function(
    id="7.4",
    title="The future leaks",
    bug=True,
    points=3,
    minutes=10,
    difficulty="medium",
    signature="masked_attention(query, key, value, mask)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("weights", ("batch", "queries", "keys")),
    ),
    reference=masked_attention,
    cases=masked_cases,
    properties=(NOT_NEGATIVE, FORBIDDEN, ROWS_ADD_UP_MASKED),
    mistakes=(SCALE, PLACED, EMPTY, OVER_OR_BATCH),
    meaningless=(*EMPTY_UNREACHED, (OVER_OR_BATCH, PLACED), (OVER_OR_BATCH, EMPTY)),
    forbidden=("scaled_dot_product_attention", "attnbook.nn"),
    hints=(
        "Two lines are wrong. Add up a row of the weights, and compare the size of the scores with "
        "section 7.6.",
        "A mask has to act before the weights are dealt out.",
        "Divide by the *root* of d_k; put −∞ where the mask is False, then softmax, then "
        "`nan_to_num(0.0)` for rows in which nothing is allowed.",
    ),
)
