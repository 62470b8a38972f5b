"""The translators' loss, by hand: padding is not counted, and smoothing does what it says."""

from types import SimpleNamespace

import pytest
import torch

from attnbook.training import translation_loss

LOGITS = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))  # (batch, tgt - 1, vocab)
BATCH = SimpleNamespace(
    src=torch.ones(2, 4, dtype=torch.long),
    src_mask=torch.ones(2, 4, dtype=torch.bool),
    tgt=torch.tensor([[1, 4, 5, 2], [1, 6, 2, 0]]),
    tgt_mask=torch.tensor([[True, True, True, True], [True, True, True, False]]),
)
REAL = [(0, 0, 4), (0, 1, 5), (0, 2, 2), (1, 0, 6), (1, 1, 2)]  # (sentence, place, right next word)


def model(src, tgt, src_mask):
    assert src is BATCH.src
    assert src_mask is BATCH.src_mask
    assert torch.equal(tgt, BATCH.tgt[:, :-1])
    return LOGITS, None


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_the_loss_by_hand(smoothing):
    """Szegedy et al. 2016, section 7: ε of the weight goes to all words alike, 1 − ε to the right one."""
    logs = LOGITS.log_softmax(dim=-1)
    by_hand = [-(1 - smoothing) * logs[i, t, word] - smoothing * logs[i, t].mean() for i, t, word in REAL]
    torch.testing.assert_close(translation_loss(model, BATCH, smoothing), torch.stack(by_hand).mean())


def test_smoothing_changes_the_loss():
    assert not torch.isclose(translation_loss(model, BATCH, 0.1), translation_loss(model, BATCH))
