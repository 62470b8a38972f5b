"""The same numbers on a CUDA device as on the CPU, where there is one."""

import pytest
import torch

from attnbook.nn import (
    GPT,
    AdditiveScore,
    Attention,
    GRUDecoder,
    GRUEncoder,
    HardAttention,
    LinearAttention,
    LocalAttention,
    MultiHeadAttention,
    RotaryPositions,
    Seq2Seq,
    Transformer,
    scaled_dot_product_attention,
)

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device on this machine: the CUDA tests were NOT RUN"
)
D = 16


def close(a, b):
    torch.testing.assert_close(a.cpu(), b, rtol=1e-4, atol=1e-4)


def both_devices(module, *inputs, **options):
    """Outputs and parameter gradients on both devices."""
    torch.manual_seed(0)
    there = module.to("cuda")
    outputs = there(*(x.cuda() for x in inputs), **{k: v.cuda() for k, v in options.items()})[0]
    outputs.sum().backward()
    grads = [p.grad.cpu() for p in there.parameters()]
    module.zero_grad()
    expected = module.cpu()(*inputs, **options)[0]
    expected.sum().backward()
    close(outputs.detach(), expected.detach())
    for got, parameter in zip(grads, module.parameters(), strict=True):
        close(got, parameter.grad)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_scaled_dot_product_attention(need_weights, dtype):
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, 33, 64, dtype=dtype) for _ in range(3))
    mask = torch.rand(2, 1, 33, 33) < 0.5
    mask[0, 0, 3] = False
    for options in ({}, {"causal": True}, {"mask": mask}, {"mask": mask, "causal": True}):
        there = {k: v.cuda() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        leaves = [x.cuda().requires_grad_() for x in (query, key, value)]
        context, _ = scaled_dot_product_attention(*leaves, **there, need_weights=need_weights)
        expected, _ = scaled_dot_product_attention(query.double(), key.double(), value.double(), **options)
        tolerance = {torch.float64: 1e-10, torch.float32: 1e-4}.get(dtype, 2e-2)
        torch.testing.assert_close(context.detach().cpu().double(), expected, rtol=tolerance, atol=tolerance)
        if "mask" in options:
            assert not context[0, :, 3].any()
        context.float().sum().backward()
        assert all(x.grad.isfinite().all() for x in leaves)


def test_modules():
    x = torch.randn(2, 7, D)
    both_devices(Attention(AdditiveScore(D, D, 5)), x, x, x)
    both_devices(LocalAttention(AdditiveScore(D, D, 5), 2, "predictive"), x, x, x)
    both_devices(MultiHeadAttention(D, 4, 2, positions=RotaryPositions(4)), x)
    src, tgt = torch.randint(9, (2, 7)), torch.randint(9, (2, 5))
    mask = torch.arange(7) < torch.tensor([[4], [7]])
    decoder = GRUDecoder(9, D, D, 2 * D, AdditiveScore(D, 2 * D, 5))
    both_devices(Seq2Seq(GRUEncoder(9, D, D, bidirectional=True), decoder), src, tgt, src_mask=mask)
    both_devices(Transformer(9, 9, D, 2, 2, 32, dropout=0.0), src, tgt, src_mask=mask)
    for positions in ("learned", "rotary", "alibi", "relative"):
        both_devices(GPT(9, D, 2, 2, positions=positions), src)


def test_hard_attention_draws_there():
    hard, x = HardAttention(AdditiveScore(D, D, 5)).cuda(), torch.randn(2, 7, D, device="cuda")
    context, weights = hard(x, x, x)
    assert (weights.sum(-1) == 1).all()
    torch.testing.assert_close(context, weights @ x)


def test_devices_must_agree():
    x = torch.randn(1, 3, D)
    with pytest.raises(ValueError, match="key: expected device cpu as in query, got cuda:0"):
        scaled_dot_product_attention(x, x.cuda(), x)
    with pytest.raises(ValueError, match="mask: expected device cpu"):
        scaled_dot_product_attention(x, x, x, torch.ones(3, 3, device="cuda").bool())
    with pytest.raises(
        ValueError, match="query: expected device cpu, where MultiHeadAttention's parameters are"
    ):
        MultiHeadAttention(D, 4)(x.cuda())


@pytest.mark.parametrize("form", ["recurrent", "chunked", "parallel"])
@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
def test_linear_attention(rule, form):
    torch.manual_seed(0)
    both_devices(LinearAttention(D, 4, 2, rule, form=form, chunk_size=16), torch.randn(2, 50, D))
