"""The circuits' texts, measures and cuts, each on a case in which the answer is known."""

import argparse

import pytest
import torch

from attnbook.experiments import circuits
from attnbook.experiments.extrapolation import NOTHING, Reader

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    circuits.add_arguments(parser)
    return parser.parse_args(words)


def test_texts_repeat_and_what_is_asked_can_be_known():
    text, periods = circuits.repeated(50, torch.Generator().manual_seed(0))
    right = circuits.next_symbols(text, periods)
    assert int(periods.min()) >= 8
    assert int(periods.max()) <= 32
    for row, period in enumerate(periods.tolist()):
        one = text[row].tolist()
        assert len(set(one[:period])) == period
        for place in range(circuits.LENGTH):
            known = place >= period and place < circuits.LENGTH - 1
            assert (int(right[row, place]) != NOTHING) == known
            if known:  # what followed when the symbol was there last
                last = max(p for p in range(place) if one[p] == one[place])
                assert int(right[row, place]) == one[last + 1]


class Perfect:
    """Stands for a reader whose weights are an induction circuit's."""

    def parameters(self):
        return iter([torch.zeros(1)])

    def look(self, text):
        n, length = text.shape
        before = torch.zeros(n, 1, length, length)
        place = torch.arange(1, length)
        before[:, 0, place, place - 1] = 1.0
        same = (text.unsqueeze(2) == text.unsqueeze(1)).tril(-1)
        last = torch.where(same.any(-1), same.long().mul(torch.arange(length)).amax(-1), 0)
        after = torch.nn.functional.one_hot((last + 1).clamp(max=length - 1), length).float().unsqueeze(1)
        logits = 20.0 * torch.nn.functional.one_hot(
            (after[:, 0] @ text.unsqueeze(2).float()).long()[..., 0], 32
        )
        return logits.float(), [before, after]


def test_the_measures_see_a_circuit_that_is_there_and_none_where_there_is_none():
    found = circuits.grown(Perfect())
    assert (found["accuracy"], found["previous"], found["prefix"]) == (1.0, 1.0, 1.0)
    torch.manual_seed(0)
    none = circuits.grown(Reader("rotary", n_heads=1))
    assert max(none["accuracy"], none["previous"], none["prefix"]) < 0.2


def test_cuts_leave_the_model_as_it_was():
    torch.manual_seed(0)
    model = Reader("rotary", n_heads=1).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = {how: circuits.cut(model, how, n=8)["loss"] for how in circuits.CUTS}
    assert len(set(found.values())) == len(found)  # each changes something
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    with pytest.raises(ValueError, match="^how: expected one of whole"):
        circuits.cut(model, "layer 3 off")


def test_triggers_ask_for_the_symbol_before():
    text, right = circuits.quiet_texts(40, 3, torch.Generator().manual_seed(0))
    assert (text[:, 0] == circuits.MARKER).all()
    assert (right[:, :2] == NOTHING).all()
    for one, asked in zip(text.tolist(), right.tolist(), strict=True):
        for place in range(2, len(one)):
            assert asked[place] == (one[place - 1] if one[place] < 3 else one[place])
    _, always = circuits.quiet_texts(40, 32, torch.Generator().manual_seed(0))
    assert torch.equal(always[:, 2:], text[:, 1:-1])


def test_a_run_stores_curves_cuts_and_both_kinds_of_place():
    found = circuits.run_seed(options("--steps", "4", "--every", "2", "--quiet-steps", "2"), 0, CPU)
    two = found["induction"]["2 layers"]
    assert two["step"] == [2, 4]
    assert len(two["prefix"]) == 2
    assert set(two["cuts"]) == set(circuits.CUTS)
    assert "cuts" not in found["induction"]["1 layers"]
    assert set(found["quiet"]) == {f"{way}, {n} triggers" for way in circuits.WAYS for n in (3, 32)}
    assert {"speaks", "silent"} <= set(found["quiet"]["sink, 3 triggers"])
    assert "silent" not in found["quiet"]["sink, 32 triggers"]


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="^--quiet-steps: expected at least 1, got 0"):
        circuits.run_seed(options("--quiet-steps", "0"), 0, CPU)
