"""Which verbs follow their subject: found by hand, and asked of models whose answer is known."""

import torch

from attnbook.analysis import heads, heads_agreement
from attnbook.data import phrasebook
from attnbook.nn import MaskedWordModel

WORDS = heads.masked_vocabulary(phrasebook.vocabulary("small")[0])


def found(*sentences):
    return heads_agreement.verbs([sentence.split() for sentence in sentences])


def test_a_verb_knows_its_subject_and_the_noun_that_misleads():
    verb, beside, same = found(
        "the dogs of the old doctor were tired", "the dog is old", "the dogs of the kings are old"
    )
    assert (verb.words[verb.place], verb.words[verb.subject], verb.other) == ("were", "dogs", "was")
    assert verb.plural
    assert verb.nearest is False
    assert verb.misled
    assert not beside.plural
    assert beside.nearest is None
    assert not beside.misled
    assert same.nearest is True
    assert not same.misled


def test_questions_and_persons_without_two_forms_are_left_out():
    assert found("are the dogs old", "I am old", "you are old", "the dog sleeps") == []


def test_balanced_has_as_many_for_one_as_for_many():
    chosen = heads_agreement.balanced(found("the dog is old", "the cat is old", "the dogs are old"))
    assert [verb.plural for verb in chosen] == [False, True]


def test_a_model_that_always_says_were_agrees_with_every_plural():
    model = MaskedWordModel(len(WORDS), 8, 2, 2, 15)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.zero_()
        model.output.bias[WORDS.numbers["were"]] = 2.0
    asked = found("the dogs of the old doctor were tired", "the dog was old", "the dogs were old")
    lead = heads_agreement.lead_of_right_form(model, asked, WORDS)
    torch.testing.assert_close(lead, torch.tensor([2.0, -2.0, 2.0]))
    assert abs(heads_agreement.agreement(model, asked, WORDS) - 2 / 3) < 1e-6


def test_a_head_that_is_switched_off_can_change_the_answer():
    torch.manual_seed(0)
    model = MaskedWordModel(len(WORDS), 8, 2, 2, 15)
    asked = found("the dogs of the old doctor were tired")
    whole = heads_agreement.lead_of_right_form(model, asked, WORDS)
    without = heads_agreement.lead_of_right_form(model, asked, WORDS, heads.Change(off={(0, 0)}))
    assert abs(float(whole - without)) > 1e-4
