"""What tests of several experiments share."""

import pytest
import torch


@pytest.fixture
def smoothed(monkeypatch):
    """The label smoothing of every cross-entropy that a model is trained with, in order, once in a row."""
    given = []
    cross_entropy = torch.nn.functional.cross_entropy

    def recorded(*arguments, label_smoothing=0.0, **options):
        if torch.is_grad_enabled() and given[-1:] != [label_smoothing]:
            given.append(label_smoothing)
        return cross_entropy(*arguments, label_smoothing=label_smoothing, **options)

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", recorded)
    return given
