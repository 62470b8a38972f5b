"""WordModel: equal to its parts; ablation puts a constant in a head's place; padding is not seen."""

import pytest
import torch
from torch import nn

from attnbook.nn import EncoderLayer, WordModel
from attnbook.nn.small_reader import head_contexts


def model(**options):
    torch.manual_seed(0)
    made = WordModel(**{"vocab": 11, "d_model": 12, "n_heads": 3, "n_layers": 2, "max_length": 7, **options})
    for parameter in made.parameters():  # biases and gains that matter
        nn.init.normal_(parameter, std=0.4)
    return made.double()


def sentences(batch=2, length=6):
    return torch.randint(0, 11, (batch, length), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("causal", [False, True])
def test_with_a_feed_forward_it_is_a_pre_norm_encoder(causal):
    made = model(d_ff=20, causal=causal)
    tokens = sentences()
    x = made.embedding(tokens) + made.positions.table[:6]
    weights = []
    for layer in made.layers:
        same = EncoderLayer(12, 3, 20, dropout=0, norm="pre").double()
        same.load_state_dict(layer.state_dict())
        x, own = same(x, causal=causal)
        weights.append(own)
    logits, got = made(tokens)
    torch.testing.assert_close(logits, made.norm(x) @ made.embedding.weight.T)
    torch.testing.assert_close(got, torch.stack(weights, 1))
    assert got.shape == (2, 2, 3, 6, 6)


def test_without_it_the_layers_are_attention_alone():
    made = model(tied=False)
    tokens = sentences()
    x = made.embedding(tokens) + made.positions.table[:6]
    for layer in made.layers:
        x = x + layer.attention(layer.norm_1(x))[0]
    torch.testing.assert_close(made(tokens)[0], made.output(made.norm(x)))
    assert not any("feed_forward" in name for name, _ in made.named_parameters())


def test_no_word_sees_a_later_one():
    made = model(causal=True)
    tokens = sentences()
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % 11
    torch.testing.assert_close(made(tokens)[0][:, :4], made(changed)[0][:, :4])
    assert (made(tokens)[1].triu(1) == 0).all()


def test_padding_is_not_seen():
    made = model()
    tokens = sentences()
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[:, 4:] = False
    logits, weights = made(tokens, mask)
    torch.testing.assert_close(logits[:, :4], made(tokens[:, :4])[0])
    assert (weights[..., 4:] == 0).all()
    ablated = made(tokens, mask, ablate=[(0, 1)])[0]
    torch.testing.assert_close(ablated[:, :4], made(tokens[:, :4], ablate=[(0, 1)])[0])


@pytest.mark.parametrize("ablation", ["zero", "mean"])
def test_an_ablated_head_hands_on_a_constant(ablation):
    """Zeros, or its mean: the same as cutting the head's columns out of W_o, and adding a constant."""
    made = model()
    tokens = sentences()
    means = made.measure_head_means(tokens).clone()
    off = [(0, 2), (1, 0)]
    x = made.embedding(tokens) + made.positions.table[:6]
    for i, layer in enumerate(made.layers):
        W = layer.attention.W_o
        (head,) = [h for at, h in off if at == i]
        columns = slice(4 * head, 4 * head + 4)
        contexts, _ = head_contexts(layer.attention, layer.norm_1(x))
        kept = layer.attention(layer.norm_1(x))[0] - contexts[:, head] @ W.weight[:, columns].T
        if ablation == "mean":
            kept = kept + means[i, head] @ W.weight[:, columns].T
        x = x + kept
    torch.testing.assert_close(
        made(tokens, ablate=off, ablation=ablation)[0], made.norm(x) @ made.embedding.weight.T
    )


def test_ablating_nothing_changes_nothing_and_something_does():
    made = model()
    tokens = sentences()
    whole = made(tokens)[0]
    torch.testing.assert_close(made(tokens, ablate=[])[0], whole)
    for layer in range(2):
        for head in range(3):
            assert (made(tokens, ablate=[(layer, head)])[0] - whole).abs().max() > 1e-3
    torch.testing.assert_close(
        made(tokens, ablate=[(1, 1)])[1], made(tokens)[1], msg="layer 1 comes last: no weights change"
    )


def test_means_are_over_real_words():
    made = model()
    tokens = sentences()
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[1, 3:] = False
    means = made.measure_head_means(tokens, mask)
    x = made.positions(made.embedding(tokens))
    allowed = mask[:, None]
    contexts, _ = head_contexts(made.layers[0].attention, made.layers[0].norm_1(x), allowed)
    words = torch.cat([contexts[0].transpose(0, 1), contexts[1].transpose(0, 1)[:3]])
    torch.testing.assert_close(means[0], words.mean(0))
    assert "head_means" in made.state_dict()


def test_gradients_reach_every_parameter_with_heads_off():
    made = model(d_ff=8)
    made(sentences(), ablate=[(0, 0)])[0].square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in made.parameters())


def test_it_learns_to_copy_the_word_before():
    torch.manual_seed(0)
    made = WordModel(8, d_model=16, n_heads=2, n_layers=1, max_length=8)
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(150):
        tokens = torch.randint(0, 8, (32, 8))
        logits, _ = made(tokens)
        loss = nn.functional.cross_entropy(logits[:, 1:].flatten(0, 1), tokens[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"ablate": [(2, 0)]}, r"ablate: expected pairs \(layer below 2, head below 3\), got \(2, 0\)"),
        ({"ablate": [3]}, "ablate: expected pairs"),
        ({"ablate": [(0, 0)], "ablation": "half"}, "ablation: expected"),
        ({"mask": torch.ones(2, 5, dtype=torch.bool)}, "mask: expected shape"),
        ({"tokens": torch.full((1, 3), 11)}, "tokens: expected token numbers from 0 to 10"),
        ({"tokens": torch.zeros(1, 8, dtype=torch.long)}, "max_length = 7"),
    ],
)
def test_bad_input_is_one_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        model()(**{"tokens": sentences(), **options})


def test_heads_divide():
    with pytest.raises(ValueError, match="n_heads"):
        WordModel(5, d_model=10, n_heads=4)
