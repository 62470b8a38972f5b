"""12.2: a batch of pictures as sequences of patches."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _cells(images, size):
    """images → (batch, channels, rows, size, columns, size)."""
    batch, channels, height, width = images.shape
    return images.reshape(batch, channels, height // size, size, width // size, size)


CUT = Mistakes(
    "cut",
    right=_cells,
    at_once=Wrong(
        # The shape that is wanted, over memory as it lies: each "patch" is a run of pixels of one channel.
        lambda images, size: images.reshape(
            images.shape[0], images.shape[2] // size, images.shape[3] // size, size, size, images.shape[1]
        ).permute(0, 5, 1, 3, 2, 4),
        "The pictures are reshaped to (batch, patches, size · size · channels) in one go. The shape is "
        "right, but reshape takes the pixels as they lie in memory, row after row of the whole picture, so "
        "that a patch of yours is not a square. Split height and width into two axes each first, then "
        "permute.",
    ),
    spread=Wrong(
        lambda images, size: images.reshape(
            *images.shape[:2], size, images.shape[2] // size, size, images.shape[3] // size
        ).permute(0, 1, 3, 2, 5, 4),
        "Height and width are split the wrong way round, into (size, rows) and (size, columns). A patch of "
        "yours then holds pixels that lie far apart. The outer of the two axes counts patches, the inner one "
        "the pixels within a patch.",
    ),
)
PATCHES = Mistakes(
    "patches",
    right=lambda cells: cells,
    columns=Wrong(
        lambda cells: cells.permute(0, 1, 4, 3, 2, 5),
        "The patches are right, and their order is not: yours go down the first column, then down the "
        "second. They are asked for row by row, as one reads.",
    ),
)
PIXELS = Mistakes(
    "pixels",
    right=(3, 5, 1),  # within a patch: row, column, channel
    channels_first=Wrong(
        (1, 3, 5),
        "Within a patch your channels come first: all of red, then all of green. That is the order of "
        "`unfold` and of a convolution's weights. Asked for are the channels of one pixel side by side.",
    ),
    turned=Wrong(
        (5, 3, 1),
        "Within a patch the pixels are read column by column. They are asked for row by row.",
    ),
)


def patchify(images, size, *, cut=CUT.right, patches=PATCHES.right, pixels=PIXELS.right):
    cells = patches(cut(images, size))  # (batch, channels, rows, size, columns, size)
    return cells.permute(0, 2, 4, *pixels).flatten(3).flatten(1, 2)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        while True:
            batch, rows, columns = draw.sizes(3, 2, 5)
            size, channels = draw.random.sample((2, 3, 4), 2)
            if len({batch, rows * columns, size * size * channels}) == 3:
                break
        found.append(
            Case({"images": draw.normal(batch, channels, rows * size, columns * size), "size": size})
        )
    return found


EXERCISE = Function(
    id="12.2",
    title="A picture as a sentence",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="patchify(images, size)",
    outputs=(Output("patches", ("batch", "patches", "numbers")),),
    reference=patchify,
    cases=cases,
    mistakes=(CUT, PATCHES, PIXELS),
    forbidden=("attnbook.nn", "unfold", "rearrange"),
    hints=(
        "Height is rows of patches times pixels of a patch, and so is width: split each into two axes.",
        "After the split there are six axes: (batch, channels, rows, size, columns, size).",
        "Permute to (batch, rows, columns, size, size, channels), then flatten the middle two and the last "
        "three.",
    ),
)
