"""Attention weights of Hugging Face models: four families, batches, windows, words, and what is refused."""

import re

import pytest
import torch

from support import ROOT

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from attnbook.analysis import patch  # noqa: E402
from attnbook.models import read_attention  # noqa: E402
from attnbook.widgets import AlignmentExplorer, HeadExplorer  # noqa: E402

TEXTS = ["the cat sat on the mat", "a dog barks", "the unhappy cat wasn't on the mat."]
VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "on", "mat", "a", "dog", "barks", "un",
    "##happy", "wasn", "'", "t", ".", "##s",
]  # fmt: skip
SIZES = {"vocab_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}


def wordpiece(side="right"):
    """A BERT-like tokenizer, built here: no download."""
    numbers = {word: number for number, word in enumerate(VOCABULARY)}
    core = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbers, unk_token="[UNK]"))
    core.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    core.decoder = tokenizers.decoders.WordPiece()
    core.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        padding_side=side,
    )  # fmt: skip


def byte_level(side="right", pad=True):
    """A GPT-2-like tokenizer, trained here on three sentences."""
    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<end>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(TEXTS, trainer)
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<end>", padding_side=side)
    if pad:
        made.pad_token = made.eos_token
    return made


def built(kind, implementation="eager", **sizes):
    torch.manual_seed(0)
    tf = transformers
    if kind == "bert":
        config = tf.BertConfig(
            **{**SIZES, "hidden_size": 16, "intermediate_size": 16, "max_position_embeddings": 200, **sizes}
        )
        model = tf.BertModel
    elif kind == "gpt2":
        given = {"vocab_size": 400, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 200, **sizes}
        config = tf.GPT2Config(**given, bos_token_id=0, eos_token_id=0)
        model = tf.GPT2LMHeadModel
    elif kind == "llama":
        given = {**SIZES, "vocab_size": 400, "hidden_size": 16, "intermediate_size": 16, **sizes}
        config = tf.LlamaConfig(**given, num_key_value_heads=2, max_position_embeddings=200)
        model = tf.LlamaForCausalLM
    else:
        given = {"vocab_size": 40, "d_model": 16, "d_kv": 4, "num_layers": 2, "num_heads": 4, "d_ff": 16}
        config = tf.T5Config(**{**given, **sizes}, decoder_start_token_id=0, eos_token_id=3)
        model = tf.T5ForConditionalGeneration
    return model._from_config(config, attn_implementation=implementation)


FAMILIES = [("bert", wordpiece), ("gpt2", byte_level), ("llama", byte_level), ("t5", wordpiece)]
KINDS = {
    "bert": ["encoder"],
    "gpt2": ["decoder"],
    "llama": ["decoder"],
    "t5": ["encoder", "decoder", "cross"],
}


@pytest.mark.parametrize(("kind", "tokenizer"), FAMILIES)
@pytest.mark.parametrize("merge", [False, True])
def test_every_family_is_read(kind, tokenizer, merge):
    model = built(kind).train()
    tgt = {"tgt": "a dog barks"} if kind == "t5" else {}
    reading = read_attention(model, tokenizer(), TEXTS[2], merge=merge, **tgt)
    assert list(reading.kinds) == KINDS[kind]
    assert model.training
    for each in reading.kinds.values():
        assert each.weights.shape == (2, 4, len(each.rows), len(each.columns))
        torch.testing.assert_close(each.weights.sum(-1), torch.ones(2, 4, len(each.rows)))


@pytest.mark.parametrize(("kind", "tokenizer"), FAMILIES[:3])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_row_of_a_padded_batch_is_the_text_alone(kind, tokenizer, side):
    model, words = built(kind), tokenizer(side)
    if kind == "bert" and side == "left":
        return  # BERT counts padding on the left as positions: its own reading, tested below
    alone = read_attention(model, words, TEXTS[1])
    batch = read_attention(model, words, TEXTS, row=1)
    name = KINDS[kind][0]
    assert batch[name].rows == alone[name].rows
    torch.testing.assert_close(batch[name].weights, alone[name].weights, atol=1e-5, rtol=0)
    given = words(TEXTS, padding=True, return_tensors="pt")
    again = read_attention(model, words, given, row=1)
    torch.testing.assert_close(again[name].weights, batch[name].weights)


def test_pieces_become_words():
    model, words = built("bert"), wordpiece()
    pieces = read_attention(model, words, TEXTS[2])["encoder"]
    whole = read_attention(model, words, TEXTS[2], merge=True)["encoder"]
    assert pieces.rows == [
        "[CLS]",
        *["the", "un", "##happy", "cat", "wasn", "'", "t", "on", "the", "mat", "."],
        "[SEP]",
    ]
    assert whole.rows == ["[CLS]", *["the", "unhappy", "cat", "wasn't", "on", "the", "mat", "."], "[SEP]"]
    # To a word: the sum over its pieces; from a word: their mean.
    torch.testing.assert_close(whole.weights[:, :, 1, 2], pieces.weights[:, :, 1, 2:4].sum(-1))
    torch.testing.assert_close(whole.weights[:, :, 4, 1], pieces.weights[:, :, 5:8, 1].mean(-1))


def test_pieces_of_bytes_become_words_too():
    whole = read_attention(built("gpt2"), byte_level(), "the cats unsat on", merge=True)["decoder"]
    assert whole.rows == ["the", "cats", "unsat", "on"]


def test_what_a_translator_writes_names_the_rows():
    torch.manual_seed(0)
    reading = read_attention(built("t5"), wordpiece(), TEXTS[0])
    assert reading["cross"].rows == reading["decoder"].rows
    assert reading["cross"].columns == reading["encoder"].columns
    given = read_attention(built("t5"), wordpiece(), TEXTS[0], tgt="a dog barks")
    assert given["cross"].rows == ["[CLS]", "a", "dog", "barks", "[SEP]"]


def test_a_long_text_is_seen_through_a_window():
    model, words = built("bert"), wordpiece()
    text = " ".join(TEXTS[0] for _ in range(20))  # 122 tokens
    whole = read_attention(model, words, text)["encoder"].weights
    shown = HeadExplorer.from_transformers(model, words, text, start=30)
    assert len(shown.state["tokens"]) == 63
    got = torch.tensor(shown.weights)
    assert got.shape == (2, 4, 63, 64)
    torch.testing.assert_close(got[..., :63], whole[:, :, 30:93, 30:93], atol=1e-5, rtol=0)
    outside = whole[:, :, 30:93].sum(-1) - whole[:, :, 30:93, 30:93].sum(-1)
    torch.testing.assert_close(got[..., 63], outside, atol=1e-5, rtol=0)
    assert shown.content["src"][-1] == "…+59"


def test_many_layers_are_thinned_and_named():
    model = built("bert", num_hidden_layers=23)
    shown = HeadExplorer.from_transformers(model, wordpiece(), TEXTS[1])
    assert shown.challenge == (
        "The layers here are the model's 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, of 23."
    )
    chosen = HeadExplorer.from_transformers(model, wordpiece(), TEXTS[1], layers=[22], heads=[1, 3])
    expected = read_attention(model, wordpiece(), TEXTS[1])["encoder"].weights[22:, [1, 3]]
    torch.testing.assert_close(torch.tensor(chosen.weights), expected, atol=1e-5, rtol=0)


def test_an_alignment_is_the_cross_attention():
    model, words = built("t5"), wordpiece()
    weights = read_attention(model, words, TEXTS[0], tgt="a dog barks")["cross"].weights
    mean = AlignmentExplorer.from_transformers(model, words, TEXTS[0], tgt="a dog barks")
    torch.testing.assert_close(torch.tensor(mean.weights), weights[-1].mean(0), atol=1e-5, rtol=0)
    head = AlignmentExplorer.from_transformers(model, words, TEXTS[0], tgt="a dog barks", layer=0, head=2)
    torch.testing.assert_close(torch.tensor(head.weights), weights[0, 2], atol=1e-5, rtol=0)
    assert head.output == ["[CLS]", "a", "dog", "barks", "[SEP]"]
    with pytest.raises(ValueError, match=r"^model: expected an encoder and a decoder .* got BertModel"):
        AlignmentExplorer.from_transformers(built("bert"), words, TEXTS[0])


REFUSED = [
    ("bert", {"text": " "}, "^text: expected words, got an empty text"),
    ("bert", {"text": []}, "^text: expected a text or a list of texts"),
    ("bert", {"text": "the " * 300}, "^text: expected at most 200 tokens, as the model reads, got 302"),
    ("bert", {"text": TEXTS, "row": 3}, "^row: expected a whole number from 0 to 2, got 3"),
    ("bert", {"tgt": "a dog"}, "^tgt: expected none, since this model has no encoder and decoder"),
    ("bert", {"kind": "cross"}, "^kind: expected one of encoder.* got 'cross'"),
    ("bert", {"start": 9}, "^start: expected a row from 0 to 7, got 9"),
    ("bert", {"layers": [2]}, "^layers: expected 1 to 12 different numbers from 0 to 1"),
    ("t5", {"tgt": ["a", "dog"]}, "^tgt: expected 1 texts, one a text, got 2"),
]


@pytest.mark.parametrize(("kind", "options", "sentence"), REFUSED)
def test_bad_input_gets_one_sentence(kind, options, sentence):
    given = {"text": TEXTS[0], **options}
    with pytest.raises(ValueError, match=sentence) as raised:
        HeadExplorer.from_transformers(built(kind), wordpiece(), **given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("kind", "tokenizer"), FAMILIES)
def test_a_fused_kernel_hides_the_weights_and_the_remedy_is_named(kind, tokenizer):
    model = built(kind, "sdpa")
    with pytest.raises(ValueError, match=r'^model: its fused kernel \("sdpa"\) never holds .*"eager"'):
        read_attention(model, tokenizer(), TEXTS[0])
    model.set_attn_implementation("eager")
    assert read_attention(model, tokenizer(), TEXTS[0]).kinds


def test_a_model_without_attention_is_named():
    config = transformers.MambaConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, state_size=4, intermediate_size=32
    )
    model = transformers.MambaModel(config)
    with pytest.raises(ValueError, match="^model: MambaModel returns no attention weights"):
        read_attention(model, wordpiece(), TEXTS[0])


def test_the_tokenizer_of_another_model_is_named():
    with pytest.raises(ValueError, match=r"^tokenizer: gives token number \d+, and the model has 40 tokens"):
        read_attention(built("bert"), byte_level(), TEXTS[0])


def test_a_batch_needs_a_padding_token():
    with pytest.raises(ValueError, match="^tokenizer: has no padding token"):
        read_attention(built("gpt2"), byte_level(pad=False), TEXTS)


# ---- activation patching of these models -----------------------------------------------------------


@pytest.mark.parametrize(("kind", "tokenizer"), FAMILIES)
def test_patching_all_positions_gives_the_sources_answer(kind, tokenizer):
    model, words = built(kind), tokenizer()
    text, source = (words(each, return_tensors="pt") for each in ("the cat sat", "the dog sat"))
    if kind == "t5":
        text["decoder_input_ids"] = source["decoder_input_ids"] = torch.tensor([[0]])
    text, source = ({k: v for k, v in each.items() if k != "token_type_ids"} for each in (text, source))
    if text["input_ids"].shape != source["input_ids"].shape:
        source["input_ids"] = text["input_ids"].clone()
        source["input_ids"][0, 1] = 7
        source["attention_mask"] = text["attention_mask"]

    def answer(out):
        return (out.last_hidden_state if kind == "bert" else out.logits)[:, -1, 5]

    n = text["input_ids"].shape[1]
    layers = "encoder.block" if kind == "t5" else None
    found = patch(model, text, source, answer, layers=layers, positions=[*range(n), list(range(n))])
    assert found.answer.shape == (2, n + 1)
    torch.testing.assert_close(found.answer[:, -1], torch.full((2,), found.source), atol=1e-5, rtol=0)
    # The same text changes nothing.
    still = patch(model, text, text, answer, layers=layers)
    torch.testing.assert_close(still.answer, torch.full_like(still.answer, still.before), atol=1e-5, rtol=0)


# ---- the page that shows it ------------------------------------------------------------------------


def test_the_code_of_the_page_runs(monkeypatch):
    """With small models made here in the place of those that the page downloads."""
    page = (ROOT / "book" / "your_own_model.md").read_text(encoding="utf-8")
    causal, translator, patching = re.findall(r"```python\n(.*?)```", page, re.DOTALL)

    def tokenizer(name):
        return wordpiece() if "opus" in name else byte_level()

    def model(kind):
        return lambda name, attn_implementation: built(kind, attn_implementation)

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", tokenizer)
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", model("gpt2"))
    monkeypatch.setattr(transformers.AutoModelForSeq2SeqLM, "from_pretrained", model("t5"))
    names: dict = {}
    exec(causal, names)
    assert "didn't" in names["heads"].tokens
    exec(translator, {})
    patching = patching.replace('("tired", "wide")', '("tired", "tiger")')  # this tokenizer's: equally long
    exec(patching, names)
    assert names["found"].moved.shape[0] == 2
