"""The task of the far-off answer: what each sentence says, by its own record."""

from random import Random

import pytest

from attnbook.data import upbringing as task


def test_the_sentence_of_the_book():
    made = task.sentence("Bengal", "Uttar Pradesh", 0, "before", Random(0))
    assert " ".join(made.words) == (
        "despite originally being from Uttar Pradesh as he was brought up in Bengal he is more comfortable in"
    )
    assert (made.language, made.distractor, made.distance) == ("Bengali", "Hindi", 5)


@pytest.mark.parametrize("distractor", task.DISTRACTORS)
def test_every_sentence_is_true_to_its_record(distractor):
    known = set(task.vocabulary())
    for made in task.sample(200, seed=3, fill=(2, 30), distractor=distractor):
        assert set(made.words) <= known
        named = [word for word in made.words if word in task.PLACES]
        decides = made.words[made.words.index("up") + 2]
        assert task.PLACES[decides] == made.language
        assert made.distance == len(made.words) - 1 - made.words.index(decides)
        assert len(named) == (1 if distractor == "none" else 2) == len(set(named))
        if distractor != "none":
            assert named.index(decides) == (1 if distractor == "before" else 0)
            assert made.distractor != made.language
        assert made.words[-5:] == task.QUESTION


def test_a_seed_gives_its_sentences_again_and_another_others():
    assert task.sample(20, seed=1) == task.sample(20, seed=1) != task.sample(20, seed=2)
    assert {made.distractor is None for made in task.sample(60, seed=0)} == {True, False}


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: task.sample(-1), "n"),
        (lambda: task.sample(1, fill=(5, 2)), "fill"),
        (lambda: task.sample(1, distractor="behind"), "distractor"),
        (lambda: task.sentence("Paris", None, 0, "none", Random(0)), "place"),
        (lambda: task.sentence("Bengal", None, 0, "before", Random(0)), "other"),
        (lambda: task.sentence("Bengal", "Kerala", 0, "none", Random(0)), "other"),
        (lambda: task.sentence("Bengal", None, -1, "none", Random(0)), "fill"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=f"^{named}: "):
        call()
