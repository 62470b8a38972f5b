"""Drawn stimuli and simulated people: what is put in comes out."""

import pytest
import torch

from attnbook.vision import psychophysics, stimuli


def test_reaction_times_have_the_mean_that_was_asked_for():
    times = psychophysics.reaction_times(325, 40_000, torch.Generator().manual_seed(0))
    assert abs(times.mean() - 325) < 2
    assert abs(times.std() - 79) < 2
    assert times.median() < times.mean()  # the tail is on the right


def test_a_session_has_the_cues_it_says():
    session = psychophysics.cueing(120, torch.Generator().manual_seed(0))
    assert {cue: len(times) for cue, times in session.items()} == {"valid": 80, "neutral": 20, "invalid": 20}
    short = psychophysics.cueing(20, torch.Generator().manual_seed(0))
    assert {cue: len(times) for cue, times in short.items()} == {"valid": 16, "neutral": 0, "invalid": 4}


def test_many_trials_give_back_benefit_and_cost():
    session = psychophysics.cueing(60_000, torch.Generator().manual_seed(1), benefit=25, cost=40)
    for expected, slower, faster in ((25, "neutral", "valid"), (40, "invalid", "neutral")):
        found, error = psychophysics.difference(session[slower], session[faster])
        assert abs(found - expected) < 3 * error
        assert error < 2


def test_slopes_of_a_search():
    generator = torch.Generator().manual_seed(0)
    sizes = (4, 8, 16, 32)
    slope = {
        (kind, present): psychophysics.slope(psychophysics.search(kind, present, sizes, 3000, generator))[0]
        for kind in ("feature", "conjunction")
        for present in (True, False)
    }
    assert abs(slope["feature", True]) < 0.5
    assert slope["conjunction", True] == pytest.approx(30, abs=1)
    assert slope["conjunction", False] == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: psychophysics.cueing(3, g), "trials: expected at least 5"),
        (lambda g: psychophysics.search("shape", True, (4, 8), 3, g), "kind: expected 'feature'"),
        (lambda g: psychophysics.slope({4: torch.ones(3)}), "two numbers of items"),
        (lambda g: psychophysics.difference(torch.ones(1), torch.ones(4)), "at least 2 times each"),
        (lambda g: psychophysics.reaction_times(10, 3, g), "a mean above"),
        (lambda g: stimuli.search_display("size", 8, g), "kind: expected 'colour'"),
        (lambda g: stimuli.search_display("colour", 65, g), "items: expected 2 to 64"),
        (lambda g: stimuli.search_display("conjunction", 8, g, green=1.5), "green: expected a share"),
        (lambda g: stimuli.moving_discs("jumps", g), "kind: expected 'starts'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(torch.Generator())


@pytest.mark.parametrize("kind", ["colour", "orientation", "conjunction"])
def test_only_the_target_is_red_and_upright(kind):
    display = stimuli.search_display(kind, 20, torch.Generator().manual_seed(0))
    assert len(display.places.unique(dim=0)) == 20
    looks = []
    for row, column in display.places.tolist():
        upright = torch.equal(display.image[row - 8, column], display.image[row, column])
        red = display.image[row, column, 0] > display.image[row, column, 1]
        looks.append((bool(red), bool(upright)))
    assert looks[0] == (True, True)
    assert (True, True) not in looks[1:]
    if kind == "conjunction":
        assert set(looks[1:]) == {(True, False), (False, True)}


def test_moving_discs_differ_in_one_place():
    for kind in ("starts", "other way", "flickers"):
        discs = stimuli.moving_discs(kind, torch.Generator().manual_seed(2))
        changed = (discs.before != discs.after).any(dim=-1).nonzero()
        near = (changed - discs.place).abs().max(dim=1).values <= 9
        assert near.any()
        assert bool(near.all()) == (kind != "other way")


def test_shapes_and_ranges():
    for image in (
        stimuli.grating(21, 30),
        stimuli.spot(21, 5),
        stimuli.shaded_disc(21, 90),
        stimuli.wire(40, 10),
    ):
        assert image.min() >= 0
        assert image.max() <= 1
    assert stimuli.shaded_disc(21, 90)[3, 10] > stimuli.shaded_disc(21, 90)[17, 10]
    assert not torch.equal(stimuli.wire(40, 0), stimuli.wire(40, 40))
