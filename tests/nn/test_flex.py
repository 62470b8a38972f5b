"""Functions inside attention: against loops, against torch's flex_attention, ONNX's published vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import create_block_mask
from torch.nn.attention.flex_attention import flex_attention as torch_flex

from attnbook.nn import ALiBi, block_kinds, flex_attention, scaled_dot_product_attention, window_mask

CAUSAL = lambda b, h, q, k: q >= k  # noqa: E731
DOCUMENT = torch.tensor([[0, 0, 0, 1, 1, 2, 2, 2, 2], [0, 1, 1, 1, 1, 1, 1, 2, 2]])
TABLE = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(0))
SCORES = {
    "none": None,
    "softcap": lambda s, b, h, q, k: 2.0 * torch.tanh(s / 2.0),
    "slope": lambda s, b, h, q, k: s - 2.0 ** -(h + 1.0) * (q - k).abs(),
    "table": lambda s, b, h, q, k: s + TABLE[b, h, q, k],
    "hidden": lambda s, b, h, q, k: torch.where(q + h > k, s, -float("inf")),
}
MASKS = {
    "none": None,
    "causal": CAUSAL,
    "window": lambda b, h, q, k: (q - k).abs() <= 2,
    "document": lambda b, h, q, k: DOCUMENT[b, q] == DOCUMENT[b, k],
    "by head": lambda b, h, q, k: (q + k) % (h + 2) == 0,
    "nothing for some": lambda b, h, q, k: (q != 4) & (k < 7),
}


def inputs(heads=4, kv_heads=4, queries=9, keys=9, d_v=5, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (2, heads, queries, 6), (2, kv_heads, keys, 6), (2, kv_heads, keys, d_v)
    return [torch.randn(*shape, generator=generator).to(dtype) for shape in shapes]


def theirs(query, key, value, score_mod=None, mask_mod=None, **options):
    block_mask = None
    if mask_mod is not None:
        b, h, q, k = query.shape[0], query.shape[1], query.shape[2], key.shape[2]
        block_mask = create_block_mask(mask_mod, b, h, q, k, device="cpu")
    return torch_flex(query, key, value, score_mod, block_mask, **options)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("score_mod", SCORES)
@pytest.mark.parametrize("mask_mod", MASKS)
def test_torch_agrees(score_mod, mask_mod, conforms):
    given_ = inputs()
    functions = SCORES[score_mod], MASKS[mask_mod]
    context, _ = flex_attention(*given_, *functions)
    conforms("torch flex_attention, float32", context, theirs(*given_, *functions), 1e-5)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-3), (torch.float64, 1e-12)])
def test_torch_agrees_with_shared_heads_scale_and_other_precision(dtype, tolerance, conforms):
    given_ = inputs(kv_heads=2, queries=7, dtype=dtype)
    functions = SCORES["slope"], MASKS["window"]
    context, _ = flex_attention(*given_, *functions, scale=0.3)
    expected = theirs(*given_, *functions, scale=0.3, enable_gqa=True)
    conforms(f"torch flex_attention, {dtype}".replace("torch.float", "float"), context, expected, tolerance)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    reach=st.integers(0, 8),
    cap=st.floats(0.5, 20),
    slope=st.floats(-1, 1),
    queries=st.integers(1, 9),
    keys=st.integers(1, 9),
)
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_random_functions_agree_with_torch(seed, reach, cap, slope, queries, keys):
    coin = torch.rand(2, 4, queries, keys, generator=torch.Generator().manual_seed(seed)) < 0.6

    def score_mod(s, b, h, q, k):
        return cap * torch.tanh(s / cap) + slope * (q - k) / (h + 1)

    def mask_mod(b, h, q, k):
        return coin[b, h, q, k] & (q - k <= reach)

    given_ = inputs(queries=queries, keys=keys, seed=seed)
    ours, _ = flex_attention(*given_, score_mod, mask_mod)
    torch.testing.assert_close(ours, theirs(*given_, score_mod, mask_mod), atol=1e-5, rtol=1e-5)


def test_loops_agree():
    query, key, value = inputs(queries=5, keys=6)
    context, weights = flex_attention(query, key, value, SCORES["slope"], CAUSAL)
    for b in range(2):
        for h in range(4):
            for q in range(5):
                rows = [k for k in range(6) if q >= k]
                scores = [query[b, h, q] @ key[b, h, k] / 6**0.5 - 2.0 ** -(h + 1) * abs(q - k) for k in rows]
                odds = torch.stack(scores).softmax(0)
                torch.testing.assert_close(weights[b, h, q, rows], odds)
                torch.testing.assert_close(context[b, h, q], odds @ value[b, h, rows])


def test_the_books_own_mechanisms_are_cases_of_it():
    given_ = inputs()
    window = flex_attention(*given_, mask_mod=MASKS["window"])
    for ours, expected in zip(
        window, scaled_dot_product_attention(*given_, window_mask(9, 9, 2)), strict=True
    ):
        torch.testing.assert_close(ours, expected)
    slopes = ALiBi(4).slopes.flatten()
    alibi = flex_attention(*given_, lambda s, b, h, q, k: s - slopes[h] * (q - k).abs())
    expected = scaled_dot_product_attention(*given_, ALiBi(4).bias(given_[0], 9))
    torch.testing.assert_close(alibi[0], expected[0])
    soft = flex_attention(*given_, SCORES["softcap"])
    torch.testing.assert_close(soft[1], scaled_dot_product_attention(*given_, softcap=2.0)[1])


def test_a_query_that_may_attend_to_nothing_gets_zeros_and_so_do_its_gradients():
    given_ = [x.requires_grad_() for x in inputs()]
    context, weights = flex_attention(*given_, mask_mod=MASKS["nothing for some"])
    assert not context[:, :, 4].any()
    assert not weights[:, :, 4].any()
    context.square().sum().backward()
    assert all(x.grad.isfinite().all() for x in given_)
    assert not given_[0].grad[:, :, 4].any()


def test_bad_functions_and_shapes_are_named():
    query, key, value = inputs()
    with pytest.raises(TypeError, match="^mask_mod: expected a function or None, got tensor"):
        flex_attention(query, key, value, mask_mod=torch.ones(9, 9).bool())
    with pytest.raises(TypeError, match="^score_mod: expected it to return a tensor, got float"):
        flex_attention(query, key, value, lambda s, b, h, q, k: 1.0)
    with pytest.raises(ValueError, match="^score_mod: expected it to return the shape of the scores"):
        flex_attention(query, key, value, lambda s, b, h, q, k: s[..., :3])
    with pytest.raises(ValueError, match="^mask_mod: expected it to return booleans"):
        flex_attention(query, key, value, mask_mod=lambda b, h, q, k: q - k)
    with pytest.raises(ValueError, match="^key: expected n_kv_heads that divides"):
        flex_attention(query, key[:, :3], value[:, :3])
    with pytest.raises(ValueError, match="^value: expected shape"):
        flex_attention(query, key, value[:, :2])
    with pytest.raises(ValueError, match="^query: expected 4 dimensions"):
        flex_attention(query[0], key, value)
    with pytest.raises(ValueError, match="^key: expected batch = 2"):
        flex_attention(query, key[:1], value[:1])
    with pytest.raises(ValueError, match="^key: expected last dimension d_k = 6"):
        flex_attention(query, key[..., :3], value)


# ---- blocks ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    queries=st.integers(1, 40),
    keys=st.integers(1, 40),
    block=st.sampled_from([4, 8, 16]),
    share=st.sampled_from([0.02, 0.5, 1.0]),
)
def test_blocks_are_those_of_torch(seed, queries, keys, block, share):
    coin = torch.rand(queries, keys, generator=torch.Generator().manual_seed(seed)) < share

    def mask_mod(b, h, q, k):
        return coin[q, k] & (q - k <= 9)

    expected = create_block_mask(mask_mod, None, None, queries, keys, device="cpu", BLOCK_SIZE=block)
    kinds = block_kinds(mask_mod, queries, keys, block)
    assert torch.equal((kinds == 1).sum(1), expected.kv_num_blocks[0, 0].long())
    assert torch.equal((kinds == 2).sum(1), expected.full_kv_num_blocks[0, 0].long())


def test_kinds_of_causal_blocks():
    assert block_kinds(CAUSAL, 6, 6, 2).tolist() == [[1, 0, 0], [2, 1, 0], [2, 2, 1]]
    with pytest.raises(ValueError, match="block_size"):
        block_kinds(CAUSAL, 6, 6, 0)


# ---- ONNX -----------------------------------------------------------------------------------------

onnx = pytest.importorskip(
    "onnx", reason="onnx is not installed, so FlexAttention's 11 cases were NOT RUN: pip install onnx==1.22.0"
)
from onnx import numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

VECTORS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
CASES = sorted(p.name for p in VECTORS.glob("test_flexattention*") if "_expanded" not in p.name)
TOLERANCE = {torch.float16: 2e-3, torch.float32: 1e-6, torch.float64: 1e-12}


def mechanism(graph):
    """A subgraph of the operator as a function of the scores or the weights alone, run by onnx."""
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 24)])
    evaluator = ReferenceEvaluator(model)

    def apply(x, *_):
        return torch.from_numpy(evaluator.run(None, {graph.input[0].name: x.numpy()})[0])

    return apply


def test_all_11_cases_are_here():
    assert onnx.__version__ == "1.22.0", "later onnx packages ship no vectors: pip install onnx==1.22.0"
    assert len(CASES) == 11
    assert onnx.defs.get_schema("FlexAttention", domain="ai.onnx.preview").since_version == 1


@pytest.mark.parametrize("case", CASES)
def test_onnx_case(case, conforms):
    node = onnx.load(VECTORS / case / "model.onnx").graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    tensors = []
    for name in ("input_0", "input_1", "input_2", "output_0"):
        proto = onnx.TensorProto()
        proto.ParseFromString((VECTORS / case / "test_data_set_0" / f"{name}.pb").read_bytes())
        tensors.append(torch.from_numpy(np.array(numpy_helper.to_array(proto))))
    *given_, expected = tensors
    functions = {
        name: mechanism(attributes[name]) for name in ("score_mod", "prob_mod") if name in attributes
    }
    context, _ = flex_attention(*given_, scale=attributes.get("scale"), **functions)
    conforms(f"onnx {onnx.__version__} FlexAttention", context, expected, TOLERANCE[expected.dtype])
