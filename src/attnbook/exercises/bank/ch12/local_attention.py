"""12.10: a pixel's window, with relative positions.

Ramachandran et al. (2019), arXiv 1906.05909, equation 3, one head; what lies outside gets no weight.
"""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _window(maps, i, j, shift_i, shift_j, outside):
    """Each pixel's neighbour (batch, height, width, d), and whether it exists (height, width)."""
    height, width = maps.shape[1:3]
    rows, columns = i + shift_i, j + shift_j
    exists = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    if outside == "wrapped":
        rows, columns = rows % height, columns % width
    found = maps[:, rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
    if outside == "zeros":
        found = found * exists[..., None]
    return found, exists


OUTSIDE = Mistakes(
    "outside",
    right="none",
    zeros=Wrong(
        "zeros",
        "Pixels outside of the picture take part with zeros for keys and values, and a score of 0 still gets "
        "a weight. They should get none: what becomes 0 in the softmax?",
    ),
    wrapped=Wrong(
        "wrapped",
        "The window goes on at the opposite edge of the picture: that is what `torch.roll` and negative "
        "indices do. What lies outside gets no weight.",
    ),
    repeated=Wrong(
        "repeated",
        "At the edge the outermost pixels are repeated, so that they are counted more than once. What lies "
        "outside gets no weight.",
    ),
)
# (rows (k, d/2), columns (k, d/2), a, b) → the vector of the offset with index (a, b).
OFFSET = Mistakes(
    "offset",
    right=lambda rows, columns, a, b: torch.cat([rows[a], columns[b]]),
    none=Wrong(
        lambda rows, columns, a, b: torch.zeros(2 * rows.shape[1]),
        "The relative positions are missing: within its window a pixel cannot tell left from right.",
    ),
    turned=Wrong(
        lambda rows, columns, a, b: torch.cat([rows[len(rows) - 1 - a], columns[len(columns) - 1 - b]]),
        "The offset is counted the wrong way, from the neighbour to the pixel that asks. Row 0 of `rows` "
        "belongs to the neighbours furthest *above* it.",
    ),
    exchanged=Wrong(
        lambda rows, columns, a, b: torch.cat([rows[b], columns[a]]),
        "The offset in rows picks from `columns`' place and the other way round: `rows` is indexed by the "
        "offset in columns.",
    ),
    halves=Wrong(
        lambda rows, columns, a, b: torch.cat([columns[b], rows[a]]),
        "The halves are put together the wrong way round: the row's vector comes first, then the column's.",
    ),
    rows_only=Wrong(
        lambda rows, columns, a, b: torch.cat([rows[a], torch.zeros_like(columns[b])]),
        "Only the offset in rows is used. The second half of the vector comes from `columns`.",
    ),
)
# (query, key, offset) → score.
ASKED = Mistakes(
    "asked",
    right=lambda query, key, offset: (query * (key + offset)).sum(-1),
    of_the_key=Wrong(
        lambda query, key, offset: (query * key).sum(-1) + (key * offset).sum(-1),
        "The offset's vector is multiplied with the key. It is the query that asks for a place: q · k + q · "
        "r.",
    ),
    of_none=Wrong(
        lambda query, key, offset: (query * key).sum(-1) + offset.sum(),
        "The numbers of the offset's vector are added up: then every pixel prefers the same place of its "
        "window, whatever it looks for. The query should be multiplied with it.",
    ),
    root=Wrong(
        lambda query, key, offset: (query * (key + offset)).sum(-1) / math.sqrt(query.shape[-1]),
        "The scores are divided by √d. A transformer does that; equation 3 of this layer does not.",
    ),
)
ORDER = Mistakes(
    "order",
    right=lambda places: places,
    columns=Wrong(
        lambda places: sorted(places, key=lambda place: place[::-1]),
        "The context is right. In the weights the window is numbered column by column, where row by row was "
        "asked for.",
    ),
)


def local_attention(
    query, key, value, rows, columns,
    *, outside=OUTSIDE.right, offset=OFFSET.right, asked=ASKED.right, order=ORDER.right,
):  # fmt: skip
    height, width = query.shape[1:3]
    k = rows.shape[0]
    i, j = torch.arange(height)[:, None].expand(height, width), torch.arange(width).expand(height, width)
    scores, values = [], []
    for a, b in order([(a, b) for a in range(k) for b in range(k)]):
        neighbour, exists = _window(key, i, j, a - k // 2, b - k // 2, outside)
        score = asked(query, neighbour, offset(rows, columns, a, b))
        scores.append(score.masked_fill(~exists, -math.inf) if outside == "none" else score)
        values.append(_window(value, i, j, a - k // 2, b - k // 2, outside)[0])
    weights = torch.softmax(torch.stack(scores, dim=-1), dim=-1)  # (batch, height, width, k²)
    return torch.einsum("bhwn,bhwnd->bhwd", weights, torch.stack(values, dim=-2)), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for k in (3, 3, 5):
        batch, height, width = (
            draw.sizes(3, 4, 7) if k == 3 else (draw.random.choice((2, 3)), *draw.sizes(2, 5, 7))
        )
        d = 10 if k == 5 else 8
        pictures = [draw.normal(batch, height, width, d) for _ in range(3)]
        found.append(
            Case(
                {
                    **dict(zip(("query", "key", "value"), pictures, strict=True)),
                    "rows": draw.normal(k, d // 2, scale=0.7),
                    "columns": draw.normal(k, d // 2, scale=0.7),
                }
            )
        )
    return found


EXERCISE = Function(
    id="12.10",
    title="A window that asks",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="local_attention(query, key, value, rows, columns)",
    outputs=(
        Output("context", ("batch", "height", "width", "d")),
        Output("weights", ("batch", "height", "width", "k · k")),
    ),
    reference=local_attention,
    cases=cases,
    tolerance=(5e-4, 5e-5),
    mistakes=(OUTSIDE, OFFSET, ASKED, ORDER),
    meaningless=(
        (OFFSET["none"], ASKED["of_the_key"]),
        (OFFSET["none"], ASKED["of_none"]),
        (OFFSET["halves"], ASKED["of_none"]),
    ),
    together=2,
    forbidden=("attnbook.nn", "scaled_dot_product_attention", "MultiheadAttention"),
    hints=(
        "Go through the k · k places of the window in a loop; for each, shift the whole picture of keys at "
        "once.",
        "Pad keys and values by k // 2 on all sides. The neighbour at place (a, b) is then `padded[:, a : a "
        "+ height, b : b + width]`.",
        "A padded picture of ones tells where a neighbour exists: −∞ elsewhere. Score: `(query * (neighbour "
        "+ r)).sum(-1)`.",
    ),
)
