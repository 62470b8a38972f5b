"""The ``LinearAttention`` operator's own test vectors, as the onnx package ships them: all of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

onnx = pytest.importorskip(
    "onnx", reason="onnx is not installed, so its cases were NOT RUN: pip install onnx==1.22.0"
)
from onnx import numpy_helper  # noqa: E402

from attnbook.nn import linear_attention  # noqa: E402
from attnbook.nn.linear import FORMS  # noqa: E402
from attnbook.nn.multi_head import merge_heads, split_heads  # noqa: E402

VECTORS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
# Every case stands there twice: as the operator, and expanded into primitive operators with the same numbers.
CASES = sorted(p.name for p in VECTORS.glob("test_linear_attention_*") if not p.name.endswith("_expanded"))
TOLERANCE = {torch.float32: 5e-6, torch.float16: 2e-3}


def load(case):
    """The node's attributes, and its inputs and outputs by the operator's names."""
    node = onnx.load(VECTORS / case / "model.onnx").graph.node[0]
    schema = onnx.defs.get_schema("LinearAttention", 27)
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def read(kind, given, formal):
        names = [slot.name for slot, name in zip(formal, given, strict=False) if name]
        tensors = {}
        for i, name in enumerate(names):
            proto = onnx.TensorProto()
            proto.ParseFromString((VECTORS / case / "test_data_set_0" / f"{kind}_{i}.pb").read_bytes())
            tensors[name] = torch.from_numpy(np.array(numpy_helper.to_array(proto)))
        return tensors

    return attributes, read("input", node.input, schema.inputs), read("output", node.output, schema.outputs)


def attend(attributes, given, form):
    """The operator, packed and unpacked around the package's function."""
    n_heads, n_kv_heads = attributes["q_num_heads"], attributes["kv_num_heads"]
    query = split_heads(given["query"], n_heads)
    key, value = (split_heads(given[name], n_kv_heads) for name in ("key", "value"))
    decay, beta, past = (given.get(name) for name in ("decay", "beta", "past_state"))
    if decay is not None:  # (batch, length, n_kv_heads) or with d_k numbers a head
        decay = split_heads(decay, n_kv_heads)
    if beta is not None:  # (batch, length, n_kv_heads), or one number for all heads
        beta = beta.expand(-1, -1, n_kv_heads).transpose(1, 2)
    context, state = linear_attention(
        query, key, value, attributes.get("update_rule", b"gated_delta").decode(),
        decay=decay.squeeze(-1) if decay is not None and decay.shape[-1] == 1 else decay, beta=beta,
        state=past, form=form, chunk_size=3, scale=attributes.get("scale") or None,
    )  # fmt: skip
    return {"output": merge_heads(context), "present_state": state}


def test_all_14_cases_are_here():
    assert onnx.__version__ == "1.22.0", (
        "other onnx packages may ship other vectors: pip install onnx==1.22.0"
    )
    assert len(CASES) == 14


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_case(case, form, conforms):
    attributes, given, expected = load(case)
    got = attend(attributes, given, form)
    dtype = expected["output"].dtype
    row = f"onnx {onnx.__version__} LinearAttention, {form} form, {str(dtype).removeprefix('torch.')}"
    for name, value in expected.items():
        conforms(row, got[name].to(value.dtype), value, TOLERANCE[dtype], name)
