"""Linear attention: against loops written from the papers, form against form, carried over, masked."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import LinearAttention, elu_plus_one, linear_attention, unit_length
from attnbook.nn.linear import FORMS, RULES

EXACT = {"rtol": 1e-9, "atol": 1e-9}


def draw(rule, seed=0, batch=2, n_heads=4, n_kv_heads=2, length=7, d_k=3, d_v=5, per_key=False):
    """Inputs of all sizes different, keys of unit length, in float64."""
    g = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    inputs = {
        "query": random(batch, n_heads, length, d_k),
        "key": unit_length(random(batch, n_kv_heads, length, d_k)),
        "value": random(batch, n_kv_heads, length, d_v),
        "rule": rule,
    }
    if "gated" in rule:
        size = (d_k,) if per_key else ()
        inputs["decay"] = -random(batch, n_kv_heads, length, *size).exp()
    if "delta" in rule:
        inputs["beta"] = random(batch, n_kv_heads, length).sigmoid()
    return inputs


def by_the_paper(query, key, value, rule, decay=None, beta=None, state=None, scale=1.0):
    """One row, head, token and number at a time: the equations at the head of nn/linear.py."""
    (batch, n_heads, length, d_k), (_, n_kv_heads, _, d_v) = query.shape, value.shape
    out = query.new_zeros(batch, n_heads, length, d_v)
    last = query.new_zeros(batch, n_kv_heads, d_k, d_v)
    for b in range(batch):
        for h in range(n_kv_heads):
            S = torch.zeros(d_k, d_v).double() if state is None else state[b, h].clone()
            for t in range(length):
                if "gated" in rule:
                    for i in range(d_k):
                        g = decay[b, h, t] if decay.dim() == 3 else decay[b, h, t, i]
                        S[i] *= g.exp()
                k, v = key[b, h, t], value[b, h, t]
                if "delta" in rule:
                    v = beta[b, h, t] * (v - S.T @ k)
                for i in range(d_k):
                    for j in range(d_v):
                        S[i, j] += k[i] * v[j]
                for i in range(n_heads):
                    if i // (n_heads // n_kv_heads) == h:
                        out[b, i, t] = scale * S.T @ query[b, i, t]
            last[b, h] = S
    return out, last


@pytest.mark.parametrize("per_key", [False, True], ids=["per head", "per key"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", RULES)
def test_against_the_paper(rule, form, per_key, conforms):
    inputs = draw(rule, per_key=per_key)
    state = torch.randn(2, 2, 3, 5, dtype=torch.float64)
    got = linear_attention(**inputs, state=state, form=form, chunk_size=3, scale=0.7)
    expected = by_the_paper(**inputs, state=state, scale=0.7)
    for name, given_, wanted in zip(("context", "state"), got, expected, strict=True):
        conforms(f"linear attention's equations, {form} form, float64", given_, wanted, 1e-12, name)


@settings(max_examples=60, deadline=None)
@given(
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 10_000),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 20)),
    d_k=st.integers(1, 5),
    d_v=st.integers(1, 5),
    chunk_size=st.integers(1, 24),
    per_key=st.booleans(),
    with_state=st.booleans(),
)
def test_three_forms_are_one(rule, seed, sizes, d_k, d_v, chunk_size, per_key, with_state):
    batch, n_kv_heads, group, length = sizes
    inputs = draw(rule, seed, batch, n_kv_heads * group, n_kv_heads, length, d_k, d_v, per_key)
    state = torch.randn(batch, n_kv_heads, d_k, d_v, dtype=torch.float64) if with_state else None
    context, last = linear_attention(**inputs, state=state, form="recurrent")
    for form in ("chunked", "parallel"):
        found = linear_attention(**inputs, state=state, form=form, chunk_size=chunk_size)
        torch.testing.assert_close(found[0], context, **EXACT)
        torch.testing.assert_close(found[1], last, **EXACT)


@settings(max_examples=30, deadline=None)
@given(rule=st.sampled_from(RULES), seed=st.integers(0, 10_000), cut=st.integers(1, 10))
def test_the_state_carries_over(rule, seed, cut):
    """A text in two calls, the state passed on, reads as it does in one."""
    inputs = draw(rule, seed, length=11)
    whole, last = linear_attention(**inputs, chunk_size=4)
    parts, state = [], None
    for piece in (slice(0, cut), slice(cut, 11)):
        cut_inputs = {n: x if n == "rule" else x[:, :, piece] for n, x in inputs.items()}
        part, state = linear_attention(**cut_inputs, state=state, chunk_size=4)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 2), whole, **EXACT)
    torch.testing.assert_close(state, last, **EXACT)


@pytest.mark.parametrize("form", FORMS)
def test_linear_is_attention_without_softmax(form):
    """(Q Kᵀ ⊙ causal) V."""
    inputs = draw("linear", n_heads=2)
    context, _ = linear_attention(**inputs, form=form, scale=1.0)
    scores = inputs["query"] @ inputs["key"].transpose(-2, -1)
    torch.testing.assert_close(context, scores.tril() @ inputs["value"], **EXACT)


def test_rules_meet_at_their_ends():
    """No decay is no gate; orthogonal keys and β = 1 leave nothing to correct."""
    inputs = draw("gated")
    inputs["decay"].zero_()
    plain = linear_attention(*(inputs[n] for n in ("query", "key", "value")))
    torch.testing.assert_close(linear_attention(**inputs), plain, **EXACT)
    key = torch.eye(5, dtype=torch.float64)[None, None]
    value, query = torch.randn(1, 1, 5, 2).double(), torch.randn(1, 1, 5, 5).double()
    ones = torch.ones(1, 1, 5).double()
    torch.testing.assert_close(
        linear_attention(query, key, value, "delta", beta=ones), linear_attention(query, key, value), **EXACT
    )


@pytest.mark.parametrize("form", FORMS)
def test_delta_replaces_where_linear_adds(form):
    key = unit_length(torch.randn(1, 1, 1, 4, dtype=torch.float64)).expand(1, 1, 3, 4)
    value = torch.tensor([[3.0], [5.0], [11.0]], dtype=torch.float64)[None, None]
    added, _ = linear_attention(key, key, value, scale=1.0, form=form)
    beta = torch.ones(1, 1, 3, dtype=torch.float64)
    replaced, _ = linear_attention(key, key, value, "delta", beta=beta, scale=1.0, form=form)
    torch.testing.assert_close(added.flatten(), torch.tensor([3.0, 8, 19]).double(), **EXACT)
    torch.testing.assert_close(replaced.flatten(), value.flatten(), **EXACT)


@pytest.mark.parametrize("form", FORMS)
def test_a_gate_that_forgets_everything(form):
    """A decay of minus infinity leaves no trace of the past: no NaN, in gradients neither."""
    inputs = draw("gated_delta", length=6)
    inputs["decay"][:, :, 3] = -torch.inf
    for name in ("query", "key", "value", "beta"):
        inputs[name].requires_grad_()
    context, state = linear_attention(**inputs, form=form, chunk_size=4)
    later = {n: x if n == "rule" else x[:, :, 3:] for n, x in inputs.items()}
    fresh, _ = linear_attention(**later)
    torch.testing.assert_close(context[:, :, 3:], fresh, **EXACT)
    (context.sum() + state.sum()).backward()
    assert all(inputs[n].grad.isfinite().all() for n in ("query", "key", "value", "beta"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", RULES)
def test_padding_writes_nothing(rule, form):
    inputs = draw(rule, length=5)
    mask = torch.tensor([[True, True, False, True, False], [False] * 5])
    for name in ("key", "value"):
        inputs[name][0, :, 2] = torch.nan
        inputs[name][1] = torch.nan
    inputs["value"].requires_grad_()
    inputs["query"].requires_grad_()
    context, state = linear_attention(**inputs, mask=mask, form=form, chunk_size=2)
    kept = {n: x if n == "rule" else x[:1, :, [0, 1, 3]] for n, x in inputs.items()}
    alone, last = linear_attention(**kept)
    torch.testing.assert_close(context[:1, :, [0, 1, 3]], alone, **EXACT)
    torch.testing.assert_close(state[:1], last, **EXACT)
    assert not context[1].any()
    assert not state[1].any()
    context.sum().backward()
    assert inputs["value"].grad.isfinite().all()
    assert not inputs["query"].grad[1].any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", RULES)
def test_gradients(rule, form):
    inputs = draw(rule, batch=1, n_heads=2, n_kv_heads=1, length=4, d_k=2, d_v=2)
    names = [n for n in inputs if n != "rule"]
    leaves = [inputs[n].clone().requires_grad_() for n in names]
    leaves.append(torch.randn(1, 1, 2, 2, dtype=torch.float64, requires_grad=True))

    def call(*given_):
        named = dict(zip([*names, "state"], given_, strict=True))
        return linear_attention(**named, rule=rule, form=form, chunk_size=3)

    assert torch.autograd.gradcheck(call, leaves)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", FORMS)
def test_half_precision_keeps_its_state_in_float32(form, dtype):
    """A thousand small writes: a state of half precision would stop growing."""
    key = torch.ones(1, 1, 1000, 1, dtype=dtype)
    value = torch.full((1, 1, 1000, 1), 1 / 16, dtype=dtype)
    context, state = linear_attention(key, key, value, scale=1.0, form=form)
    assert (context.dtype, state.dtype) == (dtype, torch.float32)
    assert state.item() == pytest.approx(62.5)
    again, _ = linear_attention(key, key, value, state=state.to(dtype), scale=1.0, form=form)
    assert again[0, 0, -1, 0].item() == pytest.approx(125, rel=0.01)


def test_what_is_far_back_is_not_lost_in_rounding():
    """Small decays beside a large one keep their precision in the chunk, in float32."""
    inputs = {n: x if n == "rule" else x.float() for n, x in draw("gated", length=64).items()}
    inputs["decay"] = torch.full((2, 2, 64), -1e-3)
    inputs["decay"][:, :, 5] = -3e4
    one, _ = linear_attention(**inputs, form="recurrent")
    all_at_once, _ = linear_attention(**inputs, form="parallel")
    torch.testing.assert_close(one, all_at_once, rtol=1e-4, atol=1e-5)


def test_feature_maps():
    x = torch.tensor([[-1.0, 0.0, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
    torch.testing.assert_close(elu_plus_one(x)[0], torch.tensor([torch.tensor(-1.0).exp(), 1.0, 3.0]))
    unit = unit_length(x)
    torch.testing.assert_close(unit.norm(dim=-1), torch.tensor([1.0, 0.0]))
    unit.sum().backward()
    assert x.grad.isfinite().all()
    big = torch.tensor([3e2, 4e2], dtype=torch.float16)  # its squares overflow
    torch.testing.assert_close(unit_length(big), torch.tensor([0.6, 0.8], dtype=torch.float16))


# ---- the layer


@pytest.mark.parametrize("feature_map", [unit_length, elu_plus_one, None])
@pytest.mark.parametrize("rule", RULES)
def test_the_layer_is_its_equations(rule, feature_map):
    torch.manual_seed(0)
    layer = LinearAttention(8, 4, 2, rule, feature_map, chunk_size=3).double()
    x = torch.randn(2, 7, 8, dtype=torch.float64)
    context, state = layer(x)
    heads = []
    for i in range(4):
        h = i // 2
        q, k, v = (
            x @ W.weight[j * 2 : j * 2 + 2].T for W, j in ((layer.W_q, i), (layer.W_k, h), (layer.W_v, h))
        )
        if feature_map is not None:
            q, k = feature_map(q), feature_map(k)
        decay = beta = None
        if "gated" in rule:
            decay = (x @ layer.W_decay.weight[h] + layer.W_decay.bias[h]).sigmoid().log()[:, None]
        if "delta" in rule:
            beta = (x @ layer.W_beta.weight[h] + layer.W_beta.bias[h]).sigmoid()[:, None]
        o, S = by_the_paper(q[:, None], k[:, None], v[:, None], rule, decay, beta, scale=2**-0.5)
        heads.append(o[:, 0])
        torch.testing.assert_close(state[:, h], S[:, 0], **EXACT)
    torch.testing.assert_close(context, torch.cat(heads, -1) @ layer.W_o.weight.T, **EXACT)


@pytest.mark.parametrize("rule", RULES)
def test_the_layer_goes_on_where_it_stopped(rule):
    torch.manual_seed(0)
    layer, x = LinearAttention(8, 2, rule=rule), torch.randn(2, 9, 8)
    whole, last = layer(x)
    state, outs = None, []
    for t in range(9):  # decoding: one token a call
        out, state = layer(x[:, t : t + 1], state)
        outs.append(out)
    torch.testing.assert_close(torch.cat(outs, 1), whole, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(state, last, rtol=1e-4, atol=1e-5)


def test_normalised_weights_sum_to_one():
    """Katharopoulos et al. 2020: Σ φ(q) · φ(k_j) v_j over Σ φ(q) · φ(k_j), and zeros where all is padding."""
    torch.manual_seed(0)
    layer = LinearAttention(8, 2, feature_map=elu_plus_one, normalised=True, chunk_size=3).double()
    x = torch.randn(2, 7, 8, dtype=torch.float64, requires_grad=True)
    context, _ = layer(x, mask=torch.tensor([[True] * 7, [False] * 7]))
    q, k = (elu_plus_one(W(x).unflatten(-1, (2, 4)).transpose(1, 2)) for W in (layer.W_q, layer.W_k))
    weights = (q @ k.transpose(-2, -1)).tril()
    weights = weights / weights.sum(-1, keepdim=True)
    heads = weights @ layer.W_v(x).unflatten(-1, (2, 4)).transpose(1, 2)
    expected = layer.W_o(heads.transpose(1, 2).flatten(2))
    torch.testing.assert_close(context[0], expected[0], **EXACT)
    assert not context[1].any()
    context.sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("form", FORMS)
def test_mixed_precision_keeps_its_sums_in_float32(form):
    torch.manual_seed(0)
    layer, x = LinearAttention(8, 2, rule="gated_delta", form=form), torch.randn(2, 9, 8)
    exact, _ = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        context, state = layer(x)
    assert (context.dtype, state.dtype) == (torch.bfloat16, torch.float32)
    torch.testing.assert_close(context.float(), exact, rtol=0.05, atol=0.01)


def test_the_future_is_not_seen():
    layer, x = LinearAttention(8, 2, rule="gated_delta", chunk_size=4), torch.randn(1, 9, 8)
    changed = x.clone()
    changed[:, 5:] = 0
    torch.testing.assert_close(layer(changed)[0][:, :5], layer(x)[0][:, :5])


# ---- what is told to whoever gives something wrong


def broken(**changes):
    inputs = draw("gated_delta")
    return linear_attention(**{**inputs, **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"query": torch.ones(2, 7, 12)}, r"query: expected 4 dimensions"),
        ({"query": torch.ones(2, 4, 7, 3)}, r"key: expected torch.float32 as in query"),
        ({"query": torch.ones(2, 4, 0, 3).double()}, r"query: expected at least one token"),
        ({"query": torch.ones(2, 5, 7, 3).double()}, r"key: expected a number of heads that divides"),
        ({"query": torch.ones(2, 4, 7, 4).double()}, r"key: expected shape \(2, 2, 7, 4\)"),
        ({"value": torch.ones(2, 2, 6, 5).double()}, r"value: expected shape \(2, 2, 7\) and d_v"),
        ({"rule": "delta"}, r"decay: expected None, since rule 'delta' does not use it"),
        ({"rule": "gated"}, r"beta: expected None"),
        ({"rule": "mamba"}, r"rule: expected 'linear' or 'gated'"),
        ({"decay": None}, r"decay: expected shape \(2, 2, 7\), got None; rule 'gated_delta' needs it"),
        ({"beta": None}, r"beta: expected shape \(2, 2, 7\), got None"),
        ({"beta": torch.ones(2, 7, 2).double()}, r"beta: expected shape \(2, 2, 7\)"),
        ({"decay": torch.ones(2, 7, 2).double()}, r"decay: expected shape \(2, 2, 7\) or \(2, 2, 7, 3\)"),
        ({"state": torch.ones(2, 2, 5, 3)}, r"state: expected \(batch, n_kv_heads, d_k, d_v\) = "),
        ({"mask": torch.ones(2, 7)}, r"mask: expected bool"),
        ({"mask": torch.ones(2, 7, 7).bool()}, r"mask: expected"),
        ({"form": "fast"}, r"form: expected 'recurrent' or 'chunked' or 'parallel'"),
        ({"chunk_size": 0}, r"chunk_size: expected a whole number"),
    ],
)
def test_errors_name_argument_and_remedy(changes, told):
    with pytest.raises(ValueError, match=told):
        broken(**changes)


def test_wrong_kinds_are_named():
    with pytest.raises(TypeError, match="query: expected a torch.Tensor"):
        broken(query=[1.0])
    with pytest.raises(TypeError, match="scale: expected a number"):
        broken(scale="1")
    with pytest.raises(ValueError, match="n_kv_heads: expected a number that divides n_heads = 4"):
        LinearAttention(8, 4, 3)
    with pytest.raises(ValueError, match="normalised: expected False for rule 'delta'"):
        LinearAttention(8, 4, rule="delta", normalised=True)
    with pytest.raises(TypeError, match="normalised: expected True or False"):
        LinearAttention(8, 4, normalised=1)
    with pytest.raises(ValueError, match="rule: expected"):
        LinearAttention(8, 4, rule="elta")
    with pytest.raises(ValueError, match="x: expected last dimension d_model = 8"):
        LinearAttention(8, 4)(torch.ones(1, 2, 9))
