"""What the writers upstream add and no reader needs is left out of a page, and nothing else is."""

from attnbook_pages.lean import trim


def trimmed(body: str) -> str:
    """The body of a page after the trimming."""
    context = {"body": body}
    trim(None, "page", "page.html", context, None)
    return context["body"]


def test_a_cell_with_one_paragraph_needs_no_paragraph():
    row = (
        '<tr class="row-even"><td class="text-left"><p>0.5 <em>±</em> 0.1</p></td>\n<td><p>–</p>\n</td></tr>'
    )
    assert trimmed(row) == '<tr><td class="text-left">0.5 <em>±</em> 0.1</td>\n<td>–</td></tr>'


def test_a_cell_with_two_paragraphs_or_a_list_keeps_them():
    for cell in ("<td><p>one</p><p>two</p></td>", "<td><ul><li><p>one</p></li></ul></td>", "<p>a text</p>"):
        assert trimmed(cell) == cell


def test_the_first_picture_is_loaded_at_once_and_the_others_when_they_are_near():
    assert trimmed('<img src="a"><img src="b">') == '<img src="a"><img loading="lazy" src="b">'
