"""Reports: three words can be copied, the verb cannot, and new names are new."""

import pytest

from attnbook.data.headlines import PARTS, VERBS, known_words, names, reports


def test_the_headline_needs_both_copying_and_writing():
    for part in PARTS:
        for report in reports(300, 0, part):
            who, verb, what, _, where = report.headline
            assert {who, what, where} <= set(report.words)
            assert verb in VERBS
            assert not set(VERBS) & set(report.words)  # no present form in any report


def test_two_people_stand_in_a_report():
    people = {name for part in ("frequent", "rare", "new") for name in names("person", part)}
    for report in reports(200, 1):
        assert len([word for word in report.words if word in people]) == 2


def test_no_name_is_in_two_parts():
    for kind in ("person", "place"):
        parts = [set(names(kind, part)) for part in ("frequent", "rare", "new")]
        assert len(set.union(*parts)) == sum(map(len, parts))
    seen = {word for report in reports(2000, 0) for word in report.words}
    new = set(names("person", "new")) | set(names("place", "new"))
    assert not new & seen
    assert not new & set(known_words())


def test_every_other_word_is_known():
    known, people = set(known_words()), set()
    for kind in ("person", "place"):
        for part in ("rare", "new"):
            people |= set(names(kind, part))
    for part in PARTS:
        for report in reports(300, 2, part):
            assert set(report.words) | set(report.headline) <= known | people


def test_the_same_for_the_same_arguments():
    assert reports(5, 3, "new") == reports(5, 3, "new") != reports(5, 4, "new")


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="part: expected one of train, known, new"):
        reports(1, 0, "test")
    with pytest.raises(ValueError, match="kind: expected one of person, place"):
        names("river", "new")
