"""Naming heads by a rule, switching them off, averaging them: on models whose heads are known."""

import math

import pytest
import torch

from attnbook.analysis import heads
from attnbook.data import phrasebook
from attnbook.data.hidden_words import HiddenWords, probes
from attnbook.data.pairs import part_of
from attnbook.data.phrasebook.relations import relations
from attnbook.experiments import heads as experiment
from attnbook.nn import MaskedWordModel
from attnbook.training.fit import fit

SENTENCES = [pair.src for pair in phrasebook.sample(40, 0, "small", (3, 7))]
WORDS = heads.masked_vocabulary(phrasebook.vocabulary("small")[0])
MEANT = [heads.roles(words, {"the": 9}, relations(words)) for words in SENTENCES]


def model(n_heads=2, seed=0):
    torch.manual_seed(seed)
    return MaskedWordModel(len(WORDS), 8, n_heads, 2, 9).eval()


class Fixed(torch.nn.Module):
    """A model whose two heads look one place back and one place on, whatever the words are."""

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(()))

    def forward(self, tokens):
        batch, n = tokens.shape
        place = torch.arange(n)
        weights = torch.full((batch, 1, 2, n, n), 0.1 / n)
        weights[:, 0, 0, place, (place - 1).clamp(min=0)] += 0.9
        weights[:, 0, 1, place, (place + 1).clamp(max=n - 1)] += 0.9
        return None, weights


def test_roles_of_a_sentence():
    found = heads.roles(["the", "dog", "and", "the", "cat"], {"the": 5, "and": 3, "dog": 1, "cat": 1})
    assert found["previous word"] == {2: {1}, 3: {2}, 4: {3}, 5: {4}}
    assert found["next word"] == {1: {2}, 2: {3}, 3: {4}, 4: {5}}
    assert found["start marker"][4] == {0}
    assert found["last word"] == {1: {5}, 2: {5}, 3: {5}, 4: {5}}
    assert found["same word"] == {1: {4}, 4: {1}}
    assert found["rarest word"] == {1: {2, 5}, 2: {5}, 3: {2, 5}, 4: {2, 5}, 5: {2}}


def test_the_interval_holds_the_share_and_narrows_with_the_cases():
    assert heads.interval(0.5, 0) == (0.0, 1.0)
    few, many = heads.interval(0.9, 20), heads.interval(0.9, 2000)
    assert few[0] < many[0] < 0.9 < many[1] < few[1]
    assert heads.interval(1.0, 30)[1] == 1.0
    assert heads.interval(1.0, 30)[0] > 0.85
    # Wilson's interval for 10 of 20, from the formula by hand
    assert heads.interval(0.5, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)


def test_heads_that_look_one_place_on_are_found_and_named_by_distance_alone():
    probed = probes(SENTENCES, WORDS)
    names = ["previous word", "next word", "itself", "verb → subject"]
    goals = heads.targets(probed, MEANT, names)
    measured = heads.hits(Fixed(), probed, goals)
    torch.testing.assert_close(measured["previous word"], torch.tensor([[1.0, 0.0]]))
    torch.testing.assert_close(measured["next word"], torch.tensor([[0.0, 1.0]]))
    places, share = heads.best_distance(probed, MEANT, "verb → subject")
    assert places == -1
    assert float(measured["verb → subject"][0, 0]) == pytest.approx(share)  # it looks like a head of grammar
    chance = [heads.hits(model(seed=seed), probed, goals) for seed in range(3)]
    chance = [{name: table[:1] for name, table in each.items()} for each in chance]
    bar = heads.bars(names, chance, {"verb → subject": share})
    assert bar["verb → subject"] > share
    n = heads.places(goals)
    named = heads.name_heads(measured, bar, n)
    assert [each.name for each in named] == ["previous word", "next word"]
    few = {name: min(count, 3) for name, count in n.items()}
    # three places of three are too few: their interval begins below one half
    assert {each.name for each in heads.name_heads(measured, bar, few)} == {"no name"}


def test_a_role_that_no_hits_could_earn_is_left_out():
    measured = {"a": torch.tensor([[1.0]]), "previous word": torch.tensor([[0.9]])}
    named = heads.name_heads(measured, {"a": 1.05, "previous word": 0.5}, {"a": 500, "previous word": 500})
    assert (named[0].name, named[0].closest) == ("previous word", "previous word")


def test_a_visible_word_asks_with_itself():
    """A head whose query is the word: it looks one place back for "the" alone."""

    class Asks(Fixed):
        def forward(self, tokens):
            _, weights = super().forward(tokens)
            back, on = weights[:, :, :1], weights[:, :, 1:]
            the = (tokens == WORDS.numbers["the"])[:, None, None, :, None]
            return None, torch.where(the, back, on).expand(-1, 1, 2, -1, -1)

    probed = probes(SENTENCES, WORDS)
    meant = [{"back from the": {p: {p - 1} for p, w in enumerate(s, 1) if w == "the"}} for s in SENTENCES]
    goals = heads.targets(probed, meant, ["back from the"])
    assert heads.hits(Asks(), probed, goals)["back from the"].max() == 0
    assert heads.hits(Asks(), probed, goals, visible=True)["back from the"].min() == 1


def test_weight_on_the_start_marker_is_the_mean_over_words():
    probed = probes([["the", "dog"], ["a", "cat", "is", "old"]], WORDS)
    # The first head looks one place back: 0.1/3 + 0.9 and 0.1/3 from two words, 0.1/5 + 0.9 and … from four.
    expected = (2 * (0.9 + 2 * 0.1 / 3) + 4 * (0.9 + 4 * 0.1 / 5)) / (2 * 2 + 4 * 4)
    assert float(heads.weight_on_start(Fixed(), probed)[0, 0]) == pytest.approx(expected)


def test_a_role_that_never_occurs_has_no_hits_and_gives_no_name():
    sentence = [["the", "dog"]]
    meant = [heads.roles(sentence[0])]
    probed = probes(sentence, WORDS)
    measured = heads.hits(Fixed(), probed, heads.targets(probed, meant, ["same word", "previous word"]))
    assert math.isnan(measured["same word"][0, 0])
    bar = heads.bars(["same word", "previous word"], [], {})
    named = heads.name_heads(measured, bar, {"same word": 0, "previous word": 100})
    assert named[0].name == "previous word"


def test_running_without_a_change_is_the_model():
    net = model()
    tokens = torch.tensor([WORDS.encode(SENTENCES[0], bos=True)])
    with torch.no_grad():
        x, found = heads.run(net, tokens, torch.zeros_like(tokens, dtype=torch.bool))
        logits, _ = net(tokens)
    torch.testing.assert_close(net.output(x), logits)
    assert len(found) == 2


@pytest.mark.parametrize("where", [(0, 0), (0, 1), (1, 1)])
def test_switching_off_is_zeroing_a_strip_of_the_output_matrix(where):
    net, probed = model(), probes(SENTENCES, WORDS)
    lost = heads.loss(net, probed, heads.Change(off={where}))
    layer, head = where
    with torch.no_grad():
        net.layers[layer].W_o.weight.unflatten(1, (2, 4))[:, head] = 0.0
    assert heads.loss(net, probed) == pytest.approx(lost, abs=1e-6)


def test_a_head_that_says_the_same_for_every_word_costs_nothing_by_its_mean():
    net, probed = model(), probes(SENTENCES, WORDS)
    with torch.no_grad():
        net.layers[0].W_v.weight[:4] = 0.0  # head 0 hands on its bias, whatever it looks at
        net.layers[0].W_v.bias[:4] = 3.0
    means = heads.mean_outputs(net, probed)
    torch.testing.assert_close(means[0, 0], torch.full((2, 4), 3.0))
    by_mean, by_zero = heads.costs(net, probed, means), heads.costs(net, probed)
    assert abs(by_mean[0, 0]) < 1e-5
    assert abs(by_zero[0, 0]) > 1e-3


def test_averaging_twins_changes_nothing_and_averaging_others_does():
    net, probed = model(), probes(SENTENCES, WORDS)
    with torch.no_grad():
        net.layers[0].W_q.weight.mul_(8.0)
        net.layers[0].W_k.weight.mul_(8.0)
    differ = heads.loss(net, probed, heads.Change(averaged={0})) - heads.loss(net, probed)
    assert abs(differ) > 1e-6
    with torch.no_grad():
        for projection in (net.layers[0].W_q, net.layers[0].W_k):
            projection.weight[4:] = projection.weight[:4]
            projection.bias[4:] = projection.bias[:4]
    same = heads.loss(net, probed, heads.Change(averaged={0})) - heads.loss(net, probed)
    assert abs(same) < 1e-6


def test_greedy_path_switches_off_every_head_once():
    net, probed = model(), probes(SENTENCES, WORDS)
    path = heads.switch_off_greedily(net, probed)
    assert sorted(where for where, _ in path) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    cheapest = min(heads.costs(net, probed).values())
    assert path[0][1] - heads.loss(net, probed) == pytest.approx(cheapest, abs=1e-6)


def test_a_model_learns_neighbours_on_sentences_that_are_all_neighbours():
    """Words come in fixed order, so the word before tells the word: loss far below guessing."""
    order = ["the", "dog", "is", "old", "and", "the", "cat", "was", "big"]
    sentences = [order[start : start + 4] for start in range(6)]
    net = model()
    fit(
        net,
        HiddenWords(sentences, WORDS, 6),
        steps=150,
        loss=heads.hidden_loss,
        learning_rate=0.02,
        progress=False,
    )
    assert heads.loss(net, probes(sentences, WORDS)) < 0.5


@pytest.mark.parametrize(
    ("option", "value"),
    [("steps", 0), ("d_model", 12), ("learning_rates", [0.005, 0.0]), ("test_sentences", 0)],
)
def test_bad_options_are_named(option, value):
    import argparse

    parser = argparse.ArgumentParser()
    experiment.add_arguments(parser)
    options = parser.parse_args([])
    setattr(options, option, value)
    with pytest.raises(ValueError, match="--" + option.replace("_", "-")):
        experiment.run_seed(options, 0, torch.device("cpu"))


def test_far_subjects_are_kept():  # that they are what is drawn, each night: tools/far_subjects.py --check
    kept = experiment.far_subjects()
    assert len({tuple(words) for words in kept}) == len(kept) > 150
    assert all(part_of(words) == "test" and 6 <= len(words) <= 14 for words in kept)
    assert all(experiment.apart(words)[experiment.FAR] for words in kept)


def test_one_small_run_gives_every_number(capsys):
    import argparse

    from attnbook.results import flatten

    parser = argparse.ArgumentParser()
    experiment.add_arguments(parser)
    options = parser.parse_args(
        [
            "--steps",
            "3",
            "--sentences",
            "60",
            "--test-sentences",
            "8",
            "--d-model",
            "8",
            "--apart",
            "200",
            "--heads",
            "1",
            "8",
            "--learning-rates",
            "0.001",
            "0.01",
        ]
    )
    numbers = flatten(experiment.run_seed(options, 0, torch.device("cpu")))
    assert all(math.isfinite(value) for value in numbers.values())
    assert numbers["heads/1/parameters"] == numbers["heads/8/parameters"]
    assert sum(value for name, value in numbers.items() if name.startswith("examined/8/named/")) == 16
    rate, tried = experiment.own_rate(options, 8, torch.device("cpu"))
    assert numbers["heads/8/rate"] == rate == min(tried, key=lambda pair: pair[1])[0]
    assert [each for each, _ in tried] == [0.001, 0.01]
    options.learning_rates = [0.02]
    assert experiment.own_rate(options, 8, torch.device("cpu")) == (0.02, [])
    options.learning_rates = [0.001, 0.01]
    apart = sum(len(experiment.apart(words)[experiment.FAR]) for words in experiment.far_subjects(200))
    assert numbers["heads/8/far subject/places"] == apart > 0
    shipped = experiment.trained(options, 0, torch.device("cpu"))
    assert math.isfinite(shipped.measure()["loss"])
    assert shipped.configuration["n_heads"] == 4
