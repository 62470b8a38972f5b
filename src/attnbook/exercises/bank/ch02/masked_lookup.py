"""2.7: a soft lookup in which a mask forbids some keys."""

from attnbook.exercises.cases import masked_cases
from attnbook.exercises.mistakes import EMPTY, EMPTY_UNREACHED, KEY_DIVISOR, MASK
from attnbook.exercises.properties import FORBIDDEN, NOT_NEGATIVE, ROWS_ADD_UP_MASKED
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Function, Mistakes, Output, Wrong

SCALE = KEY_DIVISOR.only("none", "d_k", "d_v", "n_keys", "n_queries")
# What the mask does to the values: (weights, before the mask, value) → context, weights.
MIX = Mistakes(
    "mix",
    right=lambda weights, unmasked, mask, value: (weights @ value, weights),
    only_values=Wrong(
        lambda weights, unmasked, mask, value: ((unmasked * mask) @ value, unmasked),
        "The mask reaches the context and not the weights you return: forbidden values are left out of the "
        "sum, but their weights were counted before, and the others are too small. It has to come in between "
        "the scores and the softmax.",
    ),
)


def masked_lookup(
    query, key, value, mask, *, scale=SCALE.right, placed=MASK.right, empty=EMPTY.right, mix=MIX.right
):
    divisor, _ = scale(
        d_k=query.shape[-1], d_v=value.shape[-1], n_keys=key.shape[1], n_queries=query.shape[1]
    )
    scores = query @ key.mT / divisor
    weights = masked_softmax(scores, mask, placed=placed, empty=empty)
    return mix(weights, scores.softmax(-1), mask, value)


EXERCISE = Function(
    id="2.7",
    title="A lookup with a mask",
    points=4,
    minutes=15,
    difficulty="hard",
    signature="masked_lookup(query, key, value, mask)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("weights", ("batch", "queries", "keys")),
    ),
    reference=masked_lookup,
    cases=masked_cases,
    properties=(NOT_NEGATIVE, FORBIDDEN, ROWS_ADD_UP_MASKED),
    mistakes=(SCALE, MASK, EMPTY, MIX),
    meaningless=(*EMPTY_UNREACHED, (MIX, MASK), (MIX, EMPTY)),
    forbidden=("scaled_dot_product_attention", "attnbook.nn"),
    hints=(
        "A forbidden position should get weight 0 *and* leave its share to the others. So the mask "
        "has to come before the softmax.",
        "`scores.masked_fill(~mask, -math.inf)`: exp(−∞) is 0.",
        "A row of nothing but −∞ gives NaN. `nan_to_num`, or `torch.where` with `mask.any(-1, "
        "keepdim=True)`, turns it into zeros.",
    ),
)
