"""The runs of chapter 3: every model trains and is scored, probes see what is there and nothing else."""

import argparse

import pytest
import torch

from attnbook.data import phrasebook, upbringing
from attnbook.experiments import bottleneck


def options(*words: str) -> argparse.Namespace:
    """The options as they are typed, and those that every run has."""
    parser = argparse.ArgumentParser()
    bottleneck.add_arguments(parser)
    small = ["--pairs", "64", "--test-pairs", "8", "--most-steps", "2", "--batch-size", "8"]
    found = parser.parse_args([*small, "--learning-rates", ".004", *words])
    found.seeds, found.first_seed = 1, 0
    return found


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("attnbook.experiments.training_rule.CACHE", tmp_path)


@pytest.mark.parametrize("family", ["rooms", "others"])
def test_every_model_of_a_family_is_trained_and_scored(family):
    found = bottleneck.run_seed(options("--family", family), 0, torch.device("cpu"))
    assert set(found) == set(bottleneck.FAMILIES[family])
    for numbers in found.values():
        assert numbers["steps"] == 2
        assert 0 <= numbers["bleu by length"]["2-4"] <= 100


@pytest.mark.parametrize(
    "variant", [*bottleneck.ROOMS.values(), *bottleneck.OTHERS.values()], ids=lambda each: str(each)
)
def test_steps_equal_teacher_forcing(variant):
    torch.manual_seed(0)
    model = bottleneck.build(variant, 11, 9)
    src, tgt = torch.randint(4, 11, (2, 5)), torch.randint(4, 9, (2, 4))
    together, _ = model(src, tgt)
    state = model.start(src)
    for i in range(4):
        logits, _, state = model.step(tgt[:, i], state)
        torch.testing.assert_close(logits, together[:, i])
    swapped = state.select(torch.tensor([1, 0]))
    torch.testing.assert_close(
        model.step(tgt[:, 0], swapped)[0], model.step(tgt.flip(0)[:, 0], state)[0].flip(0)
    )


def test_the_stacked_decoder_of_the_package_computes_the_same():
    from attnbook.nn.stacked import StackedGRUDecoder

    torch.manual_seed(0)
    ours = bottleneck.FixedVectorDecoder(9, 4, 5, 6, "GRU", layers=2)
    theirs = StackedGRUDecoder(9, 4, 5, 6, layers=2)
    theirs.embedding, theirs.output = ours.embedding, ours.output
    for layer, cell in enumerate(theirs.cells):
        for name, parameter in cell.named_parameters():
            parameter.data.copy_(getattr(ours.rnn, f"{name}_l{layer}").data)
    given = torch.randn(2, 3, 6), torch.randn(2, 6), torch.randn(2, 5)
    tgt = torch.randint(9, (2, 4))
    torch.testing.assert_close(ours(tgt, ours.start(*given))[0], theirs(tgt, theirs.start(*given))[0])


def test_a_room_of_8_lets_8_numbers_through_and_hardly_changes_the_number_of_weights():
    models = {name: bottleneck.build(variant, 60, 60) for name, variant in bottleneck.ROOMS.items()}
    src = torch.randint(4, 60, (40, 7))
    ranks = {
        name: int(torch.linalg.matrix_rank(model.encoder(src)[1][:, 0].detach().double(), rtol=1e-6))
        for name, model in models.items()
    }
    assert ranks["room 8"] == 8 < ranks["room 64"]
    sizes = [sum(parameter.numel() for parameter in model.parameters()) for model in models.values()]
    assert max(sizes) < 1.1 * min(sizes)


def test_reading_backwards_turns_the_source_and_leaves_the_target():
    pairs = phrasebook.sample(5, seed=0, length=(5, 9))
    for pair, back in zip(pairs, bottleneck.backwards(pairs), strict=True):
        assert back.src == pair.src[::-1]
        assert back.tgt == pair.tgt


def test_a_reader_learns_the_near_answer():
    reader = bottleneck.train_reader("GRU", 250, 0, torch.device("cpu"))
    assert bottleneck.answers(reader, 0, "before", n=100)["right"] > 0.9
    assert bottleneck.probed(reader, 0, "before", n=400) > 0.9
    words, right = reader.encode(upbringing.sample(3, seed=5, fill=(0, 9)))
    assert words.shape[0] == right.shape[0] == 3
    assert bool((words[:, -1] != 0).all())


def test_probes_find_what_is_there_and_nothing_where_nothing_is():
    torch.manual_seed(0)
    labels = torch.randint(5, (2000,))
    noise = torch.randn(2000, 16)
    there = noise + 4 * torch.randn(5, 16)[labels]
    assert bottleneck.linear_probe(there, labels, 5) > 0.95
    assert bottleneck.linear_probe(noise, labels, 5) < 0.3
    for states, low, high in ((there, 0.95, 1), (noise, 0, 0.3)):
        answers = bottleneck.softmax_probe(states[:1000], labels[:1000], 5)(states[1000:])
        assert low <= (answers == labels[1000:]).double().mean() <= high


def test_the_probe_of_the_vector_fills_every_cell():
    found = bottleneck.probe_places(0, pairs=200, test_pairs=20)
    for n in bottleneck.PROBED_LENGTHS:
        assert set(found[str(n)]) == {str(place) for place in bottleneck.PROBED_PLACES if place <= n}
        for cell in found[str(n)].values():
            assert set(cell) == {
                "trained", "untrained", "bag of words", "shuffled", "decoder", "decoder, other vector",
            }  # fmt: skip


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="--pairs"):
        bottleneck.run_seed(options("--pairs", "0"), 0, torch.device("cpu"))
