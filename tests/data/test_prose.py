"""The book's prose: sections, the split, and that it is prose."""

import re

from attnbook.data import prose


def test_sections_are_prose():
    sections = prose.sections()
    assert len(sections) > 400
    assert all(section.text and section.heading and section.source for section in sections)
    text = prose.joined(list(sections))
    assert len(text) > 300_000
    assert not re.search(r"[$`|<>{}\\_]|http|\]\(", text)


def test_the_split_keeps_whole_sections_apart():
    train, held_out = prose.split()
    assert len(train) + len(held_out) == len(prose.sections())
    assert not {section.text for section in train} & {section.text for section in held_out}
    assert 0.06 < len(prose.joined(held_out)) / len(prose.joined(train)) < 0.11
    assert len({section.source for section in held_out}) > 15  # from all over the book
