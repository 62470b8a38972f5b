"""Against torch's own modules with the same weights: outputs and every gradient, float32 and float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attnbook.nn import (
    DecoderLayer,
    EncoderLayer,
    MultiHeadAttention,
    Transformer,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)

DTYPES = [torch.float32, torch.float64]
# Sums run in another order, so float32 may differ in its last digits; gradients add up over more of them.
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}
BATCH, HEADS, QUERIES, KEYS, D_K, D_V = 2, 3, 4, 5, 8, 6
D_MODEL, D_FF = 12, 20


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


def random(*shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_()


def gradients(output, inputs):
    """Gradients of a weighted sum of the output, so that no direction of it is left out."""
    generator = torch.Generator().manual_seed(99)
    direction = torch.randn(output.shape, dtype=output.dtype, generator=generator)
    return torch.autograd.grad((output * direction).sum(), inputs)


def masks(kind, dtype):
    if kind == "none":
        return None
    if kind == "padding":
        return padding_mask(torch.tensor([3, 5]), KEYS)[:, None, None, :]
    allowed = torch.rand(BATCH, 1, QUERIES, KEYS, generator=torch.Generator().manual_seed(5)) < 0.6
    allowed[..., 0] = True  # torch's answer for a row without keys differs by version
    if kind == "boolean":
        return allowed
    return torch.randn(HEADS, QUERIES, KEYS, generator=torch.Generator().manual_seed(6)).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize("mask", ["none", "padding", "boolean", "floating"])
def test_scaled_dot_product_attention(mask, causal, scale, need_weights, dtype, conforms):
    query = random(BATCH, HEADS, QUERIES, D_K, dtype=dtype, seed=1)
    key = random(BATCH, HEADS, KEYS, D_K, dtype=dtype, seed=2)
    value = random(BATCH, HEADS, KEYS, D_V, dtype=dtype, seed=3)
    mask = masks(mask, dtype)
    context, weights = scaled_dot_product_attention(
        query, key, value, mask, causal=causal, scale=scale, need_weights=need_weights
    )
    assert (weights is None) == (not need_weights)
    theirs = mask
    if causal:
        allowed = causal_mask(QUERIES, KEYS)
        if mask is None:
            theirs = allowed
        elif mask.dtype == torch.bool:
            theirs = mask & allowed
        else:
            theirs = mask.masked_fill(~allowed, -torch.inf)
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=theirs, scale=scale)
    row = f"torch scaled_dot_product_attention, outputs and gradients, {name_of(dtype)}"
    conforms(row, context, expected, TOLERANCE[dtype], "context")
    if need_weights:
        # With the identity as values, the context is the weights.
        rows = torch.eye(KEYS, dtype=dtype).expand(BATCH, HEADS, KEYS, KEYS)
        shares = F.scaled_dot_product_attention(query, key, rows, attn_mask=theirs, scale=scale)
        conforms(row, weights, shares, TOLERANCE[dtype], "weights")
    inputs = (query, key, value)
    for name, got, wanted in zip("QKV", gradients(context, inputs), gradients(expected, inputs), strict=True):
        conforms(row, got, wanted, TOLERANCE[dtype], f"gradient of {name}")


def copy_attention(theirs, ours):
    """torch keeps the three projections of one MultiheadAttention in one matrix, W_q on top."""
    with torch.no_grad():
        for linear, weight, bias in zip(
            (ours.W_q, ours.W_k, ours.W_v),
            theirs.in_proj_weight.chunk(3),
            theirs.in_proj_bias.chunk(3),
            strict=True,
        ):
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        ours.W_o.weight.copy_(theirs.out_proj.weight)
        ours.W_o.bias.copy_(theirs.out_proj.bias)


def attention_pairs(theirs, ours):
    """Pairs of a gradient of theirs and the same of ours, after both have run backward."""
    grads = torch.cat([ours.W_q.weight.grad, ours.W_k.weight.grad, ours.W_v.weight.grad])
    biases = torch.cat([ours.W_q.bias.grad, ours.W_k.bias.grad, ours.W_v.bias.grad])
    return [
        (theirs.in_proj_weight.grad, grads),
        (theirs.in_proj_bias.grad, biases),
        (theirs.out_proj.weight.grad, ours.W_o.weight.grad),
        (theirs.out_proj.bias.grad, ours.W_o.bias.grad),
    ]


LAYER_PARTS = {
    "self_attn": "attention",
    "multihead_attn": "cross_attention",
    "linear1": "feed_forward.W_1",
    "linear2": "feed_forward.W_2",
    "norm1": "norm_1",
    "norm2": "norm_2",
    "norm3": "norm_3",
}


def layer_parts(theirs, ours):
    for their_name, our_name in LAYER_PARTS.items():
        if hasattr(theirs, their_name):
            yield getattr(theirs, their_name), ours.get_submodule(our_name)


def randomise(module):
    """Biases and normalisations start at 0 and 1; a comparison there would see nothing."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator).to(parameter.dtype))


def copy_layer(theirs, ours):
    for their_part, our_part in layer_parts(theirs, ours):
        if isinstance(their_part, nn.MultiheadAttention):
            copy_attention(their_part, our_part)
        else:
            our_part.load_state_dict(their_part.state_dict())


def layer_pairs(theirs, ours):
    for their_part, our_part in layer_parts(theirs, ours):
        if isinstance(their_part, nn.MultiheadAttention):
            yield from attention_pairs(their_part, our_part)
        else:
            yield from (
                (a.grad, b.grad) for a, b in zip(their_part.parameters(), our_part.parameters(), strict=True)
            )


def backward(*outputs):
    generator = torch.Generator().manual_seed(98)
    total = sum((o * torch.randn(o.shape, dtype=o.dtype, generator=generator)).sum() for o in outputs)
    total.backward()


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("kind", ["self", "cross", "causal", "padding", "per head"])
def test_multi_head_attention(kind, need_weights, dtype, conforms):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True, dtype=dtype)
    randomise(theirs)
    ours = MultiHeadAttention(D_MODEL, HEADS).to(dtype)
    copy_attention(theirs, ours)
    query = random(BATCH, QUERIES, D_MODEL, dtype=dtype, seed=1)
    memory = random(BATCH, KEYS, D_MODEL, dtype=dtype, seed=2)
    padding = padding_mask(torch.tensor([3, 5]), KEYS)
    per_head = torch.rand(BATCH, HEADS, QUERIES, KEYS, generator=torch.Generator().manual_seed(4)) < 0.6
    per_head[..., 1] = True
    calls = {  # in torch's masks True = may NOT attend
        "self": ((query, query, query, {}), (query, None, None, {})),
        "cross": ((query, memory, memory, {}), (query, memory, None, {})),
        "causal": (
            (query, query, query, {"attn_mask": ~causal_mask(QUERIES)}),
            (query, None, None, {"causal": True}),
        ),
        "padding": (
            (query, memory, memory, {"key_padding_mask": ~padding}),
            (query, memory, memory, {"mask": padding.unsqueeze(1)}),
        ),
        "per head": (
            (query, memory, memory, {"attn_mask": ~per_head.flatten(0, 1)}),
            (query, memory, memory, {"mask": per_head}),
        ),
    }
    (*their_inputs, their_options), (*our_inputs, our_options) = calls[kind]
    expected, their_weights = theirs(
        *their_inputs, **their_options, need_weights=need_weights, average_attn_weights=False
    )
    context, weights = ours(*our_inputs, **our_options, need_weights=need_weights)
    row = f"torch MultiheadAttention, outputs and gradients, {name_of(dtype)}"
    conforms(row, context, expected, TOLERANCE[dtype], "context")
    if need_weights:
        conforms(row, weights, their_weights, TOLERANCE[dtype], "weights")
    used = (query,) if kind in ("self", "causal") else (query, memory)
    their_grads = torch.autograd.grad((expected**2).sum(), used, retain_graph=True)
    our_grads = torch.autograd.grad((context**2).sum(), used, retain_graph=True)
    for got, wanted in zip(our_grads, their_grads, strict=True):
        conforms(row, got, wanted, TOLERANCE[dtype], "gradient of an input")
    backward(expected)
    backward(context)
    for wanted, got in attention_pairs(theirs, ours):
        conforms(row, got, wanted, TOLERANCE[dtype], "gradient of a parameter")


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
def test_encoder_layer(masked, norm, activation, dtype, conforms):
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        D_MODEL, HEADS, D_FF, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    randomise(theirs)
    ours = EncoderLayer(D_MODEL, HEADS, D_FF, 0.0, norm, activation).to(dtype)
    copy_layer(theirs, ours)
    x, y = (random(BATCH, KEYS, D_MODEL, dtype=dtype, seed=1) for _ in range(2))
    padding = padding_mask(torch.tensor([3, 5]), KEYS)
    expected = theirs(x, src_key_padding_mask=~padding if masked else None)
    got, weights = ours(y, padding.unsqueeze(1) if masked else None)
    assert weights.shape == (BATCH, HEADS, KEYS, KEYS)
    row = f"torch TransformerEncoderLayer, outputs and gradients, {name_of(dtype)}"
    conforms(row, got, expected, TOLERANCE[dtype], "output")
    backward(expected)
    backward(got)
    conforms(row, y.grad, x.grad, TOLERANCE[dtype], "gradient of the input")
    for wanted, grad in layer_pairs(theirs, ours):
        conforms(row, grad, wanted, TOLERANCE[dtype], "gradient of a parameter")


@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_decoder_layer(need_weights, norm, activation, dtype, conforms):
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(
        D_MODEL, HEADS, D_FF, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    randomise(theirs)
    ours = DecoderLayer(D_MODEL, HEADS, D_FF, 0.0, norm, activation).to(dtype)
    copy_layer(theirs, ours)
    x, y = (random(BATCH, QUERIES, D_MODEL, dtype=dtype, seed=1) for _ in range(2))
    memory, same = (random(BATCH, KEYS, D_MODEL, dtype=dtype, seed=2) for _ in range(2))
    padding = padding_mask(torch.tensor([3, 5]), KEYS)
    expected = theirs(x, memory, tgt_mask=~causal_mask(QUERIES), memory_key_padding_mask=~padding)
    got, _, cross = ours(y, same, memory_mask=padding.unsqueeze(1), need_weights=need_weights)
    assert (cross is None) == (not need_weights)
    row = f"torch TransformerDecoderLayer, outputs and gradients, {name_of(dtype)}"
    conforms(row, got, expected, TOLERANCE[dtype], "output")
    backward(expected)
    backward(got)
    conforms(row, y.grad, x.grad, TOLERANCE[dtype], "gradient of the input")
    conforms(row, same.grad, memory.grad, TOLERANCE[dtype], "gradient of the memory")
    for wanted, grad in layer_pairs(theirs, ours):
        conforms(row, grad, wanted, TOLERANCE[dtype], "gradient of a parameter")


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("dtype", DTYPES, ids=name_of)
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_whole_transformer(norm, dtype, conforms):
    """torch.nn.Transformer; its final norms are taken off for post-norm, where the paper has none."""
    torch.manual_seed(0)
    theirs = nn.Transformer(
        D_MODEL, HEADS, 2, 2, D_FF, 0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    if norm == "post":
        theirs.encoder.norm = theirs.decoder.norm = None
    randomise(theirs)
    ours = Transformer(7, 9, D_MODEL, HEADS, 2, D_FF, 0.0, norm).to(dtype)
    for their_layers, our_layers in (
        (theirs.encoder.layers, ours.encoder),
        (theirs.decoder.layers, ours.decoder),
    ):
        for their_layer, our_layer in zip(their_layers, our_layers, strict=True):
            copy_layer(their_layer, our_layer)
    if norm == "pre":
        ours.encoder_norm.load_state_dict(theirs.encoder.norm.state_dict())
        ours.decoder_norm.load_state_dict(theirs.decoder.norm.state_dict())
    src, tgt = torch.randint(7, (BATCH, KEYS)), torch.randint(9, (BATCH, QUERIES))
    padding = padding_mask(torch.tensor([3, 5]), KEYS)
    logits, _ = ours(src, tgt, padding)
    decoded = theirs(
        ours.embed(ours.src_embedding, src),
        ours.embed(ours.tgt_embedding, tgt),
        tgt_mask=~causal_mask(QUERIES),
        src_key_padding_mask=~padding,
        memory_key_padding_mask=~padding,
    )
    expected = decoded @ ours.tgt_embedding.weight.T  # tied
    row = f"torch Transformer, outputs and gradients, {name_of(dtype)}"
    conforms(row, logits, expected, TOLERANCE[dtype], "logits")
    embedding = ours.tgt_embedding.weight
    got, wanted = (
        torch.autograd.grad((x**2).sum(), embedding, retain_graph=True)[0] for x in (logits, expected)
    )
    conforms(row, got, wanted, TOLERANCE[dtype], "gradient of the target embedding")
    backward(expected)
    ours.zero_grad()
    backward(logits)
    for their_layers, our_layers in (
        (theirs.encoder.layers, ours.encoder),
        (theirs.decoder.layers, ours.decoder),
    ):
        for their_layer, our_layer in zip(their_layers, our_layers, strict=True):
            for wanted, grad in layer_pairs(their_layer, our_layer):
                conforms(row, grad, wanted, TOLERANCE[dtype], "gradient of a parameter")
