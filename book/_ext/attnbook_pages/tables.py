"""Tables made by directives."""

from docutils import nodes


def cell(content: str | nodes.Node) -> nodes.entry:
    """One cell: text, or a node that stands in a line of text."""
    child = nodes.Text(content) if isinstance(content, str) else content
    return nodes.entry("", nodes.paragraph("", "", child))


def table(rows: list[tuple], classes: list[str] | None = None) -> nodes.table:
    """A table whose first row is its head."""
    grid = nodes.tgroup(cols=len(rows[0]))
    grid += [nodes.colspec(colwidth=1) for _ in rows[0]]
    for part, lines in ((nodes.thead(), rows[:1]), (nodes.tbody(), rows[1:])):
        for line in lines:
            part += nodes.row("", *map(cell, line))
        grid += part
    return nodes.table("", grid, classes=classes or [])
