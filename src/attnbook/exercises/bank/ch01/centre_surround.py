"""1.3: the contrast between a fine map and a coarse one."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def enlarged(coarse):
    """Each pixel as a block of 4 by 4."""
    return coarse.repeat_interleave(4, 0).repeat_interleave(4, 1)


# The coarse map in the size of the fine one: (coarse, h, w) → (h, w).
BRING = Mistakes(
    "bring",
    right=lambda coarse, h, w: enlarged(coarse)[:h, :w],
    tiled=Wrong(
        lambda coarse, h, w: coarse.repeat(-(-h // coarse.shape[0]), -(-w // coarse.shape[1]))[:h, :w],
        "The coarse map is laid side by side with itself, like tiles. Each of its pixels should become a "
        "block of 4 by 4: `repeat` copies the whole, another function repeats each element.",
    ),
    from_the_end=Wrong(
        lambda coarse, h, w: enlarged(coarse)[-h:, -w:],
        "The enlarged map is cut at its beginning. Pixel 0 of the coarse map lies over pixel 0 of the "
        "fine one, so the end has to go.",
    ),
    mean=Wrong(
        lambda coarse, h, w: coarse.mean().expand(h, w),
        "Everything is compared with the mean of the whole coarse map. A surround is what lies around "
        "*this* place.",
    ),
)
CONTRAST = Mistakes(
    "contrast",
    right=lambda centre, surround: (centre - surround).abs(),
    signed=Wrong(
        lambda centre, surround: centre - surround,
        "The difference keeps its sign. A dark thing among bright ones stands out as well, so only the "
        "size counts.",
    ),
    turned=Wrong(
        lambda centre, surround: surround - centre,
        "The fine map is subtracted from the coarse one, and the sign is kept. Only the size of the "
        "difference counts.",
    ),
    squared=Wrong(
        lambda centre, surround: (centre - surround).square(),
        "The difference is squared. Its size is wanted, in the units of the map.",
    ),
    rectified=Wrong(
        lambda centre, surround: (centre - surround).clamp(min=0),
        "Negative differences are set to 0: what is darker than its surround is lost. It stands out as well.",
    ),
    added=Wrong(
        lambda centre, surround: (centre + surround).abs(),
        "Centre and surround are added. An even wall would then be the most salient thing.",
    ),
)


def centre_surround(fine, coarse, *, bring=BRING.right, contrast=CONTRAST.right):
    return contrast(fine, bring(coarse, *fine.shape))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        h, w = draw.random.sample([9, 10, 11, 13, 14, 15, 17, 18, 19], 2)  # no multiple of 4
        coarse = draw.normal(-(-h // 4), -(-w // 4))
        found.append(Case({"fine": draw.normal(h, w), "coarse": coarse}))
    return found


EXERCISE = Function(
    id="1.3",
    title="Centre against surround",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="centre_surround(fine, coarse)",
    outputs=(Output("contrast", ("h", "w")),),
    reference=centre_surround,
    cases=cases,
    mistakes=(BRING, CONTRAST),
    forbidden=("attnbook.nn",),
    hints=(
        "`coarse.repeat_interleave(4, dim=0)` makes each row four rows. The same along dim 1.",
        "The result may be larger than `fine`: cut it with `[:h, :w]`.",
        "Subtract, and take `.abs()`.",
    ),
)
