"""What torch computes for the routines of ``js/inference/tensors.js``, as the JSON that its test reads.

python tests/widgets/torch_numbers.py     (writes js/inference/torch_numbers.json)
"""

import json
import random
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

STORED = (
    Path(__file__).parents[2] / "src" / "attnbook" / "widgets" / "js" / "inference" / "torch_numbers.json"
)


def stored(tensor):
    """A tensor as JSON holds it, seven digits a number."""
    data = [float(f"{x:.7g}") for x in tensor.detach().double().flatten().tolist()]
    return {"shape": list(tensor.shape), "data": data}


def rounded(*tensors):
    """The tensors as JSON will hold them: torch computes with the numbers that JavaScript reads."""
    return [torch.tensor(stored(each)["data"]).reshape(each.shape) for each in tensors]


def case(routine, expected, given, **more):
    """One call of a routine."""
    parts = {name: stored(value) for name, value in given.items()}
    return {"routine": routine, **parts, **more, "expected": stored(expected)}


def cells(draw):
    """One step of a GRU and one of an LSTM."""
    d_input, d_hidden = draw.randint(1, 6), draw.randint(1, 6)
    for unit, routine in ((nn.GRUCell, "gruStep"), (nn.LSTMCell, "lstmStep")):
        made = unit(d_input, d_hidden)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        given = dict(zip(names, rounded(*(getattr(made, name) * 2 for name in names)), strict=True))
        made.load_state_dict(given)
        x, h, c = rounded(torch.randn(d_input), torch.randn(d_hidden), torch.randn(d_hidden))
        if unit is nn.GRUCell:
            yield case(routine, made(x, h), {"x": x, "h": h, **given})
        else:
            yield case(routine, torch.cat(made(x, (h, c))), {"x": x, "h": h, "c": c, **given})


def products(draw):
    """Matrices and vectors."""
    n, m, k = (draw.randint(1, 6) for _ in range(3))
    x, weight, bias = rounded(torch.randn(k, m), torch.randn(n, m), torch.randn(n))
    a, b, other = rounded(torch.randn(n, k), torch.randn(k, m), torch.randn(n, k))
    linear = {"weight": weight, "bias": bias}
    yield case("linear", F.linear(x, weight, bias), {"x": x, **linear})
    yield case("matVec", F.linear(x[0], weight, bias), {"x": x[0], **linear})
    yield case("matMul", a @ b, {"a": a, "b": b})
    yield case("add", a + other, {"a": a, "b": other})
    index = draw.randrange(n)
    yield case("row", F.embedding(torch.tensor(index), weight), {"weight": weight}, index=index)


def pointwise(draw):
    """Functions of one number, and the layer's normalisation."""
    (x,) = rounded(torch.randn(draw.randint(2, 9)) * 3)
    for routine, function in (("gelu", F.gelu), ("relu", F.relu), ("sigmoid", torch.sigmoid)):
        yield case(routine, function(x), {"x": x})
    weight, bias = rounded(torch.randn(len(x)), torch.randn(len(x)))
    yield case("layerNorm", F.layer_norm(x, x.shape, weight, bias), {"x": x, "weight": weight, "bias": bias})


def pictures(draw):
    """Convolution and pooling."""
    channels, out = draw.randint(1, 3), draw.randint(1, 3)
    size = draw.randint(4, 7)
    kernel, stride, padding = draw.choice([1, 3]), draw.choice([1, 2]), draw.choice([0, 1])
    image, weight, bias = rounded(
        torch.randn(channels, size, size + 1), torch.randn(out, channels, kernel, kernel), torch.randn(out)
    )
    made = F.conv2d(image[None], weight, bias, stride, padding)[0]
    given = {"image": image, "weight": weight, "bias": bias}
    yield case("conv2d", made, given, stride=stride, padding=padding)
    pooled = F.max_pool2d(image[None], 2, stride)[0]
    yield case("maxPool2d", pooled, {"image": image}, size=2, stride=stride)


def attention(draw):
    """Heads between the projections, some keys left out."""
    heads, size = draw.randint(1, 3), draw.randint(1, 3)
    n, m = draw.randint(1, 4), draw.randint(1, 4)
    d = heads * size
    query, key, value = rounded(torch.randn(n, d), torch.randn(m, d), torch.randn(m, d))
    allowed = torch.rand(n, m) < 0.7
    allowed[:, 0] = True
    use = draw.random() < 0.5
    q, k, v = (each.reshape(-1, heads, size).transpose(0, 1) for each in (query, key, value))
    scores = q @ k.transpose(1, 2) / size**0.5
    weights = torch.softmax(scores.masked_fill(~allowed, -torch.inf) if use else scores, -1)
    context = (weights @ v).transpose(0, 1).reshape(n, d)
    expected = torch.cat([context.flatten(), weights.flatten()])
    given = {"query": query, "key": key, "value": value}
    yield case("multiHeadAttention", expected, given, heads=heads, allowed=allowed.tolist() if use else None)


def half(draw):
    """Numbers of 16 bits, the smallest and the largest among them."""
    bits = [0, 1, 0x3FF, 0x400, 0x7BFF, 0x8000, 0x8001, 0xFBFF]
    bits += [bit for bit in (draw.randrange(0x10000) for _ in range(20)) if bit >> 10 & 31 != 31]
    signed = torch.tensor([bit - 0x10000 if bit >= 0x8000 else bit for bit in bits], dtype=torch.int16)
    expected = {"shape": [len(bits)], "data": signed.view(torch.float16).double().tolist()}
    return {"routine": "halves", "bits": bits, "expected": expected, "exact": True}


def numbers(seed: int, rounds: int) -> list[dict]:
    """Calls of all routines, ``rounds`` times each."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    made = []
    for _ in range(rounds):
        for several in (cells, products, pointwise, pictures, attention):
            made += several(draw)
        made.append(half(draw))
    return made


if __name__ == "__main__":
    STORED.write_text(json.dumps(numbers(seed=0, rounds=2)) + "\n", encoding="utf-8")
