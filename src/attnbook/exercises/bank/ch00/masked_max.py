"""0.6: the largest number of each feature over the words, padding left out."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# The numbers among which the largest is sought: (vectors, mask (batch, words, 1)) → vectors.
PLACED = Mistakes(
    "placed",
    right=lambda vectors, mask: vectors.masked_fill(~mask, -torch.inf),
    ignored=Wrong(
        lambda vectors, mask: vectors,
        "The mask is never used: where padding holds the largest number, padding is the answer.",
    ),
    inverted=Wrong(
        lambda vectors, mask: vectors.masked_fill(mask, -torch.inf),
        "The mask is read the wrong way round. True means *a word* here; yours is the largest number of the "
        "padding.",
    ),
    zero=Wrong(
        lambda vectors, mask: vectors * mask,
        "Padding is set to 0. In a sum a 0 adds nothing; but a 0 is larger than every negative number, so "
        "it wins wherever all words of a sentence are below zero.",
    ),
)


def whole_word(numbers):
    """The vector of the word whose numbers add up to most."""
    best = numbers.sum(dim=-1).argmax(dim=1)
    return numbers[torch.arange(len(numbers)), best]


PICK = Mistakes(
    "pick",
    right=lambda numbers: numbers.amax(dim=1),
    word=Wrong(
        whole_word,
        "You take all numbers from one word. Each feature has a largest number of its own, and these may "
        "come from different words.",
    ),
)
# A sentence without words has nothing but −∞.
EMPTY = Mistakes(
    "empty",
    right=lambda largest: largest.masked_fill(largest == -torch.inf, 0.0),
    infinite=Wrong(
        lambda largest: largest,
        "A sentence without any word gives −∞, which makes NaN of everything that it is multiplied by 0 "
        "with. Such a sentence should give zeros.",
    ),
)


def masked_max(vectors, mask, *, placed=PLACED.right, pick=PICK.right, empty=EMPTY.right):
    return empty(pick(placed(vectors, mask.unsqueeze(-1))))


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("all", "some", "some", "empty"):
        batch, words, d_model = draw.sizes(3, 4, 9)
        mask = torch.ones(batch, words, dtype=torch.bool) if kind == "all" else draw.mask(batch, words)
        if kind == "empty":
            mask[draw.random.randrange(batch)] = False
        vectors = draw.normal(batch, words, d_model)
        vectors[0, :, 0] -= 6.0  # of one feature all numbers are negative
        vectors[1:] += 3 * draw.normal(batch - 1, words, d_model) * ~mask[1:, :, None]  # padding stands out
        found.append(
            Case(
                {"vectors": vectors, "mask": mask},
                group={"all": "plain", "some": "mask", "empty": "edge"}[kind],
                note={
                    "all": "there is no padding",
                    "some": "some places are padding",
                    "empty": "one sentence is padding alone",
                }[kind],
            )
        )
    return found


def nothing_gives_zeros(args, outputs) -> bool:
    return bool((outputs["largest"][~args["mask"].any(dim=1)] == 0).all())


EXERCISE = Function(
    id="0.6",
    title="A maximum that skips padding",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="masked_max(vectors, mask)",
    outputs=(Output("largest", ("batch", "d_model")),),
    reference=masked_max,
    cases=cases,
    properties=(
        Property(
            "a sentence without any word gives zeros, and not a large negative number in the place of −∞",
            nothing_gives_zeros,
        ),
    ),
    mistakes=(PLACED, PICK, EMPTY),
    meaningless=(
        (PLACED["ignored"], EMPTY),
        (PLACED["zero"], EMPTY),
        (PLACED["inverted"], PICK),
    ),
    hints=(
        "In a sum, 0 adds nothing. Which number can never be the largest?",
        "`vectors.masked_fill(~mask.unsqueeze(-1), -math.inf)`, and then the largest along the words.",
        "`.amax(dim=1)`. Where the result is −∞ there was no word: `masked_fill` once more.",
    ),
)
