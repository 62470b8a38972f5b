"""What “it” stands for: balanced sentences, cut edges, exchanged memories, and what the stored table says."""

import argparse

import pytest
import torch

from attnbook import nn
from attnbook.analysis import pronouns
from attnbook.analysis.pronouns import Cut
from attnbook.data import phrasebook
from attnbook.data.pairs import part_of
from attnbook.data.vocabulary import Vocabulary, collate
from attnbook.experiments import pronouns as experiment

SRC, TGT = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
FAMILIES = pronouns.families(16, seed=3)
PAIRS = [family.pair for family in FAMILIES]
CASES = [pair[side] for side in (0, 1) for pair in PAIRS]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return nn.Transformer(len(SRC), len(TGT), 16, 2, 2, 24, dropout=0.1).eval()


@pytest.fixture(scope="module")
def batch():
    return collate([case.pair for case in CASES], SRC, TGT)


# ---- sentences


def test_pairs_differ_in_the_adjective_alone():
    assert len({tuple(case.pair.src) for case in CASES}) == 32
    for tired, wide in PAIRS:
        different = [i for i, (a, b) in enumerate(zip(tired.pair.src, wide.pair.src, strict=True)) if a != b]
        assert different == [tired.adjective] == [wide.adjective]
        assert (tired.it, tired.place, tired.verb) == (wide.it, wide.place, wide.verb)
        assert (tired.referent, tired.other) == (wide.other, wide.referent)
        assert tired.pair.tgt[: tired.place] == wide.pair.tgt[: wide.place]
        assert {tired.right, wide.right} == {"il", "elle"}
        assert tired.subject
        assert not wide.subject


def test_places_are_the_words_that_they_name():
    nouns = {"animal", "dog", "cat", "horse", "cow", "street", "river", "bridge", "field"}
    french = {"animal", "chien", "chat", "cheval", "vache", "rue", "rivière", "pont", "champ"}
    for case in CASES:
        src, tgt = case.pair.src, case.pair.tgt
        assert (src[case.it], src[case.verb]) == ("it", "cross")
        assert {src[case.referent], src[case.other]} <= nouns
        assert {tgt[case.referent_said], tgt[case.other_said]} <= french
        feminine = {"cow": "elle", "street": "elle", "river": "elle"}
        assert case.right == feminine.get(src[case.referent], "il") == tgt[case.place]
        assert case.wrong == feminine.get(src[case.other], "il")
        assert part_of(src) != "train"
        assert len(src) <= 20


def test_a_family_exchanges_one_noun_for_one_of_the_other_gender():
    feminine = {"cow", "street", "river"}
    for family in FAMILIES:
        for side in (0, 1):
            case = family.pair[side]
            for noun, changed in (("meant", case.referent), ("not meant", case.other)):
                donor = family.with_other(noun)[side]
                words = list(zip(case.pair.src, donor.pair.src, strict=True))
                assert [i for i, (ours, theirs) in enumerate(words) if ours != theirs] == [changed]
                assert len(feminine & set(words[changed])) == 1
                # the answer changes with the noun that is meant, and with no other
                assert (donor.right == case.right) == (noun == "not meant")
                assert (donor.it, donor.adjective, donor.place) == (case.it, case.adjective, case.place)
                assert (donor.referent, donor.referent_said) == (case.referent, case.referent_said)
    with pytest.raises(ValueError, match="noun: expected 'meant' or 'not meant', got 'other'"):
        FAMILIES[0].with_other("other")


def test_no_rule_that_sees_a_part_is_better_than_a_coin():
    assert set(pronouns.baselines(CASES).values()) == {0.5}
    assert experiment.fixed_distance(CASES) <= 0.5
    assert pronouns.minimal_pairs(8, 1) == pronouns.minimal_pairs(8, 1)
    assert pronouns.minimal_pairs(8, 1) != pronouns.minimal_pairs(8, 2)


def test_the_famous_pair():
    tired, wide = pronouns.famous()
    assert " ".join(tired.pair.src) == "the animal didn't cross the street because it was too tired"
    assert (tired.right, wide.right) == ("il", "elle")


@pytest.mark.parametrize("n", [0, 4, 12, True, 8.0])
def test_numbers_that_cannot_be_balanced(n):
    with pytest.raises(ValueError, match=r"^n: expected a multiple of 8"):
        pronouns.minimal_pairs(n)


def test_other_sentences_are_refused():
    with pytest.raises(ValueError, match=r"^pair: expected “… didn't cross"):
        pronouns.case_of(phrasebook.examples()["love"])
    with pytest.raises(ValueError, match=r"^longest: expected at least 12"):
        pronouns.minimal_pairs(8, longest=11)


# ---- changes inside the model


def test_nothing_cut_is_the_model_itself(model, batch):
    expected, weights = model(batch.src, batch.tgt[:, :-1], batch.src_mask, need_weights=True)
    logits, found, memory = pronouns.run(model, CASES, batch)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(memory, model.encode(batch.src, batch.src_mask)[0])
    for part in ("encoder", "decoder", "cross"):
        for ours, theirs in zip(getattr(found, part), getattr(weights, part), strict=True):
            torch.testing.assert_close(ours, theirs)
    again, _, _ = pronouns.run(model, CASES, batch, memory=memory)
    torch.testing.assert_close(again, expected)


@pytest.mark.parametrize(
    ("part", "query", "key"),
    [("encoder", "it", "referent"), ("cross", "place", "adjective"), ("decoder", "place", "other_said")],
)
def test_a_cut_edge_has_no_weight_and_all_others_keep_theirs_but_for_the_sum(model, batch, part, query, key):
    _, before, _ = pronouns.run(model, CASES, batch)
    _, after, _ = pronouns.run(model, CASES, batch, [Cut(part, query, key, layer=0, head=1)])
    old, new = getattr(before, part)[0], getattr(after, part)[0]
    for row, case in enumerate(CASES):
        q, k = getattr(case, query), getattr(case, key) + (part == "decoder")
        assert old[row, 1, q, k] > 0
        assert new[row, 1, q, k] == 0
        rest = old[row, 1, q].clone()
        rest[k] = 0
        torch.testing.assert_close(new[row, 1, q], rest / rest.sum())
        others = torch.arange(old.shape[2]) != q
        torch.testing.assert_close(new[row, 1, others], old[row, 1, others])
    torch.testing.assert_close(new[:, 0], old[:, 0])
    _, everywhere, _ = pronouns.run(model, CASES, batch, [Cut(part, query, key)])
    for weights in getattr(everywhere, part):
        for row, case in enumerate(CASES):
            assert (
                weights[row, :, getattr(case, query), getattr(case, key) + (part == "decoder")] == 0
            ).all()


def test_the_decoders_key_is_the_input_that_is_the_named_word(batch):
    for row, case in enumerate(CASES):
        assert TGT.words[batch.tgt[row, case.other_said + 1]] == case.pair.tgt[case.other_said]
        assert TGT.words[batch.tgt[row, case.place + 1]] == case.right


def test_a_head_without_keys_adds_nothing(model, batch):
    _, weights, _ = pronouns.run(model, CASES, batch, [Cut("cross", layer=1, head=0)])
    assert (weights.cross[1][:, 0] == 0).all()
    assert weights.cross[1][:, 1].sum(-1).allclose(torch.ones(()))
    assert weights.cross[0].sum(-1).allclose(torch.ones(()))
    off = pronouns.leads(model, CASES, SRC, TGT, [Cut("cross", layer=1, head=0)])
    d_head = model.decoder[1].cross_attention.d_head
    projection = model.decoder[1].cross_attention.W_o.weight
    kept = projection.detach().clone()
    with torch.no_grad():
        projection[:, :d_head] = 0
        torch.testing.assert_close(pronouns.leads(model, CASES, SRC, TGT), off, atol=1e-5, rtol=1e-4)
        projection.copy_(kept)


def test_the_first_layer_cannot_tell_the_two_sentences_apart(model):
    """Its query and keys of the nouns are the same in both, so the ratio of their weights is too."""
    look = pronouns.looks(model, CASES, SRC, TGT, "encoder", "it")
    ratio = (look["referent"] / look["other"])[:, 0]  # (cases, heads) of the first layer
    torch.testing.assert_close(ratio[:16], 1 / ratio[16:], rtol=1e-4, atol=1e-5)
    assert (pronouns.prefers(look)[0] == 0.5).all()


def partners(side):
    """Of each case on this side, the other sentence of its pair."""
    return [pair[1 - side] for pair in PAIRS]


def test_exchanged_memory(model):
    tired, wide = ([pair[side] for pair in PAIRS] for side in (0, 1))
    own, others = (pronouns.leads(model, cases, SRC, TGT) for cases in (tired, wide))
    close = {"atol": 1e-5, "rtol": 1e-4}
    torch.testing.assert_close(pronouns.patched(model, tired, wide, SRC, TGT), own, **close)
    same = pronouns.patched(model, tired, tired, SRC, TGT, None, written=True)
    torch.testing.assert_close(same, own, **close)
    # With all that the decoder reads from the partner, it answers for the partner, where right is wrong.
    all_of_it = pronouns.patched(model, tired, wide, SRC, TGT, None, written=True)
    torch.testing.assert_close(all_of_it, -others, **close)
    batches = [collate([case.pair], SRC, TGT) for case in (tired[0], wide[0])]
    memories = [
        pronouns.run(model, [case], batch)[2]
        for case, batch in zip((tired[0], wide[0]), batches, strict=True)
    ]
    mixed = memories[0].clone()
    mixed[0, tired[0].adjective] = memories[1][0, tired[0].adjective]
    logits, _, _ = pronouns.run(model, tired[:1], batches[0], memory=mixed)
    got = pronouns.patched(model, tired[:1], wide[:1], SRC, TGT, ["adjective"])
    torch.testing.assert_close(got, pronouns.lead(logits, tired[:1], TGT), **close)


def test_exchanged_french(model):
    """The French up to the pronoun is the donor's, the English ours: what the model says of such a pair."""
    case = FAMILIES[0].pair[0]
    donor = FAMILIES[0].with_other("meant")[0]
    got = pronouns.patched(model, [case], [donor], SRC, TGT, written=True)
    batch = collate([case.pair], SRC, TGT)
    tokens = torch.tensor([[TGT.bos, *TGT.encode(donor.pair.tgt)]])[:, : case.place + 1]
    logits, _ = model(batch.src, tokens, batch.src_mask)
    torch.testing.assert_close(got, pronouns.lead(logits, [case], TGT), atol=1e-5, rtol=1e-4)


def test_donors_that_do_not_fit_are_refused(model):
    case, *others = CASES
    with pytest.raises(ValueError, match="donors: expected 1, one a case, got 0"):
        pronouns.patched(model, [case], [], SRC, TGT)
    longer = next(each for each in others if len(each.pair.src) != len(case.pair.src))
    with pytest.raises(ValueError, match="donors: expected the words of"):
        pronouns.patched(model, [case], [longer], SRC, TGT)


def test_the_weight_on_the_same_noun_sees_a_head_that_the_count_cannot_see():
    """One head attends to the path only when it is meant, and to the animal never: two pairs, one layer."""
    look = {
        "referent": torch.tensor([0.01, 0.01, 0.25, 0.25])[:, None, None],  # animal twice, then path twice
        "other": torch.tensor([0.02, 0.02, 0.01, 0.01])[:, None, None],
    }
    assert pronouns.prefers(look).item() == 0.5
    meant, not_meant = pronouns.moves(look)["path"]
    assert (meant - not_meant).flatten().tolist() == pytest.approx([0.23, 0.23])
    meant, not_meant = pronouns.moves(look)["animal"]
    assert (meant - not_meant).abs().max() == 0


def test_the_lead_is_that_of_the_right_over_the_wrong_pronoun(model, batch):
    logits, _ = model(batch.src, batch.tgt[:, :-1], batch.src_mask)
    for row, value in enumerate(pronouns.leads(model, CASES, SRC, TGT).tolist()):
        case = CASES[row]
        here = logits[row, case.place]
        assert value == pytest.approx(
            (here[TGT.numbers[case.right]] - here[TGT.numbers[case.wrong]]).item(), abs=1e-4
        )


def test_the_model_stays_in_its_mode(model):
    for training in (True, False):
        model.train(training)
        first = pronouns.leads(model, CASES, SRC, TGT)
        assert torch.equal(first, pronouns.leads(model, CASES, SRC, TGT))  # dropout is off meanwhile
        pronouns.patched(model, CASES[:16], partners(0), SRC, TGT, ["it"])
        assert model.training == training


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (Cut("memory"), "cuts: expected part encoder, decoder or cross, got 'memory'"),
        (Cut("cross", layer=2), "cuts: the model has layers 0 to 1, got layer 2"),
        (Cut("cross", head=-1), "cuts: the model has heads 0 to 1, got head -1"),
        (Cut("encoder", "it", "noun"), "cuts: 'noun' is no place of a case"),
    ],
)
def test_wrong_cuts_are_named(model, batch, cut, message):
    with pytest.raises(ValueError, match=message):
        pronouns.run(model, CASES, batch, [cut])


def test_the_picture_has_a_row_a_head_and_sentence(model):
    axes = pronouns.draw(model, pronouns.famous(), SRC, TGT, "cross", layer=0).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:2] == ["head 1: il (too tired)", "head 1: elle (too wide)"]
    assert len(labels) == 4
    assert axes.get_xticklabels()[-1].get_text() == "tired / wide"
    with pytest.raises(ValueError, match="part: expected encoder or cross"):
        pronouns.draw(model, pronouns.famous(), SRC, TGT, "decoder")


# ---- the run


def options(*words):
    parser = argparse.ArgumentParser()
    experiment.add_arguments(parser)
    return parser.parse_args(words)


SMALL = {"pairs": 8, "few-pairs": 8, "train-pairs": 60, "d-model": 8, "heads": 2, "layers": 1, "d-ff": 8,
         "steps": 2, "warmup": 1}  # fmt: skip


def test_a_seed_measures_everything(monkeypatch, smoothed):
    monkeypatch.setattr(experiment, "UNTRAINED", 1)
    small = [f"--{name}={value}" for name, value in SMALL.items()]
    numbers = experiment.run_seed(options(*small, "--smoothing=0.3"), 0, torch.device("cpu"))
    assert smoothed == [0.3]
    assert numbers["sentences"] == 16
    assert set(numbers["baselines"].values()) == {0.5}
    assert {"transformer", "looks", "cut", "patched", "probe", "weight and effect"} <= set(numbers)
    assert set(numbers["looks"]["from it"]) == {"encoder 1.1", "encoder 1.2", "largest difference, untrained"}
    head = numbers["looks"]["from pronoun, own words"]["decoder 1.1"]
    assert set(head) >= {"animal", "path", "to referent", "to other"}
    assert set(numbers["patched"]) == {"adjective", "noun meant", "noun not meant"}
    assert numbers["weight and effect"]["from it"]["edges"] == 10


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--pairs", "12"], "--pairs"),
        (["--few-pairs", "0"], "--few-pairs"),
        (["--steps", "0"], "--steps"),
        (["--learning-rate", "0"], "--learning-rate"),
    ],
)
def test_wrong_options_are_named(words, named):
    with pytest.raises(ValueError, match=f"^{named}: expected"):
        experiment.run_seed(options(*words), 0, torch.device("cpu"))
