"""11.9 (starred): attention over two parts of a cache, put together afterwards."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# The share of each part: (lse_a, lse_b) → two tensors of their shape.
SHARE = Mistakes(
    "share",
    right=lambda a, b: torch.softmax(torch.stack([a, b]), dim=0).unbind(0),
    half=Wrong(
        lambda a, b: (torch.full_like(a, 0.5), torch.full_like(b, 0.5)),
        "You take the mean of the two contexts. A part whose scores are larger must weigh more.",
    ),
    overflow=Wrong(
        lambda a, b: (a.exp() / (a.exp() + b.exp()), b.exp() / (a.exp() + b.exp())),
        "exp of the two numbers overflows when they are large, and infinity divided by infinity is NaN. Take "
        "the larger one away from both first: their shares do not change.",
    ),
    linear=Wrong(
        lambda a, b: (a / (a + b), b / (a + b)),
        "The parts are weighted with their *logarithms*. A share is the part's sum of exponentials, divided "
        "by the sum of both.",
    ),
    exchanged=Wrong(
        lambda a, b: torch.softmax(torch.stack([b, a]), dim=0).unbind(0),
        "The two shares are exchanged: the first context gets the second one's.",
    ),
)
# The logarithm for the whole: (lse_a, lse_b) → tensor.
WHOLE = Mistakes(
    "whole",
    right=torch.logaddexp,
    sum=Wrong(
        lambda a, b: a + b,
        "You add the logarithms, which multiplies the sums. Asked for is the logarithm of their sum.",
    ),
    largest=Wrong(
        torch.maximum,
        "You return the larger of the two logarithms. It is close when one part outweighs the other, and log "
        "2 too small when they are equal.",
    ),
    shares=Wrong(
        lambda a, b: torch.logaddexp(a, b) - torch.logaddexp(a, b).exp().log(),
        "Your logarithm is 0 everywhere: it is that of the shares, which add up to 1. The sum of the "
        "exponentials themselves is needed, so that a third part can join.",
    ),
    overflow=Wrong(
        lambda a, b: torch.log(a.exp() + b.exp()),
        "exp overflows before the logarithm is taken, so that the result is infinite. `torch.logaddexp` "
        "takes the larger one out first.",
    ),
)


def attend_parts(context_a, lse_a, context_b, lse_b, *, share=SHARE.right, whole=WHOLE.right):
    of_a, of_b = share(lse_a, lse_b)
    return of_a[..., None] * context_a + of_b[..., None] * context_b, whole(lse_a, lse_b)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "large"):
        batch, queries, d = draw.sizes(3, 3, 9)
        far = 130.0 if kind == "large" else 0.0
        found.append(
            Case(
                {
                    "context_a": draw.normal(batch, queries, d),
                    "lse_a": draw.normal(batch, queries) + 2.0 + far,
                    "context_b": draw.normal(batch, queries, d),
                    "lse_b": draw.normal(batch, queries) + 1.5 + far,
                },
                group="edge" if far else "plain",
                note="large scores" if far else "",
            )
        )
    return found


EXERCISE = Function(
    id="11.9",
    title="★ Two halves of a cache",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="attend_parts(context_a, lse_a, context_b, lse_b)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("lse", ("batch", "queries")),
    ),
    reference=attend_parts,
    cases=cases,
    mistakes=(SHARE, WHOLE),
    hints=(
        "Write the softmax over all keys as a fraction: the numerator is a sum over part a plus a sum over "
        "part b.",
        "Part a's sum of exponentials is exp(lse_a). Its share of the whole is exp(lse_a) / (exp(lse_a) + "
        "exp(lse_b)): a softmax of two numbers.",
        "`torch.softmax(torch.stack([lse_a, lse_b]), dim=0)` for the shares, `torch.logaddexp` for the new "
        "logarithm.",
    ),
)
