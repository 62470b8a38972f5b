"""The families of translators."""

import pytest
import torch

from attnbook import nn
from attnbook.models.families.translators import recurrent


@pytest.mark.parametrize(
    ("attention", "alignment"),
    [
        *((score, "global") for score in ("dot", "general", "concat", "additive", "location")),
        *(("general", local) for local in ("local-m", "local-p")),
    ],
)
def test_training_in_one_pass_gives_the_step_by_step_numbers(attention, alignment):
    torch.manual_seed(0)
    model = recurrent(
        30, 40, attention=attention, query="current", alignment=alignment, hidden=8, longest=9, window=2
    )
    src, tgt = torch.randint(4, 30, (5, 7)), torch.randint(4, 40, (5, 6))
    mask = torch.arange(7) < torch.tensor([[7], [3], [5], [1], [6]])
    at_once = model(src, tgt, mask)
    stepwise = nn.GRUDecoder.forward(model.decoder, tgt, model.start(src, mask))
    for mine, theirs in zip(at_once, stepwise, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)
    # and one word at a time, as in translating
    logits, _, _ = model.step(tgt[:, 0], model.start(src, mask))
    torch.testing.assert_close(at_once[0][:, 0], logits, rtol=0, atol=1e-6)
