"""Exercises of chapter 2, attention as lookup."""

from __future__ import annotations

import math

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

JE = (0.63, -3.2, -2.5)  # the scores of "I", "love", "you" for the French word "je"
WEIGHTS = Output("weights", ("batch", "queries", "keys"))
CONTEXT = Output("context", ("batch", "queries", "d_v"))

SOFTMAX_OVER_QUERIES = (
    "The softmax runs over the queries instead of the keys. Each column of your weights adds up to 1, "
    "not each row: the queries compete for a key, where the keys should compete for a query. Look at the "
    "`dim` of the softmax."
)
NO_SCALE = (
    "The scores are not divided by √d_k. With long vectors the scores grow with √d_k, so your weights "
    "are more peaked than they should be."
)
SCALE_BY_D = (
    "The scores are divided by d_k instead of √d_k. They become too small, and your weights are flatter "
    "than they should be, the more so the longer the vectors."
)
MASK_IGNORED = (
    "The mask is never used: positions that may not be attended to keep their weight. It has to come in "
    "between the scores and the softmax."
)
MASK_INVERTED = (
    "The mask is read the wrong way round. In this book True means *may attend*; your weights sit "
    "exactly on the positions that are forbidden."
)
MASK_AFTER = (
    "The mask is applied after the softmax. The forbidden weights are 0, but they had already taken "
    "their share, so a row with a forbidden position adds up to less than 1."
)
MASK_ZERO = (
    "The forbidden scores are set to 0. A score of 0 still gets a weight, since exp(0) = 1; which score "
    "does exp turn into 0?"
)
EMPTY_NAN = (
    "A row in which nothing may be attended to gives NaN: the softmax divides 0 by 0. Such a row should "
    "give zeros."
)
EMPTY_UNIFORM = (
    "A row in which nothing may be attended to gets equal weights on all the forbidden positions. That "
    "happens when a large negative number stands in for −∞. Such a row should give zeros."
)


def softmax(scores: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Exponentials divided by their sum along ``dim``, without overflow."""
    powers = torch.exp(scores - scores.amax(dim=dim, keepdim=True))
    return powers / powers.sum(dim=dim, keepdim=True)


def masked_softmax(scores: torch.Tensor, mask: torch.Tensor, *, placed="before", empty="zeros", dim=-1):
    """Softmax over the positions where mask is True; a row without any gives zeros.

    ``placed`` and ``empty`` hold the known mistakes.
    """
    if placed == "ignored":
        return softmax(scores, dim)
    if placed == "inverted":
        mask = ~mask
    if placed == "after":
        return softmax(scores, dim) * mask
    if placed == "zero":
        return softmax(scores.masked_fill(~mask, 0.0), dim)
    if empty == "uniform":
        return softmax(scores.masked_fill(~mask, -1e9), dim)
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim)
    return weights if empty == "nan" else weights.nan_to_num(0.0)


def empty_row_reached(switches) -> bool:
    """What becomes of an empty row is a mistake of its own only where scores are masked with −∞."""
    return "empty" not in switches or switches.get("placed") in (None, "inverted")


def rows_add_up(args, outputs) -> bool:
    """Each row of the weights adds up to 1 over the keys, or to 0 where nothing may be attended to."""
    sums = outputs["weights"].sum(dim=-1)
    wanted = torch.ones_like(sums)
    if "mask" in args:
        wanted = args["mask"].any(dim=-1).expand(sums.shape).to(sums.dtype)
    return torch.allclose(sums, wanted, atol=1e-4)


def not_negative(args, outputs) -> bool:
    """No weight is below zero."""
    return bool((outputs["weights"] >= 0).all())


def forbidden_get_nothing(args, outputs) -> bool:
    """Where the mask is False, the weight is 0."""
    mask = args["mask"].expand(outputs["weights"].shape)
    return bool((outputs["weights"][~mask].abs() < 1e-6).all())


NOT_NEGATIVE = Property("no weight is negative", not_negative)
ROWS_ADD_UP = Property("each row of the weights adds up to 1 over the keys", rows_add_up)
ROWS_ADD_UP_MASKED = Property(
    "each row of the weights adds up to 1, or to 0 where the mask allows nothing", rows_add_up
)
FORBIDDEN = Property("where the mask is False, the weight is 0", forbidden_get_nothing)


# 2.3


def attention_weights(scores, *, over="keys", form="exp"):
    dim = {"keys": -1, "queries": -2, "batch": 0}.get(over)
    if form == "no exp":
        return scores / scores.sum(dim=dim, keepdim=True)
    if form == "sigmoid":
        return torch.sigmoid(scores)
    if form == "log":
        return torch.log_softmax(scores, dim=dim)
    if form == "overflow":
        powers = torch.exp(scores)
        return powers / powers.sum(dim=dim, keepdim=True)
    return softmax(scores, dim)


def weights_cases(draw: Draw) -> list[Case]:
    shapes = [draw.sizes(3, 2, 8) for _ in range(3)]
    cases = [Case({"scores": draw.normal(*shape, scale=2.0)}) for shape in shapes]
    cases.append(
        Case(
            {"scores": draw.normal(*draw.sizes(3, 2, 8)) + 200.0},
            group="edge",
            note="all scores are near 200",
        )
    )
    return cases


# 2.4


def scaled_lookup(query, key, value, *, scale="sqrt", over="keys", mix="weights"):
    scores = query @ key.mT
    if scale == "sqrt":
        scores = scores / math.sqrt(query.shape[-1])
    elif scale == "d":
        scores = scores / query.shape[-1]
    elif scale == "times":
        scores = scores * math.sqrt(query.shape[-1])
    weights = softmax(scores, -1 if over == "keys" else -2)
    mixed = scores if mix == "scores" else weights
    context = mixed @ value
    if mix == "hard":
        context = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(value.dtype) @ value
    if mix == "mean":
        context = context / key.shape[-2]
    return context, weights


def lookup_sizes(draw: Draw) -> tuple[int, ...]:
    return tuple(draw.sizes(5, 2, 9))


def lookup_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(4):
        batch, queries, keys, d_k, d_v = lookup_sizes(draw)
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k, scale=1.5),
                    "key": draw.normal(batch, keys, d_k),
                    "value": draw.normal(batch, keys, d_v),
                }
            )
        )
    return cases


# 2.5


def temperature_softmax(scores, temperature, *, place="before"):
    if place == "after":
        return softmax(scores) / temperature
    if place == "times":
        return softmax(scores * temperature)
    if place == "ignored":
        return softmax(scores)
    if place == "power":
        return softmax(scores) ** (1 / temperature)
    if place == "exponentials":
        return softmax(torch.exp(scores) / temperature)
    return softmax(scores / temperature)


def temperature_cases(draw: Draw) -> list[Case]:
    cases = []
    for temperature in (
        draw.random.uniform(0.3, 0.6),
        draw.random.uniform(1.8, 4.0),
        draw.random.uniform(0.1, 0.2),
    ):
        batch, keys = draw.sizes(2, 3, 9)
        cases.append(Case({"scores": draw.normal(batch, keys, scale=1.5), "temperature": temperature}))
    return cases


# 2.6


def temperature_at_half() -> float:
    """The temperature at which the largest weight of the scores of "je" is one half, by bisection."""
    low, high = 0.1, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        share = softmax(torch.tensor(JE, dtype=torch.float64) / middle)[0].item()
        low, high = (middle, high) if share > 0.5 else (low, middle)
    return low


# 2.7


def masked_lookup(query, key, value, mask, *, scale="sqrt", placed="before", empty="zeros"):
    scores = query @ key.mT
    if scale == "sqrt":
        scores = scores / math.sqrt(query.shape[-1])
    elif scale == "d":
        scores = scores / query.shape[-1]
    weights = masked_softmax(scores, mask, placed=placed, empty=empty)
    return weights @ value, weights


def masked_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("all", "some", "some", "empty row"):
        batch, queries, keys, d_k, d_v = draw.sizes(5, 3, 9)
        mask = (
            torch.ones(batch, queries, keys, dtype=torch.bool)
            if kind == "all"
            else draw.mask(batch, queries, keys)
        )
        if kind == "empty row":
            mask[draw.random.randrange(batch), draw.random.randrange(queries)] = False
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k, scale=1.5),
                    "key": draw.normal(batch, keys, d_k),
                    "value": draw.normal(batch, keys, d_v),
                    "mask": mask,
                },
                group={"all": "plain", "some": "mask", "empty row": "edge"}[kind],
                note={
                    "all": "the mask is True everywhere",
                    "some": "the mask forbids some keys",
                    "empty row": "one row of the mask is False throughout",
                }[kind],
            )
        )
    return cases


# 2.8


def kernel_regression(x_new, x, y, width, *, kernel="gauss", sign="minus", over="points", spread="2h2"):
    distance = x_new[:, None] - x[None, :]
    distance = distance.abs() if kernel == "absolute" else distance**2
    divisor = {"2h2": 2 * width**2, "h2": width**2, "2h": 2 * width, "none": 1.0}[spread]
    scores = distance / divisor
    scores = scores if sign == "plus" else -scores
    if over == "none":
        return torch.exp(scores) @ y
    weights = softmax(scores, -1 if over == "points" else 0)
    return weights @ y


def kernel_cases(draw: Draw) -> list[Case]:
    cases = []
    for low, high in ((0.25, 0.4), (0.5, 0.8), (1.3, 1.7)):
        new, points = draw.sizes(2, 4, 12)
        x = draw.uniform(points, low=-2, high=2)
        cases.append(
            Case(
                {
                    "x_new": draw.uniform(new, low=-2, high=2),
                    "x": x,
                    "y": torch.sin(2 * x) + 0.5 + draw.normal(points, scale=0.2),
                    "width": draw.random.uniform(low, high),
                }
            )
        )
    return cases


def within_the_values(args, outputs) -> bool:
    low, high = args["y"].min(), args["y"].max()
    return bool((outputs["estimate"] >= low - 1e-4).all() and (outputs["estimate"] <= high + 1e-4).all())


# 2.9


def query_pooling(state, words, mask, *, scale="sqrt", placed="before", cut="none", mix="words"):
    query = state["query"]
    d_model = query.shape[-1]
    scores = query @ words.mT  # (batch, queries, words)
    if scale == "sqrt":
        scores = scores / math.sqrt(d_model)
    elif scale == "d":
        scores = scores / d_model
    weights = masked_softmax(scores, mask[:, None, :], placed=placed)
    if cut == "detached":
        weights = weights.detach()
    context = weights @ words
    if mix == "plus query":
        context = context + query
    return context, weights


def pooling_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("all", "some", "some"):
        batch, queries, words, d_model = draw.sizes(4, 3, 9)
        mask = torch.ones(batch, words, dtype=torch.bool)
        if kind == "some":
            for row in range(batch):
                mask[row, draw.random.randint(1, words - 1) :] = False
        cases.append(
            Case(
                {"words": draw.normal(batch, words, d_model, scale=1.5), "mask": mask},
                group="plain" if kind == "all" else "mask",
                note="no padding" if kind == "all" else "some reviews end in padding",
                init={"d_model": d_model, "n_queries": queries},
                state={"query": draw.normal(queries, d_model)},
                cotangents=[draw.normal(batch, queries, d_model), draw.normal(batch, queries, words)],
            )
        )
    return cases


EXERCISES = (
    Exercise(
        id="2.1",
        title="What the order of a memory is worth",
        name="answer_order",
        kind="choice",
        points=1,
        minutes=3,
        difficulty="easy",
        signature='answer_order = "a"',
        outputs=(Output("answer_order", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "The weights do change places: the second key now stands where the fourth stood, and its "
                "weight goes with it. Ask what happens to a *sum* when two of its terms change places.",
            ),
            Nearby(
                "b",
                "The context is one vector of size d_v: it has no place for each memory. Its second and "
                "fourth entries are features, not memories.",
            ),
            Nearby(
                "d",
                "Each weight depends on its own key, and on the sum over all of them. Does moving a key "
                "change either?",
            ),
        ),
        hints=(
            "Write the context of a memory with two entries as a sum of two terms. Then swap the entries.",
            "A weight travels with its key, and a value is multiplied by the weight of its own key.",
            "The weights come out in the new order. Adding up does not care about order.",
        ),
    ),
    Exercise(
        id="2.2",
        title="Adding five to every score",
        name="share_after_shift",
        kind="prediction",
        points=1,
        minutes=3,
        difficulty="easy",
        signature="share_after_shift = 0.5",
        outputs=(Output("share_after_shift", kind="number"),),
        variant=lambda: softmax(torch.tensor(JE, dtype=torch.float64) + 5.0)[0].item(),
        tolerance=(0.0, 0.02),
        nearby=(
            Nearby(
                1.0,
                "Scores of 5.63, 1.8 and 2.5 look large, but softmax never sees how large a score is: "
                "only by how much it leads. Did the leads change?",
                0.04,
            ),
            Nearby(
                5.63 / 9.93,
                "That is 5.63 divided by the sum of the scores. Softmax divides exponentials, not scores.",
                0.02,
            ),
            Nearby(
                1 / 3,
                "Equal shares would need equal scores. Adding the same number to all three keeps their "
                "differences.",
                0.03,
            ),
        ),
        hints=(
            "Write exp(s + 5) as a product of two factors.",
            "Every term, above and below the fraction's line, gets the same factor exp(5).",
            "What cancels leaves the weights that you had before.",
        ),
    ),
    Exercise(
        id="2.3",
        title="From scores to weights",
        name="attention_weights",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="attention_weights(scores)",
        outputs=(WEIGHTS,),
        variant=attention_weights,
        cases=weights_cases,
        properties=(NOT_NEGATIVE, ROWS_ADD_UP),
        possible=lambda switches: not (switches.get("form") == "sigmoid" and "over" in switches),
        axes=(
            Axis(
                "over",
                {
                    "queries": SOFTMAX_OVER_QUERIES,
                    "batch": (
                        "The softmax runs over the batch: sentences that have nothing to do with each "
                        "other compete for weight. Look at the `dim` of the softmax."
                    ),
                },
            ),
            Axis(
                "form",
                {
                    "no exp": (
                        "The scores are divided by their sum without taking exponentials first. Negative "
                        "scores become negative shares, and a sum near zero makes them huge."
                    ),
                    "sigmoid": (
                        "A sigmoid squeezes each score on its own. The weights never hear of each other, "
                        "so a row does not add up to 1."
                    ),
                    "log": (
                        "These are the logarithms of the weights: all negative or zero. Their "
                        "exponentials would be the weights."
                    ),
                    "overflow": (
                        "The exponential of a large score overflows to infinity, and infinity divided by "
                        "infinity is NaN. Subtracting the row's largest score first changes no weight "
                        "(exercise 2.2)."
                    ),
                },
            ),
        ),
        hints=(
            "Exponentials make every score positive; a division makes each row add up to 1.",
            "Sum with `keepdim=True`, so that the division lines up.",
            "Which axis do the keys lie on? It is the last. Subtract the largest score along it before "
            "you take exponentials.",
        ),
    ),
    Exercise(
        id="2.4",
        title="A soft lookup, scaled",
        name="scaled_lookup",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="scaled_lookup(query, key, value)",
        outputs=(CONTEXT, WEIGHTS),
        variant=scaled_lookup,
        cases=lookup_cases,
        properties=(NOT_NEGATIVE, ROWS_ADD_UP),
        axes=(
            Axis(
                "scale",
                {
                    "none": NO_SCALE,
                    "d": SCALE_BY_D,
                    "times": (
                        "The scores are multiplied by √d_k instead of divided. Your weights are close to "
                        "a hard lookup: almost everything on one key."
                    ),
                },
            ),
            Axis("over", {"queries": SOFTMAX_OVER_QUERIES}),
            Axis(
                "mix",
                {
                    "scores": (
                        "The context mixes the values with the scores instead of the weights. Scores are "
                        "not shares: some are negative, and they do not add up to 1."
                    ),
                    "hard": (
                        "The context is the one value with the largest weight: a hard lookup. A soft "
                        "lookup mixes all values, each by its weight."
                    ),
                    "mean": (
                        "The context is divided by the number of keys. The weights already add up to 1, "
                        "so the weighted sum is a mean as it stands."
                    ),
                },
            ),
        ),
        forbidden=("scaled_dot_product_attention", "attnbook.nn"),
        hints=(
            "Three lines: scores, weights, context.",
            "`key.mT` swaps the last two axes; (queries, d_k) @ (d_k, keys) gives (queries, keys).",
            "Divide the scores by √d_k, where d_k is the size of a query; then your `attention_weights`; "
            "then weights times values.",
        ),
    ),
    Exercise(
        id="2.5",
        title="The thermostat that does nothing",
        name="temperature_softmax",
        kind="bug",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="temperature_softmax(scores, temperature)",
        outputs=(Output("weights", ("batch", "keys")),),
        variant=temperature_softmax,
        cases=temperature_cases,
        properties=(NOT_NEGATIVE, ROWS_ADD_UP),
        axes=(
            Axis(
                "place",
                {
                    "after": (
                        "The temperature divides the weights, after the softmax. Every weight shrinks or "
                        "grows by the same factor: the row no longer adds up to 1, and who leads whom by "
                        "how much stays as it was."
                    ),
                    "times": (
                        "The scores are multiplied by the temperature. That is the thermostat wired "
                        "backwards: a high temperature sharpens, a low one flattens."
                    ),
                    "ignored": (
                        "The temperature makes no difference: your weights are those of temperature 1."
                    ),
                    "power": (
                        "The weights are raised to the power 1 / temperature, which does give the right "
                        "proportions, but the row does not add up to 1 any more."
                    ),
                    "exponentials": (
                        "The temperature divides the exponentials, and then softmax takes exponentials "
                        "once more. It should divide the scores, before any exponential."
                    ),
                },
            ),
        ),
        hints=(
            "Print the sum of a row at temperature 2. What should it be?",
            "The temperature should change how far the scores are apart.",
            "Divide something by the temperature *before* the softmax.",
        ),
    ),
    Exercise(
        id="2.6",
        title="How warm until nobody has the majority?",
        name="temperature_of_half",
        kind="measurement",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="temperature_of_half = 1.0",
        outputs=(Output("temperature_of_half", kind="number"),),
        variant=temperature_at_half,
        tolerance=(0.0, 0.06),
        nearby=(
            Nearby(
                1 / temperature_at_half(),
                "That is one divided by the temperature. Are the scores multiplied by it somewhere?",
                0.01,
            ),
        ),
        hints=(
            "Try `torch.arange(0.5, 10, 0.05)` as temperatures, and look at the largest weight for each.",
            "The largest weight falls as the temperature rises. Find the first temperature at which it "
            "is below 0.5.",
            "At temperature 3 the share of *I* is still a little above 0.6.",
        ),
    ),
    Exercise(
        id="2.7",
        title="A lookup with a mask",
        name="masked_lookup",
        kind="function",
        points=4,
        minutes=15,
        difficulty="hard",
        signature="masked_lookup(query, key, value, mask)",
        outputs=(CONTEXT, WEIGHTS),
        variant=masked_lookup,
        cases=masked_cases,
        properties=(NOT_NEGATIVE, FORBIDDEN, ROWS_ADD_UP_MASKED),
        possible=empty_row_reached,
        axes=(
            Axis("scale", {"none": NO_SCALE, "d": SCALE_BY_D}),
            Axis(
                "placed",
                {
                    "ignored": MASK_IGNORED,
                    "inverted": MASK_INVERTED,
                    "after": MASK_AFTER,
                    "zero": MASK_ZERO,
                },
            ),
            Axis("empty", {"nan": EMPTY_NAN, "uniform": EMPTY_UNIFORM}),
        ),
        forbidden=("scaled_dot_product_attention", "attnbook.nn"),
        hints=(
            "A forbidden position should get weight 0 *and* leave its share to the others. So the mask "
            "has to come before the softmax.",
            "`scores.masked_fill(~mask, -math.inf)`: exp(−∞) is 0.",
            "A row of nothing but −∞ gives NaN. `nan_to_num`, or `torch.where` with `mask.any(-1, "
            "keepdim=True)`, turns it into zeros.",
        ),
    ),
    Exercise(
        id="2.8",
        title="Regression as a lookup",
        name="kernel_regression",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="kernel_regression(x_new, x, y, width)",
        outputs=(Output("estimate", ("new points",)),),
        variant=kernel_regression,
        cases=kernel_cases,
        properties=(Property("no estimate lies outside the values y that it averages", within_the_values),),
        axes=(
            Axis(
                "kernel",
                {
                    "absolute": (
                        "The scores use the distance itself, not its square. That is a kernel too "
                        "(Laplace's), but not the Gaussian that was asked for."
                    ),
                },
            ),
            Axis(
                "sign",
                {
                    "plus": (
                        "The scores grow with the distance, so the farthest points get the largest "
                        "weights. Close should mean a high score."
                    ),
                },
            ),
            Axis(
                "over",
                {
                    "new points": (
                        "The softmax runs over the new points. Each new point should share out its "
                        "weights among the old ones."
                    ),
                    "none": (
                        "The exponentials are never divided by their sum: where many points are near, "
                        "the estimate is too large. Weights should add up to 1."
                    ),
                },
            ),
            Axis(
                "spread",
                {
                    "h2": (
                        "The squared distance is divided by width² instead of 2·width²: your curve is a "
                        "little too wiggly."
                    ),
                    "2h": "The squared distance is divided by 2·width, and the width is not squared.",
                    "none": (
                        "The width makes no difference: the squared distance is not divided by anything."
                    ),
                },
            ),
        ),
        hints=(
            "The new point is the query, the old points are the keys, their y are the values.",
            "`x_new[:, None] - x[None, :]` gives all differences, (new points, points).",
            "Scores: minus the squared difference over 2·width². Softmax over the old points, then times y.",
        ),
    ),
    Exercise(
        id="2.9",
        title="Several learned questions to one review",
        name="QueryPooling",
        kind="module",
        points=4,
        minutes=18,
        difficulty="hard",
        signature="QueryPooling(d_model, n_queries)",
        outputs=(
            Output("context", ("batch", "queries", "d_model")),
            Output("weights", ("batch", "queries", "words")),
        ),
        variant=query_pooling,
        cases=pooling_cases,
        properties=(NOT_NEGATIVE,),
        axes=(
            Axis("scale", {"none": NO_SCALE, "d": SCALE_BY_D}),
            Axis("placed", {"ignored": MASK_IGNORED, "after": MASK_AFTER, "zero": MASK_ZERO}),
            Axis(
                "cut",
                {
                    "detached": (
                        "The context sends no gradient back through the "
                        "weights, so the queries never learn which words to look at. Look for "
                        "`.detach()`, `.data` or `no_grad`."
                    ),
                },
            ),
            Axis(
                "mix",
                {
                    "plus query": (
                        "The query is added to the context. What is handed back should be made of the "
                        "values alone."
                    ),
                },
            ),
        ),
        tolerance=(1e-4, 5e-5),
        forbidden=("scaled_dot_product_attention", "MultiheadAttention", "attnbook.nn"),
        hints=(
            "`self.query = torch.nn.Parameter(torch.randn(n_queries, d_model))`; the words are keys and "
            "values at once.",
            "`self.query @ words.mT` gives (batch, queries, words): the batch axis comes by itself.",
            "The mask is (batch, words). `mask[:, None, :]` makes room for the queries.",
        ),
    ),
)
