"""The translator and GPT as wholes. (Their layers are compared with torch's in test_torch.py.)"""

import math

import pytest
import torch

from attnbook.nn import GPT, DecoderLayer, EncoderLayer, FeedForward, Transformer, transformer
from attnbook.nn.gpt import POSITIONS

BATCH, SRC, TGT = 3, 5, 4


def translator(**options):
    torch.manual_seed(0)
    return Transformer(13, 11, 16, 4, 2, 32, **options).double().eval()


def sentences():
    generator = torch.Generator().manual_seed(1)
    src = torch.randint(13, (BATCH, SRC), generator=generator)
    tgt = torch.randint(11, (BATCH, TGT), generator=generator)
    return src, tgt, torch.arange(SRC) < torch.tensor([[5], [2], [4]])


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("positions", transformer.POSITIONS)
def test_steps_are_teacher_forcing(norm, positions):
    model, (src, tgt, mask) = translator(norm=norm, positions=positions), sentences()
    logits, weights = model(src, tgt, mask, need_weights=True)
    torch.testing.assert_close(model(src, tgt, mask)[0], logits)
    state = model.start(src, mask)
    for i, word in enumerate(tgt.unbind(1)):
        before = state
        step, looked, state = model.step(word, state)
        torch.testing.assert_close(step, logits[:, i])
        torch.testing.assert_close(looked, weights.cross[-1][:, :, i].mean(1))
        torch.testing.assert_close(model.step(word, before)[0], step)  # the old state is as it was
    assert state.position == TGT


def test_selected_rows_go_on_as_they_would_have():
    model, (src, tgt, mask) = translator(), sentences()
    _, _, state = model.step(tgt[:, 0], model.start(src, mask))
    rows = torch.tensor([2, 2, 0, 1])
    expected, weights, _ = model.step(tgt[:, 1], state)
    got, got_weights, _ = model.step(tgt[rows, 1], state.select(rows))
    torch.testing.assert_close(got, expected[rows])
    torch.testing.assert_close(got_weights, weights[rows])


def test_padding_and_later_words_change_nothing():
    model, (src, tgt, mask) = translator(), sentences()
    logits, weights = model(src, tgt, mask, need_weights=True)
    torch.testing.assert_close(model(torch.where(mask, src, 7), tgt, mask)[0], logits)
    later = tgt.clone()
    later[:, 2:] = 3
    torch.testing.assert_close(model(src, later, mask)[0][:, :2], logits[:, :2])
    torch.testing.assert_close(model(src[1:2, :2], tgt[1:2])[0], logits[1:2])
    for layer in (*weights.encoder, *weights.cross):
        assert not layer.masked_select(~mask[:, None, None, :]).any()
    for layer in weights.decoder:
        assert not layer.triu(1).any()


def test_the_source_matters():
    model, (src, tgt, mask) = translator(), sentences()
    assert not torch.allclose(model((src + 1) % 13, tgt, mask)[0], model(src, tgt, mask)[0])


def test_tied_and_shared_embeddings():
    model = translator()
    assert model.output.weight is model.tgt_embedding.weight
    assert model.output.bias is None
    assert model.src_embedding.weight is not model.tgt_embedding.weight
    free = translator(tied=False)
    assert free.output.weight is not free.tgt_embedding.weight
    shared = Transformer(11, 11, 16, 4, 1, 32, shared=True)
    assert shared.src_embedding.weight is shared.tgt_embedding.weight is shared.output.weight


def test_the_base_model_has_the_papers_size():
    """Table 3: 65 million parameters, with 37,000 shared tokens."""
    with torch.device("meta"):
        model = Transformer(37000, 37000, shared=True)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6) in (63, 64, 65)


def test_word_vectors_are_scaled_before_positions_are_added():
    model, (src, _, _) = translator(), sentences()
    vectors = model.src_embedding(src) * math.sqrt(16)
    torch.testing.assert_close(model.embed(model.src_embedding, src), model.positions(vectors))


def test_dropout_is_for_training_only_and_gradients_reach_everything():
    model, (src, tgt, mask) = translator(dropout=0.3), sentences()
    torch.testing.assert_close(model(src, tgt, mask)[0], model(src, tgt, mask)[0])
    model.train()
    assert not torch.equal(model(src, tgt, mask)[0], model(src, tgt, mask)[0])
    model(src, tgt, mask)[0].logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_it_learns_to_copy():
    torch.manual_seed(0)
    model = Transformer(8, 8, 32, 4, 1, 64, dropout=0.0, norm="pre")
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(150):
        src = torch.randint(1, 8, (32, 5))
        tgt = torch.cat([torch.zeros(32, 1, dtype=torch.long), src[:, :-1]], dim=1)
        loss = torch.nn.functional.cross_entropy(model(src, tgt)[0].flatten(0, 1), src.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
def test_gpt_cached_is_uncached(positions, n_kv_heads):
    torch.manual_seed(0)
    model = GPT(11, 16, 4, 2, max_length=9, n_kv_heads=n_kv_heads, positions=positions).double().eval()
    tokens = torch.randint(11, (2, 9))
    logits, weights = model(tokens, need_weights=True)
    torch.testing.assert_close(model(tokens)[0], logits)
    assert [w.shape for w in weights] == [(2, 4, 9, 9)] * 2
    assert not any(w.triu(1).any() for w in weights)
    state, read = model.start(), 0
    for part in tokens.split([4, 1, 3, 1], dim=1):
        read += part.shape[1]
        got, state = model.step(part, state)
        torch.testing.assert_close(got, logits[:, read - 1], atol=1e-12, rtol=1e-12)
    other = torch.where(torch.arange(9) < 5, tokens, 0)
    torch.testing.assert_close(model(other)[0][:, :5], logits[:, :5])


def test_gpt_generates():
    torch.manual_seed(0)
    model = GPT(11, 16, 4, 2, max_length=12).eval()
    prompt = torch.randint(11, (2, 3))
    greedy = model.generate(prompt, 5, temperature=0)
    assert greedy.shape == (2, 8)
    for i in range(3, 8):
        assert torch.equal(model(greedy[:, :i])[0][:, -1].argmax(-1), greedy[:, i])
    assert torch.equal(model.generate(prompt, 5, top_k=1), greedy)
    draws = [model.generate(prompt, 5, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(model.generate(prompt, 0), prompt)


def test_gpt_padding_mask():
    torch.manual_seed(0)
    model = GPT(11, 16, 4, 1, max_length=12).double().eval()
    tokens = torch.randint(11, (2, 6))
    mask = torch.arange(6) < torch.tensor([[6], [3]])
    torch.testing.assert_close(model(tokens, mask)[0][1, :3], model(tokens[1:, :3])[0][0])


SRC_TOKENS, TGT_TOKENS, MASK = sentences()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Transformer(13, 11, shared=True), ValueError, "shared: expected src_vocab = tgt_vocab"),
        (
            lambda: Transformer(13, 11, 16, 5),
            ValueError,
            "n_heads: expected a number that divides d_model = 16",
        ),
        (lambda: Transformer(13, 11, norm="middle"), ValueError, "norm: expected 'post' or 'pre'"),
        (
            lambda: Transformer(13, 11, positions="alibi"),
            ValueError,
            "positions: expected 'sinusoidal'",
        ),
        (lambda: Transformer(13, 11, dropout=1), ValueError, "dropout: expected a number from 0"),
        (lambda: FeedForward(4, 8, "tanh"), ValueError, "activation: expected 'relu' or 'gelu'"),
        (
            lambda: EncoderLayer(8, 2, 4)(torch.zeros(2, 3, 7)),
            ValueError,
            "x: expected last dimension d_model = 8",
        ),
        (
            lambda: DecoderLayer(8, 2, 4)(torch.zeros(2, 3), torch.zeros(2, 3, 8)),
            ValueError,
            "x: expected 3 dim",
        ),
        (
            lambda: translator()(SRC_TOKENS + 9, TGT_TOKENS),
            ValueError,
            "src: expected token numbers from 0 to 12",
        ),
        (lambda: translator()(SRC_TOKENS, TGT_TOKENS.float()), ValueError, "tgt: expected token numbers"),
        (lambda: translator()(SRC_TOKENS, TGT_TOKENS[:2]), ValueError, "tgt: expected 3 rows as in src"),
        (lambda: translator()(SRC_TOKENS, TGT_TOKENS, MASK[:, :2]), ValueError, "src_mask: expected shape"),
        (lambda: translator()(SRC_TOKENS, TGT_TOKENS, MASK.long()), ValueError, "src_mask: expected bool"),
        (
            lambda: translator().step(TGT_TOKENS, translator().start(SRC_TOKENS)),
            ValueError,
            "token: expected 1 dim",
        ),
        (lambda: GPT(11, 16, 4, 1, positions="fixed"), ValueError, "positions: expected 'learned' or"),
        (
            lambda: GPT(11, 16, 4, 1, max_length=3)(torch.zeros(1, 4).long()),
            ValueError,
            "x: expected positions",
        ),
        (
            lambda: GPT(11, 16, 4, 1).generate(torch.zeros(1, 0).long(), 2),
            ValueError,
            "tokens: expected at least one",
        ),
        (
            lambda: GPT(11, 16, 4, 1).generate(torch.zeros(1, 1).long(), 2, -1.0),
            ValueError,
            "temperature: expected",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
