"""Exercises of chapter 0, preliminaries."""

from __future__ import annotations

import math

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

# 0.2


def look_up(numbers, table, *, shift="none", mix="sum"):
    vocab = table.shape[0]
    moved = {"none": numbers, "back": numbers - 1, "on": numbers + 1}[shift] % vocab
    one_hot = torch.nn.functional.one_hot(moved, vocab).to(table.dtype)
    if mix == "softmax":
        return one_hot, torch.softmax(one_hot, dim=-1) @ table
    vectors = one_hot @ table
    return one_hot, vectors / vocab if mix == "mean" else vectors


def look_up_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, words, vocab, d_embed = draw.sizes(4, 2, 9)
        numbers = draw.integers(batch, words, high=vocab)
        cases.append(Case({"numbers": numbers, "table": draw.normal(vocab, d_embed)}))
    return cases


def one_hot_rows(args, outputs) -> bool:
    """Every row of the one-hot tensor holds one 1 and zeros."""
    one_hot = outputs["one_hot"]
    ones = (one_hot == 1).sum(dim=-1)
    return bool((ones == 1).all()) and bool(((one_hot == 0) | (one_hot == 1)).all())


# 0.3


def shares(scores, dim, temperature, *, over="dim", place="before", form="safe"):
    if place == "times":
        scores = scores * temperature
    elif place == "before":
        scores = scores / temperature
    dims = {"dim": (dim,), "last": (-1,), "all": (0, 1, 2)}[over]
    if form == "sigmoid":
        weights = torch.sigmoid(scores)
    else:
        if form == "safe":
            scores = scores - scores.amax(dim=dims, keepdim=True)
        powers = torch.exp(scores)
        weights = powers / powers.sum(dim=dims, keepdim=True)
    return weights / temperature if place == "after" else weights


def shares_possible(switches) -> bool:
    """A sigmoid knows no axis."""
    return not (switches.get("form") == "sigmoid" and "over" in switches)


def shares_cases(draw: Draw) -> list[Case]:
    cases = []
    for dim, (low, high) in ((0, (0.3, 0.6)), (1, (1.8, 4.0)), (2, (0.3, 0.6))):
        scores = draw.normal(*draw.sizes(3, 2, 8), scale=1.5)
        cases.append(Case({"scores": scores, "dim": dim, "temperature": draw.random.uniform(low, high)}))
    large = draw.normal(*draw.sizes(3, 2, 8)) + 400.0
    cases.append(
        Case(
            {"scores": large, "dim": 1, "temperature": draw.random.uniform(1.5, 2.5)},
            group="edge",
            note="all scores are near 400",
        )
    )
    return cases


def add_up_along_dim(args, outputs) -> bool:
    """The weights are at least 0 and add up to 1 along ``dim``."""
    weights = outputs["weights"]
    sums = weights.sum(dim=args["dim"])
    return bool((weights >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)


# 0.4


def descend(x, y, steps, learning_rate, *, kept="zeroed", sign="minus", size="mean"):
    line = torch.zeros(2)  # slope, height at 0
    held = torch.zeros(2)
    losses = []
    for _ in range(steps):
        miss = line[0] * x + line[1] - y
        losses.append((miss**2).sum() if size == "sum" else (miss**2).mean())
        gradient = 2 * torch.stack([(miss * x).mean(), miss.mean()])
        if size == "sum":
            gradient = gradient * len(x)
        elif size == "half":
            gradient = gradient / 2
        held = held + gradient if kept == "accumulate" else gradient
        line = line + learning_rate * held if sign == "plus" else line - learning_rate * held
    return line, torch.stack(losses)


def descend_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        points, steps = draw.sizes(2, 4, 9)
        x = draw.normal(points)
        y = draw.random.uniform(1.0, 2.0) * x + draw.random.uniform(0.5, 1.5) + draw.normal(points, scale=0.1)
        rate = draw.random.uniform(0.03, 0.08)
        cases.append(Case({"x": x, "y": y, "steps": steps, "learning_rate": rate}))
    return cases


# 0.5


def largest_step() -> float:
    """Two divided by the largest curvature of the mean squared error over the points x = 1, 2, 3."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    inputs = torch.stack([x, torch.ones(3, dtype=torch.float64)], dim=1)
    curvature = 2 / 3 * inputs.T @ inputs
    return 2 / torch.linalg.eigvalsh(curvature).max().item()


# 0.6


def masked_mean(vectors, mask, *, placed="used", divisor="words", empty="zeros"):
    if placed == "ignored":
        return vectors.mean(dim=1)
    if placed == "inverted":
        mask = ~mask
    kept = mask.unsqueeze(-1).to(vectors.dtype)
    total = (vectors * kept).sum(dim=1)
    if divisor == "places":
        return total / vectors.shape[1]
    count = kept.sum(dim=1)
    return total / count if empty == "nan" else total / count.clamp(min=1)


def mean_possible(switches) -> bool:
    """Dividing by all places hides what becomes of an empty sentence; an ignored mask hides both."""
    others = {"divisor", "empty"} & set(switches)
    if switches.get("placed") == "ignored":
        return not others
    return len(others) < 2


def mean_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("all", "some", "some", "empty"):
        batch, words, d_model = draw.sizes(3, 3, 9)
        mask = torch.ones(batch, words, dtype=torch.bool) if kind == "all" else draw.mask(batch, words)
        if kind == "empty":
            mask[draw.random.randrange(batch)] = False
        cases.append(
            Case(
                {"vectors": draw.normal(batch, words, d_model) + 1.0, "mask": mask},
                group={"all": "plain", "some": "mask", "empty": "edge"}[kind],
                note={
                    "all": "there is no padding",
                    "some": "some places are padding",
                    "empty": "one sentence is padding alone",
                }[kind],
            )
        )
    return cases


# 0.7


def surprise(logits, right, *, base="e", sign="minus", over="classes", total="mean", twice="no", form="safe"):
    dim = 0 if over == "batch" else -1
    if twice == "yes":
        logits = torch.softmax(logits, dim=dim)
    if form == "overflow":
        powers = torch.exp(logits)
        log_shares = torch.log(powers / powers.sum(dim=dim, keepdim=True))
    else:
        log_shares = torch.log_softmax(logits, dim=dim)
    picked = log_shares[torch.arange(len(right)), right]
    if base == "2":
        picked = picked / math.log(2)
    loss = picked.sum() if total == "sum" else picked.mean()
    return loss if sign == "plus" else -loss


def surprise_possible(switches) -> bool:
    """Shares are at most 1, and their exponentials never overflow."""
    return not ("twice" in switches and "form" in switches)


def surprise_cases(draw: Draw) -> list[Case]:
    cases = []
    for shift in (0.0, 0.0, 0.0, 300.0):
        batch, classes = draw.sizes(2, 3, 9)
        cases.append(
            Case(
                {
                    "logits": draw.normal(batch, classes, scale=1.5) + shift,
                    "right": draw.integers(batch, high=classes),
                },
                group="edge" if shift else "plain",
                note="all logits are near 300" if shift else "",
            )
        )
    return cases


# 0.9


def pencil_step() -> float:
    """A GRU's new number: z = 0.25, r = 0, old 0.4, the candidate's parts 0.8 and 3."""
    return 0.25 * 0.4 + 0.75 * math.tanh(0.8 + 0.0 * 3.0)


# 0.10


def lstm_step(
    x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *,
    order="i f g o", candidate="tanh", output="tanh", bias="both", memory="c",
):  # fmt: skip
    together = x @ weight_ih.T + bias_ih + h @ weight_hh.T
    if bias == "both":
        together = together + bias_hh
    blocks = dict(zip(order.split(), together.chunk(4, dim=-1), strict=True))
    squash = torch.sigmoid if candidate == "sigmoid" else torch.tanh
    old = h if memory == "h" else c
    new_c = torch.sigmoid(blocks["f"]) * old + torch.sigmoid(blocks["i"]) * squash(blocks["g"])
    seen = new_c if output == "plain" else torch.tanh(new_c)
    return torch.sigmoid(blocks["o"]) * seen, new_c


def lstm_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, d_input, d_hidden = draw.sizes(3, 2, 7)
        cases.append(
            Case(
                {
                    "x": draw.normal(batch, d_input),
                    "h": draw.normal(batch, d_hidden),
                    "c": draw.normal(batch, d_hidden, scale=1.5),
                    "weight_ih": draw.normal(4 * d_hidden, d_input),
                    "weight_hh": draw.normal(4 * d_hidden, d_hidden),
                    "bias_ih": draw.normal(4 * d_hidden),
                    "bias_hh": draw.normal(4 * d_hidden),
                }
            )
        )
    return cases


EXERCISES = (
    Exercise(
        id="0.1",
        title="How many numbers come out?",
        name="how_many",
        kind="prediction",
        points=1,
        minutes=3,
        difficulty="easy",
        signature="how_many = 50",
        outputs=(Output("how_many", kind="number"),),
        variant=lambda: 2500.0,
        tolerance=(0.0, 0.5),
        nearby=(
            Nearby(
                50,
                "50 would be right if both had the shape (50,). Line the shapes up at their right ends: "
                "under the 50 of the first stands a 1 of the second, and a 1 is stretched.",
            ),
            Nearby(
                100,
                "Nothing is put end to end here. A minus sign pairs numbers off; ask which pairs.",
            ),
            Nearby(
                1,
                "A difference is not summed. Each pair of numbers leaves one number behind; how many "
                "pairs are there?",
            ),
        ),
        hints=(
            "Write the two shapes one under the other, lined up on the right: 50 above 50, 1.",
            "A missing size counts as 1. A size of 1 is stretched to the other's size.",
            "Both end up as (50, 50). How many numbers is that?",
        ),
    ),
    Exercise(
        id="0.2",
        title="A look-up made of a product",
        name="look_up",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="look_up(numbers, table)",
        outputs=(
            Output("one_hot", ("batch", "words", "vocab")),
            Output("vectors", ("batch", "words", "d_embed")),
        ),
        variant=look_up,
        cases=look_up_cases,
        properties=(Property("each row of one_hot holds a single 1, and zeros", one_hot_rows),),
        axes=(
            Axis(
                "shift",
                {
                    "back": (
                        "Every word gets the row *before* its own. Rows are counted from 0, so the word "
                        "with number 3 has row 3; nothing has to be taken off."
                    ),
                    "on": "Every word gets the row *after* its own: the 1 stands one place too far on.",
                },
            ),
            Axis(
                "mix",
                {
                    "mean": (
                        "The vectors are right but for a factor: they are divided by the number of words in "
                        "the vocabulary. A product adds up; nothing is averaged."
                    ),
                    "softmax": (
                        "The one-hot row went through a softmax before the product. Softmax of a single 1 "
                        "and zeros is nearly even, so every vector is a mixture of all rows."
                    ),
                },
            ),
        ),
        hints=(
            "`torch.nn.functional.one_hot(numbers, size)` makes whole numbers; the table holds floats.",
            "How many columns does a one-hot row have? As many as the table has rows.",
            "`@` works on the last two dimensions: (batch, words, vocab) @ (vocab, d_embed).",
        ),
    ),
    Exercise(
        id="0.3",
        title="Shares along any dimension",
        name="shares",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="shares(scores, dim, temperature)",
        outputs=(Output("weights", ("first", "second", "third")),),
        variant=shares,
        cases=shares_cases,
        properties=(Property("the weights are at least 0 and add up to 1 along dim", add_up_along_dim),),
        possible=shares_possible,
        axes=(
            Axis(
                "over",
                {
                    "last": (
                        "The softmax always runs along the last dimension, whatever `dim` says. On a tensor "
                        "with three dimensions the caller may have meant another."
                    ),
                    "all": (
                        "All numbers of the tensor together add up to 1. The sum should run along `dim` "
                        "alone, once for each place on the other dimensions."
                    ),
                },
            ),
            Axis(
                "place",
                {
                    "after": (
                        "The temperature divides the weights, after the softmax. They no longer add up to 1, "
                        "and their proportions are those of temperature 1."
                    ),
                    "times": (
                        "The scores are multiplied by the temperature: a high one sharpens the shares, where "
                        "it should even them out."
                    ),
                    "ignored": "The temperature makes no difference: these are the shares of temperature 1.",
                },
            ),
            Axis(
                "form",
                {
                    "sigmoid": (
                        "A sigmoid squeezes each score on its own, between 0 and 1. The scores never hear of "
                        "each other, so nothing adds up to 1."
                    ),
                    "overflow": (
                        "The exponential of a large score is infinity, and infinity divided by infinity is "
                        "NaN. Subtracting the largest score along `dim` first changes no share."
                    ),
                },
            ),
        ),
        forbidden=("softmax",),
        hints=(
            "Three steps: divide by the temperature, take exponentials, divide by their sum along `dim`.",
            "`sum(dim=dim, keepdim=True)` leaves a size of 1 there, so that the division lines up.",
            "Before the exponential, subtract `scores.amax(dim=dim, keepdim=True)`.",
        ),
    ),
    Exercise(
        id="0.4",
        title="The descent that gets faster and faster",
        name="descend",
        kind="bug",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="descend(x, y, steps, learning_rate)",
        outputs=(Output("line", ("slope and height",)), Output("losses", ("steps",))),
        variant=descend,
        cases=descend_cases,
        axes=(
            Axis(
                "kept",
                {
                    "accumulate": (
                        "Each step uses the sum of all gradients so far, since `backward()` adds to what is "
                        "already in `.grad`. The steps grow, run past the valley and swing back and forth. "
                        "What has to happen to `.grad` between two steps?"
                    ),
                },
            ),
            Axis(
                "sign",
                {
                    "plus": (
                        "The step goes *up* the gradient: the loss rises from step to step. The gradient "
                        "points to where the loss grows fastest."
                    ),
                },
            ),
            Axis(
                "size",
                {
                    "sum": (
                        "The loss is the sum of the squared misses, not their mean. It grows with the number "
                        "of points, and so does the step."
                    ),
                    "half": (
                        "Every step is half as long as it should be: the derivative of a square brings a "
                        "factor 2 with it."
                    ),
                },
            ),
        ),
        hints=(
            "Print `line.grad` at each step. Does it get smaller as the line gets better?",
            "`backward()` adds. Who takes the old gradient away?",
            "One line at the end of the loop: `line.grad = None`, or `line.grad.zero_()`.",
        ),
    ),
    Exercise(
        id="0.5",
        title="The longest step that still goes down",
        name="largest_rate",
        kind="measurement",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="largest_rate = 0.1",
        outputs=(Output("largest_rate", kind="number"),),
        variant=largest_step,
        tolerance=(0.0, 0.004),
        nearby=(
            Nearby(
                largest_step() / 2,
                "At this rate the steepest direction is solved in one step. A rate above it overshoots, but "
                "swings back with less and less width: it still arrives.",
                0.004,
            ),
            Nearby(
                largest_step() / 3,
                "That is the limit when the three squares are added up. Is your loss their mean?",
                0.004,
            ),
        ),
        hints=(
            "Take 200 steps from (0, 0) for each rate of `torch.arange(0.05, 0.3, 0.001)`, and look at the "
            "last loss.",
            "Below the limit the last loss is close to 0; above it, it is enormous.",
            "The limit lies between 0.15 and 0.2.",
        ),
    ),
    Exercise(
        id="0.6",
        title="A mean that skips padding",
        name="masked_mean",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="masked_mean(vectors, mask)",
        outputs=(Output("mean", ("batch", "d_model")),),
        variant=masked_mean,
        cases=mean_cases,
        possible=mean_possible,
        axes=(
            Axis(
                "placed",
                {
                    "ignored": (
                        "The mask is never used: padding is averaged in like any word, and short sentences "
                        "get means that are mostly filler."
                    ),
                    "inverted": (
                        "The mask is read the wrong way round. True means *a word* here; your mean is that "
                        "of the padding."
                    ),
                },
            ),
            Axis(
                "divisor",
                {
                    "places": (
                        "The words are added up rightly, but divided by the number of *places*, padding "
                        "included. A sentence of two words in a row of ten shrinks to a fifth."
                    ),
                },
            ),
            Axis(
                "empty",
                {
                    "nan": (
                        "A sentence without any word gives NaN: 0 divided by 0. Such a sentence should give "
                        "zeros."
                    ),
                },
            ),
        ),
        hints=(
            "A mask of shape (batch, words) and vectors of shape (batch, words, d_model): what is missing?",
            "`mask.unsqueeze(-1)` makes it (batch, words, 1). Multiply, add up over the words, divide by how "
            "many there were.",
            "`.clamp(min=1)` on the count keeps an empty sentence from dividing by 0.",
        ),
    ),
    Exercise(
        id="0.7",
        title="Cross-entropy from scratch",
        name="surprise",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="surprise(logits, right)",
        outputs=(Output("loss", ()),),
        variant=surprise,
        cases=surprise_cases,
        properties=(
            Property("a cross-entropy is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),
        ),
        possible=surprise_possible,
        axes=(
            Axis(
                "base",
                {
                    "2": (
                        "This is right up to a factor: a logarithm to base 2 counts in bits. The natural "
                        "logarithm, `torch.log`, counts in nats."
                    ),
                },
            ),
            Axis(
                "sign",
                {
                    "plus": (
                        "The sign is missing. The logarithm of a share is negative, and minus makes the loss "
                        "positive: 0 is perfect, large is bad."
                    ),
                },
            ),
            Axis(
                "over",
                {
                    "batch": (
                        "The softmax runs over the batch: the examples compete with each other. The classes "
                        "of one example should."
                    ),
                },
            ),
            Axis(
                "total",
                {"sum": "The losses of the examples are added up; the mean was asked for."},
            ),
            Axis(
                "twice",
                {
                    "yes": (
                        "Softmax was applied twice: shares went in where logits should. The loss can then "
                        "never come near 0, however sure the model is."
                    ),
                },
            ),
            Axis(
                "form",
                {
                    "overflow": (
                        "The exponential of a large logit is infinity, and the loss NaN. Subtract the row's "
                        "largest logit first, or let `logsumexp` do it."
                    ),
                },
            ),
        ),
        forbidden=("cross_entropy", "nll_loss"),
        hints=(
            "Softmax along the last dimension; the share of the right class; minus its logarithm; the mean.",
            "`shares[torch.arange(len(right)), right]` picks one share from each row.",
            "log(e^a / Σ e^b) = a − log Σ e^b: `torch.logsumexp(logits, dim=-1)` is the second part.",
        ),
    ),
    Exercise(
        id="0.8",
        title="Who lives next door to superb?",
        name="answer_neighbour",
        kind="choice",
        points=1,
        minutes=4,
        difficulty="easy",
        signature='answer_neighbour = "a"',
        outputs=(Output("answer_neighbour", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "They mean much the same, and that is what one would like. But nothing in the text says it. "
                "Ask which words *superb* and *awful* have around them.",
            ),
            Nearby(
                "b",
                "Both words stand near each other, but seldom near the same words. A vector is learned from "
                "the company that a word keeps, and two words come close when they keep the *same* company.",
            ),
            Nearby(
                "d",
                "Spelling never reaches the model: it sees word numbers. *superb* might as well be 71.",
            ),
        ),
        hints=(
            "Write down three sentences with a gap where *superb* stood. Which words fit into the gap?",
            "Skip-gram sees the words around the gap, and nothing else.",
            "In these sentences *superb* and *awful* fit into exactly the same gaps.",
        ),
    ),
    Exercise(
        id="0.9",
        title="One GRU step with a pencil",
        name="new_state",
        kind="prediction",
        points=2,
        minutes=6,
        difficulty="medium",
        signature="new_state = 0.5",
        outputs=(Output("new_state", kind="number"),),
        variant=pencil_step,
        tolerance=(0.0, 0.01),
        nearby=(
            Nearby(
                0.75 * 0.4 + 0.25 * math.tanh(0.8),
                "The update gate is the wrong way round. Here, as in torch, z is the share that *stays*.",
                0.01,
            ),
            Nearby(
                0.25 * 0.4 + 0.75 * math.tanh(3.8),
                "The reset gate was left out. It is 0, so the candidate hears nothing of the old state.",
                0.01,
            ),
            Nearby(
                0.25 * 0.4 + 0.75 * 0.8,
                "The candidate is the tanh of that sum, not the sum itself.",
                0.01,
            ),
            Nearby(math.tanh(0.8), "That is the candidate. How much of it goes into the new state?", 0.01),
        ),
        hints=(
            "First the candidate: tanh(0.8 + r · 3), with r = 0.",
            "tanh(0.8) is about 0.664.",
            "A quarter of the old number, and three quarters of the candidate.",
        ),
    ),
    Exercise(
        id="0.10",
        title="One LSTM step",
        name="lstm_step",
        kind="function",
        points=4,
        minutes=18,
        difficulty="hard",
        signature="lstm_step(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)",
        outputs=(Output("h", ("batch", "d_hidden")), Output("c", ("batch", "d_hidden"))),
        variant=lstm_step,
        cases=lstm_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "order",
                {
                    "f i g o": (
                        "Input gate and forget gate have changed places: torch stores the input gate first. "
                        "Your cell forgets where it should write."
                    ),
                    "i f o g": (
                        "Candidate and output gate have changed places: torch's third block is the "
                        "candidate, and the output gate comes last."
                    ),
                },
            ),
            Axis(
                "candidate",
                {
                    "sigmoid": (
                        "The candidate goes through a sigmoid and can never be negative. Gates are sigmoids; "
                        "what is written is a tanh."
                    ),
                },
            ),
            Axis(
                "output",
                {
                    "plain": (
                        "The output gate multiplies the memory cell itself. The outside should see its tanh, "
                        "between −1 and 1."
                    ),
                },
            ),
            Axis(
                "bias",
                {
                    "one": (
                        "`bias_hh` is never used. One of the two biases would do, but torch has both, and "
                        "adds both."
                    ),
                },
            ),
            Axis(
                "memory",
                {
                    "h": (
                        "The forget gate multiplies the old h. It should multiply the old memory cell c: "
                        "that is the whole point of keeping two."
                    ),
                },
            ),
        ),
        forbidden=("LSTMCell", "attnbook.nn"),
        hints=(
            "One line for all four: `x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh`.",
            "`.chunk(4, dim=-1)` cuts it into the blocks i, f, g, o, in this order.",
            "c = σ(f) · c + σ(i) · tanh(g), and then h = σ(o) · tanh(c) with the new c.",
        ),
    ),
)
