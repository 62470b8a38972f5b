"""What 4.4 and 4.5 return, and what every right answer to them has."""

from attnbook.exercises.properties import NOT_NEGATIVE, forbidden_get_nothing, rows_add_up
from attnbook.exercises.spec import Output, Property

OUTPUTS = (Output("context", ("batch", "d_annotation")), Output("weights", ("batch", "src")))
PROPERTIES = (
    NOT_NEGATIVE,
    Property("padding, where the mask is False, gets the weight 0", forbidden_get_nothing),
    Property("the weights over each source sentence add up to 1", rows_add_up),
)
