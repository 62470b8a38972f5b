"""6.1: the mean of a reward is not the reward of the mean."""

from attnbook.exercises.spec import Nearby, Prediction

WEIGHTS, VALUES = (0.7, 0.2, 0.1), (10.0, 0.0, 5.0)


def expected_reward() -> float:
    """The mean of the squared value, when a position is drawn with the weights as its probabilities."""
    return sum(weight * value**2 for weight, value in zip(WEIGHTS, VALUES, strict=True))


MEAN = sum(weight * value for weight, value in zip(WEIGHTS, VALUES, strict=True))

EXERCISE = Prediction(
    id="6.1",
    title="Mix first, or draw first",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="expected_reward = 50.0",
    reference=expected_reward,
    tolerance=0.05,
    nearby=(
        Nearby(
            MEAN**2,
            "That is the reward of the mean, 7.5². Soft attention mixes the values first and is rewarded "
            "once; hard attention draws a value, is rewarded for it, and the *rewards* are averaged.",
            0.05,
        ),
        Nearby(
            MEAN,
            "That is the mean of the values themselves. The reward is the square of the value that was "
            "drawn.",
            0.05,
        ),
        Nearby(
            max(VALUES) ** 2,
            "That is the reward of the likeliest position. It is drawn in 7 cases of 10; the other three "
            "count too.",
            0.05,
        ),
        Nearby(
            sum(value**2 for value in VALUES) / 3,
            "That is the mean of the three rewards with equal weights. They are drawn with 0.7, 0.2 and 0.1.",
            0.05,
        ),
        Nearby(
            sum((weight * value) ** 2 for weight, value in zip(WEIGHTS, VALUES, strict=True)),
            "You squared the weights too. The reward is the square of the value; its weight multiplies "
            "it once.",
            0.05,
        ),
        Nearby(
            sum(weight * value**2 for weight, value in zip(WEIGHTS, VALUES, strict=True)) - MEAN**2,
            "That is the difference between hard and soft, which is the variance of the value. Asked for "
            "is hard attention's mean reward.",
            0.05,
        ),
    ),
    hints=(
        "Hard attention sees one of three values. What are the three rewards?",
        "The rewards are 100, 0 and 25. How often does each of them come?",
        "A mean is the sum of probability times reward.",
    ),
)
