"""12.6: learned positions for a picture of another size."""

import torch
from torch.nn.functional import interpolate

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

MODE = Mistakes(
    "mode",
    right={"mode": "bilinear", "align_corners": False},
    corners=Wrong(
        {"mode": "bilinear", "align_corners": True},
        "The corners of the old grid are laid upon the corners of the new one (`align_corners=True`). A "
        "patch is a square, not a point: its position belongs to its middle, and the outer *edges* of the "
        "grids coincide.",
    ),
    nearest=Wrong(
        {"mode": "nearest"},
        "Each new patch takes the position of one old patch: that is `mode='nearest'`, and neighbours get "
        "the same position. Between old patches the positions should be mixed.",
    ),
)
GRID = Mistakes(
    "layout",
    right=lambda rows, grid: rows.reshape(*grid, -1).permute(2, 0, 1),  # (d, rows, columns)
    at_once=Wrong(
        lambda rows, grid: rows.reshape(-1, *grid),
        "The table (patches, d_model) is reshaped to (d_model, rows, columns) at once. The shape is right, "
        "but a map of yours mixes different numbers of the vectors. Make (rows, columns, d_model) first, "
        "then move the last axis.",
    ),
    exchanged=Wrong(
        lambda rows, grid: rows.reshape(grid[1], grid[0], -1).permute(2, 1, 0),
        "Rows and columns of the old grid are exchanged: the patches were numbered row by row.",
    ),
)
BACK = Mistakes(
    "back",
    right=lambda maps: maps.permute(1, 2, 0).flatten(0, 1),
    at_once=Wrong(
        lambda maps: maps.reshape(-1, maps.shape[0]),
        "On the way back (d_model, rows, columns) is reshaped to (patches, d_model) at once. Move d_model to "
        "the end first; otherwise a row of yours holds one number of several positions.",
    ),
    columns=Wrong(
        lambda maps: maps.permute(2, 1, 0).flatten(0, 1),
        "The new patches are numbered column by column. They are asked for row by row.",
    ),
)
APART = Mistakes(
    "apart",
    right=lambda positions, extra: (positions[:extra], positions[extra:]),
    at_end=Wrong(
        lambda positions, extra: (positions[-extra:], positions[:-extra]),
        "The last rows are kept apart, and the first ones are interpolated with the patches. Class token and "
        "registers stand at the beginning of the table.",
    ),
)
JOIN = Mistakes(
    "joined",
    right=lambda first, patches: torch.cat([first, patches]),
    behind=Wrong(
        lambda first, patches: torch.cat([patches, first]),
        "The rows that belong to no patch are put behind the patches. They stood before them.",
    ),
    emptied=Wrong(
        lambda first, patches: torch.cat([torch.zeros_like(first), patches]),
        "The rows that belong to no patch come back as zeros. They have no place in the picture, so that "
        "they stay as they were.",
    ),
    averaged=Wrong(
        lambda first, patches: torch.cat([patches.mean(0, keepdim=True).expand_as(first), patches]),
        "The rows that belong to no patch are filled with the mean of the patches' positions. They stay as "
        "they were.",
    ),
)


def resize_positions(
    positions, extra, grid, new_grid,
    *, apart=APART.right, layout=GRID.right, mode=MODE.right, back=BACK.right, joined=JOIN.right,
):  # fmt: skip
    first, patches = apart(positions, extra)
    maps = interpolate(layout(patches, tuple(grid))[None], size=tuple(new_grid), **mode)[0]
    return joined(first, back(maps))


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("one", "larger", "smaller"):
        rows, columns, d_model = draw.sizes(3, 3, 6)
        extra = 1 if kind == "one" else draw.random.randint(2, 4)
        small, large = (
            (rows, columns),
            (rows + draw.random.randint(1, 3), columns + draw.random.randint(2, 5)),
        )
        if large[0] == large[1]:
            large = (large[0], large[1] + 1)
        grid, new_grid = (large, small) if kind == "smaller" else (small, large)
        found.append(
            Case(
                {
                    "positions": draw.normal(extra + grid[0] * grid[1], d_model),
                    "extra": extra,
                    "grid": list(grid),
                    "new_grid": list(new_grid),
                },
                note={
                    "one": "a class token, a larger picture",
                    "larger": "a class token and registers, a larger picture",
                    "smaller": "a class token and registers, a smaller picture",
                }[kind],
            )
        )
    return found


EXERCISE = Function(
    id="12.6",
    title="Places for a larger picture",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="resize_positions(positions, extra, grid, new_grid)",
    outputs=(Output("positions", ("extra + new patches", "d_model")),),
    reference=resize_positions,
    cases=cases,
    mistakes=(APART, GRID, MODE, BACK, JOIN),
    together=2,
    forbidden=("attnbook.nn", "interpolate_positions"),
    hints=(
        "Cut the table in two: the first `extra` rows have no place in the picture and stay as they are.",
        "`interpolate` wants (batch, channels, rows, columns): here a batch of one, and d_model as the "
        "channels.",
        "Reshape to (rows, columns, d_model), permute, interpolate, permute back, flatten; then `torch.cat`.",
    ),
)
