"""The runs behind chapter 7: their data, that they repeat, and that the stored tables are whole."""

import argparse
import math

import pytest
import torch

from attnbook.experiments import layer_cost, long_range, machine_reader, scaling, what_grows
from attnbook.results import results

CPU = torch.device("cpu")


def options(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("kind", long_range.KINDS)
def test_the_answer_is_the_last_value_of_the_variable(kind):
    rows, answers = long_range.programs(50, 40, seed=4, kind=kind)
    for row, answer in zip(rows, answers, strict=True):
        tokens = long_range.text(row).split()
        assert len(tokens) == 40
        values = {}
        for token in tokens[:20]:
            if "=" in token:
                name, value = token.split("=")
                values[name] = int(value)
        assert not any("=" in token for token in tokens[20:])
        assert values[tokens[-1][0]] == answer.item()
        assert sum("=" in token for token in tokens) == 4 * (long_range.KINDS.index(kind) + 1)


def test_programs_follow_the_seed_and_refuse_bad_input():
    one, other = long_range.programs(5, 20, 0), long_range.programs(5, 20, 0)
    assert torch.equal(one[0], other[0])
    assert not torch.equal(one[0], long_range.programs(5, 20, 1)[0])
    with pytest.raises(ValueError, match=r"^kind: expected once or twice"):
        long_range.programs(1, 20, 0, "thrice")
    with pytest.raises(ValueError, match=r"^length: expected at least 17"):
        long_range.programs(1, 16, 0, "twice")


def test_readers_have_about_one_size():
    sizes = [
        sum(
            p.numel()
            for name, p in long_range.build(each, 32, 0).named_parameters()
            if "positions" not in name
        )
        for each in long_range.WIDTHS
    ]
    assert max(sizes) / min(sizes) < 1.05


def test_a_slow_lstm_begins_with_gates_from_short_to_long():
    rnn = long_range.build("slow LSTM", 64, 0).rnn
    forget = torch.sigmoid((rnn.bias_ih_l0 + rnn.bias_hh_l0)[40:80])
    assert forget.min() < 0.5 < 0.98 < forget.max() < 0.99


def test_a_seed_repeats(monkeypatch):
    monkeypatch.setattr(long_range, "LENGTHS", (18,))
    monkeypatch.setattr(long_range, "BEYOND", (18, 32))
    monkeypatch.setattr(long_range, "PATIENT", (18,))
    chosen = options(long_range, "--steps", "2", "--batch", "4", "--learning-rates", ".001", ".01")
    once = long_range.run_seed(chosen, 0, CPU)
    long_range._trial.cache_clear()
    assert long_range.run_seed(chosen, 0, CPU) == once


def test_a_reader_gets_the_rate_of_the_lowest_validation_loss_on_seed_0(monkeypatch):
    monkeypatch.setattr(long_range, "LENGTHS", (18,))
    monkeypatch.setattr(long_range, "BEYOND", (18,))
    monkeypatch.setattr(long_range, "PATIENT", ())
    trained = []

    def trial(name, kind, length, steps, batch, rate, seed, device):
        trained.append((name, rate, seed))
        best = 0.3 if name == "LSTM" else 0.1
        return long_range.build(name, length, seed), abs(rate - best)

    monkeypatch.setattr(long_range, "_trial", trial)
    chosen = options(long_range, "--steps", "2", "--learning-rates", ".1", ".2", ".3")
    found = long_range.run_seed(chosen, 5, CPU)
    assert found["rate"]["LSTM"]["18"] == 0.3
    assert found["rate"]["RNN"]["18"] == 0.1
    assert [rate for rate, _ in found["rates tried"]["RNN"]["18"]] == [0.1, 0.2, 0.3]
    assert [run for run in trained if run[0] == "LSTM"] == [
        ("LSTM", 0.1, 0), ("LSTM", 0.2, 0), ("LSTM", 0.3, 0), ("LSTM", 0.3, 5)
    ]  # fmt: skip


def test_validation_programs_are_not_those_of_the_test():
    model = long_range.build("self-attention", 18, 0)
    validated, _ = long_range.programs(500, 18, long_range.VALIDATED_ON)
    tested, right = long_range.programs(500, 18, long_range.TESTED_ON)
    assert not torch.equal(validated, tested)
    with torch.no_grad():
        share = (model(tested).argmax(dim=-1) == right).float().mean().item()
    assert long_range.accuracy(model, "once", 18) == share
    assert abs(long_range.validation_loss(model, "once", 18) - math.log(8)) < 0.5


def test_steps_to_learn():
    assert scaling.steps_to_learn([2.0] * 10 + [0.1] * 20) < 20
    assert scaling.steps_to_learn([2.0] * 30) is None


def test_variance_one_at_the_start_of_scaling():
    model = scaling.build(64, 256, "1", 0)
    words, _ = long_range.programs(64, 32, 0)
    with torch.no_grad():
        x = model.embedding(words)
        assert model.attention.W_q(x).var().item() == pytest.approx(1, abs=0.25)
    assert model.attention.scale == 1


def test_where_the_asked_variable_is_assigned():
    words, answers = long_range.programs(20, 32, 0)
    places = scaling.assigned(words)
    for row, answer, place in zip(words, answers, places, strict=True):
        tokens = long_range.text(row).split()
        assert tokens[place] == f"{tokens[-1][0]}={answer.item()}"


def test_the_gradient_at_the_scores_is_that_of_autograd_through_the_model():
    model = scaling.build(8, 4, "√d_k", 0)
    words, right = long_range.programs(1, 20, 0)
    found = scaling.gradients(model, words, right)["gradient at the scores"]
    query, key, value = (part.detach() for part in scaling.at_the_question(model, words))

    def loss(scores):
        context = torch.softmax(scores, dim=-1) @ value[0]
        return torch.nn.functional.cross_entropy(model.output(context), right)

    scores = query[0] @ key[0].T / 2  # d_k = 4
    gradient = torch.autograd.functional.jacobian(loss, scores)
    assert found["mean"] == pytest.approx(gradient.norm().item(), rel=1e-4)
    assert found["10 %"] == found["90 %"]


def test_the_reader_of_one_row_answers_as_the_whole_layer_does():
    model = scaling.build(8, 4, "d_k", 0)
    words, _ = long_range.programs(5, 20, 0)
    torch.testing.assert_close(model(words), long_range.AttentiveReader.forward(model, words))


def test_a_seed_of_scaling_repeats(monkeypatch):
    monkeypatch.setattr(scaling, "SIZES", (4,))
    monkeypatch.setattr(scaling, "EVERY", 1)
    chosen = options(scaling, "--steps", "2", "--d-model", "8")
    found = scaling.run_seed(chosen, 0, CPU)
    assert found == scaling.run_seed(chosen, 0, CPU)
    assert list(found["during"]["1"]["4"]) == ["0", "1", "2"]
    assert found["steps to learn"]["1"]["4"] == {"0.001": None, "0.003": None, "0.01": None}


def test_a_seed_of_what_grows_repeats(monkeypatch):
    monkeypatch.setattr(what_grows, "D_K", 4)
    monkeypatch.setattr(what_grows, "EVERY", 1)
    chosen = options(what_grows, "--steps", "2", "--d-model", "8")
    found = what_grows.run_seed(chosen, 0, CPU)
    assert found == what_grows.run_seed(chosen, 0, CPU)
    assert list(found["during"]["d_k"]) == ["0", "1", "2"]


def test_growth_in_one_direction_shows_in_the_vectors_and_hardly_in_the_norm():
    model = scaling.build(8, 64, "d_k", 0)
    words, _ = long_range.programs(20, 20, 0)
    before = what_grows.vectors(model, words)
    with torch.no_grad():
        model.embedding.left.weight.copy_(torch.eye(8)[0].expand(12, 8))  # all words in one direction
        model.embedding.right.weight.zero_()
        one = what_grows.vectors(model, words)
        model.attention.W_q.weight[:, 0] *= 4
    after = what_grows.vectors(model, words)
    assert after["length of the query"] == pytest.approx(4 * one["length of the query"], rel=1e-5)
    assert after["norm of W_Q"] < 2 * before["norm of W_Q"]
    assert after["direction 1 of W_Q"] > 3 * before["direction 2 of W_Q"]
    assert after["length of all keys"] == one["length of all keys"] == one["length of the right key"]


def test_multiplications_are_what_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    for name in ("self-attention", "convolution"):
        with FlopCounterMode(display=False) as counter:
            layer_cost.layers(16)[name](torch.randn(1, 30, 16))
        assert counter.get_total_flops() == 2 * layer_cost.multiplications(name, 30, 16)
    with pytest.raises(ValueError, match=r"^name: expected one of"):
        layer_cost.multiplications("GRU", 3, 4)


def test_a_fitted_exponent():
    assert layer_cost.fitted_exponent([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2)


def test_counting_gives_probabilities_and_better_ones_with_context():
    characters = torch.tensor([0, 1, 2] * 60 + [1, 0, 2, 2, 1])
    for order in (1, 2, 3):
        counts = machine_reader.Counts(characters, order)
        for before in ((), (0,), (2, 1), (9, 9)):
            context = before[max(0, len(before) - order + 1) :]
            if len(context) == order - 1:
                assert sum(counts.probability(context, c) for c in range(3)) == pytest.approx(1)
    batch = characters[: machine_reader.WINDOW + 1].unsqueeze(0)
    bits = [machine_reader.Counts(characters, order).bits(batch) for order in (1, 2)]
    assert bits[1] < bits[0]


def test_models_of_text_have_about_one_size_and_see_no_future():
    sizes = []
    for name, size in machine_reader.WIDTHS.items():
        model = machine_reader.Predictor(name, size, 65)
        sizes.append(sum(parameter.numel() for parameter in model.parameters()))
        x = torch.randint(65, (1, 12))
        other = x.clone()
        other[0, 11] = (other[0, 11] + 1) % 65
        with torch.no_grad():
            torch.testing.assert_close(model(x)[:, :11], model(other)[:, :11])
    assert max(sizes) / min(sizes) < 1.05


@pytest.mark.parametrize(
    ("module", "words", "named"),
    [
        (long_range, ["--steps", "0"], "--steps"),
        (long_range, ["--learning-rates", ".003", "0"], "--learning-rates"),
        (scaling, ["--d-model", "0"], "--d-model"),
        (what_grows, ["--steps", "0"], "--steps"),
        (layer_cost, ["--repeats", "0"], "--repeats"),
        (machine_reader, ["--test", "0"], "--test"),
    ],
)
def test_wrong_options_are_named(module, words, named):
    with pytest.raises(ValueError, match=f"^{named}: expected"):
        module.run_seed(options(module, *words), 0, CPU)


@pytest.mark.realdata
def test_counting_gives_the_stored_figure(corpora):
    training, test, _ = machine_reader.text()
    assert len(training) + len(test) == 1_115_394
    stride = (len(test) - machine_reader.WINDOW - 1) // 400
    held_out = machine_reader.windows(test, torch.arange(400) * stride)
    stored = results("machine_reader")["seeds"]["0"]["bits"]["counting 2"]
    assert machine_reader.Counts(training, 2).bits(held_out) == pytest.approx(stored, abs=1e-6)


def test_stored_tables_have_their_seeds():
    stems = ("scaling", "what_grows", "layer_cost", "machine_reader", "long_range_once", "long_range_twice")
    wanted = dict.fromkeys(stems, 3)
    assert {name: len(results(name)["seeds"]) for name in wanted} == wanted
    assert all("/" not in results(name)["command"] for name in wanted)
