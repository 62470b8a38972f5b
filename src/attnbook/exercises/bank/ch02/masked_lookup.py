"""2.7: a soft lookup in which a mask forbids some keys."""

from attnbook.exercises.cases import masked_cases
from attnbook.exercises.mistakes import EMPTY, EMPTY_UNREACHED, KEY_SCALE, MASK
from attnbook.exercises.properties import FORBIDDEN, NOT_NEGATIVE, ROWS_ADD_UP_MASKED
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Function, Output


def masked_lookup(query, key, value, mask, *, scale=KEY_SCALE.right, placed=MASK.right, empty=EMPTY.right):
    scores = scale(query @ key.mT, query.shape[-1])
    weights = masked_softmax(scores, mask, placed=placed, empty=empty)
    return weights @ value, weights


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
    mistakes=(KEY_SCALE, MASK, EMPTY),
    meaningless=EMPTY_UNREACHED,
    forbidden=("scaled_dot_product_attention", "attnbook.nn"),
    hints=(
        "A forbidden position should get weight 0 *and* leave its share to the others. So the mask "
        "has to come before the softmax.",
        "`scores.masked_fill(~mask, -math.inf)`: exp(−∞) is 0.",
        "A row of nothing but −∞ gives NaN. `nan_to_num`, or `torch.where` with `mask.any(-1, "
        "keepdim=True)`, turns it into zeros.",
    ),
)
