"""What a model leaves unused: the measures on weights, caches and choices whose answer is known."""

import pytest
import torch

from attnbook.experiments import unused_keys
from attnbook.models import load
from attnbook.nn import RotaryPositions, SinkCache

CPU = torch.device("cpu")


def test_keys_that_hold_are_counted():
    even, one = torch.full((1, 20), 0.05), torch.eye(20)[:1]
    assert unused_keys.keys_that_hold(even).item() in (19, 20)  # rounding decides at exactly 95 %
    assert unused_keys.keys_that_hold(one).item() == 1
    assert unused_keys.keys_that_hold(torch.tensor([0.1, 0.6, 0.0, 0.3])).item() == 3


@pytest.mark.parametrize("choice", unused_keys.CHOICES)
def test_all_choices_leave_equally_many_keys(choice):
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, 3, 30, 4, generator=generator) for _ in range(2))
    mask = unused_keys.allowed(query, key, 16, choice, generator)
    blocks = unused_keys.allowed(query, key, 16, "blocks", generator)
    assert torch.equal(mask.sum(-1), blocks.sum(-1))
    assert not mask.triu(1).any()
    if choice == "window":  # the latest ones
        for row in range(30):
            kept = mask[0, 0, row].nonzero().flatten().tolist()
            assert kept == list(range(row + 1 - len(kept), row + 1))
    if choice == "oracle":  # no key that is left out has a larger score than one that is kept
        scores = query @ key.transpose(-2, -1)
        for row in range(30):
            left = scores[0, 0, row, : row + 1][~mask[0, 0, row, : row + 1]]
            assert not left.numel() or left.max() <= scores[0, 0, row][mask[0, 0, row]].min()


def test_restricting_to_everything_changes_nothing_and_the_model_comes_back():
    trained = load(unused_keys.MODEL)
    model, tokens = trained.model.eval(), unused_keys.pieces(trained, 1, unused_keys.WINDOW)
    attentions = [layer.attention for layer in model.layers]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        whole = unused_keys.bits_of(model, tokens)

        def everything(query, key):
            return unused_keys.allowed(query, key, unused_keys.WINDOW, "blocks", generator)

        with unused_keys.restricted(model, everything, on=True):
            assert unused_keys.bits_of(model, tokens) == pytest.approx(whole, rel=1e-4)
        with unused_keys.restricted(model, everything, on=False) as layers:
            model(tokens)
            assert all(layer.error.max() < 1e-5 for layer in layers)
    assert [layer.attention for layer in model.layers] == attentions


def test_caches_hold_what_they_say():
    rotary = RotaryPositions(4)
    held = {name: unused_keys.cache(name, 8, 2, rotary, seed=3) for name in unused_keys.CACHES}
    rows = torch.arange(40.0).view(1, 1, 40, 1).expand(1, 1, 40, 4)
    for place in range(40):
        for each in held.values():
            each.append(rows[:, :, place : place + 1], rows[:, :, place : place + 1])
    kept = {name: each.value[0, 0, :, 0].int().tolist() for name, each in held.items()}
    assert kept["everything"] == list(range(40))
    assert kept["window"] == list(range(32, 40))
    assert kept["first"] == [0, 1, *range(34, 40)]
    assert len(kept["chance"]) == 8
    assert kept["chance"][2:] == list(range(34, 40))
    assert all(2 <= number < 8 for number in kept["chance"][:2])
    twin = held["chance"].copy()
    assert isinstance(twin, SinkCache)
    assert twin.numbers == held["chance"].numbers
    with pytest.raises(ValueError, match="^name: expected one of everything"):
        unused_keys.cache("some", 8, 2, rotary, 0)


def test_a_short_stream_is_the_same_through_every_cache_and_as_a_whole():
    trained = load(unused_keys.MODEL)
    model, tokens = trained.model.eval(), unused_keys.pieces(trained, 2, 20)
    logits, _ = model(tokens)
    expected = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none"
    )
    for name in unused_keys.CACHES:
        nats = unused_keys.streamed(model, tokens, name)
        torch.testing.assert_close(nats, expected.detach(), atol=1e-3, rtol=1e-3)
    sizes = unused_keys.token_bytes(trained, tokens)
    assert int(sizes[0].sum()) == len(trained.tokenizer.decode(tokens[0].tolist()).encode("utf-8"))


def test_a_sink_that_is_there_is_seen():
    """The control of the lab: the same caches, on a model in which a sink was grown."""
    found = unused_keys.with_a_sink(300, 0, CPU)
    assert found["weight on the first"] > 0.9
    assert min(found["everything"], found["first"]) > 0.9
    assert max(found["window"], found["chance"]) < 0.7


def test_too_much_text_is_refused():
    with pytest.raises(ValueError, match="^n: expected at most"):
        unused_keys.pieces(load(unused_keys.MODEL), 1000, 128)
