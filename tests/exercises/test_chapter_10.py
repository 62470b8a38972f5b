"""Chapter 10: its references agree with torch and attnbook.nn; what is planted is found and named."""

import re
from types import SimpleNamespace

import nbformat
import pytest
import torch

import make_exercises as generator
from attnbook import nn
from attnbook.exercises import check, exercise, exercises
from attnbook.exercises.judge import judge
from attnbook.training import schedules
from attnbook.worker.oracle import answer
from project import ROOT


def verdict_on(id, thing, seed):
    item = exercise(id)
    cases = item.make_cases(seed)
    return judge(item, cases, [answer(thing, item.request(case)) for case in cases])


def layer_norm_by_torch(x, gamma, beta, epsilon):
    return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)


def layer_norm_word_by_word(x, gamma, beta, epsilon):
    result = torch.empty_like(x)
    for index in range(x.shape[0] * x.shape[1]):
        word = x.flatten(0, 1)[index].double()
        variance = (word**2).mean() - word.mean() ** 2
        result.view(-1, x.shape[2])[index] = (word - word.mean()) / (variance + epsilon) ** 0.5 * gamma + beta
    return result


def rate_by_the_package(step, d_model, warmup):
    return schedules.warmup_inverse_sqrt(d_model, warmup)(step - 1)


def rate_by_cases(step, d_model, warmup):
    peak = (d_model * warmup) ** -0.5
    return peak * step / warmup if step < warmup else peak * (warmup / step) ** 0.5


def mask_by_the_package(lengths, past, new):
    real = nn.padding_mask(lengths, past + new)
    return nn.causal_mask(new, past + new, past) & real.unsqueeze(1)


def mask_by_loops(lengths, past, new):
    rows = [
        [[key <= past + query and key < length for key in range(past + new)] for query in range(new)]
        for length in lengths.tolist()
    ]
    return torch.tensor(rows)


def smoothing_by_torch(logits, wanted, mask, epsilon):
    wanted = wanted.masked_fill(~mask, -100)
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), label_smoothing=epsilon, ignore_index=-100
    )


def ends_by_layers(tokens, E, P, hidden):
    embedding = torch.nn.Embedding.from_pretrained(E)
    output = torch.nn.Linear(E.shape[1], E.shape[0], bias=False)
    output.weight.data.copy_(E)
    return embedding(tokens) * E.shape[1] ** 0.5 + P[None, : tokens.shape[1]], output(hidden).detach()


class CrossByTorch(torch.nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        for name in ("W_q", "W_k", "W_v", "W_o"):
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(d_model, d_model)))
        self.gamma = torch.nn.Parameter(torch.ones(d_model))
        self.beta = torch.nn.Parameter(torch.zeros(d_model))

    def forward(self, x, memory, mask):
        size = x.shape[-1]
        normal = torch.nn.functional.layer_norm(x, (size,), self.gamma, self.beta)
        context, weights = torch.nn.functional.multi_head_attention_forward(
            normal.transpose(0, 1),
            memory.transpose(0, 1),
            memory.transpose(0, 1),
            size,
            self.n_heads,
            in_proj_weight=torch.cat([self.W_q, self.W_k, self.W_v]),
            in_proj_bias=None,
            bias_k=None,
            bias_v=None,
            add_zero_attn=False,
            dropout_p=0.0,
            out_proj_weight=self.W_o,
            out_proj_bias=None,
            key_padding_mask=~mask,
            average_attn_weights=False,
        )
        return x + context.transpose(0, 1), weights


def load(layer, values):
    """Put ``values`` into the parameters of the same names, zeros into the others."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(values[name] if name in values else torch.zeros_like(parameter))
    assert set(values) <= {name for name, _ in layer.named_parameters()}
    return layer.eval()


def encoder_by_the_package(x, mask, parameters, n_heads, norm):
    p = parameters
    layer = nn.EncoderLayer(x.shape[-1], n_heads, len(p["b_1"]), norm=norm)
    values = {f"attention.{name}.weight": p[name] for name in ("W_q", "W_k", "W_v", "W_o")}
    for i in (1, 2):
        values[f"feed_forward.W_{i}.weight"], values[f"feed_forward.W_{i}.bias"] = p[f"W_{i}"], p[f"b_{i}"]
        values[f"norm_{i}.weight"], values[f"norm_{i}.bias"] = p[f"gamma_{i}"], p[f"beta_{i}"]
    return load(layer, values)(x, mask.unsqueeze(1))[0].detach()


def encoder_by_torch(x, mask, parameters, n_heads, norm):
    p = parameters
    layer = torch.nn.TransformerEncoderLayer(
        x.shape[-1], n_heads, len(p["b_1"]), batch_first=True, norm_first=norm == "pre"
    )
    values = {"self_attn.in_proj_weight": torch.cat([p[name] for name in ("W_q", "W_k", "W_v")])}
    values["self_attn.out_proj.weight"] = p["W_o"]
    for i in (1, 2):
        values[f"linear{i}.weight"], values[f"linear{i}.bias"] = p[f"W_{i}"], p[f"b_{i}"]
        values[f"norm{i}.weight"], values[f"norm{i}.bias"] = p[f"gamma_{i}"], p[f"beta_{i}"]
    return load(layer, values)(x, src_key_padding_mask=~mask).detach()


@pytest.mark.parametrize(
    ("id", "thing"),
    [
        ("10.2", layer_norm_by_torch),
        ("10.2", layer_norm_word_by_word),
        ("10.3", rate_by_the_package),
        ("10.3", rate_by_cases),
        ("10.4", ends_by_layers),
        ("10.5", mask_by_the_package),
        ("10.5", mask_by_loops),
        ("10.7", smoothing_by_torch),
        ("10.8", CrossByTorch),
        ("10.10", encoder_by_the_package),
    ],
)
def test_a_right_answer_written_in_another_way_passes(id, thing):
    for seed in range(30):
        verdict = verdict_on(id, thing, seed)
        assert verdict.passed, (seed, verdict)


def test_the_encoder_layer_is_torchs_where_words_are():
    """On padding torch's fast path answers zeros, so only the words are compared."""
    item = exercise("10.10")
    for seed in range(10):
        for case in item.make_cases(seed):
            wanted, found = item.reference(**case.args), encoder_by_torch(**case.args)
            real = case.args["mask"]
            torch.testing.assert_close(found[real], wanted[real], rtol=1e-4, atol=1e-4)


def test_exercises_are_of_several_kinds_and_end_with_two_starred_ones():
    mine = exercises(10)
    assert [item.id for item in mine] == [f"10.{n}" for n in range(1, 12)]
    assert {item.task for item in mine} == {
        "write a function",
        "write a module",
        "find the mistake",
        "predict",
        "measure",
    }
    assert [item.name for item in mine if "★" in item.title] == ["encoder_layer", "parameters_of_gpt2"]


def handed_out(name):
    """The class or function of this name as it is handed out, run in a namespace of its own."""
    cells = nbformat.read(ROOT / "solutions" / "10_transformer.ipynb", as_version=4).cells
    (source,) = (cell.source for cell in cells if re.search(rf"(?m)^(class|def) {name}\b", cell.source))
    printed = []
    namespace = {
        "torch": torch,
        "math": __import__("math"),
        "check": lambda *args: None,
        "print": lambda *args: printed.append(" ".join(map(str, args))),
    }
    exec(generator.stub(source), namespace)
    return SimpleNamespace(thing=namespace[name], printed=printed)


def test_the_planted_mistake_beats_dice_and_is_named():
    handed = handed_out("NextWord")
    assert float(re.search(r"loss on dice: (\d\.\d)", handed.printed[0]).group(1)) < 0.5
    for seed in range(5):
        verdict = verdict_on("10.6", handed.thing, seed)
        assert verdict.named == [{"pair": "whole"}]


@pytest.mark.parametrize(
    ("id", "answer", "word"),
    [
        ("10.1", 1 / 3, "encoder layer"),
        ("10.1", 0.43, "W_o"),
        ("10.9", 0.548, "without sorting"),
        ("10.9", 0.0753, "batches' shares"),
        ("10.9", 0.919, "real words"),
    ],
)
def test_wrong_values_are_told_why(id, answer, word, capsys):
    assert not check(id, answer).passed
    assert word in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_layer_that_knows_one_norm_gets_no_credit_for_half(norm):
    def one_norm(x, mask, parameters, n_heads, _):
        return encoder_by_the_package(x, mask, parameters, n_heads, norm)

    verdict = verdict_on("10.10", one_norm, 4)
    assert verdict.named == [{"place": norm}]
    assert sum(verdict.by_case) == 2
    assert verdict.credit == 0.0
