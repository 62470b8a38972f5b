"""The ``Attention`` operator's own test vectors, as the onnx package ships them: 64 cases, all of them.

The rotary operator's interleaved cases are here too.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

onnx = pytest.importorskip(
    "onnx", reason="onnx is not installed, so its 64 cases were NOT RUN: pip install onnx==1.22.0"
)
from onnx import numpy_helper  # noqa: E402

from attnbook.nn.attention import (  # noqa: E402
    dot_product_scores,
    masked_scores,
    scaled_dot_product_attention,
)
from attnbook.nn.masks import causal_mask, lengthened, padding_mask  # noqa: E402
from attnbook.nn.multi_head import KVCache, both, merge_heads, repeat_heads, split_heads  # noqa: E402
from attnbook.nn.positions import RotaryPositions  # noqa: E402

VECTORS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
# Every case stands there twice: as the operator, and expanded into primitive operators with the same numbers.
CASES = sorted(p.name for p in VECTORS.glob("test_attention_*") if not p.name.endswith("_expanded"))
TOLERANCE = {torch.float32: 1e-6, torch.float16: 2e-3}


def load(case):
    """The node's attributes, and its inputs and outputs by name, as tensors; an absent one is not there."""
    node = onnx.load(VECTORS / case / "model.onnx").graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def read(kind, names):
        tensors = {}
        files = sorted(
            (VECTORS / case / "test_data_set_0").glob(f"{kind}_*.pb"),
            key=lambda p: int(p.stem[len(kind) + 1 :]),
        )
        for path, name in zip(files, [n for n in names if n], strict=True):
            proto = onnx.TensorProto()
            proto.ParseFromString(path.read_bytes())
            tensors[name] = torch.from_numpy(np.array(numpy_helper.to_array(proto)))
        return tensors

    return attributes, read("input", node.input), read("output", node.output)


def attend(attributes, given, need_weights=True):
    """The operator, put together from the package's parts: returns what the case may ask for, by name."""
    query, key, value, mask = given["Q"], given["K"], given["V"], given.get("attn_mask")
    three_dimensional = query.dim() == 3
    if three_dimensional:
        query = split_heads(query, attributes["q_num_heads"])
        key, value = (split_heads(x, attributes["kv_num_heads"]) for x in (key, value))
    cache = KVCache()
    if "past_key" in given:
        cache.append(given["past_key"], given["past_value"])
    past = cache.length
    key, value = cache.append(key, value)
    n_keys = key.shape[-2]
    if mask is not None:
        mask = lengthened(mask, n_keys)
    if "nonpad_kv_seqlen" in given:
        mask = both(mask, padding_mask(given["nonpad_kv_seqlen"], n_keys)[:, None, None, :])
    causal = bool(attributes.get("is_causal", 0))
    if causal and past:
        mask, causal = both(mask, causal_mask(query.shape[-2], n_keys, past)), False
    key, value = (repeat_heads(x, query.shape[-3]) for x in (key, value))
    options = {"scale": attributes.get("scale"), "softcap": attributes.get("softcap") or None}
    context, weights = scaled_dot_product_attention(
        query, key, value, mask, causal=causal, need_weights=need_weights, **options
    )
    mode = attributes.get("qk_matmul_output_mode", 0)
    stage = weights
    if mode == 0:
        stage = dot_product_scores(query, key, options["scale"])
    elif mode == 1:
        stage = dot_product_scores(query, key, **options)
    elif mode == 2:
        stage = masked_scores(dot_product_scores(query, key, **options), mask, causal)
    return {
        "Y": merge_heads(context) if three_dimensional else context,
        "present_key": cache.key,
        "present_value": cache.value,
        "qk_matmul_output": stage,
    }


def test_all_64_cases_are_here():
    assert onnx.__version__ == "1.22.0", "later onnx packages ship no vectors: pip install onnx==1.22.0"
    assert len(CASES) == 64


@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
@pytest.mark.parametrize("case", CASES)
def test_case(case, need_weights, conforms):
    attributes, given, expected = load(case)
    got = attend(attributes, given, need_weights)
    if not need_weights and attributes.get("qk_matmul_output_mode", 0) == 3:
        expected.pop("qk_matmul_output", None)  # weights were not asked for
    kind = "with weights" if need_weights else "need_weights=False"
    dtype = expected["Y"].dtype
    row = f"onnx {onnx.__version__} Attention, {kind}, {str(dtype).removeprefix('torch.')}"
    for name, value in expected.items():
        conforms(row, got[name], value, TOLERANCE[dtype], name)


@pytest.mark.parametrize(
    "case", ["test_rotary_embedding_interleaved", "test_rotary_embedding_no_position_ids_interleaved"]
)
def test_rotary_operator(case, conforms):
    """That operator is given cosines and sines at random; what is compared is the turning of pairs."""
    attributes, given, expected = load(case)
    assert attributes["interleaved"] == 1
    x, cos, sin = given["input"], given["cos_cache"], given["sin_cache"]
    if "position_ids" in given:
        cos, sin = cos[given["position_ids"]], sin[given["position_ids"]]
    cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)
    rotary = RotaryPositions(x.shape[-1])
    conforms(
        "onnx 1.22.0 RotaryEmbedding, interleaved, float32",
        rotary.turn(x, cos, sin),
        expected["output"],
        1e-6,
    )
