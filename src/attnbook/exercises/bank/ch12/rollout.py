"""12.7: attention roll-out.

Abnar and Zuidema (2020), arXiv 2005.00928: the identity stands for the residual connection, rows are
normalised again, and the layers are multiplied from the last to the first.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

HEADS = Mistakes(
    "heads",
    right=lambda weights: weights.mean(dim=2),
    largest=Wrong(
        lambda weights: weights.amax(dim=2),
        "The largest weight of all heads is taken. Some people do that; asked for is the mean over the "
        "heads.",
    ),
    sum=Wrong(
        lambda weights: weights.sum(dim=2),
        "The heads are added up and not divided by their number, so that attention outweighs the identity.",
    ),
    first=Wrong(
        lambda weights: weights[:, :, 0],
        "Only the first head is used. Take the mean over all of them.",
    ),
)


def _identity(layer):
    return torch.eye(layer.shape[-1])


RESIDUAL = Mistakes(
    "residual",
    right=lambda layer: (layer + _identity(layer)) / 2,
    none=Wrong(
        lambda layer: layer,
        "The residual connection is left out: every token also carries itself along, half of it here.",
    ),
    not_divided=Wrong(
        lambda layer: layer + _identity(layer),
        "The identity is added, and the rows then add up to 2. They are not divided again, so that the "
        "numbers double with every layer.",
    ),
    columns=Wrong(
        lambda layer: (layer + _identity(layer)) / (layer + _identity(layer)).sum(-2, keepdim=True),
        "After the identity has been added, your *columns* add up to 1. It is the rows that should: the "
        "weights of one token that asks.",
    ),
)


def _product(layers):
    """The first matrix stands on the right: (layers, batch, n, n) → (batch, n, n)."""
    result = layers[0]
    for layer in layers[1:]:
        result = layer @ result
    return result


ORDER = Mistakes(
    "order",
    right=_product,
    reversed=Wrong(
        lambda layers: _product(layers.flip(0)),
        "The matrices are multiplied in the wrong order. The class token asks in the *last* layer, whose "
        "rows must come first, on the left; what it finds there was mixed by the layers below.",
    ),
    elementwise=Wrong(
        lambda layers: layers.prod(dim=0),
        "The layers are multiplied number by number. A path from layer to layer is a product of matrices, "
        "`@`.",
    ),
    last=Wrong(
        lambda layers: layers[-1],
        "Only the last layer is used. Its weights lie on tokens that the layers below have mixed already.",
    ),
    mean=Wrong(
        lambda layers: layers.mean(dim=0),
        "The layers are averaged. They work one after another, so that their matrices are multiplied.",
    ),
)
TAKEN = Mistakes(
    "taken",
    right=lambda rolled: rolled[:, 0, 1:],
    column=Wrong(
        lambda rolled: rolled[:, 1:, 0],
        "You took the column of the class token: how much each patch attends to it. Its row says what it "
        "attends to.",
    ),
    last_token=Wrong(
        lambda rolled: rolled[:, 0, :-1],
        "You took the class token's row without its last number. The class token is token 0, and its weight "
        "on itself is what is left out.",
    ),
    mean=Wrong(
        lambda rolled: rolled[:, :, 1:].mean(dim=1),
        "You took the mean over all tokens that ask. Asked for is the row of the class token.",
    ),
)


def rollout(weights, *, heads=HEADS.right, residual=RESIDUAL.right, order=ORDER.right, taken=TAKEN.right):
    return taken(order(residual(heads(weights))))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, n_heads, tokens = draw.sizes(3, 3, 8)
        layers = draw.random.randint(3, 5)
        if tokens - 1 == batch:
            tokens += 1
        scores = draw.normal(layers, batch, n_heads, tokens, tokens, scale=1.5)
        found.append(Case({"weights": torch.softmax(scores, dim=-1)}))
    return found


EXERCISE = Function(
    id="12.7",
    title="Attention through all layers",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="rollout(weights)",
    outputs=(Output("on_patches", ("batch", "patches")),),
    reference=rollout,
    cases=cases,
    mistakes=(HEADS, RESIDUAL, ORDER, TAKEN),
    # Off the diagonal, where the row of the class token is read, these are the same.
    meaningless=tuple((RESIDUAL["not_divided"], ORDER[name]) for name in ("elementwise", "last", "mean")),
    together=2,
    tolerance=(1e-4, 1e-6),
    forbidden=("attnbook.analysis",),
    hints=(
        "One matrix (batch, tokens, tokens) for each layer: the mean over its heads, mixed half and half "
        "with `torch.eye`.",
        "What the last layer attends to, and what those tokens were made of: in which order must the "
        "matrices stand?",
        "Start with layer 0 and put each further layer on the left; then row 0, without its first number.",
    ),
)
