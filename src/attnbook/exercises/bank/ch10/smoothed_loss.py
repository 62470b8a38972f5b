"""10.7: cross-entropy with label smoothing, over real words."""

from dataclasses import replace

import torch

from attnbook.exercises.cases import loss_cases
from attnbook.exercises.mistakes import AVERAGE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

SPREAD = Mistakes(
    "spread",
    right=lambda right, epsilon, vocab: (1 - epsilon) * right + epsilon / vocab,
    other_words=Wrong(
        lambda right, epsilon, vocab: (1 - epsilon) * right + epsilon / (vocab - 1) * (1 - right),
        "epsilon is shared among the other words, vocab − 1 of them. Here, as in torch, all "
        "vocab words get epsilon / vocab, the right one as well.",
    ),
    but_two=Wrong(
        lambda right, epsilon, vocab: (1 - epsilon) * right + epsilon / (vocab - 2) * (1 - right),
        "epsilon is divided by vocab − 2, as in code that leaves out the right word and padding. Here all "
        "vocab words get epsilon / vocab, the right one as well.",
    ),
    overwritten=Wrong(
        lambda right, epsilon, vocab: (1 - epsilon) * right + epsilon / vocab * (1 - right),
        "The right word's place is overwritten with 1 − epsilon: its own epsilon / vocab is lost, and your "
        "target adds up to less than 1.",
    ),
    added=Wrong(
        lambda right, epsilon, vocab: right + epsilon / vocab,
        "The right word keeps its 1 and the others are added on top: your target adds up to "
        "more than 1. What is given away has to be taken from the right word.",
    ),
    exchanged=Wrong(
        lambda right, epsilon, vocab: epsilon * right + (1 - epsilon) / vocab,
        "epsilon and 1 − epsilon are exchanged: nearly all of the target is spread out.",
    ),
    whole=Wrong(
        lambda right, epsilon, vocab: (1 - epsilon) * right + epsilon,
        "Each word gets the whole epsilon. It has to be divided among the words, so that the "
        "target adds up to 1.",
    ),
    none=Wrong(
        lambda right, epsilon, vocab: right,
        "epsilon is not used: this is the plain cross-entropy.",
    ),
)
SHARE = Mistakes(
    "share",
    right=AVERAGE.right,
    mask_unused=Wrong(
        lambda losses, mask: losses.mean(),
        "Padding is counted as if it were words: the mask is never used.",
    ),
    inverted=Wrong(
        lambda losses, mask: AVERAGE.right(losses, ~mask),
        "The mask is read the wrong way round: the loss is that of the padding, and NaN where there is none. "
        "True marks a real word.",
    ),
    all_positions=Wrong(
        AVERAGE["all_positions"].code,
        "Padding counts with a loss of 0: you divide by all places. Divide by the number of real words.",
    ),
    batch=AVERAGE["batch"],
    sum=Wrong(
        AVERAGE["sum"].code,
        "The losses are added up and not divided by the number of real words.",
    ),
    sentences=Wrong(
        AVERAGE["sentences"].code,
        "The mean is taken sentence by sentence and then over the sentences, so a word of a "
        "short sentence counts for more.",
    ),
)
FORM = Mistakes(
    "form",
    right=lambda target, logits: -(target * torch.log_softmax(logits, dim=-1)).sum(dim=-1),
    mixed_shares=Wrong(
        lambda target, logits: -torch.log((target * torch.log_softmax(logits, dim=-1).exp()).sum(dim=-1)),
        "The shares are mixed first and the logarithm is taken of the mixture. It is the "
        "target that is softened: each word's logarithm, times its part of the target, added "
        "up.",
    ),
    no_softmax=Wrong(
        lambda target, logits: -(target * logits).sum(dim=-1),
        "The logits are used as if they were logarithms of shares. A log-softmax over the "
        "words has to come first.",
    ),
    less_its_own=Wrong(
        lambda target, logits: FORM.right(target, logits) + torch.xlogy(target, target).sum(dim=-1),
        "Your loss is smaller by what the target costs with itself: that is the "
        "Kullback–Leibler divergence (`kl_div` of torch). It has the same gradients and "
        "another value; asked for is the cross-entropy.",
    ),
)


def smoothed_loss(logits, wanted, mask, epsilon, *, spread=SPREAD.right, share=SHARE.right, form=FORM.right):
    vocab = logits.shape[-1]
    right = torch.nn.functional.one_hot(wanted, vocab).to(logits.dtype)  # (batch, tgt, vocab)
    return share(form(spread(right, epsilon, vocab), logits), mask)


def cases(draw: Draw) -> list[Case]:
    """The cases of a padded loss, and an epsilon."""
    found = []
    for case in loss_cases(draw):
        scores, target, mask = case.args.values()
        args = {"logits": scores, "wanted": target, "mask": mask, "epsilon": draw.random.uniform(0.1, 0.4)}
        found.append(replace(case, args=args))
    return found


EXERCISE = Function(
    id="10.7",
    title="A loss that leaves room for doubt",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="smoothed_loss(logits, wanted, mask, epsilon)",
    outputs=(Output("loss", ()),),
    reference=smoothed_loss,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(Property("a loss is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),),
    mistakes=(SPREAD, SHARE, FORM),
    together=2,
    meaningless=((FORM["mixed_shares"], SPREAD["none"]), (FORM["less_its_own"], SPREAD["none"])),
    forbidden=("CrossEntropyLoss", "attnbook.training.fit"),
    hints=(
        "Two losses for each word: that of the right word, and the mean over all words of the vocabulary.",
        "`logs = torch.log_softmax(logits, dim=-1)`; the right word's is "
        "`logs.gather(-1, wanted[..., None]).squeeze(-1)`, the mean is `logs.mean(-1)`.",
        "(1 − epsilon) times the first, plus epsilon times the second, negative; then add up over the "
        "real words and divide by their number.",
    ),
)
