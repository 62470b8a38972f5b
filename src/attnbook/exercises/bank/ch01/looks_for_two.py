"""1.11: a display in which the saliency model finds the odd one only by chance."""

from attnbook.exercises.spec import Measurement, Nearby

ITEMS = 24

EXERCISE = Measurement(
    id="1.11",
    title="A display that it must miss ★",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="looks_for_two = 1.0",
    # Both digits are made of the same five bars, so that no map has more of one than of the other: a blind
    # searcher's mean, which 240 displays gave as well (11.6 ± 0.9).
    reference=lambda: (ITEMS + 1) / 2,
    tolerance=2.5,
    nearby=(
        Nearby(
            1.0,
            "The first look, always? Then something tells the two digits apart: are all of them drawn in the "
            "same colour, and is the target's place the first of `places`?",
            0.5,
        ),
        Nearby(
            7.3,
            "That is what it needs for a 6 among 2s. A 6 has one bar more, and more light.",
            1.5,
        ),
        Nearby(
            18.2,
            "That is what it needs for a 2 among 6s. Each 6 has one bar more, and more light, so it comes "
            "first.",
            1.8,
        ),
    ),
    hints=(
        "`itti_koch(image, centres=(0, 1, 2)).saliency`, then `winner_take_all(saliency, 80, radius=16)`: "
        "rows and columns of 80 looks.",
        "`torch.cdist(path.double(), places.double()).min(dim=1)` says for each look which digit is nearest, "
        "and how far it is. A look that falls farther than 16 pixels from all of them visits none.",
        "Count the *different* digits that were visited, up to digit 0, the target. Take the mean over 24 "
        "displays.",
    ),
)
