"""1.3: how far each pixel differs from the square around it."""

import torch.nn.functional as F

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def added_up(image, size):
    """The sum over the square around each pixel, what lies outside of the picture counted as 0."""
    return F.avg_pool2d(image[None, None], size, stride=1, padding=size // 2)[0, 0] * size**2


def repeated(image, size):
    """The same with the picture's border repeated outwards."""
    around = size // 2
    padded = F.pad(image[None, None], (around,) * 4, mode="replicate")
    return F.avg_pool2d(padded, size, stride=1)[0, 0] * size**2


# The sum over the square and how many pixels it counts: (image, size) → (h, w), and a number or (h, w).
BORDER = Mistakes(
    "border",
    right=lambda image, size: (added_up(image, size), added_up(image * 0 + 1, size)),
    zeros=Wrong(
        lambda image, size: (added_up(image, size), size**2),
        "At the border the square reaches beyond the picture, and what lies there counts as black. So an "
        "even grey wall stands out along its whole border. Divide by the number of pixels that there are.",
    ),
    repeated=Wrong(
        lambda image, size: (repeated(image, size), size**2),
        "The border is repeated outwards, as in the chapter's row of lights. Here only pixels of the picture "
        "count, each of them once.",
    ),
)
CENTRE = Mistakes(
    "centre",
    right=lambda total, count, image: total / count,
    without=Wrong(
        lambda total, count, image: (total - image) / (count - 1),
        "The pixel itself is left out of its surround. As in the chapter's row, it counts as one of the "
        "square.",
    ),
)
SIZE = Mistakes(
    "contrast",
    right=lambda difference: difference.abs(),
    signed=Wrong(
        lambda difference: difference,
        "The difference keeps its sign. A dark thing among bright ones stands out as well, so only the size "
        "counts.",
    ),
    rectified=Wrong(
        lambda difference: difference.clamp(min=0),
        "What is darker than its surround gets 0. It stands out as well.",
    ),
    squared=Wrong(
        lambda difference: difference.square(),
        "The difference is squared. Its size is wanted, in the units of the picture.",
    ),
)


def stands_out(image, size, *, border=BORDER.right, centre=CENTRE.right, contrast=SIZE.right):
    return contrast(image - centre(*border(image, size), image))


def cases(draw: Draw) -> list[Case]:
    found = []
    for size in draw.random.sample((3, 5, 3, 5), 3):
        h, w = draw.sizes(2, 6, 11)
        found.append(Case({"image": draw.uniform(h, w, low=0.2, high=1.0), "size": size}))
    return found


EXERCISE = Function(
    id="1.3",
    title="Standing out in two dimensions",
    points=2,
    minutes=12,
    difficulty="easy",
    signature="stands_out(image, size)",
    outputs=(Output("contrast", ("h", "w")),),
    reference=stands_out,
    cases=cases,
    mistakes=(BORDER, CENTRE, SIZE),
    forbidden=("attnbook.nn",),
    hints=(
        "Two loops over rows and columns will do. Which rows does the square around row 0 hold?",
        "With half = size // 2, the square is `image[max(0, i - half) : i + half + 1, …]`: Python cuts a "
        "slice at the end of the picture by itself, and not at its beginning.",
        "The mean of that square, taken from the pixel, and then `abs`.",
    ),
)
