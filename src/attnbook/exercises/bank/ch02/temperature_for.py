"""2.12: the temperature at which the weights have a wanted entropy."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def entropy(weights, base=2.0) -> float:
    """Minus the sum of weight times its logarithm."""
    return float(-(weights * weights.clamp(min=1e-300).log()).sum()) / math.log(base)


# How undecided the weights are.
MEASURE = Mistakes(
    "measure",
    right=entropy,
    nats=Wrong(
        lambda weights: entropy(weights, math.e),
        "Your entropy is in nats, from the natural logarithm. Bits are counted with the logarithm to base 2.",
    ),
    largest=Wrong(
        lambda weights: -math.log2(float(weights.max())),
        "You look at the largest weight alone. Entropy is the mean over all keys of −log₂ of the weight, "
        "each key counted by its weight.",
    ),
    plain=Wrong(
        lambda weights: float(-weights.log2().mean()) - math.log2(len(weights)),
        "Your mean of −log₂ of the weights counts every key alike. Entropy counts each by its weight.",
    ),
)
ANSWER = Mistakes(
    "answer",
    right=lambda temperature: temperature,
    inverse=Wrong(
        lambda temperature: 1 / temperature,
        "You hand back one divided by the temperature: a factor for the scores. Scores are *divided* by the "
        "temperature.",
    ),
)


def temperature_for(scores, bits, *, measure=MEASURE.right, answer=ANSWER.right):
    scores = scores.double()
    low, high = -12.0, 12.0  # of the temperature's logarithm
    rising = measure(torch.softmax(scores / 2.0, dim=0)) > measure(torch.softmax(scores / 0.5, dim=0))
    for _ in range(60):
        middle = (low + high) / 2
        small = measure(torch.softmax(scores / math.exp(middle), dim=0)) < bits
        low, high = (middle, high) if small is rising else (low, middle)
    return answer(math.exp(low))


def cases(draw: Draw) -> list[Case]:
    found = []
    for low, high in ((0.25, 0.4), (0.45, 0.6), (0.3, 0.6), (0.25, 0.5)):
        (keys,) = draw.sizes(1, 4, 9)
        while True:  # until the best key leads, and the temperature asked for is not near 1
            scores = draw.normal(keys, scale=draw.random.choice([0.4, 3.0]))
            first, second = scores.topk(2).values.tolist()
            bits = round(draw.random.uniform(low, high) * math.log2(keys), 3)
            if first - second > 0.15 and abs(math.log(temperature_for(scores, bits))) > 0.1:
                break
        found.append(Case({"scores": scores, "bits": bits}))
    return found


def has_the_bits(args, outputs) -> bool:
    temperature = float(outputs["temperature"])
    if temperature <= 0:
        return False
    return abs(entropy(torch.softmax(args["scores"].double() / temperature, dim=0)) - args["bits"]) < 0.02


EXERCISE = Function(
    id="2.12",
    title="As undecided as you like ★",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="temperature_for(scores, bits)",
    outputs=(Output("temperature", kind="number"),),
    reference=temperature_for,
    cases=cases,
    tolerance=(2e-3, 1e-4),
    properties=(Property("at this temperature the weights have the wanted entropy", has_the_bits),),
    mistakes=(MEASURE, ANSWER),
    hints=(
        "Write the entropy of the weights at one temperature first: −Σ w log₂ w. Does it rise or fall with "
        "the temperature?",
        "It rises all the way. So halve an interval again and again: if the entropy in the middle is too "
        "small, the temperature lies in the upper half.",
        "Temperatures may be 0.01 or 100, so halve on the scale of logarithms, from −7 to 7, sixty times. A "
        "weight of 0 adds nothing to the entropy, but its logarithm is −∞: `clamp` it first.",
    ),
)
