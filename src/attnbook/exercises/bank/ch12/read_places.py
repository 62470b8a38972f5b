"""12.12 (starred): a linear probe, each patch read with a map that was fitted without it."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (number of patches, the one that is read) → those that the map is fitted on.
FITTED = Mistakes(
    "fitted",
    right=lambda count, left_out: torch.arange(count) != left_out,
    all=Wrong(
        lambda count, left_out: torch.ones(count, dtype=torch.bool),
        "The map is fitted on all patches, the one that it then reads included. With as many numbers as "
        "patches it can learn every place by heart, from vectors that know nothing. Fit it again for each "
        "patch, without that patch.",
    ),
    only=Wrong(
        lambda count, left_out: torch.arange(count) == left_out,
        "The map is fitted on the left-out patch alone. It is the other way round: on all patches but that "
        "one.",
    ),
)
# (vectors, places, fitted) → the means that are taken away.
CENTRE = Mistakes(
    "centre",
    right=lambda vectors, places, fitted: (vectors[fitted].mean(0), places[fitted].mean(0)),
    none=Wrong(
        lambda vectors, places, fitted: (torch.zeros_like(vectors[0]), torch.zeros_like(places[0])),
        "No mean is taken away, so that the map has no constant part: it must give place 0 for a vector of "
        "zeros.",
    ),
    vectors_only=Wrong(
        lambda vectors, places, fitted: (vectors[fitted].mean(0), torch.zeros_like(places[0])),
        "The vectors' mean is taken away, and the places' mean is not: what you predict lies around 0 and "
        "not around the middle of the picture.",
    ),
    with_all=Wrong(
        lambda vectors, places, fitted: (vectors.mean(0), places.mean(0)),
        "The means are taken over all patches: the place of the one left out has leaked into the map by way "
        "of its mean.",
    ),
)
# (ridge, number of patches fitted on) → what is added to the diagonal.
RIDGE = Mistakes(
    "penalty",
    right=lambda ridge, count: ridge,
    none=Wrong(
        lambda ridge, count: 1e-6,
        "The ridge is not used: the map is fitted by least squares alone.",
    ),
    times_count=Wrong(
        lambda ridge, count: ridge * count,
        "The ridge is multiplied by the number of patches: you divided the squares by their number, or "
        "averaged them, and left the ridge whole.",
    ),
    squared=Wrong(
        lambda ridge, count: ridge**2,
        "The ridge is squared. It stands on the diagonal as it is.",
    ),
)


def read_places(vectors, places, ridge, *, fitted=FITTED.right, centre=CENTRE.right, penalty=RIDGE.right):
    vectors, places = vectors.double(), places.double()
    count = len(vectors)
    found = torch.empty_like(places)
    for left_out in range(count):
        chosen = fitted(count, left_out)
        mean, mean_place = centre(vectors, places, chosen)
        x, y = vectors[chosen] - mean, places[chosen] - mean_place
        diagonal = penalty(ridge, len(x)) * torch.eye(x.shape[1], dtype=x.dtype)
        W = torch.linalg.solve(x.T @ x + diagonal, x.T @ y)  # (d, 2)
        found[left_out] = (vectors[left_out] - mean) @ W + mean_place
    return found.float()


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("few", "many", "few"):
        rows, columns = draw.sizes(2, 3, 5)
        count = rows * columns
        d = draw.random.randint(4, 7) if kind == "few" else count + draw.random.randint(2, 5)
        grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).float() + 2
        knows = grid @ draw.normal(2, d, scale=0.7)
        found.append(
            Case(
                {
                    "vectors": knows + draw.normal(count, d) + draw.normal(d),
                    "places": grid,
                    "ridge": round(draw.random.uniform(2.0, 4.0), 2),
                },
                note="more numbers in a vector than patches" if kind == "many" else "",
            )
        )
    return found


EXERCISE = Function(
    id="12.12",
    title="★ What a position knows",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="read_places(vectors, places, ridge)",
    outputs=(Output("read", ("patches", "2")),),
    reference=read_places,
    cases=cases,
    mistakes=(FITTED, CENTRE, RIDGE),
    meaningless=(
        (FITTED["all"], CENTRE["with_all"]),
        (FITTED["only"], RIDGE),
        (FITTED["only"], CENTRE["with_all"]),
        (FITTED["only"], CENTRE["vectors_only"]),
    ),
    tolerance=(1e-3, 1e-3),
    forbidden=("sklearn", "Ridge"),
    hints=(
        "A loop over the patches: each time, fit on all others, then read the one that was left out.",
        "Take the mean of the *others* away from vectors and places; add the places' mean again at the end.",
        "`torch.linalg.solve(x.T @ x + ridge * torch.eye(d), x.T @ y)` gives W (d, 2).",
    ),
)
