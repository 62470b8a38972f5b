"""A raw sentence in, a raw sentence out: words, weights, files, and what is refused."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook import nn
from attnbook.data import phrasebook
from attnbook.data.pairs import join_words, split_words
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.data.word_pairs import WordPairs
from attnbook.training.fit import fit
from attnbook.translation.search import translate
from attnbook.translation.translator import LONGEST, Translation, Translator

WORDS = {subset: phrasebook.vocabulary(subset) for subset in phrasebook.SUBSETS}
SRC, TGT = (Vocabulary(words) for words in WORDS["small"])
TIRED = "The animal didn't cross the street because it was too tired."


def untrained(seed=0, src=SRC, tgt=TGT, **options):
    torch.manual_seed(seed)
    options = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 24, "dropout": 0.1} | options
    return nn.Transformer(len(src), len(tgt), **options)


SMALL_MODEL = untrained()


@pytest.fixture(scope="module")
def trained():
    """A transformer that knows the book's five examples by heart."""
    model = untrained(d_model=32, n_heads=4, d_ff=64, dropout=0.0, norm="pre")
    pairs = list(phrasebook.examples().values())
    fit(model, Batches(pairs, SRC, TGT, 5), steps=120, learning_rate=3e-3, progress=False)
    return Translator(model, SRC, TGT)


# ---- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("l' animal n' a pas mangé .", "l'animal n'a pas mangé."),
        ("aujourd'hui , je t' aime", "aujourd'hui, je t'aime"),
        ("a -t-il été signé ?", "a-t-il été signé\u202f?"),
        ("commençons -nous ; oui !", "commençons-nous\u202f; oui\u202f!"),
        ("il dit : « non »", "il dit\u00a0: «\u00a0non\u00a0»"),
        ("le chat ( noir ) dort . . .", "le chat (noir) dort..."),
        ("parce qu' elle", "parce qu'elle"),
        ("", ""),
    ],
)
def test_french_words_are_joined_as_french_is_written(words, text):
    assert join_words(words.split()) == text
    assert split_words(text, "fr") == words.split()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from(phrasebook.SUBSETS), st.sampled_from(["", ".", "!", "?", "…"]))
def test_phrasebook_sentences_survive_writing_and_reading(seed, subset, mark):
    src, tgt = (Vocabulary(words) for words in WORDS[subset])
    translator = Translator(untrained(src=src, tgt=tgt), src, tgt)
    for pair in phrasebook.sample(3, seed, subset, (5, 20)):
        english = " ".join(pair.src)
        raw = english[0].upper() + english[1:] + mark
        assert translator.read(raw) == (pair.src, mark)
        french = translator.write(pair.tgt, mark)
        assert french[0] == pair.tgt[0][0].upper()
        assert split_words(french, "fr") == [*pair.tgt, *mark]


@settings(deadline=None)
@given(st.text(alphabet="abelnqtuéô'-,.!?:;() ", max_size=40))
def test_joining_never_loses_a_letter(text):
    words = split_words(text, "fr")
    assert "".join(join_words(words).split()) == "".join(words)


def test_capitals_as_the_vocabulary_has_them():
    translator = Translator(untrained(), SRC, TGT)
    expected = phrasebook.examples()["agreement"].src
    for text in (
        "The agreement on the European Economic Area was signed in August 1992.",
        "the agreement on the european Economic area was signed in august 1992",
        "THE agreement ON the EUROPEAN Economic AREA was signed in AUGUST 1992",
    ):
        assert translator.read(text)[0] == expected
    # both spellings are words: the one that was typed counts, but for the first word of a sentence
    assert translator.read("Economic agreements stopped the economic crisis")[0][0] == "economic"
    assert translator.read("i love you")[0] == ["I", "love", "you"]
    assert translator.read("She didn’t see me")[0] == ["she", "didn't", "see", "me"]


@pytest.mark.parametrize(
    ("text", "words", "mark"),
    [
        ('"I love you."', "I love you", "."),
        ("“She sleeps”!", "she sleeps", "!"),
        ("« I love 'you' »", "I love you", ""),
        ("I'm tired.", "I am tired", "."),
        ("it's not red", "it is not red", ""),
        ("They’re old", "they are old", ""),
        ("Don't you see me?", "don't you see me", "?"),
        ("Do you love me?", "do you love me", "?"),
        ("She does not sleep.", "she does not sleep", "."),
        ("I sleep", "I sleep", ""),
    ],
)
def test_what_people_type_first_is_read(text, words, mark):
    assert Translator(SMALL_MODEL, SRC, TGT).read(text) == (words.split(), mark)


def test_a_contraction_that_is_a_word_stays_whole():
    src = Vocabulary(["i'm", "i", "am", "dog", "dog's", "is"])
    translator = Translator(untrained(src=src), src, TGT)
    assert translator.read("I'm")[0] == ["i'm"]
    assert translator.read("dog's")[0] == ["dog's"]
    with pytest.raises(ValueError, match="does not know"):  # a possessive is no "is"
        Translator(SMALL_MODEL, SRC, TGT).read("the dog's house")


def test_a_sentence_unlike_those_of_training_is_translated_with_a_warning(trained):
    familiar = WordPairs((pair.src for pair in phrasebook.examples().values()), SRC)
    careful = Translator(trained.model, SRC, TGT, familiar=familiar)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert careful("I love you") == "Je t'aime"
    with pytest.warns(
        UserWarning, match=r"in training '<bos> you', 'you love', 'love I' and 1 more never"
    ) as caught:
        careful("you love I")
    assert caught[0].filename == __file__
    short = Translator(trained.model, SRC, TGT, familiar=WordPairs([["I", "love", "you"]], SRC))
    with pytest.warns(UserWarning, match="it has 2 words, and the model was trained on sentences of 3 to 3"):
        short.explain("I love")


def test_explain_gives_the_probability_of_each_word(trained):
    found = trained.explain("I love you")
    assert len(found.shares) == len(found.tgt) == 4
    assert all(0.5 < share <= 1 for share in found.shares)
    forced = trained.explain("I love you", "je t'aime je")
    assert forced.shares[:3] == pytest.approx(found.shares[:3], abs=1e-5)
    assert forced.shares[3] < 0.5


def test_marks_that_the_vocabulary_holds_go_through_the_model():
    src, tgt = Vocabulary(["i", "go", ".", "!"]), Vocabulary(["je", "vais", "."])
    translator = Translator(untrained(src=src, tgt=tgt), src, tgt)
    assert translator.read("I go.") == (["i", "go", "."], "")
    assert translator.read("I go?") == (["i", "go"], "?")
    assert translator.read("I go. ...") == (["i", "go", ".", ".", ".", "."], "")


# ---- translating -----------------------------------------------------------------------------------------


def test_raw_sentence_to_raw_sentence(trained):
    assert trained(TIRED) == "L'animal n'a pas traversé la rue parce qu'il était trop fatigué."
    assert trained("I love you") == "Je t'aime"
    assert trained("i love you!") == "Je t'aime\u202f!"
    assert (
        trained("The agreement on the European Economic Area was signed in August 1992.")
        == "L'accord sur la zone économique européenne a été signé en août 1992."
    )


def test_beam_search_gives_what_the_search_gives(trained):
    wide = Translator(trained.model, SRC, TGT, width=3, alpha=1.0)
    words = trained.read(TIRED)[0]
    found, _ = translate(trained.model, [words], SRC, TGT, width=3, alpha=1.0)[0]
    assert wide(TIRED) == join_words([*found, "."]).capitalize()
    assert repr(wide) == f"Translator(Transformer, {len(SRC)} English and {len(TGT)} French words, width=3)"


def test_the_mode_of_the_model_is_left_as_it_was(trained):
    trained.model.train()
    trained(TIRED)
    trained.explain(TIRED)
    assert trained.model.training
    trained.model.eval()
    trained.explain(TIRED)
    assert not trained.model.training


def test_explain_gives_the_weights_of_every_layer_and_head(trained):
    found = trained.explain(TIRED)
    assert isinstance(found, Translation)
    assert found.src == tuple(phrasebook.examples()["tired"].src)
    assert found.tgt == ("l'", "animal", "n'", "a", "pas", "traversé", "la", "rue", "parce", "qu'", "il",
                         "était", "trop", "fatigué", "<eos>")  # fmt: skip
    assert found.text == trained(TIRED)
    s, t = len(found.src), len(found.tgt)
    assert found.encoder.shape == (2, 4, s, s)
    assert found.decoder.shape == (2, 4, t, t)
    assert found.cross.shape == (2, 4, t, s)
    for weights in (found.encoder, found.decoder, found.cross):
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
        assert not weights.requires_grad
    assert (found.decoder.triu(1) == 0).all()  # no word sees a later one
    # row by row: the weights of the step that writes tgt[i]
    model = trained.model.eval()
    state = model.start(torch.tensor([SRC.encode(found.src)]))
    for i, word in enumerate(["<bos>", *found.tgt[:-1]]):
        logits, weights, state = model.step(torch.tensor([TGT.numbers[word]]), state)
        torch.testing.assert_close(weights[0], found.cross[-1, :, i].mean(dim=0))
        assert TGT.words[logits.argmax()] == found.tgt[i]


def test_explain_a_translation_that_is_given(trained):
    given = "L'animal n'a pas traversé la rue parce qu'elle était trop large."
    found = trained.explain(TIRED, given)
    assert found.tgt[-5:] == ("elle", "était", "trop", "large", "<eos>")
    assert found.text == given
    assert found.cross.shape == (2, 4, 15, 11)
    with pytest.raises(ValueError, match="translation: the model cannot write 'éléphant' and 'vole'; use"):
        trained.explain(TIRED, "L'éléphant vole")
    with pytest.raises(ValueError, match=r"translation: there are no words in it"):
        trained.explain(TIRED, " . ")
    with pytest.raises(TypeError, match="translation: expected a string, got list"):
        trained.explain(TIRED, ["l'"])


def test_models_defined_elsewhere_are_asked_what_they_have():
    class Rebuilt(nn.Transformer):  # as a notebook defines one
        pass

    model = Rebuilt(len(SRC), len(TGT), 16, 2, 1, 24)
    assert Translator(model, SRC, TGT).explain("I love you", "je t'aime").cross.shape == (1, 2, 4, 3)


@pytest.mark.parametrize("attention", [True, False])
def test_recurrent_models_translate_too(attention):
    torch.manual_seed(0)
    score = nn.AdditiveScore(8, 16, 8) if attention else None
    model = nn.Seq2Seq(
        nn.GRUEncoder(len(SRC), 8, 8, bidirectional=True), nn.GRUDecoder(len(TGT), 8, 8, 16, score)
    )
    translator = Translator(model, SRC, TGT)
    found = translator.explain("I love you.", "Je t'aime.")
    assert found.encoder is None
    assert found.decoder is None
    if attention:
        assert found.cross.shape == (1, 1, 4, 3)
        torch.testing.assert_close(found.cross.sum(dim=-1), torch.ones(1, 1, 4))
    else:
        assert found.cross is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # untrained, it may not come to an end
        assert isinstance(translator("I love you"), str)
    with pytest.raises(TypeError, match=r"only an nn\.Transformer can be kept, and this model is a Seq2Seq"):
        translator.save("nowhere.pt")


# ---- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text: there are no words in it; give an English sentence"),
        (" \n ?! … ", "text: there are no words in it"),
        ("- , -", "text: there are no words in it"),
        (
            "the elephant sees a zoo",
            r"text: the model does not know 'elephant' and 'zoo'; use words of transl",
        ),
        ("the Elephant saw the Elephant", r"the model does not know 'Elephant'; use"),
        ("La petite fille mange une pomme.", r"'La', 'petite', 'fille', 'mange', .*; this looks like French"),
        ("L'animal dort.", "this looks like French; give an English sentence"),
        ("I love you. She sleeps.", r"does not know '\.'; give one sentence at a time"),
        ("a b c d e f g h", r"'b', 'c', 'd', 'e', 'f' and 2 more"),
        ("the " + "x" * 2000, rf"^text: the model does not know '{'x' * 40}…'; use words .{{0,150}}$"),
        ('"I love you. She sleeps."', r"does not know '\.'; give one sentence at a time"),
        ("I can't sleep", r"""does not know "can't"; use"""),
        ("the cat " * LONGEST, rf"expected at most {LONGEST} words, got {2 * LONGEST}"),
        ("愛", "does not know '愛'"),
    ],
)
def test_sentences_that_cannot_be_read(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        Translator(untrained(), SRC, TGT)(text)
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    refusal = None
    try:
        words, mark = Translator(SMALL_MODEL, SRC, TGT).read(text)
    except ValueError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith("text: ")
        assert len(refusal.splitlines()) == 1
    else:
        assert words
        assert all(word in SRC for word in words)
        assert set(mark) <= set(".!?…")


def test_only_a_string_is_a_sentence():
    for wrong in (None, 3, ["the", "cat"]):
        with pytest.raises(TypeError, match="text: expected a string, one English sentence, got"):
            Translator(untrained(), SRC, TGT)(wrong)


def test_strangers_with_a_warning(trained):
    lenient = Translator(trained.model, SRC, TGT, unknown="warn")
    with pytest.warns(
        UserWarning, match=r"does not know 'elephant', and reads <unk> in place of each"
    ) as got:
        assert isinstance(lenient("I love the elephant"), str)
    assert got[0].filename == __file__
    with pytest.warns(UserWarning, match="does not know 'elephant'"):
        assert lenient.explain("I love the elephant").src == ("I", "love", "the", "elephant")


def test_a_model_without_an_end_is_stopped():
    model = untrained()
    with torch.no_grad():  # <eos> is never the likeliest
        model.tgt_embedding.weight[TGT.eos] = 0
        model.tgt_embedding.weight[TGT.numbers["accord"]] *= 100
        model.decoder[-1].norm_3.bias.copy_(model.tgt_embedding.weight[TGT.numbers["accord"]])
    for width in (1, 2):
        with pytest.warns(UserWarning, match="the model wrote 26 words without coming to an end") as caught:
            text = Translator(model, SRC, TGT, width=width)("I love you")
        assert len(text.split()) == 26
        assert caught[0].filename == __file__


def test_very_long_sentences_within_the_limit_are_read():
    text = " ".join(["the cat sees the dog and"] * 80) + " I love you"
    found = Translator(untrained(d_model=8, n_layers=1), SRC, TGT).explain(text, "je t'aime")
    assert found.cross.shape == (1, 2, 4, 483)
    learned = Translator(untrained(positions="learned", max_length=30), SRC, TGT)
    with pytest.raises(ValueError, match="30"):  # learned positions end somewhere, and say so
        learned(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width: expected a whole number of at least 1, got 0"),
        ({"width": 2.0}, r"width: expected a whole number of at least 1, got 2\.0"),
        ({"alpha": "x"}, "alpha: expected a number from 0 up, got 'x'"),
        ({"alpha": -1}, "alpha: expected a number from 0 up, got -1"),
        ({"unknown": "ignore"}, "unknown: expected error or warn, got 'ignore'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Translator(untrained(), SRC, TGT, **options)


def test_vocabularies_must_be_the_models():
    with pytest.raises(
        ValueError, match=f"src_vocabulary: the model was built for {len(SRC)} words, .* has {len(TGT)}"
    ):
        Translator(untrained(), TGT, SRC)
    seq2seq = nn.Seq2Seq(nn.GRUEncoder(len(SRC), 8, 8, bidirectional=True), nn.GRUDecoder(9, 8, 8, 16))
    with pytest.raises(ValueError, match="tgt_vocabulary: the model was built for 9 words"):
        Translator(seq2seq, SRC, TGT)


# ---- files -----------------------------------------------------------------------------------------------


def test_save_and_load(trained, tmp_path):
    path = tmp_path / "new" / "translator.pt"
    trained.save(path)
    again = Translator.load(path, width=2)
    assert again.width == 2
    assert again(TIRED) == Translator(trained.model, SRC, TGT, width=2)(TIRED)
    ours, theirs = trained.explain(TIRED), again.explain(TIRED)
    torch.testing.assert_close(ours.cross, theirs.cross)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "options",
    [
        {"positions": "relative", "max_distance": 3},
        {"positions": "rotary"},
        {"positions": "none"},
        {"norm": "pre", "activation": "gelu", "tied": False},
        {"positions": "learned", "max_length": 9, "dropout": 0.3},
        {"n_layers": 1, "n_heads": 4, "d_ff": 7},
    ],
)
def test_every_option_of_the_model_is_kept(options, tmp_path):
    model = untrained(**options)
    Translator(model, SRC, TGT).save(tmp_path / "t.pt")
    loaded = Translator.load(tmp_path / "t.pt").model
    assert str(loaded) == str(model)
    src, tgt = torch.randint(4, 200, (2, 5)), torch.randint(4, 200, (2, 6))
    torch.testing.assert_close(loaded(src, tgt)[0], model.eval()(src, tgt)[0])


def test_one_embedding_for_both_languages_is_kept(tmp_path):
    words = Vocabulary(["a", "b"])
    model = untrained(src=words, tgt=words, shared=True)
    Translator(model, words, words).save(tmp_path / "t.pt")
    loaded = Translator.load(tmp_path / "t.pt").model
    assert loaded.src_embedding is loaded.tgt_embedding
    assert sum(p.numel() for p in loaded.parameters()) == sum(p.numel() for p in model.parameters())


def test_files_that_hold_no_translator(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no file; save a translator there first"):
        Translator.load(tmp_path / "missing.pt")
    (tmp_path / "text.pt").write_text("no", encoding="utf-8")
    torch.save({"format": 1}, tmp_path / "part.pt")
    for name in ("text.pt", "part.pt"):
        with pytest.raises(ValueError, match="does not hold a translator"):
            Translator.load(tmp_path / name)
    Translator(untrained(), SRC, TGT).save(tmp_path / "old.pt")
    stored = torch.load(tmp_path / "old.pt", weights_only=True)
    torch.save(stored | {"format": 0}, tmp_path / "old.pt")
    with pytest.raises(ValueError, match="was saved by another version"):
        Translator.load(tmp_path / "old.pt")
