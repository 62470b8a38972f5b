"""Exercises of chapter 1, biological attention."""

from __future__ import annotations

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property
from attnbook.vision.psychophysics import search, slope

NUMBER = Output("result", kind="number")


# 1.3


def centre_surround(fine, coarse, *, bring="repeat", contrast="absolute"):
    h, w = fine.shape
    if bring == "tile":
        repeats = (-(-h // coarse.shape[0]), -(-w // coarse.shape[1]))
        large = coarse.repeat(*repeats)[:h, :w]
    else:
        large = coarse.repeat_interleave(4, 0).repeat_interleave(4, 1)
        large = large[-h:, -w:] if bring == "from the end" else large[:h, :w]
    if bring == "mean":
        large = torch.full_like(fine, 1.0) * coarse.mean()
    difference = fine - large
    return {
        "absolute": difference.abs,
        "signed": lambda: difference,
        "turned": lambda: -difference,
        "squared": difference.square,
        "rectified": lambda: difference.clamp(min=0),
        "added": lambda: (fine + large).abs(),
    }[contrast]()


def contrast_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        h, w = draw.random.sample([9, 10, 11, 13, 14, 15, 17, 18, 19], 2)  # no multiple of 4
        coarse = draw.normal(-(-h // 4), -(-w // 4))
        cases.append(Case({"fine": draw.normal(h, w), "coarse": coarse}))
    return cases


# 1.4


def normalise_map(feature_map, peaks, *, scale="range", others="others", power="square", alone="kept"):
    low, high = feature_map.min(), feature_map.max()
    if scale == "range":
        scaled = (feature_map - low) / (high - low)
    else:
        scaled = feature_map / high if scale == "largest" else feature_map
    heights = scaled[peaks]
    rest = heights.sort().values[:-1]
    if others == "all peaks":
        mean = heights.mean()
    elif others == "all pixels":
        mean = scaled.mean()
    elif len(rest) == 0:
        mean = torch.tensor(torch.nan if alone == "nan" else 0.0)
    else:
        mean = rest.max() if others == "next" else rest.mean()
    factor = {
        "square": (1 - mean) ** 2,
        "none": 1 - mean,
        "inside": 1 - mean**2,
    }[power]
    return scaled * factor


def map_cases(draw: Draw) -> list[Case]:
    cases = []
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
        cases.append(
            Case(
                {"feature_map": feature_map, "peaks": peaks.view(h, w)},
                group="edge" if alone else "plain",
                note="a map with a single peak" if alone else "",
            )
        )
    return cases


# 1.5


def winner_take_all(
    saliency, n_looks, radius, *, memory="all", disc="disc", order="row first", place="by width"
):
    h, w = saliency.shape
    rows, columns = torch.arange(h).unsqueeze(1), torch.arange(w).unsqueeze(0)
    inhibited = torch.zeros(h, w, dtype=torch.bool)
    path = []
    for _ in range(n_looks):
        winner = int(saliency.masked_fill(inhibited, -1.0).argmax())
        divisor = w if place == "by width" else h
        row, column = winner // divisor, winner % divisor
        path.append((row, column))
        if disc == "square":
            inside = ((rows - row).abs() <= radius) & ((columns - column).abs() <= radius)
        elif disc == "pixel":
            inside = (rows == row) & (columns == column)
        else:
            reach = radius if disc == "radius not squared" else radius**2
            inside = (rows - row) ** 2 + (columns - column) ** 2 <= reach
        if memory == "all":
            inhibited = inhibited | inside
        elif memory == "last":
            inhibited = inside
    path = torch.tensor(path, dtype=torch.int64)
    return path.flip(1) if order == "column first" else path


def look_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(4):
        h, w = draw.random.sample(range(11, 17), 2)
        row, column = draw.random.randint(4, h - 5), draw.random.randint(4, w - 5)
        rows, columns = torch.arange(h).unsqueeze(1), torch.arange(w).unsqueeze(0)
        # A hill: the places that an inhibited disc just covers, and just not, are the next largest.
        hill = torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 3.0**2))
        saliency = hill + draw.uniform(h, w, high=0.25)
        cases.append(
            Case({"saliency": saliency, "n_looks": 6, "radius": draw.random.choice([2.3, 2.5, 3.2])})
        )
    return cases


# 1.6


def auc(looked, elsewhere, *, ties="half", sides="looked", pairs="all"):
    first, second = (looked, elsewhere) if sides == "looked" else (elsewhere, looked)
    if pairs == "in step":
        n = min(len(first), len(second))
        a, b = first[:n], second[:n]
    elif pairs == "against the mean":
        a, b = first, second.mean()
    else:
        a, b = first.unsqueeze(1), second.unsqueeze(0)
    share = {"half": 0.5, "won": 1.0, "lost": 0.0}[ties]
    return float(((a > b).double() + share * (a == b).double()).mean())


def pair_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        n, m = draw.sizes(2, 7, 12)
        looked = (draw.uniform(n, high=7) + 0.8).floor() / 8  # eighths, so that some are equal
        elsewhere = draw.uniform(m, high=7).floor() / 8
        looked[0], elsewhere[0] = 0.5, 0.5
        cases.append(Case({"looked": looked, "elsewhere": elsewhere}))
    return cases


# 1.7


def nss(saliency, fixations, *, centre="mean", scale="deviation", where="row, column", end="mean"):
    rows, columns = fixations[:, 0], fixations[:, 1]
    if where == "column, row":
        rows, columns = columns, rows
    values = saliency[rows, columns]
    values = values.sum() if end == "sum" else values.mean()
    if centre == "mean":
        values = values - saliency.mean()
    elif centre == "smallest":
        values = values - saliency.min()
    deviation = saliency.std(correction=0)
    if scale == "deviation":
        values = values / deviation
    elif scale == "variance":
        values = values / deviation**2
    elif scale == "range":
        values = values / (saliency.max() - saliency.min())
    return float(values)


def fixation_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        h, w, n = draw.sizes(3, 5, 12)
        saliency = draw.uniform(h, w, low=0.3, high=3.0)
        fixations = draw.integers(n, 2, high=min(h, w))
        cases.append(Case({"saliency": saliency, "fixations": fixations}))
    return cases


# 1.8


def normalisation_model(drive, attention, sigma, pool, *, attend="before", neighbours="rows", floor="sigma"):
    excited = drive if attend in ("after", "never", "pool only") else attention * drive
    pooled = drive if attend in ("after", "never") else attention * drive
    suppression = {
        "rows": lambda: pool @ pooled,
        "columns": lambda: pool.T @ pooled,
        "everybody": lambda: pooled.sum(),
        "itself": lambda: pooled,
    }[neighbours]()
    response = excited / (suppression + (sigma if floor == "sigma" else 0.0))
    return attention * response if attend == "after" else response


def drive_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        (n,) = draw.sizes(1, 5, 9)
        cases.append(
            Case(
                {
                    "drive": draw.uniform(n, low=0.1, high=2.0),
                    "attention": draw.uniform(n, low=1.0, high=4.0),
                    "sigma": draw.random.uniform(0.2, 0.8),
                    "pool": draw.uniform(n, n, low=0.05, high=1.0),
                }
            )
        )
    return cases


# 1.9


def measured_times():
    """The reaction times of exercise 1.9: target there, target not there."""
    generator = torch.Generator().manual_seed(19)
    sizes = (4, 8, 16, 32)
    return (
        search("conjunction", True, sizes, 40, generator, look=55.0),
        search("conjunction", False, sizes, 40, generator, look=55.0),
    )


def slope_ratio() -> float:
    there, missing = measured_times()
    return slope(missing)[0] / slope(there)[0]


def _mean_ratio() -> float:
    there, missing = measured_times()
    return float(torch.cat(list(missing.values())).mean() / torch.cat(list(there.values())).mean())


def _shares(args, outputs) -> bool:
    return 0 <= outputs["result"] <= 1


EXERCISES = (
    Exercise(
        id="1.1",
        title="Four lines of a search",
        name="answer_line",
        kind="choice",
        points=1,
        minutes=3,
        difficulty="easy",
        signature='answer_line = "a"',
        outputs=(Output("answer_line", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "Line a hardly rises. One feature tells the target from the rest, and the number of items "
                "does not matter.",
            ),
            Nearby(
                "b",
                "Line b rises, and half as steeply as another. On average half of the items were visited "
                "before the target was found: it was there.",
            ),
            Nearby(
                "d",
                "Line d is flat as well, and lies higher. It is a slow search whose time does not depend on "
                "the number of items.",
            ),
        ),
        hints=(
            "Which two lines depend on the number of items?",
            "If the target is there, you find it on average half way. If it is not, you look at everything.",
            "So it is the steepest line.",
        ),
    ),
    Exercise(
        id="1.2",
        title="How loudly may this map speak?",
        name="factor",
        kind="prediction",
        points=1,
        minutes=4,
        difficulty="easy",
        signature="factor = 0.5",
        outputs=(Output("factor", kind="number"),),
        variant=lambda: 0.04,
        tolerance=(0.0, 0.002),
        nearby=(
            Nearby(
                (1 - (1 + 5 * 0.8) / 6) ** 2,
                "You counted the largest peak among the others. The mean is over the five *other* peaks.",
                0.002,
            ),
            Nearby(0.2, "That is 1 − m̄. It is squared.", 0.002),
            Nearby(
                4.0,
                "That is (10 − 8)², with the heights as they are. The map is brought to the range 0 to 1 "
                "first.",
                0.01,
            ),
            Nearby(0.64, "That is m̄ squared. What counts is 1 − m̄.", 0.002),
        ),
        hints=(
            "First bring the map to the range 0 to 1: the peaks become 1 and five times something.",
            "m̄ is the mean of the five others.",
            "The factor is (1 − m̄)².",
        ),
    ),
    Exercise(
        id="1.3",
        title="Centre against surround",
        name="centre_surround",
        kind="function",
        points=2,
        minutes=10,
        difficulty="easy",
        signature="centre_surround(fine, coarse)",
        outputs=(Output("contrast", ("h", "w")),),
        variant=centre_surround,
        cases=contrast_cases,
        axes=(
            Axis(
                "bring",
                {
                    "tile": (
                        "The coarse map is laid side by side with itself, like tiles. Each of its pixels "
                        "should become a block of 4 by 4: `repeat` copies the whole, another function "
                        "repeats each element."
                    ),
                    "from the end": (
                        "The enlarged map is cut at its beginning. Pixel 0 of the coarse map lies over pixel "
                        "0 of the fine one, so the end has to go."
                    ),
                    "mean": (
                        "Everything is compared with the mean of the whole coarse map. A surround is what "
                        "lies around *this* place."
                    ),
                },
            ),
            Axis(
                "contrast",
                {
                    "signed": (
                        "The difference keeps its sign. A dark thing among bright ones stands out as well, "
                        "so only the size counts."
                    ),
                    "turned": (
                        "The fine map is subtracted from the coarse one, and the sign is kept. Only the size "
                        "of the difference counts."
                    ),
                    "squared": "The difference is squared. Its size is wanted, in the units of the map.",
                    "rectified": (
                        "Negative differences are set to 0: what is darker than its surround is lost. It "
                        "stands out as well."
                    ),
                    "added": (
                        "Centre and surround are added. An even wall would then be the most salient thing."
                    ),
                },
            ),
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "`coarse.repeat_interleave(4, dim=0)` makes each row four rows. The same along dim 1.",
            "The result may be larger than `fine`: cut it with `[:h, :w]`.",
            "Subtract, and take `.abs()`.",
        ),
    ),
    Exercise(
        id="1.4",
        title="N of a map",
        name="normalise_map",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="normalise_map(feature_map, peaks)",
        outputs=(Output("result", ("h", "w")),),
        variant=normalise_map,
        cases=map_cases,
        axes=(
            Axis(
                "scale",
                {
                    "largest": (
                        "The map is divided by its largest value, and its smallest stays above 0. Its range "
                        "should be 0 to 1: take the smallest away first."
                    ),
                    "not": (
                        "The map is not brought to the range 0 to 1. Then the factor depends on the units in "
                        "which the map was measured."
                    ),
                },
            ),
            Axis(
                "others",
                {
                    "all peaks": (
                        "The mean is over all peaks, the largest among them. A map with one single peak "
                        "would then get the factor 0, and it should speak the loudest."
                    ),
                    "all pixels": "The mean is over all pixels. It should be over the other peaks.",
                    "next": "You take the second largest peak. It should be the mean of all others.",
                },
            ),
            Axis(
                "power",
                {
                    "none": "The factor is 1 − m̄. It should be squared.",
                    "inside": "You square m̄ and subtract that from 1. It is (1 − m̄) that is squared.",
                },
            ),
            Axis(
                "alone",
                {
                    "nan": (
                        "With a single peak there are no others, and the mean of nothing is NaN. Such a map "
                        "stands out most: m̄ is then 0."
                    )
                },
            ),
        ),
        possible=lambda switches: (
            not ("alone" in switches and switches.get("others") in ("all peaks", "all pixels"))
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Scale with `(feature_map − smallest) / (largest − smallest)`.",
            "`scaled[peaks]` holds the heights of all peaks. The largest is 1, so the sum of the others is "
            "the sum of all less 1.",
            "If there are no others, use 0 for their mean.",
        ),
    ),
    Exercise(
        id="1.5",
        title="Eyes that go back and forth",
        name="winner_take_all",
        kind="bug",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="winner_take_all(saliency, n_looks, radius)",
        outputs=(Output("path", ("looks", "row and column")),),
        variant=winner_take_all,
        cases=look_cases,
        axes=(
            Axis(
                "memory",
                {
                    "last": (
                        "Only the place looked at last is inhibited; all earlier ones are free again. So the "
                        "eye goes back and forth between the two best places. What should become of the old "
                        "inhibition?"
                    ),
                    "none": "Nothing is inhibited: the eye stays where it is for ever.",
                },
            ),
            Axis(
                "disc",
                {
                    "square": "A square is inhibited. It should be a disc of the given radius.",
                    "pixel": (
                        "Only the winning pixel itself is inhibited, so the next look falls beside it. A "
                        "whole disc should be."
                    ),
                    "radius not squared": (
                        "The squared distance is compared with the radius itself. Square both, or neither."
                    ),
                },
            ),
            Axis("order", {"column first": "The columns of the result are exchanged: the row comes first."}),
            Axis(
                "place",
                {
                    "by height": (
                        "The number of the winning pixel is divided by the number of rows. Counting goes "
                        "along a row, so a new row begins after as many pixels as a row has."
                    )
                },
            ),
        ),
        possible=lambda switches: len(switches.keys() & {"memory", "disc", "place"}) < 2,
        forbidden=("attnbook.nn",),
        hints=(
            "Print the path. Which places does it visit, and in which order?",
            "What does `inhibited` hold after the second look, and what after the third?",
            "For boolean tensors, `|` keeps what either of two holds.",
        ),
    ),
    Exercise(
        id="1.6",
        title="AUC from its meaning",
        name="auc",
        kind="function",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="auc(looked, elsewhere)",
        outputs=(NUMBER,),
        variant=auc,
        cases=pair_cases,
        properties=(Property("the result lies between 0 and 1", _shares),),
        axes=(
            Axis(
                "ties",
                {
                    "won": (
                        "Equal values count as right. They should count half: a map that is the same "
                        "everywhere would get 1."
                    ),
                    "lost": (
                        "Equal values count as wrong. They should count half: a map that is the same "
                        "everywhere would get 0 instead of 0.5."
                    ),
                },
            ),
            Axis("sides", {"elsewhere": "The two sides are exchanged: the fixated place should win."}),
            Axis(
                "pairs",
                {
                    "in step": (
                        "The first is compared with the first, the second with the second. Every fixated "
                        "value should be compared with every other."
                    ),
                    "against the mean": (
                        "Each fixated value is compared with the mean of the others. It should be compared "
                        "with each of them."
                    ),
                },
            ),
        ),
        possible=lambda switches: not (switches.get("pairs") == "against the mean" and "ties" in switches),
        forbidden=("attnbook.vision.metrics", "roc_auc_score"),
        hints=(
            "`looked.unsqueeze(1)` is (n, 1), `elsewhere.unsqueeze(0)` is (1, m). Comparing them gives "
            "(n, m).",
            "Count 1 where the first is larger, 0.5 where they are equal.",
            "The mean of that table is the answer.",
        ),
    ),
    Exercise(
        id="1.7",
        title="NSS",
        name="nss",
        kind="function",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="nss(saliency, fixations)",
        outputs=(NUMBER,),
        variant=nss,
        cases=fixation_cases,
        axes=(
            Axis(
                "centre",
                {
                    "none": (
                        "The map's mean is not taken away: a map of large numbers would always score well."
                    ),
                    "smallest": "The smallest value is taken away. It should be the mean.",
                },
            ),
            Axis(
                "scale",
                {
                    "none": (
                        "Nothing is divided: the result is in the units of the map, not in standard "
                        "deviations."
                    ),
                    "variance": "You divide by the variance, the square of the standard deviation.",
                    "range": "You divide by the range of the map. It should be its standard deviation.",
                },
            ),
            Axis("where", {"column, row": "Rows and columns are exchanged: the first number is the row."}),
            Axis("end", {"sum": "The values at the fixations are summed. Their mean is wanted."}),
        ),
        forbidden=("attnbook.vision.metrics",),
        hints=(
            "`saliency[fixations[:, 0], fixations[:, 1]]` holds the value at each fixation.",
            "Their mean, less the mean of the map, divided by the map's standard deviation.",
            "Use `saliency.std(correction=0)`: the map is all there is, not a sample.",
        ),
    ),
    Exercise(
        id="1.8",
        title="The normalisation model",
        name="normalisation_model",
        kind="function",
        points=3,
        minutes=12,
        difficulty="hard",
        signature="normalisation_model(drive, attention, sigma, pool)",
        outputs=(Output("response", ("neurons",)),),
        variant=normalisation_model,
        cases=drive_cases,
        axes=(
            Axis(
                "attend",
                {
                    "after": (
                        "Attention multiplies the finished response, and the pool does not feel it. In this "
                        "model it acts *before* the division, in the pool too, so that attending to one "
                        "suppresses its neighbours."
                    ),
                    "never": "Attention is not used.",
                    "pool only": (
                        "Attention acts in the pool and not on the cell's own drive: attending to a cell "
                        "would weaken it."
                    ),
                },
            ),
            Axis(
                "neighbours",
                {
                    "columns": (
                        "The pool is used on its side: row i of `pool` says who suppresses cell i, and you "
                        "use column i."
                    ),
                    "everybody": "The pool is not used: every cell is divided by the same sum.",
                    "itself": "Each cell is divided by itself alone. Its neighbours are in `pool`.",
                },
            ),
            Axis("floor", {"none": "σ is missing: a faint stimulus would be answered like a strong one."}),
        ),
        # Without σ a cell divided by itself gives 1, whatever attention does.
        possible=lambda switches: (
            not (
                switches.get("neighbours") == "itself"
                and "floor" in switches
                and switches.get("attend") == "never"
            )
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Make `excited = attention * drive` first, and use it twice.",
            "`pool @ excited` is what each cell's neighbours do together.",
            "Divide by that plus sigma.",
        ),
    ),
    Exercise(
        id="1.9",
        title="Two slopes",
        name="slope_ratio",
        kind="measurement",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="slope_ratio = 1.0",
        outputs=(Output("slope_ratio", kind="number"),),
        variant=slope_ratio,
        tolerance=(0.0, 0.01),
        nearby=(
            Nearby(1 / slope_ratio(), "The two are exchanged: not there, divided by there.", 0.01),
            Nearby(
                _mean_ratio(),
                "That is the ratio of the mean times. They hold the time that does not depend on the items, "
                "such as pressing the key. Fit a line, and take its slope.",
                0.01,
            ),
        ),
        hints=(
            "`np.polyfit(items, times, 1)` gives slope and intercept of the line that fits best.",
            "Use all single times, 40 for each number of items.",
            "Divide the slope without the target by the slope with it.",
        ),
    ),
)
