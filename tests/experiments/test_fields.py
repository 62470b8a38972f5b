"""The runs of chapter 15: measures that see what is built in, masks that hide padding, bad options named."""

import argparse

import pytest
import torch

from attnbook.data.headlines import reports
from attnbook.data.scenes import digit_images
from attnbook.data.tones import melodies
from attnbook.experiments import copying, perceiver, pictures_from_words, speech, words_and_digits
from attnbook.experiments.matrices import as_lines, from_lines

CPU = torch.device("cpu")


def options(experiment, *words):
    parser = argparse.ArgumentParser()
    experiment.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("experiment", "words", "message"),
    [
        (speech, ("--steps", "5"), "--steps: expected at least 20"),
        (copying, ("--reports", "3"), "--reports: expected numbers of at least 32"),
        (words_and_digits, ("--scenes", "3"), "--scenes: expected at least 64"),
        (perceiver, ("--tests", "0"), "--tests: expected at least 1"),
        (pictures_from_words, ("--steps", "1"), "--steps: expected at least 20"),
        (pictures_from_words, ("--learning-rates", "0"), "--learning-rates: expected numbers above 0"),
    ],
)
def test_options_out_of_range_are_refused(experiment, words, message):
    with pytest.raises(ValueError, match=message):
        experiment.run_seed(options(experiment, *words), 0, CPU)


@pytest.mark.parametrize(("said", "right", "edits"), [
    ("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("ac", "abc", 1), ("abcc", "abc", 1), ("", "abc", 3),
    ("kitten", "sitting", 3),
])  # fmt: skip
def test_edits(said, right, edits):
    assert speech.edits([ord(c) for c in said], [ord(c) for c in right]) == edits


@pytest.mark.parametrize("name", speech.NAMES)
def test_a_melody_is_heard_alike_alone_and_beside_a_longer_one(name):
    torch.manual_seed(0)
    model = speech.build(name).eval()
    short, long = melodies(1, 0, (5, 5)) + melodies(1, 0, (9, 9))
    alone = model.transcribe(speech.as_batch([short]))[0][0]
    assert model.transcribe(speech.as_batch([short, long]))[0][0] == alone


def test_ctc_merges_repeats_and_leaves_out_blanks():
    model = speech.FrameLabels()
    labels = torch.tensor([[8, 1, 1, 8, 1, 2, 2, 8]])
    model.forward = lambda frames, lengths: (torch.eye(9)[labels], torch.ones(1, 8, dtype=torch.bool))
    assert model.transcribe({"frames": None, "lengths": None})[0] == [[1, 1, 2]]


def test_the_mass_measure_sees_a_speller_that_looks_at_the_note():
    """Weights put where the note is give 1, weights elsewhere give 0."""
    heard = melodies(3, 4)
    model = speech.build("content")
    batch = speech.as_batch(heard)
    length = model.start(batch["frames"], batch["lengths"])[2][0].shape[1]

    def looking(offset):
        step = iter(range(100))

        def look(token, state, weights, memory):
            place, where = next(step), torch.zeros(len(heard), length)
            for row, melody in enumerate(heard):
                first, last = melody.spans[min(place, len(melody.notes) - 1)]
                where[row, round((first + last) / (4 * speech.HOP)) + offset] = 1.0
            return None, state, where

        return look

    model.step = looking(0)
    assert speech.mass_on_note(model, heard) == 1
    model.step = looking(9 - length)
    assert speech.mass_on_note(model, heard) < 0.2


def test_the_copy_rule_gets_all_but_the_verb():
    given = reports(300, 0, "new")
    found = copying.scored([copying.copy_rule(report) for report in given], given)
    assert [found[slot] for slot in copying.SLOTS] == [1, 0, 1, 1, 1]


def test_extended_numbers_lead_back_to_the_words():
    given = reports(20, 0, "new")
    batch = copying.as_batch(given)
    said = copying.in_words(batch["tgt"][:, :5], batch["unknown"])
    assert said == [list(report.headline) for report in given]
    assert copying.scored(said, given)["headline"] == 1
    assert (batch["src"] < len(copying.vocabulary())).all()


def test_replacing_takes_the_word_with_the_most_weight():
    given = reports(1, 0, "new")
    weights = torch.zeros(1, 5, len(given[0].words))
    weights[0, :, 3] = 1.0
    assert copying.replaced([["<unk>", "sells"]], weights[:, :2], given) == [[given[0].words[3], "sells"]]


def test_a_word_is_said_to_be_there_when_it_is():
    from random import Random

    given, _, _ = words_and_digits.annotated(40, 0, "test")
    for scene in given:
        said, there = words_and_digits.said_of(scene, Random(0))
        names = [words_and_digits.DIGITS[digit] for digit in scene.digits]
        assert there == (said[1] in names, said[-1] in names)
    assert words_and_digits.exchanged(("a", "two", "above", "a", "six")) == ("a", "six", "above", "a", "two")


@pytest.mark.parametrize("by", ["name", "place"])
def test_looks_tell_attention_by_name_from_attention_by_place(by):
    """Two built-in models: one puts each word's weight into the box of its digit, the other that of the first
    word into the first box, whatever it says.
    """
    given, _, boxes = words_and_digits.annotated(30, 0, "test")
    kept = [i for i, scene in enumerate(given) if scene.digits[0] != scene.digits[1]]
    vocabulary = words_and_digits.vocabulary()

    class BuiltIn:
        def __call__(self, tokens, rows):
            weights = torch.zeros(len(kept), 6, 144)
            for line, place in enumerate(kept):
                words = tokens[line].tolist()
                last = max(at for at, word in enumerate(words) if word != vocabulary.pad)
                for slot, at in enumerate((1, last)):
                    digit = words_and_digits.DIGITS.index(vocabulary.words[words[at]])
                    box = given[place].digits.index(digit) if by == "name" else slot
                    weights[line, at] = boxes[place, box] / boxes[place, box].sum()
            return None, weights

    found = words_and_digits.looks(BuiltIn(), 30)
    assert found["right"]["named box"] > 0.8
    assert (found["exchanged"]["named box"] > 0.8) == (by == "name")


def test_pairs_compared():
    assert perceiver.pairs_compared("mean pool") == 0
    assert perceiver.pairs_compared("4 latents") == 4 * 144 + 16
    assert perceiver.pairs_compared("self-attention") == 144**2


def test_real_pictures_are_read_as_what_they_show():
    from random import Random

    cells, tokens, mask = pictures_from_words.pictures(200, Random(0), "test")
    words = pictures_from_words.vocabulary()
    said = [tuple(words.words[w] for w in row[seen]) for row, seen in zip(tokens, mask, strict=True)]
    read = pictures_from_words.read(cells)
    assert sum(one == two for one, two in zip(read, said, strict=True)) / 200 > 0.9
    assert not any(
        pictures_from_words.unseen(words_and_digits.DIGITS.index(s[1]), words_and_digits.DIGITS.index(s[-1]))
        for s in said
    )
    assert pictures_from_words.read(torch.full((1, 4, 64), -1.0)) == [None]


def test_distances_see_a_copy():
    pool = digit_images("train").images.flatten(1)[:5]
    assert pictures_from_words.nearest(pool).max() < 1e-2
    assert pictures_from_words.nearest(digit_images("test").images.flatten(1)).median() > 0.5


def test_matrices_come_back():
    matrix = torch.rand(3, 4)
    torch.testing.assert_close(from_lines(as_lines(matrix, 6)), matrix, atol=1e-6, rtol=0)
