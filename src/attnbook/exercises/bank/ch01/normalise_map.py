"""1.4: the operator N of Itti's saliency map."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

SCALE = Mistakes(
    "scale",
    right=lambda t: (t - t.min()) / (t.max() - t.min()),
    largest=Wrong(
        lambda t: t / t.max(),
        "The map is divided by its largest value, and its smallest stays above 0. Its range should be 0 "
        "to 1: take the smallest away first.",
    ),
    none=Wrong(
        lambda t: t,
        "The map is not brought to the range 0 to 1. Then the factor depends on the units in which the "
        "map was measured.",
    ),
)


def of_others(summary, heights, alone):
    """A summary of all peaks but the largest; ``alone`` where there is no other."""
    others = heights.sort().values[:-1]
    return summary(others) if len(others) else torch.tensor(alone)


# What stands for the other peaks: (scaled map, heights of the peaks, alone) → number.
OTHERS = Mistakes(
    "others",
    right=lambda scaled, heights, alone: of_others(torch.mean, heights, alone),
    all_peaks=Wrong(
        lambda scaled, heights, alone: heights.mean(),
        "The mean is over all peaks, the largest among them. A map with one single peak would then get "
        "the factor 0, and it should speak the loudest.",
    ),
    all_pixels=Wrong(
        lambda scaled, heights, alone: scaled.mean(),
        "The mean is over all pixels. It should be over the other peaks.",
    ),
    next=Wrong(
        lambda scaled, heights, alone: of_others(torch.max, heights, alone),
        "You take the second largest peak. It should be the mean of all others.",
    ),
)
POWER = Mistakes(
    "power",
    right=lambda mean: (1 - mean) ** 2,
    none=Wrong(lambda mean: 1 - mean, "The factor is 1 − m̄. It should be squared."),
    inside=Wrong(
        lambda mean: 1 - mean**2, "You square m̄ and subtract that from 1. It is (1 − m̄) that is squared."
    ),
)
# The mean of no peaks at all.
ALONE = Mistakes(
    "alone",
    right=0.0,
    nan=Wrong(
        torch.nan,
        "With a single peak there are no others, and the mean of nothing is NaN. Such a map stands out "
        "most: m̄ is then 0.",
    ),
)


def normalise_map(
    feature_map, peaks, *, scale=SCALE.right, others=OTHERS.right, power=POWER.right, alone=ALONE.right
):
    scaled = scale(feature_map)
    return scaled * power(others(scaled, scaled[peaks], alone))


def cases(draw: Draw) -> list[Case]:
    found = []
    for alone in (False, False, True):
        h, w = draw.sizes(2, 5, 9)
        feature_map = draw.uniform(h, w, low=0.2, high=0.8)
        places = draw.permutation(h * w)[:5]
        peaks = torch.zeros(h * w, dtype=torch.bool)
        peaks[places[:1] if alone else places] = True
        heights = draw.uniform(5, low=1.0, high=1.6)
        heights[0] = 2.0
        feature_map.view(-1)[places] = heights
        if alone:
            feature_map.view(-1)[places[1:]] = 0.5
        found.append(
            Case(
                {"feature_map": feature_map, "peaks": peaks.view(h, w)},
                group="edge" if alone else "plain",
                note="a map with a single peak" if alone else "",
            )
        )
    return found


EXERCISE = Function(
    id="1.4",
    title="N of a map",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="normalise_map(feature_map, peaks)",
    outputs=(Output("result", ("h", "w")),),
    reference=normalise_map,
    cases=cases,
    mistakes=(SCALE, OTHERS, POWER, ALONE),
    meaningless=((ALONE, OTHERS["all_peaks"]), (ALONE, OTHERS["all_pixels"])),
    forbidden=("attnbook.nn",),
    hints=(
        "Scale with `(feature_map − smallest) / (largest − smallest)`.",
        "`scaled[peaks]` holds the heights of all peaks. The largest is 1, so the sum of the others "
        "is the sum of all less 1.",
        "If there are no others, use 0 for their mean.",
    ),
)
