"""14.4: gradient × input through an attention that moves as well."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _logit(x, query, w, mask, held):
    scores = (x @ query / math.sqrt(x.shape[-1])).masked_fill(~mask, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    if held:
        weights = weights.detach()
    return torch.einsum("bw,bwd,d->b", weights, x, w)


def _gradient(x, query, w, mask, held):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(_logit(x, query, w, mask, held).sum(), x)[0]


THROUGH = Mistakes(
    "through",
    right=lambda x, query, w, mask: _gradient(x, query, w, mask, False),
    held=Wrong(
        lambda x, query, w, mask: _gradient(x, query, w, mask, True),
        "The weights are held constant: you count what a word's vector does as a *value*. It is a key as "
        "well, and moving it moves all weights of the text.",
    ),
    of_the_sum=Wrong(
        lambda x, query, w, mask: (
            _gradient(x, query, w, mask, False)
            * torch.sigmoid(_logit(x, query, w, mask, False))[:, None, None]
        ),
        "Your slope is multiplied by a sigmoid. The slope of the *logit* is asked, before any sigmoid.",
    ),
)
USE = Mistakes(
    "use",
    right=lambda gradient, x: (gradient * x).sum(-1),
    absolute=Wrong(
        lambda gradient, x: (gradient * x).sum(-1).abs(),
        "The signs are gone. Here a word that speaks for complaint has a negative number.",
    ),
    length=Wrong(
        lambda gradient, x: gradient.norm(dim=-1),
        "You return the length of the gradient. Multiply it by the word's vector, number by number, and add "
        "up.",
    ),
    no_input=Wrong(
        lambda gradient, x: gradient.sum(-1),
        "The gradient is added up and not multiplied by the input.",
    ),
    mean=Wrong(
        lambda gradient, x: (gradient * x).mean(-1),
        "The products are averaged over the numbers of a vector. Add them up: together they are the first "
        "order of what happens when the vector goes to zero.",
    ),
)


def gradient_times_input(x, query, w, mask, *, through=THROUGH.right, use=USE.right):
    return use(through(x, query, w, mask), x) * mask


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, False, True):
        batch, words, d = draw.sizes(3, 3, 9)
        mask = draw.mask(batch, words) if padded else torch.ones(batch, words, dtype=torch.bool)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, words, d),
                    "query": draw.normal(d, scale=1.5),
                    "w": draw.normal(d),
                    "mask": mask,
                },
                group="mask" if padded else "plain",
                note="some places are padding" if padded else "no padding",
            )
        )
    return found


EXERCISE = Function(
    id="14.4",
    title="The slope at a word",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="gradient_times_input(x, query, w, mask)",
    outputs=(Output("importance", ("batch", "words")),),
    reference=gradient_times_input,
    cases=cases,
    mistakes=(THROUGH, USE),
    together=2,
    tolerance=(5e-4, 1e-4),
    forbidden=("attnbook.analysis",),
    hints=(
        "`x = x.detach().clone().requires_grad_()`, then compute the logits from it.",
        "`torch.autograd.grad(logits.sum(), x)` gives all slopes at once: no text's logit depends on another "
        "text.",
        "The importance of a word is `(gradient * x).sum(-1)`, and 0 for padding.",
    ),
)
