"""GPT-2 of Hugging Face as the book's GPT: the same logits, with random weights and no download."""

import pytest
import torch

from attnbook.nn import GPT

transformers = pytest.importorskip("transformers")

SIZES = {"vocab_size": 37, "n_positions": 19, "n_embd": 24, "n_layer": 3, "n_head": 4}


def gpt2(**options):
    torch.manual_seed(3)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**SIZES, **options)).eval()
    with torch.no_grad():
        for weight in model.parameters():  # theirs start with biases of 0 and norms of 1
            weight.add_(0.3 * torch.randn_like(weight))
    return model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_inner": 31, "activation_function": "relu", "layer_norm_epsilon": 0.1},
        {"activation_function": "gelu", "tie_word_embeddings": False},
    ],
)
def test_the_same_logits(options):
    theirs = gpt2(**options).double()
    ours = GPT.from_transformers(theirs)
    tokens = torch.randint(37, (2, 19))
    with torch.no_grad():
        torch.testing.assert_close(ours(tokens)[0], theirs(tokens).logits, atol=1e-10, rtol=1e-10)
        last, _ = ours.step(tokens, ours.start())
        torch.testing.assert_close(last, theirs(tokens).logits[:, -1], atol=1e-10, rtol=1e-10)
    assert not ours.training


def test_greedy_text_is_the_same():
    theirs = gpt2()
    prompt = torch.randint(37, (2, 4))
    written = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=9, do_sample=False, pad_token_id=0,
        eos_token_id=None,
    )  # fmt: skip
    assert torch.equal(GPT.from_transformers(theirs).generate(prompt, 9, temperature=0), written)


def test_the_copy_has_weights_of_its_own():
    theirs = gpt2()
    ours = GPT.from_transformers(theirs)
    before = ours.embedding.weight.clone()
    with torch.no_grad():
        theirs.transformer.wte.weight.zero_()
    assert torch.equal(ours.embedding.weight, before)
    assert ours.output.weight is ours.embedding.weight


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: torch.nn.Linear(2, 2), "model: expected a GPT-2 with its output layer"),
        (
            lambda: transformers.BertModel(
                transformers.BertConfig(
                    hidden_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=9
                )
            ),
            "got bert; other models have other layers",
        ),
        (lambda: gpt2().transformer, "model: expected a GPT-2 with its output layer"),
        (lambda: gpt2(scale_attn_weights=False), "model: expected scale_attn_weights=True"),
        (lambda: gpt2(activation_function="silu"), "model: expected an activation among gelu_new"),
    ],
)
def test_other_models_get_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        GPT.from_transformers(make())
