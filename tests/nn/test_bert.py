"""BERT: the same logits as Hugging Face's, with random weights and no download; both sides in view."""

import pytest
import torch

from attnbook.nn import BERT

transformers = pytest.importorskip("transformers")

SIZES = {
    "vocab_size": 37,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 31,
    "max_position_embeddings": 19,
}


def theirs(kind="BertForMaskedLM", **options):
    torch.manual_seed(3)
    configuration = transformers.BertConfig(**SIZES, attn_implementation="eager", **options)
    model = getattr(transformers, kind)(configuration).eval().double()
    with torch.no_grad():
        for weight in model.parameters():  # theirs start with biases of 0 and norms of 1
            weight.add_(0.3 * torch.randn_like(weight))
    return model


@pytest.mark.parametrize("options", [{}, {"layer_norm_eps": 0.1, "type_vocab_size": 3}])
def test_the_same_logits_and_weights(options):
    model = theirs(**options)
    ours = BERT.from_transformers(model)
    tokens = torch.randint(37, (2, 19))
    segments = torch.randint(model.config.type_vocab_size, (2, 19))
    mask = torch.arange(19) < torch.tensor([[19], [11]])
    with torch.no_grad():
        logits, weights = ours(tokens, mask, segments)
        wanted = model(tokens, mask.long(), segments, output_attentions=True)
    # Theirs computes the softmax in single precision.
    torch.testing.assert_close(logits[mask], wanted.logits[mask], atol=1e-5, rtol=1e-4)
    for layer, attention in enumerate(wanted.attentions):
        real = mask[:, None, :, None].expand_as(attention)
        torch.testing.assert_close(weights[:, layer][real], attention[real], atol=1e-6, rtol=1e-5)
    assert not ours.training
    assert ours.output.weight is ours.embedding.weight


def test_the_copy_has_weights_of_its_own():
    model = theirs()
    ours = BERT.from_transformers(model)
    before = ours.embedding.weight.clone()
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight.zero_()
    assert torch.equal(ours.embedding.weight, before)


def test_every_token_sees_both_sides_and_no_padding():
    torch.manual_seed(0)
    model = BERT(11, 8, 2, 2, max_length=9, dropout=0.0)
    tokens = torch.randint(11, (1, 7))
    mask = torch.arange(7)[None] < 5
    x, _ = model.read(tokens, mask)
    for place in range(5):
        changed = tokens.clone()
        changed[0, place] = (changed[0, place] + 1) % 11
        moved = (model.read(changed, mask)[0] - x).abs().amax(dim=-1)[0]
        assert (moved[:5] > 1e-6).all(), "each real token is seen by all"
    changed = tokens.clone()
    changed[0, 6] = (changed[0, 6] + 1) % 11
    torch.testing.assert_close(model.read(changed, mask)[0][:, :5], x[:, :5])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: BERT(11, 8, 3, 2), "n_heads"),
        (lambda: BERT(11, 8, 2, 2, segments=0), "segments"),
        (lambda: BERT(11, 8, 2, 2)(torch.tensor([[11]])), "tokens"),
        (lambda: BERT(11, 8, 2, 2)(torch.zeros(1, 3).long(), None, torch.full((1, 3), 2)), "segments"),
        (lambda: BERT(11, 8, 2, 2)(torch.zeros(1, 3).long(), None, torch.zeros(1, 2).long()), "segments"),
        (lambda: BERT.from_transformers(theirs("BertModel")), "BertForMaskedLM"),
        (lambda: BERT.from_transformers(theirs(hidden_act="relu")), "gelu"),
        (lambda: BERT.from_transformers(torch.nn.Linear(2, 2)), "BertForMaskedLM"),
    ],
)
def test_bad_input_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
