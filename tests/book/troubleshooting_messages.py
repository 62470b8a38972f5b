"""The messages that the page of troubleshooting quotes: for each, code that brings it about."""

import math
import sys

import torch
from torch import Tensor, nn
from torch.nn import functional

from attnbook import nn as ours
from attnbook.exercises import check
from attnbook.extras import needs
from support import ROOT

WORDS = torch.randn(2, 5, 8)
BOOLEAN = torch.ones(2, 5, dtype=torch.bool)


def multihead(batch_first: bool = True, **masks: object) -> Tensor:
    """Torch's module on two sentences of five words."""
    return nn.MultiheadAttention(8, 2, batch_first=batch_first)(WORDS, WORDS, WORDS, **masks)[0]


def old_python() -> None:
    """What the Makefile tells a Python that is too old."""
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "sys.version_info <" in line)
    code = line[line.index("'") + 1 : line.rindex("'")].replace("sys.version_info < (3, 11)", "True")
    exec(code, {"sys": sys})


def missing_extra() -> None:
    """A package of an extra that is not there."""
    with needs("vision"):
        raise ModuleNotFoundError("No module named 'skimage'", name="skimage")


def no_package() -> None:
    """A Python into which the book was not installed."""
    sys.modules["attnbook_elsewhere"] = None
    try:
        exec("import attnbook_elsewhere")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("No module named 'attnbook'") from None
    finally:
        del sys.modules["attnbook_elsewhere"]


def twice() -> None:
    """A second way back over the same chain."""
    loss = torch.ones(2, requires_grad=True).pow(2).sum()
    loss.backward()
    loss.backward()


def overwritten() -> None:
    """What the way back needs is changed in place."""
    weights = torch.sigmoid(torch.ones(2, requires_grad=True))
    weights.mul_(2)
    weights.sum().backward()


# In the order of the page; "…" stands there for what depends on a reader's code.
PRODUCED = {
    "attnbook needs Python 3.11 or later": old_python,
    "No module named 'attnbook'": no_package,
    "cannot import name": lambda: exec("from attnbook.nn import SomethingNewer"),
    "is not installed: pip install": missing_extra,
    "(unicode error)": lambda: compile('open("C:\\Users\\ada")', "<cell>", "exec"),
    "is not defined": lambda: exec("something_of_another_cell", {}),
    "mask: expected bool": lambda: ours.scaled_dot_product_attention(
        WORDS, WORDS, WORDS, mask=torch.ones(5, 5, dtype=torch.long)
    ),
    "Expected attn_mask dtype": lambda: functional.scaled_dot_product_attention(
        WORDS, WORDS, WORDS, attn_mask=torch.ones(5, 5, dtype=torch.long)
    ),
    "only bool and floating types": lambda: multihead(key_padding_mask=BOOLEAN.long()),
    "Explicit attn_mask": lambda: functional.scaled_dot_product_attention(
        WORDS, WORDS, WORDS, attn_mask=torch.ones(5, 5, dtype=torch.bool), is_causal=True
    ),
    "Need attn_mask": lambda: multihead(is_causal=True),
    "mask: expected a shape": lambda: ours.scaled_dot_product_attention(WORDS, WORDS, WORDS, mask=BOOLEAN),
    "The shape of the 3D attn_mask": lambda: multihead(attn_mask=torch.ones(2, 5, 5, dtype=torch.bool)),
    "Expected key_padded_mask": lambda: multihead(batch_first=False, key_padding_mask=BOOLEAN),
    "Support for mismatched": lambda: multihead(attn_mask=torch.zeros(5, 5), key_padding_mask=~BOOLEAN),
    "c10::Half": lambda: WORDS.half().masked_fill(WORDS > 0, -1e9),
    "Torch not compiled with CUDA": lambda: WORDS.to("cuda"),
    "key: expected device": lambda: ours.scaled_dot_product_attention(WORDS, WORDS.to("meta"), WORDS),
    "Tensor on device": lambda: WORDS.to("meta") + WORDS,
    "The size of tensor a": lambda: torch.zeros(2, 5) + torch.zeros(2, 4),
    "key: expected last dimension": lambda: ours.scaled_dot_product_attention(
        WORDS, torch.randn(2, 5, 7), WORDS
    ),
    "n_heads: expected": lambda: ours.MultiHeadAttention(10, 3),
    "Expected size for first two": lambda: WORDS @ WORDS,
    "view size is not compatible": lambda: WORDS.transpose(1, 2).view(2, 40),
    "index out of range": lambda: nn.Embedding(10, 4)(torch.tensor([10])),
    "Expected target size": lambda: functional.cross_entropy(
        torch.randn(2, 5, 10), torch.zeros(2, 5, dtype=torch.long)
    ),
    "expected m1 and m2": lambda: torch.zeros(2, 3) @ torch.zeros(3, 2, dtype=torch.float64),
    "Expected tensor for argument #1": lambda: nn.Embedding(10, 4)(torch.tensor([1.0])),
    "Trying to backward": twice,
    "modified by an inplace operation": overwritten,
    "element 0 of tensors": lambda: torch.zeros(2).sum().backward(),
    "Can't call numpy()": lambda: torch.zeros(2, requires_grad=True).numpy(),
    "DefaultCPUAllocator": lambda: torch.empty(10**15),
    "Nothing here is called": lambda: check("2.4"),
    "is None: nothing": lambda: check("2.4", None),
    "There is no exercise": lambda: check("2.99", math.exp),
}
