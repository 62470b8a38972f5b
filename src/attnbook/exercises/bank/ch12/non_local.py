"""12.5: a non-local block whose keys and values are pooled.

Wang et al. (2018), arXiv 1711.07971: equation 6, the embedded Gaussian, and the subsampling of section 3.3.
"""

import math

import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from attnbook.exercises.mistakes import OVER
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _project(W, x):
    """W (d, channels) on each pixel of x (batch, channels, height, width)."""
    return torch.einsum("dc,bchw->bdhw", W, x)


# (W, x) → keys or values, a quarter as many as there are pixels.
POOL = Mistakes(
    "pool",
    right=lambda W, x: max_pool2d(_project(W, x), 2),
    mean=Wrong(
        lambda W, x: avg_pool2d(_project(W, x), 2),
        "The four pixels of a square are averaged. The block takes the largest number of the four, as "
        "max-pooling does.",
    ),
    before=Wrong(
        lambda W, x: _project(W, max_pool2d(x, 2)),
        "The picture is pooled before it is multiplied by the matrix. Pooling comes after: the largest of "
        "four is taken of the keys and of the values, not of the pixels.",
    ),
    skipped=Wrong(
        lambda W, x: _project(W, x)[:, :, ::2, ::2],
        "Every second pixel is kept and the others are dropped. Pooling looks at all four of a square and "
        "takes the largest.",
    ),
)
ROLES = Mistakes(
    "roles",
    right=("theta", "phi", "g"),
    exchanged=Wrong(
        ("phi", "theta", "g"),
        "W_theta and W_phi are exchanged: θ makes the queries, which ask from every pixel, φ the keys.",
    ),
    values=Wrong(
        ("theta", "phi", "phi"),
        "The keys serve as values as well. Values are made with W_g.",
    ),
)
FLAT = Mistakes(
    "flat",
    right=lambda maps: maps.flatten(2).mT,  # (batch, positions, d)
    at_once=Wrong(
        lambda maps: maps.reshape(maps.shape[0], -1, maps.shape[1]),
        "The pixels are turned into rows by a reshape alone. The channels come before height and width in "
        "memory, so a row of yours holds one channel of several pixels. Flatten height and width first, then "
        "exchange the last two axes.",
    ),
)
SCALE = Mistakes(
    "scale",
    right=lambda d: 1.0,
    root=Wrong(
        math.sqrt,
        "The products are divided by √d. A transformer does that; the embedded Gaussian of this block does "
        "not.",
    ),
)
SHARES = OVER.reworded(
    queries="The softmax runs over the pixels that ask, so each column of your weights adds up to 1. It "
    "should run over the pixels that answer: look at its `dim`."
)
RESIDUAL = Mistakes(
    "residual",
    right=lambda x, change: x + change,
    none=Wrong(
        lambda x, change: change,
        "The picture itself is not added. With W_z = 0 the block should change nothing, so that it can be "
        "put into a trained network.",
    ),
)


def non_local(
    x, W_theta, W_phi, W_g, W_z,
    *, pool=POOL.right, roles=ROLES.right, flat=FLAT.right, scale=SCALE.right, over=SHARES.right,
    residual=RESIDUAL.right,
):  # fmt: skip
    matrices = {"theta": W_theta, "phi": W_phi, "g": W_g}
    query, key, value = (matrices[role] for role in roles)
    query = flat(_project(query, x))  # (batch, pixels, d)
    key, value = flat(pool(key, x)), flat(pool(value, x))  # (batch, pixels / 4, d)
    weights = torch.softmax(query @ key.mT / scale(key.shape[-1]), dim=over)
    change = (weights @ value) @ W_z.T  # (batch, pixels, channels)
    return residual(x, change.mT.unflatten(2, x.shape[2:])), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        rows, columns = draw.sizes(2, 2, 4)
        batch, channels, d = draw.random.sample((2, 3, 5, 7), 3)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, channels, 2 * rows, 2 * columns),
                    "W_theta": draw.normal(d, channels, scale=0.6),
                    "W_phi": draw.normal(d, channels, scale=0.6),
                    "W_g": draw.normal(d, channels),
                    "W_z": draw.normal(channels, d),
                }
            )
        )
    return found


EXERCISE = Function(
    id="12.5",
    title="Every pixel asks, one in four answers",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="non_local(x, W_theta, W_phi, W_g, W_z)",
    outputs=(
        Output("z", ("batch", "channels", "height", "width")),
        Output("weights", ("batch", "pixels", "pixels / 4")),
    ),
    reference=non_local,
    cases=cases,
    tolerance=(5e-4, 5e-5),
    mistakes=(POOL, ROLES, FLAT, SCALE, SHARES, RESIDUAL),
    together=2,
    forbidden=("attnbook.nn", "scaled_dot_product_attention"),
    hints=(
        "`torch.einsum('dc,bchw->bdhw', W, x)` multiplies every pixel by a matrix.",
        "`torch.nn.functional.max_pool2d(maps, 2)` takes the largest of each square of four, channel by "
        "channel.",
        "Queries (batch, pixels, d), keys and values (batch, pixels / 4, d); bring the result back to x's "
        "shape.",
    ),
)
