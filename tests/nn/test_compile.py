"""Compiled and eager give the same numbers and gradients, in one graph without breaks."""

import shutil

import pytest
import torch

from attnbook.nn import (
    GPT,
    AdditiveScore,
    Attention,
    GeneralScore,
    LinearAttention,
    LocalAttention,
    MultiHeadAttention,
    Transformer,
    scaled_dot_product_attention,
)

BATCH, LENGTH, D = 2, 5, 8


def compiled(function):
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend="aot_eager")


def same(function, *inputs, **options):
    """Outputs and gradients of a traced graph against eager. Tracing needs no compiler."""
    expected, got = function(*inputs, **options), compiled(function)(*inputs, **options)
    torch.testing.assert_close(got, expected)
    context = expected[0]
    if context.requires_grad:
        leaves = [x for x in inputs if isinstance(x, torch.Tensor) and x.requires_grad]
        if isinstance(function, torch.nn.Module):
            leaves += list(function.parameters())
        for a, b in zip(
            torch.autograd.grad(got[0].sum(), leaves), torch.autograd.grad(context.sum(), leaves), strict=True
        ):
            torch.testing.assert_close(a, b)


def inputs():
    torch.manual_seed(0)
    return [torch.randn(BATCH, LENGTH, D, requires_grad=True) for _ in range(3)]


@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_scaled_dot_product_attention(need_weights):
    mask = torch.rand(BATCH, LENGTH, LENGTH) < 0.7
    mask[0, 0] = False
    same(scaled_dot_product_attention, *inputs(), mask, causal=True, need_weights=need_weights)


@pytest.mark.parametrize(
    "attention",
    [
        Attention(AdditiveScore(D, D, 4)),
        LocalAttention(GeneralScore(D, D), 2),
        LocalAttention(GeneralScore(D, D), 2, "predictive"),
    ],
    ids=["additive", "local-m", "local-p"],
)
def test_attention_over_scores(attention):
    same(attention, *inputs())


def test_multi_head():
    same(MultiHeadAttention(D, 4, 2), *inputs())


def test_models():
    src, tgt = torch.randint(9, (BATCH, LENGTH)), torch.randint(9, (BATCH, LENGTH))
    mask = torch.arange(LENGTH) < torch.tensor([[3], [5]])
    same(Transformer(9, 9, D, 2, 1, 16, dropout=0.0), src, tgt, mask)
    same(GPT(9, D, 2, 1, positions="rotary"), src)


def test_machine_code():
    """The default back-end, which writes C++ and has it compiled."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler on this machine: torch.compile was checked by tracing only; install g++")
    torch._dynamo.reset()
    arguments = [x.detach() for x in inputs()]
    function = torch.compile(scaled_dot_product_attention, fullgraph=True)
    got = function(*arguments, causal=True)
    torch.testing.assert_close(got, scaled_dot_product_attention(*arguments, causal=True))


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
def test_linear_attention(rule):
    torch.manual_seed(0)
    same(LinearAttention(D, 2, rule=rule, chunk_size=2), inputs()[0])
