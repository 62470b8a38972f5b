"""12.3: the class token and the positions of a Vision Transformer."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (class_token (d,), patches (batch, n, d), positions (n + 1, d)) → both with their positions.
PLACE = Mistakes(
    "place",
    right=lambda first, patches, positions: (first + positions[0], patches + positions[1:]),
    shifted=Wrong(
        lambda first, patches, positions: (first, patches + positions[:-1]),
        "Every patch gets the position of the patch before it, and the first patch gets the one that was "
        "learned for the class token, which itself gets none. Row 0 of the positions belongs to the class "
        "token.",
    ),
    both_zero=Wrong(
        lambda first, patches, positions: (first + positions[0], patches + positions[:-1]),
        "The class token has its position now, but row 0 is used twice: the patches still begin there, so "
        "that each gets the position of the patch before it.",
    ),
    class_none=Wrong(
        lambda first, patches, positions: (first, patches + positions[1:]),
        "The patches have their own positions, and the class token has none. Row 0 was learned for it.",
    ),
    class_last=Wrong(
        lambda first, patches, positions: (first + positions[-1], patches + positions[:-1]),
        "The class token gets the last row of the positions and the patches the rows from 0. In the table "
        "the class token comes first.",
    ),
    patches_none=Wrong(
        lambda first, patches, positions: (first + positions[0], patches),
        "The patches get no position at all: without one, a picture and its patches in any other order are "
        "the same.",
    ),
)
ORDER = Mistakes(
    "order",
    right=lambda first, patches: torch.cat([first, patches], dim=1),
    last=Wrong(
        lambda first, patches: torch.cat([patches, first], dim=1),
        "The class token is put after the patches. It comes first, where the classifier will look for it.",
    ),
)


def embed(patches, class_token, positions, *, place=PLACE.right, order=ORDER.right):
    first, rest = place(class_token, patches, positions)
    return order(first.expand(patches.shape[0], 1, -1), rest)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, tokens, d_model = draw.sizes(3, 3, 9)
        found.append(
            Case(
                {
                    "patches": draw.normal(batch, tokens - 1, d_model),
                    "class_token": draw.normal(d_model),
                    "positions": draw.normal(tokens, d_model),
                }
            )
        )
    return found


EXERCISE = Function(
    id="12.3",
    title="One place off",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="embed(patches, class_token, positions)",
    outputs=(Output("tokens", ("batch", "1 + patches", "d_model")),),
    reference=embed,
    cases=cases,
    mistakes=(PLACE, ORDER),
    forbidden=("attnbook.nn",),
    hints=(
        "The positions are printed with the place that each was learned for. Which row should patch 0 get?",
        "The table has one row more than there are patches. Whose is it, and where does it stand?",
        "Put the class token in front first; then tokens and positions have the same length and are added "
        "once.",
    ),
)
