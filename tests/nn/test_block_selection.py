"""Choosing blocks: against loops, its dense limit, what is never seen, what the compressed branch is."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.nn import ALiBi, BlockSelectionAttention, MultiHeadAttention, RotaryPositions, selected_keys
from attnbook.nn.block_selection import block_means, past_blocks


def chosen_by_loops(query, key, block_size, n_blocks):
    """(length, length) of bool for one head, from the paper's words."""
    length = query.shape[0]
    blocks = [range(s, min(s + block_size, length)) for s in range(0, length, block_size)]
    mask = torch.zeros(length, length, dtype=torch.bool)
    for t in range(length):
        own = t // block_size
        scores = {j: float(query[t] @ key[list(blocks[j])].mean(0)) for j in range(own)}
        best = sorted(scores, key=scores.get, reverse=True)[: n_blocks - 1]
        for j in [*best, own]:
            for s in blocks[j]:
                mask[t, s] = s <= t
    return mask


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    length=st.integers(1, 23),
    block_size=st.integers(1, 9),
    n_blocks=st.integers(1, 6),
)
def test_loops_choose_the_same_keys(seed, length, block_size, n_blocks):
    generator = torch.Generator().manual_seed(seed)
    query, key = (torch.randn(2, 3, length, 4, generator=generator) for _ in range(2))
    mask = selected_keys(query, key, block_size, n_blocks)
    for b in range(2):
        for h in range(3):
            assert torch.equal(mask[b, h], chosen_by_loops(query[b, h], key[b, h], block_size, n_blocks))
    assert mask.sum(-1).max() <= n_blocks * block_size


@pytest.mark.parametrize("positions", [None, RotaryPositions(4)], ids=["none", "rotary"])
@pytest.mark.parametrize("block_size", [1, 4, 16])
def test_with_all_blocks_it_is_full_attention(positions, block_size):
    torch.manual_seed(0)
    sparse = BlockSelectionAttention(8, 2, block_size, 13, positions=positions)
    full = MultiHeadAttention(8, 2, positions=positions)
    full.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 13, 8)
    for given_, expected in zip(sparse(x), full(x, causal=True), strict=True):
        torch.testing.assert_close(given_, expected)


def test_the_compressed_branch_is_attention_to_means_and_the_gates_close():
    torch.manual_seed(0)
    sparse = BlockSelectionAttention(4, 1, 3, 1, compressed=True)
    x = torch.randn(1, 8, 4)
    query, key, value = (w(x).unsqueeze(1) for w in (sparse.W_q, sparse.W_k, sparse.W_v))
    coarse = sparse.attend_to_means(query, key, value)[0, 0]
    assert not coarse[:3].any()  # no block lies before these
    for t in range(3, 8):
        means = [
            (key[0, 0, s : s + 3].mean(0), value[0, 0, s : s + 3].mean(0)) for s in range(0, t - t % 3, 3)
        ]
        odds = torch.stack([query[0, 0, t] @ k / 2 for k, _ in means]).softmax(0)
        torch.testing.assert_close(coarse[t], sum(o * v for o, (_, v) in zip(odds, means, strict=True)))
    with torch.no_grad():
        sparse.gates.weight.zero_()
        sparse.gates.bias.copy_(torch.tensor([50.0, -50.0]))  # chosen open, coarse closed
    alone = BlockSelectionAttention(4, 1, 3, 1)
    alone.load_state_dict(sparse.state_dict(), strict=False)
    torch.testing.assert_close(sparse(x)[0], alone(x)[0])


@pytest.mark.parametrize("compressed", [False, True])
def test_nothing_is_seen_of_what_comes_later_and_gradients_are_finite(compressed):
    torch.manual_seed(0)
    layer = BlockSelectionAttention(8, 2, 4, 2, compressed)
    x = torch.randn(1, 14, 8, requires_grad=True)
    changed = x.detach().clone()
    changed[:, 9:] += 1.0
    torch.testing.assert_close(layer(x)[0][:, :9], layer(changed)[0][:, :9])
    layer(x)[0].square().sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters() if p.grad is not None)
    assert layer.W_q.weight.grad.abs().sum() > 0


def test_chance_chooses_as_many_and_others():
    torch.manual_seed(0)
    layer = BlockSelectionAttention(8, 2, 2, 3)
    x = torch.randn(1, 40, 8)
    by_mean = layer(x)[1] > 0
    layer.chooses = "random"
    by_chance = layer(x)[1] > 0
    assert torch.equal(by_mean.sum(-1), by_chance.sum(-1))
    assert not torch.equal(by_mean, by_chance)


def test_means_of_blocks_and_which_lie_before():
    x = torch.arange(5.0).view(5, 1)
    assert block_means(x, 2).flatten().tolist() == [0.5, 2.5, 4.0]
    assert past_blocks(5, 2, x.device).int().tolist() == [
        [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]]  # fmt: skip
    assert block_means(torch.randn(3, 7, 4).half(), 2).dtype == torch.float16


def test_bad_arguments_are_named():
    x = torch.randn(1, 4, 8)
    with pytest.raises(ValueError, match="^n_blocks"):
        BlockSelectionAttention(8, 2, 4, 0)
    with pytest.raises(TypeError, match="^positions: expected RotaryPositions"):
        BlockSelectionAttention(8, 2, 4, 1, positions=ALiBi(2))
    with pytest.raises(ValueError, match="^key: expected one key for each of the 4 queries"):
        selected_keys(x, x[:, :3], 2, 1)
    with pytest.raises(ValueError, match="block_scores"):
        selected_keys(x, x, 2, 1, torch.zeros(1, 4, 3))
    with pytest.raises(ValueError, match="^x: "):
        BlockSelectionAttention(8, 2, 4, 1)(torch.randn(1, 4, 7))
